"""A world without trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from reeuncert.counterfactuals.allocate import World
from reeuncert.counterfactuals.rule import Rule, Setting
from reeuncert.counterfactuals.run import Capacity, run_counterfactual
from reeuncert.errors import Problem


@dataclass(frozen=True)
class NoTrade:
    """No trade between regions.

    Parameters
    ----------
    unrecorded
        Whether what crosses without a record stops too.
    """

    unrecorded: bool = True

    def describe(self) -> str:
        return "no trade" if self.unrecorded else "no recorded trade"

    def problems(self, setting: Setting) -> list[Problem]:
        return []

    def apply(self, setting: Setting, world: World) -> World:
        stopped = setting.network.crossing
        if not self.unrecorded:
            stopped = stopped & (setting.attribute("quantity") == "trade")
        return replace(world, limit=np.where(stopped[:, None], 0.0, world.limit))


def no_trade(
    dt: xr.DataTree,
    *,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
    stocks: str = "as_drawn",
    unrecorded: bool = True,
    also: Sequence[Rule] = (),
) -> xr.DataTree:
    """A year without trade: every region relies on domestic mining, limited by the capacity of its plants.

    The thought experiment of Chen et al. 2024 (doi:10.1016/j.oneear.2024.01.011, supplemental figure S27), on every
    draw.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    unrecorded
        Whether smuggling stops too.
    also
        Other rules at the same time, e.g. `AddCapacity`.

    Returns
    -------
    DataTree
        See `run_counterfactual`; `lost_consumption` makes a table of it, `reeuncert.plots.plot_lost_consumption` a
        figure.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> world = no_trade(toy_posterior(draws=20, years=2), year=2002)
    >>> world["counterfactual"]["lost_consumption"].dims
    ('chain', 'draw', 'region', 'product', 'end_use', 'year')
    """
    rules = [NoTrade(unrecorded), *also]
    return run_counterfactual(dt, rules, year=year, capacity=capacity, priority=priority, stocks=stocks)
