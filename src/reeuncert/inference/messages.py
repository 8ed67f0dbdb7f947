"""What a run says while it works: plain lines on standard error, in a terminal and in a log alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Messages:
    """Says what is being done.

    Parameters
    ----------
    quiet
        Say nothing.
    bar
        Whether a moving bar is wanted while sampling (shown in a terminal or notebook; elsewhere a line every tenth).
    """

    quiet: bool = False
    bar: bool = True
    _told: int = field(default=0, repr=False)

    @property
    def moving_bar(self) -> bool:
        """Whether the sampler may draw its own bar."""
        return self.bar and not self.quiet and (sys.stderr.isatty() or _in_notebook())

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def progress(self, chains: Sequence[Any]) -> None:
        """Say every tenth of the work that is done; takes nutpie's list of chain states."""
        if self.quiet or not self.bar:
            return
        total = sum(c.total_draws for c in chains)
        done = sum(c.finished_draws for c in chains)
        tenth = 10 * done // total if total else 0
        if tenth > self._told:
            self._told = tenth
            divergences = sum(c.divergences for c in chains)
            self.say(f"  {10 * tenth} % of the draws, divergences so far: {divergences}")


class Clock:
    """Seconds since it was made, or since the last lap."""

    def __init__(self) -> None:
        self.begin = self.last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        seconds, self.last = now - self.last, now
        return seconds

    def total(self) -> float:
        return time.perf_counter() - self.begin


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"
