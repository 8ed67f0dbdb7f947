"""Verdict: the checks as a strip, each opening to its figures."""

from __future__ import annotations

from typing import Any

from reeuncert.report.context import Context


def content(context: Context) -> dict[str, Any]:
    """All checks, the worst first."""
    return {"verdict": context.verdict}
