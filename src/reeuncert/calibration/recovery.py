"""A synthetic twin of a case: one simulated truth with known hidden flows, and its fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.calibration.simulate import Truth
from reeuncert.case.records import Case
from reeuncert.indicators.compute import indicators_of
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.printing import headline_place
from reeuncert.inference.layout import MASS_FLOW

FLOW, UNRECORDED, WIDTH = "flows", "unrecorded flows", "source widths"
OFFSET, INDICATOR, HEADLINE = "offsets", "indicators", "headlines"
"""Classes of quantities, in the order of the tables."""

UNREGISTERED = "unregistered"
UNRECORDED_ROLES = ("unrecorded_trade", "declared", "undeclared")


def quantities(draws: xr.Dataset, case: Case, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, Array]:
    """Every quantity of interest of some draws, as columns.

    The draws hold ``mass_flow`` (chain, draw, flow, year) and, where the model has them, ``source_width`` and
    ``log_offset``. Returns a row of labels per quantity (kind, group: role of the flow, source, offset or indicator;
    quantity, year), and the values (chain, draw, quantity).
    """
    parts = [_flows(draws, case)]
    for kind, name in ((WIDTH, "source_width"), (OFFSET, "log_offset")):
        if name in draws:
            array = draws[name].transpose("chain", "draw", ...)
            wanted = [str(label) for label in array[array.dims[2]].values]
            labels = pd.DataFrame({"kind": kind, "group": wanted, "quantity": wanted, "year": 0})
            parts.append((labels, array.values))
    parts.append(_indicators(indicators_of(FlowTable.from_dataset(draws, case), names), case))
    every, values = zip(*parts, strict=True)
    return pd.concat(every, ignore_index=True), np.concatenate(values, axis=2)


def truth_as_draws(truth: Truth, posterior: xr.Dataset) -> xr.Dataset:
    """A truth as a posterior of one draw, with the same widths and offsets as the posterior, then the contents of
    elements that no evidence is about.
    """
    found = truth.as_draws()
    for name, dim, drawn in (
        ("source_width", "source_group", truth.source_width),
        ("log_offset", "offset_value", truth.log_offset),
    ):
        there = [str(label) for label in posterior[dim].values] if name in posterior else []
        # Widths that are not learned are constants of the model.
        labels = there if name == "source_width" else list(dict.fromkeys([*there, *drawn]))
        if labels:
            values = np.array([drawn.get(label, np.nan) for label in labels])
            found[name] = xr.DataArray(values[None, None], dims=("chain", "draw", dim), coords={dim: labels})
    return found


def true_quantities(
    truth: Truth, posterior: xr.Dataset, case: Case, names: Sequence[str] | None = None
) -> tuple[pd.DataFrame, Array]:
    """`quantities` of a truth: those of the posterior, in their order."""
    labels, values = quantities(truth_as_draws(truth, posterior), case, names)
    held = posterior["offset_value"].values if "log_offset" in posterior else ()
    kept = ((labels["kind"] != OFFSET) | labels["quantity"].isin(held)).to_numpy()
    return labels[kept].reset_index(drop=True), values[:, :, kept]


def _flows(draws: xr.Dataset, case: Case) -> tuple[pd.DataFrame, Array]:
    there = np.argwhere(case.system.exists)
    rows = []
    for i, t in there:
        flow = case.system.flows[i]
        hidden = flow.route == UNREGISTERED or flow.quantity in UNRECORDED_ROLES
        rows.append((UNRECORDED if hidden else FLOW, flow.quantity, flow.name, case.system.years[t]))
    mass = draws[MASS_FLOW].transpose("chain", "draw", "flow", "year").values
    return pd.DataFrame(rows, columns=["kind", "group", "quantity", "year"]), mass[:, :, there[:, 0], there[:, 1]]


def _indicators(found: xr.Dataset, case: Case) -> tuple[pd.DataFrame, Array]:
    headlines = _headline_cells(found, case)
    rows: list[tuple[str, str, str, int]] = []
    columns = []
    for name, variable in found.data_vars.items():
        array = variable.transpose("chain", "draw", ..., "year")
        dims = array.dims[2:]
        columns.append(array.values.reshape(*array.shape[:2], -1))
        for index in np.ndindex(array.shape[2:]):
            cell = tuple(array[d].values[k] for d, k in zip(dims, index, strict=True))
            where = " ".join(str(label) for label in cell[:-1])
            kind = HEADLINE if (name, *cell) in headlines else INDICATOR
            rows.append((kind, str(name), f"{name} {where}".strip(), int(cell[-1])))
    labels = pd.DataFrame(rows, columns=["kind", "group", "quantity", "year"])
    return labels, np.concatenate(columns, axis=2)


def _headline_cells(found: xr.Dataset, case: Case) -> set[tuple[object, ...]]:
    """Cells of the headline indicators; years outside the case are left out."""
    cells: set[tuple[object, ...]] = set()
    years = found["year"].values.tolist()
    for headline in case.headlines:
        if headline.indicator not in found:
            continue
        name, labels, year = headline_place(headline, case, years)
        dims = found[name].dims[2:-1]
        if year in case.system.years and all(labels[str(d)] in found[d].values for d in dims):
            cells.add((name, *(labels[str(d)] for d in dims), year))
    return cells


ALL_YEARS = ", all years"
"""Suffix of the kind of flows summed over their years; their year is 0."""

PROBABILITY = 0.9


@dataclass(frozen=True, eq=False)
class Recovery:
    """Fit of one simulated truth.

    Parameters
    ----------
    table
        One row a quantity: kind, group, quantity, year, truth, median, eti90_lb, eti90_ub, error (log of median over
        truth; the plain difference where one of them is not above zero), covered.
    summary
        One row a kind: quantities, coverage of the 90 % intervals, median and 90 % quantile of the absolute error.
    truth
        The simulated truth.
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    truth: Truth

    def __repr__(self) -> str:
        return f"Recovery of a twin of {self.truth.case.name}\n{self.summary.to_string(index=False)}"


