"""Supply flows reduced by a factor: tariffs, quotas, a mine accident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from reeuncert.counterfactuals.allocate import World
from reeuncert.counterfactuals.rule import Setting, problem
from reeuncert.counterfactuals.run import Capacity, run_counterfactual
from reeuncert.errors import Problem
from reeuncert.indicators.flows import Mask
from reeuncert.system.definition import FLOW_FIELDS, Selector
from reeuncert.words.cells import listed, unknown

_WHERE = "reduction"


@dataclass(frozen=True)
class Reduce:
    """Limit selected flows to a fraction of their drawn value.

    Parameters
    ----------
    factor
        Part that is left, 0 to 1.
    where
        Attribute of flows → allowed values joined by ``+``, e.g. ``{"quantity": "trade", "origin": "North"}``.
    """

    factor: float
    where: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        return f"{100 * self.factor:.4g} % of {', '.join(f'{k} = {v}' for k, v in self.where.items())}"

    def problems(self, setting: Setting) -> list[Problem]:
        found = []
        if isinstance(self.factor, bool) or not isinstance(self.factor, int | float) or not 0 <= self.factor <= 1:
            says = f"{self.factor!r} is no factor; give the remaining fraction, from 0 (nothing) to 1 (all)"
            found.append(problem(_WHERE, "factor", says))
        if not self.where:
            says = f"say which flows are reduced, by one or more of {listed(FLOW_FIELDS)}"
            return [*found, problem(_WHERE, "where", says)]
        wrong = [name for name in self.where if name not in FLOW_FIELDS]
        found += [problem(_WHERE, name, unknown(name, FLOW_FIELDS, "attribute")) for name in wrong]
        for name, values in Selector.of(**{k: v for k, v in self.where.items() if k not in wrong}).fields.items():
            held = tuple(dict.fromkeys(v for v in setting.table.attributes[name].tolist() if v))
            found += [problem(_WHERE, name, unknown(v, held, name)) for v in values if v not in held]
        if found:
            return found
        chosen = self._chosen(setting)
        if not chosen.any():
            chosen_by = Selector.of(**self.where)
            says = f"no flow of {setting.year} has {chosen_by}; choose flows of that year that are no stock"
            return [problem(_WHERE, "where", says)]
        network = setting.network
        no_supply = chosen & (network.wanted() | network.lost | network.opening)
        no_supply |= chosen & (setting.attribute("quantity") == "apparent_consumption")
        if no_supply.any():
            names = listed(setting.attribute("flow")[no_supply].tolist())
            says = (
                f"{names} cannot be reduced: they are consumption, loss or stock, which follow from supply; "
                "choose ore, production, feed, sales or trade"
            )
            return [problem(_WHERE, "where", says)]
        return []

    def _chosen(self, setting: Setting) -> Mask:
        fields = Selector.of(**self.where).fields
        return np.asarray(setting.table.where(**fields)[setting.network.flows])

    def apply(self, setting: Setting, world: World) -> World:
        cut = np.minimum(world.limit, self.factor * world.mass)
        return replace(world, limit=np.where(self._chosen(setting)[:, None], cut, world.limit))


def reduce_flows(
    dt: xr.DataTree,
    factor: float,
    *,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
    stocks: str = "as_drawn",
    **where: str,
) -> xr.DataTree:
    """A year in which selected flows are reduced: effect of a tariff, a quota, a mine accident.

    Prices are not modelled: the user states the effect of a tariff on a flow.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    factor
        Part that is left, 0 to 1.
    **where
        Attributes of the flows: ``quantity``, ``product``, ``origin``, ``destination``, ``route``, ``flow``,
        …; alternatives are joined by ``+``.

    Raises
    ------
    InputError
        If the factor is out of range, or the flows do not exist or are not supply.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = toy_posterior(draws=20, years=2)
    >>> reduce_flows(dt, 0.5, quantity="trade", origin="North", product="powder+alloy").attrs["counterfactual"]
    '50 % of quantity = trade, origin = North, product = powder+alloy'
    """
    return run_counterfactual(
        dt, [Reduce(factor, where)], year=year, capacity=capacity, priority=priority, stocks=stocks
    )
