"""Atomic writes of files, and file system errors as messages."""

import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reeuncert.errors import OutputError

UNFINISHED = ".reeuncert-unfinished-"  # prefix of temporary files; left-over ones may be deleted
FULL = "free some space, or choose another place with --out"
REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: "keep fewer draws, or raise the limit (ulimit -f)",
    None: "choose another place with --out",
}


@contextmanager
def explained(what: str, otherwise: str = "") -> Iterator[None]:
    """Errors of the file system as `OutputError`, with what happened and the remedy. ``what`` cannot be done, e.g.
    "cannot write 'a.csv'"; the remedy is by default that of a result whose earlier files are kept.
    """
    try:
        yield
    except OSError as error:
        remedy = otherwise or f"earlier results were left as they were; {REMEDIES.get(error.errno, REMEDIES[None])}"
        raise OutputError(f"{what}: {cause(error)}; {remedy}") from error


def cause(error: OSError) -> str:
    """Cause of a file system error, in words.

    >>> cause(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full'
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        # On Windows this error means that the file is open in a program.
        opened = ", or a file there is open in another program: close it" if sys.platform == "win32" else ""
        return f"no permission to write there{opened}"
    if error.errno == errno.EFBIG:
        return "a file would be larger than this system allows"
    return str(error.strerror or error)


def expanded(path: str | Path) -> Path:
    """A path with ``~`` as the folder of its user; one whose user is not known stays as it is.

    >>> expanded("~0/ore").as_posix()
    '~0/ore'
    """
    return Path(os.path.expanduser(path))  # that of pathlib ends with an error


def named(path: str | Path) -> str:
    r"""A path as a file may hold it: without user folders, relative to the working folder or its last part; bytes that
    are no text are escaped.

    >>> named("/home/maria/cases/ore"), named("models/ore"), named("gr\udcfcn")
    ('ore', 'models/ore', 'gr\\xfcn')
    """
    place = expanded(path)
    said = str(path)
    if place.is_absolute():
        said = place.relative_to(Path.cwd()).as_posix() if place.is_relative_to(Path.cwd()) else place.name
    return said.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def first_line(error: BaseException) -> str:
    r"""Message of a library error, in one line.

    >>> first_line(KeyError()), first_line(ValueError("no\nsuch"))
    ('KeyError', 'no')
    """
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file to write beside another, which then takes its place: the name never stands for half a file. After an error
    of the file system the file is as it was before, or not there.
    """
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        flush(Path(name))
        os.umask(mask := os.umask(0o077))  # it cannot be read without being set
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file as `whole` does."""
    with whole(path) as beside:
        beside.write_bytes(content)


def flush(path: Path) -> None:
    """Flush the content of a file to disk."""
    with path.open("r+b") as file:  # Windows flushes a file only through a writable handle
        os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Flush the entries of a folder to disk where the system can: Windows and many network shares cannot."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
