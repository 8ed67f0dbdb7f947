"""The likelihood inside a PyMC model, and the same numbers from draws."""

from __future__ import annotations

import math

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.model import REPORTED_DATA, add_likelihood
from reeuncert.likelihood.predictive import (
    log_likelihood,
    predicted_quantities,
    predictive_draws,
)
from reported import SYSTEM, YEARS, case, network, row, select

FEED = select(flow="feed")
NETWORK = network()


@pytest.fixture(scope="module")
def evidence() -> EvidenceModel:
    """Rows of every scale, form and family; two sources whose width is learned, and offsets of two families."""
    witnesses = [
        row(f"{source} {year}", FEED, year, 80.0 + k, source)
        for source in ("survey", "second")
        for k, year in enumerate(YEARS[:8])
    ]
    part, whole = select(flow="tailings"), select(quantity="loss+production")
    others = [
        row("share", part, 2002, 20.0, relation="share", of=whole, unit="%"),
        row("ratio", part, 2003, 0.3, relation="ratio", of=FEED, unit="ratio", alternative=0.4, alternative_weight=0.3),
        row("gross", select(product="salt+oxide", quantity="production+trade"), (2005, 2006), 400.0, "customs",
            basis="gross", span="mean", offsets=("bias", "record")),
        row("least", select(flow="imports"), 2007, 10.0, qualifier="at_least", offsets=("record",)),
        row("zero", select(flow="imports"), 2008, 0.0, "customs", qualifier="zero", resolution=1.0),
        row("range", FEED, 2009, qualifier="range", low=60.0, high=90.0, width=0.05),
        row("rounded", select(flow="ore"), 2000, 100.0, "normal", resolution=50.0),
        row("sum", select(flow="ore"), 2001, 5.0, "sums", relation="difference", of=FEED),
    ]  # fmt: skip
    return compile_evidence(case(*witnesses, *others), NETWORK)


@pytest.fixture(scope="module")
def model(evidence: EvidenceModel) -> pm.Model:
    """The likelihood on flows that vary freely."""
    with pm.Model() as model:
        log_flow = pm.Normal("log_flow", math.log(60.0), 1.0, shape=NETWORK.n_edges)
    add_likelihood(model, log_flow, evidence)
    return model


@pytest.fixture(scope="module")
def prior(model: pm.Model) -> dict[str, np.ndarray]:
    """Draws from the prior, by variable (draw, …)."""
    with model:
        tree = pm.sample_prior_predictive(3000, random_seed=3)
    groups = {**tree["prior"].data_vars, **tree["prior_predictive"].data_vars}
    return {str(name): values.values[0] for name, values in groups.items()}


def masses(log_flow: np.ndarray) -> np.ndarray:
    """Log masses by edge as masses by flow and year (draw, flow, year)."""
    return NETWORK.to_table(np.exp(log_flow))


def test_the_names_and_dims_of_the_contract(model: pm.Model, evidence: EvidenceModel) -> None:
    assert [v.name for v in model.free_RVs] == ["log_flow", "source_width_z", "offset_z"]
    assert [v.name for v in model.deterministics] == ["source_width", "log_offset"]
    assert [v.name for v in model.observed_RVs] == ["reported"]
    assert model.named_vars_to_dims["reported"] == ("evidence",)
    assert model.named_vars_to_dims["source_width"] == ("source_group",)
    assert model.named_vars_to_dims["log_offset"] == ("offset_value",)
    assert tuple(model.coords["learned_source"]) == ("survey (good)", "second (good)")
    assert tuple(model.coords["evidence"]) == evidence.ids


def test_log_likelihood_of_draws_is_that_of_the_model(
    model: pm.Model, evidence: EvidenceModel, prior: dict[str, np.ndarray]
) -> None:
    by_model = model.compile_logp(vars=model.observed_RVs, sum=False)
    by_draws = log_likelihood(evidence, masses(prior["log_flow"]), prior["source_width"], prior["log_offset"])
    assert by_draws.shape == (3000, evidence.n_rows)
    for k in range(0, 50, 7):
        point = {name: prior[name][k] for name in ("log_flow", "source_width_z", "offset_z")}
        assert by_draws[k] == pytest.approx(by_model(point)[0], rel=1e-9, abs=1e-9)


def test_the_gradient_of_the_model_agrees_with_finite_differences(
    model: pm.Model, prior: dict[str, np.ndarray]
) -> None:
    function = model.logp_dlogp_function(ravel_inputs=True)
    function.set_extra_values({})
    names = ("log_flow", "source_width_z", "offset_z")
    for k in (0, 1):
        x = np.concatenate([prior[name][k] for name in names])
        gradient = function(x)[1]
        for i in range(0, x.size, 3):
            step = np.zeros(x.size)
            step[i] = 1e-5
            numeric = (function(x + step)[0] - function(x - step)[0]) / 2e-5
            assert gradient[i] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_widths_are_lognormal_around_their_class_above_a_floor(prior: dict[str, np.ndarray]) -> None:
    learned = prior["source_width"][:, 0]
    assert np.median(learned) == pytest.approx(0.114, rel=0.03)
    assert np.std(np.log(learned)) == pytest.approx(0.4, rel=0.06)
    assert learned.min() > 0.02
    assert np.ptp(prior["source_width"][:, 2:], axis=0).max() == 0.0  # those of the other classes are fixed


