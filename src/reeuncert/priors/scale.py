"""The scale on which a sampler moves: shares and bounded inputs, stretched so that no side is a wall.

A Dirichlet share with a concentration of 0.03 has a log-ratio with a tail of scale 33 to the left and of scale 1/3 to
the right; a uniform input ends abruptly. One step size fits neither. Both become nearly logistic as monotone functions
of a free coordinate, whose derivative joins the density, so that nothing changes but the speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.priors.subjects import DIRICHLET, outflows, subjects
from reeuncert.system.definition import OUTSIDE


@dataclass(frozen=True)
class CoordinateScale:
    """Monotone functions u(z), one a coordinate; the identity where nothing is stretched.

    Parameters
    ----------
    stretched, left, right
        Positions of the coordinates with u = softplus(z) / right − softplus(−z) / left, and the rates of their tails.
    bounded, low, high
        Positions of the logs of masses between two bounds: u = log(low + (high − low) · expit(z)).
    """

    stretched: NDArray[np.int64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    bounded: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, case: Case, network: Network) -> CoordinateScale:
        """The scale for a priors table; every coordinate is its own under the measure ``mass``."""
        stretched: dict[int, tuple[float, float]] = {}
        bounded: dict[int, tuple[float, float]] = {}
        if case.prior_measure == "shares":
            found = subjects(case, network, case.priors)
            weight = {s.edges[0]: s.prior.a for s in found if s.prior.family == DIRICHLET}
            for (process, _), edges in outflows(network).items():
                for e in edges:
                    k = network.coordinate_index(*_place(network, e))
                    if process != OUTSIDE and k >= 0 and e in weight:
                        stretched[k] = (weight[e], sum(weight[f] for f in edges) - weight[e])
            for subject in found:
                if subject.prior.family == "uniform":
                    k = network.coordinate_index(*_place(network, subject.edges[0]))
                    bounded[k] = (subject.prior.a, subject.prior.b)
        left, right = np.array(list(stretched.values()), dtype=np.float64).reshape(-1, 2).T
        low, high = np.array(list(bounded.values()), dtype=np.float64).reshape(-1, 2).T
        return cls(
            np.array(list(stretched), dtype=np.int64), left, right, np.array(list(bounded), dtype=np.int64), low, high
        )

    def apply(self, z: TensorVariable) -> tuple[TensorVariable, TensorVariable]:
        """Coordinates u (coordinate) and Σ log du/dz (scalar) from free coordinates z (coordinate)."""
        u, log_volume = z, pt.zeros(())
        if self.stretched.size:
            part = z[self.stretched]
            value = pt.softplus(part) / self.right - pt.softplus(-part) / self.left
            u = pt.set_subtensor(u[self.stretched], value)
            log_volume += pt.log(pt.expit(part) / self.right + pt.expit(-part) / self.left).sum()
        if self.bounded.size:
            part = z[self.bounded]
            mass = self.low + (self.high - self.low) * pt.expit(part)
            u = pt.set_subtensor(u[self.bounded], pt.log(mass))
            log_volume += (np.log(self.high - self.low) - pt.softplus(part) - pt.softplus(-part) - pt.log(mass)).sum()
        return u, log_volume

    def invert(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Free coordinates z from coordinates u (coordinate); masses on a bound or beyond it are moved inside."""
        z = np.array(u, dtype=np.float64)
        z[self.stretched] = _inverse_stretch(z[self.stretched], self.left, self.right)
        part = np.clip((np.exp(z[self.bounded]) - self.low) / (self.high - self.low), 1e-3, 1 - 1e-3)
        z[self.bounded] = np.log(part / (1 - part))
        return z


def _place(network: Network, edge: int) -> tuple[str, int]:
    return network.system.flows[network.edge_flow[edge]].name, network.system.years[network.edge_year[edge]]


def _inverse_stretch(
    u: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve u = softplus(z) / right − softplus(−z) / left by bisection; it is monotone, with straight asymptotes."""
    reach = np.abs(u) * np.maximum(left, right) + np.log(2) * (1 + np.maximum(left / right, right / left))
    lower, upper = -reach, reach
    for _ in range(200):
        middle = (lower + upper) / 2
        above = np.logaddexp(0, middle) / right - np.logaddexp(0, -middle) / left > u
        lower, upper = np.where(above, lower, middle), np.where(above, middle, upper)
    return np.asarray((lower + upper) / 2)
