"""What the evidence says of a quantity: its posterior against its prior, and the verdict. The one rule for all output.

Widths are those of the 90 % equal-tailed intervals, each on the scale of its quantity (`SCALES`): an interval from 1 to
4 is as wide as one from 10 to 40. Tables compare widths only (`learning`). Headlines, and any quantity on request, get
the verdict (`judge`), which also needs power-scaling (`reeuncert.result.powerscale`): a narrow interval is no sign of
evidence if another prior would move it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reeuncert.result.quantiles import Array, Spread, spread

if TYPE_CHECKING:
    import pandas as pd

SCALES: dict[str, Callable[[Array], Array]] = {
    "mass": lambda x: x,
    "ratio": lambda x: x,
    "share": lambda x: x / (1 - x),
    "excess": lambda x: 1 + x,
    "beyond": lambda x: 1 / (1 - x),
    "difference": lambda x: np.full_like(x, np.nan),
}
"""Scale of a quantity → the positive number whose logs are compared: a mass or ratio itself, the odds of a share, the
ratio A / B behind A / B − 1 or 1 − B / A. Where it is not positive (a stock change, a difference of ratios), values are
compared as they are.
"""

NARROW, WIDE = 0.5, 0.8
"""Width ratios (posterior / prior) below which an interval is narrow, and from which it is as wide as the prior's."""

SENSITIVE = 0.05
"""Threshold of a power-scaling sensitivity."""

TAIL = 0.05
"""A posterior median is outside its prior if less than this share of the prior lies beyond it."""

PRIOR_ROUNDING = 1e-3
"""Relative range within which a quantity of the prior may be constant: a file holds its flows to 1e-4."""

NEAR_CERTAIN_RATIO = 0.05
"""A ratio whose prior 90 % interval is narrower than this is near certain before any evidence."""

NEAR_CERTAIN_FACTOR = 1.1
"""The same for a mass whose prior interval spans less than this factor."""

FIXED, UNDEFINED = "fixed by the system", "not defined"
NARROWER, PARTLY_NARROWER, AS_WIDE, NO_PRIOR = "narrower", "partly narrower", "as wide", "no prior"
COLUMNS = ("width_ratio", "prior_below_median", "against_prior")
"""Columns of tables with posterior and prior; `against_prior` compares the widths and is no verdict."""

LIKELIHOOD = "the evidence"
"""Name of the likelihood as a whole among what is power-scaled."""

INFORMED, CONFLICT, ON_PRIOR = "informed by the evidence", "prior–data conflict", "rests on the prior"
PARTLY_PRIOR, NOT_IDENTIFIED, NOT_JUDGED = "rests partly on the prior", "not identified", "not judged"
LEVELS = {INFORMED: "passed", FIXED: "information", NOT_JUDGED: "information"} | dict.fromkeys(
    (CONFLICT, ON_PRIOR, PARTLY_PRIOR, NOT_IDENTIFIED, UNDEFINED), "warning"
)
"""Verdict → status, by the words of checks."""


@dataclass(frozen=True, eq=False)
class Learning:
    """Width ratio, rank and comparison of many quantities, arrays (quantity,).

    Parameters
    ----------
    width_ratio
        Width of the posterior interval over that of the prior. NaN without prior, and where either interval is empty or
        the prior has no width.
    prior_below_median
        Rank of the posterior median: share of the prior draws below it.
    against_prior
        The posterior interval against the prior's: ``narrower`` (less than half as wide), ``partly narrower``, ``as
        wide`` (0.8 or more), ``fixed by the system``, ``not defined`` or ``no prior``.
    """

    width_ratio: Array
    prior_below_median: Array
    against_prior: NDArray[np.object_]

    def columns(self) -> dict[str, NDArray]:
        """The three arrays as columns of a table, named as in `COLUMNS`."""
        return {name: getattr(self, name) for name in COLUMNS}


