"""Output of commands in a terminal: options, exit statuses, errors as plain text; loads neither sampler nor pandas."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reeuncert.case.records import Case
from reeuncert.errors import CaseError, Problem, ReeUncertError
from reeuncert.files import cause
from reeuncert.words.cells import shown

if TYPE_CHECKING:
    from reeuncert.result.result import Result


def console() -> Console:
    """Console on standard output; colours and window width only if it is a terminal."""
    return Console()


def show_cases(cases: Iterable[Case]) -> None:
    """Print the name, title, size and switches of cases."""
    table = Table(box=None, pad_edge=False)
    for column in ("case", "what it is", "years", "flows", "figures", "options (default first)"):
        table.add_column(column, overflow="fold")
    for case in cases:
        options = "; ".join(
            f"{name}={'|'.join([chosen, *(c for c in case.option_choices[name] if c != chosen)])}"
            for name, chosen in case.options.items()
        )
        years = f"{case.system.years[0]}-{case.system.years[-1]}"
        row = (case.name, case.title, years, str(len(case.system.flows)), str(len(case.evidence)), options)
        table.add_row(*(Text(cell) for cell in row))
    console().print(table)


FAILED_CHECK = 1
BAD_INPUT = 2
INTERRUPTED = 130


def visible(text: str) -> str:
    r"""Escape all invisible characters except line breaks, so that text cannot move the cursor.

    Examples
    --------
    >>> print(visible("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in text)


def status_of(result: Result) -> int:
    """Status of a command whose files are written: 1 if a part of them could not be made, which is named."""
    from reeuncert.checks.registry import verdicts

    failed = verdicts(result).not_run
    for part in failed:
        print(visible(f"{part.name}: {part.message}"), file=sys.stderr)
    return FAILED_CHECK if failed else 0


@contextmanager
def guarded() -> Iterator[None]:
    """Print errors that the user can fix and exit with status 2; with 130 on Ctrl-C."""
    try:
        yield
    except ReeUncertError as error:
        print(f"Error: {visible(str(error))}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt as interrupt:
        reason = f" ({interrupt})" if str(interrupt) else ""
        print(f"Interrupted: nothing was written{reason}.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


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


def parse_options(given: Iterable[str]) -> dict[str, str]:
    """Split ``name=value`` pairs.

    Examples
    --------
    >>> parse_options(["gap_structure=flat"])
    {'gap_structure': 'flat'}
    """
    chosen: dict[str, str] = {}
    problems = []
    for pair in given:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or not value:
            problems.append(Problem("--option", 0, "", f"{shown(pair)} is not a choice; write --option name=value"))
        elif name in chosen:
            problems.append(Problem("--option", 0, "", f"option {shown(name)} is given twice; keep one of them"))
        chosen[name] = value
    if problems:
        raise CaseError(problems)
    return chosen
