"""Rules of a counterfactual; to add one: a class, and its import in `counterfactuals/__init__.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reeuncert.counterfactuals.network import Setting, World, is_number, no_mass, not_known, problem
from reeuncert.errors import Problem
from reeuncert.indicators.flows import Array, Mask
from reeuncert.system.definition import FLOW_FIELDS, Selector
from reeuncert.words.cells import listed, unknown
from reeuncert.words.estimates import printed

_STOP, _REDUCTION, _CAPACITY = "export stop", "reduction", "new capacity"


@dataclass(frozen=True)
class NoTrade:
    """No trade between regions, recorded or not: each relies on its own mines, within the capacity of its plants.

    The thought experiment of Chen et al. 2024 (doi:10.1016/j.oneear.2024.01.011, supplemental figure S27).

    Examples
    --------
    >>> import reeuncert as ree
    >>> from reeuncert.testing import toy_posterior
    >>> world = ree.run_counterfactual(toy_posterior(draws=20, years=2), NoTrade(), year=2002)
    >>> world["counterfactual"]["lost_consumption"].dims
    ('chain', 'draw', 'region', 'product', 'end_use', 'year')
    """

    def describe(self) -> str:
        return "no trade"

    def problems(self, setting: Setting) -> list[Problem]:
        return []

    def apply(self, setting: Setting, world: World) -> World:
        return _limited(world, setting.network.crossing, 0.0)


def _limited(world: World, chosen: Mask, most: float | Array) -> World:
    """The world with an upper limit of some flows (flow of the network,)."""
    return replace(world, limit=np.where(chosen[:, None], np.minimum(world.limit, most), world.limit))


@dataclass(frozen=True)
class ExportStop:
    """No exports from one region to another, recorded or not; other trade is as drawn.

    No substitution of trade: third regions sell no more to the importer than before, and the exporter finds no other
    buyers and produces less. A pair without trade loses nothing.

    Parameters
    ----------
    origin, destination
        Regions.
    products
        What is stopped; everything by default.

    Examples
    --------
    >>> ExportStop("North", "South", products=["powder"]).describe()
    'no exports of powder from North to South'
    """

    origin: str
    destination: str
    products: Sequence[str] = ()

    def describe(self) -> str:
        what = f" of {', '.join(self.products)}" if self.products else ""
        return f"no exports{what} from {self.origin} to {self.destination}"

    def problems(self, setting: Setting) -> list[Problem]:
        table = setting.table
        found = not_known(_STOP, "origin", self.origin, table.regions, "region")
        found += not_known(_STOP, "destination", self.destination, table.regions, "region")
        if isinstance(self.products, str):
            says = f"'{self.products}' is a text; give a list of products: ['{self.products}']"
            return [*found, problem(_STOP, "products", says)]
        found += [p for name in self.products for p in not_known(_STOP, "products", name, table.products, "product")]
        if not found and self.origin == self.destination:
            says = f"'{self.origin}' is the origin too; exports go to another region"
            found.append(problem(_STOP, "destination", says))
        return found

    def apply(self, setting: Setting, world: World) -> World:
        stopped = setting.network.crossing & (setting.attribute("origin") == self.origin)
        stopped &= setting.attribute("destination") == self.destination
        if self.products:
            stopped &= np.isin(setting.attribute("product"), list(self.products))
        return _limited(world, stopped, 0.0)


@dataclass(frozen=True)
class Reduce:
    """Limit selected flows to a fraction of their drawn value: the effect of a tariff, a quota, a mine accident.

    Prices are not modelled: the user states the effect of a tariff on a flow.

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
        if not is_number(self.factor, 1):
            says = f"{self.factor!r} is no factor; give the remaining fraction, from 0 (nothing) to 1 (all)"
            found.append(problem(_REDUCTION, "factor", says))
        if not self.where:
            says = f"say which flows are reduced, by one or more of {listed(FLOW_FIELDS)}"
            return [*found, problem(_REDUCTION, "where", says)]
        given: object = self.where
        if not isinstance(given, Mapping):
            says = f"{given!r} is no mapping; give e.g. {{'quantity': 'trade'}}"
            return [*found, problem(_REDUCTION, "where", says)]
        wrong = [name for name in self.where if name not in FLOW_FIELDS]
        found += [problem(_REDUCTION, name, unknown(name, FLOW_FIELDS, "attribute")) for name in wrong]
        lists = [name for name, values in self.where.items() if not isinstance(values, str)]
        if lists:
            return [*found, problem(_REDUCTION, lists[0], f"{self.where[lists[0]]!r} is no text; join values by '+'")]
        for name, values in Selector.of(**{k: v for k, v in self.where.items() if k not in wrong}).fields.items():
            held = tuple(dict.fromkeys(v for v in setting.table.attributes[name].tolist() if v))
            found += [problem(_REDUCTION, name, unknown(v, held, name)) for v in values if v not in held]
        if found:
            return found
        chosen = self._chosen(setting)
        if not chosen.any():
            says = f"no flow of {setting.year} has {Selector.of(**self.where)}; "
            return [problem(_REDUCTION, "where", says + "choose flows of that year that are no stock")]
        network = setting.network
        no_supply = chosen & (network.wanted() | network.lost | network.opening)
        no_supply |= chosen & (setting.attribute("quantity") == "apparent_consumption")
        if no_supply.any():
            names = listed(setting.attribute("flow")[no_supply].tolist())
            says = f"{names} cannot be reduced: they are consumption, loss or stock, which follow from supply; "
            says += "choose ore, production, feed, sales or trade"
            return [problem(_REDUCTION, "where", says)]
        return []

    def _chosen(self, setting: Setting) -> Mask:
        return np.asarray(setting.table.where(**Selector.of(**self.where).fields)[setting.network.flows])

    def apply(self, setting: Setting, world: World) -> World:
        return _limited(world, self._chosen(setting), self.factor * world.mass)


@dataclass(frozen=True)
class AddCapacity:
    """Additional capacity of an existing registered process of a region, with the recovery of the draw.

    Its output is bought first and replaces imports. With trade, consumption does not change; look at flows and
    indicators of the result. For the effect without trade, give it together with `NoTrade`.

    Parameters
    ----------
    region, stage
        Region and stage (``"mining"``, ``"separation"``, …).
    quantity
        Output per year at full supply and demand, in the unit of the case.
    """

    region: str
    stage: str
    quantity: float

    def describe(self) -> str:
        return f"{printed(self.quantity, ',.10g')} {{unit}} more capacity in {self.region} ({self.stage})"

    def problems(self, setting: Setting) -> list[Problem]:
        found = setting.plant_problems(_CAPACITY, self.region, self.stage)
        return found + no_mass(_CAPACITY, "quantity", self.quantity)

    def apply(self, setting: Setting, world: World) -> World:
        j = int(np.flatnonzero(setting.plants(self.region, self.stage))[0])  # the first of several equal processes
        more = np.zeros_like(world.extra)
        more[j] = self.quantity / setting.network.output_share(world.mass)[j]
        return replace(world, capacity=world.capacity + more, extra=world.extra + more)