def learning(after: Spread, before: Spread | None, prior: Array | None, *, scale: str) -> Learning:
    """Compare the posterior of many quantities with their prior, both with 90 % equal-tailed intervals; ``prior`` holds
    the draws of the prior (draw, quantity), ``scale`` is a name in `SCALES`.
    """
    if before is None or prior is None:
        empty = np.full(after.median.shape, np.nan)
        return Learning(empty, empty, np.full(after.median.shape, NO_PRIOR, dtype=object))
    width, known = _widths(after, before, SCALES[scale])
    ratio = np.divide(width, known, out=np.full(width.shape, np.nan), where=known > 0)
    defined = np.isfinite(prior).sum(axis=0)
    below = np.where(np.isfinite(after.median), (prior < after.median).sum(axis=0), np.nan)
    rank = np.divide(below, defined, out=np.full(width.shape, np.nan), where=defined > 0)
    # Constants of the system (the share of the only partner) rest on neither prior nor data.
    fixed = is_fixed(after) & is_fixed(before, PRIOR_ROUNDING)
    ratio, rank = np.where(fixed, np.nan, ratio), np.where(fixed, np.nan, rank)
    words = np.select(
        (fixed, ~np.isfinite(ratio), ratio < NARROW, ratio < WIDE),
        (FIXED, UNDEFINED, NARROWER, PARTLY_NARROWER),
        AS_WIDE,
    )
    return Learning(ratio, rank, words.astype(object))


def learning_of_draws(posterior: Array, prior: Array, *, scale: str) -> Learning:
    """`learning` from draws of posterior and prior (draw, quantity).

    Examples
    --------
    >>> prior = np.linspace(1.0, 2.0, 101)[:, None]
    >>> for posterior in (1.5 + prior / 10, 0.6 + 0.6 * prior, 1 + prior, np.full((9, 1), np.nan)):
    ...     found = learning_of_draws(posterior, prior, scale="difference")
    ...     print(found.width_ratio.round(2)[0], found.against_prior[0])
    0.1 narrower
    0.6 partly narrower
    1.0 as wide
    nan not defined
    """
    return learning(spread(posterior), spread(prior), prior, scale=scale)


def is_fixed(of: Spread, rounding: float = 1e-9) -> NDArray[np.bool_]:
    """Whether quantities are constant over all draws, up to rounding: the system alone determines them.

    Examples
    --------
    >>> is_fixed(spread(np.ones((9, 1)))), is_fixed(spread(np.linspace(0.9, 1.0, 9)[:, None]))
    (array([ True]), array([False]))
    """
    size = np.maximum(np.abs(of.smallest), np.abs(of.largest))
    return np.asarray(of.largest - of.smallest <= rounding * size)


def near_certain(low: float, high: float, *, mass: bool) -> bool:
    """Whether a prior with this 90 % interval leaves next to nothing for the evidence to say.

    Examples
    --------
    >>> near_certain(0.96, 0.999, mass=False), near_certain(96.0, 150.0, mass=True)
    (True, False)
    """
    return bool(high < NEAR_CERTAIN_FACTOR * low if mass else high - low < NEAR_CERTAIN_RATIO)


def _widths(after: Spread, before: Spread, scale: Callable[[Array], Array]) -> tuple[Array, Array]:
    ends = np.array([after.lower, after.upper, before.lower, before.upper])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(scale(ends))
    ends = np.where(np.isfinite(logs).all(axis=0), logs, ends)
    return ends[1] - ends[0], ends[3] - ends[2]


@dataclass(frozen=True)
class Verdict:
    """What a quantity rests on.

    Parameters
    ----------
    verdict
        ``informed by the evidence``: narrower than half its prior, insensitive to every class of priors, its median
        within the prior's 5–95 %. ``prior–data conflict``: sensitive to priors and to the evidence, or its median
        outside. ``rests on the prior``: sensitive to priors, not to the evidence, or as wide as its prior, or near
        certain by the prior alone. ``rests partly on the prior``: insensitive, but not narrow. ``not identified``:
        rival structures disagree. ``fixed by the system``: an identity. ``not defined``, ``not judged``: no interval,
        or no prior or density terms.
    why
        The reason in a sentence, with the classes of priors that it is sensitive to.
    level
        ``passed``, ``warning`` or ``information``, as of checks.
    to_priors, to_evidence
        Largest power-scaling sensitivity to a class of priors, and that to the evidence; NaN if not known.
    prior_class
        Classes of priors that it is sensitive to, the first most of all; empty if none.
    close_to
        Other verdicts that hold if the sensitivities are one Monte Carlo error smaller or larger: another run of the
        same length may give one of them. Empty if none.
    """

    verdict: str
    why: str
    level: str
    to_priors: float = np.nan
    to_evidence: float = np.nan
    prior_class: str = ""
    close_to: str = ""


