"""A change of a case changes what it says and nothing else, and says what it cannot find."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reeuncert as ree
from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.edits import EDITS, Edited, EditError, edit_of
from reeuncert.edits.scenario import Scenario
from reeuncert.errors import ReeUncertError
from reeuncert.studies.jobs import shape_of
from reeuncert.system.definition import Selector
from reeuncert.validation.reader import problems_of
from reeuncert.words.prior_families import PRIOR_FAMILIES

CASE = ree.read_case("small_metal")
SPREADS = ("level_sd", "year_sd", "split_sd", "slope_sd")
FACTORS = st.floats(0.1, 10.0).filter(lambda f: abs(f - 1) > 1e-6)
NAMES = st.lists(st.sampled_from([p.name for p in CASE.priors]), min_size=1, max_size=4, unique=True)


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in flat(item, f"{path}.{key}").items()}
    if isinstance(value, list):
        return {k: v for i, item in enumerate(value) for k, v in flat(item, f"{path}[{i}]").items()}
    return {path: value}


def content(case: Case) -> dict[str, Any]:
    return flat(json.loads(case_to_json(case))["case"])


BEFORE = content(CASE)


def changed(case: Case) -> dict[str, tuple[Any, Any]]:
    after = content(case)
    return {k: (BEFORE.get(k), after.get(k)) for k in sorted({*BEFORE, *after}) if BEFORE.get(k) != after.get(k)}


def edited(**words: object) -> Edited:
    edit = edit_of(words)
    assert list(edit.problems(CASE)) == []
    return edit.apply(Edited(CASE))


def problems(**words: object) -> list[str]:
    return list(edit_of(words).problems(CASE))


@settings(max_examples=40, deadline=None)
@given(names=NAMES, factor=FACTORS)
def test_a_spread_is_multiplied_and_nothing_else_changes(names: list[str], factor: float):
    found = changed(edited(kind="prior_spread", prior=names, factor=factor).case)
    wanted = {
        f".priors[{i}].{name}": (getattr(p, name), pytest.approx(factor * getattr(p, name)))
        for i, p in enumerate(CASE.priors)
        for name in SPREADS
        if p.name in names and getattr(p, name)
    }
    assert found == wanted


@settings(max_examples=40, deadline=None)
@given(names=NAMES, factor=FACTORS)
def test_a_median_is_moved_by_odds_where_it_is_a_share(names: list[str], factor: float):
    case = edited(kind="prior_median", prior=names, factor=factor).case
    assert {k.rpartition(".")[2] for k in changed(case)} <= {"median", "median_to"}
    for old, new in zip(CASE.priors, case.priors, strict=True):
        if old.name not in names:
            assert case_rows_equal(old, new)
        elif old.kind == "input":
            assert new.median == pytest.approx(factor * old.median)
        else:
            assert 0 < new.median < 1
            assert new.median / (1 - new.median) == pytest.approx(factor * old.median / (1 - old.median))


def case_rows_equal(old: object, new: object) -> bool:
    return repr(old) == repr(new)


@settings(max_examples=20, deadline=None)
@given(names=NAMES)
def test_two_opposite_moves_are_none(names: list[str]):
    there = edit_of({"kind": "prior_median", "prior": names, "factor": 3}).apply(Edited(CASE))
    back = edit_of({"kind": "prior_median", "prior": names, "factor": 1 / 3}).apply(there).case
    for old, new in zip(CASE.priors, back.priors, strict=True):
        assert new.median == pytest.approx(old.median)


def test_a_median_is_set_for_all_years():
    case = edited(kind="prior_median", prior="ore of South", value=12).case
    assert changed(case) == {".priors[0].median": (20.0, 12.0), ".priors[0].median_to": (40.0, None)}


@settings(max_examples=20, deadline=None)
@given(names=NAMES)
def test_independent_years_keep_the_spread_of_every_year(names: list[str]):
    case = edited(kind="independent_years", prior=names).case
    for old, new in zip(CASE.priors, case.priors, strict=True):
        if old.name in names:
            assert (new.level_sd, new.correlation) == (0, 0)
            assert math.hypot(new.level_sd, new.year_sd) == pytest.approx(math.hypot(old.level_sd, old.year_sd))
        else:
            assert case_rows_equal(old, new)
    assert {k.rpartition(".")[2] for k in changed(case)} <= {"level_sd", "year_sd", "correlation"}


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(sorted(CASE.classes)), factor=FACTORS)
def test_the_width_of_a_class_is_multiplied_with_its_floor(name: str, factor: float):
    found = changed(edited(kind="source_width", error_class=name, factor=factor).case)
    own = {
        f".evidence[{i}].width": (row.width, pytest.approx(factor * row.width))
        for i, row in enumerate(CASE.evidence)
        if CASE.sources[row.source_id].error_class == name and row.width == row.width
    }
    kept = CASE.classes[name]
    of_class = {
        f".classes.{name}.width": (kept.width, pytest.approx(factor * kept.width)),
        f".classes.{name}.floor": (kept.floor, pytest.approx(factor * kept.floor)),
    }
    assert found == own | of_class


def test_one_source_of_a_class_gets_a_class_of_its_own():
    case = edited(kind="source_width", source="customs-south", factor=3).case
    assert case.sources["customs-south"].error_class == "customs, × 3"
    assert case.sources["customs-north"].error_class == "customs"
    assert case.classes["customs, × 3"].width == pytest.approx(3 * CASE.classes["customs"].width)
    assert case.classes["customs"] == CASE.classes["customs"]
    assert not problems_of(case)


def test_a_width_is_set_and_its_floor_lowered_to_it():
    case = edited(kind="source_width", error_class="customs", value=0.01).case
    assert (case.classes["customs"].width, case.classes["customs"].floor) == (0.01, 0.01)


@settings(max_examples=20, deadline=None)
@given(lineages=st.lists(st.sampled_from(sorted({r.lineage for r in CASE.evidence})), min_size=1, unique=True))
def test_rows_left_out_are_those_of_the_lineage_and_stay_in_the_case(lineages: list[str]):
    found = edited(kind="leave_out", lineage=lineages)
    assert found.left_out == {row.id for row in CASE.evidence if row.lineage in lineages}
    assert changed(found.case) == {}


def test_without_stocks_the_rest_of_the_system_balances():
    case = edited(kind="without_flows", quantity="stock+opening_stock").case
    gone = {f.name for f in CASE.system.flows} - {f.name for f in case.system.flows}
    assert gone == {"north_stock", "north_opening_stock"}
    assert {p.name for p in CASE.priors} - {p.name for p in case.priors} == {
        p.name for p in CASE.priors if set(p.selector.fields.get("flow", ())) <= gone and p.selector.fields.get("flow")
    }
    assert not problems_of(case)
    kept = {f.name: f for f in CASE.system.flows}
    assert all(repr(flow) == repr(kept[flow.name]) for flow in case.system.flows)


def test_a_process_that_nothing_enters_goes_too():
    case = edited(kind="without_flows", flow="south_ore").case
    assert "south_mine" not in {p.name for p in case.system.processes}
    assert not any(flow.from_process == "south_mine" for flow in case.system.flows)


def test_numbers_keep_the_shape_and_structure_does_not():
    same = [
        {"kind": "prior_spread", "prior": "*", "factor": 2},
        {"kind": "prior_median", "prior": "ore of South", "factor": 2},
        {"kind": "independent_years"},
        {"kind": "source_width", "error_class": "customs", "factor": 2},
        {"kind": "leave_out", "lineage": "association"},
        {"kind": "tails", "degrees_of_freedom": 2, "outlier_share": 0},
    ]
    shape = shape_of(CASE)
    assert {shape_of(edited(**words).case) for words in same} == {shape}
    assert shape_of(edited(kind="without_flows", flow="south_ore").case) != shape


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"kind": "prior_spred", "factor": 2},
            "kind of change 'prior_spred' is not known; use one of: prior_median, prior_spread, independent_years, "
            "source_width, leave_out, offset, tails, option, without_flows; did you mean 'prior_spread'?",
        ),
        (
            {"kind": "source_width", "clas": "customs", "factor": 2},
            "for 'source_width' the key 'clas' is not known; use one of: source, lineage, error_class, evidence, "
            "factor, value",
        ),
        ({"kind": "prior_spread", "factor": "two"}, "factor is 'two'; give a number"),
        ({"kind": "leave_out", "source": 3}, "source is '3'; give a name, or several as a list"),
    ],
)
def test_words_that_are_no_change(words: dict[str, object], message: str):
    with pytest.raises(EditError) as caught:
        edit_of(words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"kind": "prior_spread", "prior": "ore of Suth", "factor": 2},
            "prior 'ore of Suth' is not known; use one of: "
            + ", ".join(p.name for p in CASE.priors[:12])
            + "; did you mean 'ore of South'?",
        ),
        (
            {"kind": "prior_spread", "factor": 2},
            "'prior_spread' does not say which priors; name a prior, a group, or flows (e.g. quantity); "
            'prior = "*" means all',
        ),
        ({"kind": "prior_spread", "prior": "*", "factor": 0}, "factor is 0; it must be between 0.001 and 1000"),
        ({"kind": "prior_spread", "prior": "*"}, "'prior_spread' needs factor (none is given)"),
        (
            {"kind": "prior_median", "prior": "*", "factor": 2, "value": 0.1},
            "'prior_median' needs one of: factor, value (2 are given)",
        ),
        (
            {"kind": "prior_median", "prior": "tailings of South", "value": 1.5},
            "value is 1.5, but prior 'tailings of South' is a share; it must be below 1",
        ),
        (
            {"kind": "prior_spread", "quantity": "trad", "factor": 2},
            "quantity 'trad' is not known; use one of: "
            + ", ".join(sorted({f.quantity for f in CASE.system.flows}))
            + "; did you mean 'trade'?",
        ),
        (
            {"kind": "leave_out", "source": "surveys"},
            "source 'surveys' is not known; use one of: association, customs-north, customs-south, survey; "
            "did you mean 'survey'?",
        ),
        (
            {"kind": "leave_out"},
            "'leave_out' does not say which evidence; name a source, lineage, error_class, or rows (evidence)",
        ),
        ({"kind": "leave_out", "source": "survey", "lineage": "association"},
         "no row of evidence is of source 'survey' and lineage 'association'"),
        ({"kind": "offset", "offset": "bias", "mean": 1}, "offset 'bias' is not known; use one of: (there is none)"),
        ({"kind": "tails", "outlier_share": 0.9}, "outlier_share: 0.9 is not between 0 and 0.5"),
        ({"kind": "option", "option": "colour", "choice": "red"},
         "option 'colour' is not known; use one of: (there is none)"),
        ({"kind": "without_flows", "quantity": "trade", "product": "concentrate"},
         "no flow of the case has quantity = trade, product = concentrate"),
    ],
)  # fmt: skip
def test_what_a_case_does_not_have_is_told(words: dict[str, object], message: str):
    assert problems(**words) == [message]


def test_a_selection_of_some_flows_of_a_row_is_refused():
    row = replace(CASE.priors[3], name="losses", selector=Selector.of(quantity="loss"))
    edit = edit_of({"kind": "prior_spread", "flow": "south_tailings", "factor": 2})
    assert list(edit.problems(replace(CASE, priors=(row,)))) == [
        "the selection flow = south_tailings covers only some of the flows that prior 'losses' covers; "
        "widen the selection, name the prior, or split its row in priors.csv"
    ]


def test_a_spread_that_no_number_says_alone_is_refused():
    rows = [replace(CASE.priors[0], family=family, a=1.0, b=2.0) for family in ("uniform", "exponential", "gamma")]
    case = replace(CASE, priors=tuple(replace(row, name=row.family) for row in rows))
    edit = edit_of({"kind": "prior_spread", "prior": "*", "factor": 2})
    (message,) = edit.problems(case)
    refused, _, allowed = message.partition("; choose ")
    assert all(f"'{name}'" in refused for name in ("uniform", "exponential"))
    assert "gamma" not in refused
    assert [word for word, family in PRIOR_FAMILIES.items() if family.widened] == allowed.split(": ")[1].split(", ")
    wider = edit.apply(Edited(replace(case, priors=case.priors[2:]))).case.priors[0]
    assert (wider.a, wider.b) == (0.25, 0.5)


def test_every_kind_says_what_it_does():
    said = {
        "prior_median": {"prior": "ore of South", "value": 3},
        "prior_spread": {"group": "stocks", "factor": 2},
        "independent_years": {"group": "stocks"},
        "source_width": {"error_class": "customs", "value": 0.4},
        "leave_out": {"lineage": "association"},
        "tails": {"degrees_of_freedom": 2, "outlier_share": 0},
        "offset": {"offset": "bias", "mean": 0.1},
        "option": {"option": "gap", "choice": "flat"},
        "without_flows": {"quantity": "stock"},
    }
    assert set(said) == set(EDITS)
    assert [str(edit_of({"kind": kind, **words})) for kind, words in said.items()] == [
        "median of 'ore of South' = 3",
        "spread of group 'stocks' × 2",
        "independent years of group 'stocks'",
        "width of class 'customs' = 0.4",
        "without lineage 'association'",
        "degrees of freedom 2, outlier share 0 of errors",
        "offset 'bias': mean = 0.1",
        "gap = flat",
        "without flows of quantity = stock",
    ]


def test_a_case_changed_in_memory_cannot_switch_its_options(tmp_path):
    from case_files import write_case

    case = ree.read_case(write_case(tmp_path / "tiny"))
    wide = Scenario.of("wide", {"kind": "option", "option": "scope", "choice": "wide"})
    assert wide.apply(Edited(case)).case.options == {"scope": "wide"}
    short = ree.restrict(case, [2001, 2002])
    assert wide.apply(Edited(short)).case.system.years == (2001, 2002)
    other = edit_of({"kind": "prior_spread", "prior": "mining", "factor": 2}).apply(Edited(case)).case
    with pytest.raises(ReeUncertError, match=r"the switches of case 'tiny' cannot be changed here: it is not what its"):
        wide.apply(Edited(other))


def test_switches_are_made_before_numbers(tmp_path):
    from case_files import write_case

    case = ree.read_case(write_case(tmp_path / "tiny"))
    both = Scenario.of(
        "both",
        {"kind": "prior_spread", "prior": "mining", "factor": 2},
        {"kind": "option", "option": "scope", "choice": "wide"},
    )
    found = both.apply(Edited(case)).case
    assert (found.options["scope"], found.priors[0].level_sd) == ("wide", 1.0)
