"""Checks whether the intervals of a result can be trusted: one file per topic, and the table of all by name."""

from collections.abc import Callable, Iterable
from functools import partial

import xarray as xr

from reeuncert.checks import evidence, headlines, predictive, priors, run
from reeuncert.checks.result import CheckResult, CheckTable, not_run
from reeuncert.errors import ReeUncertError
from reeuncert.parts import Failed, attempt, collecting
from reeuncert.result.result import Result

__all__ = ["CHECKS", "CheckResult", "CheckTable", "check"]

Check = Callable[[Result], list[CheckResult]]

OF_DRAWS = {
    "completeness": run.completeness,
    "balance": run.balance,
    "convergence": run.convergence,
    "geometry": run.geometry,
    "monte_carlo": run.monte_carlo,
}
"""Those of the draws alone, which every fit of a study has to pass too."""

CHECKS: dict[str, Check] = {
    **OF_DRAWS,
    "prior_predictive": priors.prior_predictive,
    "prior_distance": priors.prior_distance,
    "reconciliation": evidence.reconciliation,
    "posterior_predictive": predictive.posterior_predictive,
    "mixtures": evidence.mixtures,
    "record_pairs": predictive.record_pairs,
    "assumption": headlines.assumption,
    "structures": headlines.structures,
    "sensitivity": headlines.sensitivity,
    "leave_out": predictive.leave_out,
    "leave_one_out": evidence.leave_one_out,
    "published": headlines.published,
}
"""Name of a check → function from a result to its verdicts. To add one: a function, and a row here."""


def check(dt: xr.DataTree, names: Iterable[str] | None = None) -> CheckTable:
    """Check a result: balance, convergence, priors, evidence, influence of the prior, published values.

    Parameters
    ----------
    dt
        From `reeuncert.sample`; indicators are checked if they have been added.
    names
        Which checks; all by default.

    Returns
    -------
    CheckTable
        One row per verdict; ``.passed`` is True if none failed. A check that raises has the status ``"not run"`` and
        its reason.

    Raises
    ------
    ReeUncertError
        If a name is not known; it lists the known ones.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> check(toy_posterior(draws=150, years=2), ["balance"])["balance"].status
    'passed'
    """
    chosen = list(CHECKS) if names is None else list(names)
    if not chosen:
        raise ReeUncertError(f"no check is named; use some of: {', '.join(CHECKS)}, or leave the argument out for all")
    for name in chosen:
        if name not in CHECKS:
            raise ReeUncertError(f"check '{name}' is not known; use some of: {', '.join(CHECKS)}")
    return _run(Result(dt), chosen)


def all_checks(result: Result) -> CheckTable:
    """Every check of a result."""
    return _run(result, CHECKS)


def check_table(result: Result) -> CheckTable:
    """Every check, and a row ``not run`` for each other part of the result that could not be made until now."""
    return CheckTable([*result.once(all_checks), *(not_run(f.part, f) for f in dict.fromkeys(result.failed))])


def _run(result: Result, names: Iterable[str]) -> CheckTable:
    found: list[CheckResult] = []
    with collecting([]):  # they become rows
        for name in names:
            made = attempt(f"check '{name}'", partial(result.once, CHECKS[name]))
            found += [not_run(name, made)] if isinstance(made, Failed) else made
    return CheckTable(found)
