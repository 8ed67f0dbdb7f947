"""Figures that sources would report of a truth: what they speak of, how they err, and what they print."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

import reeuncert as ree
from reeuncert.calibration.figures import (
    draw_error,
    draw_offsets,
    draw_widths,
    learned_sources,
    mass_by_name,
    simulated_row,
    statements,
)
from reeuncert.calibration.simulate import simulate, simulate_flows
from reeuncert.case.records import Case, ErrorClass, ErrorTails, Evidence, Offset
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.predictive import log_likelihood, predicted_quantities
from reeuncert.priors.coverage import case_network
from reeuncert.words.error_laws import ERROR_LAWS, NORMAL, ErrorLaw

NAN = float("nan")
REPEATS = 4000


class Unerring:
    """A source of randomness from which no error comes: offsets and figures are at their centres."""

    def standard_normal(self) -> float:
        return 0.0

    def standard_t(self, _: float) -> float:
        return 0.0

    def random(self) -> float:
        return 1.0


@pytest.mark.parametrize("name", ["small_metal", "china_us_row"])
def test_without_error_every_row_says_what_the_model_says_of_the_same_flows(name: str):
    case = ree.read_case(name)
    plain = [
        replace(row, resolution=NAN, alternative=NAN, alternative_weight=0.0, qualifier="exact", value=1.0)
        for row in case.evidence
    ]
    case = replace(case, evidence=tuple(plain))
    flows = simulate_flows(case, 1, np.random.default_rng(1))[0]
    said = statements(case)
    mass, widths, offsets = mass_by_name(case, flows), draw_widths(case, said, Unerring()), {}
    offsets = draw_offsets(case, said, Unerring())
    found = {s.row.id: simulated_row(s, case, mass, widths, offsets, Unerring()) for s in said}
    model = compile_evidence(case, case_network(case))
    assert list(found) == list(model.ids)
    expected = model.to_unit(predicted_quantities(model, flows, model.offsets.mean))
    assert np.allclose([row.value for row in found.values()], expected, rtol=1e-9)


def test_the_same_widths_are_learned_as_in_the_model():
    case = ree.read_case("china_us_row")
    found = learned_sources(case, statements(case))
    assert tuple(found) == compile_evidence(case, case_network(case)).learned_source
    assert found


@pytest.mark.parametrize("family", ["normal", "additive", "student_t"])
def test_a_width_is_the_half_width_of_the_central_68_percent(family: str):
    rng = np.random.default_rng(2)
    errors = np.array([draw_error(family, 0.3, ErrorTails(), rng) for _ in range(20_000)])
    inside = np.mean(np.abs(errors) < 0.3)
    assert abs(inside - 0.68) < 0.012  # 0.683 for the normal, 0.682 for the t; Monte Carlo error 0.003


def test_one_customs_record_in_ten_is_wrong():
    rng = np.random.default_rng(3)
    errors = np.array([draw_error("customs", 0.02, ErrorTails(), rng) for _ in range(20_000)])
    far = np.abs(errors) > 1.0
    assert abs(far.mean() - 0.1 * 2 * stats.norm.sf(1.0 / 2.0)) < 0.005


def one_row(row: Evidence, family: str = "student_t", width: float = 0.3) -> Case:
    """The small case with one row of evidence, of a source with a given law of errors."""
    case = ree.read_case("small_metal")
    error = ErrorClass("statistics", family, width, 0.01, learn=False)
    return replace(case, evidence=(row,), classes={**case.classes, "statistics": error})


def reported(**fields: object) -> Evidence:
    """What the survey of the small case says, with some fields changed."""
    row = next(row for row in ree.read_case("small_metal").evidence if row.id == "M1")
    return replace(row, **{"resolution": NAN, "width": NAN, **fields})


def share_of_glass(**fields: object) -> Evidence:
    row = next(row for row in ree.read_case("small_metal").evidence if row.id == "G1")
    return replace(row, **{"source_id": "survey", "lineage": "survey", "width": NAN, "qualifier": "exact", **fields})


STATEMENTS = {
    "a bound from below": (reported(qualifier="at_least", value=15.0), "student_t"),
    "a bound from above": (reported(qualifier="up_to", value=12.0), "customs"),
    "a range": (reported(qualifier="range", value=NAN, low=11.0, high=18.0), "student_t"),
    "coarse rounding": (reported(value=10.0, resolution=10.0), "normal"),
    "rounding in another unit": (reported(value=8000.0, resolution=8000.0, unit="t"), "student_t"),
    "a printed zero": (reported(qualifier="zero", value=0.0, resolution=22.0), "student_t"),
    "a rounded share": (share_of_glass(value=20.0, resolution=20.0), "student_t"),
    "about, and rounded": (reported(qualifier="about", value=10.0, resolution=15.0), "normal"),
    "additive errors": (reported(value=10.0, resolution=1.0), "additive"),
    "additive errors of a new law": (reported(value=10.0, resolution=1.0), "plain t"),
    "outliers of a new law": (reported(value=10.0, resolution=10.0), "normal with outliers"),
    "two readings of a bound": (
        reported(qualifier="at_least", value=15.0, alternative=10.0, alternative_weight=0.3),
        "student_t",
    ),
}
NEW_LAWS = {
    "plain t": ErrorLaw("Student's t in the unit of the row", plain=True),
    "normal with outliers": ErrorLaw("normal, and a share of outliers", NORMAL, outliers=True),
}
"""Made of parts that exist: a row of the table, and nothing else."""


@pytest.mark.parametrize("what", STATEMENTS)
def test_statements_are_as_frequent_as_their_likelihood_says(what: str, monkeypatch: pytest.MonkeyPatch):
    """The law of what is printed is the likelihood: the frequency of each statement is its probability."""
    for name, law in NEW_LAWS.items():
        monkeypatch.setitem(ERROR_LAWS, name, law)
    row, family = STATEMENTS[what]
    case = one_row(row, family)
    flows = simulate_flows(case, 1, np.random.default_rng(4))[0]
    said, mass, rng = statements(case)[0], mass_by_name(case, flows), np.random.default_rng(5)
    printed = [simulated_row(said, case, mass, {}, {}, rng) for _ in range(REPEATS)]
    network = case_network(case)
    counts = Counter((p.qualifier, p.value) for p in printed)
    statement = {(p.qualifier, p.value): p for p in printed}
    total = 0.0
    for key, count in counts.items():
        model = compile_evidence(replace(case, evidence=(statement[key],)), network)
        if model.form[0] == 0:  # printed finely for its error: a density, not a probability
            continue
        probability = float(np.exp(log_likelihood(model, flows)[0]))
        total += count
        assert abs(count - REPEATS * probability) < 4.5 * np.sqrt(REPEATS * probability * (1 - probability)) + 1
    assert total > 0.5 * REPEATS
    assert len(counts) > 1


def test_a_second_reading_is_meant_as_often_as_its_weight_says():
    row = reported(value=10.0, alternative=40.0, alternative_weight=0.25)
    case = one_row(row, "normal", width=0.05)
    flows = simulate_flows(case, 1, np.random.default_rng(4))[0]
    said, mass, rng = statements(case)[0], mass_by_name(case, flows), np.random.default_rng(6)
    printed = [simulated_row(said, case, mass, {}, {}, rng) for _ in range(1000)]
    assert all(p.alternative == pytest.approx(4 * p.value) for p in printed)
    true = flows[case.system.flow_index["south_mine_production"], 0]
    second = np.array([abs(np.log(p.alternative / true)) < 0.4 for p in printed])
    assert abs(second.mean() - 0.25) < 0.06
    assert all(abs(np.log(p.value / true)) < 0.4 for p, other in zip(printed, second, strict=True) if not other)


def test_an_offset_by_year_is_shared_by_the_rows_of_a_year():
    case = ree.read_case("small_metal")
    rows = tuple(replace(row, offsets=("office",)) for row in case.evidence if row.id in ("X2", "N1", "X3", "M6"))
    case = replace(case, evidence=rows, offsets={"office": Offset("office", 0.1, 0.5, "year", "normal")})
    drawn = draw_offsets(case, statements(case), np.random.default_rng(7))
    assert sorted(drawn["office"]) == ["2016", "2017", "2018", "2020"]
    truth = simulate(case, seed=7)
    assert set(truth.log_offset) == {f"office {year}" for year in drawn["office"]}


def test_truths_are_repeatable_and_the_same_whatever_follows():
    case = ree.read_case("small_metal")
    one, other, third = simulate(case, seed=3), simulate(case, seed=3), simulate(case, seed=4)
    assert np.array_equal(one.mass_flow, other.mass_flow, equal_nan=True)
    assert repr(one.case.evidence) == repr(other.case.evidence)  # an empty number is no number, not even itself
    assert not np.array_equal(one.mass_flow, third.mass_flow, equal_nan=True)
