"""Export stop from one region to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from reeuncert.counterfactuals.allocate import World
from reeuncert.counterfactuals.rule import Setting, label_problem, problem
from reeuncert.counterfactuals.run import Capacity, run_counterfactual
from reeuncert.errors import Problem
from reeuncert.indicators.flows import Mask
from reeuncert.words.cells import unknown

_WHERE = "export stop"


@dataclass(frozen=True)
class ExportStop:
    """No exports from one region to another.

    Parameters
    ----------
    origin, destination
        Regions.
    products
        What is stopped; everything by default.
    unrecorded
        Whether what crosses without a record stops too.
    """

    origin: str
    destination: str
    products: Sequence[str] = ()
    unrecorded: bool = True

    def describe(self) -> str:
        what = f" of {', '.join(self.products)}" if self.products else ""
        record = "" if self.unrecorded else " recorded"
        return f"no{record} exports{what} from {self.origin} to {self.destination}"

    def problems(self, setting: Setting) -> list[Problem]:
        table = setting.table
        found = label_problem(_WHERE, "origin", self.origin, table.regions, "region")
        found += label_problem(_WHERE, "destination", self.destination, table.regions, "region")
        if isinstance(self.products, str):
            says = f"'{self.products}' is a text; give a list of products: ['{self.products}']"
            return [*found, problem(_WHERE, "products", says)]
        found += [
            problem(_WHERE, "products", unknown(str(p), table.products, "product"))
            for p in self.products
            if p not in table.products
        ]
        if not found and self.origin == self.destination:
            says = f"'{self.origin}' is the origin too; exports go to another region"
            found.append(problem(_WHERE, "destination", says))
        return found

    def _stopped(self, setting: Setting) -> Mask:
        stopped = setting.network.crossing & (setting.attribute("origin") == self.origin)
        stopped &= setting.attribute("destination") == self.destination
        if self.products:
            stopped &= np.isin(setting.attribute("product"), list(self.products))
        if not self.unrecorded:
            stopped &= setting.attribute("quantity") == "trade"
        return stopped

    def apply(self, setting: Setting, world: World) -> World:
        return replace(world, limit=np.where(self._stopped(setting)[:, None], 0.0, world.limit))


def export_stop(
    dt: xr.DataTree,
    origin: str,
    destination: str,
    *,
    products: Sequence[str] = (),
    unrecorded: bool = True,
    year: int | None = None,
    capacity: Capacity = "highest",
    priority: Sequence[str] = (),
    stocks: str = "as_drawn",
) -> xr.DataTree:
    """A year in which one region exports nothing to another, other trade is as drawn.

    No substitution of trade: third regions sell no more to the importer than before, and the exporter finds no other
    buyers and produces less. A pair without trade loses nothing.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    origin, destination
        Regions.
    products
        What is stopped; everything by default.
    unrecorded
        Whether smuggling stops too.

    Raises
    ------
    InputError
        If a region or product is not known.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> world = export_stop(toy_posterior(draws=20, years=2), "North", "South", products=["powder"])
    >>> world.attrs["counterfactual"], world.attrs["counterfactual_year"]
    ('no exports of powder from North to South', 2002)
    """
    rule = ExportStop(origin, destination, products, unrecorded)
    return run_counterfactual(dt, [rule], year=year, capacity=capacity, priority=priority, stocks=stocks)
