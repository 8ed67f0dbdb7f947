"""The scale of free coordinates: its inverse, its volume, and that it makes a Dirichlet prior nearly normal."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from scipy import stats

from peers import build
from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows
from reeuncert.priors.density import shares_of_flows
from reeuncert.priors.scale import CoordinateScale
from reeuncert.system.definition import OUTSIDE

YEAR = 2000
PLAIN = Mode(linker="py", optimizer=None)
WEIGHTS = {"a": 0.03, "b": 2.9, "c": 1.0, "d": 1.0}


@pytest.fixture(scope="module")
def case():
    flows = [
        build.flow("in", OUTSIDE, "p", YEAR),
        *(build.flow(name, "p", "q", YEAR) for name in WEIGHTS),
        build.flow("e", "q", OUTSIDE, YEAR),
        build.flow("f", "q", OUTSIDE, YEAR),
    ]
    priors = [build.flow_prior("in", YEAR, "uniform", 2.0, 30.0, kind="input")]
    priors += [build.flow_prior(n, YEAR, "dirichlet", w, kind="share") for n, w in WEIGHTS.items()]
    priors += [build.flow_prior("e", YEAR, "logistic_normal", 0.3, 0.4, kind="share")]
    return build.case("toy", flows, {"p": "c", "q": "f"}, priors, [], year=YEAR, measure="shares", unit="t")


@pytest.fixture(scope="module")
def network(case):
    return Network.from_system(case.system)


@pytest.fixture(scope="module")
def scale(case, network):
    return CoordinateScale.of(case, network)


@pytest.fixture(scope="module")
def apply(scale):
    z = pt.dvector()
    return pytensor.function([z], scale.apply(z), mode=PLAIN)


def test_going_there_and_back_changes_nothing(apply, scale, network):
    z = np.random.default_rng(1).normal(0, 2, network.n_coordinates)
    np.testing.assert_allclose(scale.invert(apply(z)[0]), z, atol=1e-9)


def test_the_volume_is_the_determinant_of_the_jacobian(apply, network):
    z, step = np.random.default_rng(2).normal(0, 1.5, network.n_coordinates), 1e-6
    jacobian = [(apply(z + step * e)[0] - apply(z - step * e)[0]) / (2 * step) for e in np.eye(z.size)]
    assert apply(z)[1] == pytest.approx(np.linalg.slogdet(np.array(jacobian))[1], abs=1e-6)


def test_a_start_beyond_a_bound_is_moved_inside(apply, scale, network):
    k = network.coordinate_name.tolist().index("in")
    u = np.zeros(network.n_coordinates)
    u[k] = np.log(1000.0)
    assert 29 < np.exp(apply(scale.invert(u))[0][k]) < 30


def test_logs_and_log_ratios_without_walls_stay_as_they_are(apply, network):
    k = network.coordinate_name.tolist().index("e")
    z = np.full(network.n_coordinates, 0.7)
    assert apply(z)[0][k] == 0.7


def test_coordinates_of_dirichlet_shares_are_nearly_independent_normals(scale, network):
    shares = stats.dirichlet(list(WEIGHTS.values())).rvs(4000, random_state=3)
    names = list(WEIGHTS)
    u = np.zeros((4000, network.n_coordinates))
    for k, name in enumerate(names):
        if name != "c":
            with np.errstate(divide="ignore"):
                ratio = np.log(shares[:, k]) - np.log(shares[:, names.index("c")])
            u[:, network.coordinate_name.tolist().index(name)] = np.maximum(ratio, -700)
    u[:, network.coordinate_name.tolist().index("in")] = np.log(np.random.default_rng(4).uniform(2, 30, 4000))
    z = np.array([scale.invert(row) for row in u])[
        :, [network.coordinate_name.tolist().index(n) for n in ("in", "a", "b", "d")]
    ]
    assert np.abs(z.mean(axis=0)).max() < 0.35
    assert np.all((z.std(axis=0) > 0.75) & (z.std(axis=0) < 1.3))
    assert np.abs(np.corrcoef(z.T) - np.eye(4)).max() < 0.1


def test_the_scale_leaves_shares_that_add_up_to_one(apply, network):
    z = np.random.default_rng(5).normal(0, 3, network.n_coordinates)
    log_flow = balanced_flows(apply(z)[0], network)
    share = np.exp(shares_of_flows(network, log_flow).eval(mode=PLAIN))
    assert share.min() > 0
    assert share.sum() == pytest.approx(3.0)
