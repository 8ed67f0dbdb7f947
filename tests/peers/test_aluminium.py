"""Global aluminium 2009 with exact balance: weak priors, sums, ratios, flows near zero."""

import numpy as np
import pytest

from peers import aluminium
from peers.files import needs_cases
from peers.fits import Fit, fit

pytestmark = needs_cases


def in_reference_units(found: Fit, reference: aluminium.Reference) -> tuple[np.ndarray, np.ndarray]:
    """Difference of the means in sds of the reference, and ratio of the sds, by variable of the reference."""
    stocks, signs = aluminium.stock_matrix(found.case)
    flows = [label for label in reference.labels if not label.startswith("stock:")]
    change = found.flows.reshape(-1, found.flows.shape[-1]) @ signs.T
    draws = dict(zip(stocks, change.T, strict=True)) | dict(zip(flows, found.of(flows).T, strict=True))
    x = np.array([draws[label] for label in reference.labels])
    return (x.mean(axis=1) - reference.mean) / reference.sd, x.std(axis=1) / reference.sd


def test_the_case_has_every_flow_and_balances_what_does_not_accumulate():
    case = aluminium.to_case(ratios=True)
    published = [flow for flow in case.system.flows if not flow.name.startswith("enters ")]
    assert len(published) == 163
    assert len(aluminium.accumulating()) == 16
    assert len([process for process in case.system.processes if "->" not in process.name]) == 30


@pytest.mark.slow
def test_exact_balance_agrees_with_the_exact_reference():
    found = fit(aluminium.to_case(ratios=False), draws=2000)
    shift, spread = in_reference_units(found, aluminium.read_reference("A_exactbalance_truncGauss"))
    assert found.diverging == 0
    assert found.worst_residual < 1e-9
    assert found.largest_r_hat < 1.02
    assert np.quantile(np.abs(shift), 0.95) < 0.15
    assert np.abs(shift).max() < 0.25
    assert np.abs(np.log(spread)).max() < 0.15


@pytest.mark.slow
def test_ratios_agree_with_the_reference_that_relaxes_the_balance():
    found = fit(aluminium.to_case(ratios=True), draws=2000)
    shift, spread = in_reference_units(found, aluminium.read_reference("B_ratio"))
    assert found.diverging == 0
    assert found.worst_residual < 1e-9
    # The reference lets every balance slip by 0.05 Mt, so small flows differ; most flows are larger than that.
    assert np.median(np.abs(shift)) < 0.1
    assert np.quantile(np.abs(shift), 0.9) < 0.5
    assert 0.8 < np.median(spread) < 1.1
