"""Writing of files that are whole or not there, and errors of the file system in words."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reeuncert.errors import OutputError

UNFINISHED = ".reeuncert-unfinished-"
"""Beginning of the name of a file that is being written; what is left of one may be deleted."""


@contextmanager
def explained(what: str, otherwise: str = "") -> Iterator[None]:
    """Errors of the file system as `OutputError`, with what happened and the remedy.

    Parameters
    ----------
    what
        What cannot be done, e.g. "cannot write 'a.csv'".
    otherwise
        What to do about it; by default that of a result which could not be written, and whose earlier files stayed.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{what}: {f'{cause(error)}; {otherwise}' if otherwise else _reason(error)}") from error


def cause(error: OSError) -> str:
    """What an error of the file system means, in a few words.

    Examples
    --------
    >>> cause(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full'
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        # Windows neither replaces nor deletes a file that is open anywhere, and says no more than this.
        opened = ", or a file there is open in another program: close it" if sys.platform == "win32" else ""
        return f"no permission to write there{opened}"
    if error.errno == errno.EFBIG:
        return "a file would be larger than this system allows"
    return str(error.strerror or error)


def named(path: str | Path) -> str:
    """A place as files for others may name it: within the working folder, or by its last part; no folder of a user.

    Examples
    --------
    >>> named("/home/maria/cases/ore"), named("models/ore")
    ('ore', 'models/ore')
    """
    place = Path(path).expanduser()
    if not place.is_absolute():
        return str(path)
    return place.relative_to(Path.cwd()).as_posix() if place.is_relative_to(Path.cwd()) else place.name


def first_line(error: BaseException) -> str:
    r"""What a library says of an error, in one line.

    Examples
    --------
    >>> first_line(KeyError()), first_line(ValueError("no\\nsuch"))
    ('KeyError', 'no')
    """
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that its name never stands for half of it: beside it, to the disk, then a rename.

    Raises
    ------
    OSError
        The file is then as it was before, or not there.
    """
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush(path: Path) -> None:
    """Make sure that the content of a file is on the disk before a name points to it."""
    with path.open("r+b") as file:  # Windows flushes a file only through a handle that may write
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Make sure, where the system can, that the names in a folder are on the disk.

    Windows opens no folder, and many shares flush none. The files are in place all the same: it is no failure.
    """
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    kept = "; earlier results were left as they were"
    remedies = {
        "the disk is full": "free some space, or choose another place with --out",
        "a file would be larger than this system allows": "keep fewer draws, or raise the limit (ulimit -f)",
    }
    return f"{cause(error)}{kept}; {remedies.get(cause(error), 'choose another place with --out')}"
