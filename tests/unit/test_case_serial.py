"""A case as text and back: the same in every digit, and refusal of texts that are not one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from case_files import every_digit, write_case
from reeuncert.case.records import (
    Case,
    Constant,
    ErrorClass,
    Evidence,
    Factor,
    Headline,
    Offset,
    Prior,
    Source,
)
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.errors import CaseError
from reeuncert.reading.bundled import bundled_cases
from reeuncert.system.definition import Flow, Process, Selector, SystemDefinition
from reeuncert.validation.reader import read_case

TEXT = st.text(max_size=6)
YEARS = st.lists(st.integers(1, 9999), max_size=3).map(tuple)
SELECTORS = st.builds(Selector, st.dictionaries(TEXT, st.lists(TEXT, max_size=2).map(tuple), max_size=2))


def few(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(values, max_size=2).map(tuple)


def named(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.dictionaries(TEXT, values, max_size=2)


SYSTEMS = st.builds(
    SystemDefinition,
    processes=few(st.builds(Process, reference_outflow=few(TEXT))),
    flows=few(st.builds(Flow, years=YEARS)),
    years=YEARS,
)
CASES = st.builds(
    Case,
    system=SYSTEMS,
    regions=few(TEXT),
    products=few(TEXT),
    priors=few(st.builds(Prior, selector=SELECTORS, years=YEARS)),
    evidence=few(st.builds(Evidence, selector=SELECTORS, of=st.none() | SELECTORS, years=YEARS, offsets=few(TEXT))),
    sources=named(st.builds(Source)),
    classes=named(st.builds(ErrorClass)),
    offsets=named(st.builds(Offset)),
    factors=named(st.builds(Factor)),
    covariates=named(st.dictionaries(st.integers(1, 9999), st.floats(), max_size=2)),
    constants=few(st.builds(Constant)),
    headlines=few(st.builds(Headline)),
    options=named(TEXT),
    option_choices=named(few(TEXT)),
    compare=few(TEXT),
    hashes=named(TEXT),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(case=CASES)
def test_any_case_comes_back_the_same_in_every_digit(case: Case) -> None:
    assert every_digit(case_from_json(case_to_json(case))) == every_digit(case)


def test_the_minimal_case_comes_back_the_same(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    again = case_from_json(case_to_json(case))
    assert every_digit(again) == every_digit(case)
    assert again.system == case.system
    assert again.evidence[4].of == Selector.of(quantity="stock+end_use")


@pytest.mark.parametrize("name", bundled_cases())
def test_bundled_cases_come_back_the_same(name: str) -> None:
    case = read_case(name)
    assert every_digit(case_from_json(case_to_json(case))) == every_digit(case)


def test_the_text_is_standard_json_with_a_version(tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    content = json.loads(case_to_json(read_case(write_case(tmp_path))), parse_constant=refuse)
    assert (content["format"], content["version"]) == ("reeuncert case", 1)
    assert content["case"]["priors"][0]["a"] is None


def text_with(tmp_path: Path, **changes: object) -> str:
    content = json.loads(case_to_json(read_case(write_case(tmp_path))))
    content["case"].update({k: v for k, v in changes.items() if k in content["case"]})
    content.update({k: v for k, v in changes.items() if k not in content["case"]})
    return json.dumps(content)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": "x"}, "column 'format': the text is no case; its key 'format' must say 'reeuncert case'"),
        (
            {"version": 2},
            "column 'version': the case has format version 2 and this package reads version 1; use the version of the "
            "package that wrote it",
        ),
        ({"regions": "North"}, "column 'case.regions': Input should be a valid tuple; the text was changed"),
        (
            {"factors": {"x": {"product": "x", "factor": 1.0, "colour": 1}}},
            "column 'case.factors.x.colour': Unexpected",
        ),
        ({"title": 3}, "column 'case.title': Input should be a valid string; the text was changed"),
        ({"factors": {"x": {}}}, "column 'case.factors.x.product': Field required; the text was changed"),
        ({"covariates": {"t": {"2000": 10**400}}}, "column 'case.covariates.t.2000': Input should be a valid number"),
        ({"covariates": {"t": {"x": 1}}}, "column 'case.covariates.t.x.[key]': Input should be a valid integer"),
    ],
)
def test_other_texts_are_refused_with_their_place(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(CaseError) as error:
        case_from_json(text_with(tmp_path, **changes))
    assert str(error.value).startswith(f"1 problem found:\n  case JSON, {says}")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN", "[]", "\ud800"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(CaseError):
        case_from_json(text)


@settings(max_examples=100, deadline=None)
@given(text=st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps) | st.text())
def test_any_text_is_refused_in_words(text: str) -> None:
    with pytest.raises(CaseError):
        case_from_json(text)
