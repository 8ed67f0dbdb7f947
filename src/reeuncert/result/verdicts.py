"""The verdict on a quantity, and the verdicts that another run may give. The one rule for all output.

The rule (`judge`) compares widths and rank (`reeuncert.result.learning`), power-scaling sensitivities
(`reeuncert.result.powerscale`), the prior alone and rival structures with its limits. All of these are estimates from
draws. Each comes with its Monte Carlo error, so that a verdict near a limit names those beyond it.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.result.diagnostics import Estimate, diagnose, interval_ends
from reeuncert.result.learning import (
    AS_WIDE,
    FIXED,
    NARROW,
    NARROWER,
    NO_PRIOR,
    PARTLY_NARROWER,
    SCALES,
    UNDEFINED,
    WIDE,
    Learning,
    on_scale,
)
from reeuncert.result.quantiles import Array
from reeuncert.result.structures import LEAST_COVER

SENSITIVE, NOISE = 0.05, 2.0
"""Threshold of a power-scaling sensitivity, which must also exceed its Monte Carlo error by this factor."""

TAIL = 0.05
"""A posterior median is outside its prior if less than this share of the prior lies beyond it."""

NEAR_CERTAIN_RATIO = 0.05
"""A ratio whose prior 90 % interval is narrower than this is near certain before any evidence."""

NEAR_CERTAIN_FACTOR = 1.1
"""The same for a mass whose prior interval spans less than this factor."""

UNNAMED = 0.05
"""Largest probability that another run gives a verdict that is not named."""

LIKELIHOOD = "the evidence"
"""Name of the likelihood as a whole among what is power-scaled."""

INFORMED, CONFLICT, ON_PRIOR = "informed by the evidence", "prior–data conflict", "rests on the prior"
PARTLY_PRIOR, NOT_IDENTIFIED, NOT_JUDGED = "rests partly on the prior", "not identified", "not judged"
LEVELS = {INFORMED: "passed", FIXED: "information", NOT_JUDGED: "information"} | dict.fromkeys(
    (CONFLICT, ON_PRIOR, PARTLY_PRIOR, NOT_IDENTIFIED, UNDEFINED), "warning"
)
"""Verdict → status, by the words of checks."""

Ends = tuple[Estimate, Estimate, Estimate]
"""Lower end, median and upper end of a 90 % interval."""

_FAR = Estimate(math.inf)


def room(lower: Estimate, upper: Estimate, *, mass: bool) -> Estimate:
    """Width of a prior 90 % interval over that below which it leaves next to nothing for the evidence to say: its
    quantity is near certain by the prior alone where this is below 1.

    >>> round(room(Estimate(0.96), Estimate(0.999), mass=False).value, 2), room(Estimate(96), Estimate(150), mass=True)
    (0.78, Estimate(value=4.682..., error=0.0))
    """
    if not mass:
        error = math.hypot(lower.error, upper.error)
        return Estimate((upper.value - lower.value) / NEAR_CERTAIN_RATIO, error / NEAR_CERTAIN_RATIO)
    if lower.value <= 0.0:
        return Estimate(math.inf)
    limit = math.log(NEAR_CERTAIN_FACTOR)
    ends = [Estimate(math.log(end.value) / limit, end.error / end.value / limit) for end in (lower, upper)]
    return Estimate(ends[1].value - ends[0].value, math.hypot(ends[0].error, ends[1].error))


@dataclass(frozen=True)
class Measures:
    """What the rule compares with its limits, each with its Monte Carlo error: the numbers of `Learning`, the `room` of
    the prior, and ``cover``, the least share of its posterior under one rival structure inside the interval of another.
    """

    against_prior: str
    width_ratio: Estimate
    rank: Estimate
    room: Estimate = _FAR
    cover: Estimate = _FAR


def measures(of: Learning, after: Ends, prior: Array, *, scale: str, mass: bool) -> Measures:
    """Monte Carlo errors of the comparison (``of``) of one quantity with its prior, from the ends of its posterior
    interval (`interval_ends`) and draws of the prior (draw,); ``scale`` is a name in `SCALES`, ``mass`` says that it is
    no ratio.
    """
    width_ratio, rank, word = float(of.width_ratio[0]), float(of.prior_below_median[0]), str(of.against_prior[0])
    known = prior[np.isfinite(prior)]
    if word in (NO_PRIOR, UNDEFINED, FIXED):
        return Measures(word, Estimate(width_ratio), Estimate(rank))
    before = interval_ends(known[None])
    ends, errors = np.array([(end.value, end.error) for end in (after[0], after[2], before[0], before[2])]).T
    # Errors on the scale on which widths are compared, from its slope at the ends.
    step = 1e-3 * errors
    at = on_scale(np.stack([ends - step, ends, ends + step], axis=1).reshape(-1, 1), SCALES[scale])
    low, middle, high = at.reshape(4, 3).T
    relative = (high - low) / 2e-3 / (middle[3] - middle[2])  # to the width of the prior
    of_width = math.hypot(*relative[:2], *(width_ratio * relative[2:]))
    # Another run has other draws of the prior, and another median among them.
    median, n = after[1], float(diagnose(known[None]).ess_bulk)
    share = (rank * n + 1.0) / (n + 2.0)
    moved = np.mean(known < median.value + median.error) - np.mean(known < median.value - median.error)
    error = math.hypot(math.sqrt(share * (1.0 - share) / n), moved / 2.0)
    of_prior = room(before[0], before[2], mass=mass)
    return Measures(word, Estimate(width_ratio, of_width), Estimate(rank, error), of_prior)


@dataclass(frozen=True)
class Verdict:
    """What a quantity rests on.

    ``informed by the evidence``: narrower than half its prior, insensitive to every class of priors, its median within
    the prior's 5–95 %. ``prior–data conflict``: sensitive to priors and to the evidence (whatever the signs), or its
    median outside. ``rests on the prior``: sensitive to priors, not to the evidence, or as wide as its prior, or near
    certain by the prior alone. ``rests partly on the prior``: insensitive, but not narrow. ``not identified``: rival
    structures disagree.
    ``fixed by the system``: an identity. ``not defined``, ``not judged``: no interval, or no prior or density terms.
    """

    verdict: str
    why: str  # the reason in a sentence, with the classes of priors that it is sensitive to
    level: str  # ``passed``, ``warning`` or ``information``, as of checks
    to_priors: float = np.nan  # largest power-scaling sensitivity to a class of priors
    to_evidence: float = np.nan  # that to the evidence
    prior_class: str = ""  # classes of priors that it is sensitive to, the first most of all
    repeats: float = np.nan  # probability that another run of this length, with another seed, gives the same verdict
    close_to: str = ""  # verdicts that it may give, the likeliest first, until all others are less likely than 5 %


def judge(of: Measures, scaled: pd.DataFrame, structures: str = "") -> Verdict:
    """The verdict on one quantity, and the verdicts that another run may give. ``scaled`` are rows of
    `reeuncert.result.powerscale.sensitivity` of the quantity, of classes of priors and of the evidence as a whole, none
    if the result has no density terms; ``structures`` is its range over rival structures in words.

    >>> rows = [("trade", 0.29, 0.0), ("stocks", 0.01, 0.0), ("the evidence", 0.02, 0.0)]
    >>> scaled = pd.DataFrame(rows, columns=["component", "psense", "noise"])
    >>> narrow = Measures(NARROWER, Estimate(0.3), Estimate(0.8))
    >>> judge(narrow, scaled).why
    'Sensitive to priors (trade 0.29), and not to the evidence (0.02).'
    >>> judge(narrow, scaled[1:]).verdict
    'informed by the evidence'
    >>> found = judge(narrow, scaled.assign(psense=[0.06, 0.01, 0.02], noise=[0.02, 0.0, 0.0]))
    >>> found.close_to, round(found.repeats, 2)
    ('informed by the evidence', 0.64)
    >>> found.why
    'Sensitive ... (0.02). Close to a limit: 64 % of runs of this length say so, others: informed by the evidence.'
    """
    found = _judged(of, scaled, structures)
    if of.against_prior in (FIXED, UNDEFINED, NO_PRIOR) or scaled.empty:
        return found
    chances = _chances(of, scaled)
    left, others = 1.0 - chances[found.verdict], []
    for word in sorted(chances.keys() - {found.verdict}, key=lambda word: (-chances[word], word)):
        if left < UNNAMED:
            break
        others.append(word)
        left -= chances[word]
    found = replace(found, repeats=chances[found.verdict], close_to=" or ".join(others))
    if not others:
        return found
    again = f"{100 * found.repeats:.0f} % of runs of this length say so, others: {found.close_to}"
    return replace(found, why=f"{found.why} Close to a limit: {again}.")


def least_sensitive(noise: Any) -> Any:
    """Sensitivity from which a component of this Monte Carlo error counts."""
    return np.maximum(SENSITIVE, NOISE * noise)


def _chances(of: Measures, scaled: pd.DataFrame) -> dict[str, float]:
    """Verdict → probability that another run of this length gives it, if all errors are normal and independent."""
    psense = zip(scaled["psense"].astype(float), scaled["noise"].astype(float), strict=True)
    none = np.array([Estimate(p, e).below(float(least_sensitive(e))) for p, e in psense])
    whole = (scaled["component"] == LIKELIHOOD).to_numpy()
    conditions = (
        of.cover.below(LEAST_COVER),
        of.room.below(1.0),
        of.rank.below(TAIL) + Estimate(1.0 - of.rank.value, of.rank.error).below(TAIL),
        1.0 - float(none[~whole].prod()),
        1.0 - float(none[whole].prod()),
    )
    narrow, below_wide = of.width_ratio.below(NARROW), of.width_ratio.below(WIDE)
    widths = {NARROWER: narrow, PARTLY_NARROWER: below_wide - narrow, AS_WIDE: 1.0 - below_wide}
    found: dict[str, float] = {}
    for holds in itertools.product((False, True), repeat=len(conditions)):
        chance = math.prod(p if held else 1.0 - p for p, held in zip(conditions, holds, strict=True))
        for width, of_width in widths.items():
            word = _word(holds, width)
            found[word] = found.get(word, 0.0) + chance * of_width
    return found


def _word(holds: Sequence[bool], width: str) -> str:
    """The rule. What may hold: structures disagree, the prior alone makes it near certain, the median is outside the
    prior, it is sensitive to a class of priors, and to the evidence.
    """
    apart, settled, outside, priors, data = holds
    if apart:
        return NOT_IDENTIFIED
    if settled and not outside:
        return ON_PRIOR
    if outside or priors:
        return CONFLICT if outside or data else ON_PRIOR
    if width == NARROWER:
        return INFORMED
    return ON_PRIOR if width == AS_WIDE and not data else PARTLY_PRIOR


def _judged(of: Measures, scaled: pd.DataFrame, structures: str) -> Verdict:
    if of.against_prior == FIXED:
        return _verdict(FIXED, "The system alone determines it: it is the same in every draw.")
    if of.against_prior == UNDEFINED:
        return _verdict(UNDEFINED, "Too few draws define it.")
    apart = of.cover.value < LEAST_COVER
    if (of.against_prior == NO_PRIOR or scaled.empty) and not apart:
        no_prior, no_terms = "the prior was not simulated", "it holds no terms of the densities"
        missing = no_prior if of.against_prior == NO_PRIOR else no_terms
        return _verdict(NOT_JUDGED, f"This result cannot tell: {missing}.")
    strong_ones = scaled["psense"] > least_sensitive(scaled["noise"])
    whole, rank = scaled["component"] == LIKELIHOOD, of.rank.value
    strong = scaled[strong_ones & ~whole].sort_values("psense", ascending=False)
    to_evidence, by_data = float(scaled.loc[whole, "psense"].max()), bool(strong_ones[whole].any())
    numbers = (float(scaled.loc[~whole, "psense"].max()), to_evidence, ", ".join(strong["component"]))
    outside, settled = not TAIL <= rank <= 1 - TAIL, of.room.value < 1.0
    word = _word((apart, settled, outside, bool(len(strong)), by_data), of.against_prior)
    if apart:
        return _verdict(word, f"Rival structures of the case disagree: {structures}.", *numbers)
    if settled and not outside:
        why = "The prior alone makes it near certain; no evidence can change what it excludes."
        return _verdict(word, why, *numbers)
    if outside or len(strong):
        beyond = f"{'Above' if rank > 0.5 else 'Below'} the prior's 5–95 % (at its {100 * rank:.0f} %). "
        classes = ", ".join(f"{c} {p:.2g}" for c, p in zip(strong["component"], strong["psense"], strict=True))
        told = f"Sensitive to priors ({classes}), and {'' if by_data else 'not '}to the evidence ({to_evidence:.2g})."
        told = told if len(strong) else "Sensitive to no class of priors."
        return _verdict(word, (beyond if outside else "") + told, *numbers)
    no_class = "and no class of priors moves it" if word == INFORMED else "though no single class of priors moves it"
    width = f"Its interval is {100 * of.width_ratio.value:.0f} % as wide as the prior's"
    return _verdict(word, f"{width}, {no_class}.", *numbers)


def _verdict(word: str, why: str, *numbers: object) -> Verdict:
    return Verdict(word, why, LEVELS[word], *numbers)  # type: ignore[arg-type]  # the last three, in their order
