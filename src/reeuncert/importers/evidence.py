"""Records to rows of evidence: words mapped by a table, countries of a region summed, and what cannot be used left out.

The mapping table has words of the files, and the regions, products and classes of the case. It is written as a draft.
What it cannot know is left empty; figures with such a word are left out until it is filled.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from reeuncert.errors import CaseError, Problem
from reeuncert.files import write_whole
from reeuncert.importers.record import EVERYONE, THE_REPORTER, Direction, Download, Record, summed
from reeuncert.reading.tables import read_texts
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import quoted, unknown
from reeuncert.words.units import TONNES

COLUMNS = ("what", "word", "printed", "to", "quantity", "note")
OUT = "-"  # leaves a word out
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
    found: dict[str, Iterable[str]] = {"product": {r.product for r in records}, "region": regions}
    found |= {"class": {r.quality for r in records}, "basis": {r.basis for r in records}}
    found["lineage"] = {lineage_word(r, download) for r in records}
    return [*((what, word) for what in found for word in sorted(found[what])), *(("sum", word) for word in SUMS)]


def lineage_word(record: Record, download: Download) -> str:
    """The word by which a mapping names the origin of a figure: a country where the file has many records."""
    if record.quality == "quota":
        return "quota"
    return record.reporter if download.witness == "reporter" else download.kind


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


def mapping_problems(mapping: Words, known: Mapping[str, Sequence[str]]) -> list[Problem]:
    """Words of a mapping that the case does not have; ``known``: its regions, products, quantities and classes."""
    allowed = {"region": (*known["regions"], EVERYONE), "product": known["products"], "class": known["classes"]}
    allowed["sum"] = ("derived", "at_least")
    problems = []
    for (what, word), to in mapping.to.items():
        if to in ("", OUT) or what not in allowed:
            continue
        asked = [("to", what, part.strip(), allowed[what]) for part in to.split("+")]
        if what == "product":
            roles = mapping.quantity.get(word, "").split("+")
            asked += [("quantity", "quantity", part.strip(), known["quantities"]) for part in roles]
        line = mapping.line.get((what, word), 0)
        found = ((column, unknown(part, words, name)) for column, name, part, words in asked if part not in words)
        problems += [Problem(mapping.file, line, column, message) for column, message in found]
    return problems


TOTAL = 0.97  # share of a printed total from which its parts are taken for the whole of it: printed figures are rounded


class Key(NamedTuple):
    """What a row of evidence is about."""

    year: int
    quantity: str
    product: str
    origin: str
    destination: str
    side: Direction
    basis: str

    @property
    def ends(self) -> tuple[str, str]:
        """Region of the record, and region of the partner."""
        ends = (self.origin, self.destination)
        return ends if self.side in ("export", "output") else ends[::-1]


@dataclass(frozen=True)
class Row:
    """A row of evidence, before it is written."""

    key: Key
    record: Record
    reporter: str
    lineage: str

    @property
    def id(self) -> str:
        """A name that is the same for the same key in every release."""
        return "_".join(str(word).replace("+", "&").replace("/", " ") or "all" for word in self.key)


def to_rows(download: Download, mapping: Words, publisher: str, years: tuple[int, int]) -> list[Row]:
    """Rows of evidence for the records whose words are mapped; the others are left out, with the reason.

    ``publisher``: whose record it is where the file names no reporter; ``years``: first and last of the case.
    """
    found: dict[tuple[str, Key], list[Record]] = {}
    for record in download.records:
        key = _key(record, mapping, years)
        if isinstance(key, str):
            download.leave(key, record.places[0])
        else:
            found.setdefault((record.release, key), []).append(record)
    rows = []
    for (_, key), records in found.items():
        _check_codes(records, mapping, download)
        total = _total(records, key, mapping, download)
        if isinstance(total, str):
            download.leave(total, records[0].places[0], len(records))
            continue
        names = dict.fromkeys(download.printed.get(("region", r.reporter), r.reporter) for r in records)
        own = download.witness == "both sides" or THE_REPORTER in names or key.side in ("output", "use")
        said = publisher if own else next(iter(names)) if len(names) == 1 else f"{len(names)} reporters"
        word = lineage_word(total, download)
        lineage = mapping.get("lineage", word) or (word if word == download.kind else f"{download.kind}-{word}")
        rows.append(Row(key, total, said, lineage))
    return _without_known_totals(rows, download)


def _key(record: Record, mapping: Words, years: tuple[int, int]) -> Key | str:
    """What a record is about in the words of the case, or why it is left out."""
    if not years[0] <= record.year <= years[1]:
        return f"outside the years of the case ({years[0]}-{years[1]})"
    to: dict[tuple[str, str], str] = {}
    for what, word in (
        *(("product", record.product), ("region", record.reporter), ("class", record.quality)),
        *(("basis", record.basis), ("region", record.partner)),
    ):
        to[what, word] = word if what == "region" and word in ("", EVERYONE) else mapping.get(what, word)
        if word and to[what, word] in ("", OUT):
            state = "left out by" if to[what, word] else "not mapped yet in"
            return f"the {what} {quoted(word)} is {state} {mapping.file}"
    near, far = to["region", record.reporter], to["region", record.partner]
    if record.direction in ("import", "export"):
        if near == far:
            return "trade within one region, which is no flow of the case"
        if EVERYONE in (near, far) and mapping.size(near if far == EVERYONE else far) > 1:
            return "trade of one country of a region with all others, some of them in the region"
    ends = tuple("" if end == EVERYONE else end for end in (near, far))
    origin, destination = ends if record.direction in ("export", "output") else ends[::-1]
    quantity, product = mapping.quantity.get(record.product, ""), to["product", record.product]
    return Key(record.year, quantity, product, origin, destination, record.direction, to["basis", record.basis])


def _check_codes(records: list[Record], mapping: Words, download: Download) -> None:
    """A heading and a code inside it would count the same goods twice."""
    plain = {r.product: r.product.replace(".", "") for r in records}
    for code, digits in plain.items():
        inside = [c for c, other in plain.items() if c != code and digits.isdigit() and other.startswith(digits)]
        if inside:
            message = f"the code {quoted(code)} holds {quoted(inside[0])}, and both are mapped to one product"
            line = mapping.line.get(("product", code), 0)
            problem = Problem(mapping.file, line, "to", f"{message}; write - for one of them")
            download.problems += [] if problem in download.problems else [problem]


def _total(records: list[Record], key: Key, mapping: Words, download: Download) -> Record | str:
    """One record for all words of a region; the mapping says what a sum over several of them is."""
    partners = "sum of the partners of a query" if download.partial else "sum of partners"
    words = (partners if download.witness == "both sides" else "sum of reporters", partners)
    several = [word for word, end in zip(words, key.ends, strict=True) if end and mapping.size(end) > 1]
    said = {mapping.get("sum", word): word for word in several}
    if OUT in said:
        return f"a {said[OUT]} is left out by {mapping.file}"
    record = summed(records)
    if "at_least" in said and record.figure.qualifier != "at_least":
        if record.figure.qualifier in ("up_to", "range"):
            return "a sum of bounds in which members of the region are missing"
        record = replace(record, figure=replace(record.figure, qualifier="at_least", resolution=math.nan))
    counts = (len({r.reporter for r in records}), len({r.partner for r in records}))
    note = f"sum of {counts[0]} reporters and {counts[1]} partners" if said else ""
    return replace(record, note="; ".join(filter(None, (record.note, note))))


def _without_known_totals(rows: list[Row], download: Download) -> list[Row]:
    """Leave out a total over all regions where the rows of its parts add up to it."""

    def alike(row: Row) -> tuple[object, ...]:
        # Trade is reported by its reporter; of output, the reporter is what a total is over.
        return (row.record.release, row.key._replace(origin="", destination=""), *row.key.ends[: _open(row)])

    parts: dict[tuple[object, ...], float] = {}
    for row in rows:
        if row.key.ends[_open(row)]:
            parts[alike(row)] = parts.get(alike(row), 0.0) + row.record.figure.value
    kept = []
    for row in rows:
        if not row.key.ends[_open(row)] and parts.get(alike(row), 0.0) >= TOTAL * row.record.figure.value:
            download.leave("a total whose parts are rows of their own", row.record.places[0])
        else:
            kept.append(row)
    return kept


def _open(row: Row) -> int:
    """The end of a row that a total is open at: that of the partner in trade, else that of the reporter."""
    return int(row.key.side in ("import", "export"))


def mirror_pairs(rows: list[Row], others: Iterable[Mapping[str, Any]]) -> list[str]:
    """Flows and years that two reporters give on one basis, among the rows and the evidence of other files, with their
    ratio.
    """
    told: dict[tuple[int | str, ...], dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: row.record.release):
        key = (row.key.year, *row.key[1:5], row.key.basis)
        if not math.isnan(row.record.figure.value):
            told.setdefault(key, {})[row.reporter] = row.record.figure.value
    for cells in others:
        words = {name: "+".join(cells[name]) for name in FLOW_FIELDS if cells[name]}
        flow = (words.pop(name, "") for name in ("quantity", "product", "origin", "destination"))
        found = told.get((cells["year_from"], *flow, cells["basis"]))
        is_plain = cells["relation"] == "level" and cells["year_to"] in (0, cells["year_from"]) and not words
        if found is not None and is_plain and cells["unit"] in TONNES and not math.isnan(cells["value"]):
            found.setdefault(cells["reporter"], cells["value"] * TONNES[cells["unit"]])
    return [
        f"{year} {product}, {origin or 'all'} to {destination or 'all'}: "
        + ", ".join(f"{value:,.4g} t ({reporter})" for reporter, value in found.items())
        + f", ratio {max(found.values()) / min(found.values()):.2f}"
        for (year, _, product, origin, destination, _), found in told.items()
        if len(found) > 1 and min(found.values()) > 0
    ]
