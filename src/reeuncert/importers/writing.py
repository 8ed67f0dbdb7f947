"""Evidence and sources of an importer in the folder of a case: added to, never written over."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reeuncert.files import write_whole
from reeuncert.importers.evidence import Row
from reeuncert.importers.record import located
from reeuncert.reading.tables import read_texts

FIGURE = ("value", "low", "high", "unit", "qualifier", "resolution", "basis")
"""Columns that say the figure: another text in one of them is a revision."""

COLUMNS = (
    *("id", "quantity", "product", "origin", "destination", "year_from", "relation", "reporter", "value", "low"),
    *("high", "unit", "basis", "qualifier", "resolution", "source_id", "lineage", "locator", "note"),
)
TOLD_ANEW = (*FIGURE, "source_id", "locator", "note")
"""Columns that a revision replaces; others, such as a width, are the user's."""


@dataclass
class Changes:
    """What an import changes in the evidence: ids that are new, the same as before, and revised."""

    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    """Figures of an earlier edition than the one in effect."""


def cells_of(kind: str, row: Row, source_id: str) -> dict[str, str]:
    """Cells of a row of evidence."""
    figure = row.record.figure
    given = {name: getattr(figure, name) for name in ("value", "low", "high", "resolution")}
    cells: dict[str, object] = row.key._asdict() | {"year_from": row.key.year}
    cells |= {name: "" if math.isnan(number) else f"{number:.12g}" for name, number in given.items()}
    cells |= {"id": f"{kind}_{row.id}", "relation": "level", "reporter": row.reporter, "unit": "t"}
    cells |= {"qualifier": figure.qualifier, "source_id": source_id, "lineage": row.lineage}
    cells |= {"locator": located(row.record.places), "note": row.record.note}
    return {name: str(cells[name]) for name in COLUMNS}


class Book:
    """A table of a case: rows that are there stay, new ones come at the end, and further columns are kept."""

    def __init__(self, path: Path, columns: Sequence[str], key: str) -> None:
        self.path, self.key = path, key
        found = read_texts(path, path.name, (key,)) if path.exists() else []
        self.rows: list[dict[str, str]] = [dict(row.cells) for row in found]
        header = self._header() if path.exists() else []
        self.columns = [*header, *(name for name in columns if name not in header)]
        self.by_key = {row[key]: row for row in self.rows}

    def _header(self) -> list[str]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in next(csv.reader(file), [])]

    def add(self, cells: Mapping[str, str]) -> None:
        """Add a row at the end."""
        row = dict(cells)
        self.rows.append(row)
        self.by_key[row[self.key]] = row

    def write(self) -> None:
        """Write the table; it is whole or as it was before."""
        text = io.StringIO(newline="")
        used = [name for name in self.columns if any(row.get(name) for row in self.rows)]
        named = [name for name in self.columns if name in used or (self.path.exists() and name in self._header())]
        writer = csv.DictWriter(text, named, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, text.getvalue().encode())


def take(book: Book, superseded: Book, cells: dict[str, str], editions: Mapping[str, str], changes: Changes) -> None:
    """Take one row into the evidence: the later edition is in effect, the earlier one is kept beside it."""
    there = book.by_key.get(cells["id"])
    if there is None:
        book.add(cells)
        changes.new.append(cells["id"])
        return
    if all(there.get(name, "") == cells[name] for name in (*FIGURE, "source_id")):
        changes.same.append(cells["id"])
        return
    old, new = editions.get(there.get("source_id", ""), ""), editions[cells["source_id"]]
    if new < old:
        _keep(superseded, cells, there["source_id"])
        changes.earlier.append(cells["id"])
        return
    if all(there.get(name, "") == cells[name] for name in FIGURE) and new == old:
        changes.same.append(cells["id"])
        return
    _keep(superseded, there, cells["source_id"])
    changes.revised.append(f"{cells['id']}: {_figure(there)} → {_figure(cells)}")
    there.update({name: cells[name] for name in TOLD_ANEW})


def _keep(superseded: Book, row: Mapping[str, str], by: str) -> None:
    entry = {**row, "superseded_by": by}
    if not any(all(kept.get(name, "") == text for name, text in entry.items()) for kept in superseded.rows):
        superseded.add(entry)


def _figure(row: Mapping[str, str]) -> str:
    value = row.get("value") or f"{row.get('low', '')}-{row.get('high', '')}"
    return f"{value} {row.get('unit', '')} ({row.get('qualifier', '')}, {row.get('source_id', '')})"
