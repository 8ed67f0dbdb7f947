"""The mapping table of an importer: words of the files to regions, products and classes of the case.

It is written as a draft. What it cannot know is left empty; figures with such a word are left out until it is filled.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.files import write_whole
from reeuncert.importers.record import EVERYONE, THE_REPORTER, Download, Record
from reeuncert.reading.tables import read_texts
from reeuncert.words.cells import quoted, unknown

COLUMNS = ("what", "word", "printed", "to", "quantity", "note")
OUT = "-"
"""Leaves a word out."""

SUMS = {"sum of reporters": "at_least", "sum of partners": "derived", "sum of the partners of a query": "at_least"}
"""Sums over several words of one region, and what they say unless the mapping says otherwise."""

_NOTES = {
    "region": "a region of the case, several joined by +, * for all, - to leave it out",
    "product": "a product of the case, several joined by +, - to leave it out; quantity: the role of the flow",
    "class": "a class of classes.csv, - to leave such figures out",
    "basis": "gross, or the content that the case counts, as the column basis of the evidence has it",
    "lineage": "origin of the record; empty: one of its own",
    "sum": "qualifier: derived where no other member of the region trades, at_least where some are missing",
}


@dataclass
class Words:
    """Words of files → words of a case."""

    file: str
    to: dict[tuple[str, str], str] = field(default_factory=dict)
    quantity: dict[str, str] = field(default_factory=dict)
    line: dict[tuple[str, str], int] = field(default_factory=dict)

    def get(self, what: str, word: str) -> str:
        """What a word is mapped to; empty where it is not known yet."""
        return self.to.get((what, word), "")

    def size(self, region: str) -> int:
        """Words that are mapped to a region."""
        return sum(what == "region" and to == region for (what, _), to in self.to.items())


def read_mapping(path: Path) -> Words:
    """Read a mapping table; one that is not there is empty. Raises `CaseError` if it is not a table of the columns of a
    mapping, or maps a word twice.
    """
    mapping = Words(path.name)
    if not path.exists():
        return mapping
    problems = []
    for row in read_texts(path, path.name, COLUMNS[:5]):
        key = (row["what"], row["word"])
        if row["what"] not in _NOTES:
            problems.append(Problem(path.name, row.line, "what", unknown(row["what"], tuple(_NOTES), "kind of word")))
        elif key in mapping.line:
            message = f"the {key[0]} {quoted(key[1])} is mapped on line {mapping.line[key]} already; keep one of them"
            problems.append(Problem(path.name, row.line, "word", message))
        else:
            mapping.to[key], mapping.line[key] = row["to"], row.line
            if row["what"] == "product":
                mapping.quantity[row["word"]] = row["quantity"]
    if problems:
        raise CaseError(problems)
    return mapping


def words_of(download: Download) -> list[tuple[str, str]]:
    """Every word of a download that a mapping must know, in the order of the table."""
    records = download.records
    regions = {r.reporter for r in records} | {r.partner for r in records if r.partner not in ("", EVERYONE)}
    found = [("product", word) for word in sorted({r.product for r in records})]
    found += [("region", word) for word in sorted(regions)]
    found += [("class", word) for word in sorted({r.quality for r in records})]
    found += [("basis", word) for word in sorted({r.basis for r in records})]
    found += [("lineage", word) for word in sorted({lineage_word(r, download.kind) for r in records})]
    return [*found, *(("sum", word) for word in SUMS)]


def lineage_word(record: Record, kind: str) -> str:
    """The word by which a mapping names the origin of a figure: a country where the file has many records."""
    return "quota" if record.quality == "quota" else record.reporter if kind in ("comtrade", "comext") else kind


def add_to_draft(path: Path, download: Download, mapping: Words, regions: Iterable[str]) -> list[str]:
    """Add the words that a mapping lacks at its end; returns those to fill. What is there stays as it is."""
    known = set(regions)
    rows = []
    for what, word in words_of(download):
        printed = download.printed.get((what, word), "")
        same = next((name for name in (word, printed) if name in known), "")
        to = {"sum": SUMS.get(word, ""), "region": same, "basis": word if word == "gross" else ""}.get(what, "")
        note = _NOTES[what] if word != THE_REPORTER else "the country whose record this is; the file does not name it"
        if (what, word) not in mapping.line:
            rows.append([what, word, printed, to, "", note])
    if rows:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        earlier = path.read_bytes() if path.exists() else b""
        if not earlier:
            writer.writerow(COLUMNS)
        elif not earlier.endswith(b"\n"):
            text.write("\n")
        writer.writerows(rows)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, earlier + text.getvalue().encode())
    for row in rows:
        mapping.to[row[0], row[1]] = row[3]
    return [word for what, word, _, to, *_ in rows if not to and what != "lineage"]


def mapping_problems(
    mapping: Words, regions: Iterable[str], products: Iterable[str], quantities: Iterable[str], classes: Iterable[str]
) -> list[Problem]:
    """Words of a mapping that the case does not have."""
    known = {"region": (*regions, EVERYONE), "product": tuple(products), "class": tuple(classes)}
    known["sum"] = ("derived", "at_least")
    problems = []
    for (what, word), to in mapping.to.items():
        if to in ("", OUT) or what not in known:
            continue
        asked = [("to", what, part, known[what]) for part in to.split("+")]
        if what == "product":
            roles = mapping.quantity.get(word, "")
            asked += [("quantity", "quantity", part, tuple(quantities)) for part in roles.split("+")]
        problems += [
            Problem(mapping.file, mapping.line.get((what, word), 0), column, unknown(part.strip(), allowed, name))
            for column, name, part, allowed in asked
            if part.strip() not in allowed
        ]
    return problems
