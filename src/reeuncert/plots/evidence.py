"""Position of every reported value in its posterior predictive distribution."""

from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case, Evidence
from reeuncert.checks.predictive import predicted_rows, surprising, thinned
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import predicted_sigma, predictive_draws
from reeuncert.plots.access import Coords, check_labels, rows_of, take
from reeuncert.plots.panels import Area, Axis, Board, Mark, Panel, Points
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import hue, interval_name
from reeuncert.result.result import Result
from reeuncert.words.cells import as_words
from reeuncert.words.estimates import interval, with_unit

SEED = 20
INSIDE = (0.05, 0.95)
DIMS = ("id", "source_id", "lineage", "reporter", "quantity", "product", "origin", "destination", "qualifier", "year")


def evidence_data(dt: xr.DataTree, *, coords: Coords = None, seed: int = SEED) -> pd.DataFrame:
    """Every figure that entered the model, beside what the posterior predicts for a figure of its kind.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    coords
        Column → value or values to keep, any of ``id``, ``source_id``, ``lineage``, ``reporter``, ``quantity``,
        ``product``, ``origin``, ``destination``, ``qualifier``, ``year``.
    seed
        Of the predictive draws.

    Returns
    -------
    DataFrame
        ``id``, ``source_id``, ``source`` (title), ``reference``, ``lineage``, ``reporter``, ``about`` (what it
        measures), the columns of its selector, ``year_from``, ``year_to``, ``relation``, ``qualifier``, ``value``,
        ``low``, ``high``, ``unit``, ``basis``, ``width`` (median scale of its error on the log or logit scale),
        ``predicted`` (median), ``predicted_eti90_lb``, ``predicted_eti90_ub`` in the unit of the row, ``position``
        (probability of a prediction at most the figure; NaN for bounds and ranges), ``agrees`` (probability that a
        prediction meets a bound or range; NaN for figures), ``surprising`` (the row disagrees with the model, see
        `reeuncert.checks.predictive.surprising`), ``locator``, ``reason``, ``note``.

    Raises
    ------
    ReeUncertError
        If the result holds no case, no draws, or the case has no evidence.
    """
    wanted = take(coords, DIMS, "the evidence")
    result = Result.holding(dt)
    table, case = result.once(_every_row) if seed == SEED else _every_row(result, seed), result.case
    for name, labels in wanted.items():
        if name == "year":
            check_labels(labels, list(case.system.years), "year", "the evidence")
            keep = np.zeros(len(table), dtype=bool)
            for year in labels:
                keep |= (table["year_from"] <= year).to_numpy() & (table["year_to"] >= year).to_numpy()
        else:
            check_labels(labels, sorted(set(table[name])), name, "the evidence")
            keep = table[name].isin(labels).to_numpy()
        table = table[keep]
    return table.reset_index(drop=True)


def _every_row(result: Result, seed: int = SEED) -> pd.DataFrame:
    """`evidence_data` of all rows."""
    judged, model = result.once(predicted_rows).set_index("row"), cast(EvidenceModel, result.evidence)
    mass, width, offset = thinned(result.dt["posterior"].to_dataset())
    predicted = predictive_draws(model, mass, width, offset, rng=np.random.default_rng(seed))
    table = pd.DataFrame([_described(row, result.case) for row in model.rows])
    low, median, high = model.to_unit(np.quantile(predicted, [0.05, 0.5, 0.95], axis=0))
    table["width"] = np.median(predicted_sigma(model, width, predicted.shape[:-1]), axis=0)
    table["predicted"], table["predicted_eti90_lb"], table["predicted_eti90_ub"] = median, low, high
    judged = judged.loc[table["id"]]
    table["position"], table["agrees"] = judged["below"].to_numpy(), 1 - judged["violation"].to_numpy()
    table["surprising"] = surprising(judged).to_numpy()
    end = [c for c in ("locator", "reason", "note") if c in table]
    return table[[c for c in table.columns if c not in end] + end]


