"""Positions of reported values in their predictive distributions, and of simulated truths in their posteriors."""

from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.calibration.result import BAND, COVERAGES, Calibration, band
from reeuncert.case.records import Case, Evidence
from reeuncert.checks.predictive import predicted_rows, surprising, thinned
from reeuncert.indicators.printing import check_dims
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import predictive_draws
from reeuncert.plots.access import Coords, rows_of, take
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import hue, interval_name
from reeuncert.result.result import Result
from reeuncert.words.cells import as_words
from reeuncert.words.estimates import interval, printed, with_unit

SEED = 20  # of the predictive draws
INSIDE = (0.05, 0.95)
SELECTED = ("quantity", "product", "origin", "destination", "route")
DESCRIBED = (
    *("id", "source_id", "source", "reference", "lineage", "reporter", "about", *SELECTED),
    *("year_from", "year_to", "relation", "qualifier", "value", "low", "high", "unit", "basis"),
)
LAST = ("locator", "reason", "note")
DIMS = ("id", "source_id", "lineage", "reporter", "quantity", "product", "origin", "destination", "qualifier")


def evidence_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Every figure that entered the model, beside what the posterior predicts for a figure of its kind.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    coords
        Column → value or values to keep, any of ``id``, ``source_id``, ``lineage``, ``reporter``, ``quantity``,
        ``product``, ``origin``, ``destination``, ``qualifier``, ``year``.

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
    check_dims("the evidence", (*DIMS, "year"), coords or ())
    result = Result.holding(dt)
    table, case = result.once(_every_row), result.case
    known = {name: sorted(set(table[name])) for name in DIMS} | {"year": case.system.years}
    chosen = take(coords, known, "the evidence")
    years, (first, last) = chosen["year"], (table[name].to_numpy()[:, None] for name in ("year_from", "year_to"))
    keep = ((first <= years) & (last >= years)).any(axis=1)
    return table[keep & table[list(DIMS)].isin(chosen).all(axis=1)].reset_index(drop=True)


def _every_row(result: Result) -> pd.DataFrame:
    """`evidence_data` of all rows."""
    judged, model = result.once(predicted_rows).set_index("row"), cast(EvidenceModel, result.evidence)
    mass, width, offset = thinned(result.dt["posterior"].to_dataset())
    predicted = predictive_draws(model, mass, width, offset, rng=np.random.default_rng(SEED))
    table = pd.DataFrame([_described(row, result.case) for row in model.rows])
    low, median, high = model.to_unit(np.quantile(predicted, [0.05, 0.5, 0.95], axis=0))
    table["width"] = np.median(np.broadcast_to(model.row_sigma(width), predicted.shape), axis=0)
    table["predicted"], table["predicted_eti90_lb"], table["predicted_eti90_ub"] = median, low, high
    judged = judged.loc[table["id"]]
    table["position"], table["agrees"] = judged["below"].to_numpy(), 1 - judged["violation"].to_numpy()
    table["surprising"] = surprising(judged).to_numpy()
    return table[[*(c for c in table if c not in LAST), *LAST]]


