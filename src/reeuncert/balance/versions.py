"""Keys for compiled code on disk that change when the source does."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path


def source_version(*files: str) -> int:
    """A number that changes with the text of some source files.

    PyTensor keeps compiled functions on disk by the name of the operation; it does not see that a kernel which the operation
    calls was edited. This number, given to it as a version, tells it.

    Parameters
    ----------
    files
        Paths of source files.
    """
    digest = sha256()
    for file in files:
        digest.update(Path(file).read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
