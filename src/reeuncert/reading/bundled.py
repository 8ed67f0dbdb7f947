"""Cases that come with the package, and new ones: folders found by name, and skeletons to fill in."""

import importlib.resources
import os
import shutil
import tempfile
from pathlib import Path

from reeuncert.errors import CaseError, OutputError, Problem
from reeuncert.files import UNFINISHED, cause, expanded
from reeuncert.reading.case_file import FILE, is_plain_word, read_case_file
from reeuncert.words.cells import printable, quoted, unknown

REFERENCE_FOLDER, PUBLISHED = "reference", "published_reference.csv"


def bundled_folder() -> Path:
    """Folder that holds ``models`` and ``data`` as they ship: in the installed package, or the root of a checkout."""
    package = Path(str(importlib.resources.files("reeuncert")))
    for folder in (package / "_bundled", package.parent.parent):
        if (folder / "models").is_dir():
            return folder
    message = "the folder of the bundled cases is missing from the installation; install the package again"
    raise CaseError([Problem("models", 0, "", message)])


def bundled_cases() -> tuple[str, ...]:
    """Names of the cases that ship with the package, sorted."""
    models = bundled_folder() / "models"
    return tuple(sorted(p.name for p in models.iterdir() if (p / FILE).is_file() and is_plain_word(p.name)))


def find_case(name_or_path: str | Path) -> Path:
    """Folder of a case. A plain word is the name of a bundled case, or else a folder here (both is an error); what
    holds a separator is a path.
    """
    text = str(name_or_path)
    if "\0" in text or len(text) > 4_000:
        raise CaseError([Problem(quoted(text), 0, "", "this is no path; give the name of a case, or its folder")])
    folder = Path(name_or_path)
    is_path = isinstance(name_or_path, Path) or "/" in text or "\\" in text
    if not is_path and is_plain_word(text):
        inside = bundled_folder() / "models" / text
        if os.path.isfile(inside / FILE):
            if os.path.isfile(folder / FILE) and not folder.samefile(inside):
                message = f"there is a bundled case {quoted(text)} and a folder of that name here; "
                message += f"write ./{text} for the folder, or {inside} for the bundled case"
                raise CaseError([Problem(text, 0, "", message)])
            return inside
    # os.path says no where pathlib raises: a name that is too long for the file system is no folder.
    if os.path.isdir(folder):
        return folder
    if is_path:
        is_file, absent = "is a file; give the folder that holds it", "does not exist; check the path"
        message = f"the folder {is_file if os.path.exists(folder) else absent}"
        raise CaseError([Problem(printable(text, 300), 0, "", message)])
    message = unknown(text, bundled_cases(), "case")
    raise CaseError([Problem(printable(text), 0, "", f"{message}; or give the folder of a case, e.g. ./my_case")])


def folders_of(name: str, path: str) -> list[Path]:
    """Folders in which a case may still be found: where it was read, and that of the bundled case."""
    return [Path(path)] * bool(path) + [find_case(known) for known in bundled_cases() if known == name]


def data_folder(name: str, path: str) -> Path | None:
    """Folder of the data of a case, where it can still be found."""
    for folder in folders_of(name, path):
        if (folder / FILE).is_file():
            found = read_case_file(folder / FILE, {})
            if not found.problems and found.settings.name == name:
                return folder / found.settings.data
    return None


def has_published_values(name: str, path: str) -> bool:
    """Whether the data of a case hold a table of published values to compare with."""
    folder = data_folder(name, path)
    return folder is not None and (folder / REFERENCE_FOLDER / PUBLISHED).is_file()


PLACEHOLDER = "NAME"  # what stands in the skeleton for the name of the case


def new_case(path: str | Path) -> Path:
    """Make a folder with the tables of a small invented case, to be replaced row by row.

    The folder is complete or not there; nothing that exists is written over.

    Parameters
    ----------
    path
        Folder to make; its last part is the name of the case. It may be there if it is empty and not the working
        folder.

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
    given = printable(path, 300)
    if "\0" in str(path):
        raise CaseError([Problem(given, 0, "", "this is no path; give the folder of the new case, e.g. ./my_case")])
    target = expanded(path)
    name, message = target.resolve().name, ""
    if not is_plain_word(name):
        message = f"{quoted(name)} cannot be the name of a case; use letters, digits, '_' and '-', e.g. ./my_case"
    elif name in bundled_cases():
        message = f"a case {quoted(name)} ships with the package; choose another name"
    if message:
        raise CaseError([Problem(given, 0, "", message)])
    try:
        if target.is_file():
            raise OutputError(f"'{given}' is a file; give the name of a new folder")
        if target.exists() and target.samefile("."):
            raise OutputError(f"'{given}' is the working folder; give the name of a new folder, e.g. ./my_case")
        if target.exists() and any(target.iterdir()):
            message = f"the folder '{given}' is not empty, and nothing is written over; give the name of a new folder"
            raise OutputError(message)
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(target, name)
    except OSError as error:
        raise OutputError(f"cannot make the folder '{given}': {cause(error)}; choose another place") from error
    return target


def _write_beside(target: Path, name: str) -> None:
    """Write beside the target, then rename: so that there is never half a case."""
    staged = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
    try:
        for entry in (importlib.resources.files("reeuncert.reading") / "skeleton").iterdir():
            if entry.is_file():
                text = entry.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
                (staged / entry.name).write_text(text, encoding="utf-8", newline="")
        mask = os.umask(0o077)
        os.umask(mask)
        staged.chmod(0o777 & ~mask)
        if target.is_dir():
            target.rmdir()
        staged.rename(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
