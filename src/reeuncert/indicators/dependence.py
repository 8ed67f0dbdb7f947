"""Dependence of one region on another in trade: imports, exports, and both directions of a pair."""

from __future__ import annotations

from collections.abc import Sequence

from reeuncert.indicators.flows import ALL, Array, FlowTable, ratio
from reeuncert.indicators.registry import indicator
from reeuncert.indicators.trade import (
    ALL_ARRIVALS,
    CHEN,
    RECORDED_ARRIVALS,
    exports_of,
    imports_of,
)


def import_dependence(from_partner: Array, from_all: Array) -> Array:
    """Imports from one partner over all imports, gross flows; NaN where nothing is imported.

    Examples
    --------
    >>> import numpy as np
    >>> import_dependence(np.array([6.0, 0.0]), np.array([8.0, 0.0]))
    array([0.75,  nan])
    """
    return ratio(from_partner, from_all)


def export_dependence(to_partner: Array, to_all: Array) -> Array:
    """Exports to one partner over all exports, gross flows; NaN where nothing is exported."""
    return ratio(to_partner, to_all)


def _imports(table: FlowTable, quantities: Sequence[str]) -> Array:
    part = table.over("region", "partner", "product", of=lambda r, p, k: imports_of(table, r, k, [p], quantities))
    whole = table.over("region", "product", of=lambda r, k: imports_of(table, r, k, quantities=quantities))
    return import_dependence(part, whole[:, :, :, None])


@indicator(
    "import_dependence",
    title="Import dependence, recorded",
    unit="1",
    dims=("region", "partner", "product"),
    reference=CHEN,
)
def _recorded(table: FlowTable) -> Array:
    return _imports(table, RECORDED_ARRIVALS)


@indicator(
    "import_dependence_with_unrecorded",
    title="Import dependence, with unrecorded",
    unit="1",
    dims=("region", "partner", "product"),
    reference=CHEN,
)
def _with_unrecorded(table: FlowTable) -> Array:
    return _imports(table, ALL_ARRIVALS)


@indicator(
    "export_dependence",
    title="Export dependence over all products, recorded",
    unit="1",
    dims=("region", "partner"),
    cumulated=True,
    reference=CHEN,
)
def _exports(table: FlowTable) -> Array:
    part = table.over("region", "partner", of=lambda r, p: exports_of(table, r, ALL, [p]))
    return export_dependence(part, table.over("region", of=lambda r: exports_of(table, r, ALL))[:, :, :, None])


@indicator(
    "interdependence",
    title="Import dependence over all products, both directions of a pair",
    unit="1",
    dims=("region", "partner"),
    reference=CHEN,
)
def _both_directions(table: FlowTable) -> Array:
    part = table.over("region", "partner", of=lambda r, p: imports_of(table, r, ALL, [p]))
    return import_dependence(part, table.over("region", of=lambda r: imports_of(table, r, ALL))[:, :, :, None])
