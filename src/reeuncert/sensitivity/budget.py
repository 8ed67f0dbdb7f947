"""Where the uncertainty that is left comes from: shares of an indicator's posterior variance by class of input.

The independent inputs of an analysis are the standard-normal coordinates z of its priors and the errors ε of its
sources. What is not known after seeing the figures, I − E[I | figures], is a function of these inputs alone. In a
linear model with normal errors it is a sum, and the part of each input is known: with Λ the posterior precision and c
the slope of I, it is (Λ⁻¹c) · z + (−K ᵀc) · ε, so that the variance is

    Var(I) = Σ_i Cov(z_i, I)² + Σ_r h_r Cov(η_r, I)²,

covariances being those of the posterior, η_r what row r speaks of and h_r = 1 / σ_r² the information of its error. The
terms are Sobol' indices of the estimation error: inputs are independent and effects additive, so that first-order and
total indices agree (Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018). For other error laws h_r is the posterior
mean of minus the second derivative of the row's log likelihood. A positive mass enters by its log. What the sum misses
of the variance is curvature; it is given.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.sensitivity import OF_THE_EVIDENCE
from reeuncert.errors import ReeUncertError
from reeuncert.inference.layout import COORDINATES
from reeuncert.likelihood import EvidenceModel
from reeuncert.likelihood.kernels import NORMAL
from reeuncert.likelihood.predictive import log_likelihood, predicted_quantities, predicted_sigma, rows_by_lineage
from reeuncert.posterior.tables import mass_flow
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.sensitivity.powerscale import CLASS, SOURCE
from reeuncert.sensitivity.targets import Target, case_of
from reeuncert.sensitivity.witnesses import evidence_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REST = "not linear"
"""Component of the part of the variance that the sum over inputs misses."""

BATCHES = 4
"""Each chain is cut into so many parts."""

_STEP = 0.5
"""Curvature of a row's log likelihood is taken over so many of its scales on either side."""


def variance_shares(dt: xr.DataTree, target: Target) -> pd.DataFrame:
    """Shares of a value's posterior variance that come from each class of priors and each lineage of sources.

    Parameters
    ----------
    dt
        Result with the coordinates ``z``.
    target
        The value.

    Returns
    -------
    DataFrame
        ``kind`` (prior class, source, ``rest``), ``component``, ``inputs`` (coordinates or rows in it), ``share`` of
        the variance, ``se`` (its Monte Carlo error). The row ``not linear`` is what the others leave of 1; where it is
        large, of either sign, the shares are a sketch.

    Raises
    ------
    ReeUncertError
        When the result holds no coordinates.
    """
    return shares_of(target, *inputs_of(dt))


def shares_of(target: Target, values: Floats, members: Mapping[tuple[str, str], Ints]) -> pd.DataFrame:
    """The same from inputs that are known already, see `inputs_of`."""
    draws = target.linear
    scale = draws.std()
    if not scale > 0:
        raise ReeUncertError(f"{target.label} is the same in every draw: there is no variance to share out")
    value = (draws - draws.mean()) / scale
    found = _squared_covariances(values, value, members)
    rows = [(kind, name, index.size, *found[kind, name]) for (kind, name), index in members.items()]
    table = pd.DataFrame(rows, columns=["kind", "component", "inputs", "share", "se"])
    table = table.sort_values("share", ascending=False, ignore_index=True)
    total = found["rest", REST]
    rest = pd.DataFrame([("rest", REST, 0, 1.0 - total[0], total[1])], columns=table.columns)
    return pd.concat([table, rest], ignore_index=True)


