"""New capacity of a mine or plant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from reeuncert.counterfactuals.allocate import World
from reeuncert.counterfactuals.rule import REGISTERED, Setting, output_share, plant_problems, problem
from reeuncert.counterfactuals.run import Capacity, run_counterfactual
from reeuncert.errors import Problem

_WHERE = "new capacity"


@dataclass(frozen=True)
class AddCapacity:
    """Additional capacity of an existing process of a region, with the recovery of the draw.

    Parameters
    ----------
    region, stage
        Region and stage (``"mining"``, ``"separation"``, …).
    quantity
        Output per year at full supply and demand, in the unit of the case.
    route
        ``"registered"`` or ``"unregistered"``.
    """

    region: str
    stage: str
    quantity: float
    route: str = REGISTERED

    def describe(self) -> str:
        return f"{self.quantity:.4g} {{unit}} more capacity in {self.region} ({self.stage})"

    def problems(self, setting: Setting) -> list[Problem]:
        found = plant_problems(_WHERE, setting, self.region, self.stage, self.route)
        value = self.quantity
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
            says = f"{value!r} is no capacity; a capacity is a mass of zero or more"
            found.append(problem(_WHERE, "quantity", says))
        return found

    def apply(self, setting: Setting, world: World) -> World:
        plants = setting.plants(self.region, self.stage, self.route)
        share = output_share(setting.network, world.mass)
        capacity, extra = world.capacity.copy(), world.extra.copy()
        j = int(np.flatnonzero(plants)[0])  # the first of several equal processes
        capacity[j] += self.quantity / share[j]
        extra[j] += self.quantity / share[j]
        return replace(world, capacity=capacity, extra=extra)


def add_capacity(
    dt: xr.DataTree,
    region: str,
    stage: str,
    quantity: float,
    *,
    route: str = REGISTERED,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
    stocks: str = "as_drawn",
) -> xr.DataTree:
    """A year with one more mine or plant: its output is bought first and replaces imports.

    With trade, consumption does not change; look at flows and indicators of the result. For the effect without trade,
    pass ``also=[AddCapacity(…)]`` to `no_trade`.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    region, stage, quantity, route
        See `AddCapacity`.

    Raises
    ------
    InputError
        If the region has no such process in the year, or the quantity is negative.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> add_capacity(toy_posterior(draws=20, years=2), "South", "mining", 5.0).attrs["counterfactual"]
    '5 kt more capacity in South (mining)'
    """
    rule = AddCapacity(region, stage, quantity, route)
    return run_counterfactual(dt, [rule], year=year, capacity=capacity, priority=priority, stocks=stocks)
