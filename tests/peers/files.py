"""Where the published problems lie, and how their tables are read."""

import csv
import os
from pathlib import Path

import pytest

VARIABLE = "REEUNCERT_CASES"


def cases_folder() -> Path | None:
    """The folder that holds the published problems, or None where it is not given."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


needs_cases = pytest.mark.skipif(
    cases_folder() is None,
    reason=f"published problems are not part of the project: set {VARIABLE} to the folder that holds them",
)


def read_rows(case: str, table: str) -> list[dict[str, str]]:
    """Rows of one table of one published problem, as text by column."""
    folder = cases_folder()
    if folder is None:
        raise FileNotFoundError(f"set {VARIABLE} to the folder that holds the published problems")
    with (folder / case / table).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
