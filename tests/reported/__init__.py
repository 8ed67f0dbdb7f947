"""A small case whose evidence tests write row by row."""

from __future__ import annotations

import math
from typing import Any

from reeuncert.balance.network import Network
from reeuncert.case.records import Case, ErrorClass, Evidence, Factor, Offset, Source
from reeuncert.system.definition import Flow, Process, Selector, SystemDefinition

NAN = math.nan
YEARS = tuple(range(2000, 2010))

SYSTEM = SystemDefinition(
    (
        Process("mine", reference_outflow=("feed",)),
        Process("market", reference_outflow=("use",)),
    ),
    (
        Flow("ore", "outside", "mine", "ore", product="concentrate", years=YEARS),
        Flow("feed", "mine", "market", "production", product="salt", years=YEARS),
        Flow("tailings", "mine", "outside", "loss", product="concentrate", years=YEARS),
        Flow("imports", "outside", "market", "trade", product="oxide", years=YEARS[5:]),
        Flow("use", "market", "outside", "consumption", product="salt", years=YEARS),
    ),
    YEARS,
    "kt REO",
)

CLASSES = {
    "good": ErrorClass("good", "student_t", 0.114, 0.02, learn=True),
    "office": ErrorClass("office", "customs", 0.228, 0.0, learn=False),
    "bell": ErrorClass("bell", "normal", 0.1, 0.0, learn=False),
    "absolute": ErrorClass("absolute", "additive", 3.0, 0.0, learn=False),
}

SOURCES = {
    name: Source(name, name, "", "", "", "", lineage=name, error_class=error_class)
    for name, error_class in (
        ("survey", "good"),
        ("second", "good"),
        ("customs", "office"),
        ("normal", "bell"),
        ("sums", "absolute"),
    )
}

OFFSETS = {
    "bias": Offset("bias", 0.1, 0.2, "all", "normal"),
    "record": Offset("record", 0.0, 0.15, "year", "customs"),
}

FACTORS = {"salt": Factor("salt", 0.5), "oxide": Factor("oxide", 0.8)}


def select(**fields: str) -> Selector:
    """A selector from text, as in a table."""
    return Selector.of(**fields)


def row(
    name: str, selector: Selector, years: Any, value: float = NAN, source: str = "survey", **fields: Any
) -> Evidence:
    """One evidence row; ``years`` is a year or several."""
    given: dict[str, Any] = {
        "relation": "level",
        "of": None,
        "low": NAN,
        "high": NAN,
        "unit": "kt",
        "basis": "REO",
        "qualifier": "exact",
        "file": "evidence.csv",
        "line": 0,
        "lineage": SOURCES[source].lineage if source in SOURCES else source,
    }
    given.update(fields)
    years = (years,) if isinstance(years, int) else tuple(years)
    return Evidence(id=name, selector=selector, years=years, value=value, source_id=source, **given)


def case(*rows: Evidence, **fields: Any) -> Case:
    """The small case with these rows of evidence."""
    given: dict[str, Any] = {
        "system": SYSTEM,
        "sources": SOURCES,
        "classes": CLASSES,
        "offsets": OFFSETS,
        "factors": FACTORS,
    }
    given.update(fields)
    return Case(
        name="small",
        title="",
        description="",
        prior_measure="coordinates",
        regions=(),
        products=(),
        priors=(),
        evidence=rows,
        covariates={},
        constants=(),
        headlines=(),
        **given,
    )


def network() -> Network:
    """The network of the small case."""
    return Network.from_system(SYSTEM)
