"""Scenarios from lists, grids and files: what is made of them, and what is said of those that cannot be."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reeuncert as ree
from reeuncert.edits import Edited
from reeuncert.edits.scenario import MOST, grid, read_scenarios, scenarios_from
from reeuncert.errors import CaseError, ReeUncertError, SamplingError
from reeuncert.studies.jobs import FitSettings
from reeuncert.studies.sensitivity import plan_study, scenarios_asked

CASE = ree.read_case("small_metal")
SPREAD = {"kind": "prior_spread", "group": "stocks", "factor": 2}

TEXT = """\
[[scenario]]
name = "stocks loose"
why = "Nobody counts them."
changes = [{kind = "prior_spread", group = "stocks", factor = 2}]

[[scenario]]
name = "no association"
changes = [{kind = "leave_out", lineage = "association"}]

[vary]
"source_width[error_class=customs]" = [0.5, 2]
"""


def problems_in(given: object) -> list[str]:
    with pytest.raises(CaseError) as caught:
        scenarios_from(given)  # type: ignore[arg-type]  # what a user may give
    return [str(problem) for problem in caught.value.problems]


def test_a_file_holds_named_scenarios_and_a_grid(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert [str(s) for s in read_scenarios(path)] == [
        "stocks loose: spread of group 'stocks' × 2",
        "no association: without lineage 'association'",
        "source_width[error_class=customs]=0.5: width of class 'customs' × 0.5",
        "source_width[error_class=customs]=2: width of class 'customs' × 2",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "stocks loose"', "", ", column 'scenario 1': the scenario has no name; give it one in a few "
         "words"),
        ("why =", "wy =", ", column 'stocks loose': the key 'wy' is not known; use one of: name, why, "
         "structure, changes; did you mean 'why'?"),
        ("prior_spread", "spread", ", column 'stocks loose': kind of change 'spread' is not known; use one of: "
         "prior_median, prior_spread, independent_years, source_width, leave_out, offset, tails, option, "
         "without_flows; did you mean 'prior_spread'?"),
        ('"no association"', '"stocks loose"', ", column 'stocks loose': 2 scenarios have this name; name each "
         "once"),
        ('"no association"', '"base"', ", column 'base': 'base' is the case as it is, which every study has; "
         "choose another name"),
        ("[0.5, 2]", "[]", ", column 'source_width[error_class=customs]': the list of values is empty; give at "
         "least one"),
        ("[0.5, 2]", "2", ", column 'source_width[error_class=customs]': '2' is no list; give the values as a "
         "list"),
        ("[vary]", "[varied]", ", column 'varied': the key 'varied' is not known; use one of: scenario, vary; "
         "did you mean 'vary'?"),
        ("[[scenario]]\nname = \"s", "[[scenario]\nname = \"s", " line 1: not valid TOML in line 1 or before "
         "it: Expected ']]' at the end of an array declaration; texts stand in quotes, lists in brackets"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told_in_words(tmp_path, old: str, new: str, message: str):
    assert old in TEXT
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_scenarios(path)
    assert [str(problem) for problem in caught.value.problems] == [f"mine.toml{message}"]


def test_the_list_and_the_grid_of_a_file_are_both_judged(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[[scenario]]\nname = 1\n[vary]\nwidth = [1]\n", encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        read_scenarios(path)
    assert {problem.column for problem in caught.value.problems} == {"scenario 1", "width"}


def test_an_empty_file_and_a_missing_one(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(CaseError, match=r"the file holds no scenario; add a \[\[scenario\]\] or a \[vary\] table"):
        read_scenarios(path)
    with pytest.raises(CaseError, match=r"absent\.toml"):
        read_scenarios(tmp_path / "absent.toml")


def test_all_problems_of_a_list_are_told_at_once():
    assert problems_in([{"name": "a", "changes": [{"kind": "x"}, "y"]}, 3, {"name": "b", "changes": []}]) == [
        "scenarios, column 'a': 'y' is no change; write e.g. {kind = \"prior_spread\", group = \"…\", factor = 2}",
        "scenarios, column 'a': kind of change 'x' is not known; use one of: prior_median, prior_spread, "
        "independent_years, source_width, leave_out, offset, tails, option, without_flows",
        "scenarios, column 'b': the scenario changes nothing; give changes = [{kind = …}]",
        "scenarios, column 'scenario 2': '3' is no scenario; give a name and changes",
    ]


@settings(max_examples=30, deadline=None)
@given(
    one=st.lists(st.floats(0.1, 9), min_size=1, max_size=4, unique=True),
    two=st.lists(st.floats(0.1, 9), min_size=1, max_size=4, unique=True),
)
def test_a_grid_is_every_combination_once(one: list[float], two: list[float]):
    found = grid({"prior_spread[group=stocks]": one, "source_width[error_class=customs].value": two})
    values = {(s.edits[0].factor, s.edits[1].value) for s in found}  # type: ignore[attr-defined]  # of those kinds
    assert values == {(a, b) for a in one for b in two}
    assert len(found) == len({s.name for s in found}) == len(one) * len(two)


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({}, "vary: the grid is empty; name what to vary, with a list of values for each"),
        ({"prior_spred": [1]}, "kind of change 'prior_spred' is not known"),
        ({"leave_out": ["a"]}, "say which key of 'leave_out' varies, e.g. leave_out.source"),
        ({"prior_spread[stocks]": [1]}, "'stocks' is no choice; write key=word"),
        ({"prior_spread group": [1]}, "write KIND[key=word].FIELD, e.g. prior_spread[group=recoveries].factor"),
        ({"prior_spread[group=stocks, group=mining]": [1]}, "'group' is given twice; keep one of them"),
        ({"prior_spread[factor=2].factor": [1]}, "'factor' is given twice; keep one of them"),
        ({"prior_spread[group=stocks]": ["wide"]}, "factor is 'wide'; give a number"),
        ({"prior_spread[group=stocks]": [2, 2]}, "2 scenarios have this name; name each once"),
        ({"prior_spread[group=stocks]": range(1, 100), "prior_spread[group=mining]": range(1, 100)},
         f"the grid has 9,801 combinations, and a study at most {MOST}; vary fewer things at a time"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_made(vary: dict[str, object], message: str):
    with pytest.raises(CaseError) as caught:
        grid(vary)  # type: ignore[arg-type]  # what a user may give
    assert message in str(caught.value)


def test_nothing_to_compare_is_told():
    for asked in ((None, None), (None, [])):
        with pytest.raises(CaseError, match=r"there is nothing to compare; give vary=\{…\} or scenarios=\[…\]"):
            scenarios_asked(*asked)


def test_the_base_comes_first():
    assert [s.name for s in scenarios_asked(None, [{"name": "a", "changes": [SPREAD]}])] == ["base", "a"]


def test_every_scenario_is_checked_before_any_is_fitted():
    asked = scenarios_asked(
        None,
        [
            {"name": "good", "changes": [SPREAD]},
            {"name": "who", "changes": [{"kind": "leave_out", "source": "nobody"}]},
            {"name": "shares", "changes": [{"kind": "prior_median", "group": "recoveries+trade", "value": 0.9}]},
            {"name": "none", "changes": [{"kind": "leave_out", "evidence": [r.id for r in CASE.evidence]}]},
        ],
    )
    with pytest.raises(CaseError) as caught:
        plan_study(CASE, asked, FitSettings())
    found = {problem.column: problem.message for problem in caught.value.problems}
    assert sorted(found) == ["none", "shares", "who"]
    assert found["none"] == "no evidence is left; leave some in, or look at the prior (sample_prior)"
    assert "nobody" in found["who"]
    assert "add up to" in found["shares"]


def test_a_headline_that_the_case_itself_cannot_answer_is_no_empty_row():
    wrong = replace(CASE, headlines=(replace(CASE.headlines[0], partner="Nowhere"),))
    with pytest.raises(CaseError, match="Nowhere") as caught:
        plan_study(wrong, scenarios_asked(None, [{"name": "a", "changes": [SPREAD]}]), FitSettings())
    assert [problem.column for problem in caught.value.problems] == ["base"]


def test_settings_and_indicators_are_checked_first():
    asked = scenarios_asked(None, [{"name": "a", "changes": [SPREAD]}])
    with pytest.raises(SamplingError, match="draws is 2; give a whole number from 4"):
        plan_study(CASE, asked, FitSettings(draws=2))
    with pytest.raises(ReeUncertError, match="import_dependance"):
        plan_study(CASE, asked, FitSettings(), ["import_dependance"])


ODD = ("[1]", "{}", "nan", "1e400", "1979-05-27", "true", "''", '"')


@settings(max_examples=150, deadline=None)
@given(
    start=st.integers(0, len(TEXT)),
    length=st.integers(0, 30),
    what=st.one_of(
        st.text(max_size=12), st.sampled_from(["[1]", "{}", "nan", "1e400", "1979-05-27", "true", "''", '"'])
    ),
)
def test_no_file_raises_anything_but_our_own_error(tmp_path_factory, start: int, length: int, what: str):
    path = tmp_path_factory.mktemp("fuzz") / "mine.toml"
    path.write_bytes((TEXT[:start] + what + TEXT[start + length :]).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(CaseError):
        for scenario in read_scenarios(path):
            assert scenario.edits
            with contextlib.suppress(CaseError):
                scenario.apply(Edited(CASE))


def test_a_kind_or_key_that_is_no_word():
    assert "key '5' is not known" in problems_in([{"name": "a", "changes": [{"kind": "tails", 5: 2}]}])[0]
    assert problems_in([{"name": "a", "changes": [{"kind": ["x"]}]}])[0].startswith(
        """scenarios, column 'a': kind of change '["""
    )
