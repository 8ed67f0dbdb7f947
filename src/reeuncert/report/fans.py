"""Fan charts of all indicators: quantiles over the years as compact data for the page, and figures that show them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from reeuncert.indicators.printing import series_title
from reeuncert.indicators.registry import CUMULATED, lookup
from reeuncert.indicators.summary import Cells, all_cells
from reeuncert.reference import Published, labels, published_values
from reeuncert.report.figures import Figure, figure
from reeuncert.result.quantiles import PROBABILITIES
from reeuncert.result.result import Result

PRIOR_PROBABILITIES = (0.05, 0.5, 0.95)
ABREAST = 4
"""Panels that stand side by side, on one axis; on one axis for more regions the smaller ones would be flat lines."""


def fans(result: Result) -> dict[str, Any]:
    """Fans of every indicator of a result, with the published values of its case.

    ``years``, and ``indicators``: for each ``name``, ``title``, ``unit``, ``reference``, ``dims`` and ``series``, a
    list of ``at`` (labels), ``q`` (one list over the years for each of `PROBABILITIES`), ``p`` (the same for the prior,
    if there is one) and ``points`` (published values). Series that the system lacks are left out.
    """
    derived, published = result.dt["derived"].to_dataset(), list(published_values(result.case))
    indicators = []
    for name, of in result.once(all_cells).items():
        series = list(_series(of, published))
        if series:
            attrs = derived[name].attrs
            about = {"name": name, "title": attrs.get("long_name", name), "unit": attrs.get("units", "")}
            about |= {"reference": attrs.get("reference", ""), "percent": lookup(name).percent}
            indicators.append(about | {"dims": list(of.labels)[:-1], "series": series})
    return {"years": [int(y) for y in derived["year"].values], "indicators": indicators}


def _series(of: Cells, published: list[Published]) -> Iterable[dict[str, Any]]:
    found = of.grid(of.after)
    known = None if of.before is None else of.grid(of.before)[np.isin(PROBABILITIES, PRIOR_PROBABILITIES)]
    *dims, _ = of.labels
    for index in np.ndindex(*found.shape[1:-1]):
        q = found[(slice(None), *index)]
        if not np.isfinite(q).any() or not np.nanmax(np.abs(q)) > 0:
            continue
        at = [str(of.labels[d][i]) for d, i in zip(dims, index, strict=True)]
        one: dict[str, Any] = {"at": at, "q": q}
        if known is not None and np.isfinite(known[(slice(None), *index)]).any():
            one["p"] = known[(slice(None), *index)]
        marks = _points(of.name, dict(zip(dims, at, strict=True)), int(of.labels["year"][0]), published)
        yield one | ({"points": marks} if marks else {})


def _points(name: str, at: dict[str, str], first: int, published: list[Published]) -> list[dict[str, object]]:
    """Published values of one series: in one year, over some years (a rate), or up to a year (cumulated)."""
    out = []
    for row in published:
        several = row.year_from != row.year_to
        cumulated = several and not row.per_year
        known = name == row.indicator + (CUMULATED if cumulated else "") and labels(row) == at
        if not known or (cumulated and row.year_from != first):
            continue
        shown = row.year_to if cumulated else row.year_from
        text = " ".join(f"{row.statement} {row.hedge}".split())
        said = {"value": row.value, "source": row.source, "text": f"{row.source}: {text}"}
        out.append({"from": shown, "to": row.year_to, **said})
    return out


def fan(
    result: Result,
    name: str,
    at: Iterable[str],
    *,
    id: str,
    title: str = "",
    height: int = 320,
    caption: str = "",
    together: Iterable[Iterable[str]] = (),
) -> Figure:
    """Fan chart of one series, by default with its labels as title; its axis also holds those shown ``together``."""
    labels = list(at)
    known: dict[str, dict[str, Any]] = {one["name"]: one for one in result.once(fans)["indicators"]}
    about = known.get(name, {"dims": []})
    heading = title or series_title({"indicator": name, **dict(zip(about["dims"], labels, strict=False))})
    return figure(
        id,
        heading,
        lambda: {"kind": "fan", "indicator": name, "at": labels, "together": [list(one) for one in together]},
        alt=f"Fan chart of {heading} over the years: median, 50, 80 and 90 % equal-tailed intervals, prior behind.",
        caption=caption,
        height=height,
    )


def fans_of(
    result: Result,
    name: str,
    *,
    id: str,
    only: Mapping[str, str] | None = None,
    but: Collection[Mapping[str, str]] = (),
    short: bool = False,
    height: int = 260,
) -> list[Figure]:
    """Fans of every series of an indicator that the system has, with `only` these labels, and not labelled as any of
    `but`. ``short``: headings name the labels alone, and up to `ABREAST` of them have one axis.
    """
    labels = (only or {}).items()
    wanted = [(n, at) for n, at in enumerate(series_of(result, name)) if labels <= at.items() and at not in but]
    together = [list(at.values()) for _, at in wanted] if short and len(wanted) <= ABREAST else []
    titles = [", ".join(at.values()) if short else "" for _, at in wanted]
    return [
        fan(result, name, at.values(), id=f"{id}-{n}", title=title, height=height, together=together)
        for (n, at), title in zip(wanted, titles, strict=True)
    ]


def series_of(result: Result, name: str) -> list[dict[str, str]]:
    """Labels of every series of an indicator that the system has; none if it has no such indicator."""
    found: dict[str, Any] | None = next((i for i in result.once(fans)["indicators"] if i["name"] == name), None)
    return [] if found is None else [dict(zip(found["dims"], one["at"], strict=True)) for one in found["series"]]
