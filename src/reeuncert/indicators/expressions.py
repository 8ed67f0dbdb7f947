"""Indicators that a case defines itself: the mass of some flows, or its ratio to that of others."""

from collections.abc import Mapping

from reeuncert.case.records import Case, Expression
from reeuncert.indicators.flows import Array, FlowTable, ratio
from reeuncert.indicators.registry import DIMS, Indicator, declared
from reeuncert.system.definition import Selector


def own_indicators(case: Case) -> list[Indicator]:
    """Records of the indicators that a case defines; `lookup` knows them from now on."""
    found = [_indicator(of, case) for of in case.indicators]
    declared.update({record.name: record for record in found})
    return found


def _indicator(of: Expression, case: Case) -> Indicator:
    used = {v for s in (of.numerator, of.denominator) if s for values in s.fields.values() for v in values}
    dims = tuple(d for d in DIMS if f"{{{d}}}" in used)

    def of_flows(table: FlowTable) -> Array:
        def value(*labels: str) -> Array:
            at = dict(zip(dims, labels, strict=True))
            mass = _mass(table, of.numerator, at)
            return mass if of.denominator is None else ratio(mass, _mass(table, of.denominator, at))

        return table.over(*dims, of=value)

    unit, scale = ("mass", "mass") if of.unit == "mass" else ("1", "share" if of.unit == "%" else "ratio")
    title = of.title or of.name.replace("_", " ").capitalize()
    reference = f"defined by case {case.name}"
    return Indicator(of.name, title, unit, dims, reference, of.cumulated, of.unit == "%", of_flows, scale=scale)


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
