"""Commands on stored results: `reeuncert compare` and `reeuncert counterfactual`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

import reeuncert as ree
from reeuncert.cli.terminal import console, plain_table, tell
from reeuncert.counterfactuals import NoTrade, lost_consumption, run_counterfactual
from reeuncert.counterfactuals.lost import ALL, DRAWS, STOPS, leading, supplier_stops, write_stops
from reeuncert.counterfactuals.run import BY
from reeuncert.files import explained, whole, write_whole
from reeuncert.indicators.printing import unit_of, value
from reeuncert.indicators.stored import read_results
from reeuncert.report.words import structure_of_figures
from reeuncert.result.io import csv_text
from reeuncert.result.result import Result
from reeuncert.words.cells import as_words
from reeuncert.words.estimates import estimate, number

MOST = 15  # differences that are printed; all of them are in the file


def run_compare(a: str, b: str, out: Path | None) -> None:
    """Compare, print, and write tables and figure if a folder is given."""
    short = (Path(a).name or a, Path(b).name or b)
    names = next(pair for pair in (short, (a, b), ("first", "second")) if pair[0] != pair[1])
    dt = read_results(a)
    found = ree.compare(dt, "published" if b == "published" else read_results(b), names=names)
    table = plain_table("headline", *found.names, "verdict", title="Median (90 % interval) ± Monte Carlo error")
    for row in found.table.to_dict("records"):
        table.add_row(str(row["headline"]), _cell(row, "a"), _cell(row, "b"), str(row["verdict"]))
    page = console()
    page.print(table)
    page.print()
    page.print(repr(found))
    if b == "published" and (structure := structure_of_figures(Result(dt))):
        page.print(f"Structure {structure}.")
    for row in found.differences.head(MOST).to_dict("records"):
        place = " ".join(str(row[c]) for c in ("what", "record", "field") if row[c])
        page.print(f"    {place}: {row['a'] or '(none)'} → {row['b'] or '(none)'}")
    if len(found.differences) > MOST:
        page.print(f"    … and {len(found.differences) - MOST} more; --out FOLDER writes all of them")
    if out is not None:
        from reeuncert.plots.comparison import plot_comparison

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


FIGURES = ("consumption", "lost", "part of it lost (%)")


def show_counterfactual(results: Path, name: str, *, year: int | None, by: str | None, out: Path | None) -> None:
    """Compute no trade, or the stop of each supplier; print the lost consumption, and write the table if requested."""
    suppliers = name == "supplier-stops"
    names = [part.strip() for part in (("region" if suppliers else "region,product") if by is None else by).split(",")]
    dt = read_results(results, variables={"posterior": ["mass_flow"]})
    if suppliers:
        table = supplier_stops(dt, by=names, year=year)
        _show_suppliers(table)
        if out is None:
            folder = results if results.is_dir() else results.parent
            with explained(f"cannot write '{folder / STOPS}'", "name another place by --out"):
                write_stops(folder, table, dt)
            tell(f"Table: {folder / STOPS}; in the report: reeuncert report {results}")
    else:
        world = run_counterfactual(dt, NoTrade(), year=year)
        table = lost_consumption(world, by=names)
        _show(world, table)
    if out is not None:
        with explained(f"cannot write '{out}'", "choose another place"):
            write_whole(out, csv_text(table).encode())
        tell(f"Table: {out}")


def _show(world: xr.DataTree, table: pd.DataFrame) -> None:
    page = console()
    unit = str(table["unit"].iloc[0])
    page.print()
    said = world.attrs
    page.print(f"Consumption lost in {said['counterfactual_year']}: {said['counterfactual']}", style="bold")
    page.print(f"{said['counterfactual_rule']}; medians with 90 % equal-tailed intervals, masses in {unit}")
    labels = [c for c in BY if c in table]
    shown = plain_table(*map(as_words, labels), figures=FIGURES)
    for record in table.to_dict("records"):
        bold = "bold" if len(labels) > 1 and record[labels[-1]] == ALL else None
        cells = [*(str(record[label]) for label in labels), number(record["consumption"]), *_lost(record)]
        shown.add_row(*cells, style=bold)
    page.print(shown)


def _show_suppliers(table: pd.DataFrame) -> None:
    """The supplier whose stop most likely costs each region most, and others with a chance of it above 5 %."""
    page = console()
    year, unit = table.loc[0, ["year", "unit"]]
    page.print(f"Consumption lost in {year} if a region stops all exports", style="bold")
    page.print(f"medians with 90 % equal-tailed intervals, masses in {unit}; of {DRAWS} draws at most")
    labels = [name for name in (*BY, "supplier") if name in table]
    shown = plain_table(*map(as_words, labels), figures=(*FIGURES, "costs most (%)"))
    for record in leading(table).to_dict("records"):
        cells = *(record[label] for label in labels), number(record["consumption"]), *_lost(record)
        shown.add_row(*map(str, cells), f"{100 * record['costs_most']:.0f}")
    page.print(shown)


def _lost(record: Mapping[Any, Any]) -> list[str]:
    """Loss and its part of consumption in per cent, each with its interval."""
    return [
        estimate(*(factor * record[f"{part}{c}"] for c in ("median", "eti90_lb", "eti90_ub")))
        for part, factor in (("", 1), ("share_", 100))
    ]
