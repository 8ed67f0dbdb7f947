"""What a question is about: one value of an indicator in every draw, or some flows."""

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.selection import selector_problems
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.headlines import Target, place, value_of
from reeuncert.indicators.printing import refuse_event
from reeuncert.indicators.registry import CUMULATED, lookup
from reeuncert.indicators.summary import SAMPLE, computed, select_labels
from reeuncert.result.quantiles import DEFINED
from reeuncert.result.result import Result
from reeuncert.system.definition import FLOW_FIELDS, Selector, SystemDefinition
from reeuncert.words.cells import unknown
from reeuncert.words.estimates import printed

Flows = str | Iterable[str] | Mapping[str, str] | None
"""Names of flows, or attributes that choose them (``{"quantity": "trade", "product": "salt+oxide"}``)."""


def choose_flows(system: SystemDefinition, flows: Flows) -> tuple[int, ...]:
    """Indices of the flows that names or attributes choose; all of them for None. A name, attribute or value that no
    flow has is an error.
    """
    if flows is None:
        return tuple(range(len(system.flows)))
    if isinstance(flows, Mapping):
        _refuse(unknown(name, FLOW_FIELDS, "attribute of flows") for name in flows if name not in FLOW_FIELDS)
        selector = Selector.of(**flows)
        _refuse(selector_problems(selector, system))
        return system.select(selector)
    names = [flows] if isinstance(flows, str) else list(flows)
    _refuse(unknown(name, list(system.flow_index), "flow") for name in names if name not in system.flow_index)
    return tuple(system.flow_index[name] for name in names)


def labelled_first(table: pd.DataFrame, labels: Mapping[str, Any]) -> pd.DataFrame:
    """A table with columns before its own, each of one value."""
    return table.assign(**labels)[[*labels, *table.columns]]


def _refuse(problems: Iterable[str]) -> None:
    if said := "; ".join(problems):
        raise ReeUncertError(said)


ValueName = str | int | Mapping[str, Any]
"""How a value is named: an indicator, the number of a headline (from 0), or ``{"indicator": …, "region": …}``."""


def _named(dt: xr.DataTree, indicator: ValueName, coords: Mapping[str, str | int]) -> tuple[str, dict[str, str | int]]:
    """Name of an indicator, and the labels that name a value of it."""
    given = dict(indicator) if isinstance(indicator, Mapping) else {"indicator": indicator}
    if not isinstance(given.get("indicator"), str | Integral):
        raise ReeUncertError(f"{given} names no value: give 'indicator' and a label for each of its dims")
    wanted = given.pop("indicator")
    _refuse(f"{label} is given twice, as {given[label]!r} and {coords[label]!r}" for label in coords if label in given)
    labels = {**given, **coords}
    if isinstance(wanted, str):
        return wanted, labels
    if labels:
        raise ReeUncertError(f"headline {wanted} names its labels itself: leave out {', '.join(labels)}")
    case = Result.holding(dt).case
    if not 0 <= wanted < len(case.headlines):
        raise ReeUncertError(
            f"case '{case.name}' has {len(case.headlines)} headlines, numbered from 0: {wanted} is none"
        )
    name, at, year = place(dt, case.headlines[wanted])
    return name, {**at, "year": year}


def target_of(dt: xr.DataTree, indicator: ValueName, **coords: str | int) -> Target:
    """The value that an indicator and labels name.

    The indicator is a name, with a label for each of its dims and the year (which may be left out for a cumulated
    indicator: all years); the number of a headline of the case, from 0; or a mapping with ``indicator`` and labels.
    Labels that do not name one value are an error, as is a value that is undefined in too many draws.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = toy_posterior(draws=5, years=2)
    >>> target_of(dt, "mine_production", region="South", year=2002).label
    'Mine production, registered and unregistered · South · 2002'
    >>> target_of(dt, 0).label
    'Import dependence, recorded · North → South · refined · 2002'
    """
    name, at = _named(dt, indicator, coords)
    variable = computed(dt, name)
    refuse_event(lookup(name, Result.holding(dt).case))
    if name.endswith(CUMULATED):
        at.setdefault("year", int(variable["year"].values[-1]))
    chosen = select_labels(variable, at)  # refuses a dim or label that it does not have
    dims = [str(d) for d in variable.dims if d not in SAMPLE]
    missing = [d for d in dims if d not in at]
    if missing:
        offered = "; ".join(f"{d}: {variable[d].values.tolist()}" for d in missing)
        raise ReeUncertError(f"'{name}' has more than one value: name its {' and '.join(missing)} ({offered})")
    if chosen.size != chosen.sizes["chain"] * chosen.sizes["draw"]:
        raise ReeUncertError(f"give one label for each dim of '{name}', not several: {at}")
    found = value_of(dt, name, {d: chosen[d].item() for d in dims})
    there = np.isfinite(found.draws).mean()
    if there < DEFINED:
        raise ReeUncertError(f"{found.label} is not defined in {printed(1 - there, '.0%')} of the draws")
    return found


def targets_of(dt: xr.DataTree, indicators: ValueName | Iterable[ValueName] | None = None) -> tuple[Target, ...]:
    """Several values; by default the headlines of the case."""
    if indicators is None:
        case = Result.holding(dt).case
        if not case.headlines:
            raise ReeUncertError(f"case '{case.name}' has no headline: name the indicators")
        indicators = range(len(case.headlines))
    if isinstance(indicators, str | int | Mapping):
        indicators = [indicators]
    return tuple(target_of(dt, wanted) for wanted in indicators)
