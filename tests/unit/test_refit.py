"""A case compiled once and fitted with other numbers gives what a model of its own would give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numba.core import event

import reeuncert as ree
from reeuncert.errors import SamplingError
from reeuncert.inference.refit import Refitter


@pytest.fixture(scope="module")
def refitter() -> Refitter:
    return Refitter(ree.read_case("small_metal"))


def log_flows(tree, group="posterior"):
    flows = np.log(tree[group]["mass_flow"])
    return flows.stack(flow_year=("flow", "year"), create_index=False).dropna("flow_year", how="all")


def close(one, other, errors=5.0):
    """Means of two independent sets of draws agree, in units of the Monte Carlo error of their difference."""
    a, b = log_flows(*one), log_flows(*other)
    size = [a.sizes["chain"] * a.sizes["draw"], b.sizes["chain"] * b.sizes["draw"]]
    spread = a.var(("chain", "draw")) / (0.4 * size[0]) + b.var(("chain", "draw")) / (0.4 * size[1])
    z = (a.mean(("chain", "draw")) - b.mean(("chain", "draw"))) / np.sqrt(spread)
    return float(abs(z).max()) < errors


def test_without_any_row_the_posterior_is_the_prior(refitter):
    tree = refitter.fit(weight=np.zeros(len(refitter.rows)), seed=1, prior_draws=1000)
    assert close((tree, "posterior"), (tree, "prior"))


def test_other_numbers_are_fitted_without_compiling(refitter):
    case = refitter.case
    changed = dataclasses.replace(
        case,
        priors=tuple(dataclasses.replace(prior, level_sd=1.5 * prior.level_sd) for prior in case.priors),
        classes={name: dataclasses.replace(c, width=2 * c.width) for name, c in case.classes.items()},
        offsets={name: dataclasses.replace(o, mean=o.mean + 0.1) for name, o in case.offsets.items()},
    )
    assert refitter.accepts(changed)
    refitter.fit(seed=2, draws=10, tune=10)  # whatever sampling itself compiles the first time
    compiled = []

    class Listener(event.Listener):
        def on_start(self, event):
            compiled.append(event.data["dispatcher"].py_func.__name__)

        def on_end(self, event):
            pass

    with event.install_listener("numba:compile", Listener()):
        ours = refitter.fit(changed, seed=2)
    assert compiled == []
    own = ree.sample(
        ree.build_model(changed),
        draws=500,
        tune=500,
        chains=2,
        seed=3,
        quiet=True,
        prior_draws=0,
        likelihood_terms=False,
    )
    assert close((ours, "posterior"), (own, "posterior"))
    wide, narrow = (log_flows(tree).std(("chain", "draw")) for tree in (ours, refitter.fit(seed=4)))
    assert 1.3 < float((wide / narrow).median()) < 2.0
    assert ours.attrs["case_json"] == own.attrs["case_json"]


def test_leaving_rows_out_is_fitting_a_case_without_them(refitter):
    left_out = refitter.rows[0].id
    weight = [0.0 if row.id == left_out else 1.0 for row in refitter.rows]
    ours = refitter.fit(weight=weight, seed=5)
    fewer = dataclasses.replace(
        refitter.case, evidence=tuple(row for row in refitter.case.evidence if row.id != left_out)
    )
    assert not refitter.accepts(fewer)
    own = ree.sample(
        ree.build_model(fewer), draws=500, tune=500, chains=2, seed=6, quiet=True, prior_draws=0, likelihood_terms=False
    )
    assert close((ours, "posterior"), (own, "posterior"))
    # The next fit has all rows again.
    assert refitter.fit(seed=5, draws=10, tune=10)["constant_data"]["row_weight"].values.tolist() == [1.0] * len(
        refitter.rows
    )


def test_other_figures_move_the_posterior(refitter):
    value = refitter.record.evidence.value
    lower = refitter.fit(reported=value - 0.5, seed=7)
    higher = refitter.fit(reported=value + 0.5, seed=7)
    assert float((log_flows(higher) - log_flows(lower)).mean()) > 0.3


def test_what_does_not_fit_is_refused(refitter):
    n = len(refitter.rows)
    with pytest.raises(SamplingError) as caught:
        refitter.fit(ree.restrict(refitter.case, [2018, 2019]))
    assert str(caught.value) == (
        "case 'small_metal_2018_2019' has another structure than 'small_metal', which was compiled: its flows, years, "
        "coordinates or rows of evidence differ; make a Refitter of its own for it"
    )
    with pytest.raises(SamplingError) as caught:
        refitter.fit(weight=[1.0])
    assert str(caught.value) == f"row_weight has shape (1,); the case has {n} rows of evidence on its flows"
    with pytest.raises(SamplingError) as caught:
        refitter.fit(weight=np.full(n, -1.0))
    assert str(caught.value) == ("a weight of a row of evidence is below 0; give 1, or 0 to leave the row out")
    with pytest.raises(SamplingError) as caught:
        refitter.fit(reported=np.full(n, np.nan))
    assert str(caught.value) == f"reported_value holds NaN for row '{refitter.rows[0].id}'"


def test_a_pilot_of_another_structure_is_refused(refitter):
    other = ree.restrict(refitter.case, refitter.case.system.years[1:])
    with pytest.raises(SamplingError, match="has another structure than 'small_metal', which was compiled"):
        refitter.fit(like=other, draws=10, tune=10)
