"""Rival structures of the bundled case, cut to its last year: their headlines stand beside those of the result."""

from __future__ import annotations

import pytest

import reeuncert as ree
from reeuncert.result.structures import LABELS
from reeuncert.studies.averaging import add_structures
from reeuncert.studies.rivals import run_rivals

pytestmark = pytest.mark.slow


def test_each_structure_gives_every_headline():
    case = ree.restrict(ree.read_case("china_us_row"), [2022])
    dt = ree.sample(ree.build_model(case), draws=200, tune=300, chains=2, seed=1, quiet=True, prior_draws=200)
    dt = ree.add_indicators(dt)
    table = run_rivals(dt, seed=1)
    structures = case.option_choices[case.compare[0]]
    assert table["structure"].unique().tolist() == list(structures)
    assert len(table) == len(structures) * len(case.headlines)
    own = table[table["structure"] == case.options[case.compare[0]]]
    assert own["median"].tolist() == ree.headlines(dt)["median"].tolist()
    others = table[table["structure"] != case.options[case.compare[0]]]
    assert (others.groupby(LABELS, dropna=False)["median"].nunique() > 1).any()
    said = ree.check(add_structures(dt, table), ["structures"])["headlines over structures"]
    assert said.status in ("passed", "warning")
    assert f"each of {len(structures)} rival structures" in said.message
