"""What the remaining uncertainty of a headline hangs on: flows that move with it, sources that pull on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Driver:
    """One flow or source, and how strongly a headline hangs on it.

    Parameters
    ----------
    name
        Of the flow or the lineage.
    year
        Year in which the flow moves most with the headline; 0 for a source.
    strength
        Flow: rank correlation with the headline. Source: by how many of its standard deviations the headline's mean would
        move if the source counted twice (to first order).
    """

    name: str
    year: int
    strength: float


def ranks(draws: np.ndarray) -> np.ndarray:
    """Ranks along the first axis, centred and of unit length; NaN and constant columns become zero.

    Examples
    --------
    >>> ranks(np.array([[10.0], [30.0], [20.0]])).round(3).ravel().tolist()
    [-0.707, 0.707, 0.0]
    """
    order = np.argsort(np.argsort(draws, axis=0), axis=0).astype(np.float32)
    order -= order.mean(axis=0)
    flat = ~np.isfinite(draws).all(axis=0) | (np.ptp(np.where(np.isfinite(draws), draws, 0.0), axis=0) <= 0)
    length = np.sqrt((order**2).sum(axis=0))
    return np.where(flat, 0.0, order / np.where(length > 0, length, 1.0))


def flow_drivers(
    headline: np.ndarray, flow_ranks: np.ndarray, names: list[str], years: list[int], top: int = 5
) -> list[Driver]:
    """The flows that a headline moves with most, each in its strongest year.

    Parameters
    ----------
    headline
        Draws (draw,); those that are not finite are set to the median.
    flow_ranks
        `ranks` of flows (draw, flow, year).
    """
    filled = np.where(np.isfinite(headline), headline, np.nanmedian(headline))
    correlation = np.einsum("d,dfy->fy", ranks(filled[:, None])[:, 0], flow_ranks)
    best = np.abs(correlation).argmax(axis=1)
    strength = correlation[np.arange(len(names)), best]
    order = np.argsort(-np.abs(strength))[:top]
    return [Driver(names[i], years[best[i]], float(strength[i])) for i in order if abs(strength[i]) > 0]


def source_drivers(headline: np.ndarray, log_likelihood: dict[str, np.ndarray], top: int = 4) -> list[Driver]:
    """The sources that pull most on a headline: covariance of the headline with their log likelihood.

    The derivative of a posterior mean with respect to the power of one source's likelihood is that covariance
    (https://doi.org/10.1007/s11222-023-10366-5), here in standard deviations of the headline.
    """
    filled = np.where(np.isfinite(headline), headline, np.nanmedian(headline))
    spread = float(filled.std())
    if not spread > 0:
        return []
    centred = (filled - filled.mean()) / spread
    pulls = [Driver(name, 0, float((centred * (ll - ll.mean())).mean())) for name, ll in log_likelihood.items()]
    return sorted(pulls, key=lambda d: -abs(d.strength))[:top]


def lineage_log_likelihood(dt: xr.DataTree) -> dict[str, np.ndarray]:
    """Log likelihood of each lineage, summed over its rows (sample,); empty if the result does not hold it."""
    if "log_likelihood" not in dt.children:
        return {}
    data = dt["log_likelihood"].to_dataset()
    out = {}
    for name, variable in data.data_vars.items():
        rows = [d for d in variable.dims if d not in ("chain", "draw")]
        out[str(name)] = variable.sum(rows).transpose("chain", "draw").values.reshape(-1)
    return out
