"""One fit as work to be done: what is sent to a process, what is kept of it, and how a user asks for it."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypedDict

import xarray as xr

from reeuncert.case.records import Case, ErrorTails, Prior
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.case.shared import error_class_of
from reeuncert.errors import ArgumentError
from reeuncert.inference.chains import chain_seed
from reeuncert.studies.cache import FORMAT, Kept
from reeuncert.words.cells import did_you_mean

_AGAIN = 1_000_000  # sets the seeds of further fits apart from those of chains


class FitOptions(TypedDict, total=False):
    """Keyword arguments that every study takes: how its fits are sampled, and where they run.

    Parameters
    ----------
    draws, tune, thin, chains, seed, target_accept
        Of every fit, as in `reeuncert.sample`; by default those of `FitSettings`.
    jobs
        Processes on this machine, each of which uses one core. By default one; of `reeuncert.sensitivity` as many as
        there are cores (None). With one, everything runs in this process.
    client
        A Dask client, cluster, or address of a scheduler, to run there instead.
    cache
        Folder of finished fits, in which they are found again: after a crash or Ctrl-C only the missing ones are made.
        True (default): ``fits`` in the folder of the package (of the user's cache, or that which the environment
        variable REEUNCERT_CACHE_DIR names); False: keep nothing.
    progress
        Show progress on standard error (default).
    fit
        Makes what is kept of a job, by default `reeuncert.studies.refits.refit`; a function of a module, so that other
        processes can find it.
    """

    draws: int
    tune: int
    thin: int
    chains: int
    seed: int
    target_accept: float
    jobs: int | None
    client: Any
    cache: str | Path | bool
    progress: bool
    fit: Fit | None


@dataclass(frozen=True)
class FitSettings:
    """How every fit of a study is sampled; see `reeuncert.sample`."""

    draws: int = 300
    tune: int = 150
    thin: int = 1
    chains: int = 4
    seed: int = 1
    target_accept: float = 0.9

    @classmethod
    def of(cls, options: FitOptions) -> FitSettings:
        """The settings among the options of a study; an option that does not exist is an error."""
        known = FitOptions.__annotations__
        for name in options:
            if name not in known:
                hint = did_you_mean(name, known)
                raise ArgumentError(f"a study has no option '{name}'{hint}; it has: {', '.join(known)}")
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in options.items() if name in names})  # type: ignore[arg-type]  # chosen by name


class Keep(Protocol):
    """What is kept of a fit; a picklable object, since it is sent to processes."""

    @property
    def asked(self) -> Mapping[str, object]:
        """All that the result depends on besides the case and the settings."""

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        """What is kept of the result of a case fitted without some rows of evidence."""


@dataclass(frozen=True)
class Job:
    """A fit ready to be made, by any process on any machine that has this package.

    Progress and failures call it by its ``name``; ``key`` is the fingerprint of all that is asked. Jobs of one
    ``shape`` may share a compiled model. Rows of evidence that are ``left_out`` (ids) count nothing. ``like_json`` is a
    case whose compiled model and pilot run serve this fit too (empty: its own): the base of the study, so that a result
    does not depend on which others are asked for. With ``own_shape`` the pilot run is made of this fit itself, without
    the rows left out: where they are many, the posterior has another shape than that of the base. ``cores`` are threads
    for the chains; None: as many as the process has.
    """

    name: str
    key: str
    shape: str
    case_json: str
    left_out: tuple[str, ...]
    settings: FitSettings
    keep: Keep
    like_json: str = ""
    own_shape: bool = False
    cores: int | None = None

    def longer(self, factor: int, *, diverged: bool = False) -> Job:
        """The same fit with a pilot run of its own and every chain so many times as long, of which as many draws are
        kept. After draws that diverged, steps are smaller: `target_accept` is half as far from one.
        """
        accept = (1 + self.settings.target_accept) / 2 if diverged else self.settings.target_accept
        longer = self._with(thin=self.settings.thin * factor, target_accept=accept)
        return replace(longer, own_shape=True)

    def again(self, number: int) -> Job:
        """The same fit with chains of other seeds."""
        return self._with(seed=chain_seed(self.settings.seed, _AGAIN + number) >> 31)  # seeds of a run have 32 bits

    def _with(self, **changed: Any) -> Job:
        settings = replace(self.settings, **changed)
        key = fit_key(case_from_json(self.case_json), self.left_out, settings, self.keep)
        return replace(self, settings=settings, key=key)


Fit = Callable[[Job], Kept]
"""What turns a job into a result; it is sent to processes by its name, so it must be a function of a module."""


class JobMaker:
    """Makes jobs that share the compiled model and the pilot run of one case, as far as their structures allow."""

    def __init__(self, like: Case) -> None:
        self.shape, self.json = shape_of(like), case_to_json(like)

    def job(
        self, name: str, case: Case, settings: FitSettings, keep: Keep, left_out: Iterable[str] = (), *, share: bool
    ) -> Job:
        """One job; with `share` the base is tried even where the shapes differ."""
        gone = tuple(sorted(left_out))
        shape = self.shape if share else shape_of(case)
        like = self.json if shape == self.shape else ""
        return Job(name, fit_key(case, gone, settings, keep), shape, case_to_json(case), gone, settings, keep, like)


def fit_key(case: Case, left_out: Sequence[str], settings: FitSettings, keep: Keep) -> str:
    """Fingerprint of all that a result depends on but for the version of the package.

    The path of the case and the fingerprints of its files are not part of it: what they hold is.

    >>> import reeuncert as ree
    >>> from reeuncert.studies.summaries import Summary
    >>> case, keep = ree.read_case("small_metal"), Summary(("smuggled_mass",))
    >>> key = fit_key(case, [], FitSettings(), keep)
    >>> key == fit_key(replace(case, path="/elsewhere"), [], FitSettings(), keep)
    True
    >>> key == fit_key(case, ["G1"], FitSettings(), keep)
    False
    """
    asked = {
        "case": case_to_json(replace(case, path="", hashes={})),
        "left_out": sorted(left_out),
        "settings": asdict(settings),
        "format": FORMAT,
        **keep.asked,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:40]


def shape_of(case: Case) -> str:
    """Fingerprint of a case without its numbers: flows, years, what priors and evidence are about.

    Cases of one shape differ in medians, spreads, widths and offsets alone, which are data of the compiled model. It is
    used to send cases to the processes that can reuse a model; whether a model serves is for
    `reeuncert.inference.refit.Refitter.accepts` to say.
    """
    groups: dict[tuple[str, str], int] = {}
    rows = []
    for row in case.evidence:
        error = error_class_of(row, case)
        group = groups.setdefault((row.lineage, error.name), len(groups))
        own, law = row.width == row.width, (error.family, error.learn, error.persistent > 0, error.eras)
        rows.append(replace(row, width=0.0 if own else row.width, note=f"{group} {law}"))
    bare = replace(
        case,
        priors=tuple(_without_numbers(prior) for prior in case.priors),
        evidence=tuple(rows),
        sources={},
        classes={},
        offsets={name: replace(offset, mean=0.0, sd=0.0) for name, offset in case.offsets.items()},
        covariates={},
        errors=ErrorTails(),
        headlines=(),
        options={},
        path="",
        hashes={},
    )
    return hashlib.sha256(case_to_json(bare).encode()).hexdigest()[:20]


def _without_numbers(prior: Prior) -> Prior:
    """What the row is about."""
    return replace(
        prior, median=0.0, median_to=0.0, level_sd=0.0, year_sd=0.0, correlation=0.0, split_sd=0.0, slope_on="",
        slope=0.0, slope_sd=0.0, reason="", line=0, a=0.0, b=0.0,
    )  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """Why a fit has no result."""

    reason: str
    trace: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        first = (str(error).strip().splitlines() or [""])[0]
        kind = type(error).__name__
        trace = "".join(traceback.format_exception(error))
        return cls(f"{kind}: {first}" if first else kind, trace)


def choose(pending: Sequence[Job], held: frozenset[str], taken: frozenset[str]) -> int | None:
    """Which job a free process should take, so that as few models as possible are compiled.

    Position of a job of a shape that this process has; else of the largest group that no process has; else of the
    largest group, so that no process is idle. None when nothing waits.
    """
    if not pending:
        return None
    size: dict[str, int] = {}
    for job in pending:
        size[job.shape] = size.get(job.shape, 0) + 1

    def worth(position: int) -> tuple[bool, bool, int, int]:
        shape = pending[position].shape
        return (shape in held, shape not in taken, size[shape], -position)

    return max(range(len(pending)), key=worth)
