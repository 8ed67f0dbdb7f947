"""Tables of flows typed by hand, for tests of indicators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from reeuncert.case.records import Case, Constant, Content
from reeuncert.indicators.flows import FlowTable
from reeuncert.system.definition import Flow, Process, SystemDefinition
from reeuncert.testing import flow_dataset, toy_case

Row = tuple[Flow, Sequence[float | None]]


def row(ends: str, quantity: str, product: str, where: str, values: Sequence[float | None], **more: str) -> Row:
    """One flow: ``"from > to"``, ``"origin > destination"`` (or one region), masses by year (None: absent)."""
    source, target = ends.split(" > ")
    origin, *rest = where.split(" > ")
    destination = rest[0] if rest else origin
    name = " ".join([quantity, product, ends, *more.values()])
    return Flow(name, source, target, quantity, product, origin, destination, **{"route": "registered", **more}), values


def table(
    rows: Sequence[Row],
    *,
    products: Sequence[str],
    constants: Sequence[Constant] = (),
    contents: Sequence[Content] = (),
) -> FlowTable:
    """One draw of typed masses, years 1, 2, …; processes whose name starts with a stage have it."""
    masses = np.array([[np.nan if v is None else v for v in values] for _, values in rows], dtype=float)
    years = tuple(range(1, masses.shape[1] + 1))
    flows = tuple(flow for flow, _ in rows)
    names = dict.fromkeys(p for f in flows for p in (f.from_process, f.to_process) if p != "outside")
    system = SystemDefinition(tuple(Process(n, stage=n.split("_")[0]) for n in names), flows, years, "kt")
    case = replace(case_of(system, products, constants), contents={c.name: c for c in contents})
    return FlowTable.from_dataset(flow_dataset(system, masses[None, None]), case)


def case_of(system: SystemDefinition, products: Sequence[str], constants: Sequence[Constant] = ()) -> Case:
    regions = dict.fromkeys(r for f in system.flows for r in (f.origin, f.destination) if r)
    return replace(
        toy_case(2),
        system=system,
        regions=tuple(regions),
        products=tuple(products),
        constants=tuple(constants),
        headlines=(),
    )


def labelled(values: np.ndarray, flow_table: FlowTable, *dims: str) -> xr.DataArray:
    """The single draw of an indicator with labels, dims (*dims, year)."""
    coords = {dim: list(flow_table.labels(dim)) for dim in dims} | {"year": list(flow_table.years)}
    return xr.DataArray(values[0, 0], dims=(*dims, "year"), coords=coords)
