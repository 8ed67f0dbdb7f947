"""A case from its tables to its result, in one call: what `reeuncert run` does."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from reeuncert.case.records import Case
from reeuncert.errors import OutputError, SamplingError
from reeuncert.parts import Failed, attempt, beside, with_failed
from reeuncert.reference import published_values
from reeuncert.result.folder import Staging, output_folder
from reeuncert.result.result import Result
from reeuncert.result.structures import StructureRun


def run(
    case: Case,
    *,
    out: str | Path | None = None,
    draws: int = 800,
    tune: int = 300,
    thin: int = 1,
    chains: int = 4,
    seed: int | None = None,
    sampler: str = "hmc",
    preview: bool = False,
    structures: bool = True,
    resume: bool = False,
    quiet: bool = False,
    command: str = "",
) -> Result:
    """Sample a case and its rival structures, compute indicators, and check and write the result if asked to.

    Parameters
    ----------
    case
        From `reeuncert.read_case`, or its name or folder.
    out
        Folder for ``posterior.nc``, ``flows.csv``, ``indicators.csv``, ``headlines.csv``, ``mixtures.csv``,
        ``checks.csv``, ``provenance.json`` and ``report.html``; chains are stored there as they finish, until all
        is written. None: nothing is written.
    draws, tune, thin, chains, seed, sampler
        See `reeuncert.sample`.
    preview
        A quick, approximate look instead.
    structures
        Also make short runs under the rival structures that the case names, for the range of its headlines over them:
        in another process meanwhile, or after the draws where there is a single core.
    resume
        Go on with the chains that an interrupted run has stored in `out`; give its other arguments too.
    quiet
        Print no progress.
    command
        Recorded as the command that made the result.

    Returns
    -------
    Result
        Its draws are ``result.dt``, its files ``result.files``. After an interrupt it holds the draws made until then.

    Raises
    ------
    CaseError
        If the published values of the case cannot be read.
    SamplingError
        If the sampler cannot start, or `resume` is asked for without `out`.
    OutputError
        If the folder cannot be written, another run is writing there, or its disk has too little space.

    Examples
    --------
    >>> import reeuncert as ree
    >>> result = ree.run("small_metal", draws=20, tune=100, chains=2, seed=1, quiet=True)
    >>> result.dt["posterior"].sizes["draw"], "derived" in result.dt.children
    (20, True)
    """
    if resume and out is None:
        raise SamplingError("chains are resumed from the folder of a run; give it as out")
    published_values(case)  # fails now rather than after the run if the table cannot be read
    sampling: dict[str, Any] = {"seed": seed, "resume": resume, "quiet": quiet, "command": command}
    if not preview:
        sampling |= {"draws": draws, "tune": tune, "thin": thin, "chains": chains, "sampler": sampler}
    rivals = structures and not preview and bool(case.compare and case.headlines)
    if out is None:
        return _computed(case, sampling, preview, rivals)
    with output_folder(out) as staging:
        if not preview:
            _require_space(staging, case, draws * chains)
        with _checkpointed(staging.target, str(out), preview, resume) as stored:
            result = _computed(case, sampling, preview, rivals, stored, staging)
            from reeuncert.report.files import commit_results

            result.files = commit_results(result, staging)
            if result.complete:
                from reeuncert.inference.checkpoint import discard_checkpoint

                discard_checkpoint(stored)
    return result


_RIVALS = "short runs under the other structures"


def _computed(
    case: Case,
    sampling: Mapping[str, Any],
    preview: bool,
    with_rivals: bool,
    stored: Path | None = None,
    staging: Staging | None = None,
) -> Result:
    """Draws of a case (``sampling``: how, see `run`) with its indicators, and its headlines under its rival structures,
    which are fitted meanwhile.
    """
    from reeuncert.indicators.compute import with_indicators

    def made(seed: int | None) -> Result:
        dt = _sampled(case, {**sampling, "seed": seed, "checkpoint": stored}, preview)
        _tell(sampling, "Computing indicators, checks and tables …")
        result = with_indicators(dt)
        del dt
        gc.collect()  # nodes of a tree refer to each other; its flows lie in memory a second time
        return result

    if not with_rivals:
        return made(sampling["seed"])
    seed = _seed(sampling, stored)
    with beside(_RIVALS, _fit_rivals, case, seed) as rivals:
        result = made(seed)
        if not result.complete:
            return result
        if staging is not None:
            from reeuncert.report.files import begin_results

            begin_results(result, staging)
        _tell(sampling, f"Short runs under the other structures ({', '.join(case.compare)}) …")
        return _with_rivals(result, rivals())


def _sampled(case: Case, sampling: Mapping[str, Any], preview: bool) -> xr.DataTree:
    from reeuncert.inference.sample import approximate, sample
    from reeuncert.model import build_model

    size = f"{len(case.system.flows)} flows, {len(case.system.years)} years, {len(case.evidence)} reported figures"
    _tell(sampling, f"Case '{case.name}': {size}.")
    model = build_model(case)
    if preview:
        return approximate(model, progressbar=not sampling["quiet"], **sampling)
    return sample(model, **sampling)


def _seed(sampling: Mapping[str, Any], stored: Path | None) -> int:
    """That of the draws and of the rival structures."""
    from reeuncert.inference.checkpoint import find_checkpoint, seed_of

    return seed_of(sampling["seed"], find_checkpoint(stored) if sampling["resume"] and stored is not None else None)


def _fit_rivals(case: Case, seed: int) -> dict[str, StructureRun]:
    from reeuncert.studies.rivals import fit_rivals

    return fit_rivals(case, seed=seed, progress=False)


def _with_rivals(result: Result, runs: dict[str, StructureRun] | Failed) -> Result:
    """The result with its headlines under the rival structures of its case, or with the reason why it has none."""
    from reeuncert.result.structures import add_structures
    from reeuncert.studies.rivals import beside_own

    found = runs if isinstance(runs, Failed) else attempt(_RIVALS, lambda: beside_own(result.dt, runs))
    if isinstance(found, Failed):
        result.failed.append(found)
        with_failed(result.dt, [found])
    else:
        result.dt = add_structures(result.dt, found)
    return result


def _require_space(staging: Staging, case: Case, draws: int) -> None:
    """Refuse now what would fail after the run; all draws, with those of the checkpoint, take six times the flows'."""
    needed = 6 * 8 * draws * int(case.system.exists.sum())
    if shutil.disk_usage(staging.place).free < needed:
        raise OutputError(
            f"cannot write results to '{staging.target}': they may take {needed / 1e6:,.0f} MB, and the disk has less; "
            "free some space, choose another place with --out, or keep fewer draws (--draws)"
        )


