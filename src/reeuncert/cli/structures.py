"""`reeuncert structures`: headlines under the rival structures of a case."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xarray as xr
from rich.table import Table

from reeuncert.cli.exits import status_of
from reeuncert.cli.terminal import console, parse_options
from reeuncert.files import explained, write_whole
from reeuncert.result.io import csv_text
from reeuncert.result.structures import LABELS, Structures, add_structures
from reeuncert.studies.jobs import FitOptions
from reeuncert.studies.rivals import compare_structures, run_rivals
from reeuncert.validation.reader import read_case


def run_structures(case: str, options: Sequence[str], *, draws: int | None, seed: int, out: Path | None) -> None:
    """Compare, print, and write the table of medians and intervals if a file is given."""
    show_structures(compare_structures(read_case(case, **parse_options(options)), **_asked(draws, seed)), out)


def store_structures(results: Path, *, draws: int | None, seed: int, out: Path | None) -> int:
    """Run the rival structures of a result's case, store the headlines under each in it, and write its files again."""
    from reeuncert.report.files import revise_results

    def with_structures(dt: xr.DataTree) -> xr.DataTree:
        found = run_rivals(dt, **_asked(draws, seed))
        show_structures(found, out)
        return add_structures(dt, found)

    result = revise_results(results, with_structures)
    console().print(f"Stored in {results}, with its checks and report.", highlight=False, soft_wrap=True)
    return status_of(result)


def _asked(draws: int | None, seed: int) -> FitOptions:
    return {"seed": seed} if draws is None else {"seed": seed, "draws": draws}


def show_structures(found: Structures, out: Path | None) -> None:
    """Print headlines under each structure and their averages, and write the former if a file is given."""
    console().print(_table(found))
    for name, why in zip(found.names, found.data["why"].values, strict=True):
        if name not in found.averaged:
            console().print(f"Not in the average: {name}. {why}", highlight=False)
    if out is not None:
        with explained(f"cannot write '{out}'"):
            write_whole(out, csv_text(found.table()).encode("utf-8"))
        console().print(f"Table: {out}", highlight=False, soft_wrap=True)


def _table(found: Structures) -> Table:
    table = Table(title="Median (90 % interval) under each structure, and their average", show_lines=False)
    for heading in ("headline", *found.names, "average", "verdict"):
        table.add_column(heading, overflow="fold")
    own = found.table()
    for row in found.averages().to_dict("records"):
        cells = own[(own[LABELS] == pd.Series({c: row[c] for c in LABELS})).all(axis=1)].to_dict("records")
        shown = [f"{c['median']:.3g} ({c['eti90_lb']:.3g} to {c['eti90_ub']:.3g})" for c in (*cells, row)]
        table.add_row(" ".join(str(row[c]) for c in LABELS if str(row[c])), *shown, str(row["verdict"]))
    return table
