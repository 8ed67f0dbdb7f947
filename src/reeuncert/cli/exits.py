"""How a command ends: the status of each kind of ending, and errors as plain text instead of a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from reeuncert.errors import ReeUncertError

FAILED_CHECK = 1
BAD_INPUT = 2
INTERRUPTED = 130


def visible(text: str) -> str:
    r"""Text that moves no cursor: all that cannot be seen, but for line breaks, is escaped.

    Examples
    --------
    >>> print(visible("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


@contextmanager
def guarded() -> Iterator[None]:
    """Errors that the user can do something about are printed and end the command with status 2; Ctrl-C with 130."""
    try:
        yield
    except ReeUncertError as error:
        print(f"Error: {visible(str(error))}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt as interrupt:
        reason = f" ({interrupt})" if str(interrupt) else ""
        print(f"Interrupted: nothing was written{reason}.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
