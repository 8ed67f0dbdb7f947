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
from reeuncert.balance.op import balanced_flows_with_jacobian
from reeuncert.errors import ModelError, SamplingError
from reeuncert.priors.checks import check_densities
from reeuncert.priors.density import density_potential, density_terms, shares_of_flows
from reeuncert.priors.scale import CoordinateScale
from reeuncert.system.definition import OUTSIDE, Selector
from reeuncert.words.prior_families import MASS_DENSITIES, PRIOR_FAMILIES

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
    check_densities(case)
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    log_share = shares_of_flows(network, log_flow)
    density = density_potential(case, network, log_flow, log_jacobian)
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
        ("beta", 3.0, 1.4, stats.beta(3.0, 1.4)),
        ("triangular", 0.1, 0.9, stats.triang(0.25, 0.1, 0.8)),
        ("triangular", 0.1, 0.9, stats.triang(0.0, 0.1, 0.8)),
    ],
)
def test_a_family_has_the_density_of_scipy(family, a, b, expected):
    x = np.array([0.6, 2.0, 25.0] if "mass" in PRIOR_FAMILIES[family].of else [0.15, 0.3, 0.6, 0.85])
    numbers = (a, b, expected.ppf(0) + expected.args[0] * 0.8) if family == "triangular" else (a, b)
    log_x = pt.dvector()
    density = PRIOR_FAMILIES[family].density(pt, log_x, *(pt.constant(np.array(n)) for n in numbers))
    found = pytensor.function([log_x], density, mode=PLAIN)(np.log(x))
    np.testing.assert_allclose(found, expected.logpdf(x), rtol=1e-12)


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


def test_a_family_of_a_mass_may_have_three_numbers(monkeypatch):
    three = replace(PRIOR_FAMILIES["triangular"], of=("mass",), allowed=lambda a, b, c: 0 <= a <= c <= b)
    monkeypatch.setitem(PRIOR_FAMILIES, "three", three)
    monkeypatch.setitem(MASS_DENSITIES, "three", three.density)
    priors = [build.flow_prior("ore", YEAR, "three", 5.0, 25.0, c=10.0), *FLAT[1:]]
    found, log_flow, log_jacobian, _ = evaluate(case_with(priors, "mass"))
    assert found == pytest.approx(stats.triang(0.25, 5, 20).logpdf(np.exp(log_flow["ore"])) + log_jacobian, rel=1e-12)


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
    case = case_with([], "mass")
    network = Network.from_system(case.system)
    log_flow, _ = balanced_flows_with_jacobian(POINT, network)
    shares, flow = pytensor.function([], [shares_of_flows(network, log_flow), pt.exp(log_flow)], mode=PLAIN)()
    origin = np.array([case.system.flows[f].from_process for f in network.edge_flow])
    total = np.array([flow[origin == o].sum() for o in origin])
    np.testing.assert_allclose(shares, np.where(origin == OUTSIDE, 0.0, np.log(flow / total)), atol=1e-14)


