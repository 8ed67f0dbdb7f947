"""Files in the folder of a case that are not read, e.g. misnamed evidence tables."""

from collections.abc import Iterator
from pathlib import Path

from reeuncert.errors import Problem
from reeuncert.reading.evidence_tables import EVIDENCE_FOLDER, IMPORTS_FOLDER, evidence_files, is_left_behind
from reeuncert.reading.state import CASE_FILES, DATA_FILES, Reading
from reeuncert.reading.state import TABLES as SHARED
from reeuncert.reading.workbooks import ENDING
from reeuncert.words.cells import did_you_mean, printable, quoted

TABLES = (".csv", ".tsv", ".tab", ".txt", ".xls", ".xlsx", ".xlsm", ".ods", ".numbers", ".gz", ".zip", ".bz2", ".xz")
TABLES_BINARY = (".parquet", ".feather", ".json", ".jsonl", ".dta", ".sav", ".rds")
BESIDE = ("left_out.csv",)
"""Tables of a data folder that are read by others than a model."""
OF_A_RESULT = "provenance.json"
READ_LATER = ("reference", "outlook", IMPORTS_FOLDER)
"""Folders of tables that are read by others than a model."""


def unread_warnings(reading: Reading) -> list[Problem]:
    """Every file in the folders of a case that looks like a table and is not read."""
    known = {reading.folder / name for name in CASE_FILES}
    known |= {reading.data_folder / name for name in (*DATA_FILES, *BESIDE, *evidence_files(reading))}
    known |= {path.with_suffix(ENDING) for path in known} | {path.parent / f"{SHARED}{ENDING}" for path in known}
    absent = [path.name for path in known if not path.exists() and path.suffix != ENDING]
    found = []
    for root in dict.fromkeys((reading.folder, reading.data_folder)):
        if root.is_dir() and "data" not in reading.unclear:
            found += [_warning(path, root, absent) for path in _files(root) if not _is_known(path, known)]
    return [*found, *_unread_sheets(reading)]


def _is_known(path: Path, known: set[Path]) -> bool:
    """Whether a file is read, also under a name in other letters, as macOS and Windows allow."""
    return path in known or any(
        other.name.casefold() == path.name.casefold() and other.exists() and other.samefile(path) for other in known
    )


def _unread_sheets(reading: Reading) -> Iterator[Problem]:
    known = [Path(name).stem for name in (*CASE_FILES[1:], *DATA_FILES)]
    for path, sheets in reading.workbooks.items():
        for title in sheets if path.stem == SHARED else ():
            if title not in known:
                message = (
                    f"the sheet {quoted(title)} is not read{did_you_mean(title, known)}; sheets are named as tables"
                )
                yield Problem(path.name, 0, "", f"{message}: {', '.join(known)}")


def _files(root: Path) -> Iterator[Path]:
    """Files that look like tables, in a folder and the folders in it; not those of results or of other cases."""
    for path in sorted(root.iterdir()):
        if is_left_behind(path.name) and path.suffix.lower() in TABLES:
            yield path
        elif path.name.startswith("."):
            continue
        elif path.is_dir():
            if path.name in READ_LATER or (path / OF_A_RESULT).exists() or (path / CASE_FILES[0]).exists():
                continue
            yield from _files(path)
        elif path.suffix.lower() in (*TABLES, *TABLES_BINARY) and not _is_prose(path):
            yield path


def _is_prose(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and path.stem.casefold() in ("readme", "license", "licence", "notes", "todo")


def _warning(path: Path, root: Path, absent: list[str]) -> Problem:
    name = path.relative_to(root).as_posix()
    if is_left_behind(path.name):
        message = "the file was left behind by the system or a spreadsheet program and is ignored; delete it"
    else:
        hint = did_you_mean(path.name, absent)
        message = f"the file is not read{hint}"
        if not hint:
            where = f"evidence.csv or {EVIDENCE_FOLDER}/NAME.csv"
            message += (
                f"; evidence is read from {where} (CSV UTF-8) or the same with .xlsx, other tables by their own names"
            )
    return Problem(printable(name, 200), 0, "", message)
