"""`reeuncert compare`: the headlines of two results, and what differs between them."""

from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

import reeuncert as ree
from reeuncert.cli.terminal import console, plain_table, tell
from reeuncert.files import explained, whole, write_whole
from reeuncert.indicators.printing import unit_of, value
from reeuncert.indicators.stored import read_results
from reeuncert.plots.comparison import plot_comparison
from reeuncert.questions.comparison import Comparison
from reeuncert.result.io import csv_text

MOST = 15
"""Differences that are printed; all of them are in the file."""


def run_compare(a: str, b: str, out: Path | None) -> None:
    """Compare, print, and write tables and figure if a folder is given."""
    short = tuple(Path(path).name or path for path in (a, b))
    names = _apart(short) or _apart((a, b)) or ("first", "second")
    found = ree.compare(read_results(a), "published" if b == "published" else read_results(b), names=names)
    page = console()
    page.print(_headlines(found))
    page.print()
    page.print(Text(repr(found)))
    for row in found.differences.head(MOST).to_dict("records"):
        place = " ".join(str(row[c]) for c in ("what", "record", "field") if row[c])
        page.print(Text(f"    {place}: {row['a'] or '(none)'} → {row['b'] or '(none)'}"))
    if len(found.differences) > MOST:
        page.print(Text(f"    … and {len(found.differences) - MOST} more; --out FOLDER writes all of them"))
    if out is not None:
        _write(found, out)
        tell(f"Files in {out}: comparison.csv, differences.csv, comparison.svg")


def _apart(names: tuple[str, ...]) -> tuple[str, str] | None:
    return (names[0], names[1]) if names[0] != names[1] else None


def _headlines(found: Comparison) -> Table:
    table = plain_table("headline", *found.names, "verdict", title="Median (90 % interval) ± Monte Carlo error")
    for row in found.table.to_dict("records"):
        sides = (Text(_cell(row, side)) for side in "ab")
        table.add_row(Text(str(row["headline"])), *sides, Text(str(row["verdict"])))
    return table


def _cell(row: dict[Any, Any], side: str) -> str:
    error = row[f"{side}_mcse_median"] * (100 if unit_of(row) == "1" else 1)
    return value(row, prefix=f"{side}_") + (f" ± {error:.2g}" if error > 0 else "")


def _write(found: Comparison, out: Path) -> None:
    with explained(f"cannot write '{out}'"):
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "comparison.csv", csv_text(found.table).encode())
        write_whole(out / "differences.csv", csv_text(found.differences).encode())
        with whole(out / "comparison.svg") as beside:
            plot_comparison(found).savefig(beside, format="svg")
