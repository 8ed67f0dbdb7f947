"""Labels for readers, made from the tables of a case: flows, processes, sources and offsets."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from reeuncert.case.records import Case
from reeuncert.system.definition import OUTSIDE, Flow
from reeuncert.words.cells import as_words

_IDENTIFIER = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")


class Labels:
    """Identifier → label of one case.

    Examples
    --------
    >>> from reeuncert.reading.bundled import find_case
    >>> from reeuncert.validation.reader import read_case
    >>> labels = Labels(read_case("small_metal"))
    >>> labels.flows["north_stock"]
    'stock (salt), North'
    >>> labels.told("of north_stock in net_imports")
    'of stock (salt), North in net imports'
    """

    def __init__(self, case: Case, also: Mapping[str, str] | None = None):
        self.case = case
        self.also = dict(also or {})

    @cached_property
    def flows(self) -> dict[str, str]:
        """Name of a flow → what it is and where it runs; ways are added where two would be called alike."""
        return _distinct({f.name: (f.label or _of_flow(f), self._way(f)) for f in self.case.system.flows})

    @cached_property
    def processes(self) -> dict[str, str]:
        """Name of a process → stage, product of a market, region, and whether all that leaves it is unregistered."""
        product: dict[str, Counter[str]] = {}
        routes: dict[str, set[str]] = {}
        for flow in self.case.system.flows:
            routes.setdefault(flow.from_process, set()).update([flow.route] if flow.route else [])
            for end in (flow.from_process, flow.to_process):
                if flow.product:
                    product.setdefault(end, Counter())[flow.product] += 1
        named = {}
        for process in self.case.system.processes:
            words = [process.stage or as_words(process.name)]
            if process.stage == "market" and process.name in product:
                words.insert(0, product[process.name].most_common(1)[0][0])
            hidden = "unregistered" if routes.get(process.name) == {"unregistered"} else ""
            text = process.label or ", ".join(part for part in (" ".join(words), process.region, hidden) if part)
            kind = product[process.name].most_common(1)[0][0] if process.name in product else as_words(process.name)
            named[process.name] = (text, f" ({kind})")
        return {**_distinct(named), OUTSIDE: "outside"}

    @cached_property
    def sources(self) -> dict[str, str]:
        """Id of a source → its title."""
        return {name: source.title for name, source in self.case.sources.items()}

    @cached_property
    def offsets(self) -> dict[str, str]:
        """Name of an offset → what it is."""
        offsets = self.case.offsets.items()
        return {name: of.label or f"shared error of {as_words(name.replace('-', ' '))}" for name, of in offsets}

    def told(self, text: object) -> str:
        """A text with the labels of the identifiers in it, and no underscores in others."""
        said = str(text)
        if "_" not in said and "-" not in said:
            return said
        return _IDENTIFIER.sub(lambda m: as_words(m.group()), self._known.sub(lambda m: self._labels[m.group()], said))

    @cached_property
    def _labels(self) -> dict[str, str]:
        all_ = {**self.sources, **self.offsets, **self.processes, **self.flows, **self.also}
        return {name: label for name, label in all_.items() if "_" in name or "-" in name}

    @cached_property
    def _known(self) -> re.Pattern[str]:
        names = sorted(map(re.escape, self._labels), key=len, reverse=True)
        return re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?![\w-])" if names else r"(?!)")

    def _way(self, flow: Flow) -> str:
        """Its ends, without their regions, which the flow tells."""
        ends = (self.processes.get(name, name).split(", ")[0] for name in (flow.from_process, flow.to_process))
        return f" ({' → '.join(dict.fromkeys(ends))})"


def _of_flow(flow: Flow) -> str:
    what = as_words(flow.quantity or flow.name) + (f" ({flow.product})" if flow.product else "")
    ends = [e for e in (flow.origin, flow.destination) if e]
    where = ends[0] if len(set(ends)) == 1 else " → ".join(ends)
    hidden = flow.route if flow.route == "unregistered" else ""
    return ", ".join(part for part in (what, where, flow.end_use, hidden) if part)


def _distinct(named: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Labels, with an addition where several would be the same, and the name itself where that does not help."""
    count = Counter(text for text, _ in named.values())
    out = {name: text + (more if count[text] > 1 else "") for name, (text, more) in named.items()}
    again = Counter(out.values())
    return {name: text if again[text] == 1 else f"{named[name][0]} ({as_words(name)})" for name, text in out.items()}
