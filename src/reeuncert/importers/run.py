"""An import: files read, words mapped, evidence and sources written into a case: added to, never written over."""

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.files import expanded, explained, write_whole
from reeuncert.importers.evidence import Row, Words, add_to_draft, mapping_problems, mirror_pairs, read_mapping, to_rows
from reeuncert.importers.record import Download, located
from reeuncert.reading.case_file import FILE, read_case_file
from reeuncert.reading.case_tables import read_system
from reeuncert.reading.evidence_tables import EVIDENCE_FOLDER, IMPORTS_FOLDER, evidence_tables, read_lists
from reeuncert.reading.state import SOURCE_COLUMNS, SOURCES, Reading, choose_options, input_error
from reeuncert.reading.tables import read_texts
from reeuncert.reading.workbooks import ENDING
from reeuncert.system.definition import Flow, Selector
from reeuncert.words.cells import listed, printable, unknown
from reeuncert.words.offices import IMPORTERS

Files = str | Path | Sequence[str | Path]


def read_download(kind: str, files: Files, products: Sequence[str] = ()) -> Download:
    """Read files of one kind of `IMPORTERS`, e.g. ``"usgs-mcs"``; nothing is written.

    Several files are read together (releases, years, a query beside its table). ``products``: read only these, by the
    beginning of a code or a part of a name. Raises `CaseError` if a file is missing, is not of the kind, or gives two
    figures for one key.
    """
    if kind not in IMPORTERS:
        raise CaseError([Problem("import", 0, "", unknown(kind, tuple(IMPORTERS), "kind"))])
    given = [files] if isinstance(files, str | Path) else list(files)
    paths = [expanded(file) for file in given]
    if not paths:
        raise CaseError([Problem("import", 0, "", "no file is given; name at least one")])
    download = Download(kind, tuple(products), IMPORTERS[kind].witness)
    for name, count in Counter(path.name for path in paths).items():
        message = f"{count} files have this name, by which figures are located; give it once, or rename one"
        if not name.isprintable():
            message = "the name of the file holds characters that cannot be seen; rename it"
        if count > 1 or not name.isprintable():
            download.problems.append(Problem(printable(name), 0, "", message))
    if not download.problems:
        import_module(f"reeuncert.importers.{kind.replace('-', '_')}").read(paths, download)
    if download.problems:
        raise CaseError(download.problems)
    return download


FIGURE = ("value", "low", "high", "unit", "qualifier", "resolution", "basis")
"""Columns that say the figure: another text in one of them is a revision."""

COLUMNS = (
    *("id", "quantity", "product", "origin", "destination", "year_from", "relation", "reporter", "value", "low"),
    *("high", "unit", "basis", "qualifier", "resolution", "source_id", "lineage", "locator", "note"),
)
TOLD_ANEW = (*FIGURE, "source_id", "locator", "note")
"""Columns that a revision replaces; others, such as a width, are the user's."""


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
        self.rows: list[dict[str, str]] = []
        self.header: list[str] = []
        if path.exists():
            self.rows += [dict(row.cells) for row in read_texts(path, path.name, (key,))]
            with path.open(encoding="utf-8-sig", newline="") as file:
                self.header += [name.strip() for name in next(csv.reader(file), [])]
        self.columns = [*self.header, *(name for name in columns if name not in self.header)]
        self.by_key = {row[key]: row for row in self.rows}

    def add(self, cells: Mapping[str, str]) -> None:
        """Add a row at the end."""
        row = dict(cells)
        self.rows.append(row)
        self.by_key[row[self.key]] = row

    def write(self) -> None:
        """Write the table; it is whole or as it was before."""
        text = io.StringIO(newline="")
        named = [name for name in self.columns if name in self.header or any(row.get(name) for row in self.rows)]
        writer = csv.DictWriter(text, named, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, text.getvalue().encode())


