"""Tables of what can be chosen by name: indicators and checks."""

from __future__ import annotations

import inspect

from evidence_pages import table

from reeuncert.checks import CHECKS
from reeuncert.indicators.registry import INDICATORS


def pages() -> dict[str, str]:
    """Pages of indicators and of checks."""
    return {"indicators.md": _indicators(), "checks.md": _checks()}


def _indicators() -> str:
    rows = [
        (
            f"`{record.name}`" + (" (+)" if record.cumulated else ""),
            record.title,
            "mass" if record.unit == "mass" else "ratio",
            ", ".join(record.dims) or "–",
            record.topic,
            record.reference,
        )
        for record in INDICATORS.values()
    ]
    head = ("name", "what it is", "unit", "dims beside year", "topic", "reference")
    return "\n".join(
        [
            "# Table of indicators",
            "",
            f"All {len(rows)} that `ree.add_indicators` knows; their formulas are on the page "
            "[Indicators](../method/indicators.md). (+) means that `<name>_cumulated` exists too: every mass summed "
            "from the first year on.",
            "",
            *table(head, rows),
            "",
        ]
    )


def _checks() -> str:
    rows = []
    for name, function in CHECKS.items():
        module = inspect.getmodule(function)
        text = inspect.getdoc(module) or ""
        rows.append((f"`{name}`", text.split("\n\n")[0], (inspect.getdoc(function) or "").split("\n\n")[0]))
    head = ("name", "what it asks", "what it looks at")
    return "\n".join(
        [
            "# Table of checks",
            "",
            '`ree.check(dt)` runs all of them, `ree.check(dt, ["balance"])` some. A check says *passed*, *failed*, '
            "*warning* (the result stands, but a reader must know something of it) or *information*.",
            "",
            *table(head, rows),
            "",
        ]
    )
