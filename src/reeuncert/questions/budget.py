"""Where the uncertainty that is left comes from: shares of an indicator's posterior variance by class of input.

The independent inputs of an analysis are the standard-normal coordinates z of its priors and the errors of its sources.
What is not known after seeing the figures, I − E[I | figures], is a function of these inputs alone. In a linear model
with normal errors it is a sum, and the part of each input is known:

    Var(I) = Σ_i Cov(z_i, I)² + Σ_r h_r Cov(η_r, I)²,

covariances being those of the posterior, η_r the quantity of row r and h_r = 1 / σ_r² the information of its error. The
terms are Sobol' indices of the estimation error: inputs are independent and effects additive, so that first-order and
total indices agree (Saltelli et al. 2010, doi 10.1016/j.cpc.2009.09.018). For any other error law ℓ_r(η_r),

    Var(I) = Σ_i Cov(z_i, I)² + Σ_r Cov(−∂ℓ_r/∂η_r, I) Cov(η_r, I)

holds as long as I and the η are linear in the coordinates (integration by parts: the posterior expectation of (I − E I)
∂U/∂z_i is that of ∂I/∂z_i, U being minus the log posterior density). A positive mass enters by its log. What the sum
misses of the variance is curvature; it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.sensitivity import OF_THE_EVIDENCE
from reeuncert.errors import ReeUncertError
from reeuncert.inference.layout import COORDINATES
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.predictive import log_likelihood, predicted_quantities, predicted_sigma, rows_by_lineage
from reeuncert.priors.paths import coordinate_prior
from reeuncert.questions.powerscale import CLASS, SOURCE
from reeuncert.questions.targets import Target
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.error_laws import NORMAL

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REST = "not linear"
"""Component of the part of the variance that the sum over inputs misses."""

BATCHES = 4
"""Each chain is cut into so many parts."""

_STEP = 0.01
"""The derivative of a row's log likelihood is taken over so many of its scales on either side."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Every independent input of an analysis, in every draw.

    Parameters
    ----------
    values
        Coordinates of priors, offsets, widths, and the quantity of each row (chain, draw, input).
    slopes
        Derivative of minus the log density of an input with respect to its value (chain, draw, k), for the inputs in
        `places`; for all others, standard normal, it is the value itself.
    places
        Positions of the inputs that `slopes` holds (k,).
    members
        (kind, component) → positions of its inputs.
    """

    values: Floats
    slopes: Floats
    places: Ints
    members: Mapping[tuple[str, str], Ints]


def variance_shares(dt: xr.DataTree, target: Target) -> pd.DataFrame:
    """Shares of a value's posterior variance that come from each class of priors and each lineage of sources.

    Columns: ``kind`` (prior class, source, ``rest``), ``component``, ``inputs`` (coordinates or rows in it), ``share``
    of the variance, ``se`` (its Monte Carlo error). The row ``not linear`` is what the others leave of 1; where it is
    large, of either sign, the shares are a sketch. The result must hold the coordinates ``z``.
    """
    return shares_of(target, inputs_of(dt))


def shares_of(target: Target, inputs: Inputs) -> pd.DataFrame:
    """The same from inputs that are known already, see `inputs_of`."""
    draws = target.linear
    scale = draws.std()
    if not scale > 0:
        raise ReeUncertError(f"{target.label} is the same in every draw: there is no variance to share out")
    value = (draws - draws.mean()) / scale
    found = _products_of_covariances(inputs, value)
    rows = [(kind, name, index.size, *found[kind, name]) for (kind, name), index in inputs.members.items()]
    table = pd.DataFrame(rows, columns=["kind", "component", "inputs", "share", "se"])
    table = table.sort_values("share", ascending=False, ignore_index=True)
    total = found["rest", REST]
    rest = pd.DataFrame([("rest", REST, 0, 1.0 - total[0], total[1])], columns=table.columns)
    return pd.concat([table, rest], ignore_index=True)


def inputs_of(dt: xr.DataTree) -> Inputs:
    """The inputs of a result."""
    posterior = dt["posterior"].to_dataset()
    if COORDINATES not in posterior:
        raise ReeUncertError(
            f"this result holds no coordinates ('posterior/{COORDINATES}'); sample the case with store_z=True and a "
            "prior_measure of 'coordinates'"
        )
    result = Result(dt)
    case, network, evidence = result.case, result.network, result.evidence
    values = [posterior[COORDINATES].transpose("chain", "draw", "coordinate").values]
    labels = [(CLASS, group) for group in coordinate_prior(case, network).group]
    slopes, places = [], []
    if evidence is not None:
        for name, dim in (("offset_z", "offset_value"), ("source_width_z", "learned_source")):
            if name in posterior:
                held = posterior[name].transpose("chain", "draw", dim).values
                if name == "offset_z":
                    heavy = np.flatnonzero(evidence.offsets.family != NORMAL)
                    slopes.append(_slope_of_t(held[..., heavy]))
                    places.append(len(labels) + heavy)
                values.append(held)
                labels += [(CLASS, OF_THE_EVIDENCE[name])] * held.shape[2]
        eta, slope = _rows(dt, evidence)
        slopes.append(slope)
        places.append(len(labels) + np.arange(evidence.n_rows))
        values.append(eta)
        lineage = {r: name for name, index in rows_by_lineage(evidence).items() for r in index.tolist()}
        labels += [(SOURCE, lineage[r]) for r in range(evidence.n_rows)]
    members: dict[tuple[str, str], list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(label, []).append(position)
    joined = np.concatenate(values, axis=2)
    none = np.empty((*joined.shape[:2], 0))
    return Inputs(
        joined,
        np.concatenate([none, *slopes], axis=2),
        np.concatenate([np.empty(0, np.int64), *places]),
        {label: np.array(index) for label, index in members.items()},
    )


def _rows(dt: xr.DataTree, evidence: EvidenceModel) -> tuple[Floats, Floats]:
    """The quantity of every row, and minus the derivative of its log likelihood by that (chain, draw, row)."""
    posterior = dt["posterior"].to_dataset()
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    held = {
        name: posterior[name].transpose("chain", "draw", dim).values
        for name, dim in (("log_offset", "offset_value"), ("source_width", "source_group"))
        if name in posterior
    }
    offset, width = held.get("log_offset"), held.get("source_width")
    eta = predicted_quantities(evidence, mass, offset)
    step = _STEP * predicted_sigma(evidence, width, eta.shape[:-1]).reshape(-1, evidence.n_rows).mean(axis=0)
    # A row's likelihood knows value − η alone: moving what was reported moves η the other way.
    low, high = (log_likelihood(evidence, mass, width, offset, evidence.value + by) for by in (-step, step))
    return eta, (high - low) / (2.0 * step)


def _slope_of_t(z: Floats) -> Floats:
    """Derivative of minus the standard t₄ log density."""
    return np.asarray(5.0 * z / (4.0 + z**2))


def _products_of_covariances(inputs: Inputs, value: Floats) -> dict[tuple[str, str], tuple[float, float]]:
    """Σ Cov(slope, value) Cov(input, value) over the inputs of each component, and its error.

    The two factors are taken from different parts of the chains, so that noise times itself does not add up; the error
    is a jackknife over the parts.
    """
    draws = value.shape[1]
    size = draws // BATCHES
    if size < 2:
        raise ReeUncertError(f"{draws} draws a chain are too few to share out a variance; {2 * BATCHES} are the least")
    one = _covariances(inputs.values, value, size)
    other = one.copy()
    other[:, inputs.places] = _covariances(inputs.slopes, value, size)
    groups = {**inputs.members, ("rest", REST): np.arange(one.shape[1])}
    count = len(one)
    found = {}
    for label, index in groups.items():
        a, b = one[:, index], other[:, index]
        same = (a * b).sum(axis=1)
        sum_a, sum_b = a.sum(axis=0), b.sum(axis=0)
        share = (sum_a @ sum_b - same.sum()) / (count * (count - 1))
        without = ((sum_a - a) * (sum_b - b)).sum(axis=1) - (same.sum() - same)
        left = without / ((count - 1) * (count - 2))
        error = np.sqrt((count - 1) / count * np.sum((left - left.mean()) ** 2))
        found[label] = (float(share), float(error))
    return found


def _covariances(inputs: Floats, value: Floats, size: int) -> Floats:
    """Covariance of each input with the value in each part of the chains (part, input).

    The means are those of all draws: parts of autocorrelated chains wander about them.
    """
    kept = size * BATCHES
    part = inputs[:, :kept].reshape(len(value) * BATCHES, size, -1)
    told = value[:, :kept].reshape(len(value) * BATCHES, 1, size)
    centred = told - told.mean()
    # The mean of an input drops out against a value that is centred over all parts, up to the parts' own wandering.
    return np.asarray((centred @ part)[:, 0] / size - centred.mean(axis=2) * part.mean(axis=(0, 1)))