def judge(
    width_ratio: float,
    rank: float,
    against_prior: str,
    scaled: pd.DataFrame,
    structures: str = "",
    *,
    settled: bool = False,
) -> Verdict:
    """The verdict on one quantity.

    Parameters
    ----------
    width_ratio, rank, against_prior
        Of the quantity, from `Learning`.
    scaled
        Rows of `reeuncert.result.powerscale.sensitivity` of the quantity: classes of priors, and the evidence as a
        whole. Empty if the result has no density terms. Without ``noise``, sensitivities are exact.
    structures
        Its range over rival structures in words if they disagree; else empty.
    settled
        Whether its prior is `near_certain`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("trade", 0.29, True), ("stocks", 0.01, False), ("the evidence", 0.02, False)]
    >>> scaled = pd.DataFrame(rows, columns=["component", "psense", "sensitive"])
    >>> judge(0.3, 0.8, "narrower", scaled).why
    'Sensitive to priors (trade 0.29), and not to the evidence (0.02).'
    >>> judge(0.3, 0.8, "narrower", scaled[1:]).verdict
    'informed by the evidence'
    >>> near = scaled.assign(psense=[0.06, 0.01, 0.02], noise=[0.02, 0.0, 0.0])
    >>> judge(0.3, 0.8, "narrower", near).close_to
    'informed by the evidence'
    """
    found = _judged(width_ratio, rank, against_prior, scaled, structures)
    if settled and TAIL <= rank <= 1 - TAIL and found.verdict not in (FIXED, UNDEFINED, NOT_IDENTIFIED, NOT_JUDGED):
        why = "The prior alone makes it near certain; no evidence can change what it excludes."
        return replace(found, verdict=ON_PRIOR, why=why, level=LEVELS[ON_PRIOR])
    if "noise" not in scaled:
        return found
    bound = [scaled["psense"] - scaled["noise"], scaled["psense"] + scaled["noise"]]
    moved = [scaled.assign(sensitive=end > SENSITIVE) for end in bound]
    others = {_judged(width_ratio, rank, against_prior, rows, structures).verdict for rows in moved} - {found.verdict}
    if not others:
        return found
    close_to = " or ".join(sorted(others))
    why = f"{found.why} Close to a limit: another run of this length may say '{close_to}'."
    return replace(found, why=why, close_to=close_to)


def _judged(width_ratio: float, rank: float, against_prior: str, scaled: pd.DataFrame, structures: str) -> Verdict:
    if against_prior == FIXED:
        return _verdict(FIXED, "The system alone determines it: it is the same in every draw.")
    if against_prior == UNDEFINED:
        return _verdict(UNDEFINED, "Too few draws define it.")
    if structures:
        return _verdict(NOT_IDENTIFIED, f"Rival structures of the case disagree: {structures}.")
    if against_prior == NO_PRIOR or scaled.empty:
        missing = "the prior was not simulated" if against_prior == NO_PRIOR else "it holds no terms of the densities"
        return _verdict(NOT_JUDGED, f"This result cannot tell: {missing}.")
    whole = scaled["component"] == LIKELIHOOD
    strong = scaled[scaled["sensitive"] & ~whole].sort_values("psense", ascending=False)
    to_evidence, by_data = float(scaled.loc[whole, "psense"].max()), bool(scaled.loc[whole, "sensitive"].any())
    numbers = (float(scaled.loc[~whole, "psense"].max()), to_evidence, ", ".join(strong["component"]))
    evidence = f"the evidence ({to_evidence:.2g})"
    classes = ", ".join(f"{c} {p:.2g}" for c, p in zip(strong["component"], strong["psense"], strict=True))
    outside = f"{'Above' if rank > 0.5 else 'Below'} the prior's 5–95 % (at its {100 * rank:.0f} %). "
    outside = "" if TAIL <= rank <= 1 - TAIL else outside
    width = f"Its interval is {100 * width_ratio:.0f} % as wide as the prior's"
    if len(strong) and not by_data and not outside:
        return _verdict(ON_PRIOR, f"Sensitive to priors ({classes}), and not to {evidence}.", *numbers)
    if outside or len(strong):
        also = f"and {'' if by_data else 'not '}to {evidence}"
        told = f"Sensitive to priors ({classes}), {also}." if len(strong) else "Sensitive to no class of priors."
        return _verdict(CONFLICT, outside + told, *numbers)
    if against_prior == NARROWER:
        return _verdict(INFORMED, f"{width}, and no class of priors moves it.", *numbers)
    word = ON_PRIOR if against_prior == AS_WIDE and not by_data else PARTLY_PRIOR
    return _verdict(word, f"{width}, though no single class of priors moves it.", *numbers)


def _verdict(word: str, why: str, *numbers: object) -> Verdict:
    return Verdict(word, why, LEVELS[word], *numbers)  # type: ignore[arg-type]  # the last three, in their order
