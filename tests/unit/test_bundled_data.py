"""The bundled data folder: every figure has a source, a reason and one use; nothing stands in it that should not."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from reeuncert.case.records import Case, Evidence
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.problems import overlaps
from reeuncert.priors.coverage import case_network
from reeuncert.reading.bundled import find_case
from reeuncert.validation.reader import read_case

SCOPES = ("as_documented", "registered_all_years")
FILES = {
    "consumption": 6,
    "elements": 53,
    "end_use": 29,
    "magnets": 42,
    "mine_production": 90,
    "mirror": 13,
    "refining": 20,
    "trade_cn": 116,
    "trade_us": 216,
    "unregistered": 10,
}
"""Rows of each evidence file that are in effect at a time."""

QUOTAS = ("mining_quota", "separation_quota", "export_quota")
NAMED = re.compile(r"\b[FG]\d{4}\b")


@cache
def bundled(scope: str = "as_documented") -> Case:
    return read_case("china_us_row", usgs_scope=scope)


def case_folder() -> Path:
    return Path(str(find_case("china_us_row")))


def data_folder() -> Path:
    return (case_folder() / "../../data").resolve()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def of_file(case: Case, name: str) -> list[Evidence]:
    return [row for row in case.evidence if row.file == f"evidence/{name}.csv"]


@pytest.mark.parametrize("scope", SCOPES)
def test_each_file_has_its_rows(scope: str) -> None:
    assert {name: len(of_file(bundled(scope), name)) for name in FILES} == FILES
    assert sum(FILES.values()) == len(bundled(scope).evidence) == 595


def test_every_row_says_where_it_stands_and_why_it_is_that_wide() -> None:
    case = bundled()
    for row in case.evidence:
        assert row.locator, row.id
        assert row.reporter, row.id
        source = case.sources[row.source_id]
        assert row.lineage == source.lineage != "", row.id
        own_width = row.width == row.width  # NaN: the width is that of the class
        assert row.reason if own_width else case.classes[source.error_class].reason, row.id


def test_sources_classes_and_offsets_explain_themselves() -> None:
    case = bundled()
    for source in case.sources.values():
        assert all((source.title, source.publisher, source.reference, source.terms)), source.source_id
    assert all(c.reason for c in case.classes.values())
    assert all(o.reason for o in case.offsets.values())
    assert {c.name for c in case.classes.values()} == {s.error_class for s in case.sources.values()}
    assert {name for row in case.evidence for name in (*row.offsets, *row.of_offsets)} == set(case.offsets)


@pytest.mark.parametrize("scope", SCOPES)
def test_no_figure_is_used_twice(scope: str) -> None:
    used: Counter[str] = Counter()
    for row in bundled(scope).evidence:
        assert re.fullmatch(r"[FG]\d{4}|B\d{3}", row.id)
        used.update([row.id])
        used.update(NAMED.findall(row.note))
    assert [figure for figure, count in used.items() if count > 1] == []


def test_both_readings_of_the_early_chinese_figures_say_the_same_numbers() -> None:
    documented, registered = (
        {r.id: r for r in of_file(bundled(scope), "mine_production") if r.source_id.endswith("-china")}
        for scope in SCOPES
    )
    assert len(documented) == 10
    assert documented.keys() == registered.keys()
    for figure, row in documented.items():
        assert row.value == registered[figure].value
        assert row.years[0] <= 2009
        assert row.selector.fields["route"] == ("registered", "unregistered")
        assert registered[figure].selector.fields["route"] == ("registered",)


def test_published_results_are_for_comparison_only() -> None:
    case = bundled()
    published = {row["source_id"] for row in table(data_folder() / "reference" / "published_reference.csv")}
    assert published == {"chen-2024", "atlantic-2025"}
    assert not published & set(case.sources)
    assert not published & {row.lineage for row in case.evidence}
    assert not [s for s in case.sources.values() if "chen" in (s.title + s.publisher).lower()]


def test_quotas_are_constants_and_never_flows() -> None:
    case = bundled()
    assert {c.name for c in case.constants} == {*QUOTAS, "reserves"}
    assert all(c.source_id in case.sources and c.unit == "kt" for c in case.constants)
    assert all(c.region == "China" for c in case.constants if c.name in QUOTAS)
    assert all(row["locator"] for row in table(case_folder() / "constants.csv"))
    by_year = {(c.name, c.year): c.value for c in case.constants}
    assert by_year["export_quota", 2011] == 30.184
    assert by_year["separation_quota", 2022] == 202.0
    assert ("mining_quota", 2025) not in by_year
    assert by_year["mining_quota", 2010] == 89.2
    administrative = {s.source_id for s in case.sources.values() if s.error_class == "administrative"}
    assert not administrative & {row.source_id for row in case.evidence}


def test_collections_with_unchecked_terms_are_quoted_singly_and_marked() -> None:
    case = bundled()
    for row in case.evidence:
        if row.source_id.startswith(("comtrade", "bgs")):
            assert "quoted as a fact" in row.note, row.id
            assert len(row.years) == 1 or row.span == "mean", row.id
            assert "nothing in bulk" in case.sources[row.source_id].terms, row.source_id


def test_importers_see_what_is_declared_and_exporters_do_not() -> None:
    case = bundled()
    for row in of_file(case, "trade_us") + of_file(case, "trade_cn"):
        to, away = row.selector.fields.get("destination", ()), row.selector.fields.get("origin", ())
        office = "China" if row.file.endswith("trade_cn.csv") else "United States"
        if to == (office,):
            assert row.selector.fields["quantity"] == ("trade", "declared"), row.id
        else:
            assert away == (office,), row.id
            assert row.selector.fields["quantity"] == ("trade",), row.id


def test_one_customs_record_has_one_error_a_year() -> None:
    """Partner rows and totals of one office and year share an offset, so that no overlap is left."""
    case = bundled()
    assert overlaps(case) == []
    for row in of_file(case, "trade_us"):
        if row.source_id == "dataweb-2846-imports":
            assert row.offsets[0] == "us-imports", row.id
    for row in of_file(case, "trade_cn"):
        if row.selector.fields.get("origin") == ("China",) and row.relation == "level":
            assert row.offsets[:2] == ("cn-exports", "cn-exports-year"), row.id
            assert ("cn-exports-basket-to-2010" in row.offsets) == (row.years[0] <= 2010), row.id


def test_the_white_paper_is_one_witness_with_two_readings_of_2011() -> None:
    rows = [row for row in of_file(bundled(), "mirror") if row.lineage == "white-paper-2012"]
    assert all(row.offsets == ("white-paper",) for row in rows)
    assert all(row.of_offsets[:2] == ("cn-exports", "cn-exports-year") for row in rows)
    (last,) = (row for row in rows if row.years == (2011,))
    assert (last.value, last.alternative, last.alternative_weight) == (2.2, 1.2, 0.3)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_likelihood_takes_every_row(scope: str) -> None:
    case = bundled(scope)
    model = compile_evidence(case, case_network(case))
    assert model.n_rows == len(case.evidence)
    assert model.learned_source == ("cn-customs (customs_import_small)",)


def test_what_was_left_out_is_counted_and_explained() -> None:
    rows = table(data_folder() / "left_out.csv")
    assert all(row["series"] and row["reason"] for row in rows)
    assert {row["use"] for row in rows} == {"evidence", "context", "avoid"}
    named = set().union(*({row.id, *NAMED.findall(row.note)} for row in bundled().evidence))
    named = {figure for figure in named if figure.startswith("F")}
    assert len(named) + sum(int(row["count"]) for row in rows) == 3129