@figure_of(evidence_data)
def plot_evidence(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
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
    panel = Panel("", marks, x=x_axis, y=Axis(limits=ends[::-1], ticks=ticks))
    said = f"{int(inside.sum())} of {len(rows)} values lie in their {interval_name()}"
    title = "Position of the reported values in their posterior predictive distributions"
    return render(Board(title, (panel,), 1, max(1.3, 0.2 * len(counts) + 0.6), 8.2, said), backend)


def position_table(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that have a position, with the ``line`` of their source (0: most figures) and a ``height`` (line ± 0.32)."""
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
    source, fields = case.sources.get(row.source_id), row.selector.fields
    known: dict[str, Any] = {name: "+".join(fields.get(name, ())) for name in SELECTED}
    known |= {"source": source.title if source else "", "reference": source.reference if source else ""}
    known |= {"about": f"{row.selector}" + (f", of: {row.of}" if row.of is not None else "")}
    known |= {"year_from": min(row.years), "year_to": max(row.years)}
    return {name: known[name] if name in known else getattr(row, name) for name in (*DESCRIBED, *LAST)}


COLUMNS = 4
BUNDLES = 40


def calibration_data(found: Calibration) -> pd.DataFrame:
    """Empirical distribution of the positions of each quantity, less the uniform one, beside the ends of its band.

    Parameters
    ----------
    found
        From `reeuncert.calibrate`.

    Returns
    -------
    DataFrame
        kind, group, quantity, year, position (i / simulations), difference, lower, upper, and ``outside``: whether the
        quantity leaves the band anywhere.
    """
    points, lower, upper = band(found.simulations)
    usable = np.flatnonzero(np.isfinite(found.position).all(axis=0))
    ordered = np.sort(found.position[:, usable], axis=0)
    share = np.array([np.searchsorted(v, points, side="right") for v in ordered.T]) / found.simulations
    outside = np.any((share < lower - 1e-12) | (share > upper + 1e-12), axis=1)
    table = found.labels.iloc[np.repeat(usable, points.size)].reset_index(drop=True)
    return table.assign(
        position=np.tile(points, usable.size),
        difference=(share - points).ravel(),
        lower=np.tile(lower - points, usable.size),
        upper=np.tile(upper - points, usable.size),
        outside=np.repeat(outside, points.size),
    )


@figure_of(calibration_data)
def plot_calibration(found: Calibration, *, backend: str = "matplotlib") -> Any:
    """Draw every quantity within the 95 % band of its class, and coverage beside what intervals promise.

    A line above the band on the left and below it on the right belongs to intervals that are too narrow; the other way
    round, to intervals that are too wide; above or below all along, to values that are too high or too low. One line in
    twenty leaves its band by chance.
    """
    table = calibration_data(found)
    panels = [_of_kind(str(kind), rows) for kind, rows in table.groupby("kind", sort=False)]
    title = f"Calibration of {found.case_name}: {found.simulations} simulated truths, {printed(BAND, '.0%')} bands"
    return render(Board(title, (*panels, _coverage(found)), COLUMNS, 2.9, 3.4), backend)


def _of_kind(kind: str, table: pd.DataFrame) -> Panel:
    points = table["position"].nunique()  # the rows of one quantity come one after the other
    count = len(table) // points
    position, difference, outside = (
        table[c].to_numpy().reshape(count, points) for c in ("position", "difference", "outside")
    )
    zero, gap = np.zeros((count, 1)), np.full((count, 1), np.nan)
    x, y = np.hstack([zero, position, zero + 1, gap]), np.hstack([zero, difference, zero, gap])
    out = outside[:, 0].astype(bool)
    lower, upper = (table[c].to_numpy()[:points] for c in ("lower", "upper"))
    marks: list[Mark] = [
        Area(np.r_[position[0], position[0][::-1]], np.r_[upper, lower[::-1]], hue(0), 0.14),
        *_bundled(x[~out], y[~out], "ink", 0.9 if (~out).sum() < 10 else 0.35),
        *_bundled(x[out], y[out], "alert", 0.7),
    ]
    reach = 1.15 * float(table[["upper", "difference"]].abs().to_numpy().max())
    across = Axis("position of the truth in its posterior", (0.0, 1.0))
    title = f"{kind}: {count}, {printed(out.mean(), '.0%')} outside"
    return Panel(title, marks, x=across, y=Axis("distribution − uniform", (-reach, reach)))


def _bundled(x: np.ndarray, y: np.ndarray, colour: str, width: float) -> list[Line]:
    """Lines (line, point) in at most `BUNDLES` marks, which are darker where they overlap."""
    count = min(len(x), BUNDLES)
    opacity = float(np.clip(12 / (count + 1), 0.06, 0.9))
    return [Line(x[k::count].ravel(), y[k::count].ravel(), colour, width, opacity=opacity) for k in range(count)]


def _coverage(found: Calibration) -> Panel:
    table = found.coverage()
    marks: list[Mark] = [Line((0.0, 1.0), (0.0, 1.0), "muted", 1.0, "dash")]
    for k, (row, shift) in enumerate(zip(table.to_dict("records"), np.linspace(-0.02, 0.02, len(table)), strict=True)):
        share, error = (np.array([row[f"{c}{100 * p:.0f}"] for p in COVERAGES]) for c in ("coverage", "error"))
        told = tuple(
            f"{row['kind']}\n{printed(s, '.0%')} of the {printed(p, '.0%')} intervals"
            for s, p in zip(share, COVERAGES, strict=True)
        )
        ends = share - 2 * error, share + 2 * error
        marks.append(Points(str(row["kind"]), np.array(COVERAGES) + shift, share, hue(k), "circle", *ends, hover=told))
    across, up = Axis("probability of the interval", (0.4, 1.02)), Axis("share of truths inside", (0.3, 1.02))
    return Panel("coverage ± 2 Monte Carlo errors", marks, x=across, y=up)
