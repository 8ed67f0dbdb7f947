"""A new case: a skeleton of every table, which can be checked and run at once."""

from __future__ import annotations

import importlib.resources
import os
import shutil
import tempfile
from pathlib import Path

from reeuncert.errors import CaseError, OutputError, Problem
from reeuncert.files import UNFINISHED, cause
from reeuncert.reading.bundled import bundled_cases
from reeuncert.reading.toml import is_plain_word
from reeuncert.words.cells import plain, shown

PLACEHOLDER = "NAME"
"""What stands in the skeleton for the name of the case."""


def new_case(path: str | Path) -> Path:
    """Make a folder with the tables of a small invented case, to be replaced row by row.

    The folder is complete or not there; nothing that exists is written over.

    Parameters
    ----------
    path
        Folder to make; its last part is the name of the case. It may be there if it is empty.

    Returns
    -------
    Path
        The folder. ``README.md`` in it explains every column of every table.

    Raises
    ------
    CaseError
        If the last part of the path cannot be the name of a case.
    OutputError
        If the folder has something in it, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import reeuncert as ree
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     case = ree.read_case(ree.new_case(f"{folder}/my_metal"))
    >>> case.name, case.regions
    ('my_metal', ('Upland', 'Coast'))
    """
    given = plain(path, 300)
    if "\0" in str(path):
        raise CaseError([Problem(given, 0, "", "this is no path; give the folder of the new case, e.g. ./my_case")])
    target = Path(path).expanduser()
    name = target.resolve().name
    if not is_plain_word(name):
        message = f"{shown(name)} cannot be the name of a case; use letters, digits, '_' and '-', e.g. ./my_case"
        raise CaseError([Problem(given, 0, "", message)])
    if name in bundled_cases():
        message = f"a case {shown(name)} ships with the package; choose another name, so that the two are told apart"
        raise CaseError([Problem(given, 0, "", message)])
    try:
        if target.is_file():
            raise OutputError(f"'{given}' is a file; give the name of a new folder")
        if target.exists() and any(target.iterdir()):
            raise OutputError(
                f"the folder '{given}' is not empty, and nothing is written over; give the name of a new folder"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        _place(target, name)
    except OSError as error:
        raise OutputError(f"cannot make the folder '{given}': {cause(error)}; choose another place") from error
    return target


def skeleton_files(name: str) -> dict[str, str]:
    """File name → text of the skeleton, for a case of some name."""
    folder = importlib.resources.files("reeuncert.reading") / "skeleton"
    texts = {entry.name: entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.is_file()}
    return {file: text.replace(PLACEHOLDER, name) for file, text in sorted(texts.items())}


def _place(target: Path, name: str) -> None:
    """Write beside the target, then rename: so that there is never half a case."""
    staged = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
    try:
        for file, text in skeleton_files(name).items():
            (staged / file).write_text(text, encoding="utf-8", newline="")
        mask = os.umask(0o077)
        os.umask(mask)
        staged.chmod(0o777 & ~mask)
        if target.is_dir():
            target.rmdir()
        staged.rename(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
