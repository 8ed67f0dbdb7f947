"""Draw boards in the library that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reeuncert.errors import ReeUncertError
from reeuncert.plots.panels import Board
from reeuncert.plots.style import check_backend, theme_of

MOST_PANELS = 40


def render(board: Board, backend: str, theme: str) -> Any:
    """Draw a board in matplotlib or Plotly."""
    return render_steps({"": board}, "", backend, theme)


def render_steps(boards: Mapping[str, Board], start: str, backend: str, theme: str) -> Any:
    """Draw boards of the same panels by the label of their step, such as those of several years, in Plotly with a
    slider that begins at ``start``; matplotlib draws only one.
    """
    check_backend(backend)
    colours = theme_of(theme)
    for board in boards.values():
        if not board.panels:
            raise ValueError(f"'{board.title}' has nothing to draw: no quantity of this kind exists in the system")
        if len(board.panels) > MOST_PANELS:
            raise ValueError(
                f"'{board.title}' would have {len(board.panels)} panels (at most {MOST_PANELS}); "
                "choose fewer labels by coords"
            )
    if backend == "plotly":
        from reeuncert.plots.draw_plotly import draw_steps

        return draw_steps(boards, start, colours)
    if len(boards) > 1:
        raise ReeUncertError("a matplotlib figure shows one year: give one by coords, or use backend='plotly'")
    from reeuncert.plots.draw_matplotlib import draw_board

    return draw_board(boards[start], colours)
