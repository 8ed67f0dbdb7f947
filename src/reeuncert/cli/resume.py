"""The checkpoint of `reeuncert run`: messages about an existing one and about stored chains after a failure."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reeuncert.errors import OutputError

if TYPE_CHECKING:
    from reeuncert.cli.run import Request


@contextmanager
def checkpointed(target: Path, shown: Path, request: Request) -> Iterator[Path | None]:
    """Folder in which a run stores its chains, or None.

    Warns, even with --quiet, of a checkpoint of an earlier run that this run will replace. If the run ends without a
    complete result, tells which chains are kept and how to continue.

    Parameters
    ----------
    target, shown
        Folder of the results, and as the user named it.
    """
    from reeuncert.inference.checkpoint import FOLDER

    chains = target / FOLDER
    if request.preview or (request.sampler not in (None, "hmc", "nutpie") and not request.resume):
        yield None
        return
    found = None if request.resume else _held(chains)
    if found:
        _tell(
            f"There is a checkpoint of an earlier run in '{shown / FOLDER}' ({found}). It stays until this run has "
            "stored a chain of its own; to go on with the earlier run instead, press Ctrl-C now and add --resume."
        )
    try:
        yield chains
    finally:
        kept = _held(chains)
        if kept:
            _tell(
                f"Finished chains are kept in '{shown / FOLDER}' ({kept}); "
                "the same command with --resume goes on from there."
            )


def remove_checkpoint(folder: Path) -> None:
    """Remove the checkpoint of a run whose results are written."""
    from reeuncert.inference.checkpoint import discard_checkpoint

    discard_checkpoint(folder)


def _held(chains: Path) -> str:
    """Description of a checkpoint; empty if there is none."""
    from reeuncert.inference.checkpoint import find_checkpoint

    try:
        found = find_checkpoint(chains)
    except OutputError:
        return "damaged"
    return "" if found is None else str(found)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
