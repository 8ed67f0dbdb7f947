"""Fan charts of all indicators: quantiles of posterior and prior over the years, as compact data for the page."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.indicators.registry import CUMULATED, lookup
from reeuncert.indicators.summary import Cells, all_cells
from reeuncert.reference import Published, labels, published_values
from reeuncert.result.quantiles import PROBABILITIES
from reeuncert.result.result import Result

PRIOR_PROBABILITIES = (0.05, 0.5, 0.95)


def fans(result: Result) -> dict[str, Any]:
    """`all_fans` of a result, with the published values of its case."""
    return all_fans(result.dt["derived"].to_dataset(), result.once(all_cells), published_values(result.case))


def all_fans(derived: xr.Dataset, cells: Mapping[str, Cells], published: Iterable[Published] = ()) -> dict[str, Any]:
    """Fans of every indicator of a result.

    ``years``, and ``indicators``: for each ``name``, ``title``, ``unit``, ``reference``, ``dims`` and ``series``, a
    list of ``at`` (labels), ``q`` (one list over the years for each of `PROBABILITIES`), ``p`` (the same for the prior,
    if there is one) and ``points`` (published values). Series that the system lacks are left out.
    """
    points = list(published)
    indicators = []
    for name, of in cells.items():
        series = list(_series(of, points))
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
        if name != row.indicator + (CUMULATED if cumulated else "") or labels(row) != at:
            continue
        if cumulated and row.year_from != first:
            continue
        shown = row.year_to if cumulated else row.year_from
        text = " ".join(f"{row.statement} {row.hedge}".split())
        out.append(
            {
                "from": shown,
                "to": row.year_to,
                "value": row.value,
                "source": row.source,
                "text": f"{row.source}: {text}",
            }
        )
    return out
