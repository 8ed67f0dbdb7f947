"""`reeuncert sensitivity`: a case under scenarios, and the headlines that change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from rich.table import Table
from rich.text import Text

from reeuncert.cli.exits import FAILED_CHECK
from reeuncert.cli.terminal import console, parse_options
from reeuncert.edits.scenario import FILE
from reeuncert.errors import CaseError, Problem
from reeuncert.files import write_whole
from reeuncert.indicators.printing import label_of
from reeuncert.reading.bundled import find_case
from reeuncert.result.folder import output_folder
from reeuncert.result.io import csv_text
from reeuncert.studies.cache import Cache, cache_of
from reeuncert.studies.jobs import FitOptions, FitSettings
from reeuncert.studies.sensitivity import Plan, plan_study, scenarios_asked, sensitivity
from reeuncert.studies.study import CHANGES, FAILED, Study
from reeuncert.validation.reader import read_case
from reeuncert.words.estimates import estimate, number

if TYPE_CHECKING:
    import pandas as pd


def run_sensitivity(
    name: str,
    switches: Sequence[str],
    scenarios: Path | None,
    out: Path | None,
    *,
    dry_run: bool,
    strict: bool,
    **options: Unpack[FitOptions],
) -> int:
    """Plan, fit missing scenarios, print, and write; returns the exit status."""
    case = read_case(name, **parse_options(switches))
    file = scenarios or find_case(name) / FILE
    if not file.is_file():
        message = f"there is no file of scenarios at '{file}'; write one, and name it with --scenarios"
        raise CaseError([Problem(FILE, 0, "", message)])
    if dry_run:
        plan = plan_study(case, scenarios_asked(None, file), FitSettings.of(options))
        _show_plan(plan, cache_of(options.get("cache", True)))
        return 0
    out = out or Path("results") / f"{case.name}_sensitivity"
    with output_folder(out) as staging:
        study = sensitivity(case, scenarios=file, **options)
        _write(study, staging.place)
        files = [path.name for path in staging.commit()]
    _show(study)
    console().print(Text(f"Files in {out}: {', '.join(files)}"), soft_wrap=True)
    return FAILED_CHECK if strict and not study.passed else 0


def _write(study: Study, out: Path) -> None:
    tables: dict[str, pd.DataFrame] = {
        "scenarios.csv": study.scenarios.drop(columns="trace"),
        "headlines.csv": study.headlines,
        "indicators.csv": study.table(),
        "checks.csv": study.checks,
    }
    if study.has_base:
        tables["conclusions.csv"] = study.conclusions()
    for name, table in tables.items():
        write_whole(out / name, csv_text(table).encode())
    study.write(out / "study.nc")


def _show_plan(plan: Plan, cache: Cache) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("scenario", "what is changed", "why", "kept"):
        table.add_column(column, overflow="fold")
    for scenario, job in zip(plan.scenarios, plan.jobs, strict=True):
        kept = "yes" if cache.has(job.key) else "no"
        table.add_row(*(Text(cell) for cell in (scenario.name, scenario.what, scenario.why, kept)))
    console().print(table)
    shapes = len({job.shape for job in plan.jobs})
    structures = f"{shapes} structure{'s' if shapes > 1 else ''}"
    console().print(f"{len(plan.jobs)} scenarios of {structures}; nothing was fitted.", highlight=False)


def _show(study: Study) -> None:
    """Table of headlines that change under a scenario, then failed scenarios."""
    page = console()
    for row in study.failed.itertuples():
        print(f"Failed: {row.scenario}: {row.reason}", file=sys.stderr)
    if not study.has_base:
        print("The base was not fitted, so that nothing can be compared with it.", file=sys.stderr)
        return
    found = study.conclusions()
    changed = found.loc[found["verdict"] == CHANGES]
    count = found.groupby(["indicator", "region", "partner", "product", "year"]).ngroups
    page.print()
    if changed.empty:
        page.print(f"None of {count} headlines changes under any scenario.", highlight=False)
    else:
        page.print(_changes(changed))
    fitted = study.scenarios.loc[study.scenarios["status"] != FAILED]
    wrong = study.checks.loc[study.checks["status"] == "failed", "scenario"].nunique()
    page.print(f"{len(fitted)} of {len(study.scenarios)} scenarios fitted; checks failed in {wrong}.", highlight=False)


def _changes(changed: pd.DataFrame) -> Table:
    table = Table(
        title="Headlines that change: a median outside the other's 90 % interval",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for column in ("headline", "scenario", "base", "median (90 %)"):
        table.add_column(column, overflow="fold")
    for row in changed.to_dict("records"):
        shown = estimate(row["median"], row["eti90_lb"], row["eti90_ub"])
        cells = (label_of(row), row["scenario"], number(row["base_median"]), shown)
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table
