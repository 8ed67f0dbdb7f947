"""All checks by name, in the order of the table; `check` runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import xarray as xr

from reeuncert.checks import (
    assumption,
    balance,
    completeness,
    convergence,
    geometry,
    leave_one_out,
    leave_out,
    monte_carlo,
    posterior_predictive,
    prior_predictive,
    published,
    sensitivity,
    structures,
)
from reeuncert.checks.material import Material
from reeuncert.checks.result import CheckResult, CheckTable, not_run
from reeuncert.errors import ReeUncertError
from reeuncert.parts import Failed, attempt, collecting

Check = Callable[[Material], list[CheckResult]]

CHECKS: dict[str, Check] = {
    "completeness": completeness.check,
    "balance": balance.check,
    "convergence": convergence.check,
    "geometry": geometry.check,
    "monte_carlo": monte_carlo.check,
    "prior_predictive": prior_predictive.check,
    "posterior_predictive": posterior_predictive.check,
    "assumption": assumption.check,
    "structures": structures.check,
    "sensitivity": sensitivity.check,
    "leave_out": leave_out.check,
    "leave_one_out": leave_one_out.check,
    "published": published.check,
}
"""Name of a check → function from `Material` to results. To add one: a file, and a row here."""


def check(dt: xr.DataTree, names: Iterable[str] | None = None, *, material: Material | None = None) -> CheckTable:
    """Check a result: balance, convergence, priors, evidence, dependence on the prior, published values.

    Parameters
    ----------
    dt
        From `reeuncert.sample`; indicators are checked if they have been added.
    names
        Which checks; all by default.
    material
        Precomputed tables of this result.

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
    held = material or Material(dt)
    with collecting([]):  # they are told as rows
        return CheckTable([result for name in chosen for result in _run(name, held)])


def _run(name: str, material: Material) -> list[CheckResult]:
    found = attempt(f"check '{name}'", lambda: CHECKS[name](material))
    return [not_run(name, found)] if isinstance(found, Failed) else found
