"""Colours of the ribbons and nodes of a Sankey diagram, the same in both libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reeuncert.plots.sankey_graph import END_USE, LOSS, UNREGISTERED, Node
from reeuncert.plots.sankey_graph import UNRECORDED as UNRECORDED_ROUTE
from reeuncert.plots.style import UNRECORDED, Theme, colours_of, mixed


def ribbon_colour(row: Any, regions: Sequence[str], theme: Theme) -> str:
    """Colour of a ribbon: its region's; darker (on dark ground: lighter) if unregistered, pink if unrecorded."""
    if row.route == UNRECORDED_ROUTE:
        return mixed(UNRECORDED, theme.ink, 0.4) if theme.name == "dark" else UNRECORDED
    if row.route == LOSS:
        return theme.prior
    colour = colours_of(list(regions)).get(row.region, theme.muted)
    return mixed(colour, theme.ink, 0.45) if row.route == UNREGISTERED else colour


def node_colour(node: Node, regions: Sequence[str], theme: Theme) -> str:
    """Colour of a node: that of its row; losses and end uses are grey."""
    if node.side == LOSS:
        return theme.prior
    if node.stage == END_USE:
        return theme.muted
    region = node.row.removesuffix(f", {UNREGISTERED}")
    colour = colours_of(list(regions)).get(region, theme.muted)
    return mixed(colour, theme.ink, 0.45) if node.row != region else mixed(colour, theme.ink, 0.15)
