"""Flows of a result as arrays selected by role, for formulas on plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import Case
from reeuncert.case.shared import content_name
from reeuncert.result.contents import content_draws
from reeuncert.system.definition import FLOW_FIELDS, OUTSIDE

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

REFINED = "refined"
ALL = "all"
OPENING_STOCK = "opening stock"
NO_REGION = "no region"


def ratio(numerator: Array | float, denominator: Array | float) -> Array:
    """Quotient of two masses; NaN where the denominator is zero, negative or absent.

    A share of nothing is undefined, not zero.

    >>> ratio(np.array([1.0, 1.0]), np.array([4.0, 0.0]))
    array([0.25,  nan])
    """
    top, bottom = np.broadcast_arrays(np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float))
    with np.errstate(all="ignore"):
        out = np.divide(top, bottom)
    np.copyto(out, np.nan, where=~(bottom > 0))
    return out


def shares(masses: Array, axis: int) -> Array:
    """Masses over their sum along an axis, where absent ones (NaN) are nothing."""
    return ratio(masses, np.nansum(masses, axis=axis, keepdims=True))


@dataclass(frozen=True, eq=False)
class FlowTable:
    """Draws of all flows, with the attributes by which indicators select them.

    Masses (flow, chain, draw, year) are NaN or zero where a flow is absent; in memory the draws of a flow and year are
    together.
    """

    mass: Array
    present: Mask  # (flow, year)
    case: Case
    attributes: Mapping[str, NDArray[np.str_]]  # flow, quantity, origin, … → its text (flow,)
    years: tuple[int, ...]
    regions: tuple[str, ...]
    products: tuple[str, ...]
    cumulative: bool = False  # whether `sum` adds all years from the first on
    contents: Mapping[str, Mapping[int, Array]] = field(default_factory=dict)  # element → flow → (chain, draw, year)
    _masks: dict[tuple[str, str], Mask] = field(default_factory=dict, repr=False)

    @classmethod
    def from_dataset(cls, data: xr.Dataset, case: Case) -> FlowTable:
        """Read ``mass_flow(chain, draw, flow, year)``: all flows of a case, or some; contents of elements come from
        ``log_offset``, where the data have it, and from their laws in the case where no evidence is about them. Flows
        that lie in memory as those of a table do (`shared`) are not copied.
        """
        flows = data["mass_flow"].transpose("chain", "draw", "flow", "year").values
        chains, draws, n, years = flows.shape
        flat = flows.reshape(chains * draws, -1)
        cells = np.ascontiguousarray(flat.T)
        mass = _year_last(cells.reshape(n, years, chains, draws))
        present = ~np.isnan(cells).all(axis=1).reshape(n, years)
        names = [str(name) for name in data["flow"].values]
        return cls._of(case, names, tuple(int(y) for y in data["year"].values), mass, present, data)

    @classmethod
    def of_case(cls, case: Case, mass: Array) -> FlowTable:
        """Masses (flow, draw, year) of all flows of a case, one chain; absent flows are ignored."""
        system = case.system
        there = np.where(system.exists[:, None, :], mass, 0.0)[:, None]
        return cls._of(case, list(system.flow_index), system.years, there, system.exists, None)

    @classmethod
    def _of(
        cls, case: Case, names: Sequence[str], years: tuple[int, ...], mass: Array, there: Mask, data: xr.Dataset | None
    ) -> FlowTable:
        system = case.system
        flows = [system.flows[system.flow_index[name]] for name in names]
        return cls(
            mass,
            there,
            case,
            {name: np.array([flow.attribute(name) for flow in flows], dtype=str) for name in FLOW_FIELDS},
            years,
            case.regions,
            case.products,
            contents=_contents(case, names, years, data),
        )

    def shared(self, of: xr.DataArray) -> xr.DataArray:
        """The flows from which this table was made, in the memory of this table."""
        ordered = of.transpose("chain", "draw", "flow", "year")
        return ordered.copy(data=np.moveaxis(self.mass, 0, 2)).transpose(*of.dims)

    def of(self, flow: int | np.integer) -> Array:
        """Mass of a flow, array (chain, draw, year), zero where it is absent."""
        mass, there = self.mass[flow], self.present[flow]
        if not there.all():
            mass = mass.copy(order="K")
            mass[..., ~there] = 0.0
        return mass

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of chains, draws and years."""
        _, chains, draws, years = self.mass.shape
        return chains, draws, years

    @property
    def absent(self) -> Array:
        """What no flow of the system gives: NaN (chain, draw, year), read-only."""
        return np.broadcast_to(np.nan, self.shape)

    @cached_property
    def refined(self) -> tuple[str, ...]:
        """Products that some process makes (flows of quantity `production`)."""
        return self._made("production")

    @cached_property
    def goods(self) -> tuple[str, ...]:
        """Products made of refined ones (flows of quantity `fabrication`); no part of `ALL`."""
        return self._made("fabrication")

    def _made(self, quantity: str) -> tuple[str, ...]:
        made = set(self.attributes["product"][self.attributes["quantity"] == quantity])
        return tuple(p for p in self.products if p in made)

    @property
    def unrefined(self) -> tuple[str, ...]:
        """Products from mines."""
        return tuple(p for p in self.products if p not in (*self.refined, *self.goods))

    @cached_property
    def end_uses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(use) for use in self.attributes["end_use"] if use))

    def labels(self, dim: str) -> tuple[str, ...]:
        """Labels along a dim of indicators."""
        if dim == "partner":
            return (*self.regions, OPENING_STOCK, NO_REGION)
        if dim == "product":
            others = (REFINED, ALL, *self.contents)
            return (*self.products, *(label for label in others if label not in self.products))
        return {"region": self.regions, "end_use": self.end_uses}[dim]

    def members(self, label: str) -> tuple[str, ...]:
        """Products of a label of the dim ``product``: none for an element."""
        if label in self.products:
            return (label,)
        raw = tuple(p for p in self.products if p not in self.goods)
        return {REFINED: self.refined, ALL: raw, **dict.fromkeys(self.contents, ())}[label]

    def blank(self, *dims: str) -> Array:
        """NaN array (chain, draw, *dims, year); in memory the draws of each combination of labels and year are
        together.
        """
        chains, draws, years = self.shape
        out = np.full((*(len(self.labels(d)) for d in dims), years, chains, draws), np.nan)
        return np.moveaxis(out, (-2, -1), (0, 1))

    def zeros(self) -> Array:
        """Array (chain, draw, year) of zeros; in memory the draws of a year are together."""
        chains, draws, years = self.shape
        return _year_last(np.zeros((years, chains, draws)))

    def over(self, *dims: str, of: Callable[..., Array]) -> Array:
        """A quantity for each combination of labels: array (chain, draw, *dims, year).

        ``of`` takes a label for each dim and returns an array (chain, draw, year). A region is never its own partner,
        and only regions are partners; other cells stay NaN.
        """
        out = self.blank(*dims)
        labels = [self.regions if dim == "partner" else self.labels(dim) for dim in dims]
        pair = "region" in dims and "partner" in dims
        for place in product(*(range(len(names)) for names in labels)):
            if not pair or place[0] != place[1]:
                cell: tuple[slice | int, ...] = (slice(None), slice(None), *place)
                out[cell] = of(*(n[i] for n, i in zip(labels, place, strict=True)))
        return out

    def where(self, **attributes: str | Iterable[str]) -> Mask:
        """Boolean array (flow,): flows with these attributes; each may have several allowed values."""
        chosen = np.ones(len(self.mass), dtype=bool)
        for name, allowed in attributes.items():
            values = (allowed,) if isinstance(allowed, str) else tuple(allowed)
            matching = np.zeros_like(chosen)
            for value in values:
                if (name, value) not in self._masks:  # comparing texts is slow
                    self._masks[name, value] = self.attributes[name] == value
                matching |= self._masks[name, value]
            chosen &= matching
        return chosen

    def sum(self, plus: Mask, minus: Mask | None = None) -> Array:
        """Sum of some flows minus that of others, array (chain, draw, year). Absent flows count as zero; a sum without
        any existing flow is absent.
        """
        existing = self.present.any(axis=1)
        added = np.flatnonzero(plus & existing)
        taken = np.flatnonzero(minus & existing) if minus is not None else added[:0]
        if not len(added) + len(taken):
            return self.absent
        total = self.zeros()
        for i in added:
            total += self.of(i)
        for i in taken:
            total -= self.of(i)
        return self.accumulate(total)

    def element(self, name: str, flows: Mask) -> Array:
        """Mass of an element in those of some flows whose content is known, array (chain, draw, year); NaN for none."""
        known = {i: share for i, share in self.contents.get(name, {}).items() if flows[i] and self.present[i].any()}
        if not known:
            return self.absent
        return self.accumulate(sum((self.of(i) * share for i, share in known.items()), self.zeros()))

    def accumulate(self, values: Array) -> Array:
        """Cumulative sum over the years if the table is cumulative, else the values."""
        return np.cumsum(values, axis=-1, out=np.empty_like(values)) if self.cumulative else values

    def cumulated(self) -> FlowTable:
        """The same flows, cumulative from the first year."""
        return replace(self, cumulative=True)

    def first_draw(self) -> FlowTable:
        """The same flows in the first draw alone."""
        contents = {e: {i: share[:1, :1] for i, share in flows.items()} for e, flows in self.contents.items()}
        return replace(self, mass=self.mass[:, :1, :1], contents=contents)

    @cached_property
    def carried(self) -> Mask:
        """Boolean array (flow, year): stock of the year before that enters its process in this year.

        A stock enters the next year if its process has an outflow then; else it leaves the system.
        """
        source, target = self.attributes["from_process"], self.attributes["to_process"]
        active = {p: self.present[source == p].any(axis=0) for p in set(source) - {OUTSIDE}}
        mask = np.zeros_like(self.present)
        for i in np.flatnonzero(source == target):
            mask[i, 1:] = self.present[i, :-1] & active[source[i]][1:]
        return mask


def _contents(
    case: Case, names: Sequence[str], years: tuple[int, ...], data: xr.Dataset | None
) -> dict[str, dict[int, Array]]:
    """Contents of elements in every draw; without data, their medians."""
    position = {name: i for i, name in enumerate(names)}
    shape = (1, 1) if data is None else (data.sizes["chain"], data.sizes["draw"])
    drawn = {} if data is None else content_draws(case, data)
    out: dict[str, dict[int, Array]] = {}
    for content in case.contents.values():
        log = _year_last(np.zeros((len(years), *shape)))
        for t, year in enumerate(years if drawn else ()):
            log[..., t] = drawn[content_name(content, year)]
        given = [not content.years or year in content.years for year in years]
        share = np.where(given, content.share * np.exp(log), 0.0)
        flows = out.setdefault(content.element, {})
        for i in case.system.select(content.selector):
            k = position[case.system.flows[i].name]
            flows[k] = flows[k] + share if k in flows else share
    return out


def _year_last(values: Array) -> Array:
    """A view (…, chain, draw, year) of an array (…, year, chain, draw)."""
    return np.moveaxis(values, -3, -1)
