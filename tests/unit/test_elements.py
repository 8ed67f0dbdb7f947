"""Masses of elements: flows times uncertain contents, by hand and against finite differences."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from case_files import write_case
from reeuncert.calibration.figures import draw_offsets, simulated_row, statements
from reeuncert.case.records import Content
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.op import Quantities, QuantitiesBack
from reeuncert.likelihood.predictive import predicted_quantities
from reeuncert.likelihood.problems import evidence_problems
from reeuncert.validation.reader import read_case
from reported import SYSTEM, case, network, row, select

CONTENTS = {
    c.name: c
    for c in (
        Content("ore", "Nd", select(flow="ore+tailings"), 0.2, 0.1),
        Content("traded", "Nd", select(flow="imports"), 0.3, 0.05, "year"),
        Content("goods", "Nd", select(flow="use"), 0.25, 0.0),
        Content("carbon", "C", select(flow="use"), 0.01, 0.0),
    )
}
X = np.where(SYSTEM.exists, np.array([100.0, 80.0, 20.0, 40.0, 120.0])[:, None] * np.ones(10), np.nan)
SUPPLY = select(flow="ore+imports")


def compiled(*rows: object) -> EvidenceModel:
    return compile_evidence(case(*rows, contents=CONTENTS), network())  # type: ignore[arg-type]  # rows are rows


def rows() -> list[object]:
    bound = {"relation": "ratio", "of": select(flow="use"), "unit": "ratio", "qualifier": "at_least"}
    part = {"relation": "share", "of": SUPPLY, "unit": "%"}
    return [
        row("mass", SUPPLY, 2006, 30.0, element="Nd"),
        row("cap", SUPPLY, (2005, 2006), 1.0, "normal", element="Nd", **bound),
        row("share", select(flow="imports"), 2006, 40.0, "customs", element="Nd", **part),
        row("lone", select(flow="ore"), 2001, 20.0, element="Nd", offsets=("bias",)),
        row("rest", SUPPLY, 2006, 2.0, "sums", element="Nd", relation="difference", of=select(flow="use")),
        row("all", select(flow="use"), 2006, 120.0),
    ]


def test_the_mass_of_an_element_is_the_sum_of_flows_times_contents() -> None:
    model = compiled(*rows())
    assert model.offsets.label == ("bias", "content ore", "content traded 2005", "content traded 2006")
    b, d, e, f = 0.1, 0.2, -0.1, 0.05  # bias, ore, traded in 2005 and 2006
    ore, early, late = 20 * math.exp(d), 12 * math.exp(e), 12 * math.exp(f)
    expected = [
        math.log(ore + late), math.log((2 * ore + early + late) / 60), math.log(late / ore),
        math.log(20) + d + b, ore + late - 30, math.log(120),
    ]  # fmt: skip
    assert predicted_quantities(model, X, np.array([b, d, e, f])) == pytest.approx(np.array(expected))


def test_gradients_agree_with_finite_differences() -> None:
    model = compiled(*rows())
    rng = np.random.default_rng(1)
    size = network().n_edges
    point = np.concatenate([np.exp(rng.normal(size=size)), 0.1 * rng.normal(size=4)])
    cotangent = rng.normal(size=model.n_rows)

    def value(at: np.ndarray) -> float:
        return float(cotangent @ Quantities().kernel(at[:size], at[size:], *model.quantity_arrays))

    found = np.concatenate(QuantitiesBack().kernel(cotangent, point[:size], point[size:], *model.quantity_arrays))
    steps = 1e-5 * np.eye(point.size)
    numerical = [(value(point + s) - value(point - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(found, numerical, rtol=1e-5, atol=1e-6)


def test_simulated_figures_count_the_same_element() -> None:
    """The simulator of truths has code of its own."""
    whole = case(*rows(), contents=CONTENTS)  # type: ignore[arg-type]  # rows are rows
    said = statements(whole)
    drawn = draw_offsets(whole, said, np.random.default_rng(1))
    model = compile_evidence(whole, network())
    named = {f"{name} {when}".rstrip(): value for name, by in drawn.items() for when, value in by.items()}
    assert list(named) != []
    values = np.array([named[label] for label in model.offsets.label])
    mass = {(f.name, y): X[i, t] for i, f in enumerate(SYSTEM.flows) for t, y in enumerate(SYSTEM.years)}
    exact = replace(said[0].row, width=1e-12)
    seen = simulated_row(replace(said[0], row=exact), whole, mass, {}, drawn, np.random.default_rng(2))
    assert math.log(seen.value) == pytest.approx(predicted_quantities(model, X, values)[0])


@pytest.mark.parametrize(
    ("fields", "column", "what"),
    [
        ({"element": "Dy"}, "element", "'Dy' is not known"),
        ({"element": "C"}, "element", "the content of C in flow 'imports' in 2006 is given 0 times"),
        ({"element": "Nd", "basis": "gross"}, "basis", "not gross"),
    ],
)
def test_an_element_without_a_content_is_refused(fields: dict[str, str], column: str, what: str) -> None:
    problems = evidence_problems(case(row("a", select(flow="imports"), 2006, 1.0, **fields), contents=CONTENTS))
    assert [p.column for p in problems] == [column]
    assert what in problems[0].message


def test_a_content_given_twice_is_refused() -> None:
    twice = CONTENTS | {"more": Content("more", "Nd", select(product="concentrate"), 0.2, 0.1, years=(2006,))}
    (problem,) = evidence_problems(case(row("a", select(flow="ore"), 2006, 1.0, element="Nd"), contents=twice))
    assert "given 2 times in contents.csv (ore, more)" in problem.message


def test_contents_are_read_from_their_table(tmp_path: Path) -> None:
    texts = {
        "contents_csv": "content,element,product,years,share,sd,per,source_id,reason\n"
        "in oxide,Nd,oxide,,0.2,0.1,year,survey,assays\n",
        "evidence_csv": "id,flow,element,year_from,value,unit,basis,source_id\na,use,Nd,2001,3,kt,REO,survey\n",
    }
    found = read_case(write_case(tmp_path / "tiny", **texts))
    years = (2000, 2001, 2002)
    assert found.contents == {
        "in oxide": Content("in oxide", "Nd", select(product="oxide"), 0.2, 0.1, "year", years, "survey", "assays")
    }
    assert found.evidence[0].element == "Nd"
