"""Priors as densities of masses and shares, against scipy and against their own Jacobians."""

from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

import reeuncert as ree
from peers import build
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows_with_jacobian, log_shares
from reeuncert.errors import ModelError, SamplingError
from reeuncert.priors.density import density_potential, density_terms, shares_of_flows
from reeuncert.system.definition import OUTSIDE, Selector
from reeuncert.words.prior_families import PRIOR_FAMILIES

YEAR = 2000
FLOWS = [
    build.flow("ore", OUTSIDE, "mill", YEAR),
    build.flow("metal", "mill", "shop", YEAR),
    build.flow("slag", "mill", OUTSIDE, YEAR),
    build.flow("goods", "shop", OUTSIDE, YEAR),
    build.flow("scrap", "shop", "mill", YEAR),
    build.flow("waste", "shop", OUTSIDE, YEAR),
]
REFERENCE = {"mill": "slag", "shop": "goods"}
PLAIN = Mode(linker="py", optimizer=None)
"""Evaluates a graph as it is written: nothing is compiled."""

POINT = np.array([np.log(10.0), 1.2, -0.4, 0.3])
"""Coordinates: log ore, log metal/slag, log scrap/goods, log waste/goods."""


def case_with(priors, measure):
    return build.case("toy", FLOWS, REFERENCE, priors, [], year=YEAR, measure=measure, unit="t")


def evaluate(case, u=POINT):
    """Log density of the coordinates, log flows, log-Jacobian and log shares at one point."""
    network = Network.from_system(case.system)
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    log_share = log_shares(u, network)
    density = density_potential(case, network, log_flow, log_jacobian, log_share)
    values = pytensor.function([], [density, log_flow, log_jacobian, log_share], mode=PLAIN)()
    names = [case.system.flows[f].name for f in network.edge_flow]
    return (
        float(values[0]),
        dict(zip(names, values[1], strict=True)),
        float(values[2]),
        dict(zip(names, values[3], strict=True)),
    )


@pytest.mark.parametrize(
    ("family", "a", "b", "expected"),
    [
        ("lognormal", 3.0, 0.7, stats.lognorm(0.7, scale=3.0)),
        ("truncated_normal", 2.0, 1.5, stats.truncnorm(-2.0 / 1.5, np.inf, 2.0, 1.5)),
        ("truncated_normal", -4.0, 1.5, stats.truncnorm(4.0 / 1.5, np.inf, -4.0, 1.5)),
        ("gamma", 2.5, 0.8, stats.gamma(2.5, scale=1 / 0.8)),
        ("exponential", 4.0, np.nan, stats.expon(scale=4.0)),
        ("uniform", 0.5, 30.0, stats.uniform(0.5, 29.5)),
    ],
)
def test_a_family_has_the_density_of_scipy(family, a, b, expected):
    mass = np.array([0.6, 1.0, 2.0, 7.5, 25.0])
    log_mass = pt.dvector()
    density = PRIOR_FAMILIES[family].density(pt, log_mass, pt.constant(np.array(a)), pt.constant(np.array(b)))
    found = pytensor.function([log_mass], density, mode=PLAIN)(np.log(mass))
    np.testing.assert_allclose(found, expected.logpdf(mass), rtol=1e-12)


def test_a_uniform_mass_outside_its_bounds_is_impossible():
    log_mass = pt.dvector()
    density = PRIOR_FAMILIES["uniform"].density(pt, log_mass, pt.constant(2.0), pt.constant(3.0))
    found = pytensor.function([log_mass], density, mode=PLAIN)(np.log([1.9, 2.5, 3.1]))
    assert found.tolist() == [-np.inf, 0.0, -np.inf]


