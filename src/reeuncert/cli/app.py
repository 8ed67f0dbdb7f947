"""All commands. The module of a command is imported only when the command runs."""

import io
import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from reeuncert.cli.exits import BAD_INPUT, guarded, hand_over, status_of, visible, whole_command
from reeuncert.cli.options import (
    DEFAULT_CASE,
    CaseArgument,
    Chains,
    CounterfactualName,
    Draws,
    ImporterName,
    Options,
    Results,
    SamplerName,
    Seed,
    Strict,
    TableFile,
    Thin,
    Tune,
)
from reeuncert.errors import OutputError

PAGE = "report.html"

app = typer.Typer(
    name="reeuncert",
    help="Balanced flows with credible intervals, from reported figures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from reeuncert import __version__

        print(f"reeuncert {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Estimates balanced material flows with credible intervals from reported figures."""


@app.command()
def run(
    case: CaseArgument = DEFAULT_CASE,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; by default results/CASE.")] = None,
    draws: Draws = 800,
    tune: Tune = 300,
    thin: Thin = 1,
    chains: Chains = 4,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed; the same seed gives the same draws. Always recorded.")
    ] = None,
    sampler: Annotated[SamplerName, typer.Option(help="How draws are made.")] = "hmc",
    preview: Annotated[
        bool, typer.Option("--preview", help="Make a fast, approximate run instead of a full one.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
    tables: Annotated[
        bool, typer.Option("--tables", help="Also print the reason for every verdict, yearly tables and all checks.")
    ] = False,
    strict: Strict = False,
    structures: Annotated[
        bool,
        typer.Option(
            "--structures/--no-structures",
            help="Also fit the rival structures of the case (short runs) and average the headlines.",
        ),
    ] = True,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Continue with the stored chains of an interrupted run; repeat its other options."
        ),
    ] = False,
    option: Options = None,
) -> None:
    """Sample a case and write draws, tables, checks and a report.

    Finished chains are stored in the result folder until all files are written. After a kill, a full disk or Ctrl-C,
    the same command with --resume samples only the missing chains (an incomplete chain starts again). On the same
    machine the draws are then bit-identical to those of an uninterrupted run; another machine may round differently
    and give other draws of the same posterior. A checkpoint of another case, setting, seed or version is refused.

    Exit status: 0; 1 if a check failed and --strict was given, or if a check, table, section or figure could not be
    made (it is named, the rest is written); 2 if the input cannot be used or the output cannot be written (earlier
    results are kept); 130 if interrupted (the draws made so far are kept).
    """
    hand_over("run.run_case", locals(), "" if quiet else f"Reading case '{case}' …")


@app.command()
def check(case: CaseArgument = DEFAULT_CASE, option: Options = None) -> None:
    """Report missing or invalid input in a case, and warnings. Samples nothing."""
    with guarded():
        from reeuncert.cli.terminal import parse_options
        from reeuncert.validation.report import check_case

        found = check_case(case, **parse_options(option or []))
        print(visible(str(found)))
        raise typer.Exit(0 if found.passed else BAD_INPUT)


@app.command()
def cases() -> None:
    """List the cases that ship with the package."""
    with guarded():
        from reeuncert.cli.terminal import show_cases
        from reeuncert.reading.bundled import bundled_cases, find_case
        from reeuncert.validation.reader import list_case

        show_cases([list_case(find_case(name)) for name in bundled_cases()])


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to create; its name becomes the name of the case.")],
) -> None:
    """Create a template case: all tables with invented figures, and a README."""
    with guarded():
        from reeuncert.cli.terminal import tell
        from reeuncert.reading.bundled import new_case

        made = new_case(folder)
        tell(f"Made {made}: read {made / 'README.md'}, then: reeuncert check {made}")


