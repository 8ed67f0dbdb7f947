"""A simulated truth of a case, and the figures that its sources would report of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reeuncert.calibration.figures import draw_offsets, draw_widths, mass_by_name, simulated_row, statements
from reeuncert.calibration.flows import simulate_flows
from reeuncert.case.records import Case


@dataclass(frozen=True, eq=False)
class Truth:
    """One truth drawn from the priors of a case, with its reported figures: flows (flow, year) in the unit of the case,
    NaN where a flow does not exist; width of each source with a learned width, by ``"lineage (class)"``; value of each
    offset that a row names, by name, or name and year; and the case with the simulated figures for the reported ones.
    """

    mass_flow: NDArray[np.float64]
    source_width: Mapping[str, float]
    log_offset: Mapping[str, float]
    case: Case

    def as_draws(self) -> xr.Dataset:
        """The flows as a posterior of one draw: ``mass_flow`` (chain, draw, flow, year) with their labels."""
        system = self.case.system
        labels = {"flow": [flow.name for flow in system.flows], "year": list(system.years)}
        values = self.mass_flow[None, None]
        array = xr.DataArray(values, dims=("chain", "draw", "flow", "year"), coords=labels)
        return xr.Dataset({"mass_flow": array})


def simulate(case: Case, *, seed: int = 0) -> Truth:
    """Draw a truth from the priors of a case, and report it as its sources would.

    This code is independent of the model: paths, shares, balance, row sums and errors are implemented a second time, as
    simply as possible, so that a fit tests the model against other code.

    Parameters
    ----------
    case
        Its priors are on coordinates (``prior_measure = "coordinates"``).
    seed
        The same seed gives the same truth.

    Returns
    -------
    Truth

    Raises
    ------
    ModelError
        When the priors cannot be simulated forward.
    """
    return next(simulations(case, 1, seed=seed))


def simulations(case: Case, count: int, *, seed: int = 0) -> Iterator[Truth]:
    """Independent truths; the first ones are the same whatever the count."""
    said = statements(case)
    for stream in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(stream)
        flows = simulate_flows(case, 1, rng)[0]
        mass = mass_by_name(case, flows)
        widths = draw_widths(case, said, rng)
        offsets = draw_offsets(case, said, rng)
        reported = {s.row.id: simulated_row(s, case, mass, widths, offsets, rng) for s in said}
        evidence = tuple(reported.get(row.id, row) for row in case.evidence)
        named = {
            f"{name} {year}" if year else name: value for name, by in offsets.items() for year, value in by.items()
        }
        yield Truth(flows, widths, named, replace(case, evidence=evidence))
