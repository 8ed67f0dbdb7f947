"""The table of indicators: one record for each name, filled by the decorator `indicator`, and those that cases define:
the mass of some flows, or its ratio to that of others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from reeuncert.case.records import Case, Expression
from reeuncert.errors import AbsentError
from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.result.learning import SCALES
from reeuncert.system.definition import Selector
from reeuncert.words.cells import did_you_mean, listed, quoted

DIMS = ("region", "partner", "product", "end_use")
"""Allowed dims of an indicator beside chain, draw and year, in array order."""

CUMULATED = "_cumulated"
"""Suffix of cumulative variables."""

INTO, OUT, MUTUAL = "into", "out", "mutual"
"""Which way the flows of a pair go: from the partner into the region, out of the region to the partner, or both."""

DEPENDENCE, UNRECORDED, MINING, OTHERS = TOPICS = (
    "Dependence",
    "Trade without a record",
    "Mining and refining",
    "Consumption and other answers",
)
"""Under which title a report shows an indicator, in their order."""


@dataclass(frozen=True)
class Indicator:
    """Definition of one indicator.

    Parameters
    ----------
    name
        Name of the variable in the groups ``derived`` and ``derived_prior``.
    title
        Name in plots and tables.
    unit
        ``"mass"`` (the unit of the case) or ``"1"`` (a ratio).
    dims
        Its dims beside chain, draw and year, a subset of `DIMS` in that order.
    reference
        Source of the definition: a DOI, or an appendix of a statistical publication.
    cumulated
        Whether ``<name>_cumulated`` is computed too.
    percent
        Whether sentences print it as a percentage (ratios that are not an index).
    of_flows
        Takes a `FlowTable`, returns an array with the axes chain, draw, the dims, year.
    constants
        Constants of the case that it uses.
    scale
        Name in `reeuncert.result.learning.SCALES`: how widths of its intervals are compared.
    whole
        The whole that a ratio is a share of, where its title does not name it.
    topic
        One of `TOPICS`.
    way
        Of an indicator of pairs: `INTO`, `OUT` or `MUTUAL`.
    event
        Whether a draw is 0 or 1: what is printed is their mean, a probability, without an interval.
    """

    name: str
    title: str
    unit: str
    dims: tuple[str, ...]
    reference: str
    cumulated: bool
    percent: bool
    of_flows: Callable[[FlowTable], Array]
    constants: tuple[str, ...] = ()
    scale: str = "share"
    whole: str = ""
    topic: str = OTHERS
    way: str = INTO
    event: bool = False

    @property
    def titles(self) -> dict[str, str]:
        """Name → title of the indicator and, where it has one, of its cumulative variant."""
        both = {self.name: self.title, self.name + CUMULATED: f"{self.title}, cumulative"}
        return both if self.cumulated else {self.name: self.title}

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """An indicator of the package is pickled as its name, since its formula may be a lambda."""
        return (lookup, (self.name,)) if INDICATORS.get(self.name) is self else (_declared, tuple(vars(self).values()))


INDICATORS: dict[str, Indicator] = {}
"""Every indicator of the package by name."""

declared: dict[str, Indicator] = {}
"""Indicators that cases define themselves, by name: for the titles of rows of tables, which do not name their case."""


def indicator(
    name: str,
    *,
    title: str,
    unit: str,
    reference: str,
    dims: tuple[str, ...] = (),
    cumulated: bool = False,
    percent: bool | None = None,
    constants: tuple[str, ...] = (),
    scale: str = "",
    whole: str = "",
    topic: str = OTHERS,
    way: str = INTO,
    event: bool = False,
    each: bool = False,
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Register a function of a `FlowTable` as the indicator `name`; the other arguments are those of `Indicator`.

    With `each`, the function also takes a label of every dim and returns one cell (chain, draw, year), see
    `FlowTable.over`.

    Raises
    ------
    ValueError
        If the name is taken or has the cumulative suffix, or a dim, the unit, the scale, the topic or the way is not
        known.
    """
    if name in INDICATORS:
        raise ValueError(f"indicator '{name}' is registered already ('{INDICATORS[name].title}'); choose another name")
    if name.endswith(CUMULATED):
        raise ValueError(f"indicator '{name}' must not end in '{CUMULATED}': say cumulated=True instead")
    if list(dims) != [d for d in DIMS if d in dims]:
        raise ValueError(f"indicator '{name}' has dims {list(dims)}; allowed are {list(DIMS)}, in this order")
    for what, given, known in (
        ("unit", unit, ("mass", "1")),
        ("scale", scale, ("", *SCALES)),
        ("topic", topic, TOPICS),
        ("way", way, (INTO, OUT, MUTUAL)),
    ):
        if given not in known:
            raise ValueError(f"indicator '{name}' has {what} '{given}'; use one of: {', '.join(filter(None, known))}")

    def register(of: Callable[..., Array]) -> Callable[..., Array]:
        def of_cells(table: FlowTable) -> Array:
            return table.over(*dims, of=partial(of, table))

        as_percent, on = unit == "1" if percent is None else percent, scale or ("mass" if unit == "mass" else "share")
        flows = of_cells if each else of
        held = (title, unit, dims, reference, cumulated, as_percent, flows, constants, on, whole, topic, way, event)
        INDICATORS[name] = Indicator(name, *held)
        return of

    return register


