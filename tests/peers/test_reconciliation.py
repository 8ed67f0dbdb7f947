"""P1–P8: the posterior under ``prior_measure = "mass"`` is that of classical data reconciliation."""

import numpy as np
import pytest

from peers import reconciliation
from peers.files import needs_cases
from peers.fits import fit
from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.priors.start import feasible_start

pytestmark = needs_cases
NAMES = [f"P{k}" for k in range(1, 9)]


@pytest.mark.parametrize("name", NAMES)
def test_the_closed_form_gives_the_published_reconciliation(name):
    problem = reconciliation.read(name)
    mean, sd = reconciliation.closed_form(problem.matrix, problem.measured, problem.sd)
    np.testing.assert_allclose(mean, problem.reconciled_mean, rtol=1e-9)
    np.testing.assert_allclose(sd, problem.reconciled_sd, rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_start_balances_and_nearly_fits(name):
    problem = reconciliation.read(name)
    case = reconciliation.to_case(problem)
    network = Network.from_system(case.system)
    flow = flows_of_draws(feasible_start(case, network), network)
    by_name = {case.system.flows[f].name: x for f, x in zip(network.edge_flow, flow, strict=True)}
    x = np.array([by_name[f"{name} {stream}"] for stream in problem.streams])
    allowed = 1e-9 if len(case.system.flows) == len(problem.streams) else 5 * reconciliation.TIE_SD
    assert np.abs(problem.matrix @ x).max() <= allowed * max(1.0, x.max())
    assert np.abs((x - problem.reconciled_mean) / problem.reconciled_sd).max() < 0.1


@pytest.fixture(scope="module")
def found():
    """All problems at once: one model to compile."""
    found = fit(reconciliation.to_case(*(reconciliation.read(name) for name in NAMES)), draws=3000)
    assert found.diverging == 0
    assert found.worst_residual < 1e-12
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_posterior_is_the_closed_form(name, found):
    problem = reconciliation.read(name)
    x = found.of([f"{name} {stream}" for stream in problem.streams])
    assert np.abs((x.mean(axis=0) - problem.reconciled_mean) / problem.reconciled_sd).max() < 0.05
    np.testing.assert_allclose(x.std(axis=0), problem.reconciled_sd, rtol=0.05)
