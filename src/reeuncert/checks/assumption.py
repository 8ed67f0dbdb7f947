"""Which headlines rest on the prior? Compares posterior and prior interval widths."""

from __future__ import annotations

import pandas as pd

from reeuncert.checks.result import CheckResult, information, warned
from reeuncert.indicators.headlines import HeadlineDraws, headline_draws
from reeuncert.result.learning import MOSTLY, ON_PRIOR, UNDEFINED, VERDICTS, learning_of_draws
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result


def check(result: Result) -> list[CheckResult]:
    """Width ratio of every headline, and its verdict."""
    name = "rests on assumption"
    keys = [key for key in result.once(headline_draws) if key.prior.size]
    if not keys:
        return [information(name, "No headline has a simulated prior: nothing to compare.")]
    table = pd.DataFrame([_row(key) for key in keys])
    count = {word: int((table["verdict"] == word).sum()) for word in VERDICTS}
    told = ", ".join(f"{word}: {number}" for word, number in count.items() if number)
    message = f"Of {len(table)} headlines, by the width of the 90 % interval over that of the prior: {told}."
    worst = table["width_ratio"].max()
    good = not count[ON_PRIOR] and not count[UNDEFINED]
    remedy = "Say with each that rests on the prior, or is not identified, that it is an assumption made visible."
    ordered = table.sort_values("width_ratio", ascending=False, na_position="first", ignore_index=True)
    return [warned(name, good, worst, f"< {MOSTLY:g}", message, remedy, ordered)]


def _row(key: HeadlineDraws) -> dict[str, object]:
    after, before = key.posterior.reshape(-1, 1), key.prior[:, None]
    found = learning_of_draws(after, before, mass=key.mass).columns()
    row: dict[str, object] = {"headline": key.label} | {name: values[0] for name, values in found.items()}
    for prefix, draws in (("", after), ("prior_", before)):
        ends = quantiles(draws, (0.5, 0.05, 0.95))[:, 0]
        row |= {f"{prefix}{n}": float(v) for n, v in zip(("median", "eti90_lb", "eti90_ub"), ends, strict=True)}
    return row
