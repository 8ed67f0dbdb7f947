"""`reeuncert calibrate`: coverage of intervals over simulated truths, as printed table, CSV files and figure."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Unpack

import pandas as pd
from rich.table import Table

from reeuncert.calibration.result import COVERAGES, Calibration
from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.cli.terminal import console, parse_options
from reeuncert.errors import CaseError, Problem
from reeuncert.result.folder import output_folder
from reeuncert.studies.calibrate import calibrate
from reeuncert.studies.jobs import FitOptions
from reeuncert.validation.reader import read_case

DECIMALS = 4


def run_calibration(
    name: str, switches: Sequence[str], years: str, out: Path | None, simulations: int, **options: Unpack[FitOptions]
) -> None:
    """Calibrate a case, print the coverage, and write the tables where a folder is named."""
    case = read_case(name, **parse_options(switches))
    case = restrict(case, years_of(years, case)) if years else case
    with ExitStack() as stack:
        staging = None if out is None else stack.enter_context(output_folder(out))
        found = calibrate(case, simulations=simulations, **options)
        console().print(coverage_table(found))
        left_out = int((~found.fits["used"]).sum())
        if left_out:
            console().print(f"{left_out} simulations left out: their draws are not independent enough (see fits).")
        if staging is not None:
            write_calibration(found, staging.place)
            for path in staging.commit():
                console().print(f"Written: {path}", highlight=False, soft_wrap=True)


def years_of(text: str, case: Case) -> list[int]:
    """``2009-2012`` or ``2010`` as years.

    Examples
    --------
    >>> years_of("2017-2019", read_case("small_metal"))
    [2017, 2018, 2019]
    """
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        known = f"{case.system.years[0]}-{case.system.years[-1]}"
        raise CaseError([Problem("--years", 0, "", f"'{text}' is not a range of years; write e.g. --years {known}")])
    return list(range(int(first), int(last or first) + 1))


def coverage_table(found: Calibration) -> Table:
    """Coverage by class of quantities, as a terminal table."""
    title = f"{found.case_name}: truths inside central intervals, {found.simulations} simulations"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for heading in ("quantities", *(f"{p:.0%}" for p in COVERAGES), "outside the 95 % band"):
        table.add_column(heading, justify="right")
    for row in found.coverage().to_dict("records"):
        shares = [
            f"{100 * row[f'coverage{100 * p:.0f}']:.0f} ± {100 * row[f'error{100 * p:.0f}']:.0f}" for p in COVERAGES
        ]
        table.add_row(str(row["kind"]), str(row["quantities"]), *shares, f"{100 * row['outside_band']:.0f} %")
    return table


def write_calibration(found: Calibration, folder: Path) -> list[Path]:
    """Write ``coverage``, ``coverage_by_group``, ``quantities`` and ``fits`` of a case as CSV, and its figure."""
    from reeuncert.plots.calibration import plot_calibration

    tables: dict[str, pd.DataFrame] = {
        "coverage": found.coverage(),
        "coverage_by_group": found.coverage("group"),
        "quantities": found.uniformity(),
        "fits": found.fits,
    }
    written = []
    for name, table in tables.items():
        written.append(folder / f"{found.case_name}_{name}.csv")
        table.round(DECIMALS).to_csv(written[-1], index=False)
    written.append(folder / f"{found.case_name}.png")
    plot_calibration(found).savefig(written[-1], dpi=110)
    return written
