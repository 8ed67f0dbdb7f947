"""Commands that fit a case again or change it: rival structures, leave-out, counterfactuals, calibration, scenarios."""

from pathlib import Path
from typing import Annotated

import typer

from reeuncert.cli.app import app
from reeuncert.cli.exits import hand_over
from reeuncert.cli.options import (
    DEFAULT_CASE,
    CaseArgument,
    Chains,
    Draws,
    Options,
    Results,
    RuleName,
    Seed,
    StockUse,
    Strict,
    TableFile,
    Thin,
    Tune,
)


@app.command()
def structures(
    case: CaseArgument = DEFAULT_CASE,
    out: TableFile = None,
    draws: Annotated[
        int | None, typer.Option(min=4, help="Draws of each of four chains; by default short, approximate runs.")
    ] = None,
    seed: Seed = 1,
    results: Annotated[
        Path | None, typer.Option(help="Folder of a run: use its case and store the comparison there.")
    ] = None,
    option: Options = None,
) -> None:
    """Fit a case under each of its rival structures and report which headlines hold under all of them."""
    hand_over("studies.run_structures", locals(), "Reading the case …")


@app.command("leave-out")
def leave_out(
    results: Results,
    folds: Annotated[
        str,
        typer.Option(
            help="sources: each lineage in turn; a number of folds; or a CSV file: row, fold (others stay in)."
        ),
    ] = "sources",
    draws: Draws = 300,
    tune: Tune = 150,
    seed: Seed = 1,
) -> None:
    """Refit a case without each of its sources, or folds of rows, and count how often what was left out falls in the
    predictive intervals. Stored in the results, with its checks and report.
    """
    hand_over("studies.run_leave_out", locals(), "Reading the result …")


@app.command()
def counterfactual(
    results: Results,
    name: Annotated[RuleName, typer.Argument(help="Which counterfactual to compute.")],
    year: Annotated[int | None, typer.Option(help="Year of the case; by default its last.")] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Row labels: some of region,product,end_use; by default region,product (supplier-stops: region)."
        ),
    ] = None,
    priority: Annotated[
        list[str] | None, typer.Option(help="End use that is served first; may be given several times, in order.")
    ] = None,
    capacity: Annotated[
        str, typer.Option(help="highest (best year so far), as_drawn, or a CSV file: region, stage, capacity.")
    ] = "highest",
    stocks: Annotated[StockUse, typer.Option(help="released: used up first.")] = "as_drawn",
    recorded_only: Annotated[
        bool, typer.Option("--recorded-only", help="Stop recorded trade only; unrecorded trade continues.")
    ] = False,
    origin: Annotated[str | None, typer.Option(help="Region that exports (export-stop).")] = None,
    destination: Annotated[str | None, typer.Option(help="Region that imports (export-stop).")] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Product that is stopped (export-stop); may be given several times.")
    ] = None,
    factor: Annotated[float | None, typer.Option(help="Remaining fraction of the flows (reduce).")] = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Which flows (reduce), e.g. quantity=trade.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the new capacity (add-capacity).")] = None,
    stage: Annotated[
        str | None, typer.Option(help="Stage of the new capacity: mining, separation, … (add-capacity).")
    ] = None,
    quantity: Annotated[float | None, typer.Option(help="Output per year of the new capacity (add-capacity).")] = None,
    out: TableFile = None,
) -> None:
    """Compute a counterfactual year on every draw: how much consumption would be lost?"""
    hand_over("stored.show_counterfactual", locals(), "Reading the result …")


@app.command()
def calibrate(
    case: CaseArgument = DEFAULT_CASE,
    years: Annotated[str, typer.Option(help="Use only these years, e.g. 2009-2012.")] = "",
    simulations: Annotated[int, typer.Option(min=2, help="Number of simulated data sets to fit.")] = 20,
    draws: Draws = 300,
    tune: Tune = 200,
    thin: Thin = 1,
    chains: Chains = 4,
    seed: Seed = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for tables and a figure; else only printed.")] = None,
    option: Options = None,
) -> None:
    """Simulation-based calibration: fit simulated truths and count how often intervals cover them.

    The whole bundled case takes about a minute per simulation; select fewer years with --years for a first test.
    """
    hand_over("studies.run_calibration", locals(), "Reading the case …")


@app.command()
def sensitivity(
    case: CaseArgument = DEFAULT_CASE,
    scenarios: Annotated[
        Path | None, typer.Option(help="TOML file of scenarios; by default scenarios.toml in the folder of the case.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the tables; by default results/CASE_sensitivity.")
    ] = None,
    draws: Draws = 300,
    tune: Tune = 150,
    chains: Chains = 4,
    seed: Seed = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; by default one for each core.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster to run on instead.")
    ] = None,
    kept: Annotated[Path | None, typer.Option("--cache", help="Folder where finished scenarios are cached.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not use the cache of finished scenarios.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and list the scenarios; fit nothing.")] = False,
    strict: Strict = False,
    option: Options = None,
) -> None:
    """Refit a case under scenarios and report which headlines change.

    Finished scenarios are cached: the same command continues a stopped study.
    """
    hand_over("studies.run_sensitivity", locals(), "Reading the case …")


@app.command()
def outlook(
    results: Annotated[
        str,
        typer.Argument(help="posterior.nc of a run, or its folder, or the name of a bundled case that was run here."),
    ] = DEFAULT_CASE,
    to: Annotated[
        int | None, typer.Option(help="Last year of the outlook; by default ten years after the case.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Name of a scenario of the plans; by default the first.")] = "",
    plans: Annotated[
        Path | None, typer.Option(help="Folder of plans; by default 'outlook' in the folder of the case.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; by default that of the result.")] = None,
    seed: Seed = 1,
    compare: Annotated[bool, typer.Option(help="Compare all scenarios, on some of the draws.")] = True,
    hindcast: Annotated[
        str,
        typer.Option(
            metavar="YEARS", help="Also forecast from these past years, e.g. 2012,2018, and score it: a fit for each."
        ),
    ] = "",
) -> None:
    """Look ahead: how sure is it that a dependence ends, when plans open late or never?"""
    hand_over("outlook.show_outlook", locals(), "Reading the result …")
