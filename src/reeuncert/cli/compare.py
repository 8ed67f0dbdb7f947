"""`reeuncert compare`: the headlines of two results, and what differs between them."""

from pathlib import Path
from typing import Any

from rich.text import Text

import reeuncert as ree
from reeuncert.cli.terminal import console, plain_table, tell
from reeuncert.files import explained, whole, write_whole
from reeuncert.indicators.printing import unit_of, value
from reeuncert.indicators.stored import read_results
from reeuncert.plots.comparison import plot_comparison
from reeuncert.result.io import csv_text

MOST = 15  # differences that are printed; all of them are in the file


def run_compare(a: str, b: str, out: Path | None) -> None:
    """Compare, print, and write tables and figure if a folder is given."""
    short = (Path(a).name or a, Path(b).name or b)
    names = next(pair for pair in (short, (a, b), ("first", "second")) if pair[0] != pair[1])
    found = ree.compare(read_results(a), "published" if b == "published" else read_results(b), names=names)
    table = plain_table("headline", *found.names, "verdict", title="Median (90 % interval) ± Monte Carlo error")
    for row in found.table.to_dict("records"):
        sides = (Text(_cell(row, side)) for side in "ab")
        table.add_row(Text(str(row["headline"])), *sides, Text(str(row["verdict"])))
    page = console()
    page.print(table)
    page.print()
    page.print(Text(repr(found)))
    for row in found.differences.head(MOST).to_dict("records"):
        place = " ".join(str(row[c]) for c in ("what", "record", "field") if row[c])
        page.print(Text(f"    {place}: {row['a'] or '(none)'} → {row['b'] or '(none)'}"))
    if len(found.differences) > MOST:
        page.print(Text(f"    … and {len(found.differences) - MOST} more; --out FOLDER writes all of them"))
    if out is not None:
        with explained(f"cannot write '{out}'"):
            out.mkdir(parents=True, exist_ok=True)
            write_whole(out / "comparison.csv", csv_text(found.table).encode())
            write_whole(out / "differences.csv", csv_text(found.differences).encode())
            with whole(out / "comparison.svg") as beside:
                plot_comparison(found).savefig(beside, format="svg")
        tell(f"Files in {out}: comparison.csv, differences.csv, comparison.svg")


def _cell(row: dict[Any, Any], side: str) -> str:
    error = row[f"{side}_mcse_median"] * (100 if unit_of(row) == "1" else 1)
    return value(row, prefix=f"{side}_") + (f" ± {error:.2g}" if error > 0 else "")