def test_densities_of_flows_add_up_with_the_volume():
    priors = [
        build.flow_prior("ore", YEAR, "gamma", 4.0, 0.3),
        build.flow_prior("metal", YEAR, "lognormal", 8.0, 0.5),
        build.flow_prior("slag", YEAR, "truncated_normal", 1.0, 3.0),
        build.flow_prior("goods", YEAR, "exponential", 5.0),
        build.flow_prior("scrap", YEAR, "uniform", 0.0, 50.0),
        build.flow_prior("waste", YEAR, "flat"),
    ]
    found, log_flow, log_jacobian, _ = evaluate(case_with(priors, "mass"))
    x = {name: np.exp(value) for name, value in log_flow.items()}
    expected = (
        stats.gamma(4.0, scale=1 / 0.3).logpdf(x["ore"])
        + stats.lognorm(0.5, scale=8.0).logpdf(x["metal"])
        + stats.truncnorm(-1 / 3, np.inf, 1.0, 3.0).logpdf(x["slag"])
        + stats.expon(scale=5.0).logpdf(x["goods"])
        - np.log(50.0)
    )
    assert found == pytest.approx(expected + log_jacobian, rel=1e-12)


def test_a_total_has_the_density_of_the_sum():
    priors = [build.flow_prior(f.name, YEAR, "flat") for f in FLOWS]
    total = replace(
        build.flow_prior("ore", YEAR, "gamma", 2.0, 0.1),
        name="what leaves",
        selector=Selector.of(flow="slag+goods+waste"),
        mode="total",
    )
    found, log_flow, log_jacobian, _ = evaluate(case_with([*priors, total], "mass"))
    leaving = sum(np.exp(log_flow[name]) for name in ("slag", "goods", "waste"))
    assert found == pytest.approx(stats.gamma(2.0, scale=10.0).logpdf(leaving) + log_jacobian, rel=1e-12)


def shares_case(mill, shop):
    ore = build.flow_prior("ore", YEAR, "lognormal", 12.0, 0.4, kind="input", group="inputs")
    return case_with([ore, *mill, *shop], "shares")


def dirichlet(**weights):
    return [build.flow_prior(n, YEAR, "dirichlet", w, kind="share", group="shares") for n, w in weights.items()]


def normal(**shares):
    return [
        build.flow_prior(n, YEAR, "logistic_normal", a, b, kind="share", group="shares") for n, (a, b) in shares.items()
    ]


