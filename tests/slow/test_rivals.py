"""Rival structures of the bundled case, cut to its last year: their headlines stand beside those of the result."""

from __future__ import annotations

import pytest

import reeuncert as ree
from reeuncert.result.structures import LABELS, add_structures
from reeuncert.studies.rivals import run_rivals

pytestmark = pytest.mark.slow


def test_each_structure_gives_every_headline():
    case = ree.restrict(ree.read_case("china_us_row"), [2022])
    dt = ree.sample(ree.build_model(case), draws=200, tune=300, chains=2, seed=1, quiet=True, prior_draws=200)
    dt = ree.add_indicators(dt)
    found = run_rivals(dt, seed=1)
    table = found.table()
    choices = list(case.option_choices[case.compare[0]])
    assert found.averaged == choices
    assert found.names[: len(choices)] == choices
    assert len(table) == len(found.names) * len(case.headlines)
    own = table[table["structure"] == case.options[case.compare[0]]]
    assert own["median"].tolist() == pytest.approx(ree.headlines(dt)["median"].tolist(), rel=1e-5)
    others = table[table["structure"] != case.options[case.compare[0]]]
    assert (others.groupby(LABELS, dropna=False)["median"].nunique() > 1).any()
    said = ree.check(add_structures(dt, found), ["structures"])["headlines over structures"]
    assert said.status in ("passed", "warning")
    assert f"each of {len(choices)} rival structures" in said.message
