"""A public function that is misused says so in one line, or works: no other error, no hang."""

import itertools
import types

import numpy as np
import pandas as pd
import pytest

import reeuncert as ree
from misuse import functions, misuses, tried
from reeuncert.counterfactuals import NoTrade
from reeuncert.errors import ArgumentError, SamplingError
from reeuncert.testing import toy_posterior

FUNCTIONS = functions()
STRIDE = 13
"""The part that is always on: every n-th misuse of each function."""

GOOD = {
    "draws": 4, "tune": 1, "chains": 1, "simulations": 2, "jobs": 1, "cache": False, "progress": False, "quiet": True,
    "progressbar": False, "samples": 8, "path": "written", "folder": "written", "name_or_path": "small_metal",
    "case_or_path": "small_metal", "years": [2016, 2017], "by": ["region"], "weights": None, "names": None,
}  # fmt: skip
"""Values of arguments by name; those of one function alone stand in `given`."""


@pytest.fixture(scope="module")
def small():
    """A result of synthetic draws, and the model of a bundled case."""
    dt = toy_posterior(chains=2, draws=20, years=3)
    return types.SimpleNamespace(
        dt=dt, model=ree.build_model("small_metal"), world=ree.run_counterfactual(dt, NoTrade())
    )


@pytest.fixture(scope="module")
def sampled(small):
    """The same with a result that was sampled."""
    options = {"draws": 20, "tune": 50, "chains": 2, "seed": 1, "pilot": False, "quiet": True, "progressbar": False}
    dt = ree.add_indicators(ree.sample(small.model, **options))
    return types.SimpleNamespace(dt=dt, model=small.model, world=ree.run_counterfactual(dt, NoTrade()))


@pytest.fixture
def nothing_fitted(monkeypatch, tmp_path):
    """Sampling is refused where it would begin: what is wrong with a call must be found before."""
    import nutpie

    from reeuncert.inference.samplers import SAMPLERS

    def refuse(*_args, **_kwargs):
        raise SamplingError("nothing is fitted here")

    monkeypatch.setattr(nutpie, "compile_pymc_model", refuse)
    for sampler in SAMPLERS:
        monkeypatch.setitem(SAMPLERS, sampler, refuse)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("other", [np.zeros(2), pd.DataFrame({"a": [1, 2]})])
def test_what_is_no_word_is_refused_where_a_word_is_asked(small, other):
    with pytest.raises(ArgumentError, match="compare: b is of type"):
        ree.compare(small.dt, other)


def test_a_rule_is_made_not_named(small):
    for rules in (NoTrade, [NoTrade], "no-trade"):
        with pytest.raises(ArgumentError, match=r"run_counterfactual: rules.* is .*; give a rule \(e.g. NoTrade\(\)\)"):
            ree.run_counterfactual(small.dt, rules)


def given(held):
    case = ree.read_case("small_metal")
    own = {
        "dt": held.dt, "a": held.dt, "b": held.dt, "world": held.world, "result": held.dt, "model": held.model,
        "case": case,
        "results": {"a": held.dt}, "name": "mine_production",
        "table": ree.headlines(held.dt).assign(structure="a"), "indicator": 0, "factor": 0.5, "quantity": 1.0,
        "region": "South", "stage": "mining", "origin": "South", "destination": "North", "rules": [],
    }  # fmt: skip
    return lambda function, key: own[key] if key in own else GOOD[key]


def report(name, counts, wrong, capsys):
    with capsys.disabled():
        print(f"\n{name}: {sum(counts.values())} misused calls: {dict(counts)}", end="")
    assert not wrong, f"{len(wrong)} of {sum(counts.values())}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_misuse_is_refused(name, small, nothing_fitted):
    calls = misuses(name, FUNCTIONS[name], given(small), small.dt)
    every = STRIDE * (5 if name.startswith("write_re") else 1)  # a call that works writes a whole report
    _, wrong = tried(itertools.islice(calls, 0, None, every))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_misuse_is_refused(name, sampled, nothing_fitted, capsys):
    counts, wrong = tried(misuses(name, FUNCTIONS[name], given(sampled), sampled.dt))
    report(name, counts, wrong, capsys)
