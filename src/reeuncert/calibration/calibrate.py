"""Simulation-based calibration of a case: simulated truths are reported, fitted and ranked."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.calibration.quantities import quantities, truth_as_draws
from reeuncert.calibration.ranks import positions
from reeuncert.calibration.result import Calibration
from reeuncert.calibration.simulate import Truth
from reeuncert.calibration.simulate import simulations as simulated_truths
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.inference.layout import MASS_FLOW
from reeuncert.inference.refit import Refitter
from reeuncert.result.diagnostics import diagnose

FEWEST = 2
"""Fewest simulations for a standard error of the coverage."""

RANKS = 99
"""Draws per rank: few, so that they are nearly independent."""


def calibrate(
    case: Case,
    *,
    simulations: int = 20,
    draws: int = 500,
    tune: int = 200,
    thin: int = 1,
    chains: int = 2,
    seed: int = 0,
    indicators: Sequence[str] | None = None,
    progress: bool = False,
) -> Calibration:
    """Test whether intervals can be trusted: whether 90 % intervals cover 90 % of simulated truths.

    Each simulation draws a truth from the priors by code independent of the model (`reeuncert.simulate`), reports it as
    the sources of the case would, and fits the model to these figures; the model is compiled once. No simulation is
    left out; diagnostics are in ``fits``.

    Parameters
    ----------
    case
        Its priors are on coordinates. A case cut to some years (`reeuncert.restrict`) takes minutes instead of hours.
    simulations
        At least 2; 20 detect gross errors, 200 a coverage of 85 instead of 90 %.
    draws, tune, thin, chains
        Of every fit, as in `reeuncert.sample`. Ranks are taken among 99 of the draws.
    seed
        Of truths and fits.
    indicators
        Names of indicators to rank; all by default.
    progress
        One line per simulation on standard error. Ctrl-C ends the study with the simulations that are finished.

    Returns
    -------
    Calibration

    Raises
    ------
    ReeUncertError
        When fewer than two simulations, or fewer draws than ranks, are asked for.
    ModelError
        When the priors of the case cannot be simulated forward.
    """
    _check(simulations, draws * chains)
    truths = simulated_truths(case, simulations, seed=seed)
    first = next(truths)  # refuses a case that cannot be simulated before anything is compiled
    study = _Study(case, Refitter(case), tuple(indicators) if indicators is not None else None, seed)
    settings = _Settings(draws, tune, thin, chains)
    try:
        for number, truth in enumerate(chain([first], truths)):
            fit = study.add(number, truth, settings)
            if progress:
                _say(fit, simulations)
    except KeyboardInterrupt:
        if len(study.fits) < FEWEST:
            raise
    return Calibration(case.name, study.labels, np.array(study.positions), pd.DataFrame(study.fits))


@dataclass(frozen=True)
class _Settings:
    """Of every fit, as in `reeuncert.sample`."""

    draws: int
    tune: int
    thin: int
    chains: int


@dataclass
class _Study:
    """Results of the simulations finished so far."""

    case: Case
    refitter: Refitter
    indicators: Sequence[str] | None
    seed: int
    labels: pd.DataFrame = field(default_factory=pd.DataFrame)
    positions: list[NDArray[np.float64]] = field(default_factory=list)
    fits: list[dict[str, float]] = field(default_factory=list)

    def add(self, number: int, truth: Truth, settings: _Settings) -> dict[str, float]:
        """Fit the figures of one truth, and rank the truth in its posterior."""
        begin = time.perf_counter()
        dt = self.refitter.fit(
            truth.case,
            draws=settings.draws,
            tune=settings.tune,
            thin=settings.thin,
            chains=settings.chains,
            seed=self.seed + number,
        )
        if dt.attrs["complete"] == "no":  # at Ctrl-C the sampler returns an incomplete fit, which is discarded
            raise KeyboardInterrupt
        posterior = dt["posterior"].to_dataset()
        self.labels, values = quantities(_few(posterior), self.case, self.indicators)
        _, true = quantities(truth_as_draws(truth, posterior), self.case, self.indicators)
        rng = np.random.default_rng([self.seed, number])
        self.positions.append(positions(true[0, 0], values.reshape(-1, values.shape[2]), rng))
        seconds = time.perf_counter() - begin
        self.fits.append({"simulation": number, **_diagnostics(dt, self.case), "seconds": seconds})
        return self.fits[-1]


def _check(simulations: int, draws: int) -> None:
    if simulations < FEWEST:
        raise ReeUncertError(f"simulations is {simulations}; a calibration needs 2 at least, and 20 to say much")
    if draws < RANKS:
        raise ReeUncertError(f"draws times chains is {draws}; truths are ranked among {RANKS} draws: ask for more")


def _few(posterior: xr.Dataset) -> xr.Dataset:
    """About `RANKS` draws, evenly spaced, as one chain."""
    names = [name for name in (MASS_FLOW, "source_width", "log_offset") if name in posterior]
    flat = posterior[names].stack(sample=("chain", "draw"), create_index=False).drop_vars(["chain", "draw"])
    pick = np.linspace(0, flat.sizes["sample"] - 1, RANKS).round().astype(int)
    kept = flat.isel(sample=pick).rename(sample="draw").expand_dims("chain")
    return kept.assign_coords(chain=[0], draw=np.arange(RANKS))


def _diagnostics(dt: xr.DataTree, case: Case) -> dict[str, float]:
    """Divergences, worst diagnostics of the flows, and median ESS, which determines the quality of ranks."""
    mass = dt["posterior"][MASS_FLOW].transpose("chain", "draw", "flow", "year").values
    found = diagnose(mass[:, :, case.system.exists], log=True)
    ess = np.minimum(found.ess_bulk, found.ess_tail)
    return {
        "divergences": int(dt["sample_stats"]["diverging"].sum()),
        "r_hat": float(np.nanmax(found.r_hat)),
        "ess_least": float(np.nanmin(ess)),
        "ess_median": float(np.nanmedian(ess)),
    }


def _say(fit: dict[str, float], simulations: int) -> None:
    print(
        f"simulation {int(fit['simulation']) + 1} of {simulations}: {fit['seconds']:.0f} s, largest R-hat "
        f"{fit['r_hat']:.3f}, least ESS {fit['ess_least']:.0f}, {int(fit['divergences'])} divergences",
        file=sys.stderr,
        flush=True,
    )
