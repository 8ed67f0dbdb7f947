"""Weights that the draws of a result have under a changed case."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base.array import array_stats
from scipy.stats import norm

from reeuncert.case.records import Case
from reeuncert.checks.evidence import LARGEST_K
from reeuncert.edits import Edit
from reeuncert.edits.base import Edited
from reeuncert.edits.scenario import Scenario
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.likelihood.predictive import drawn, log_likelihood, offset_logp
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import Block, CoordinatePrior, coordinate_prior
from reeuncert.questions.nested import Floats, weighted_quantiles
from reeuncert.questions.targets import targets_of
from reeuncert.result.quantiles import interval_columns
from reeuncert.result.result import Result

_RANK = 1e-11
"""Eigenvalues of a covariance below this part of the largest are zero."""

REFIT = "run it again instead: ree.sensitivity(case, [...])"


def log_ratio(dt: xr.DataTree, before: Case, after: Case, left_out: frozenset[str] = frozenset()) -> Floats:
    """Log density of every draw under a changed case, less that under its own (chain, draw), up to a constant.

    Coordinates, offsets and widths of sources keep their values; what changes is how plausible these are. Only what the
    two cases do not agree on is computed. They must have the same flows, years, coordinates, support and rows of
    evidence; those in ``left_out`` count nothing.
    """
    if before.system != after.system or before.prior_measure != after.prior_measure:
        raise ReeUncertError(f"the change touches flows or years, which draws of other flows cannot tell; {REFIT}")
    if "z" not in dt["posterior"].data_vars:
        raise ReeUncertError(
            "this result holds no coordinates ('posterior/z'), by which priors are reweighted; sample the case with "
            "store_z=True and a prior_measure of 'coordinates'"
        )
    total = np.zeros((dt["posterior"].sizes["chain"], dt["posterior"].sizes["draw"]))
    if before.priors != after.priors or before.covariates != after.covariates:
        total += _prior_ratio(dt, before, after)
    if before.evidence:
        total += _evidence_ratio(dt, before, after, left_out)
    return total


def _prior_ratio(dt: xr.DataTree, before: Case, after: Case) -> Floats:
    old = coordinate_prior(before, case_network(before))
    new = coordinate_prior(after, case_network(after))
    if old.mean.size != new.mean.size:
        raise ReeUncertError(f"the change makes other coordinates of the flows; {REFIT}")
    z = dt["posterior"]["z"].transpose("chain", "draw", "coordinate").values
    total, every = np.zeros(z.shape[:2]), old.factor.apply(z)
    blocks = {tuple(np.sort(block.index)): block for block in new.blocks}
    for block in old.blocks:
        other = blocks.get(tuple(np.sort(block.index)))
        if other is None:
            raise ReeUncertError(f"the change makes other coordinates depend on each other; {REFIT}")
        order = np.argsort(other.index)[np.argsort(np.argsort(block.index))]
        covariance, moved = other.covariance[np.ix_(order, order)], old.mean[block.index] - new.mean[block.index]
        if not np.array_equal(covariance, block.covariance) or moved.any():
            deviation = every[:, :, block.index]
            own = _gaussian(deviation, block.covariance, old, block)
            total += _gaussian(deviation + moved, covariance, old, block) - own
    return total


def _gaussian(deviation: Floats, covariance: Floats, prior: CoordinatePrior, block: Block) -> Floats:
    """Log density of deviations from the mean (chain, draw, coordinate), on the support of the covariance."""
    values, vectors = np.linalg.eigh(covariance)
    there = values > values.max() * _RANK
    outside = deviation @ vectors[:, ~there]
    if outside.size and np.abs(outside).max() > 1e-5 * np.sqrt(values.max()):
        names = ", ".join(sorted({prior.row[k] for k in block.index})[:3])
        raise ReeUncertError(f"the changed prior rules out what was drawn, or allows more ({names}); {REFIT}")
    inside = deviation @ vectors[:, there]
    density = -0.5 * (inside**2 / values[there]).sum(axis=2) - 0.5 * np.log(values[there]).sum()
    return np.asarray(density)


def _evidence_ratio(dt: xr.DataTree, before: Case, after: Case, left_out: frozenset[str]) -> Floats:
    network = case_network(before)
    old = compile_evidence(before, network)
    new = compile_evidence(after, network)
    if old.ids != new.ids or old.offsets.label != new.offsets.label:
        raise ReeUncertError(f"the change adds or takes away rows of evidence or offsets; leave rows out, or {REFIT}")
    mass, width, offset = drawn(dt["posterior"].to_dataset())
    total = np.zeros(mass.shape[:2])
    if offset is not None:
        total += (offset_logp(new, offset)[0] - offset_logp(old, offset)[0]).sum(axis=2)
    other, change = _widths(width, old, new)
    counts = np.array([id not in left_out for id in new.ids], dtype=bool)
    rows = log_likelihood(new, mass, other, offset)[..., counts].sum(axis=2)
    return np.asarray(total + change + rows - log_likelihood(old, mass, width, offset).sum(axis=2))


def _widths(width: Floats | None, old: EvidenceModel, new: EvidenceModel) -> tuple[Floats | None, Floats | float]:
    """Widths of the groups of the changed evidence, those that were learned as drawn, and their change of density."""
    if width is None:
        return None, 0.0
    groups = new.widths
    out = np.broadcast_to(groups.median, (*width.shape[:2], groups.median.size)).copy()
    change: Floats | float = 0.0
    if int(groups.learned.sum()) != int(old.widths.learned.sum()):
        raise ReeUncertError(f"the change makes other widths of sources learned; {REFIT}")
    for g in np.flatnonzero(groups.learned):
        was = {int(old.widths.row_group[r]) for r in np.flatnonzero(groups.row_group == g)}
        if len(was) != 1 or not old.widths.learned[(h := was.pop())]:
            raise ReeUncertError(f"the change makes other widths of sources learned ('{groups.label[g]}'); {REFIT}")
        out[..., g] = width[..., h]
        change = change + _width_density(width[..., h], groups.median[g], groups.floor[g])
        change = change - _width_density(width[..., h], old.widths.median[h], old.widths.floor[h])
    return out, change


def _width_density(width: Floats, median: float, floor: float) -> Floats:
    """Log density of a learned width, lognormal above the floor of its class; −∞ at its floor and below."""
    above = width**2 - floor**2
    with np.errstate(divide="ignore", invalid="ignore"):
        log_above = np.where(above > 0, np.log(above), np.nan)
    z = 0.5 * (log_above - np.log(median**2 - floor**2)) / WIDTH_LOG_SD
    density = norm.logpdf(z) + np.log(width) - log_above - np.log(WIDTH_LOG_SD)
    return np.where(above > 0, density, -np.inf)


@dataclass(frozen=True, eq=False)
class Reweighted:
    """A result, each draw with the weight that it has after a change.

    Parameters
    ----------
    dt
        The result that was reweighted.
    what
        What was changed, in words.
    weight
        Smoothed weights, summing to 1 (chain, draw).
    pareto_k
        Shape of the tail of the weights: up to 0.5 good, up to 0.7 usable, above it unreliable.
    """

    dt: xr.DataTree = field(repr=False)
    what: str
    weight: Floats = field(repr=False)
    pareto_k: float

    @property
    def reliable(self) -> bool:
        """Whether the weights can be trusted."""
        return self.pareto_k <= threshold(self.weight.size)

    @property
    def ess(self) -> float:
        """Effective number of draws of equal weight (Kish), if all draws were independent."""
        return float(1.0 / np.sum(self.weight**2))

    def __repr__(self) -> str:
        word = "reliable" if self.reliable else "UNRELIABLE"
        return f"Reweighted({self.what}: Pareto k {self.pareto_k:.2f}, {word}; worth {self.ess:.0f} draws)"

    def summary(self, indicators: Any = None, *, prob: float = 0.9) -> pd.DataFrame:
        """Medians and equal-tailed intervals after the change, beside those before.

        Parameters
        ----------
        indicators
            Headline numbers, names, or mappings with labels; the headlines of the case by default.
        prob
            Probability of the interval.

        Returns
        -------
        DataFrame
            ``indicator``, its labels, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub``, ``median_before``,
            ``eti90_lb_before``, ``eti90_ub_before``, ``moves`` (change of the median over the half-width of the
            interval before), ``pareto_k``, ``ess``, ``reliable``.
        """
        if not 0 < prob < 1:
            raise ReeUncertError(f"prob is {prob:g}; it must lie between 0 and 1")
        lower, upper = interval_columns(prob)
        rows: list[dict[str, Any]] = []
        places = (0.5, 0.5 - prob / 2, 0.5 + prob / 2)
        for target in targets_of(self.dt, indicators):
            draws = target.filled.ravel()
            after = weighted_quantiles(draws, self.weight.ravel(), places)
            before = weighted_quantiles(draws, np.ones(draws.size), places)
            half = (before[2] - before[1]) / 2
            names = ("median", lower, upper)
            row = {**target.columns, **dict(zip(names, after, strict=True))}
            row |= {f"{name}_before": value for name, value in zip(names, before, strict=True)}
            rows.append({**row, "moves": (after[0] - before[0]) / half if half > 0 else 0.0})
        return pd.DataFrame(rows).assign(pareto_k=self.pareto_k, ess=self.ess, reliable=self.reliable)


def reweight(dt: xr.DataTree, *changes: Mapping[str, object] | Edit, despite_k: bool = False) -> Reweighted:
    """What a result would say under other priors or with other trust in its sources, without a refit.

    Every draw is weighted by how much more likely it is after the change; the largest weights are smoothed by a
    generalised Pareto distribution (PSIS; Vehtari, Simpson, Gelman, Yao & Gabry 2024, *Journal of Machine Learning
    Research* 25(72), https://jmlr.org/papers/v25/19-556.html), whose shape k tells whether the draws reach the changed
    posterior at all. That is so for small changes: a prior a tenth wider, one source less. For others, refit.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`, with its coordinates ``z``.
    *changes
        As in the scenarios of `reeuncert.studies`: ``{"kind": "prior_spread", "group": "recoveries", "factor":
        1.1}``, ``{"kind": "leave_out", "source": "…"}``, ``{"kind": "source_width", "error_class": "customs",
        "factor": 1.2}``, …
    despite_k
        Return weights with a Pareto k above 0.7 all the same; they are always marked as unreliable.

    Returns
    -------
    Reweighted
        With `Reweighted.summary`.

    Raises
    ------
    CaseError
        When a change names what the case does not have.
    ReeUncertError
        When the change touches flows or coordinates, or the weights are unreliable.
    """
    case = Result.holding(dt).case
    scenario = Scenario.of("reweighted", *changes)
    if not scenario.edits:
        raise ReeUncertError('nothing is changed; give a change, e.g. {"kind": "leave_out", "source": "…"}')
    edited = scenario.apply(Edited(case))
    ratio = log_ratio(dt, case, edited.case, edited.left_out)
    weight, k = smoothed(ratio)
    found = Reweighted(dt, scenario.what, weight, k)
    if not found.reliable and not despite_k:
        raise ReeUncertError(
            f"{found.what}: the draws of this result do not reach the posterior after the change "
            f"(Pareto k {k:.2f}, above {threshold(weight.size):.2f}); {REFIT}, or look at the unreliable weights with "
            "despite_k=True"
        )
    return found


def threshold(draws: int) -> float:
    """Largest Pareto k at which weights of so many draws can be trusted: min(1 − 1 / log₁₀ draws, 0.7)."""
    return min(1.0 - 1.0 / math.log10(max(draws, 11)), LARGEST_K)


def smoothed(log_weight: Floats) -> tuple[Floats, float]:
    """Weights (chain, draw), normalised and Pareto-smoothed, and their k; k is ∞ where hardly a draw is left."""
    flat = np.asarray(log_weight, dtype=np.float64).ravel()
    top = flat.max()
    if not np.isfinite(top):
        return np.full(log_weight.shape, 1.0 / flat.size), float("inf")
    # Weights below the range of a double count nothing; the smoother wants them finite.
    floor = np.maximum(flat - top, -600.0)
    if np.ptp(floor) < 1e-10:
        return np.full(log_weight.shape, 1.0 / flat.size), 0.0
    # ArviZ takes log likelihoods of what is left out: the logs of the weights with their sign changed.
    log, k = array_stats.psislw(-floor)
    weight = np.exp(log - np.max(log))
    return (weight / weight.sum()).reshape(log_weight.shape), float(k) if np.isfinite(k) else float("inf")