@app.command("import")
def import_(
    kind: Annotated[ImporterName, typer.Argument(help="What they are.")],
    files: Annotated[list[Path], typer.Argument(help="Files as they were downloaded.")],
    case: Annotated[str, typer.Option(help="Folder of the case.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Table of words; by default imports/KIND.csv in the folder of the evidence.")
    ] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(help="Read only this: the beginning of a code, or a part of a name; may be given several times."),
    ] = None,
) -> None:
    """Import files of a statistical office into the evidence of a case.

    The first time, a draft of the mapping table is written. Fill its column `to`, and run the command again: it writes
    evidence/KIND.csv and the sources. A newer file revises rows and shows what changed; earlier figures are kept.
    """
    with guarded():
        from reeuncert.importers.run import import_files

        print(visible(str(import_files(kind, files, case, mapping=mapping, products=product or []))))


@app.command()
def report(
    posterior: Results,
    out: Annotated[Path | None, typer.Option(help="File to write; by default report.html beside the result.")] = None,
) -> None:
    """Write the report of a stored result."""
    with guarded("Reading the result …"):
        from reeuncert.cli.terminal import tell
        from reeuncert.counterfactuals.lost import read_stops, stops_of
        from reeuncert.indicators.compute import with_indicators
        from reeuncert.indicators.stored import read_results
        from reeuncert.outlook.stored import outlook_of, read_told
        from reeuncert.report.page import write_page

        result = with_indicators(read_results(posterior))
        folder = posterior if os.path.isdir(posterior) else posterior.parent
        result.keep(outlook_of, read_told(folder, result))
        result.keep(stops_of, read_stops(folder, result.dt))
        path = write_page(result, out if out is not None else folder / "report.html")
        tell(f"Report: {path}")
        raise typer.Exit(status_of(result))


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="posterior.nc of a run, or the folder that holds it.")],
    b: Annotated[str, typer.Argument(help="Another one; or: published, the published values of the case.")],
    out: Annotated[Path | None, typer.Option(help="Folder for tables and figure; by default only printed.")] = None,
) -> None:
    """Compare two results: headlines with Monte Carlo error, and what differs in case, evidence and run."""
    hand_over("stored.run_compare", locals(), "Reading the results …")


@app.command("open")
def open_(
    results: Annotated[
        Path | None, typer.Argument(help="Folder of a run, or a page; by default the newest of results/*/.")
    ] = None,
) -> None:
    """Open the report of a run in the browser."""
    with guarded():
        if results is None:
            found = sorted(Path("results").glob(f"*/{PAGE}"), key=lambda page: page.stat().st_mtime)
            if not found:
                raise OutputError(f"there is no 'results/*/{PAGE}' here; give the folder of a run")
            results = found[-1]
        page = results / PAGE if results.is_dir() else results
        if not page.is_file():
            raise OutputError(f"there is no page '{page}'; give the folder of a run, or write it: `reeuncert report`")
        print(page)
        if not webbrowser.open(page.resolve().as_uri()):
            raise OutputError("no browser could be started here; open the file above in one")


@app.command()
def structures(
    results: Results,
    out: TableFile = None,
    draws: Annotated[
        int | None, typer.Option(min=4, help="Draws of each of four chains; by default short, approximate runs.")
    ] = None,
    seed: Seed = 1,
) -> None:
    """Fit the case of a result under each of its rival structures and report which headlines hold under all of them.
    Stored in the results, with its checks and report.
    """
    hand_over("studies.run_structures", locals(), "Reading the result …")


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
    name: Annotated[CounterfactualName, typer.Argument(help="Which counterfactual to compute.")],
    year: Annotated[int | None, typer.Option(help="Year of the case; by default its last.")] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Row labels: some of region,product,end_use; by default region,product (supplier-stops: region)."
        ),
    ] = None,
    out: TableFile = None,
) -> None:
    """Compute on every draw how much consumption a year would lose without trade, or if one region stops all exports.

    Other counterfactuals, capacities and priorities of end uses: `run_counterfactual` in Python.
    """
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


def main() -> None:
    """Entry point of the commands ``reeuncert`` and ``ree``."""
    if sys.getfilesystemencoding() == "ascii" and os.environ.get("PYTHONUTF8") != "1":
        # LANG=C: no name or argument with another letter could be read or written, here and in other processes.
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    for stream in (sys.stdout, sys.stderr):  # folder names may contain characters that the terminal cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with whole_command():
        app()
