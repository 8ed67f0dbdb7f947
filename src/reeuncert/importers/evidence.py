"""Records to rows of evidence: words mapped, countries of one region summed, and what cannot be used left out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from reeuncert.errors import Problem
from reeuncert.importers.mapping import OUT, Mapping, lineage_word
from reeuncert.importers.record import (
    EVERYONE,
    EXPORT,
    IMPORT,
    OUTPUT,
    THE_REPORTER,
    USE,
    Download,
    Record,
    summed,
)
from reeuncert.words.cells import shown

TOTAL = 0.97
"""Share of a printed total from which its parts are taken for the whole of it: printed figures are rounded."""


@dataclass(frozen=True)
class Row:
    """A row of evidence, before it is written."""

    key: tuple[int, str, str, str, str, str, str]
    """Year, quantity, product, origin, destination, side of the record, basis."""
    record: Record
    reporter: str
    lineage: str

    @property
    def id(self) -> str:
        year, *words = self.key
        return "_".join([str(year), *(word.replace("+", "&").replace("/", " ") or "all" for word in words)])


def to_rows(download: Download, mapping: Mapping, publisher: str, years: tuple[int, int]) -> list[Row]:
    """Rows of evidence for the records whose words are mapped; the others are left out, with the reason.

    Parameters
    ----------
    publisher
        Whose record it is where the file names no reporter.
    years
        First and last year of the case.
    """
    found: dict[tuple[str, tuple[int, str, str, str, str, str, str]], list[Record]] = {}
    for record in download.records:
        key = _key(record, mapping, years)
        if isinstance(key, str):
            download.leave(key, *record.places)
        else:
            found.setdefault((record.release, key), []).append(record)
    rows = []
    for (_, key), records in found.items():
        _check_codes(records, mapping, download)
        total = _total(records, key, mapping, download)
        if isinstance(total, str):
            download.leave(total, *(place for r in records for place in r.places))
            continue
        names = dict.fromkeys(download.printed.get(("region", r.reporter), r.reporter) for r in records)
        reporter = publisher if download.kind == "baci" or THE_REPORTER in names or key[5] == OUTPUT else ""
        word = lineage_word(total.quality, total.reporter, download)
        lineage = mapping.get("lineage", word) or (word if word == download.kind else f"{download.kind}-{word}")
        said = reporter or (next(iter(names)) if len(names) == 1 else f"{len(names)} reporters")
        rows.append(Row(key, total, said, lineage))
    return _without_known_totals(rows, download)


def _key(record: Record, mapping: Mapping, years: tuple[int, int]) -> tuple[int, str, str, str, str, str, str] | str:
    if not years[0] <= record.year <= years[1]:
        return f"outside the years of the case ({years[0]}-{years[1]})"
    product, basis = mapping.get("product", record.product), mapping.get("basis", record.basis)
    reporter = mapping.get("region", record.reporter)
    partner = record.partner if record.partner in ("", EVERYONE) else mapping.get("region", record.partner)
    words = {
        f"the product {shown(record.product)}": product,
        f"the region {shown(record.reporter)}": reporter,
        f"the class of {record.quality} figures": mapping.get("class", record.quality),
        f"the basis {shown(record.basis)}": basis,
    }
    if record.partner:
        words[f"the region {shown(record.partner)}"] = partner
    for what, to in words.items():
        if to in ("", OUT):
            return f"{what} is {'left out by' if to else 'not mapped yet in'} {mapping.file}"
    trade = record.direction in (IMPORT, EXPORT)
    if trade and partner == reporter:
        return "trade within one region, which is no flow of the case"
    if trade and EVERYONE in (partner, reporter) and mapping.size(reporter if partner == EVERYONE else partner) > 1:
        return "trade of one country of a region with all others, some of them in the region"
    ends = {
        "import": (partner, reporter),
        "export": (reporter, partner),
        "output": (reporter, ""),
        "use": ("", reporter),
    }
    origin, destination = ("" if end == EVERYONE else end for end in ends[record.direction])
    quantity = mapping.quantity.get(record.product, "")
    return record.year, quantity, product, origin, destination, record.direction, basis


def _check_codes(records: list[Record], mapping: Mapping, download: Download) -> None:
    """A heading and a code inside it would count the same goods twice."""
    codes = sorted({r.product for r in records})
    plain = {code: code.replace(".", "") for code in codes}
    for code in codes:
        inside = [c for c in codes if c != code and plain[code].isdigit() and plain[c].startswith(plain[code])]
        if inside:
            message = f"the code {shown(code)} holds {shown(inside[0])}, and both are mapped to one product"
            line = mapping.line.get(("product", code), 0)
            problem = Problem(mapping.file, line, "to", f"{message}; write - for one of them")
            download.problems += [] if problem in download.problems else [problem]


def _total(
    records: list[Record], key: tuple[int, str, str, str, str, str, str], mapping: Mapping, download: Download
) -> Record | str:
    """One record for all words of a region; the mapping says what a sum over several of them is."""
    near, far = (4, 3) if key[5] in (IMPORT, USE) else (3, 4)
    partners = "sum of the partners of a query" if download.partial else "sum of partners"
    reporters = partners if download.kind == "baci" else "sum of reporters"
    ends = ((partners, str(key[far])), (reporters, str(key[near])))
    said = {mapping.get("sum", word): word for word, region in ends if region and mapping.size(region) > 1}
    if OUT in said:
        return f"a {said[OUT]} is left out by {mapping.file}"
    record = summed(records) if len(records) > 1 else records[0]
    if "at_least" in said and record.figure.qualifier != "at_least":
        if record.figure.qualifier in ("up_to", "range"):
            return "a sum of bounds in which members of the region are missing"
        record = replace(record, figure=replace(record.figure, qualifier="at_least", resolution=math.nan))
    counts = (len({r.reporter for r in records}), len({r.partner for r in records}))
    note = f"sum of {counts[0]} reporters and {counts[1]} partners" if said else ""
    return replace(record, note="; ".join(filter(None, (record.note, note))))


def _without_known_totals(rows: list[Row], download: Download) -> list[Row]:
    """Leave out a total over all regions where the rows of its parts add up to it."""
    alike: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        alike.setdefault((row.record.release, *row.key[:3], *row.key[5:]), []).append(row)
    kept = []
    for row in rows:
        # Trade is open at one end at most, output at its origin; what is used has its destination.
        end = 4 if row.key[5] == EXPORT else 3
        others = alike[row.record.release, *row.key[:3], *row.key[5:]] if not row.key[end] else []
        parts = [other for other in others if other.key[end] and other.key[7 - end] == row.key[7 - end]]
        if parts and sum(r.record.figure.value for r in parts) >= TOTAL * row.record.figure.value:
            download.leave("a total whose parts are rows of their own", *row.record.places)
        else:
            kept.append(row)
    return kept


def mirror_pairs(rows: list[Row]) -> list[str]:
    """The same flow and year in the record of exporter and importer, with the ratio of the second to the first."""
    by_flow: dict[tuple[object, ...], dict[str, Row]] = {}
    for row in rows:
        by_flow.setdefault((row.record.release, *row.key[:5], row.key[6]), {})[row.key[5]] = row
    said = []
    for sides in by_flow.values():
        if {IMPORT, EXPORT} <= set(sides):
            sold, bought = sides[EXPORT], sides[IMPORT]
            year, _, product, origin, destination, *_ = sold.key
            a, b = sold.record.figure.value, bought.record.figure.value
            flow = f"{product}, {origin or 'all'} to {destination or 'all'}"
            said.append(f"{year} {flow}: {a:,.4g} t sold, {b:,.4g} t bought, ratio {b / a:.2f}")
    return said
