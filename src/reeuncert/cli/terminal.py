"""Terminal output and the list of cases; imports neither a sampler nor pandas."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reeuncert.case.records import Case


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