@contextmanager
def _checkpointed(target: Path, named_by_user: str, preview: bool, resume: bool) -> Iterator[Path]:
    """Folder in which a run stores its chains.

    Warns, also of a quiet run, of a checkpoint of an earlier run that this run will replace. If the run ends without a
    complete result, tells which chains are kept and how to continue.
    """
    from reeuncert.inference.checkpoint import FOLDER

    name = f"{FOLDER}-of-preview" if preview else FOLDER  # a quick look replaces no chain of a long run
    stored = target / name
    place = Path(named_by_user) / name
    found = "" if resume else _chains_in(stored)
    if found:
        _warn(
            f"There is a checkpoint of an earlier run in '{place}' ({found}). It stays until this run has "
            "stored a chain of its own; to go on with the earlier run instead, press Ctrl-C now and add --resume."
        )
    try:
        yield stored
    finally:
        kept = _chains_in(stored)
        if kept:
            _warn(f"Finished chains are kept in '{place}' ({kept}); the same command with --resume goes on from there.")


def _chains_in(stored: Path) -> str:
    """Description of a checkpoint; empty if there is none."""
    from reeuncert.inference.checkpoint import find_checkpoint

    try:
        found = find_checkpoint(stored)
    except OutputError:
        return "damaged"
    return "" if found is None else str(found)


def _tell(sampling: Mapping[str, Any], text: str) -> None:
    if not sampling["quiet"]:
        _warn(text)


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
