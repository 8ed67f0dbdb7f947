"""Draw boards in the library that is asked for; what the docstrings of all figures say."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from reeuncert.errors import ReeUncertError
from reeuncert.plots.panels import Board
from reeuncert.plots.style import BACKENDS, BOARD, theme_of

MOST_PANELS = 40

_SECTIONS = """
Parameters
----------
{shared}
    See `{data}`.
backend
    ``"matplotlib"`` or ``"plotly"``.
theme
    ``"light"`` or ``"dark"``.
{own}
Returns
-------
matplotlib.figure.Figure or plotly.graph_objects.Figure

Raises
------
ReeUncertError
    As `{data}`, or if these data cannot be drawn.
"""


def figure_of[**P, R](data: Callable[..., object], **own: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Complete the docstring of the ``plot_x`` that draws the table `data`; `own` describes its further arguments."""

    def described(plot: Callable[P, R]) -> Callable[P, R]:
        takes = inspect.signature(data).parameters
        shared = ", ".join(name for name in inspect.signature(plot).parameters if name in takes)
        further = "".join(f"{name}\n    {text}\n" for name, text in own.items())
        sections = _SECTIONS.format(shared=shared, data=getattr(data, "__name__", ""), own=further)
        plot.__doc__ = f"{inspect.getdoc(plot)}\n{sections}"
        return plot

    return described


def render(board: Board, backend: str, theme: str) -> Any:
    """Draw a board in matplotlib or Plotly, or return it."""
    return render_steps({"": board}, "", backend, theme)


def render_steps(boards: Mapping[str, Board], start: str, backend: str, theme: str) -> Any:
    """Draw boards of the same panels by the label of their step: in Plotly with a slider, in matplotlib only one."""
    if backend not in (*BACKENDS, BOARD):
        raise ValueError(f"backend is {backend!r}; there are: {', '.join(BACKENDS)}")
    colours = theme_of(theme)
    for board in boards.values():
        if not board.panels:
            raise ValueError(f"'{board.title}' has nothing to draw: no quantity of this kind exists in the system")
        if len(board.panels) > MOST_PANELS:
            raise ValueError(
                f"'{board.title}' would have {len(board.panels)} panels (at most {MOST_PANELS}); "
                "choose fewer labels by coords"
            )
    if backend == BOARD:
        return boards[start] if len(boards) == 1 else dict(boards)
    if backend == "plotly":
        from reeuncert.plots.draw_plotly import draw_steps

        return draw_steps(boards, start, colours)
    if len(boards) > 1:
        raise ReeUncertError("a matplotlib figure shows one year: give one by coords, or use backend='plotly'")
    from reeuncert.plots.draw_matplotlib import draw_board

    return draw_board(boards[start], colours)
