"""Makes the fits of a study: what is kept on disk is found again, the rest runs here, in processes or on a cluster."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reeuncert.errors import SamplingError
from reeuncert.inference.messages import Messages
from reeuncert.inference.settings import check_settings
from reeuncert.machine import available_cores
from reeuncert.result.diagnostics import misses
from reeuncert.studies.cache import Kept, cache_of
from reeuncert.studies.jobs import Failure, Fit, FitOptions, Job
from reeuncert.studies.runners import DaskPool, Pool, local_pool, run_jobs

LONGER = (3, 3)
"""Chains whose draws do not suffice are made this many times as long, and then once more."""


def converged(kept: Kept) -> str:
    """Why a fit does not pass the checks of convergence that every result passes; empty where it does."""
    r_hat, ess = (float(kept.about[name]) for name in ("r_hat", "ess"))
    said = [f"R-hat {r_hat:.3f}"] * misses("r_hat", r_hat) + [f"ESS {ess:.0f}"] * misses("ess", ess)
    diverged = int(kept.about["divergences"])
    return ", ".join([*said, *[f"{diverged} draws diverged"] * (diverged > 0)])


@dataclass
class Fits:
    """What became of the jobs of a study: their results by name, which of them were found on disk, what was found there
    and could not be used, and why the draws of some do not suffice although they were made again longer (``refused``).
    """

    results: dict[str, Kept | Failure] = field(default_factory=dict)
    found_before: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def kept(self, name: str) -> Kept:
        """What is kept of one fit that a study cannot do without."""
        result = self.results[name]
        if isinstance(result, Failure):
            raise SamplingError(f"the fit {name} failed ({result.reason}); finished fits are kept")
        return result


def make_sufficient_fits(jobs: Sequence[Job], options: FitOptions, suffices: Callable[[Kept], str]) -> Fits:
    """Make fits, and make those again whose draws do not suffice, with longer chains (`LONGER`), a pilot run of their
    own and, where draws diverged, smaller steps; those that do not suffice in the end either are in ``refused``.
    ``suffices`` says why the draws of a fit do not; an empty text where they do.
    """
    fits = make_fits(jobs, options)
    for times in LONGER:
        short = [(job, kept) for job in jobs if isinstance(kept := fits.results[job.name], Kept) and suffices(kept)]
        jobs = [job.longer(times, diverged=kept.about["divergences"] > 0) for job, kept in short]
        if jobs:
            again = make_fits(jobs, options)
            fits.results |= again.results
            fits.notes += again.notes
    fits.refused = {n: why for n, kept in fits.results.items() if isinstance(kept, Kept) and (why := suffices(kept))}
    return fits


def make_fits(jobs: Sequence[Job], options: FitOptions, *, processes: int | None = 1) -> Fits:
    """Make the fits that are not on disk, and keep them there as they are finished.

    Jobs of the same key are fitted once. ``processes`` counts if the options name none; None: as many as there are
    cores. Ctrl-C raises KeyboardInterrupt, saying what is kept.
    """
    for job in jobs[:1]:
        check_settings(**asdict(job.settings))
    held = cache_of(options.get("cache", True))
    held.prepare()
    fits = Fits(notes=held.notes)
    fits.results |= {job.name: kept for job in jobs if (kept := held.get(job.key, job.name)) is not None}
    fits.found_before = frozenset(fits.results)
    # One job of those that ask for the same thing under several names.
    waiting = list({job.key: job for job in jobs[::-1] if job.name not in fits.results}.values())[::-1]
    progress = StudyProgress(len(waiting), show=options.get("progress", True))
    with progress.bar:
        for note in held.notes:
            progress.say(note)
        if not waiting:
            return fits
        pool = _pool(options, processes, len(waiting))
        progress.say(_begin(waiting, len(jobs), pool))
        slots = len(pool.slots())  # processes that share this machine share its cores
        cores = None if slots == 1 else max(1, available_cores() // slots)
        waiting = [replace(job, cores=cores) for job in waiting]
        try:
            for job, result in run_jobs(waiting, options.get("fit") or _refit(), pool, begun=progress.begun):
                if isinstance(result, Kept) and (note := held.put(job.key, result)):
                    progress.say(note)
                fits.results |= {other.name: result for other in jobs if other.key == job.key}
                progress.ended(job, result)
        except KeyboardInterrupt:
            done = sum(isinstance(result, Kept) for result in fits.results.values())
            what = "are kept: asked again, the study goes on from there" if held.folder else "are lost: none were kept"
            raise KeyboardInterrupt(f"{done} of {len(jobs)} fits are finished and {what}") from None
    return fits


def _refit() -> Fit:
    from reeuncert.studies.refits import refit  # loads PyMC, which looking at kept results does not need

    return refit


def _pool(options: FitOptions, processes: int | None, fits: int) -> Pool:
    client = options.get("client")
    if client is None:
        return local_pool(options.get("jobs", processes), fits)
    if options.get("jobs") is not None:
        raise SamplingError("jobs is for this machine and client for a cluster; give one of them")
    return DaskPool(client)


def _begin(waiting: Sequence[Job], total: int, pool: Pool) -> str:
    counts = ((len(waiting), "fit"), (len({job.shape for job in waiting}), "structure"), (len(pool.slots()), "process"))
    fits, shapes, slots = (f"{n} {word}{'' if n == 1 else 'es' if word[-1] == 's' else 's'}" for n, word in counts)
    kept = f"; {total - len(waiting)} are there already" if total > len(waiting) else ""
    return f"Making {fits} of {shapes} in {slots}{kept} …"


class StudyProgress:
    """Counts fits as they finish: a bar in a terminal or notebook, a line a fit elsewhere."""

    def __init__(self, total: int, *, show: bool) -> None:
        self._total, self._done, self._failed = total, 0, 0
        self._messages = Messages(quiet=not show)
        self._running: list[str] = []
        told = TextColumn("{task.description}", markup=False)
        self.bar = Progress(
            *(TextColumn("Fits"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), told),
            console=Console(file=sys.stderr),
            disable=not (total and self._messages.moving_bar),
        )
        self._task = self.bar.add_task("", total=total)

    def say(self, text: str) -> None:
        """Print one line."""
        if self.bar.disable:
            self._messages.say(text)
        else:
            self.bar.console.print(text, markup=False, highlight=False)

    def begun(self, job: Job) -> None:
        """A fit begins."""
        self._running.append(job.name)
        self._show()

    def ended(self, job: Job, result: Kept | Failure) -> None:
        """A fit has a result, or has failed."""
        self._done += 1
        if job.name in self._running:
            self._running.remove(job.name)
        if isinstance(result, Failure):
            self._failed += 1
            self.say(f"  {job.name}: failed: {result.reason}")
        elif self.bar.disable:
            seconds = result.about.get("seconds")
            took = f" in {seconds:.0f} s" if isinstance(seconds, int | float) else ""
            self.say(f"  {self._done} of {self._total} fits: {job.name}{took}")
        self._show()

    def _show(self) -> None:
        failed = f"{self._failed} failed; " if self._failed else ""
        now = ", ".join(dict.fromkeys(self._running))
        self.bar.update(self._task, completed=self._done, description=f"{failed}{now[:60]}")
