"""Words of a case that may be slips, and what is defined and never used: both pass every rule and change a result."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from reeuncert.errors import Problem
from reeuncert.reading.case_file import FILE
from reeuncert.reading.case_tables import SystemTables, selector_of
from reeuncert.reading.state import (
    CLASSES,
    CONSTANTS,
    CONTENTS,
    COVARIATES,
    FACTORS,
    FLOWS,
    OFFSETS,
    PRIORS,
    PROCESSES,
    SOURCES,
    Reading,
)
from reeuncert.words.cells import listed, near_miss, nearest, quoted

QUANTITIES = (
    *("ore", "mine_production", "feed", "production", "sale", "trade", "declared", "unrecorded_trade", "undeclared"),
    *("stock", "opening_stock", "loss", "apparent_consumption", "end_use", "recycling", "fabrication"),
    *("use_in_goods", "swarf", "relabelled_ore"),
)
STAGES = (
    *("mining", "cracking", "separation", "refining", "electrolysis", "fabrication", "recycling"),
    *("market", "border", "use"),
)
ROUTES = ("registered", "unregistered")
"""Words with a role for indicators, figures and counterfactuals; tables may use other words, without a role."""

Place = tuple[str, int, str]  # file, line and column


def known_constants() -> frozenset[str]:
    """Names of the constants that some indicator reads."""
    from reeuncert.indicators import INDICATORS  # loaded only where a case has constants

    return frozenset(name for record in INDICATORS.values() for name in record.constants)


def word_warnings(reading: Reading, tables: SystemTables) -> list[Problem]:
    """Near misses among words of one role, and what is defined and not used, over the tables of a case."""
    return [*_near_misses(reading), *_unused(reading, tables)]


def _near_misses(reading: Reading) -> Iterator[Problem]:
    evidence = _evidence_files(reading)
    lineages = [(SOURCES, "lineage"), (SOURCES, "source_id"), *((file, "lineage") for file in evidence)]
    roles: list[tuple[str, Collection[str], list[tuple[str, str]]]] = [
        ("quantity", QUANTITIES, [(FLOWS, "quantity")]),
        ("route", ROUTES, [(FLOWS, "route")]),
        ("stage", STAGES, [(PROCESSES, "stage")]),
        ("end use", (), [(FLOWS, "end_use")]),
        ("product", (), [(FLOWS, "product")]),
        ("region", (), [(PROCESSES, "region"), (FLOWS, "origin"), (FLOWS, "destination")]),
        ("lineage", (), lineages),
        ("reporter", (), [(file, "reporter") for file in evidence]),
        ("class of priors", (), [(PRIORS, "group")]),
        ("shared level", (), [(PRIORS, "shared")]),
        ("constant", known_constants() if reading.tables[CONSTANTS].rows else (), [(CONSTANTS, "constant")]),
        ("covariate", (), [(COVARIATES, "covariate")]),
    ]
    for what, known, columns in roles:
        places: dict[str, list[Place]] = defaultdict(list)
        for file, column in columns:
            for row in reading.tables[file].rows:
                if row[column]:
                    places[row[column]].append((file, row.line, column))
        yield from _of_role(what, known, places)


def _of_role(what: str, known: Collection[str], places: Mapping[str, list[Place]]) -> Iterator[Problem]:
    for word, where in places.items():
        if word in known:
            continue
        other = nearest(word, known)
        if other:
            used = "which has a role"
        else:
            # Of two near words the rarer is the slip; of two equally rare ones the later.
            order = list(places)
            place = (len(where), -order.index(word))
            near = (o for o in order if near_miss(word, o))
            other = next((o for o in near if place < (len(places[o]), -order.index(o))), "")
            count = len(places.get(other, ()))
            used = f"which stands on {count} row{'' if count == 1 else 's'}"
        if other:
            message = f"the {what} {quoted(word)} is nearly {quoted(other)}, {used}; "
            yield Problem(*where[0], f"{message}write the same word, or one that is less alike")


def _unused(reading: Reading, tables: SystemTables) -> Iterator[Problem]:
    evidence = [row for file in _evidence_files(reading) for row in reading.tables[file].rows]
    cited = {row["source_id"] for row in evidence}
    for file in (FACTORS, CONTENTS, COVARIATES, CONSTANTS):
        cited |= {name for row in reading.tables[file].rows for name in row["source_id"]}
    gross = [row for row in evidence if row["basis"] == "gross"]
    weighed = {
        tables.system.flows[i].product
        for row in gross
        for prefix in ("", "of_")
        for i in tables.system.select(selector_of(row, prefix))
    }
    offsets = {name for row in evidence for name in row["offsets"] + row["of_offsets"]}
    for file, column, used, by in (
        (OFFSETS, "offset", offsets, "row of evidence names"),
        (SOURCES, "source_id", cited, "row cites"),
        (CLASSES, "class", {row["class"] for row in reading.tables[SOURCES].rows}, "source has"),
        (FACTORS, "product", weighed, "row in gross weight is of"),
        (CONTENTS, "element", {row["element"] for row in evidence}, "row of evidence is of"),
        (COVARIATES, "covariate", {row["slope_on"] for row in reading.tables[PRIORS].rows}, "prior has a slope on"),
    ):
        first: dict[str, int] = {}
        for row in reading.tables[file].rows:
            if row[column] and row[column] not in used:
                first.setdefault(row[column], row.line)
        if first:
            message = f"no {by} {listed(map(quoted, first), 5)}; delete what is not used, or name it where it is meant"
            yield Problem(file, next(iter(first.values())), column, message)
    yield from _unused_settings(reading, tables)


def _unused_settings(reading: Reading, tables: SystemTables) -> Iterator[Problem]:
    named: dict[str, set[str]] = defaultdict(set)
    for table in reading.tables.values():
        for row in table.rows:
            for option, choices in row["when"]:
                named[option] |= set(choices)
    for option, entry in reading.settings.options.items():
        alike = [choice for choice in entry.choices if choice not in named[option]]
        if len(alike) > 1 or len(entry.choices) == 1:
            message = f"no row names {listed(map(quoted, alike), 5)} in its column when, so that " if alike else ""
            message += "choosing among them changes nothing" if alike else "the option has one choice"
            yield Problem(FILE, 0, f"options.{option}", f"{message}; delete the option, or write it in column when")
    flows, processes = tables.system.flows, tables.system.processes
    places = {place for flow in flows for place in (flow.origin, flow.destination)} | {p.region for p in processes}
    for key, words, used in (
        ("regions", reading.settings.regions, places),
        ("products", reading.settings.products, {flow.product for flow in flows}),
    ):
        idle = [word for word in words if word not in used]
        if idle:
            message = f"no flow or process has {listed(map(quoted, idle), 5)}; delete it, or add its flows"
            yield Problem(FILE, 0, key, message)


def _evidence_files(reading: Reading) -> list[str]:
    return [file for file in reading.tables if file.lower().startswith("evidence")]
