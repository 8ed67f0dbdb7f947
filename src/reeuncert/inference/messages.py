"""Progress messages on standard error, for terminals and logs."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Messages:
    """Prints progress, with a bar in a terminal or notebook; elsewhere a line every tenth."""

    quiet: bool = False
    bar: bool = True
    _open: str = field(default="", repr=False)

    @property
    def moving_bar(self) -> bool:
        """Whether lines can be updated: in a terminal or notebook."""
        return self.wants_progress and (sys.stderr.isatty() or _in_notebook())

    @property
    def wants_progress(self) -> bool:
        return self.bar and not self.quiet

    def say(self, text: str) -> None:
        if not self.quiet:
            self.close()
            print(text, file=sys.stderr, flush=True)

    def chains(self, chains: int, draws: int, finished: int = 0) -> Callable[[int, int, int], None]:
        """Progress of the chains, of ``draws`` each with tuning: a function to be called, from any thread, with the
        number of a chain, its draws so far and its divergences.
        """
        if not self.wants_progress:
            return lambda *_: None
        clock, lock = Clock(), threading.Lock()
        done: dict[int, int] = {}
        divergences: dict[int, int] = {}
        told = 10 * finished // chains

        def tell(number: int, made_by_chain: int, divergences_of_chain: int) -> None:
            nonlocal told
            with lock:
                done[number], divergences[number] = made_by_chain, divergences_of_chain
                made = sum(done.values())
                said = f", divergences so far: {sum(divergences.values())}"
                share = (finished * draws + made) / (chains * draws)
                if self.moving_bar:
                    left = clock.total() * (chains * draws - finished * draws - made) / made if made else 0.0
                    self._move(f"  {100 * share:3.0f} % of the draws{_about(left)}{said}")
                elif int(10 * share) > told:
                    told = int(10 * share)
                    self.say(f"  {10 * told} % of the draws{said}")

        return tell

    def close(self) -> None:
        """End an updated line."""
        if self._open:
            self._open = ""
            print(file=sys.stderr, flush=True)

    def _move(self, line: str) -> None:
        print("\r" + line.ljust(len(self._open)), end="", file=sys.stderr, flush=True)
        self._open = line


def _about(seconds: float) -> str:
    if not seconds:
        return ""
    return f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"


class Clock:
    """Seconds since creation, or since the last lap."""

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