def recovery_table(
    truth: Truth, posterior: xr.Dataset, case: Case, indicators: Sequence[str] | None = None
) -> pd.DataFrame:
    """Truth, median and interval of every flow, total over the years and indicator."""
    labels, values = _with_totals(*quantities(posterior, case, indicators))
    true = _with_totals(*true_quantities(truth, posterior, case, indicators))[1][0, 0]
    flat = values.reshape(-1, values.shape[2])
    usable = np.isfinite(true) & np.isfinite(flat).all(axis=0)
    labels, true, flat = labels[usable].reset_index(drop=True), true[usable], flat[:, usable]
    lower, median, upper = np.quantile(flat, [(1 - PROBABILITY) / 2, 0.5, (1 + PROBABILITY) / 2], axis=0)
    positive = (true > 0) & (median > 0)
    error = median - true
    error[positive] = np.log(median[positive] / true[positive])
    # A share that is one by definition is constant up to rounding: not counted.
    uncertain = upper - lower > 1e-9 * np.abs(true)
    columns = {"truth": true, "median": median, "eti90_lb": lower, "eti90_ub": upper, "error": error}
    table = labels.assign(**columns, covered=(lower <= true) & (true <= upper))
    return table[uncertain].reset_index(drop=True)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage and error by kind of quantity."""
    kinds = table.assign(error=table["error"].abs()).groupby("kind", sort=False)
    error = {"median_error": ("error", "median"), "error90": ("error", lambda of: of.quantile(0.9))}
    return kinds.agg(quantities=("error", "size"), coverage90=("covered", "mean"), **error).reset_index()


def _with_totals(labels: pd.DataFrame, values: Array) -> tuple[pd.DataFrame, Array]:
    """`quantities`, after each flow summed over its years."""
    flows = labels[labels["kind"].isin((FLOW, UNRECORDED))]
    rows, sums = [], []
    for (kind, group, name), part in flows.groupby(["kind", "group", "quantity"], sort=False):
        rows.append((f"{kind}{ALL_YEARS}", group, name, 0))
        sums.append(values[:, :, part.index.to_numpy()].sum(axis=2))
    totals = pd.DataFrame(rows, columns=labels.columns)
    return pd.concat([totals, labels], ignore_index=True), np.concatenate([np.stack(sums, axis=2), values], axis=2)
