"""`reeuncert structures`: headlines under the rival structures of a case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr
from rich.table import Table

from reeuncert.cli.exits import status_of
from reeuncert.cli.terminal import console, parse_options
from reeuncert.files import explained, write_whole
from reeuncert.result.io import csv_text
from reeuncert.studies.averaging import add_structures
from reeuncert.studies.jobs import FitOptions
from reeuncert.studies.rivals import (
    LABELS,
    StructureComparison,
    compare_structures,
    labelled,
    run_rivals,
    verdicts_over_structures,
)
from reeuncert.validation.reader import read_case


def run_structures(case: str, options: Sequence[str], *, draws: int | None, seed: int, out: Path | None) -> None:
    """Compare, print, and write the table of medians and intervals if a file is given."""
    found = compare_structures(read_case(case, **parse_options(options)), **_asked(draws, seed))
    show_comparison(found, out)


def store_structures(results: Path, *, draws: int | None, seed: int, out: Path | None) -> int:
    """Run the rival structures of a result's case, store the headlines under each in it, and write its files again."""
    from reeuncert.report.files import revise_results

    def with_structures(dt: xr.DataTree) -> xr.DataTree:
        table = run_rivals(dt, **_asked(draws, seed))
        show_comparison(StructureComparison(table, verdicts_over_structures(table), draws is None), out)
        return add_structures(dt, table)

    result = revise_results(results, with_structures)
    console().print(f"Stored in {results}, with its checks and report.", highlight=False, soft_wrap=True)
    return status_of(result)


def _asked(draws: int | None, seed: int) -> FitOptions:
    return {"seed": seed} if draws is None else {"seed": seed, "draws": draws}


def show_comparison(found: StructureComparison, out: Path | None) -> None:
    """Print headlines under each structure, and write the table if a file is given."""
    console().print(_table(found))
    if found.approximate:
        console().print("Short runs: medians are approximate; give --draws 1000 for runs that converge.")
    if out is not None:
        with explained(f"cannot write '{out}'"):
            write_whole(out, csv_text(found.table).encode("utf-8"))
        console().print(f"Table: {out}", highlight=False, soft_wrap=True)


def _table(found: StructureComparison) -> Table:
    choices = list(dict.fromkeys(found.table["structure"]))
    table = Table(title="Median (90 % interval) under each structure", show_lines=False)
    for heading in ("headline", *choices, "verdict"):
        table.add_column(heading, overflow="fold")
    keyed = labelled(found.table).set_index([*LABELS, "structure"])
    for row in found.verdicts.itertuples(index=False):
        labels = tuple(getattr(row, name) for name in LABELS)
        cells = [keyed.loc[(*labels, choice)] for choice in choices]
        shown = [f"{c['median']:.3g} ({c['eti90_lb']:.3g} to {c['eti90_ub']:.3g})" for c in cells]
        table.add_row(" ".join(str(label) for label in labels if str(label)), *shown, str(row.verdict))
    return table
