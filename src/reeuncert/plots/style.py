"""One look for all figures: colours that colour-blind readers tell apart, words for axes."""

from collections.abc import Sequence
from typing import Any

BACKENDS = ("matplotlib", "plotly")
BOARD = "board"  # asks for a figure as data: a board, or a board for each step
PROBABILITIES = (0.5, 0.8, 0.9)
"""Probabilities of the bands of a fan, innermost first; the widest is the interval that tables and sentences give."""

FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"

HUES = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#8C6D31", "#5E4FA2", "#7F7F7F", "#A6761D", "#D55E00")
"""Colours of regions and other series, in this order; the first five and the last are of Okabe & Ito's set."""

UNRECORDED = "#B2186B"  # colour of what crosses a border without a record: no region has it


OFFICES = ("#8C510A", "#01665E")
"""Colours of the exporter's and the importer's records: a palette of its own, since they are no regions."""

NODE_WIDTH = 0.009  # width of a node of a Sankey diagram, as part of the diagram's


GROUND, INK, MUTED, GRID, PRIOR = "#ffffff", "#1b1f24", "#57606a", "#e3e6ea", "#8a929b"
NAMED = {"ground": GROUND, "ink": INK, "muted": MUTED, "prior": PRIOR, "point": "#111418", "alert": "#C1121F"}
"""Colours by name: of the ground, of text and (muted) secondary text, of grids, of priors, which lie faintly behind, of
published and reported figures (points), and of what lies outside an interval (alert).
"""


def paint(name: str) -> str:
    """A colour by its name; a hexadecimal colour, and none, as they are.

    >>> paint("ink"), paint("#0072B2")
    ('#1b1f24', '#0072B2')
    """
    return NAMED.get(name, name)


def hue(position: int) -> str:
    """Colour of the series at a position; after the last, from the first again."""
    return HUES[position % len(HUES)]


def colours_of(labels: Sequence[str]) -> dict[str, str]:
    """Label → colour, in the order of the labels.

    >>> colours_of(["North", "South"])
    {'North': '#0072B2', 'South': '#E69F00'}
    """
    return {label: hue(i) for i, label in enumerate(labels)}


def mixed(colour: str, other: str, part: float) -> str:
    """Colour with a part of another in it.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in pairs)


def rgba(colour: str, opacity: float) -> str:
    """Colour with an opacity, as CSS and Plotly write it.

    >>> rgba("#0072B2", 0.25)
    'rgba(0,114,178,0.25)'
    """
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgba({red},{green},{blue},{opacity:g})"


def band_opacity(position: int, count: int = len(PROBABILITIES)) -> float:
    """Opacity of a band of a fan (0: innermost); bands lie on one another, so the middle is the darkest."""
    return (0.34, 0.22, 0.16)[min(position, 2)] if count > 1 else 0.25


def interval_name(*probs: float) -> str:
    """How every legend and axis names an interval, by default the widest, and a fan of several.

    >>> interval_name(), interval_name(0.5, 0.8, 0.9)
    ('90 % equal-tailed interval', '50, 80 and 90 % equal-tailed interval')
    """
    *others, last = (f"{100 * p:.6g}" for p in probs or PROBABILITIES[-1:])
    return f"{', '.join(others)}{' and ' if others else ''}{last} % equal-tailed interval"


def axis_label(title: str, unit: str) -> str:
    """Text of an axis: what it shows, and its unit in brackets (a ratio is shown in per cent).

    >>> axis_label("Smuggled mass", "kt"), axis_label("Import dependence", "1")
    ('Smuggled mass (kt)', 'Import dependence (%)')
    """
    return f"{title} ({'%' if unit in ('1', '%') else unit})" if unit else title


MPL_STYLE: Any = {
    **dict.fromkeys(("figure.facecolor", "savefig.facecolor", "axes.facecolor"), GROUND),
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), INK),
    **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), MUTED),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 8),
    **dict.fromkeys(("font.size", "axes.labelsize"), 9),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.6,
    "font.family": "sans-serif",
    "figure.dpi": 110,
    "text.parse_math": False,  # a name with two dollar signs is no formula
}
"""Settings of matplotlib, for ``matplotlib.rc_context``."""
