"""Figures against balance alone: closed forms of linear reconciliation, and figures that no balanced flows can meet."""

from dataclasses import replace

import numpy as np
import pytest

import reeuncert as ree
from peers import build
from reeuncert.case.serial import case_to_json
from reeuncert.checks import check
from reeuncert.likelihood import reconcile as reconcile_module
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.reconcile import reconcile
from reeuncert.priors.coverage import case_network
from reeuncert.system.definition import OUTSIDE
from reeuncert.testing import toy_posterior

YEAR = 2020


def parts_of_a_total(total, part, *, total_sd=10.0, part_sd=10.0):
    """A process that is fed with a total and gives two parts, of which one is reported too."""
    ends = {"total": (OUTSIDE, "works"), "part": ("works", OUTSIDE), "rest": ("works", OUTSIDE)}
    flows = [build.flow(name, *places, YEAR) for name, places in ends.items()]
    priors = [build.flow_prior(name, YEAR, "uniform", 0.0, 1e6) for name in ends]
    rows = [build.measured("T", ["total"], YEAR, total, total_sd), build.measured("P", ["part"], YEAR, part, part_sd)]
    return build.case("toy", flows, {"works": "rest"}, priors, rows, year=YEAR, measure="mass", unit="t")


def reconciled(case):
    return reconcile(case.system, compile_evidence(case, case_network(case)))


def test_linear_figures_have_the_closed_form():
    """Residuals V Aᵀ (A V Aᵀ)⁻¹ A y, each over its standard error."""
    case = parts_of_a_total(100.0, 70.0)
    rows = (*case.evidence, build.measured("R", ["rest"], YEAR, 20.0, 5.0))
    found = reconciled(replace(case, evidence=rows))
    balance, sd, y = np.array([[1.0, -1.0, -1.0]]), np.array([10.0, 10.0, 5.0]), np.array([100.0, 70.0, 20.0])
    spread = balance @ np.diag(sd**2) @ balance.T
    moved = (sd**2 * balance * (balance @ y) / spread).ravel()
    np.testing.assert_allclose(found.fitted, y - moved, rtol=1e-6)
    np.testing.assert_allclose(found.z, np.sign(balance).ravel() * (balance @ y)[0] / np.sqrt(spread[0, 0]), rtol=1e-6)
    assert found.statistic == pytest.approx((balance @ y)[0] ** 2 / spread[0, 0], rel=1e-6)
    assert found.redundancy == pytest.approx(1.0, rel=1e-6)


def test_stock_changes_and_relaxed_balances_have_the_closed_form():
    """A process in two, held together by rows: a prior and a datum on what stays in it, or 0 within a stated sd."""
    ends = {"in": (OUTSIDE, "gate"), "stored": ("gate", OUTSIDE), "taken": (OUTSIDE, "shop"), "out": ("shop", OUTSIDE)}
    flows = [build.flow(name, *places, YEAR) for name, places in ends.items()]
    priors = [build.flow_prior(name, YEAR, "uniform", 0.0, 1e6) for name in ends]
    known = [build.measured("I", ["in"], YEAR, 50.0, 4.0), build.measured("O", ["out"], YEAR, 56.0, 3.0)]
    for stated in ([(-0.5, 2.0), (-9.0, 1.0)], [(0.0, 0.5)]):
        rows = [
            build.measured(f"S{k}", ["stored"], YEAR, mean, sd, relation="difference", of=["taken"])
            for k, (mean, sd) in enumerate(stated)
        ]
        case = build.case("toy", flows, {}, priors, [*known, *rows], year=YEAR, measure="mass", unit="t")
        design = np.array([[1.0, 0.0], [0.0, 1.0], *([[1.0, -1.0]] * len(rows))])
        mean = np.array([50.0, 56.0, *(m for m, _ in stated)])
        weight = 1.0 / np.array([4.0, 3.0, *(sd for _, sd in stated)])
        best = np.linalg.lstsq(design * weight[:, None], mean * weight, rcond=None)[0]
        found = reconciled(case)
        np.testing.assert_allclose(found.fitted, design @ best, rtol=1e-5, atol=1e-5)
        assert found.statistic == pytest.approx(np.sum(((mean - design @ best) * weight) ** 2), rel=1e-5)


def test_a_part_far_above_its_total_is_named_before_and_after_sampling():
    """A total of 100 ± 10 with a part of 1,000 ± 100, and one of 105 ± 10, which chance explains."""
    found = {}
    for part, sd in ((1000.0, 100.0), (105.0, 10.0)):
        case = parts_of_a_total(100.0, part, part_sd=sd)
        warned = [p.message for p in ree.check_case(case).warnings if "standard errors apart" in p.message]
        dt = toy_posterior(draws=10, years=2)
        dt.attrs = {"case_json": case_to_json(case)}
        verdict = check(dt, ["reconciliation"])["figures and balance"]
        found[part] = warned, verdict
    assert found[105.0][0] == []
    assert found[105.0][1].status == "passed"
    warned, verdict = found[1000.0]
    assert len(warned) == 2
    assert all("'T'" in m or "'P'" in m for m in warned)
    assert verdict.status == "warning"
    # The nearest balanced flows have all of the total in the part, so that one difference is tested.
    assert verdict.value == pytest.approx(900 / np.hypot(10, 100), rel=1e-4)


def test_a_shared_offset_of_the_wrong_sign_is_named():
    """Two records of one flow, one with an offset whose mean has the wrong sign."""
    case = ree.read_case("small_metal")
    offset = ree.case.records.Offset("scope", -1.0, 0.1, "all", "normal")
    rows = tuple(
        replace(row, value=row.value * np.e, offsets=("scope",)) if row.source_id == "customs-north" and row.value > 2
        else row
        for row in case.evidence
    )  # fmt: skip
    right, wrong = (
        reconciled(replace(case, evidence=rows, offsets={"scope": replace(offset, mean=mean)})) for mean in (1.0, -1.0)
    )
    assert np.abs(np.r_[right.z, right.offset_z]).max() < right.limit
    assert wrong.offset_z[0] < -wrong.limit
    assert np.abs(wrong.offset_z[0]) > np.abs(wrong.z).max()
    found = ree.check_case(replace(case, evidence=rows, offsets={"scope": replace(offset, line=7)})).warnings
    (told,) = (p for p in found if p.file == "offsets.csv" and "standard errors apart" in p.message)
    assert (told.line, told.column) == (7, "mean")
    assert "its unit" not in told.message


def test_figures_of_the_bundled_case_can_all_be_true():
    found = reconciled(ree.read_case("china_us_row"))
    assert np.abs(np.r_[found.z, found.offset_z]).max() < found.limit
    assert found.probability > 0.01


def test_a_fit_that_does_not_end_is_told_and_judges_nothing(monkeypatch):
    monkeypatch.setattr(reconcile_module, "_STEPS", 3)
    case = parts_of_a_total(100.0, 71.5)
    (told,) = (p.message for p in ree.check_case(case).warnings if "3 steps" in p.message)
    assert "wrong unit" in told
    dt = toy_posterior(draws=10, years=2)
    dt.attrs = {"case_json": case_to_json(case)}
    (verdict,) = check(dt, ["reconciliation"]).results
    assert verdict.status == "not run"
    assert "3 steps" in verdict.message
