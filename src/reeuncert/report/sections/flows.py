"""Flows: a Sankey diagram for every year and for all of them together, and what is known of each flow."""

from __future__ import annotations

from typing import Any

from reeuncert.report.context import Context


def content(context: Context) -> dict[str, Any]:
    return {}
