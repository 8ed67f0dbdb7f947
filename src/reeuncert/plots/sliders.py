"""A slider over steps, of which each shows its own traces and annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reeuncert.plots.style import Theme


def slider(
    theme: Theme, traces: int, steps: Sequence[tuple[str, range, list[dict[str, Any]]]], active: int
) -> dict[str, Any]:
    """Settings of a Plotly slider.

    Parameters
    ----------
    traces
        Number of traces of the figure.
    steps
        Label, positions of the traces shown, and annotations of each step.
    active
        Position of the step shown first.
    """
    return {
        "active": active,
        "currentvalue": {"prefix": "", "font": {"size": 15, "color": theme.ink}, "xanchor": "left"},
        "pad": {"t": 10, "b": 0},
        "len": 1.0,
        "x": 0.0,
        "bgcolor": theme.grid,
        "bordercolor": theme.muted,
        "activebgcolor": theme.muted,
        "tickcolor": theme.muted,
        "font": {"size": 10, "color": theme.muted},
        "steps": [
            {
                "label": label,
                "method": "update",
                "args": [{"visible": [i in shown for i in range(traces)]}, {"annotations": notes}],
            }
            for label, shown, notes in steps
        ],
    }
