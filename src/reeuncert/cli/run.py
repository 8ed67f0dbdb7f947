"""`reeuncert run`: the options of the command, and what it prints."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reeuncert.case.records import Case
from reeuncert.cli.exits import FAILED_CHECK, INTERRUPTED, status_of, visible
from reeuncert.cli.terminal import parse_options
from reeuncert.files import named
from reeuncert.machine import keep_freed_memory
from reeuncert.validation.reader import read_case

if TYPE_CHECKING:
    from reeuncert.result.result import Result

SHOWN_WARNINGS = 3


def run_case(
    case: str,
    *,
    option: Sequence[str] | None = None,
    out: Path | None = None,
    strict: bool = False,
    tables: bool = False,
    **settings: Any,
) -> int:
    """Run a case with ``name=value`` of its switches and the settings of `reeuncert.run`, print what was found, and
    return the exit status. The folder is by default ``results/CASE``; strict: a failed check is a failure; tables: the
    yearly tables and all checks are printed too.
    """
    options = option or []
    found = None if settings.get("quiet") else _checked(case, options)
    if found is None:
        found = read_case(case, **parse_options(options))
    from reeuncert.running import run

    keep_freed_memory()
    out = out if out is not None else Path("results") / found.name
    result = run(found, out=out, command=_command_line(), **settings)
    if not settings.get("quiet"):
        from reeuncert.cli.show import show_result

        show_result(result, out, tables=tables)
    return _status(result, out, strict=strict)


def _status(result: "Result", out: Path, *, strict: bool) -> int:
    if not result.complete:
        print(f"Interrupted: the draws made until then were kept, in {out}.", file=sys.stderr)
        return INTERRUPTED
    from reeuncert.checks import check_table

    return status_of(result) or (FAILED_CHECK if strict and not check_table(result).passed else 0)


def _checked(name: str, options: Sequence[str]) -> Case | None:
    """The case if it can be used; tells the first warnings of `reeuncert check`, and how many there are."""
    from reeuncert.validation.report import check_case

    report = check_case(name, **parse_options(options))
    found = report.warnings
    if found:
        plural = "" if len(found) == 1 else "s"
        chosen = "".join(f" --option {option}" for option in options)
        text = [f"{len(found)} warning{plural}; `reeuncert check {name}{chosen}` lists all:"]
        text += [f"  {warning}" for warning in found[:SHOWN_WARNINGS]]
        print(visible("\n".join(text)), file=sys.stderr, flush=True)
    return report.case


def _command_line() -> str:
    """The command line, without user folders."""
    typed = (arg.rpartition("=") for arg in sys.argv[1:])
    return shlex.join(["reeuncert", *(f"{before}{equals}{named(value)}" for before, equals, value in typed)])
