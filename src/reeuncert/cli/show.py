"""Terminal output at the end of a run: answers, verdict of the checks, files; the yearly tables on request."""

from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.text import Text

from reeuncert.checks import CheckTable, check_table
from reeuncert.checks.result import CheckResult, short_number
from reeuncert.cli.terminal import console, plain_table, tell
from reeuncert.indicators.headlines import all_headlines
from reeuncert.indicators.printing import heading, headline_place, value
from reeuncert.indicators.registry import DIMS
from reeuncert.indicators.summary import all_indicators
from reeuncert.report.words import structure_of_figures
from reeuncert.result.diagnostics import unconverged
from reeuncert.result.learning import AS_WIDE, NARROW, PARTLY_NARROWER, WIDE
from reeuncert.result.result import Result
from reeuncert.result.verdicts import INFORMED

STYLES = {"passed": "green", "failed": "bold red", "warning": "yellow", "information": "dim", "not run": "bold red"}
_COLUMN = 24
ANSWER_LINES, CHECK_LINES, MESSAGE_LINES = 28, 16, 3
POOR = "*"
WIDTHS = {AS_WIDE: "w", PARTLY_NARROWER: "(w)"}  # how the interval compares with the prior's → mark of the value


def show_result(result: Result, out: Path, *, tables: bool = False) -> None:
    """Print the answers, the checks that need attention, and the files, in under 60 lines of 80 columns; with
    `tables`, all headlines with their reasons, values by year, and all checks too.
    """
    page = console()
    page.print()
    page.print(result.case.title, style="bold")
    if result.approximate:
        page.print("Approximate: a quick look that has not converged; quote nothing of it.", style="bold yellow")
    result.part("headlines in the terminal", lambda: _show_headlines(result, page, every=tables))
    if tables:
        result.part("years in the terminal", lambda: _show_years(result, page))
    show_checks(check_table(result), page, every=tables)
    page.print()
    tell(f"Files in {out}: {', '.join(p.name for p in result.files)}")
    page.print(f"Read it: {out / 'report.html'}", style="bold", soft_wrap=True)


def show_checks(checks: CheckTable, page: Console, *, every: bool = False) -> None:
    """Print the verdict and the checks that need attention, the worst first; with `every`, all."""
    page.print()
    page.print(f"Checks: {checks.verdict}", style="bold")
    pressing = (*checks.not_run, *checks.failed, *checks.warnings)
    lines = [line for check in (checks if every else pressing) for line in _check_lines(check, page, every=every)]
    _print_up_to(lines, None if every else CHECK_LINES, page, "more in checks.csv")


def _check_lines(check: CheckResult, page: Console, *, every: bool) -> list[Text]:
    number = f" {short_number(check.value)}" if short_number(check.value) else ""
    wanted = f" (wanted {check.threshold})" if check.threshold else ""
    first = Text.assemble((check.status, STYLES[check.status]), f" {check.name}:{number}{wanted}")
    if check.status == "passed":
        return [first]
    told = Text(check.message).wrap(page, page.width - 2)
    kept = told if every or len(told) <= MESSAGE_LINES else [*told[: MESSAGE_LINES - 1], Text("…")]
    return [first, *(Text.assemble("  ", line) for line in kept)]


def _show_headlines(result: Result, page: Console, *, every: bool) -> None:
    """The sentences, each with its verdict; with `every`, with its reason too."""
    page.print()
    lines: list[Text] = []
    table = result.once(all_headlines)
    for _, row in table.iterrows():
        poor = " [has not converged]" if POOR in marks(row) else ""
        told = Text(f"{row['sentence']}{poor}")
        if row["verdict"] != INFORMED:
            why = f"{row['verdict']}. {row['why']}" if every else row["verdict"]
            told.append(f" [{why}]", style=STYLES[row["level"]])
        wrapped = told.wrap(page, page.width - 3)
        lines += [Text.assemble("   " if k else " • ", line) for k, line in enumerate(wrapped)]
    _print_up_to(lines, None if every else ANSWER_LINES, page, "more: --tables, headlines.csv or the report")


def _print_up_to(lines: list[Text], limit: int | None, page: Console, more: str) -> None:
    kept = lines if limit is None or len(lines) <= limit else lines[:limit]
    for line in kept:
        page.print(line)
    if len(kept) < len(lines):
        page.print(f" … {more}", style="dim")


def _show_years(result: Result, page: Console) -> None:
    """One column per headline indicator, as many as the terminal width allows."""
    columns = series(result)
    if not columns:
        return
    page.print()
    page.print("Year by year: median (90 % equal-tailed interval)", style="bold")
    told = f"{POOR} has not converged   w, (w) interval at least {WIDE:g}, {NARROW:g} times as wide as the prior's"
    page.print(told, style="dim")
    if structure := structure_of_figures(result):
        page.print(f"Structure {structure}.", style="dim")
    beside = max(1, (page.width - 6) // (_COLUMN + 2))
    for start in range(0, len(columns), beside):
        table = plain_table("year")
        part = columns[start : start + beside]
        for rows in part:
            table.add_column(heading(rows.iloc[0]), min_width=_COLUMN, max_width=_COLUMN, overflow="fold")
        values = [
            {int(row["year"]): f"{value(row, unit=False)} {''.join(marks(row))}".rstrip() for _, row in rows.iterrows()}
            for rows in part
        ]
        for year in sorted(set().union(*values)):
            table.add_row(str(year), *(column.get(year, "") for column in values))
        page.print(table)
        page.print()


def series(result: Result) -> list[pd.DataFrame]:
    """For every indicator, region, partner and product of the headlines, its rows of all years, in their order."""
    found: dict[tuple[str, ...], pd.DataFrame] = {}
    every = result.once(all_indicators)
    for line in result.case.headlines:
        chosen = every[every["indicator"] == line.indicator]
        for dim, label in headline_place(line, result.case, result.years)[1].items():
            chosen = chosen[chosen[dim] == label]
        if len(chosen):
            key = (line.indicator, *(str(chosen[dim].iloc[0]) for dim in DIMS))
            found.setdefault(key, chosen.sort_values("year"))
    return list(found.values())


def marks(row: pd.Series) -> tuple[str, ...]:
    """Marks of one value: whether it has converged, and how wide its interval is against the prior's.

    >>> marks(pd.Series({"r_hat": 1.05, "ess_bulk": 900, "ess_tail": 900, "against_prior": AS_WIDE}))
    ('*', 'w')
    """
    return (
        *((POOR,) if unconverged(row) else ()),
        *(mark for word, mark in WIDTHS.items() if word == row["against_prior"]),
    )