def test_terms_are_kept_by_group_of_the_table():
    case = shares_case(normal(metal=(0.8, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5))
    network = Network.from_system(case.system)
    log_flow, _ = balanced_flows_with_jacobian(POINT, network)
    terms = density_terms(case, network, log_flow)
    assert list(terms) == ["inputs", "shares"]
    expected = stats.norm(np.log(12.0), 0.4).logpdf(np.log(10.0))
    assert float(pytensor.function([], terms["inputs"], mode=PLAIN)()) == pytest.approx(expected, rel=1e-12)


FLAT = [build.flow_prior(f.name, YEAR, "flat") for f in FLOWS]
HEAD = "the priors table does not give a density of every flow:\n  priors.csv"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            case_with(FLAT[1:], "mass"),
            ": no row covers ore in 2000; write family = flat if nothing is known",
        ),
        (
            case_with([*FLAT, FLAT[0]], "mass"),
            ": more than one row covers ore in 2000",
        ),
        (
            case_with([replace(FLAT[0], kind="share"), *FLAT[1:]], "mass"),
            ", column 'kind': prior 'ore': kind 'share' is not of prior_measure = mass; use one of: flow",
        ),
        (
            case_with([replace(FLAT[0], family="beta", a=1.0, b=2.0), *FLAT[1:]], "mass"),
            ", column 'family': prior 'ore': the family 'beta' is not of kind flow; use one of: lognormal, "
            "truncated_normal, gamma, exponential, uniform, flat",
        ),
        (
            case_with([replace(FLAT[0], family="gamma", a=1.0), *FLAT[1:]], "mass"),
            ", column 'b': prior 'ore': the cell is empty; the family 'gamma' needs a and b",
        ),
        (
            case_with([replace(FLAT[0], family="uniform", a=3.0, b=2.0), *FLAT[1:]], "mass"),
            ", column 'a': prior 'ore': the family 'uniform' has no member with a = 3, b = 2; it needs 0 ≤ low < high",
        ),
        (
            shares_case(normal(metal=(1.2, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5)),
            ", column 'a': prior 'metal': the family 'logistic_normal' has no member with a = 1.2, b = 0.3; it needs a "
            "between 0 and 1 (median share) and b > 0 (sd of the log-ratio)",
        ),
        (
            shares_case(normal(metal=(0.8, 0.3)), dirichlet(goods=3.0, scrap=0.5)),
            ": the shares of 'shop' in 2000 need one row each: dirichlet for all, or for all but the reference "
            "logistic_normal, or one of beta, triangular, uniform",
        ),
        (
            shares_case(normal(slag=(0.2, 0.3)), dirichlet(goods=3.0, scrap=0.5, waste=1.5)),
            ": the shares of 'mill' in 2000 need one row each: dirichlet for all, or for all but the reference "
            "logistic_normal, or one of beta, triangular, uniform",
        ),
        (
            shares_case(normal(metal=(0.8, 0.3)), normal(scrap=(0.6, 0.2), waste=(0.5, 0.5))),
            ": the median shares of 'shop' in 2000 add up to 1.1, which leaves nothing for its reference outflow; keep "
            "them below 1",
        ),
        (
            case_with([*normal(metal=(0.8, 0.3)), *dirichlet(goods=3.0, scrap=0.5, waste=1.5)], "shares"),
            ": ore in 2000 comes from outside and needs one row of kind input",
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
    assert [line.split()[4] for line in lines[1:]] == ["ore", "metal", "slag"]


def test_a_model_is_not_built_of_a_table_that_cannot_be_used():
    total = replace(dirichlet(goods=3.0)[0], name="parts", mode="total", selector=Selector.of(flow="goods+scrap"))
    with pytest.raises(ModelError, match="column 'mode': prior 'parts': only a density of kind flow may be of a total"):
        ree.build_model(case_with([total], "shares"))


def test_a_flat_prior_has_no_draws_and_says_so():
    model = ree.build_model(case_with(FLAT, "mass"))
    with pytest.raises(SamplingError) as error:
        ree.sample_prior(model, quiet=True)
    assert str(error.value) == (
        "the prior of case 'toy' has no draws: a density of family flat has no total to divide by; give its rows a "
        "proper family"
    )


SHARES_OF = {
    "beta": ({"a": 8.0, "b": 3.0}, stats.beta(8, 3)),
    "triangular": ({"a": 0.5, "b": 0.95, "c": 0.8}, stats.triang(0.3 / 0.45, 0.5, 0.45)),
    "uniform": ({"a": 0.6, "b": 0.9}, stats.uniform(0.6, 0.3)),
}


@pytest.mark.parametrize("family", SHARES_OF)
def test_a_share_has_the_density_of_scipy_by_quadrature(family):
    """The density of the free coordinate integrates to one, and gives the mean and sd of the share."""
    numbers, expected = SHARES_OF[family]
    priors = [
        build.flow_prior("ore", YEAR, "lognormal", 10.0, 0.1, kind="input"),
        build.flow_prior("metal", YEAR, family, kind="share", **numbers),
    ]
    flows = [replace(f, to_process=OUTSIDE) if f.name == "metal" else f for f in FLOWS[:3]]
    case = build.case("toy", flows, {"mill": "slag"}, priors, [], year=YEAR, measure="shares", unit="t")
    network = Network.from_system(case.system)
    scale = CoordinateScale.of(case, network)
    z = np.linspace(-8.0, 8.0, 1601)
    free = pt.dscalar()
    u, log_volume = scale.apply(pt.stack([pt.constant(np.log(10.0)), free]))
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    log_share = shares_of_flows(network, log_flow)
    density = density_potential(case, network, log_flow, log_jacobian) + log_volume
    evaluate_at = pytensor.function([free], [density, log_share, u], mode="FAST_COMPILE")
    rows = [evaluate_at(x) for x in z]
    place = [case.system.flows[f].name for f in network.edge_flow].index("metal")
    share = np.exp([row[1][place] for row in rows])
    at_ten = stats.lognorm(0.1, scale=10.0).logpdf(10.0) + np.log(10.0)
    weight = np.exp(np.array([row[0] for row in rows]) - at_ten) * (z[1] - z[0])
    assert weight.sum() == pytest.approx(1.0, abs=1e-4)
    assert weight @ share == pytest.approx(expected.mean(), rel=1e-4)
    assert weight @ share**2 == pytest.approx(expected.var() + expected.mean() ** 2, rel=1e-4)
    np.testing.assert_allclose(scale.invert(rows[900][2]), [np.log(10.0), z[900]], rtol=1e-6)


def test_shares_of_three_outflows_with_bounds_of_their_own():
    """Two uniform shares and what they leave: the density of the log-ratios is that of the shares times the volume."""
    ore = build.flow_prior("ore", YEAR, "lognormal", 10.0, 0.1, kind="input")
    mill = build.flow_prior("metal", YEAR, "beta", 2.0, 2.0, kind="share")
    bounds = {"scrap": (0.2, 0.4), "waste": (0.1, 0.5)}
    uniform = [build.flow_prior(name, YEAR, "uniform", *ends, kind="share") for name, ends in bounds.items()]
    case = case_with([ore, mill, *uniform], "shares")
    network = Network.from_system(case.system)
    scale = CoordinateScale.of(case, network)
    z = np.array([np.log(10.0), 0.3, -0.4, 0.7])
    u, log_volume = (v.eval() for v in scale.apply(pt.constant(z)))
    np.testing.assert_allclose(scale.invert(u), z, rtol=1e-6)
    density, _, _, log_share = evaluate(case, u)
    assert 0.2 < np.exp(log_share["scrap"]) < 0.4
    assert 0.1 < np.exp(log_share["waste"]) < 0.5
    # Of free coordinates the uniform shares are standard normal, and the beta is that of a Dirichlet.
    beta = np.exp(log_share["metal"])
    slope = stats.norm.pdf(z[1]) * (1 / stats.norm.cdf(z[1]) + 1 / stats.norm.sf(z[1])) / 2 * beta * (1 - beta)
    expected = stats.norm.logpdf(z[2:]).sum() + stats.beta(2, 2).logpdf(beta) + np.log(slope)
    expected += stats.lognorm(0.1, scale=10.0).logpdf(10.0) + np.log(10.0)
    assert density + log_volume == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ModelError, match=r"add up to 1\.4, more than the process gives"):
        evaluate(case_with([ore, mill, uniform[0], replace(uniform[1], b=1.0)], "shares"))


def test_a_normal_prior_under_coordinates_is_refused_with_the_way_to_write_it():
    case = ree.read_case("small_metal")
    first = replace(case.priors[0], family="truncated_normal", a=1.0, b=1.0)
    message = str(ree.check_case(replace(case, priors=(first, *case.priors[1:]))))
    assert "row of evidence, with the mean in value, the sd in width" in message


def test_a_beta_share_that_rounds_to_one_keeps_what_it_leaves():
    log_rest = np.array([-20.0, -60.0, -200.0])
    density = PRIOR_FAMILIES["beta"].density
    found = density(pt, pt.as_tensor(np.log1p(-np.exp(log_rest))), 0.03, 0.03, pt.as_tensor(log_rest)).eval()
    np.testing.assert_allclose(np.diff(found), (0.03 - 1) * np.diff(log_rest), rtol=1e-6)
