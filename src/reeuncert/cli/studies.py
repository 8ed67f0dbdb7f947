"""Studies on the command line: rival structures, leave-out, calibration and sensitivity."""

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Unpack

import pandas as pd
import xarray as xr
from rich.table import Table

from reeuncert.calibration.result import COVERAGES, Calibration
from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.cli.exits import FAILED_CHECK, status_of
from reeuncert.cli.terminal import console, parse_options, plain_table, tell
from reeuncert.edits.scenario import FILE, Scenario
from reeuncert.errors import CaseError, Problem, ReeUncertError
from reeuncert.files import expanded, explained, write_whole
from reeuncert.indicators.printing import value, value_title
from reeuncert.reading.bundled import find_case
from reeuncert.reading.tables import read_texts
from reeuncert.report.files import revise_results
from reeuncert.result.folder import output_folder
from reeuncert.result.io import csv_text
from reeuncert.result.left_out import LeftOut, add_left_out, left_out_of
from reeuncert.result.result import Result
from reeuncert.result.structures import Structures, add_structures
from reeuncert.studies.cache import Cache, cache_of
from reeuncert.studies.calibrate import calibrate
from reeuncert.studies.jobs import FitOptions, FitSettings, Job
from reeuncert.studies.rivals import run_rivals
from reeuncert.studies.scores import Folds, leave_out
from reeuncert.studies.sensitivity import plan_study, scenarios_asked, sensitivity
from reeuncert.studies.study import CHANGES, FAILED, Study
from reeuncert.validation.reader import read_case
from reeuncert.words.cells import quoted
from reeuncert.words.estimates import estimate, number, printed


def run_structures(results: Path, *, draws: int | None, seed: int, out: Path | None) -> int:
    """Fit the rival structures of a result, print the headlines under each, write the table if a file is given, and the
    files of the result again; returns the exit status.
    """
    asked: FitOptions = {"seed": seed} if draws is None else {"seed": seed, "draws": draws}

    def with_structures(dt: xr.DataTree) -> xr.DataTree:
        found = run_rivals(dt, **asked)
        show_structures(found, out)
        return add_structures(dt, found)

    return _revised(results, with_structures)


def _revised(results: Path, change: Callable[[xr.DataTree], xr.DataTree]) -> int:
    result = revise_results(results, change)
    tell(f"Stored in {results}, with its checks and report.")
    return status_of(result)


def show_structures(found: Structures, out: Path | None) -> None:
    """Print headlines under each structure and their averages, and write the former if a file is given."""
    table = Table(title="Median (90 % interval) under each structure, and their average", show_lines=False)
    for heading in ("headline", *found.names, "average", "verdict"):
        table.add_column(heading, overflow="fold")
    own = found.table()
    sides = (own[own["structure"] == name] for name in found.names)
    for *each, average in zip(*(side.to_dict("records") for side in (*sides, found.averages())), strict=True):
        table.add_row(value_title(average), *map(value, (*each, average)), str(average["verdict"]))
    console().print(table)
    for name, why in zip(found.names, found.data["why"].values, strict=True):
        if name not in found.averaged:
            console().print(f"Not in the average: {name}. {why}")
    if out is not None:
        with explained(f"cannot write '{out}'"):
            write_whole(out, csv_text(own).encode("utf-8"))
        tell(f"Table: {out}")


def run_leave_out(results: Path, folds: str, *, draws: int, tune: int, seed: int) -> int:
    """Cross-validate the case of a result, and write its files again with the predictions; returns the exit status."""
    asked = _folds(folds)

    def with_left_out(dt: xr.DataTree) -> xr.DataTree:
        case = Result(dt).case
        found = leave_out(case, asked, draws=draws, tune=tune, seed=seed)
        console().print(left_out_table(found))
        earlier = left_out_of(dt)
        scheme = set(found.rows["scheme"])
        kept = [] if earlier is None else [LeftOut(earlier.rows[~earlier.rows["scheme"].isin(scheme)])]
        return add_left_out(dt, *kept, found)

    return _revised(results, with_left_out)


def left_out_table(found: LeftOut) -> Table:
    """Coverage at each level, as a terminal table."""
    headings = ("figures", "level", "coverage (90 % interval)", "by the prior alone")
    table = plain_table("left out", figures=headings, title="Left-out figures inside central predictive intervals")
    shares = ("level", "coverage", "lower", "upper", "prior_coverage")
    for row in found.coverage().to_dict("records"):
        level, coverage, lower, upper, prior = (printed(row[name], ".0%") for name in shares)
        table.add_row(str(row["scheme"]), f"{row['figures']}", level, f"{coverage} ({lower} to {upper})", prior)
    if refused := (found.rows["refused"] != "").sum():
        table.caption = f"{refused} figures do not count: the fits without them have not converged; raise --draws."
        table.caption_justify = "left"
    return table


def _folds(text: str) -> Folds:
    if text == "sources" or text.isdecimal():
        return text if text == "sources" else int(text)
    path = expanded(text)
    if path.suffix.lower() != ".csv":
        message = (
            f"--folds is {quoted(text)}; give 'sources', a number of folds, or a CSV file with the columns row, fold"
        )
        raise ReeUncertError(message)
    return {row["row"]: row["fold"] for row in read_texts(path, path.name, ("row", "fold"))}