def test_shares_and_inputs_have_the_densities_of_scipy_on_the_coordinates():
    case = shares_case(normal(metal=(0.8, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5))
    found, log_flow, _, log_share = evaluate(case)
    shop = np.exp([log_share[name] for name in ("goods", "scrap", "waste")])
    expected = (
        stats.norm(np.log(12.0), 0.4).logpdf(log_flow["ore"])
        + stats.norm(np.log(0.8 / 0.2), 0.3).logpdf(log_share["metal"] - log_share["slag"])
        + stats.dirichlet([3.0, 0.5, 1.5]).logpdf(shop / shop.sum())
        + np.log(shop).sum()
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_median_shares_of_several_outflows_leave_the_rest_to_the_reference():
    case = shares_case(normal(metal=(0.8, 0.3)), normal(scrap=(0.3, 0.2), waste=(0.1, 0.5)))
    found, log_flow, _, log_share = evaluate(case)
    expected = (
        stats.norm(np.log(12.0), 0.4).logpdf(log_flow["ore"])
        + stats.norm(np.log(4.0), 0.3).logpdf(log_share["metal"] - log_share["slag"])
        + stats.norm(np.log(0.3 / 0.6), 0.2).logpdf(log_share["scrap"] - log_share["goods"])
        + stats.norm(np.log(0.1 / 0.6), 0.5).logpdf(log_share["waste"] - log_share["goods"])
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_shares_of_flows_are_those_of_the_network():
    network = Network.from_system(case_with([], "mass").system)
    log_flow, _ = balanced_flows_with_jacobian(POINT, network)
    shares = pytensor.function([], [shares_of_flows(network, log_flow), log_shares(POINT, network)], mode=PLAIN)()
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-14)


def test_terms_are_kept_by_group_of_the_table():
    case = shares_case(normal(metal=(0.8, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5))
    network = Network.from_system(case.system)
    log_flow, _ = balanced_flows_with_jacobian(POINT, network)
    terms = density_terms(case, network, log_flow, log_shares(POINT, network))
    assert list(terms) == ["inputs", "shares"]
    expected = stats.norm(np.log(12.0), 0.4).logpdf(np.log(10.0))
    assert float(pytensor.function([], terms["inputs"], mode=PLAIN)()) == pytest.approx(expected, rel=1e-12)


FLAT = [build.flow_prior(f.name, YEAR, "flat") for f in FLOWS]
HEAD = "the priors table does not give a density of every flow:\n  "


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            case_with(FLAT[1:], "mass"),
            "no row covers ore in 2000; write family = flat if nothing is known",
        ),
        (
            case_with([*FLAT, FLAT[0]], "mass"),
            "more than one row covers ore in 2000",
        ),
        (
            case_with([replace(FLAT[0], kind="share"), *FLAT[1:]], "mass"),
            "prior 'ore' is of kind 'share'; under prior_measure = mass use flow",
        ),
        (
            case_with([replace(FLAT[0], family="normal"), *FLAT[1:]], "mass"),
            "prior 'ore' has the family 'normal'; a flow has one of: lognormal, truncated_normal, gamma, exponential, "
            "uniform, flat",
        ),
        (
            case_with([replace(FLAT[0], family="gamma", a=1.0), *FLAT[1:]], "mass"),
            "prior 'ore' (gamma) has a = 1, b = nan; it needs shape > 0 and rate > 0",
        ),
        (
            case_with([replace(FLAT[0], family="uniform", a=3.0, b=2.0), *FLAT[1:]], "mass"),
            "prior 'ore' (uniform) has a = 3, b = 2; it needs 0 ≤ low < high",
        ),
        (
            shares_case(normal(metal=(1.2, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5)),
            "prior 'metal' (logistic_normal) has a = 1.2, b = 0.3; it needs a between 0 and 1 (median share) and b > 0 "
            "(sd of the log-ratio)",
        ),
        (
            shares_case(normal(metal=(0.8, 0.3)), dirichlet(goods=3.0, scrap=0.5)),
            "the shares of 'shop' in 2000 need one row each: dirichlet for all, or logistic_normal for all but the "
            "reference",
        ),
        (
            shares_case(normal(slag=(0.2, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5)),
            "the shares of 'mill' in 2000 need one row each: dirichlet for all, or logistic_normal for all but the "
            "reference",
        ),
        (
            shares_case(normal(metal=(0.8, 0.3)), normal(scrap=(0.6, 0.2), waste=(0.5, 0.5))),
            "the median shares of 'shop' in 2000 add up to 1.1, which leaves nothing for its reference outflow; keep "
            "them below 1",
        ),
        (
            case_with([*normal(metal=(0.8, 0.3)), *dirichlet(goods=3.0, scrap=0.5, waste=1.5)], "shares"),
            "ore in 2000 comes from outside and needs one row of kind input",
        ),
    ],
)
def test_a_table_that_cannot_be_used_says_why(case, message):
    with pytest.raises(ModelError) as error:
        evaluate(case)
    assert str(error.value) == HEAD + message


def test_every_problem_of_a_table_is_listed():
    with pytest.raises(ModelError) as error:
        evaluate(case_with(FLAT[3:], "mass"))
    lines = str(error.value).splitlines()
    assert [line.split()[3] for line in lines[1:]] == ["ore", "metal", "slag"]


def test_a_flat_prior_has_no_draws_and_says_so():
    model = ree.build_model(case_with(FLAT, "mass"))
    with pytest.raises(SamplingError) as error:
        ree.sample_prior(model, quiet=True)
    assert str(error.value) == (
        "the prior of case 'toy' has no draws: a density of family flat has no total to divide by; give its rows a "
        "proper family"
    )
