"""Rules by the names of the command line. To add a rule: one file and one row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from reeuncert.counterfactuals.add_capacity import AddCapacity
from reeuncert.counterfactuals.export_stop import ExportStop
from reeuncert.counterfactuals.no_trade import NoTrade
from reeuncert.counterfactuals.reduce import Reduce
from reeuncert.counterfactuals.rule import Rule
from reeuncert.errors import InputError, Problem
from reeuncert.words.cells import listed, unknown

RULES: dict[str, type[Any]] = {
    "no-trade": NoTrade,
    "export-stop": ExportStop,
    "reduce": Reduce,
    "add-capacity": AddCapacity,
}
"""Name → rule."""


def rule(name: str, arguments: Mapping[str, Any]) -> Rule:
    """A rule from its name and arguments.

    Raises
    ------
    InputError
        If the rule is not known, an argument is missing, or one is given that the rule does not take.

    Examples
    --------
    >>> rule("add-capacity", {"region": "South", "stage": "mining", "quantity": 5.0}).describe()
    '5 {unit} more capacity in South (mining)'
    """
    if name not in RULES:
        raise InputError([Problem("counterfactual", 0, "", unknown(name, tuple(RULES), "rule"))])
    takes = {f.name: f for f in fields(RULES[name])}
    needs = [n for n, f in takes.items() if f.default is MISSING and f.default_factory is MISSING]
    found = [
        Problem(f"counterfactual '{name}'", 0, "", f"'{n}' is missing; it needs {listed(needs)}")
        for n in needs
        if n not in arguments
    ]
    found += [
        Problem(f"counterfactual '{name}'", 0, "", f"'{n}' is not an argument; it takes {listed(takes)}")
        for n in arguments
        if n not in takes
    ]
    if found:
        raise InputError(found)
    made: Rule = RULES[name](**arguments)
    return made
