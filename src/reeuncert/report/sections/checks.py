"""Verdict: all checks, each with its figures."""

from __future__ import annotations

from typing import Any

from reeuncert.report.context import Context


def content(context: Context) -> dict[str, Any]:
    """All checks, worst status first."""
    return {"verdict": context.verdict}
