"""Published results against our intervals. For comparison only: never evidence, never a prior."""

import numpy as np

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.reference import all_published
from reeuncert.result.result import Result

_COLUMNS = (
    *("id", "source_id", "statement", "indicator", "region", "partner", "product", "year_from", "year_to", "unit"),
    *("value", "median", "eti90_lb", "eti90_ub", "below", "inside", "why_outside"),
)


def check(result: Result) -> list[CheckResult]:
    """Published values inside and outside our 90 % intervals; those outside need a reason."""
    name = "published values"
    if not result.has_case or "derived" not in result.dt.children:
        return [information(name, "Nothing was compared: the result holds no case, or no indicator.")]
    table = result.once(all_published)
    table = table[np.isfinite(table["median"].astype(float))].copy()
    if table.empty:
        return [information(name, "No published value speaks of an indicator of this result.")]
    inside = (table["value"] >= table["eti90_lb"]) & (table["value"] <= table["eti90_ub"])
    # A reason applies only to values outside the interval of this result.
    table["why_outside"] = table["why_outside"].where(~inside, "")
    table = table.assign(inside=inside).sort_values(["inside", "id"], ignore_index=True)[list(_COLUMNS)]
    unsaid = table[~table["inside"] & (table["why_outside"] == "")]
    message = f"{int(inside.sum())} of {len(table)} published values fall in our 90 % intervals. They are results of "
    message += "others, with errors of their own, so that no share is required."
    reasons = f"{len(unsaid)} of {int((~inside).sum())} published values outside our intervals have no reason why"
    reasons += f": {', '.join(unsaid['id'].head(8))}{' …' if len(unsaid) > 8 else ''}." if len(unsaid) else "."
    remedy = "Compare definition, data and prior, and write the reason in the column why_outside."
    return [
        information(name, message, float(inside.mean()), table),
        warned("reasons of published values", len(unsaid), "<=", 0, reasons, remedy, unsaid),
    ]