class UnknownIndicatorError(AbsentError, KeyError):
    """A name that no indicator has."""

    def __str__(self) -> str:
        return str(self.args[0])


def base_name(name: str) -> str:
    """Name without the cumulative suffix."""
    return name.removesuffix(CUMULATED)


def lookup(name: str, case: Case | None = None) -> Indicator:
    """Record of an indicator of the package or of a case (also by the name of its cumulative variable). Without a case
    it may be of any case of this process, the one used last: enough for a title, and for nothing else.

    Raises
    ------
    UnknownIndicatorError
        With the names nearest to it.
    """
    records = declared | INDICATORS if case is None else records_of(case)
    found = records.get(base_name(name))
    if found is None or (name.endswith(CUMULATED) and not found.cumulated):
        hint = did_you_mean(base_name(name), [known for record in records.values() for known in record.titles], most=3)
        named = f"{listed(valid_names(), 6)}; all of them: reeuncert.indicators.valid_names()"
        raise UnknownIndicatorError(f"{quoted(name)} is no indicator{hint or ';'} names: {named}")
    return found


def valid_names() -> list[str]:
    """All names known to `lookup`, sorted, cumulative ones included."""
    return sorted(name for record in INDICATORS.values() for name in record.titles)


def choose(names: Iterable[str] | None, case: Case) -> list[Indicator]:
    """Records of the given names, each once, in table order, then those of the case itself; all for None."""
    every = records_of(case).values()
    if names is None:
        return [*every]
    wanted = {lookup(name, case).name for name in ([names] if isinstance(names, str) else names)}
    return [record for record in every if record.name in wanted]


def records_of(case: Case) -> dict[str, Indicator]:
    """Indicators of a case by name: those of the package, then its own, whose titles `lookup` tells from now on."""
    return INDICATORS | {of.name: _indicator(of, case) for of in case.indicators if of.name not in INDICATORS}


def _declared(*fields: Any, **more: Any) -> Indicator:
    """An indicator of a case, whose title `lookup` tells from now on."""
    record = declared[fields[0]] = Indicator(*fields, **more)
    return record


def _indicator(of: Expression, case: Case) -> Indicator:
    used = {v for s in (of.numerator, of.denominator) if s for values in s.fields.values() for v in values}
    dims = tuple(d for d in DIMS if f"{{{d}}}" in used)
    unit, scale = ("mass", "mass") if of.unit == "mass" else ("1", "share" if of.unit == "%" else "ratio")
    title = of.title or of.name.replace("_", " ").capitalize()
    reference, counted = f"defined by case {case.name}", of.numerator.fields
    leaves = "{region}" in counted.get("origin", ()) and "{partner}" in counted.get("destination", ())
    flows, way = partial(_of_flows, of, dims), OUT if leaves else INTO
    held = (of.name, title, unit, dims, reference, of.cumulated, of.unit == "%", flows)
    return _declared(*held, scale=scale, way=way)


def _of_flows(of: Expression, dims: tuple[str, ...], table: FlowTable) -> Array:
    def value(*labels: str) -> Array:
        at = dict(zip(dims, labels, strict=True))
        mass = _mass(table, of.numerator, at)
        return mass if of.denominator is None else ratio(mass, _mass(table, of.denominator, at))

    return table.over(*dims, of=value)


def _mass(table: FlowTable, selector: Selector, at: Mapping[str, str]) -> Array:
    """Sum of the selected flows, ``{region}`` and the like standing for the label of each cell."""
    where = {}
    for name, values in selector.fields.items():
        labels: list[str] = []
        for value in values:
            dim = value.strip("{}")
            if value != f"{{{dim}}}":
                labels.append(value)
            else:
                labels += table.members(at[dim]) if dim == "product" else [at[dim]]
        where[name] = labels
    return table.sum(table.where(**where))
