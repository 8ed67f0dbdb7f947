"""How much more likely each draw is under a changed case than under the case that was sampled."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.predictive import log_likelihood
from reeuncert.likelihood.widths import WIDTH_LOG_SD
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import Block, CoordinatePrior, coordinate_prior
from reeuncert.result.tables import mass_flow
from reeuncert.words.error_laws import CUSTOMS, NORMAL, OUTLIER_SD, OUTLIER_WEIGHT

Floats = NDArray[np.float64]

_RANK = 1e-11
"""Eigenvalues of a covariance below this part of the largest are zero."""

REFIT = "run it again instead: ree.sensitivity(case, [...])"


def log_ratio(dt: xr.DataTree, before: Case, after: Case, left_out: frozenset[str] = frozenset()) -> Floats:
    """Log density of every draw under a changed case, less that under its own (chain, draw), up to a constant.

    Coordinates, offsets and widths of sources keep their values; what changes is how plausible these are. Only what the
    two cases do not agree on is computed.

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
    total = np.zeros(z.shape[:2])
    blocks = {tuple(np.sort(block.index)): block for block in new.blocks}
    for block in old.blocks:
        other = blocks.get(tuple(np.sort(block.index)))
        if other is None:
            raise ReeUncertError(f"the change makes other coordinates depend on each other; {REFIT}")
        total += _block_ratio(z, block, other, old, new)
    return total


def _block_ratio(z: Floats, old: Block, new: Block, before: CoordinatePrior, after: CoordinatePrior) -> Floats:
    order = np.argsort(new.index)[np.argsort(np.argsort(old.index))]
    covariance = new.covariance[np.ix_(order, order)]
    moved = before.mean[old.index] - after.mean[old.index]
    if np.array_equal(covariance, old.covariance) and not moved.any():
        return np.zeros(z.shape[:2])
    deviation = z[:, :, old.index] @ old.factor.T
    return _gaussian(deviation + moved, covariance, before, old) - _gaussian(deviation, old.covariance, before, old)


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
    held = dt["posterior"].to_dataset()
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    offset = _held(held, "log_offset", "offset_value")
    width = _held(held, "source_width", "source_group")
    total = np.zeros(mass.shape[:2])
    if offset is not None:
        total += _offset_density(offset, new) - _offset_density(offset, old)
    other, change = _widths(width, old, new)
    counts = np.array([id not in left_out for id in new.ids], dtype=bool)
    rows = log_likelihood(new, mass, other, offset)[..., counts].sum(axis=2)
    return np.asarray(total + change + rows - log_likelihood(old, mass, width, offset).sum(axis=2))


def _held(posterior: xr.Dataset, name: str, dim: str) -> Floats | None:
    return None if name not in posterior else np.asarray(posterior[name].transpose("chain", "draw", dim).values)


def _offset_density(offset: Floats, evidence: EvidenceModel) -> Floats:
    """Log density of offsets (chain, draw, offset_value) under their priors, summed."""
    law = evidence.offsets
    z = (offset - law.mean) / law.scale
    heavy = student.logpdf(z, 4)
    normal = norm.logpdf(z)
    # An outlier of a customs record has a spread of its own, whatever the scale of the rest.
    outlier = norm.logpdf(offset - law.mean, scale=OUTLIER_SD) + np.log(law.scale)
    mixed = np.logaddexp(np.log1p(-OUTLIER_WEIGHT) + heavy, np.log(OUTLIER_WEIGHT) + outlier)
    density = np.where(law.family == NORMAL, normal, np.where(law.family == CUSTOMS, mixed, heavy))
    return np.asarray((density - np.log(law.scale)).sum(axis=2))


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
