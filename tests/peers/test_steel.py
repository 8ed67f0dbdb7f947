"""Global steel 2008: priors on shares, a scrap loop, exact balance."""

import numpy as np
import pytest

from peers import steel
from peers.files import needs_cases
from peers.fits import fit

pytestmark = needs_cases


def test_the_case_has_the_flows_of_the_reference():
    case = steel.to_case(3)
    inputs = {f.name for f in case.system.flows if f.from_process == "outside"}
    assert {f.name for f in case.system.flows} - inputs == set(steel.read_reference(3).labels)
    assert len(inputs) == 4


@pytest.mark.slow
@pytest.mark.parametrize("stage", [2, 3])
def test_the_posterior_is_that_of_the_reference(stage):
    found = fit(steel.to_case(stage), draws=2000)
    reference = steel.read_reference(stage)
    x = found.of(reference.labels)
    assert found.diverging <= 0.002 * x.shape[0]
    assert found.worst_residual < 1e-9
    assert found.largest_r_hat < 1.02
    shift = (x.mean(axis=0) - reference.mean) / reference.sd
    assert np.quantile(np.abs(shift), 0.95) < 0.15
    assert np.abs(shift).max() < 0.3
    # A few flows have a tail that neither run has many draws of: their sd is its least certain number.
    spread = np.abs(np.log(x.std(axis=0) / reference.sd))
    assert np.quantile(spread, 0.9) < 0.12
    assert spread.max() < 0.4


@pytest.mark.slow
def test_single_numbers_of_an_earlier_study_lie_inside_the_intervals():
    x = fit(steel.to_case(3), draws=1000).of(list(steel.DETERMINISTIC))
    low, high = np.quantile(x, [0.025, 0.975], axis=0)
    numbers = np.array(list(steel.DETERMINISTIC.values()))
    assert np.sum((low <= numbers) & (numbers <= high)) >= 11
