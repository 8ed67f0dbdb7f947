"""Flows and years that a study is asked about, with errors that list what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from reeuncert.errors import ReeUncertError
from reeuncert.system.definition import FLOW_FIELDS, Selector, SystemDefinition

Flows = str | Iterable[str] | Mapping[str, str] | Selector | None
"""Names of flows, or attributes that choose them (``{"quantity": "trade", "product": "salt+oxide"}``)."""


def choose_flows(system: SystemDefinition, flows: Flows) -> tuple[int, ...]:
    """Indices of the flows that names or attributes choose; all of them for None.

    Raises
    ------
    ReeUncertError
        For a name, attribute or value of an attribute that no flow has, or where no flow has them all.
    """
    if flows is None:
        return tuple(range(len(system.flows)))
    if isinstance(flows, Selector):
        return _by_attributes(system, {k: "+".join(v) for k, v in flows.fields.items()})
    if isinstance(flows, Mapping):
        return _by_attributes(system, flows)
    names = [flows] if isinstance(flows, str) else list(flows)
    unknown = [n for n in names if n not in system.flow_index]
    if unknown:
        raise ReeUncertError("; ".join(f"no flow is named '{n}'{_near(n, list(system.flow_index))}" for n in unknown))
    return tuple(system.flow_index[n] for n in names)


def choose_years(system: SystemDefinition, years: int | Iterable[int] | None) -> tuple[int, ...]:
    """Positions of years; all of them for None.

    Raises
    ------
    ReeUncertError
        For a year that the case does not have.
    """
    if years is None:
        return tuple(range(len(system.years)))
    wanted = [years] if isinstance(years, int) else [int(y) for y in years]
    unknown = [y for y in wanted if y not in system.year_index]
    if unknown:
        told = ", ".join(str(y) for y in unknown)
        raise ReeUncertError(f"{told} is no year of the case; it has {system.years[0]} to {system.years[-1]}")
    return tuple(system.year_index[y] for y in wanted)


def _by_attributes(system: SystemDefinition, attributes: Mapping[str, str]) -> tuple[int, ...]:
    problems = [
        f"a flow has no attribute '{name}'; it has: {', '.join(FLOW_FIELDS)}"
        for name in attributes
        if name not in FLOW_FIELDS
    ]
    if not problems:
        selector = Selector.of(**attributes)
        for name, values in selector.fields.items():
            there = sorted({f.attribute(name) for f in system.flows} - {""})
            problems += [f"no flow has {name} '{v}'{_near(v, there)}" for v in values if v not in there]
        found = system.select(selector)
        if not problems and not found:
            problems.append(f"no flow has all of: {selector}")
    if problems:
        raise ReeUncertError("; ".join(problems))
    return found


def _near(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; there are: {', '.join(known[:12])}{', …' if len(known) > 12 else ''}"
