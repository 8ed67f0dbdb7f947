"""A synthetic twin of a case: one simulated truth with known hidden flows, and its fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.calibration.quantities import FLOW, HEADLINE, UNRECORDED, quantities, truth_as_draws
from reeuncert.calibration.simulate import Truth
from reeuncert.case.records import Case

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

    def key(self) -> pd.DataFrame:
        """Main rows: headlines, mining, and every unrecorded flow, all years."""
        return key_rows(self.table)

    def __repr__(self) -> str:
        return f"Recovery of a twin of {self.truth.case.name}\n{self.summary.to_string(index=False)}"


def recovery_table(
    truth: Truth, posterior: xr.Dataset, case: Case, indicators: Sequence[str] | None = None
) -> pd.DataFrame:
    """Truth, median and interval of every flow, total over the years and indicator."""
    labels, values = quantities(posterior, case, indicators)
    _, true = quantities(truth_as_draws(truth, posterior), case, indicators)
    totals, sums = _totals(labels, values)
    labels, values = pd.concat([totals, labels], ignore_index=True), np.concatenate([sums, values], axis=2)
    true = np.concatenate([_totals(labels.iloc[len(totals) :].reset_index(drop=True), true)[1], true], axis=2)[0, 0]
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


def key_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Headlines, and totals over the years of mining and of unrecorded trade.

    Parameters
    ----------
    table
        From `recovery_table`.
    """
    totals = table["kind"].str.endswith(ALL_YEARS) & table["group"].isin(("mine_production", "unrecorded_trade"))
    columns = ["kind", "quantity", "year", "truth", "median", "eti90_lb", "eti90_ub", "covered"]
    return table.loc[totals | (table["kind"] == HEADLINE), columns].reset_index(drop=True)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage and error by kind of quantity."""
    rows = [
        {
            "kind": kind,
            "quantities": len(part),
            "coverage90": float(part["covered"].mean()),
            "median_error": float(part["error"].abs().median()),
            "error90": float(part["error"].abs().quantile(0.9)),
        }
        for kind, part in table.groupby("kind", sort=False)
    ]
    return pd.DataFrame(rows)


def _totals(labels: pd.DataFrame, values: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Each flow summed over its years."""
    flows = labels[labels["kind"].isin((FLOW, UNRECORDED))]
    rows, sums = [], []
    for (kind, group, name), part in flows.groupby(["kind", "group", "quantity"], sort=False):
        rows.append((f"{kind}{ALL_YEARS}", group, name, 0))
        sums.append(values[:, :, part.index.to_numpy()].sum(axis=2))
    return pd.DataFrame(rows, columns=["kind", "group", "quantity", "year"]), np.stack(sums, axis=2)
