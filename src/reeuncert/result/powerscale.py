"""Power-scaling: how much a quantity moves if a class of priors, or some evidence, counts a little more or less.

Kallioinen, Paananen, Bürkner & Vehtari (2024), *Statistics and Computing* 34, 57, doi 10.1007/s11222-023-10366-5: a
component (a class of priors, the likelihood of a lineage) is raised to a power near 1, the draws are weighted
accordingly, and the change of a quantity's distribution is measured by the cumulative Jensen-Shannon distance. The
number is that of ``arviz_stats.psense`` (tested), here for many quantities and components at once.

The log density of hundreds of coordinates varies so much between draws that plain weights are noise. To first order in
the power only its mean given the quantity counts, which then is taken as a quadratic of the quantity's normal score; of
standard-normal coordinates z it follows from E z and Cov(z, score) alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from reeuncert.priors.paths import coordinate_prior
from reeuncert.result.diagnostics import ess
from reeuncert.result.quantiles import filled
from reeuncert.result.result import Result

SENSITIVE = 0.05
"""Threshold of the sensitivity."""

NOISE = 2.0
"""A sensitivity must also exceed its Monte Carlo error by this factor."""

PLAIN = 0.05
"""Largest error of the mean of a log density, in standard errors of the draws, at which its plain weights serve."""

ALPHAS = (0.99, 1.01)

OF_THE_EVIDENCE = {"offset_z": "offsets of the evidence", "source_width_z": "widths of the sources"}
"""Display names of model variables that are not a class of priors."""

Floats = NDArray[np.float64]


def components(dt: xr.DataTree, group: str, names: Mapping[str, str] | None = None) -> dict[str, Floats]:
    """Log density of each component (chain, draw), summed over its other dims.

    Parameters
    ----------
    dt
        A result.
    group
        ``log_prior`` or ``log_likelihood``.
    names
        Name of a variable, or of a source among the rows of one (its coordinate ``source``) → component that it is
        part of; by default each is its own.
    """
    if group not in dt.children:
        return {}
    out: dict[str, Floats] = {}
    for name, variable in dt[group].to_dataset().data_vars.items():
        other = [d for d in variable.dims if d not in ("chain", "draw")]
        values = variable.transpose("chain", "draw", *other).values
        flat = values.reshape(*values.shape[:2], -1)
        source = variable["source"].values if "source" in variable.coords else np.full(flat.shape[2], name)
        for of in dict.fromkeys(source):
            summed = flat[:, :, source == of].sum(axis=2)
            label = (names or {}).get(str(of), str(of))
            out[label] = out[label] + summed if label in out else summed
    return out


def prior_classes(result: Result) -> dict[str, Floats]:
    """Each class of priors: its standard-normal coordinates (chain, draw, coordinate), else its log density."""
    parts = components(result.dt, "log_prior", OF_THE_EVIDENCE)
    posterior = result.dt["posterior"].to_dataset()
    if not parts or "z" not in posterior or not result.has_case:
        return parts
    z = posterior["z"].transpose("chain", "draw", "coordinate").values
    group = np.array(coordinate_prior(result.case, result.network).group, dtype=object)
    # `log_prior` names variables, which hold no spaces.
    named = {name.replace("/", "_").replace(" ", "_"): name for name in dict.fromkeys(group)}
    return {named.get(name, name): z[:, :, group == named[name]] if name in named else d for name, d in parts.items()}


def lineages(result: Result) -> dict[str, Floats]:
    """Log likelihood (chain, draw) of each lineage of evidence."""
    return components(result.dt, "log_likelihood", result.lineages)


def sensitivity(quantities: Mapping[str, Floats], parts: Mapping[str, Floats]) -> pd.DataFrame:
    """Power-scaling sensitivity of every quantity to every component, the largest first.

    Parameters
    ----------
    quantities
        Label → draws (chain, draw); those that are not finite count as the median.
    parts
        Component → log density (chain, draw), or the standard-normal coordinates (chain, draw, coordinate) it is of.

    Returns
    -------
    DataFrame
        ``quantity``, ``component``, ``psense``, ``noise`` (its Monte Carlo error), ``sensitive`` (above 0.05 and twice
        its noise) and ``moves`` (by how many of its standard deviations the quantity would rise if the component
        counted twice, to first order).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(4, 250))
    >>> found = sensitivity({"x": x}, {"a": -((x - 1) ** 2) / 2, "b": rng.normal(size=(4, 250))})
    >>> found["component"].tolist(), found["sensitive"].tolist()
    (['a', 'b'], [True, False])
    """
    rows: list[tuple[object, ...]] = []
    flat_parts = {name: part.reshape(part.shape[0] * part.shape[1], -1) for name, part in parts.items()}
    normal = {name for name, part in parts.items() if part.ndim == 3}
    density = {n: -0.5 * np.square(f).sum(axis=1) if n in normal else f[:, 0] for n, f in flat_parts.items()}
    for label, draws in quantities.items():
        draws = filled(draws)
        flat, known = draws.reshape(-1), float(ess(draws)[0])
        size = known if np.isfinite(known) else float(flat.size)
        score = ndtri((rankdata(flat) - 0.5) / flat.size)
        score /= score.std() or 1.0
        tilts, errors = [], []
        for name, values in flat_parts.items():
            tilt, error = density[name] - density[name].mean(), float(density[name].std() / np.sqrt(size))
            if error > PLAIN:
                tilt, error = _mean_density(score, tilt, values if name in normal else None, size)
            tilts.append(tilt)
            errors.append(error)
        found = _sensitivity(flat, np.vstack([tilts, np.outer(errors, score)]))
        moves = (np.array(tilts) * (flat - flat.mean())).mean(axis=1) / (flat.std() or 1.0)
        rows += zip([label] * len(parts), parts, found[: len(parts)], found[len(parts) :], moves, strict=True)
    table = pd.DataFrame(rows, columns=["quantity", "component", "psense", "noise", "moves"])
    table.insert(4, "sensitive", (table["psense"] > SENSITIVE) & (table["psense"] > NOISE * table["noise"]))
    return table.sort_values("psense", ascending=False, ignore_index=True)


def _mean_density(score: Floats, density: Floats, z: Floats | None, size: float) -> tuple[Floats, float]:
    """Mean log density given a normal score, a quadratic of it (draw,), and the error of its slope."""
    if z is None:
        slope, bend = float((density * score).mean()), float((density * (np.square(score) - 1.0)).mean())
        error = float(density.std()) / math.sqrt(size)
    else:
        # z given the score is normal with mean E z + b · score, and the log density is −z² / 2.
        mean = z.mean(axis=0)
        b = score @ (z - mean) / len(score)
        slope, bend, error = -float(mean @ b), z.shape[1] / size - float(b @ b), math.sqrt(float(mean @ mean) / size)
    return np.asarray(slope * score + bend * np.square(score) / 2), float(error)


def _sensitivity(draws: Floats, log_density: Floats) -> Floats:
    """Distance per doubling of the power (component,), mean of both directions."""
    low, high = (_distance(draws, _weights((alpha - 1) * log_density)) for alpha in ALPHAS)
    return np.asarray((high / np.log2(ALPHAS[1]) - low / np.log2(ALPHAS[0])) / 2)


def _weights(log_weight: Floats) -> Floats:
    """Normalised weights (component, draw). So close to a power of 1 they need no smoothing of their tails."""
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _distance(draws: Floats, weights: Floats) -> Floats:
    """Cumulative Jensen-Shannon distance between draws and weighted draws, the larger of x and -x (component,)."""
    order = np.argsort(draws)
    steps = np.diff(draws[order])
    up = np.cumsum(weights[:, order], axis=1)[:, :-1]
    down = np.cumsum(weights[:, order[::-1]], axis=1)[:, :-1]
    plain = np.arange(1, draws.size) / draws.size
    return np.maximum(_jensen_shannon(plain, up, steps), _jensen_shannon(plain, down, steps[::-1]))


def _jensen_shannon(p: Floats, q: Floats, steps: Floats) -> Floats:
    p_area, q_area = p @ steps, q @ steps
    middle = np.log2(0.5 * (p + q))
    pq = np.maximum((p * (np.log2(p) - middle)) @ steps + 0.5 / np.log(2) * (q_area - p_area), 0.0)
    qp = np.maximum((q * (np.log2(q) - middle)) @ steps + 0.5 / np.log(2) * (p_area - q_area), 0.0)
    area = p_area + q_area
    return np.sqrt(np.divide(pq + qp, area, out=np.zeros_like(area), where=area > 0))
