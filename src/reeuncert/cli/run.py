"""`reeuncert run`: from a case to result files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reeuncert.cli.exits import FAILED_CHECK, INTERRUPTED
from reeuncert.cli.options import parse_options
from reeuncert.cli.resume import checkpointed, remove_checkpoint
from reeuncert.errors import OutputError, SamplingError
from reeuncert.reference import published_values
from reeuncert.result.folder import Staging, output_folder
from reeuncert.validation.reader import read_case

if TYPE_CHECKING:
    import xarray as xr

    from reeuncert.case.records import Case
    from reeuncert.report.findings import Findings


@dataclass(frozen=True)
class Request:
    """Options of the command."""

    case: str
    options: Sequence[str] = ()
    out: Path | None = None
    draws: int = 1000
    tune: int = 300
    thin: int = 1
    chains: int = 4
    seed: int | None = None
    sampler: str | None = None
    preview: bool = False
    quiet: bool = False
    strict: bool = False
    structures: bool = True
    resume: bool = False
    command: str = ""


def run_case(request: Request) -> int:
    """Read, sample, check and write; returns the exit status.

    The case is read and the folder locked before compilation, so that input errors and a full disk are found at once.

    Raises
    ------
    ReeUncertError
        When the input cannot be used, the sampler cannot start, or the files cannot be written.
    """
    if request.resume and request.preview:
        raise SamplingError("a preview stores no chains to resume; leave out --preview or --resume")
    case = read_case(request.case, **parse_options(request.options))
    published_values(case)  # fails now rather than after the run if the table cannot be read
    out = request.out if request.out is not None else Path("results") / case.name
    with output_folder(out) as staging:
        _require_space(staging, case, request)
        with checkpointed(staging.target, out, request) as chains:
            dt = _with_rivals(_sampled(case, request, chains), case, request)
            from reeuncert.cli.show import show_findings
            from reeuncert.report.files import commit_results
            from reeuncert.report.findings import Findings

            _say(request, "Computing indicators, checks and tables …")
            findings = Findings(dt)
            files = commit_results(findings, staging)
            if chains is not None and dt.attrs.get("complete") == "yes":
                remove_checkpoint(chains)
    if not request.quiet:
        show_findings(findings, out, files)
    return _status(findings, request, out)


def _sampled(case: Case, request: Request, chains: Path | None) -> xr.DataTree:
    _say(request, f"Case '{case.name}': {len(case.system.flows)} flows, {len(case.system.years)} years, "
                  f"{len(case.evidence)} reported figures.")  # fmt: skip
    from reeuncert.inference.preview import approximate
    from reeuncert.inference.sample import sample
    from reeuncert.model import build_model

    model = build_model(case)
    if request.preview:
        return approximate(
            model, seed=request.seed, progressbar=not request.quiet, quiet=request.quiet, command=request.command
        )
    return sample(
        model,
        draws=request.draws,
        tune=request.tune,
        thin=request.thin,
        chains=request.chains,
        seed=request.seed,
        sampler=request.sampler,
        quiet=request.quiet,
        command=request.command,
        checkpoint=chains,
        resume=request.resume,
    )


def _with_rivals(dt: xr.DataTree, case: Case, request: Request) -> xr.DataTree:
    """The result with its headlines under the rival structures of the case, if any."""
    if not case.compare or not request.structures or request.preview or dt.attrs.get("complete") == "no":
        return dt
    from reeuncert.indicators.compute import add_indicators
    from reeuncert.parts import Failed, attempt, with_failed
    from reeuncert.studies.averaging import add_structures
    from reeuncert.studies.rivals import run_rivals

    _say(request, f"Short runs under the other structures ({', '.join(case.compare)}) …")

    def made() -> xr.DataTree:
        derived = add_indicators(dt)
        return add_structures(derived, run_rivals(derived, seed=int(dt.attrs["seed"]), progress=False))

    found = attempt("short runs under the other structures", made)
    return with_failed(dt, [found]) if isinstance(found, Failed) else found


def _status(findings: Findings, request: Request, out: Path) -> int:
    if findings.dt.attrs.get("complete") == "no":
        print(f"Interrupted: the draws made until then were kept, in {out}.", file=sys.stderr)
        return INTERRUPTED
    for part in findings.told.not_run:
        print(f"{part.name}: {part.message}", file=sys.stderr)
    return FAILED_CHECK if findings.told.not_run or (request.strict and not findings.checks.passed) else 0


def _require_space(staging: Staging, case: Case, request: Request) -> None:
    """Check the free disk space: all draws and the checkpoint need about six times the space of the flows."""
    needed = 6 * 8 * request.draws * request.chains * int(case.system.exists.sum())
    if not request.preview and shutil.disk_usage(staging.place).free < needed:
        raise OutputError(
            f"cannot write results to '{staging.target}': they may take {needed / 1e6:,.0f} MB, and the disk has less; "
            "free some space, choose another place with --out, or keep fewer draws (--draws)"
        )


def _say(request: Request, text: str) -> None:
    if not request.quiet:
        print(text, file=sys.stderr, flush=True)
