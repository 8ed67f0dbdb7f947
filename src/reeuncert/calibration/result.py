"""What a calibration found: positions of all truths in their posteriors, and the tables made of them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from reeuncert.errors import ReeUncertError

Array = NDArray[np.float64]

COVERAGES = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central intervals."""

BAND = 0.95
"""Simultaneous probability of the band."""

_REPLICATES = 4000
_ROUNDING = 1e-9


def positions(truth: ArrayLike, draws: ArrayLike, rng: np.random.Generator) -> Array:
    """Position of each truth in its posterior, between 0 and 1; uniform under calibration.

    Truths (quantity,), nearly independent draws (draw, quantity); NaN where the truth or a draw is not finite, or where
    all are equal up to rounding. Ties are broken at random, and each rank is spread uniformly over 1 / (draws + 1), so
    that it is exact for few draws.
    """
    truth, draws = np.asarray(truth, dtype=np.float64), np.asarray(draws, dtype=np.float64)
    below = (draws < truth).sum(axis=0)
    ties = (draws == truth).sum(axis=0)
    rank = below + rng.integers(0, ties + 1)
    found = (rank + rng.random(truth.shape)) / (draws.shape[0] + 1)
    with np.errstate(invalid="ignore"):  # draws may be infinite
        uncertain = np.abs(draws - truth).max(axis=0) > _ROUNDING * np.abs(truth)
    usable = np.isfinite(truth) & np.isfinite(draws).all(axis=0) & uncertain
    return np.asarray(np.where(usable, found, np.nan))


def inside(position: ArrayLike, probability: float) -> NDArray[np.bool_]:
    """Whether the central interval of a probability covers the truth."""
    return np.asarray(np.abs(np.asarray(position) - 0.5) <= 0.5 * probability)


def uniformity(position: ArrayLike) -> Array:
    """p-value (quantity,) of uniformity of positions between 0 and 1, shape (simulation, quantity)."""
    values = np.asarray(position, dtype=np.float64)
    reference = np.sort(_null_statistics(values.shape[0]))
    below = np.searchsorted(reference, _statistic(values.T), side="right")
    return np.asarray((1 + below) / (1 + reference.size))


def band(count: int) -> tuple[Array, Array, Array]:
    """Points, and lower and upper end of the simultaneous band for the distribution of `count` positions."""
    # Slightly less, so that counts of exactly this probability are inside despite rounding.
    tail = 0.5 * float(np.quantile(_null_statistics(count), 1.0 - BAND)) * (1.0 - 1e-9)
    points = np.arange(1, count) / count
    lower = stats.binom.ppf(tail, count, points) / count
    upper = stats.binom.ppf(1.0 - tail, count, points) / count
    return points, lower, upper


def _statistic(values: Array) -> Array:
    """Twice the smallest tail probability of each row, shape (rows,)."""
    count = values.shape[1]
    points = np.arange(1, count) / count
    below = np.array([np.searchsorted(row, points, side="right") for row in np.sort(values, axis=1)])
    at_most = stats.binom.cdf(np.arange(-1, count + 1)[:, None], count, points)  # from "fewer than none" on
    which = np.arange(count - 1)
    tails = np.minimum(at_most[below + 1, which], 1.0 - at_most[below, which])
    return np.asarray(2.0 * tails.min(axis=1))


@lru_cache(maxsize=16)
def _null_statistics(count: int) -> Array:
    rng = np.random.default_rng(count)
    return np.concatenate([_statistic(rng.random((500, count))) for _ in range(_REPLICATES // 500)])


@dataclass(frozen=True, eq=False)
class Calibration:
    """Positions of simulated truths in the posteriors of their figures.

    Parameters
    ----------
    case_name
        Of the case.
    labels
        One row per quantity: kind, group, quantity, year.
    position
        Between 0 and 1, uniform under calibration; NaN where a quantity is not defined; shape (simulation, quantity).
    fits
        One row a simulation: divergences, largest R-hat and least effective sample size of flows, widths and offsets,
        seconds, and whether it is ``used``, having as many independent draws as ranks are taken among. `position` has
        a row for each of those.
    """

    case_name: str
    labels: pd.DataFrame
    position: NDArray[np.float64]
    fits: pd.DataFrame

    @property
    def simulations(self) -> int:
        """Number of simulations."""
        return self.position.shape[0]

    def coverage(self, by: str = "kind") -> pd.DataFrame:
        """Coverage of central intervals.

        Parameters
        ----------
        by
            ``"kind"`` (flows, unrecorded flows, …), or ``"group"`` for the roles of flows, sources and indicators.

        Returns
        -------
        DataFrame
            One row a class: kind, [group], quantities, simulations, and for each probability ``coverage50`` and its
            Monte Carlo error ``error50``; quantities of one simulation are correlated, so the error is that of the
            means by simulation. ``outside_band``: share of quantities whose ranks leave the 95 % band, about 0.05 under
            calibration.
        """
        if by not in ("kind", "group"):
            raise ReeUncertError(f"by is {by!r}; use 'kind' or 'group'")
        keys = list(dict.fromkeys(["kind", by]))
        rows = []
        for key, part in self.labels[self._usable].groupby(keys, sort=False):
            columns = part.index.to_numpy()
            row = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
            rows.append(row | {"quantities": columns.size, "simulations": self.simulations} | self._counts(columns))
        return pd.DataFrame(rows)

    def uniformity(self) -> pd.DataFrame:
        """Every quantity with its p-value of rank uniformity, smallest first.

        Under calibration one in twenty quantities has a p-value below 0.05 by chance.
        """
        columns = np.flatnonzero(self._usable)
        table = self.labels.iloc[columns].copy()
        table["mean_position"] = self.position[:, columns].mean(axis=0)
        for probability in COVERAGES:
            table[f"coverage{_percent(probability)}"] = inside(self.position[:, columns], probability).mean(axis=0)
        table["p_uniform"] = uniformity(self.position[:, columns])
        return table.sort_values("p_uniform", kind="stable").reset_index(drop=True)

    def __repr__(self) -> str:
        return (
            f"Calibration of {self.case_name}: {self.simulations} simulations\n"
            f"{self.coverage().to_string(index=False, float_format=lambda x: f'{x:.3f}')}"
        )

    @property
    def _usable(self) -> NDArray[np.bool_]:
        """Quantities that are defined in every simulation."""
        return np.asarray(np.isfinite(self.position).all(axis=0))

    def _counts(self, columns: NDArray[np.int64]) -> dict[str, float]:
        found = self.position[:, columns]
        out: dict[str, float] = {}
        for probability in COVERAGES:
            by_simulation = inside(found, probability).mean(axis=1)
            name = _percent(probability)
            out[f"coverage{name}"] = float(by_simulation.mean())
            out[f"error{name}"] = float(by_simulation.std(ddof=1) / np.sqrt(self.simulations))
        return out | {"outside_band": float(np.mean(uniformity(found) < 1.0 - BAND))}


def _percent(probability: float) -> str:
    return f"{100 * probability:.0f}"
