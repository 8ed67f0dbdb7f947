"""Exit statuses of commands, and errors as plain text; loads little: it must work where nothing else can be loaded."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from reeuncert.errors import ReeUncertError
from reeuncert.files import cause

if TYPE_CHECKING:
    from reeuncert.result.result import Result

FAILED_CHECK = 1
BAD_INPUT = 2
INTERRUPTED = 130


def visible(text: str) -> str:
    r"""Escape all invisible characters except line breaks, so that text cannot move the cursor.

    >>> print(visible("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def status_of(result: "Result") -> int:
    """Status of a command whose files are written: 1 if a part of them could not be made, which is named."""
    from reeuncert.checks import check_table

    failed = check_table(result).not_run
    for part in failed:
        print(visible(f"{part.name}: {part.message}"), file=sys.stderr)
    return FAILED_CHECK if failed else 0


@contextmanager
def guarded(first: str = "") -> Iterator[None]:
    """Print errors that the user can fix, and exit with status 2 (Ctrl-C: 130); `first` is shown before all loading."""
    try:
        if first:
            print(first, file=sys.stderr, flush=True)
        yield
    except ReeUncertError as error:
        print(f"Error: {visible(str(error))}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt as interrupt:
        reason = f" ({interrupt})" if str(interrupt) else ""
        print(f"Interrupted: nothing was written{reason}.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


def hand_over(function: str, options: Mapping[str, Any], first: str = "") -> NoReturn:
    """Do a command by a function of this folder (``MODULE.NAME``), which is loaded only now. It takes the options of
    the command by their names, and returns the exit status (None: 0).
    """
    with guarded(first):
        module, _, name = function.partition(".")
        raise typer.Exit(getattr(import_module(f"reeuncert.cli.{module}"), name)(**options) or 0)


@contextmanager
def whole_command() -> Iterator[None]:
    """Exit with one line on system errors outside a command: output, memory, loading of code."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("Interrupted: nothing was written.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # the reader of our output closed the pipe, e.g. `| head`
        _drop_output()
        raise SystemExit(0) from None
    except (MemoryError, SystemError):  # C code that runs out of memory may raise the second
        _end("there is not enough memory; close other programs or raise the limit (ulimit -v), or keep fewer draws")
    except OSError as error:
        _drop_output()
        named = f" ('{error.filename}')" if error.filename else ""
        told = cause(error).split(". ")[0][:200]
        _end(f"the system refused to read or write{named}: {told}; check the folder, the disk and the memory")
    except ImportError as error:
        text = " ".join(str(error).split())[:200]
        _end(f"a part of the program cannot be loaded ({text}); give it more memory (ulimit -v), or install it again")


def _end(reason: str) -> None:
    print(f"Error: {visible(reason)}", file=sys.stderr)
    raise SystemExit(BAD_INPUT) from None


def _drop_output() -> None:
    """Discard buffered standard output, which Python would otherwise write again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
