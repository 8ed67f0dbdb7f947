"""Verdict: all checks, each with its figures."""

from __future__ import annotations

from typing import Any

from reeuncert.report.check_list import check_list
from reeuncert.result.result import Result


def content(result: Result) -> dict[str, Any]:
    """All checks, worst status first."""
    return {"verdict": check_list(result)}