def test_offsets_have_the_law_of_their_family(evidence: EvidenceModel, prior: dict[str, np.ndarray]) -> None:
    assert evidence.offsets.label == ("bias", "record 2005", "record 2006", "record 2007")
    assert stats.kstest(prior["log_offset"][:, 0], stats.norm(0.1, 0.2).cdf).pvalue > 0.01
    scale = 0.15 / 1.14
    for k in (1, 2, 3):
        law = 0.9 * stats.t(4, scale=scale).cdf(prior["log_offset"][:, k])
        law += 0.1 * stats.norm(0, 2).cdf(prior["log_offset"][:, k])
        assert stats.kstest(law, "uniform").pvalue > 0.01


def below(evidence: EvidenceModel, drawn: np.ndarray, eta: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Probability of a smaller figure than the one drawn, by scipy (draw, row)."""
    result = np.zeros_like(drawn)
    for r in range(evidence.n_rows):
        for shift, weight in ((0.0, 1 - evidence.weight[r]), (evidence.shift[r], evidence.weight[r])):
            x = drawn[:, r] + shift - eta[:, r]
            law = stats.norm.cdf(x / sigma[:, r]) if evidence.family[r] == 2 else stats.t.cdf(x / sigma[:, r], 4)
            if evidence.family[r] == 1:
                law = 0.9 * law + 0.1 * stats.norm.cdf(x / 2.0)
            result[:, r] += weight * law
    return result


def test_predictive_draws_have_the_law_of_the_likelihood(evidence: EvidenceModel, prior: dict[str, np.ndarray]) -> None:
    """Both the model's own draws and those from the draws of flows: their probability integral transform is uniform."""
    flows = masses(prior["log_flow"])
    eta = predicted_quantities(evidence, flows, prior["log_offset"])
    sigma = evidence.row_sigma(prior["source_width"])
    arrays = predictive_draws(evidence, flows, prior["source_width"], prior["log_offset"], rng=np.random.default_rng(8))
    for drawn in (prior["reported"], arrays):
        uniform = below(evidence, drawn, eta, sigma)
        pvalues = [stats.kstest(uniform[:, r], "uniform").pvalue for r in range(evidence.n_rows)]
        assert min(pvalues) > 0.01 / evidence.n_rows


def test_likelihoods_are_split_by_lineage(evidence: EvidenceModel) -> None:
    parts = evidence.rows_of_lineage
    assert list(parts) == ["survey", "second", "customs", "normal", "sums"]
    assert parts["customs"].size == 2
    assert sorted(np.concatenate(list(parts.values()))) == list(range(evidence.n_rows))


def test_draws_of_the_wrong_shape_are_refused(evidence: EvidenceModel) -> None:
    flows = np.where(SYSTEM.exists, 1.0, np.nan)[None]
    with pytest.raises(ValueError, match=r"^log_offset is needed: the evidence has 4 offset values$"):
        predicted_quantities(evidence, flows)
    with pytest.raises(ValueError, match=r"^log_offset has shape \(2, 4\), not \(1, 4\)$"):
        predicted_quantities(evidence, flows, np.zeros((2, 4)))


def test_without_evidence_nothing_is_added() -> None:
    with pm.Model() as model:
        log_flow = pm.Normal("log_flow", 0.0, 1.0, shape=NETWORK.n_edges)
    add_likelihood(model, log_flow, compile_evidence(case(), NETWORK))
    assert [v.name for v in model.basic_RVs] == ["log_flow"]


def test_a_small_fit_finds_the_precision_weighted_mean() -> None:
    """Two normal reports of one flow, whose figures are set after the model was built."""
    small = compile_evidence(
        case(row("a", FEED, 2000, 100.0, "normal"), row("b", FEED, 2000, 120.0, "normal", lineage="other", width=0.2)),
        NETWORK,
    )
    with pm.Model() as model:
        log_flow = pm.Normal("log_flow", math.log(60.0), 1.0, shape=NETWORK.n_edges)
    add_likelihood(model, log_flow, small)
    edge = NETWORK.edge_index[1, 0]
    precision = np.array([1.0, 1 / 0.1**2, 1 / 0.2**2])
    figures = [50.0, 70.0]
    with model:
        pm.set_data({REPORTED_DATA: np.log(figures)})
        tree = pm.sample(400, tune=300, chains=2, cores=1, random_seed=2, progressbar=False, quiet=True)
        draws = tree["posterior"]["log_flow"].values[..., edge]
        mean = precision @ np.log([60.0, *figures]) / precision.sum()
        sd = precision.sum() ** -0.5
        assert draws.mean() == pytest.approx(mean, abs=0.25 * sd)
        assert draws.std() == pytest.approx(sd, rel=0.25)
        pm.stats.compute_log_likelihood(tree, progressbar=False)
        predicted = pm.sample_posterior_predictive(tree, random_seed=1, progressbar=False)
    assert tree["log_likelihood"]["reported"].shape == (2, 400, 2)
    drawn = predicted["posterior_predictive"]["reported"].values
    assert drawn.shape == (2, 400, 2)
    assert drawn[..., 1].std() == pytest.approx(math.hypot(0.2, precision.sum() ** -0.5), rel=0.15)
