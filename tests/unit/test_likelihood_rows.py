"""The log likelihood of one row: every family and form against scipy, gradients against finite differences."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

import reeuncert as ree
from reeuncert.case.records import ErrorClass, ErrorTails
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.op import RowLogp, row_logp
from reeuncert.likelihood.packing import pack_rows
from reeuncert.likelihood.predictive import draw_errors
from reeuncert.model import case_network
from reeuncert.validation.report import check_case
from reeuncert.words.error_laws import DENSITY, ERROR_LAWS, INTERVAL, NORMAL, OUTLIERS, STUDENT_T, ErrorLaw

INF = math.inf

quick = settings(deadline=None, max_examples=60)
"""The first call compiles a kernel, which is no reason to fail."""
LAWS = [core | outliers for core in (STUDENT_T, NORMAL) for outliers in (0, OUTLIERS)]
CUSTOMS = ERROR_LAWS["customs"].code
families = st.sampled_from(LAWS)
residuals = st.floats(-8, 8)
scales = st.floats(0.02, 3)
ends = st.sampled_from([(-0.1, 0.3), (-INF, 0.0), (0.0, INF), (-2.0, -0.5), (-0.01, 0.01), (-1.0, 1.0)])


def logp(
    value: float, eta: float, sigma: float, family: int, form: int = DENSITY,
    bounds: tuple[float, float] = (0.0, 0.0), shift: float = 0.0, weight: float = 0.0,
) -> tuple[float, float, float]:  # fmt: skip
    """Log likelihood of one row and its derivatives with respect to eta and sigma."""
    one = [np.array([v]) for v in (family, form, *bounds, shift, weight)]
    out = RowLogp().kernel(*(np.array([v], dtype=float) for v in (value, eta, sigma)), *pack_rows(*one, ErrorTails()))
    return tuple(float(o[0]) for o in out)  # type: ignore[return-value]  # three of them


def cdf(family: int, x: float, sigma: float) -> float:
    """CDF of the error by scipy."""
    core = stats.norm(scale=sigma) if family & ~OUTLIERS == NORMAL else stats.t(4, scale=sigma)
    return float(0.9 * core.cdf(x) + 0.1 * stats.norm.cdf(x, scale=2.0) if family & OUTLIERS else core.cdf(x))


def pdf(family: int, x: float, sigma: float) -> float:
    """Density of the error by scipy."""
    core = stats.norm(scale=sigma) if family & ~OUTLIERS == NORMAL else stats.t(4, scale=sigma)
    return float(0.9 * core.pdf(x) + 0.1 * stats.norm.pdf(x, scale=2.0) if family & OUTLIERS else core.pdf(x))


@quick
@given(families, st.floats(-3, 3), st.floats(0.2, 3))
def test_density_agrees_with_scipy(family: int, residual: float, sigma: float) -> None:
    expected = math.log(pdf(family, residual, sigma))
    assert logp(1.0 + residual, 1.0, sigma, family)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@quick
@given(families, st.floats(-2, 2), st.floats(0.3, 3), ends)
def test_interval_agrees_with_differences_of_the_cdf(
    family: int, residual: float, sigma: float, bounds: tuple[float, float]
) -> None:
    low, high = (cdf(family, residual + end, sigma) for end in bounds)
    result = logp(1.0 + residual, 1.0, sigma, family, INTERVAL, bounds)[0]
    assert math.exp(result) == pytest.approx(high - low, rel=1e-6, abs=1e-12)


@quick
@given(residuals, scales)
def test_at_least_is_the_cdf_of_the_distance_above_the_bound(residual: float, sigma: float) -> None:
    bound, eta = 1.0 + residual, 1.0
    result = logp(bound, eta, sigma, STUDENT_T, INTERVAL, (0.0, INF))[0]
    assert result == pytest.approx(stats.t.logcdf((eta - bound) / sigma, 4), rel=1e-7, abs=1e-12)


def test_customs_interval_far_out_is_that_of_wrong_records() -> None:
    bounds = (-0.05, 0.05)
    far = logp(80.0, 0.0, 1e-9, CUSTOMS, INTERVAL, bounds)[0]
    high, low = special.log_ndtr(-79.95 / 2), special.log_ndtr(-80.05 / 2)
    wrong = math.log(0.1) + high + math.log1p(-math.exp(low - high))
    core = math.log(0.9) + math.log(12 / 4 * 1e-9**4) + math.log(79.95**-4 - 80.05**-4)  # 1 - F(u) = 3 / u⁴ for large u
    assert far == pytest.approx(np.logaddexp(wrong, core), rel=1e-8)


@quick
@given(families, residuals, scales, st.floats(-2, 2), st.floats(0.05, 0.95))
def test_two_readings_are_a_mixture(family: int, residual: float, sigma: float, shift: float, weight: float) -> None:
    first = logp(residual, 0.0, sigma, family)[0]
    second = logp(residual + shift, 0.0, sigma, family)[0]
    both = logp(residual, 0.0, sigma, family, shift=shift, weight=weight)[0]
    assert both == pytest.approx(
        np.logaddexp(math.log(1 - weight) + first, math.log(weight) + second), rel=1e-9, abs=1e-9
    )


@quick
@given(families, residuals, scales, ends, st.booleans(), st.floats(-2, 2), st.sampled_from([0.0, 0.3]))
def test_gradients_agree_with_finite_differences(
    family: int, residual: float, sigma: float, bounds: tuple[float, float], point: bool, shift: float, weight: float
) -> None:
    form = DENSITY if point else INTERVAL
    bounds = (0.0, 0.0) if point else bounds

    def at(eta: float, sigma: float) -> float:
        return logp(residual, eta, sigma, family, form, bounds, shift, weight)[0]

    _, by_eta, by_sigma = logp(residual, 0.0, sigma, family, form, bounds, shift, weight)
    step = 1e-5 * sigma
    numeric_eta = (at(step, sigma) - at(-step, sigma)) / (2 * step)
    numeric_sigma = (at(0.0, sigma + step) - at(0.0, sigma - step)) / (2 * step)
    tolerance = 1e-4 * (1.0 + abs(at(0.0, sigma)) / sigma)
    assert by_eta == pytest.approx(numeric_eta, rel=1e-4, abs=tolerance)
    assert by_sigma == pytest.approx(numeric_sigma, rel=1e-4, abs=tolerance)


@quick
@given(families, st.floats(-1e8, 1e8), st.floats(1e-6, 1e3), ends)
def test_no_figure_is_impossible(family: int, residual: float, sigma: float, bounds: tuple[float, float]) -> None:
    for form, ends_of in ((DENSITY, (0.0, 0.0)), (INTERVAL, bounds)):
        assert all(math.isfinite(v) for v in logp(residual, 0.0, sigma, family, form, ends_of))


@pytest.mark.parametrize("family", LAWS)
def test_drawn_errors_have_the_law_of_the_likelihood(family: int) -> None:
    """The probability integral transform of drawn errors, by the interval form, is uniform."""
    n, sigma = 4000, 0.3
    errors = draw_errors(np.full((n, 1), sigma), np.array([family]), ErrorTails(), np.random.default_rng(5))[:, 0]
    below = [logp(e, 0.0, sigma, family, INTERVAL, (-INF, 0.0))[0] for e in errors]
    assert stats.kstest(np.exp(below), "uniform").pvalue > 0.01


def test_the_width_is_the_half_width_of_the_central_68_percent() -> None:
    for law in (ERROR_LAWS["student_t"], ERROR_LAWS["normal"]):
        scale = 0.2 * law.core_scale(4.0)
        inside = math.exp(logp(0.0, 0.0, scale, law.code, INTERVAL, (-0.2, 0.2))[0])
        assert inside == pytest.approx(0.6827, abs=1e-3)


def test_a_second_derivative_is_refused_rather_than_taken_for_zero() -> None:
    eta, one = pt.dvector(), [np.array([v]) for v in (NORMAL, DENSITY, 0.0, 0.0, 0.0, 0.0)]
    posterior = row_logp(np.zeros(1), eta, np.ones(1), *pack_rows(*one, ErrorTails())).sum() - (eta**2).sum()
    slope = pt.grad(posterior, eta)
    with pytest.raises(NotImplementedError):
        pt.grad(slope.sum(), eta)


def test_a_law_without_a_known_core_or_with_outliers_in_the_unit_of_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="core 4"):
        ErrorLaw("Laplace", 4)
    with pytest.raises(ValueError, match="outliers"):
        ErrorLaw("normal in the unit of the row, with outliers", NORMAL, outliers=True, plain=True)


def test_a_law_made_of_parts_that_exist_is_one_row_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read, checked and compiled: nothing else names a law. For the simulator, see `test_calibration_figures`."""
    monkeypatch.setitem(ERROR_LAWS, "survey", ErrorLaw("normal with outliers", NORMAL, outliers=True))
    case = ree.read_case("small_metal")
    row = next(row for row in case.evidence if row.id == "M1")
    name = case.sources[row.source_id].error_class
    case = replace(case, classes={**case.classes, name: ErrorClass(name, "survey", 0.3, math.nan, learn=False)})
    assert check_case(case).passed
    evidence = compile_evidence(case, case_network(case))
    assert evidence.family[evidence.ids.index("M1")] == NORMAL | OUTLIERS