def take(
    book: Book, superseded: Book, cells: dict[str, str], sources: Mapping[str, Mapping[str, str]], done: "Imported"
) -> None:
    """Take one row into the evidence: the later edition is in effect, the earlier one is kept beside it. What a later
    edition of the same class repeats is no revision.
    """
    there = book.by_key.get(cells["id"])
    if there is None:
        book.add(cells)
        done.new.append(cells["id"])
        return
    before, after = sources.get(there.get("source_id", ""), {}), sources[cells["source_id"]]
    old, new = before.get("edition", ""), after.get("edition", "")
    if new < old:
        _keep(superseded, cells, there["source_id"])
        done.earlier.append(cells["id"])
        return
    is_same = all(there.get(name, "") == cells[name] for name in FIGURE)
    if is_same and (new == old or before.get("class") == after["class"]):
        done.same.append(cells["id"])
    else:
        _keep(superseded, there, cells["source_id"])
        done.revised.append(f"{cells['id']}: {_figure(there)} → {_figure(cells)}")
    if new > old or not is_same:  # also a figure that is repeated stands in the later edition
        there.update({name: cells[name] for name in TOLD_ANEW})


def _keep(superseded: Book, row: Mapping[str, str], by: str) -> None:
    entry = {**row, "superseded_by": by}
    if not any(all(kept.get(name, "") == text for name, text in entry.items()) for kept in superseded.rows):
        superseded.add(entry)


def _figure(row: Mapping[str, str]) -> str:
    value = row.get("value") or f"{row.get('low', '')}-{row.get('high', '')}"
    return f"{value} {row.get('unit', '')} ({row.get('qualifier', '')}, {row.get('source_id', '')})"


@dataclass
class Imported:
    """What an import did; printed, it says so."""

    download: Download  # what was read, and what was left out and why
    mapping: Path
    unmapped: list[str]  # words added to the mapping table that must be filled
    known: Mapping[str, Sequence[str]]  # words of the case that the mapping may use, by kind
    evidence: Path  # table of evidence
    # Ids of its rows: new, the same as before, revised (with both figures), and of an edition before that in effect
    new: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    mirrors: list[str] = field(default_factory=list)  # flows that both sides give

    def __str__(self) -> str:
        lines = [str(self.download)]
        if self.unmapped:
            count = f"{len(self.unmapped)} words were added to {self.mapping}"
            lines.append(f"{count}: fill the column 'to', and run again.")
            lines += [f"  {what} of the case: {listed(words, 40)}" for what, words in self.known.items()]
        counts = {name: len(getattr(self, name)) for name in ("new", "same", "revised", "earlier")}
        if any(counts.values()):
            lines.append(f"{self.evidence}: {', '.join(f'{count} {name}' for name, count in counts.items())}")
            lines += [f"  revised {text}" for text in self.revised]
        else:
            lines.append("No row of evidence was written.")
        lines.append(f"Flows and years that two reporters give: {len(self.mirrors)}")
        return "\n".join([*lines, *(f"  {pair}" for pair in self.mirrors)])


