"""Which priors and sources drive the headlines? Power-scaling of each, one at a time.

Kallioinen, Paananen, Bürkner & Vehtari (2024), *Statistics and Computing* 34, 57, doi 10.1007/s11222-023-10366-5: a
component (a class of priors, the likelihood of a lineage) is raised to a power near 1, the draws are weighted
accordingly, and the change of a headline's distribution is measured by the cumulative Jensen-Shannon distance. The
number is that of ``arviz_stats.psense`` (tested), here for all headlines and components at once.

Large components vary so much between draws that chance alone gives them a sensitivity. The same number with the chains
of the component permuted, so that it is independent of the headline, is its noise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.result import CheckResult, information
from reeuncert.indicators.headlines import headline_draws
from reeuncert.result.quantiles import filled
from reeuncert.result.result import Result

SENSITIVE = 0.05
"""Threshold of the sensitivity."""

NOISE = 2.0
"""A sensitivity must also exceed its noise by this factor."""

ALPHAS = (0.99, 1.01)
MOST_DRAWS = 2000

OF_THE_EVIDENCE = {"offset_z": "offsets of the evidence", "source_width_z": "widths of the sources"}
"""Display names of model variables that are not a class of priors."""

Floats = NDArray[np.float64]


def check(result: Result) -> list[CheckResult]:
    """Sensitivity of the headlines to classes of priors and to lineages of evidence."""
    if not result.once(headline_draws):
        return [
            information("sensitivity", "No headline among the indicators of this result: nothing was power-scaled.")
        ]
    draws = {key.label: key.posterior for key in result.once(headline_draws) if np.isfinite(key.posterior).any()}
    found = []
    for what, group, called in (
        ("priors", "log_prior", "classes of priors"),
        ("lineages", "log_likelihood", "lineages of evidence"),
    ):
        parts = components(result.dt, group, result.lineages if group == "log_likelihood" else OF_THE_EVIDENCE)
        name = f"sensitivity to {what}"
        if not parts:
            found.append(information(name, f"This result holds no terms of {called} ('{group}')."))
            continue
        table = sensitivity(draws, parts)
        strong = table[(table["psense"] > SENSITIVE) & (table["psense"] > NOISE * table["noise"])]
        top = ", ".join(f"{c} ({n})" for c, n in strong["component"].value_counts().head(3).items())
        message = f"{strong['headline'].nunique()} of {len(draws)} headlines are sensitive to some of {len(parts)} "
        message += f"{called} (power-scaling above {SENSITIVE:g} and {NOISE:g} times its noise)"
        message += f"; most headlines to {top}." if top else "."
        verdict = information(name, message, float(table["psense"].max()))
        found.append(replace(verdict, table=strong.head(40).reset_index(drop=True) if len(strong) else None))
    return found


def components(dt: xr.DataTree, group: str, names: dict[str, str] | None = None) -> dict[str, Floats]:
    """Log density of each component (chain, draw), summed over its other dims. The group is ``log_prior`` or
    ``log_likelihood``; `names` gives the component that a variable is part of, by default its own.
    """
    if group not in dt.children:
        return {}
    out: dict[str, Floats] = {}
    for name, variable in dt[group].to_dataset().data_vars.items():
        other = [d for d in variable.dims if d not in ("chain", "draw")]
        values = variable.transpose("chain", "draw", *other).values
        summed = values.reshape(*values.shape[:2], -1).sum(axis=2)
        label = (names or {}).get(str(name), str(name))
        out[label] = out[label] + summed if label in out else summed
    return out


def sensitivity(headlines: dict[str, Floats], parts: dict[str, Floats]) -> pd.DataFrame:
    """Power-scaling sensitivity of every headline to every component, the largest first.

    Headlines and log densities have the shape (chain, draw); draws that are not finite count as the median. Columns:
    ``headline``, ``component``, ``psense``, ``noise`` (the same with chains exchanged) and ``moves`` (by how many of
    its standard deviations the headline would rise if the component counted twice, to first order).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(4, 250))
    >>> found = sensitivity({"x": x}, {"a": -x**2 / 2, "b": rng.normal(size=(4, 250))})
    >>> found["component"].tolist(), bool(found["psense"][0] > 2 * found["noise"][0])
    (['a', 'b'], True)
    """
    density = np.stack(list(parts.values()))
    step = max(1, -(-density[0].size // MOST_DRAWS))
    density = density[:, :, ::step]
    exchanged = np.roll(density, 1, axis=1) if density.shape[1] > 1 else np.roll(density, density.shape[2] // 2, axis=2)
    both = np.concatenate([density, exchanged]).reshape(2 * len(parts), -1)
    weights = [_weights((alpha - 1) * both) for alpha in ALPHAS]
    rows = []
    for label, draws in headlines.items():
        flat = filled(draws[:, ::step].reshape(-1))
        low, high = (_distance(flat, w) for w in weights)
        found = (high / np.log2(ALPHAS[1]) - low / np.log2(ALPHAS[0])) / 2
        scale = flat.std()
        moves = ((flat - flat.mean()) / (scale or 1.0) * (both - both.mean(axis=1, keepdims=True))).mean(axis=1)
        for c, component in enumerate(parts):
            rows.append((label, component, float(found[c]), float(found[c + len(parts)]), float(moves[c])))
    table = pd.DataFrame(rows, columns=["headline", "component", "psense", "noise", "moves"])
    return table.sort_values("psense", ascending=False, ignore_index=True)


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
