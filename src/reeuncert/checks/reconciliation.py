"""Figures that exact balance cannot reconcile, whatever the priors say: see `reeuncert.likelihood.reconcile`."""

import pandas as pd

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.likelihood.reconcile import judged_figures, reconcile
from reeuncert.result.result import Result


def check(result: Result) -> list[CheckResult]:
    """Whether balanced flows exist that agree with all figures, each within its error."""
    if result.evidence is None:
        return [information("figures and balance", "This result holds no evidence: nothing to reconcile.")]
    found = reconcile(result.case.system, result.evidence)
    figures = judged_figures(found, result.evidence)
    table = pd.DataFrame([(one.text, one.z) for one in figures], columns=["figure", "normalised_residual"])
    worst, count = figures[0], sum(abs(one.z) > found.limit for one in figures)
    message = f"Without priors, balance contradicts {count} of {len(figures)} figures and offsets; the largest "
    message += f"normalised residual is {abs(worst.z):.1f}: {worst.text}."
    remedy = "Read them again: unit, selector, years, basis; else the flow has a way in or out that the system lacks."
    return [warned("figures and balance", abs(worst.z), "<=", found.limit, message, remedy, table.head(40))]