def import_files(
    kind: str, files: Files, case: str | Path, *, mapping: str | Path | None = None, products: Sequence[str] = ()
) -> Imported:
    """Import files of a statistical office, of a kind of `IMPORTERS`, into the folder of a case.

    The first import writes a draft of the mapping table (by default ``imports/KIND.csv`` beside the evidence). When its
    column ``to`` is filled, the next one writes ``evidence/KIND.csv`` and the sources. A later edition revises rows;
    earlier ones are kept in ``imports/KIND_superseded.csv``. ``products``: as of `read_download`. Nothing is written if
    a file, the mapping or the case cannot be used (`CaseError`, `EvidenceError`).
    """
    download = read_download(kind, files, products)
    folder = expanded(case)
    found = read_case_file(folder / FILE, {})
    if found.problems:
        raise CaseError(found.problems)
    settings = found.settings
    reading = Reading(folder, folder / settings.data, settings, choose_options(settings, {}))
    tables = read_system(reading)
    lists = read_lists(reading)
    if reading.problems:
        raise input_error(reading.problems)
    place = reading.data_folder
    own = place / EVIDENCE_FOLDER / f"{kind}{ENDING}"
    books = {SOURCES: reading.places.get(SOURCES), f"{EVIDENCE_FOLDER}/{kind}.csv": own.name if own.exists() else ""}
    said = "an importer adds to a CSV file, and this table is in a workbook; save the sheet as"
    in_books = [Problem(book, 0, "", f"{said} '{name}', and delete it there") for name, book in books.items() if book]
    if in_books:
        raise CaseError(in_books)
    path = expanded(mapping) if mapping else place / IMPORTS_FOLDER / f"{kind}.csv"
    words = read_mapping(path)
    roles = tuple(dict.fromkeys(flow.quantity for flow in tables.system.flows))
    known = {"regions": reading.words["region"], "products": reading.words["product"]}
    known |= {"quantities": roles, "classes": tuple(lists.classes)}
    if problems := mapping_problems(words, known):
        raise CaseError(problems)
    with explained(f"cannot write into '{place}'", "choose a case whose folder can be written"):
        unmapped = add_to_draft(path, download, words, known["regions"])
        rows = to_rows(download, words, IMPORTERS[kind].publisher, (settings.years[0], settings.years[1]))
        rows = [row for row in rows if _has_flow(row, tables.system.flows, download)]
        if download.problems:
            raise CaseError(download.problems)
        done = Imported(download, path, unmapped, known, place / EVIDENCE_FOLDER / f"{kind}.csv")
        others = [table for table in evidence_tables(reading) if table.file != f"{EVIDENCE_FOLDER}/{kind}.csv"]
        done.mirrors = mirror_pairs(rows, [row.cells for table in others for row in reading.in_effect(table)])
        if rows:
            _write(kind, place, done, rows, words)
    return done


def _has_flow(row: Row, flows: Sequence[Flow], download: Download) -> bool:
    """Whether the case has the flows of a row in its year; else the row is left out, with the pair."""
    key = row.key
    asked = Selector.of(quantity=key.quantity, product=key.product, origin=key.origin, destination=key.destination)
    if any(asked.matches(flow) and key.year in (flow.years or (key.year,)) for flow in flows):
        return True
    download.leave(f"the case has no such flow in the year: {asked}", row.record.places[0])
    return False


def _check_meanings(book: Book, told: Sequence[Mapping[str, str]]) -> None:
    """One print is one witness: a row made from the same place under another mapping has to go first."""

    def print_of(cells: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(cells.get(name, "") for name in ("locator", "value", "low", "high"))

    new = {print_of(cells): cells["id"] for cells in told}
    message = "the row '{}' has the figure that is now '{}': the mapping has changed; delete the row, and import again"
    problems = [
        Problem(f"{EVIDENCE_FOLDER}/{book.path.name}", 0, "id", message.format(row["id"], new[print_of(row)]))
        for row in book.rows
        if new.get(print_of(row), row["id"]) != row["id"]
    ]
    if problems:
        raise CaseError(problems)


def _write(kind: str, place: Path, done: Imported, rows: list[Row], words: Words) -> None:
    about = IMPORTERS[kind]
    sources = Book(place / SOURCES, SOURCE_COLUMNS, "source_id")
    book = Book(done.evidence, COLUMNS, "id")
    superseded = Book(place / IMPORTS_FOLDER / f"{kind}_superseded.csv", (*COLUMNS, "superseded_by"), "id")
    count = len(superseded.rows)
    _check_meanings(book, [cells_of(kind, row, "") for row in rows])
    for row in sorted(rows, key=lambda row: (row.record.release, row.key)):
        quality, release = row.record.quality, row.record.release
        source_id = "-".join(filter(None, (kind, release, quality if quality != "reported" else "")))
        if source_id not in sources.by_key:
            title = about.title + (f" ({quality} figures)" if quality != "reported" else "")
            error_class = words.get("class", quality)
            said = (source_id, title, about.publisher, release, about.reference, about.terms, "", error_class, "")
            sources.add(dict(zip(SOURCE_COLUMNS, said, strict=True)))
        take(book, superseded, cells_of(kind, row, source_id), sources.by_key, done)
    sources.write()
    book.write()
    if len(superseded.rows) > count:
        superseded.write()
