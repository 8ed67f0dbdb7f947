"""Whether the result deserves belief: the verdict of every check."""

from __future__ import annotations

from typing import Any

from reeuncert.checks.result import shown
from reeuncert.report.findings import Findings
from reeuncert.report.plain.sections.record import Section


def _content(findings: Findings) -> dict[str, Any]:
    rows = [
        {"result": r, "value": shown(r.value), "worst": _worst(r.table) if r.table is not None else None}
        for r in findings.checks
    ]
    return {"verdict": findings.checks.verdict, "passed": findings.checks.passed, "rows": rows}


def _worst(table: Any) -> dict[str, Any]:
    labels = [c for c in ("flow", "indicator", "region", "partner", "product", "end_use", "year") if c in table]
    numbers = [c for c in ("r_hat", "ess_bulk", "ess_tail") if c in table]
    cells = [[str(row[c]) for c in labels] + [f"{row[c]:.4g}" for c in numbers] for _, row in table.iterrows()]
    return {"head": [*labels, *numbers], "cells": cells}


SECTION = Section("verdict", "Verdict of the checks", _content)
