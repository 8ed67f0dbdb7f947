"""Result of a calibration: positions of all truths in their posteriors, and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reeuncert.calibration.ranks import BAND, COVERAGES, inside, uniformity


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
        One row a simulation: seed, draws, divergences, largest R-hat and least effective sample size of the flows,
        seconds.
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
        keys = ["kind"] if by == "kind" else ["kind", "group"]
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
