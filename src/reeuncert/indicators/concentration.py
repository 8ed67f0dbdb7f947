"""Concentration of suppliers."""

from __future__ import annotations

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import imports_of


def herfindahl_hirschman(masses: Array, axis: int = 0) -> Array:
    """Sum of squared shares of the origins: 1 for a single supplier, 1/n for n equal ones; NaN where there is none.

    Absent origins (NaN) supply nothing. An aggregate region counts as one supplier, so the index is an upper bound if
    its suppliers compete.

    Examples
    --------
    >>> float(herfindahl_hirschman(np.array([3.0, 1.0, np.nan])))
    0.625
    """
    total = np.nansum(masses, axis=axis, keepdims=True)
    shares = ratio(masses, total)
    return np.where(total.squeeze(axis) > 0, np.nansum(shares**2, axis=axis), np.nan)


@indicator(
    "supplier_concentration",
    title="Concentration of suppliers (Herfindahl-Hirschman index of import origins)",
    unit="1",
    dims=("region", "product"),
    percent=False,
    reference="Thomas, Nassar & DeYoung 2022, Mineral Economics 35, doi 10.1007/s13563-021-00291-2",
)
def _of_flows(table: FlowTable) -> Array:
    def of_region(region: str, label: str) -> Array:
        return herfindahl_hirschman(np.stack([imports_of(table, region, label, [p]) for p in table.regions]))

    return table.over("region", "product", of=of_region)