def run_calibration(
    *,
    case: str,
    option: list[str] | None,
    years: str,
    out: Path | None,
    simulations: int,
    **options: Unpack[FitOptions],
) -> None:
    """Calibrate a case, print the coverage, and write the tables where a folder is named."""
    whole = read_case(case, **parse_options(option or []))
    chosen = restrict(whole, years_of(years, whole)) if years else whole
    with ExitStack() as stack:
        staging = None if out is None else stack.enter_context(output_folder(out))
        found = calibrate(chosen, simulations=simulations, **options)
        console().print(coverage_table(found))
        left_out = int((~found.fits["used"]).sum())
        if left_out:
            console().print(f"{left_out} simulations left out: their draws are not independent enough (see fits).")
        if staging is not None:
            write_calibration(found, staging.place)
            for path in staging.commit():
                tell(f"Written: {path}")


def years_of(text: str, case: Case) -> list[int]:
    """``2009-2012`` or ``2010`` as years.

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
    headings = ("quantities", *(printed(p, ".0%") for p in COVERAGES), "outside the 95 % band")
    table = plain_table("", figures=headings, title=title)
    for row in found.coverage().to_dict("records"):
        shares = [
            f"{100 * row[f'coverage{100 * p:.0f}']:.0f} ± {100 * row[f'error{100 * p:.0f}']:.0f}" for p in COVERAGES
        ]
        table.add_row(str(row["kind"]), str(row["quantities"]), *shares, f"{100 * row['outside_band']:.0f} %")
    return table


def write_calibration(found: Calibration, folder: Path) -> list[Path]:
    """Write ``coverage``, ``coverage_by_group``, ``quantities`` and ``fits`` of a case as CSV, and its figure."""
    from reeuncert.plots.evidence import plot_calibration

    tables = {"coverage": found.coverage(), "coverage_by_group": found.coverage("group")}
    tables |= {"quantities": found.uniformity(), "fits": found.fits}
    written = []
    for name, table in tables.items():
        written.append(folder / f"{found.case_name}_{name}.csv")
        table.round(4).to_csv(written[-1], index=False)
    written.append(folder / f"{found.case_name}.png")
    plot_calibration(found).savefig(written[-1], dpi=110)
    return written


def run_sensitivity(
    *,
    case: str,
    option: list[str] | None,
    scenarios: Path | None,
    out: Path | None,
    dask: str | None,
    kept: Path | None,
    no_cache: bool,
    dry_run: bool,
    strict: bool,
    **options: Unpack[FitOptions],
) -> int:
    """Plan, fit missing scenarios, print, and write; returns the exit status."""
    options |= {"client": dask, "cache": False if no_cache else kept or True}
    base = read_case(case, **parse_options(option or []))
    file = scenarios or find_case(case) / FILE
    if not file.is_file():
        message = f"there is no file of scenarios at '{file}'; write one, and name it with --scenarios"
        raise CaseError([Problem(FILE, 0, "", message)])
    if dry_run:
        asked = scenarios_asked(None, file)
        jobs = plan_study(base, asked, FitSettings.of(options))
        _show_plan(asked, jobs, cache_of(options.get("cache", True)))
        return 0
    out = out or Path("results") / f"{base.name}_sensitivity"
    with output_folder(out) as staging:
        study = sensitivity(base, scenarios=file, **options)
        _write(study, staging.place)
        files = [path.name for path in staging.commit()]
    _show(study)
    tell(f"Files in {out}: {', '.join(files)}")
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


def _show_plan(scenarios: Iterable[Scenario], jobs: list[Job], cache: Cache) -> None:
    table = plain_table("scenario", "what is changed", "why", "kept")
    for scenario, job in zip(scenarios, jobs, strict=True):
        kept = "yes" if cache.has(job.key) else "no"
        table.add_row(scenario.name, scenario.what, scenario.why, kept)
    console().print(table)
    shapes = len({job.shape for job in jobs})
    structures = f"{shapes} structure{'s' if shapes > 1 else ''}"
    console().print(f"{len(jobs)} scenarios of {structures}; nothing was fitted.")


def _show(study: Study) -> None:
    """Table of headlines that change under a scenario, then failed scenarios."""
    page = console()
    for failed in study.failed.itertuples():
        print(f"Failed: {failed.scenario}: {failed.reason}", file=sys.stderr)
    if not study.has_base:
        print("The base was not fitted, so that nothing can be compared with it.", file=sys.stderr)
        return
    found = study.conclusions()
    changed = found.loc[found["verdict"] == CHANGES]
    count = found.groupby(["indicator", "region", "partner", "product", "year"]).ngroups
    page.print()
    if changed.empty:
        page.print(f"None of {count} headlines changes under any scenario.")
    else:
        title = "Headlines that change: a median outside the other's 90 % interval"
        table = plain_table("headline", "scenario", "base", "median (90 %)", title=title)
        for row in changed.to_dict("records"):
            shown = estimate(row["median"], row["eti90_lb"], row["eti90_ub"])
            table.add_row(value_title(row), str(row["scenario"]), number(row["base_median"]), shown)
        page.print(table)
    fitted = study.scenarios.loc[study.scenarios["status"] != FAILED]
    wrong = study.checks.loc[study.checks["status"] == "failed", "scenario"].nunique()
    page.print(f"{len(fitted)} of {len(study.scenarios)} scenarios fitted; checks failed in {wrong}.")
