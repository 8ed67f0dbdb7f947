"""Which priors and sources drive the headlines? Power-scaling of each, see `reeuncert.result.powerscale`."""

import numpy as np

from reeuncert.checks.result import CheckResult, information
from reeuncert.indicators.headlines import all_scaled, headline_draws
from reeuncert.result.powerscale import NOISE, SENSITIVE
from reeuncert.result.result import Result


def check(result: Result) -> list[CheckResult]:
    """Sensitivity of the headlines to classes of priors and to lineages of evidence."""
    count = sum(bool(np.isfinite(key.posterior).any()) for key in result.once(headline_draws))
    if not count:
        return [
            information("sensitivity", "No headline among the indicators of this result: nothing was power-scaled.")
        ]
    table = result.once(all_scaled)
    found = []
    for what, kind, called in (
        ("priors", "prior class", "classes of priors"),
        ("lineages", "source", "lineages of evidence"),
    ):
        name, own = f"sensitivity to {what}", table[table["kind"] == kind]
        if own.empty:
            found.append(information(name, f"This result holds no terms of {called}."))
            continue
        strong = own[own["sensitive"]].drop(columns=["kind", "sensitive"])
        top = ", ".join(f"{c} ({n})" for c, n in strong["component"].value_counts().head(3).items())
        message = f"{strong['quantity'].nunique()} of {count} headlines are sensitive to some of "
        message += f"{own['component'].nunique()} {called} (power-scaling above {SENSITIVE:g} and {NOISE:g} times its "
        message += f"error); most headlines to {top}." if top else "error)."
        worst = strong.head(40).reset_index(drop=True) if len(strong) else None
        found.append(information(name, message, float(own["psense"].max()), worst))
    return found
