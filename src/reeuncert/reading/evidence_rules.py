"""What one row of evidence must say, so that it is a statement about flows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from reeuncert.reading.schema import Rules, above, between, is_given, one_of
from reeuncert.reading.tables import Row, Table
from reeuncert.reading.toml import MASS_UNITS
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import did_you_mean, listed, shown

RELATIONS = ("level", "share", "ratio", "difference")
QUALIFIERS = ("exact", "about", "at_least", "up_to", "range", "estimate", "revised", "derived", "zero")
UNITS: Mapping[str, tuple[str, ...]] = {
    "level": MASS_UNITS,
    "difference": MASS_UNITS,
    "share": ("%", "share"),
    "ratio": ("ratio", "%"),
}
"""Units allowed for each relation."""

_POSITIVE = "it is a distance, which is more than zero"
EVIDENCE_RULES: Rules = {
    "relation": [one_of(*RELATIONS, what="relation")],
    "qualifier": [one_of(*QUALIFIERS, what="qualifier")],
    "span": [one_of("sum", "mean")],
    "resolution": [above(0, f"the last printed digit: {_POSITIVE}")],
    "width": [above(0, f"the half-width of the central 68 %: {_POSITIVE}")],
    "alternative_weight": [between(0, 1, "it is the probability of the second reading", ends=False)],
}


_Report = Callable[[str, str], None]


def check_evidence_row(table: Table, row: Row, content: str, *, additive: bool) -> None:
    """Check that the cells of one row fit each other.

    Parameters
    ----------
    table, row
        Where problems are noted, and the row.
    content
        What the case's unit counts, e.g. ``REO``; empty for plain mass.
    additive
        Whether the error of the row's source is additive, so that the value may be zero.
    """

    def report(column: str, message: str) -> None:
        if (row.line, column) not in table.bad:
            table.report(row.line, column, message)

    relation, qualifier = row["relation"] or "level", row["qualifier"] or "exact"
    if relation not in RELATIONS or qualifier not in QUALIFIERS:
        return
    if row["unit"] not in UNITS[relation]:
        hint = did_you_mean(row["unit"], UNITS[relation])
        report(
            "unit",
            f"the unit {shown(row['unit'])} is not known for a {relation}; use one of: {listed(UNITS[relation])}{hint}",
        )
    _check_basis(row, relation, content, report)
    if row["year_to"] and row["year_to"] < row["year_from"]:
        report("year_to", f"the year {row['year_to']} is before year_from; write the earlier year first")
    has_of = any(row["of_" + name] for name in FLOW_FIELDS)
    if relation != "level" and not has_of:
        report("of_quantity", f"the row is a {relation} and does not say of what; fill in at least one column of_…")
    if relation == "level" and has_of:
        report("relation", "the row fills in columns of_… but is a level; write share, ratio or difference")
    if not any(row[name] for name in FLOW_FIELDS):
        report("quantity", "the row selects every flow of the case; fill in at least quantity, product or flow")
    _check_numbers(row, relation, qualifier, additive, report)


def _check_basis(row: Row, relation: str, content: str, report: _Report) -> None:
    basis = row["basis"]
    if relation in ("share", "ratio") or not content:
        allowed = [content, "gross", "n/a"] if content else ["n/a", "gross"]
        if basis and basis not in allowed:
            report("basis", f"the basis {shown(basis)} is not known; use one of: {listed(allowed)}")
    elif basis not in (content, "gross"):
        what = f"the basis {shown(basis)} is not known" if basis else "the cell is empty"
        report("basis", f"{what}; use one of: {content} (the content), gross (gross weight)")


def _check_numbers(row: Row, relation: str, qualifier: str, additive: bool, report: _Report) -> None:
    value, low, high = row["value"], row["low"], row["high"]
    zero_allowed = relation == "difference" or additive or qualifier == "zero"
    top = {"%": 100.0, "share": 1.0}.get(row["unit"], math.inf) if relation == "share" else math.inf
    if qualifier == "range":
        for name in ("low", "high"):
            if not is_given(row[name]):
                report(name, "the cell is empty; a range needs low and high")
    elif not is_given(value):
        report("value", "the cell is empty; drop the row if nothing was reported, write 0 if zero was reported")
    if is_given(low) and is_given(high) and low >= high:
        report("high", f"high, {high:g}, is not above low, {low:g}; write the smaller number into low")
    for name in ("value", "low", "high", "alternative"):
        number = row[name]
        if number < 0 and relation != "difference":
            report(name, f"{number:g} is negative; a {'mass' if relation == 'level' else relation} is zero or more")
        elif number > top:
            report(
                name,
                f"{number:g} is not between 0 and {top:g}; a share has the unit % (0-100) or share (0-1)",
            )
    for name in ("value", "alternative"):
        if row[name] == 0 and not zero_allowed:
            report(name, "0 was reported; write the qualifier zero, and the printed unit into resolution")
        elif row[name] == top and qualifier != "up_to":
            report(name, f"the share is {top:g}, the whole; say how much of it at the least: qualifier at_least")
    if qualifier == "zero":
        if is_given(value) and value != 0:
            report("value", f"{value:g} is not 0, but the qualifier is zero; use another qualifier")
        if not is_given(row["resolution"]):
            report("resolution", "the cell is empty; a reported zero needs the printed unit, e.g. 0.1")
    if is_given(row["alternative"]) != is_given(row["alternative_weight"]):
        missing = "alternative_weight" if is_given(row["alternative"]) else "alternative"
        report(missing, "the cell is empty; a second reading needs a value and a weight")
