"""Terminal output at the end of a run: headlines, values by year, verdict of the checks, files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reeuncert.checks import CheckTable
from reeuncert.checks.result import shown
from reeuncert.checks.structures import LABELS, labelled, open_ranges
from reeuncert.cli.terminal import console
from reeuncert.report.findings import MEANING, Findings
from reeuncert.report.shown import heading, interval, span
from reeuncert.result.learning import MOSTLY, PARTLY

STYLES = {"passed": "green", "failed": "bold red", "warning": "yellow", "information": "dim", "not run": "bold red"}
_COLUMN = 24


def show_findings(findings: Findings, out: Path, files: Sequence[Path]) -> None:
    """Print headlines, values by year, the verdict of the checks, and the files."""
    page = console()
    page.print()
    page.print(Text(findings.case.title, style="bold"))
    if findings.approximate:
        page.print(Text("Approximate: a quick look that has not converged; quote nothing of it.", style="bold yellow"))
    findings.part("headlines in the terminal", lambda: _show_headlines(findings, page))
    findings.part("years in the terminal", lambda: _show_years(findings, page))
    show_checks(findings.told, page)
    page.print()
    page.print(Text(f"Files in {out}: {', '.join(p.name for p in files)}"), soft_wrap=True)
    page.print(Text(f"Read it: {out / 'report.html'}", style="bold"), soft_wrap=True)


def show_checks(checks: CheckTable, page: Console) -> None:
    """Print the verdict of every check."""
    table = Table(title=f"Checks: {checks.verdict}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("verdict", "check", "value", "wanted", ""):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for r in checks:
        told = "" if r.status == "passed" else r.message
        cells = (Text(r.status, style=STYLES[r.status]), r.name, shown(r.value), r.threshold, told)
        table.add_row(*(c if isinstance(c, Text) else Text(c) for c in cells))
    page.print()
    page.print(table)


def _show_headlines(findings: Findings, page: Console) -> None:
    page.print()
    table = findings.headlines
    ranges = open_ranges(findings.dt)
    for (_, row), labels in zip(table.iterrows(), labelled(table)[LABELS].itertuples(index=False), strict=True):
        told = ", ".join(MEANING[mark] for mark in findings.marks(row))
        page.print(Padding(Text(f"• {row['sentence']}" + (f" [{told}]" if told else "")), (0, 0, 0, 1)))
        if tuple(labels) in ranges:
            text = f"Not identified by these data: {span(row, *ranges[tuple(labels)])} over the rival structures."
            page.print(Padding(Text(text, style="yellow"), (0, 0, 0, 3)))


def _show_years(findings: Findings, page: Console) -> None:
    """One column per headline indicator, as many as the terminal width allows."""
    series = findings.series()
    if not series:
        return
    page.print()
    page.print(Text("Year by year: median (90 % equal-tailed interval)", style="bold"))
    page.print(
        Text(
            f"* has not converged   p rests on the prior, (p) partly (interval at least {MOSTLY:g}, or {PARTLY:g}, "
            "times as wide as the prior's; of masses on the log scale)",
            style="dim",
        )
    )
    beside = max(1, (page.width - 6) // (_COLUMN + 2))
    for start in range(0, len(series), beside):
        table = Table(box=None, pad_edge=False)
        table.add_column("year")
        part = series[start : start + beside]
        for rows in part:
            table.add_column(heading(rows.iloc[0]), min_width=_COLUMN, max_width=_COLUMN, overflow="fold")
        values = [
            {int(row["year"]): f"{interval(row)} {''.join(findings.marks(row))}".rstrip() for _, row in rows.iterrows()}
            for rows in part
        ]
        for year in sorted(set().union(*values)):
            table.add_row(str(year), *(Text(column.get(year, "")) for column in values))
        page.print(table)
        page.print()
