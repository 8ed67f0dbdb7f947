"""Power-scaling: how much a quantity moves if a class of priors, or some evidence, counts a little more or less.

Kallioinen, Paananen, Bürkner & Vehtari (2024), *Statistics and Computing* 34, 57, doi 10.1007/s11222-023-10366-5: a
component (a class of priors, the likelihood of a lineage) is raised to a power near 1, the draws are weighted
accordingly, and the change of a quantity's distribution is measured by the cumulative Jensen-Shannon distance. The
number is that of ``arviz_stats.psense`` (tested), here for many quantities and components at once.

The log density of hundreds of coordinates or rows varies so much between draws that plain weights are noise. To first
order in the power only its mean given the quantity counts, which then is taken as a quadratic of the quantity's normal
score; of standard-normal coordinates z it follows from E z and Cov(z, score) alone. Its slope and bend are sums over
coordinates or rows, most of which have nothing to do with the quantity: each is shrunk towards zero as far as it may be
noise (`_shrunk`).
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri
from scipy.stats import rankdata

from reeuncert.case.figures import class_variable
from reeuncert.compiling import compiled, kernel, source_version
from reeuncert.priors.paths import coordinate_prior
from reeuncert.result.contents import content_scores
from reeuncert.result.diagnostics import diagnose
from reeuncert.result.quantiles import Array, filled
from reeuncert.result.result import Result
from reeuncert.result.verdicts import least_sensitive

PLAIN = 0.05
"""Largest error of the mean of a log density, in standard errors of the draws, at which its plain weights serve."""

ALPHAS = (0.99, 1.01)

OFFSETS, CONTENTS = "offsets of the evidence", "contents of elements"
OF_THE_EVIDENCE = {"offset_z": OFFSETS, "source_width_z": "widths of the sources"}
"""Display names of model variables that are not a class of priors; `CONTENTS` is a class of its own."""


class Normals(NamedTuple):
    """A component that is the density of standard-normal coordinates, shape (chain, draw, coordinate)."""

    coordinates: Array

    @property
    def density(self) -> Array:
        """Log density of each, up to a constant."""
        return -0.5 * np.square(self.coordinates)


def terms(dt: xr.DataTree, group: str, names: Mapping[str, str] | None = None) -> dict[str, Array]:
    """Log densities of each component by row or value, (chain, draw, term), of the group ``log_prior`` or
    ``log_likelihood``. ``names``: a variable, or a source among the rows of one → component that it is part of; by
    default each is its own.
    """
    if group not in dt.children:
        return {}
    out: dict[str, list[Array]] = {}
    for name, variable in dt[group].to_dataset().data_vars.items():
        other = [d for d in variable.dims if d not in ("chain", "draw")]
        values = variable.transpose("chain", "draw", *other).values
        flat = values.reshape(*values.shape[:2], -1)
        source = variable["source"].values if "source" in variable.coords else np.full(flat.shape[2], name)
        for of in dict.fromkeys(source):
            out.setdefault((names or {}).get(str(of), str(of)), []).append(flat[:, :, source == of])
    return {name: np.concatenate(rows, axis=2) for name, rows in out.items()}


def prior_classes(result: Result) -> dict[str, Array | Normals]:
    """Each class of priors: its standard-normal coordinates, else its log density by term (chain, draw, term)."""
    parts: dict[str, Array | Normals] = {**terms(result.dt, "log_prior", OF_THE_EVIDENCE)}
    posterior = result.dt["posterior"].to_dataset()
    if not parts:
        return parts
    if contents := content_scores(result.case, posterior):
        parts[CONTENTS] = Normals(np.stack(list(contents.values()), axis=2))
        if OFFSETS in parts:
            true = ~result.dt["log_prior"]["offset_value"].isin(list(contents)).values
            density = terms(result.dt, "log_prior")["offset_z"]
            del parts[OFFSETS]
            if true.any():
                parts[OFFSETS] = density[:, :, true]
    named = {class_variable(row.group): row.group for row in result.case.priors}
    normals = {}
    if "z" in posterior:
        z = posterior["z"].transpose("chain", "draw", "coordinate").values
        group = np.array(coordinate_prior(result.case, result.network).group, dtype=object)
        normals = {class_variable(label): Normals(z[:, :, group == label]) for label in dict.fromkeys(group)}
    return {named.get(name, name): normals.get(name, density) for name, density in parts.items()}


def lineages(result: Result) -> dict[str, Array]:
    """Log likelihood of each lineage of evidence by row, (chain, draw, row)."""
    return terms(result.dt, "log_likelihood", result.lineages)


def sensitivity(quantities: Mapping[str, Array], parts: Mapping[str, Array | Normals]) -> pd.DataFrame:
    """Power-scaling sensitivity of every quantity to every component, the largest first.

    Quantities: label → draws (chain, draw), of which those that are not finite count as the median. Parts: component →
    log density (chain, draw), its terms (chain, draw, term), or the coordinates it is of. Columns: ``quantity``,
    ``component``, ``psense``, ``noise`` (its Monte Carlo error), ``sensitive`` (above 0.05 and twice its noise) and
    ``moves`` (slope of the quantity's mean, in its standard deviations, in the power of the component, at 1: a
    component that counts twice moves it by less as a rule, down to half).
    """
    values = [filled(draws) for draws in quantities.values()]
    sizes = [float(diagnose(draws).ess_bulk) for draws in values]
    flat = np.array([draws.reshape(-1) for draws in values])
    size = np.where(np.isfinite(sizes), sizes, flat.shape[1])[:, None]
    score = ndtri((rankdata(flat, axis=1) - 0.5) / flat.shape[1])
    score /= np.where(score.any(axis=1), score.std(axis=1), 1.0)[:, None]
    found = [_mean_densities(score, part, size) for part in parts.values()]
    rows: list[tuple[object, ...]] = []
    for q, label in enumerate(quantities):
        tilts = np.array([tilt[q] for tilt, _ in found])
        errors = np.array([error[q] for _, error in found])
        centred = (flat[q] - flat[q].mean()) / (flat[q].std() or 1.0)
        # So near a power of 1 the distance of an error is in proportion to it.
        *psense, noise = distances(flat[q], np.vstack([tilts, errors.max() * score[q]]))
        noises, moves = noise * errors / (errors.max() or 1.0), tilts @ centred / centred.size
        rows += zip([label] * len(parts), parts, psense, noises, moves, strict=True)
    table = pd.DataFrame(rows, columns=["quantity", "component", "psense", "noise", "moves"])
    table.insert(4, "sensitive", table["psense"] > least_sensitive(table["noise"]))
    return table.sort_values("psense", ascending=False, ignore_index=True)


def _mean_densities(score: Array, part: Array | Normals, size: Array) -> tuple[Array, Array]:
    """Log density of a component as its weights count it, given each of some normal scores (quantity, draw), and the
    error of its slope (quantity,). ``size`` (quantity, 1) are effective sample sizes.
    """
    draws = score.shape[1]
    if isinstance(part, Normals):
        # z given the score is normal with mean E z + b · score, and the log density is −z² / 2.
        z = part.coordinates.reshape(draws, -1)
        mean, density = z.mean(axis=0), part.density.reshape(draws, -1).sum(axis=1)
        covariance = score @ (z - mean) / draws
        slope, error = _shrunk(-covariance * mean, z.var(axis=0) * np.square(mean), size)
        bend = z.shape[1] / size[:, 0] - np.square(covariance).sum(axis=1)
        error = np.hypot(error, np.sqrt(z.shape[1] / 2.0) / size[:, 0])  # of k squares with errors of 1 / size each
    else:
        rows = part.reshape(draws, -1)
        density = rows.sum(axis=1)
        centred = rows - rows.mean(axis=0)
        variance = np.square(centred).mean(axis=0)
        slope, error = _shrunk(score @ centred / draws, variance, size)
        bend, _ = _shrunk((np.square(score) - 1.0) @ centred / draws, variance, size)
    density = density - density.mean()
    plain = density.std() / np.sqrt(size)
    smooth = slope[:, None] * score + bend[:, None] * np.square(score) / 2
    return np.where(plain > PLAIN, smooth, density), np.where(plain[:, 0] > PLAIN, error, plain[:, 0])


def _shrunk(covariance: Array, variance: Array, size: Array) -> tuple[Array, Array]:
    """Sum over rows, of these variances (row,), of their covariances with scores (quantity, row), and its error.

    Of k rows, each covariance c with error e counts as c · max(0, 1 − 2 log(k) e² / c²): most rows of a component have
    nothing to do with a quantity, and their errors would add up; of k errors, hardly one is above √(2 log k) times its
    standard deviation (Donoho & Johnstone 1994, doi 10.1093/biomet/81.3.425). One that was shrunk away may still be as
    large as its error: the largest of these is part of that of the sum.
    """
    variance = variance / size
    noise = 2.0 * math.log(max(variance.shape[1], 1)) * variance
    kept = np.divide(noise, np.square(covariance), out=np.ones_like(covariance), where=covariance != 0)
    kept = np.clip(1.0 - kept, 0.0, None)
    lost = ((1.0 - kept) * variance).max(axis=1, initial=0.0)
    return (kept * covariance).sum(axis=1), np.sqrt(((kept > 0.0) * variance).sum(axis=1) + lost)


def distances(draws: Array, log_density: Array) -> Array:
    """Cumulative Jensen-Shannon distance per doubling of the power, mean of both directions (component,), between
    draws (draw,) and draws weighted by a log density (component, draw).
    """
    order = np.argsort(draws)
    out = np.empty(len(log_density))
    _distances(draws[order], np.ascontiguousarray(log_density[:, order]), np.array(ALPHAS), out)
    return out


@kernel(source_version(__file__), nogil=True)
def _distances(ordered, log_density, alphas, out):  # type: ignore[no-untyped-def]  # numba infers
    size = ordered.size
    weight, log_share = np.empty(size), np.log2(np.arange(size + 1) / size)
    for c in range(log_density.shape[0]):
        out[c] = 0.0
        for alpha in alphas:
            # So close to a power of 1 weights need no smoothing of their tails.
            for i in range(size):
                weight[i] = math.exp((alpha - 1.0) * log_density[c, i])
            weight /= weight.sum()
            upward = _jensen_shannon(ordered, weight, log_share, False)
            far = max(upward, _jensen_shannon(ordered, weight, log_share, True))
            out[c] += far / abs(math.log2(alpha)) / alphas.size


@compiled
def _jensen_shannon(ordered, weight, log_share, downward):  # type: ignore[no-untyped-def]  # numba infers
    """Of the distribution of draws and of that of weighted draws, of x or of -x."""
    size, q, p_area, q_area, pq, qp = ordered.size, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(1, size):
        i = size - k if downward else k - 1
        step = ordered[i] - ordered[i - 1] if downward else ordered[i + 1] - ordered[i]
        p, q = k / size, q + weight[i]
        middle = math.log2(0.5 * (p + q))
        p_area += p * step
        q_area += q * step
        pq += p * (log_share[k] - middle) * step
        qp += q * (math.log2(q) - middle) * step
    pq = max(pq + 0.5 / math.log(2.0) * (q_area - p_area), 0.0)
    qp = max(qp + 0.5 / math.log(2.0) * (p_area - q_area), 0.0)
    return math.sqrt((pq + qp) / (p_area + q_area)) if p_area + q_area > 0.0 else 0.0
