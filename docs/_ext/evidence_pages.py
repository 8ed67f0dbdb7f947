"""The data pages: every reported figure of the bundled case, its source, and how wrong it may be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import reeuncert as ree
from reeuncert.case.records import Case, Evidence
from reeuncert.system.definition import Selector

CASE = "china_us_row"
TITLES = {
    "mine_production": "Mining",
    "unregistered": "Unregistered mining and smuggling",
    "refining": "Refining",
    "trade_us": "Trade, recorded by the United States",
    "trade_cn": "Trade, recorded by China",
    "mirror": "Mirror records",
    "consumption": "Consumption",
    "end_use": "End uses",
    "magnets": "Magnets and recycling",
}


def pages() -> dict[str, str]:
    """An index, a page for each table of evidence, and pages of sources, classes and offsets."""
    case = ree.read_case(CASE)
    by_file: dict[str, list[Evidence]] = {}
    for row in case.evidence:
        by_file.setdefault(row.file.rsplit("/", 1)[-1].removesuffix(".csv"), []).append(row)
    out = {f"data/{name}.md": _evidence(name, rows) for name, rows in by_file.items()}
    out["data/sources.md"] = _sources(case)
    out["data/classes.md"] = _classes(case)
    out["data/index.md"] = _index(case, by_file)
    return out


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table in Markdown; bars and line ends in a cell are made harmless."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows)]


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    for character in "\\|<>*_$[]~":
        # Names in backticks are code already.
        text = text if text.startswith("`") else text.replace(character, f"\\{character}")
    return text


def _index(case: Case, by_file: dict[str, list[Evidence]]) -> str:
    used = {row.source_id for row in case.evidence}
    lineages = Counter(row.lineage for row in case.evidence)
    names = [name for name in TITLES if name in by_file] + [name for name in by_file if name not in TITLES]
    rows = []
    for name in names:
        held = by_file[name]
        years = [y for row in held for y in row.years]
        bounds = sum(row.qualifier in ("at_least", "up_to", "range", "zero") for row in held)
        sources = len({row.source_id for row in held})
        rows.append(
            (f"[{TITLES.get(name, name)}]({name}.md)", len(held), bounds, f"{min(years)}–{max(years)}", sources)
        )
    body = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    largest = ", ".join(f"`{name}` ({count})" for name, count in lineages.most_common(6))
    return "\n".join(
        [
            "# Data",
            "",
            f"The case `{case.name}` rests on {len(case.evidence)} rows of evidence from {len(used)} sources. These "
            "pages are made from the tables in `data/` when the documentation is built: what you read here is what "
            "the model reads. How a figure enters is said in [Evidence](../../method/evidence.md).",
            "",
            "| table | figures | of them bounds | years | sources |",
            "|---|---|---|---|---|",
            *body,
            "",
            f"Figures of one *lineage* have one origin, whoever printed them, and count as one witness. There are "
            f"{len(lineages)}; the largest are {largest}.",
            "",
            "```{toctree}",
            ":maxdepth: 1",
            "",
            *names,
            "sources",
            "classes",
            "```",
            "",
        ]
    )


def _evidence(name: str, rows: Sequence[Evidence]) -> str:
    head = ("id", "what", "years", "figure", "basis", "source", "where it stands", "note")
    lines = [
        (
            row.id,
            _about(row),
            _years(row),
            _figure(row),
            "" if row.basis == "n/a" else row.basis,
            f"`{row.source_id}`",
            row.locator,
            row.note,
        )
        for row in rows
    ]
    return "\n".join(
        [
            f"# {TITLES.get(name, name)}",
            "",
            f"`data/evidence/{name}.csv`, {len(rows)} figures as printed by their sources "
            "([sources](sources.md), [error classes](classes.md)).",
            "",
            *table(head, lines),
            "",
        ]
    )


def _about(row: Evidence) -> str:
    text = _selected(row.selector)
    if row.of is None:
        return text
    word = {"share": "as a share of", "ratio": "over", "difference": "less"}[row.relation]
    return f"{text} {word} {_selected(row.of)}"


def _selected(selector: Selector) -> str:
    fields = {name: "+".join(values) for name, values in selector.fields.items()}
    origin, destination = fields.pop("origin", ""), fields.pop("destination", "")
    way = f"{origin or 'any'} → {destination or 'any'}" if destination else origin
    return ", ".join([*(value.replace("_", " ") for value in fields.values()), *([way] if way else [])])


def _years(row: Evidence) -> str:
    if len(row.years) == 1:
        return str(row.years[0])
    return f"{row.years[0]}–{row.years[-1]} ({row.span})"


def _figure(row: Evidence) -> str:
    if row.qualifier == "range":
        number = f"{row.low:g} to {row.high:g}"
    else:
        word = {"about": "about ", "at_least": "at least ", "up_to": "up to "}.get(row.qualifier, "")
        number = f"{word}{row.value:,.10g}"
    if not math.isnan(row.alternative):
        number += f" (or {row.alternative:g}, weight {row.alternative_weight:g})"
    return f"{number} {row.unit}"


def _sources(case: Case) -> str:
    counts = Counter(row.source_id for row in case.evidence)
    rows = [
        (
            f"`{s.source_id}`",
            s.title,
            s.publisher,
            s.edition,
            s.reference,
            s.lineage,
            f"`{s.error_class}`",
            counts[s.source_id],
        )
        for s in case.sources.values()
        if counts[s.source_id]
    ]
    head = ("source", "title", "publisher", "edition", "reference", "lineage", "error class", "figures")
    return "\n".join(
        ["# Sources", "", "Every document that a figure of the evidence was read from.", "", *table(head, rows), ""]
    )


def _classes(case: Case) -> str:
    used = {case.sources[row.source_id].error_class for row in case.evidence}
    head = ("class", "family", "width", "floor", "learned", "reason")
    rows = [
        (f"`{c.name}`", c.family, f"{c.width:g}", f"{c.floor:g}", "yes" if c.learn else "no", c.reason)
        for c in case.classes.values()
        if c.name in used
    ]
    offsets = [(f"`{o.name}`", f"{o.mean:g}", f"{o.sd:g}", o.per, o.family, o.reason) for o in case.offsets.values()]
    factors = [(f.product, f"{f.factor:g}", f"{f.low:g} to {f.high:g}", f.note) for f in case.factors.values()]
    return "\n".join(
        [
            "# How wrong a figure may be",
            "",
            "Width: half-width of the central 68 % on the log (or logit) scale.",
            "",
            "## Classes of sources",
            "",
            *table(head, rows),
            "",
            "## Errors that figures share",
            "",
            *table(("offset", "mean", "sd", "one per", "family", "reason"), offsets),
            "",
            "## Content of a gross tonne",
            "",
            *table(("product", "t REO per t", "range", "note"), factors),
            "",
        ]
    )
