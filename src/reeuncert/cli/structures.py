"""`reeuncert structures`: headlines under the rival structures of a case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from reeuncert.case.reader import read_case
from reeuncert.cli.options import parse_options
from reeuncert.cli.show import console
from reeuncert.files import explained, write_whole
from reeuncert.posterior.io import csv_text
from reeuncert.sensitivity.structures import LABELS, StructureComparison, compare_structures, labelled


def run_structures(case: str, options: Sequence[str], *, draws: int | None, seed: int, out: Path | None) -> None:
    """Compare, print, and write the table of medians and intervals if a file is named."""
    found = compare_structures(read_case(case, **parse_options(options)), seed=seed, draws=draws, quiet=False)
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
