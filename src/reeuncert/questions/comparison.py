"""Two results side by side: their headlines with Monte Carlo errors, and what differs in case, evidence and run."""

import html
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case, Headline
from reeuncert.errors import AbsentError, ReeUncertError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import headline_row, place, value_of
from reeuncert.indicators.printing import value_title
from reeuncert.indicators.registry import DIMS
from reeuncert.reference import all_published, all_values, counterparts
from reeuncert.result.diagnostics import interval_ends
from reeuncert.result.result import Result
from reeuncert.words.units import mass_unit

SAME, NOISE, SHIFT, APART, ONE = "same", "within Monte Carlo error", "shifted", "apart", "in one only"
"""Verdicts: equal; apart by less than three Monte Carlo errors; by more; a median outside the other's interval; one has
no value.
"""
INSIDE, OUTSIDE = "inside the interval", "outside the interval"
"""Verdicts on published values."""
NOISY = 3.0
"""Monte Carlo errors of a difference of medians that chance explains."""

LABELS = ("indicator", *DIMS, "year")
SIDE = ("median", "eti90_lb", "eti90_ub", "mcse_median")
_DIFFERENCE = ["what", "record", "field", "a", "b"]
_PLACES = frozenset({"file", "line", "path", "hashes", "name"})
"""Fields that say where a record stands, or its own name."""
_RUN = ("seed", "sampler", "draws", "thin", "tune", "chains", "target_accept", "prior_draws", "complete", "approximate")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Headlines of two results, and what differs between them.

    Parameters
    ----------
    names
        Names of the two.
    table
        A row a headline: ``headline``, `LABELS`, ``unit``; ``a_median``, ``a_eti90_lb``, ``a_eti90_ub``,
        ``a_mcse_median``, the same with ``b_``; ``difference`` (b − a) with its Monte Carlo error
        ``mcse_difference``; ``verdict``. A published value has neither interval nor error.
    differences
        A row a difference: ``what`` (evidence, priors, options, run, …), ``record``, ``field``, ``a``, ``b``; ``field``
        is empty where one of the two has no such record.
    """

    names: tuple[str, str]
    table: pd.DataFrame
    differences: pd.DataFrame

    def __repr__(self) -> str:
        counts = self.table["verdict"].value_counts()
        told = "".join(f", {n} {verdict}" for verdict, n in counts.items())
        lines = [f"{self.names[0]} against {self.names[1]}: {len(self.table)} values{told}"]
        lines += [
            f"  differences in {what}: {n}" for what, n in self.differences["what"].value_counts(sort=False).items()
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


def compare(
    a: xr.DataTree, b: xr.DataTree | Literal["published"], *, names: tuple[str, str] | None = None
) -> Comparison:
    """Compare two results: other seeds, releases, evidence or structures; or a result with published values.

    Parameters
    ----------
    a, b
        Results (or their folders); ``b = "published"`` compares with the published values of the case.
    names
        What the two are called in table and figure; ``a`` and ``b`` by default.

    Returns
    -------
    Comparison
        The headlines of both cases, each once, of averages over structures where a result holds them; and every
        difference of the two cases (flows, priors, evidence, sources, …) and of the two runs (seed, version, …).

    Raises
    ------
    ReeUncertError
        If there is nothing to compare (no headline, or no published value of this case), or masses in two units.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> found = compare(toy_posterior(draws=50, years=2), toy_posterior(draws=50, years=2, seed=1))
    >>> found.table["headline"].tolist()[:1]
    ['Import dependence, recorded · North → South · refined · 2002']
    >>> found.differences[["what", "record", "a", "b"]].values.tolist()
    [['run', 'seed', '0', '1']]
    """
    called = names or (("result", "published") if isinstance(b, str) else ("a", "b"))
    if len(called) != 2 or called[0] == called[1]:
        raise ReeUncertError(f"names are {called!r:.80}; give two different texts")
    if isinstance(b, str):
        return Comparison(called, _published(a), pd.DataFrame(columns=_DIFFERENCE))
    results = Result(a), Result(b)
    one, two = (result.case.system.unit for result in results)
    if mass_unit(one) != mass_unit(two):
        raise ReeUncertError(f"masses are in {one} and in {two}: give both cases one unit")
    headlines = list(dict.fromkeys(replace(h, sentence="") for r in results for h in r.case.headlines))
    if not headlines:
        raise ReeUncertError("neither case has a headline; name some in case.toml: [[headline]]")
    sides = [_side(result, headlines) for result in results]
    rows = [_row(h, one, two) for h, one, two in zip(headlines, *sides, strict=True)]
    differences = [*_of_cases(results[0].case, results[1].case), *_of_runs(a.attrs, b.attrs)]
    return Comparison(called, pd.DataFrame(rows), pd.DataFrame(differences, columns=_DIFFERENCE))


def _side(result: Result, headlines: list[Headline]) -> list[dict[str, Any]]:
    """Labels, unit, median, interval and Monte Carlo error of every headline; empty where it has no value."""
    held = result if "derived" in result.dt.children else Result(add_indicators(result.dt))
    out: list[dict[str, Any]] = []
    for headline in headlines:
        out.append({})
        with suppress(AbsentError):
            row = headline_row(held, headline).iloc[0].to_dict()
            name, coords, year = place(held.dt, headline)
            if "mcse_median" not in row:
                row["mcse_median"] = interval_ends(value_of(held.dt, name, {**coords, "year": year}).draws)[1].error
            out[-1] = {key: row[key] for key in (*LABELS, "unit", *SIDE)}
    return out


def _row(headline: Headline, one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    asked = {c: getattr(headline, c, "") for c in LABELS}
    labels = {c: (one or two or asked)[c] for c in LABELS}
    row = {"headline": value_title(labels), **labels, "unit": (one or two or {"unit": ""})["unit"]}
    row |= {f"{side}_{c}": of.get(c, np.nan) for side, of in (("a", one), ("b", two)) for c in SIDE}
    difference = row["b_median"] - row["a_median"]
    error = float(np.hypot(row["a_mcse_median"], row["b_mcse_median"]))
    return row | {"difference": difference, "mcse_difference": error, "verdict": _verdict(row, difference, error)}


def _verdict(row: Mapping[str, float], difference: float, error: float) -> str:
    if np.isnan(difference):
        return ONE
    if difference == 0.0:
        return SAME
    outside = (
        row[f"{x}_median"] < row[f"{y}_eti90_lb"] or row[f"{x}_median"] > row[f"{y}_eti90_ub"] for x, y in ("ab", "ba")
    )
    if any(outside):
        return APART
    return NOISE if abs(difference) <= NOISY * error else SHIFT


def _published(dt: xr.DataTree) -> pd.DataFrame:
    """Rows of a comparison with published values: our interval, and the value that was printed."""
    result = Result(dt if "derived" in dt.children else add_indicators(dt))
    if not result.once(all_values):
        raise ReeUncertError(
            f"case '{result.case.name}' has no published values to compare with; give a second result, or a table "
            "reference/published_reference.csv beside its evidence"
        )
    rows, tables = [], result.once(all_published).to_dict("records")
    for (given, value), table in zip(counterparts(result), tables, strict=True):
        ours: dict[Any, Any] = table | value.columns | {"mcse_median": interval_ends(value.draws)[1].error}
        theirs = dict.fromkeys(SIDE, np.nan) | {"median": given.value, "mcse_median": 0.0}
        row = _row(Headline(value.indicator), ours, theirs)
        verdict = OUTSIDE if row["verdict"] == APART else INSIDE
        rows.append(row | {"headline": f"{given.id}: {row['headline']}", "verdict": verdict})
    if not rows:
        raise ReeUncertError("none of the published values is of a quantity and year that this result holds")
    return pd.DataFrame(rows)


def _of_cases(a: Case, b: Case) -> Iterator[tuple[str, ...]]:
    """Differences of two cases, field by field."""
    for field in fields(Case):
        if field.name not in _PLACES or field.name == "name":
            one, two = getattr(a, field.name), getattr(b, field.name)
            if field.name == "system":
                for part in fields(one):
                    yield from _of_values(part.name, getattr(one, part.name), getattr(two, part.name))
            else:
                yield from _of_values(field.name, one, two)


def _of_values(what: str, one: Any, two: Any) -> Iterator[tuple[str, ...]]:
    before, after = _records(one), _records(two)
    if before is None or after is None:
        yield from ((what, "", "", *pair) for pair in _unlike(one, two))
        return
    for key in dict.fromkeys((*before, *after)):
        if key not in after or key not in before:
            yield (what, key, "", "there", "") if key in before else (what, key, "", "", "there")
        elif is_dataclass(before[key]):
            for field in fields(before[key]):
                if field.name not in _PLACES:
                    pair = getattr(before[key], field.name), getattr(after[key], field.name)
                    yield from ((what, key, field.name, *texts) for texts in _unlike(*pair))
        else:
            yield from ((what, key, "", *texts) for texts in _unlike(before[key], after[key]))


def _records(value: Any) -> dict[str, Any] | None:
    """Records by their name; None for what is one value. Records without a name of their own are counted."""
    if isinstance(value, Mapping):
        return {str(key): of for key, of in value.items()}
    if not (isinstance(value, tuple) and all(map(is_dataclass, value))):
        return None
    out: dict[str, Any] = {}
    for record in value:
        given = getattr(record, "id", "") or getattr(record, "name", "")
        labels = [str(getattr(record, c)) for c in (*LABELS, "name") if getattr(record, c, "")]
        key = given if not hasattr(record, "year") else " ".join(labels)
        out[key if key not in out else f"{key} ({len(out)})"] = record
    return out


def _unlike(one: Any, two: Any) -> Iterator[tuple[str, str]]:
    """The two values as text, unless they are the same; NaN is a number that was not given."""
    texts = tuple("" if isinstance(v, float) and np.isnan(v) else str(v) for v in (one, two))
    if texts[0] != texts[1]:
        yield texts[0], texts[1]


def _of_runs(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> Iterator[tuple[str, ...]]:
    packages = [json.loads(str(of.get("versions", "{}"))) for of in (a, b)]
    for what, names, (one, two) in (("run", _RUN, (a, b)), ("version", sorted({*packages[0], *packages[1]}), packages)):
        for name in names:
            yield from ((what, name, "", *texts) for texts in _unlike(one.get(name, ""), two.get(name, "")))
