"""`reeuncert import`: files of a statistical office into the evidence of a case."""

from __future__ import annotations

from pathlib import Path

from reeuncert.cli.exits import visible
from reeuncert.importers.run import import_files


def run_import(kind: str, files: list[Path], case: str, mapping: Path | None, products: list[str]) -> None:
    """Import files, and print what was read, left out, mapped and written."""
    print(visible(str(import_files(kind, files, case, mapping=mapping, products=products))))