def inputs_of(dt: xr.DataTree) -> tuple[Floats, dict[tuple[str, str], Ints]]:
    """Every independent input on the scale on which it has unit information, and the inputs of each component.

    Returns
    -------
    values
        (chain, draw, input): coordinates of priors, offsets and widths, and √h · η of every row.
    members
        (kind, component) → positions of its inputs.
    """
    posterior = dt["posterior"].to_dataset()
    if COORDINATES not in posterior:
        raise ReeUncertError(
            f"this result holds no coordinates ('posterior/{COORDINATES}'); sample the case with store_z=True and a "
            "prior_measure of 'coordinates'"
        )
    case = case_of(dt)
    network = case_network(case)
    z = posterior[COORDINATES].transpose("chain", "draw", "coordinate").values
    labels = [(CLASS, group) for group in coordinate_prior(case, network).group]
    blocks = [z]
    evidence = evidence_of(dt) if case.evidence else None
    for name, dim in (("offset_z", "offset_value"), ("source_width_z", "learned_source")):
        if name in posterior and evidence is not None:
            held = posterior[name].transpose("chain", "draw", dim).values
            information = _information_of_t(held) if name == "offset_z" else np.ones(held.shape[2])
            if name == "offset_z":
                information = np.where(evidence.offsets.family == NORMAL, 1.0, information)
            blocks.append(held * np.sqrt(information))
            labels += [(CLASS, OF_THE_EVIDENCE[name])] * held.shape[2]
    if evidence is not None:
        blocks.append(_rows(dt, evidence))
        lineage = np.empty(evidence.n_rows, dtype=object)
        for name, index in rows_by_lineage(evidence).items():
            lineage[index] = name
        labels += [(SOURCE, str(name)) for name in lineage]
    members: dict[tuple[str, str], list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(label, []).append(position)
    return np.concatenate(blocks, axis=2), {label: np.array(index) for label, index in members.items()}


def _rows(dt: xr.DataTree, evidence: EvidenceModel) -> Floats:
    """√h · η of every row (chain, draw, row)."""
    posterior = dt["posterior"].to_dataset()
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    held = {
        name: posterior[name].transpose("chain", "draw", dim).values
        for name, dim in (("log_offset", "offset_value"), ("source_width", "source_group"))
        if name in posterior
    }
    offset, width = held.get("log_offset"), held.get("source_width")
    eta = predicted_quantities(evidence, mass, offset)
    sigma = predicted_sigma(evidence, width, eta.shape[:-1]).reshape(-1, evidence.n_rows).mean(axis=0)
    step = _STEP * sigma
    # A row's likelihood knows value − η alone: moving what was reported moves η the other way.
    low, here, high = (
        log_likelihood(evidence, mass, width, offset, evidence.value + by).reshape(-1, evidence.n_rows).mean(axis=0)
        for by in (-step, 0.0 * step, step)
    )
    information = np.maximum((2.0 * here - low - high) / step**2, 0.0)
    return np.asarray(eta * np.sqrt(information))


def _information_of_t(z: Floats) -> Floats:
    """Posterior mean of minus the second derivative of a standard t₄ log density (input,)."""
    second = 5.0 * (4.0 - z**2) / (4.0 + z**2) ** 2
    return np.maximum(second.reshape(-1, z.shape[2]).mean(axis=0), 0.0)


def _squared_covariances(
    inputs: Floats, value: Floats, members: Mapping[tuple[str, str], Ints]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Σ Cov(input, value)² over the inputs of each component, free of the bias of squared noise, and its error.

    Squares are products of covariances in different parts of the chains; the error is a jackknife over the parts.
    """
    chains, draws = value.shape
    size = draws // BATCHES
    if size < 2:
        raise ReeUncertError(f"{draws} draws a chain are too few to share out a variance; {2 * BATCHES} are the least")
    part = inputs[:, : size * BATCHES].reshape(chains * BATCHES, size, -1)
    told = value[:, : size * BATCHES].reshape(chains * BATCHES, size)
    # The means are those of all draws: parts of autocorrelated chains wander about them.
    centred = told - told.mean()
    covariance = np.einsum("bd,bdi->bi", centred, part - part.mean(axis=(0, 1))) / size
    products = covariance**2
    groups = {**members, ("rest", REST): np.arange(inputs.shape[2])}
    found = {}
    for label, index in groups.items():
        own, square = covariance[:, index], products[:, index].sum()
        total = own.sum(axis=0)
        count = len(own)
        share = (np.sum(total**2) - square) / (count * (count - 1))
        without = total - own
        left = (np.sum(without**2, axis=1) - (square - products[:, index].sum(axis=1))) / ((count - 1) * (count - 2))
        error = np.sqrt((count - 1) / count * np.sum((left - left.mean()) ** 2))
        found[label] = (float(share), float(error))
    return found
