"""`reeuncert sensitivity`: a case under scenarios, and the headlines that change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from reeuncert.case.records import Case
from reeuncert.cli.exits import FAILED_CHECK
from reeuncert.cli.terminal import console, parse_options
from reeuncert.edits.scenario import FILE
from reeuncert.errors import CaseError, Problem
from reeuncert.files import write_whole
from reeuncert.reading.bundled import find_case
from reeuncert.result.folder import output_folder
from reeuncert.result.io import csv_text
from reeuncert.studies.cache import cache_of
from reeuncert.studies.jobs import FitSettings
from reeuncert.studies.sensitivity import Plan, plan_study, scenarios_asked, sensitivity
from reeuncert.studies.study import CHANGES, FAILED, Study
from reeuncert.validation.reader import read_case

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyRequest:
    """Options of the command."""

    case: str
    options: Sequence[str] = ()
    scenarios: Path | None = None
    out: Path | None = None
    draws: int = 500
    tune: int = 150
    chains: int = 2
    seed: int = 1
    jobs: int | None = None
    dask: str | None = None
    cache: Path | None = None
    no_cache: bool = False
    dry_run: bool = False
    strict: bool = False


def run_sensitivity(request: StudyRequest) -> int:
    """Plan, fit missing scenarios, print, and write; returns the exit status."""
    case = read_case(request.case, **parse_options(request.options))
    file = request.scenarios or find_case(request.case) / FILE
    if not file.is_file():
        message = f"there is no file of scenarios at '{file}'; write one, and name it with --scenarios"
        raise CaseError([Problem(FILE, 0, "", message)])
    if request.dry_run:
        settings = FitSettings(request.draws, request.tune, 1, request.chains, request.seed)
        _show_plan(plan_study(case, scenarios_asked(None, file), settings), request)
        return 0
    out = request.out or Path("results") / f"{case.name}_sensitivity"
    with output_folder(out) as staging:
        study = _made(case, file, request)
        _write(study, staging.place)
        files = [path.name for path in staging.commit()]
    _show(study)
    console().print(Text(f"Files in {out}: {', '.join(files)}"), soft_wrap=True)
    return FAILED_CHECK if request.strict and not study.passed else 0


def _made(case: Case, file: Path, request: StudyRequest) -> Study:
    return sensitivity(
        case,
        scenarios=file,
        draws=request.draws,
        tune=request.tune,
        chains=request.chains,
        seed=request.seed,
        jobs=request.jobs,
        client=request.dask,
        cache=False if request.no_cache else request.cache or True,
    )


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


def _show_plan(plan: Plan, request: StudyRequest) -> None:
    cache = cache_of(False if request.no_cache else request.cache or True)
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
    for row in changed.itertuples():
        labels = (row.indicator, row.region, row.partner, row.product, row.year or "cumulated")
        shown = f"{row.median:.3g} ({row.eti90_lb:.3g} to {row.eti90_ub:.3g})"
        cells = (" ".join(str(label) for label in labels if label), row.scenario, f"{row.base_median:.3g}", shown)
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table
