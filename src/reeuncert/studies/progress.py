"""What a study says while it works: a bar in a terminal or notebook, a line a scenario elsewhere."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from reeuncert.inference.messages import Messages
from reeuncert.studies.fitted import Fitted
from reeuncert.studies.jobs import Failure, Job


class StudyProgress(AbstractContextManager["StudyProgress"]):
    """Counts scenarios as they finish.

    Parameters
    ----------
    total
        Scenarios to be fitted.
    show
        False: say nothing.
    """

    def __init__(self, total: int, *, show: bool) -> None:
        self._total, self._done, self._failed = total, 0, 0
        self._messages = Messages(quiet=not show)
        self._running: list[str] = []
        self._bar: Progress | None = None
        if total and self._messages.moving_bar:
            self._bar = Progress(
                TextColumn("Scenarios"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}", markup=False),
                console=Console(file=sys.stderr),
            )
            self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> StudyProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, text: str) -> None:
        """A line of its own."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            self._messages.say(text)

    def begun(self, job: Job) -> None:
        """A scenario begins."""
        self._running.append(job.name)
        self._show()

    def ended(self, job: Job, result: Fitted | Failure) -> None:
        """A scenario has a result, or has failed."""
        self._done += 1
        if job.name in self._running:
            self._running.remove(job.name)
        if isinstance(result, Failure):
            self._failed += 1
            self.say(f"  {job.name}: failed: {result.reason}")
        elif self._bar is None:
            seconds = result.about.get("seconds")
            took = f" in {seconds:.0f} s" if isinstance(seconds, int | float) else ""
            self.say(f"  {self._done} of {self._total} scenarios: {job.name}{took}")
        self._show()

    def _show(self) -> None:
        if self._bar is not None:
            failed = f"{self._failed} failed; " if self._failed else ""
            now = ", ".join(dict.fromkeys(self._running))
            self._bar.update(self._task, completed=self._done, description=f"{failed}{now[:60]}")