@figure_of(evidence_data)
def plot_evidence(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light") -> Any:
    """Draw the position of every reported figure in its predictive distribution, a line for each source."""
    rows = position_table(evidence_data(dt, coords=coords))
    inside = rows["position"].between(*INSIDE)
    counts = rows.groupby("line").agg(name=("lineage", "first"), n=("id", "size"))
    ticks = tuple((float(line), f"{row.name} ({row.n})") for line, row in enumerate(counts.itertuples(index=False)))
    ends = -0.6, len(counts) - 0.4
    low, high = (100 * end for end in INSIDE)
    marks: list[Mark] = [Area.box(low, high, *ends, "prior", opacity=0.15, name=f"{interval_name()} of the prediction")]
    for part, name, colour, symbol in (
        (rows[inside], "inside it", hue(0), "circle"),
        (rows[~inside], "outside it", "alert", "diamond"),
    ):
        x, y = 100 * part["position"].to_numpy(), part["height"].to_numpy()
        marks.append(Points(name, x, y, colour, symbol, hover=tuple(map(_hover, rows_of(part))), opacity=0.8))
    x_axis = Axis("Position in its distribution (%; 50: as predicted)", (-2.0, 102.0))
    panel = Panel("", marks=tuple(marks), x=x_axis, y=Axis(limits=ends[::-1], ticks=ticks))
    said = f"{int(inside.sum())} of {len(rows)} values lie in their {interval_name()}"
    title = "Position of the reported values in their posterior predictive distributions"
    return render(Board(title, (panel,), 1, max(1.3, 0.2 * len(counts) + 0.6), 8.2, said), backend, theme)


def position_table(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that have a position, with the line of their source and a height within it that keeps points apart.

    Columns ``line`` (0: the source with the most figures) and ``height`` (line ± 0.32) are added.
    """
    rows = table[table["position"].notna()].copy()
    order = rows["lineage"].value_counts(sort=True).index
    rows["line"] = rows["lineage"].map({name: i for i, name in enumerate(order)}).astype(int)
    rows = rows.sort_values(["line", "position"], kind="stable")
    place = rows.groupby("line").cumcount().to_numpy()
    rows["height"] = rows["line"] + np.where(
        rows.groupby("line")["id"].transform("size") > 1, (place % 4 - 1.5) * 0.2, 0.0
    )
    return rows.reset_index(drop=True)


def _hover(row: Any) -> str:
    years = str(row.year_from) if row.year_from == row.year_to else f"{row.year_from}–{row.year_to}"
    basis = f", {row.basis}" if row.basis not in ("", "n/a") else ""
    said = with_unit(row.value, row.unit) if row.qualifier != "range" else interval(row.low, row.high, row.unit)
    predicted = interval(row.predicted_eti90_lb, row.predicted_eti90_ub, row.unit)
    return (
        f"{row.id} · {row.source}\n{as_words(row.about)}, {years}\nreported ({row.qualifier}): {said}{basis}\n"
        f"predicted: {with_unit(row.predicted, row.unit)} ({interval_name()}: {predicted})"
    )


def _described(row: Evidence, case: Case) -> dict[str, Any]:
    source = case.sources.get(row.source_id)
    fields = row.selector.fields
    selector = {
        name: "+".join(fields.get(name, ())) for name in ("quantity", "product", "origin", "destination", "route")
    }
    about = f"{row.selector}" + (f", of: {row.of}" if row.of is not None else "")
    return {
        "id": row.id,
        "source_id": row.source_id,
        "source": source.title if source else "",
        "reference": source.reference if source else "",
        "lineage": row.lineage,
        "reporter": row.reporter,
        "about": about,
        **selector,
        "year_from": min(row.years),
        "year_to": max(row.years),
        "relation": row.relation,
        "qualifier": row.qualifier,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "unit": row.unit,
        "basis": row.basis,
        "locator": row.locator,
        "reason": row.reason,
        "note": row.note,
    }
