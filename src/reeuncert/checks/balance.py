"""Does mass balance hold in every draw? Computed from the flows of the file alone."""

import numpy as np
import xarray as xr

from reeuncert.checks.result import CheckResult, judged
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import OUTSIDE

LARGEST_RESIDUAL = 1e-9


def check(result: Result) -> list[CheckResult]:
    """Largest imbalance relative to throughput over processes, years and draws; and the smallest flow."""
    mass = mass_flow(result.dt).transpose("chain", "draw", "flow", "year")
    worst, where = largest_residual(mass)
    message = f"The largest imbalance over all processes, years and draws is {worst:.2g} of the throughput"
    message += f" (process '{where[0]}', {where[1]})." if where else "."
    remedy = "Flows were changed after sampling, or the file is damaged."
    smallest = float(np.nanmin(mass.values))
    return [
        judged("balance", worst, "<=", LARGEST_RESIDUAL, message, remedy),
        judged(
            "positive flows",
            smallest,
            ">",
            0,
            f"The smallest flow in any draw is {smallest:.3g} {mass.attrs.get('units', '')}".rstrip() + ".",
            "Flows were changed after sampling, or the file is damaged.",
        ),
    ]


def largest_residual(mass: xr.DataArray) -> tuple[float, tuple[str, int] | None]:
    """Largest relative imbalance, with its process and year.

    `mass` has the dims (chain, draw, flow, year) and the coordinates from_process and to_process; it is NaN where a
    flow is absent. A stock (a flow from a process to itself) leaves in its year and enters in the next; if the process
    has no outflow in the next year, the stock leaves the system.
    """
    source, target = mass["from_process"].values.astype(str), mass["to_process"].values.astype(str)
    values, stock = mass.values, source == target
    present = np.isfinite(values[0, 0])
    worst, where = 0.0, None
    for process in sorted({*source, *target} - {OUTSIDE}):
        leaves, enters, keeps = source == process, (target == process) & ~stock, (source == process) & stock
        outflow = np.nansum(values[:, :, leaves], axis=2)
        inflow = np.nansum(values[:, :, enters], axis=2)
        carried = np.nansum(values[:, :, keeps, :-1], axis=2)
        inflow[:, :, 1:] += carried * present[leaves, 1:].any(axis=0)
        through = np.maximum(np.maximum(inflow, outflow), np.finfo(float).tiny)
        residual = np.abs(inflow - outflow) / through
        largest = float(residual.max(initial=0.0)) if np.isfinite(residual).all() else np.inf
        if largest > worst:
            year = int(np.unravel_index(residual.argmax(), residual.shape)[2])
            worst, where = largest, (process, int(mass["year"].values[year]))
    return worst, where
