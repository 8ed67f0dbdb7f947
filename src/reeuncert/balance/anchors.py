"""Inputs parametrised by the mass of an outflow.

If the output of a mine is known and its losses are not, the posterior in the coordinates (log input, log-ratio of the
loss) lies along a curved ridge. With the delivered mass as the coordinate it does not. The input is then log b =
log x_delivered − log φ_delivered; this change of coordinates has determinant one, so densities need no further term.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.grouping import Edges
from reeuncert.errors import ModelError
from reeuncert.system.definition import SystemDefinition
from reeuncert.system.graph import BEYOND


@dataclass(frozen=True)
class Anchors:
    """Coordinates of inputs that hold the mass of an outflow.

    Parameters
    ----------
    position
        Coordinate of each such input, shape (n,).
    delivered
        Coordinate of the share of the flow that is stated, shape (n,); ``n_coordinates`` where it is the reference.
    outflows
        Coordinates of all outflows of its process, shape (n, most outflows): ``n_coordinates`` for the reference,
        ``n_coordinates + 1`` for no flow.
    """

    position: NDArray[np.int64]
    delivered: NDArray[np.int64]
    outflows: NDArray[np.int64]

    def to_inputs(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coordinates with logs of inputs instead of logs of delivered masses, shape (..., n_coordinates)."""
        if not self.position.size:
            return u
        ends = np.broadcast_to([0.0, -np.inf], (*u.shape[:-1], 2))
        padded = np.concatenate([u, ends], axis=-1)
        out = u.copy()
        ratios = padded[..., self.outflows]
        top = ratios.max(axis=-1)
        total = top + np.log(np.exp(ratios - top[..., None]).sum(axis=-1))
        out[..., self.position] += total - padded[..., self.delivered]
        return out


def anchors_of(
    system: SystemDefinition, edges: Edges, coordinate: Sequence[int], delivered: Mapping[str, str]
) -> Anchors:
    """Find the inputs parametrised by an outflow. ``delivered``: name of a flow from outside → name of the outflow by
    which it is stated. Its process must have no other inflow, and the outflow must exist in every year of the input.
    """
    n = sum(1 for k in coordinate if k >= 0)
    leaving: dict[int, list[int]] = {}
    entering: dict[int, list[int]] = {}
    for k, (source, target) in enumerate(zip(edges.source, edges.target, strict=True)):
        leaving.setdefault(source, []).append(k)
        entering.setdefault(target, []).append(k)
    position, chosen, outflows = [], [], []
    for k, name in enumerate(edges.name):
        if edges.source[k] != BEYOND or name not in delivered:
            continue
        year, node = system.years[edges.year[k]], edges.target[k]
        out = leaving.get(node, [])
        match = [e for e in out if edges.name[e] == delivered[name]]
        if not match or len(entering[node]) != 1:
            raise ModelError(
                f"the input '{name}' is stated by the mass of '{delivered[name]}', which needs a process that takes in "
                f"'{name}' alone and delivers '{delivered[name]}'; in {year} it does not"
            )
        position.append(coordinate[k])
        chosen.append(coordinate[match[0]] if coordinate[match[0]] >= 0 else n)
        outflows.append([coordinate[e] if coordinate[e] >= 0 else n for e in out])
    most = max((len(row) for row in outflows), default=0)
    padded = [row + [n + 1] * (most - len(row)) for row in outflows]
    return Anchors(
        np.array(position, dtype=np.int64),
        np.array(chosen, dtype=np.int64),
        np.array(padded, dtype=np.int64).reshape(len(padded), most),
    )
