"""Refits of simulated truths: do intervals hold the truth where the truth is known?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.calibration.recovery import Recovery, quantities, recovery_table, summarise, true_quantities
from reeuncert.calibration.result import Calibration, positions
from reeuncert.calibration.simulate import Truth, simulate
from reeuncert.calibration.simulate import simulations as simulated_truths
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import choose
from reeuncert.inference.layout import MASS_FLOW
from reeuncert.studies.cache import Kept
from reeuncert.studies.engine import make_fits, make_sufficient_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, JobMaker

FEWEST = 2
"""Simulations without which there is no error of a coverage."""

RANKS = 99
"""Draws among which a truth is ranked: so few that they are nearly independent."""

FIT = ("divergences", "r_hat", "ess", "seconds")
"""Diagnostics of each fit: the worst of all flows, widths and offsets."""


def calibrate(
    case: Case, *, simulations: int = 20, indicators: Iterable[str] | None = None, **options: Unpack[FitOptions]
) -> Calibration:
    """Ask whether intervals can be trusted: whether 90 % of them hold the truth where the truth is known.

    Each simulation draws a truth from the priors by code that shares nothing with the model
    (`reeuncert.calibration.simulate`), lets the sources of the case report it, and fits the model to these figures; the
    model is compiled once. Ranks are only uniform if the draws that they are taken among are nearly independent: a fit
    with a smaller effective sample size is made again with longer chains, and left out where it is too small still.
    ``fits`` has a row for each. Finished simulations are kept: asked again, or with another number of simulations, only
    the missing ones are fitted.

    Parameters
    ----------
    case
        Its priors are on coordinates. A case cut to some years (`reeuncert.restrict`) takes minutes instead of hours.
    simulations
        Two at least; 20 show gross errors, 200 a coverage of 85 instead of 90 %.
    indicators
        Names of indicators to rank; all by default.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`. Ranks are taken
        among 99 of the draws; the seed is that of truths and fits.

    Returns
    -------
    Calibration

    Raises
    ------
    ReeUncertError
        When fewer draws than ranks are asked for, or a simulation could not be fitted.
    ModelError
        When the priors of the case cannot be simulated forward.
    UnknownIndicatorError
        When an indicator is not known.
    """
    settings = FitSettings.of(options)
    if simulations < FEWEST:
        raise ReeUncertError(f"simulations is {simulations}; a calibration needs 2 at least, and 20 to say much")
    if (draws := settings.draws * settings.chains) < RANKS:
        raise ReeUncertError(f"draws times chains is {draws}; truths are ranked among {RANKS} draws: ask for more")
    names = _names(case, indicators)
    maker = JobMaker(case)
    jobs = [
        maker.job(
            f"simulation {number + 1}",
            truth.case,
            replace(settings, seed=settings.seed + number),
            Position(truth, names, settings.seed, number),
            share=True,
        )
        for number, truth in enumerate(simulated_truths(case, simulations, seed=settings.seed))
    ]
    made = make_sufficient_fits(jobs, options, independent)
    kept = [made.kept(job.name) for job in jobs]
    fits = pd.DataFrame([{name: one.about[name] for name in FIT} for one in kept])
    fits.insert(0, "simulation", range(simulations))
    fits["used"] = [job.name not in made.refused for job in jobs]
    tables = [one.tables["position"] for one, used in zip(kept, fits["used"], strict=True) if used]
    if (count := len(tables)) < FEWEST:
        raise ReeUncertError(f"{count} of {simulations} fits have independent draws; ask for longer chains (thin)")
    labels = tables[0].drop(columns="position")
    return Calibration(case.name, labels, np.array([table["position"] for table in tables]), fits)


def independent(kept: Kept) -> str:
    """Why draws are too dependent for ranks; empty where they are not."""
    return f"ESS {kept.about['ess']:.0f} is below {RANKS}" if kept.about["ess"] < RANKS else ""


def recover(case: Case, *, indicators: Iterable[str] | None = None, **options: Unpack[FitOptions]) -> Recovery:
    """Simulate one truth of a case, report it as its sources would, and see what a fit of the figures finds.

    Unlike `calibrate`, which judges a procedure by many truths, this shows one: how far estimates of unrecorded flows
    are from their true values, and how wide the intervals are.

    Parameters
    ----------
    case, indicators, **options
        As in `calibrate`.

    Returns
    -------
    Recovery
    """
    settings = FitSettings.of(options)
    names, truth = _names(case, indicators), simulate(case, seed=settings.seed)
    job = JobMaker(case).job("recovery", truth.case, settings, Recovered(truth, names), share=True)
    table = make_fits([job], options).kept(job.name).tables["recovery"]
    return Recovery(table, summarise(table), truth)


def _names(case: Case, indicators: Iterable[str] | None) -> tuple[str, ...] | None:
    """The indicators that are asked for, None for all; one that does not exist is refused."""
    return None if indicators is None else tuple(record.name for record in choose(indicators, case))


def _asked(truth: Truth) -> dict[str, object]:
    """The part of a truth that its case does not hold."""
    hidden = {name: dict(getattr(truth, name)) for name in ("source_width", "log_offset")}
    return {**hidden, "mass_flow": truth.mass_flow.tolist()}


@dataclass(frozen=True, eq=False)
class Position:
    """Keeps where a truth lies in the posterior of its figures. ``indicators`` are names, None for all; ties are broken
    at random by the seed of the calibration and the number of the simulation.
    """

    truth: Truth
    indicators: tuple[str, ...] | None
    seed: int
    number: int

    @property
    def asked(self) -> Mapping[str, object]:
        own = {"indicators": self.indicators, "seed": self.seed, "number": self.number, "ranks": RANKS}
        return {"keep": "position", **_asked(self.truth), **own}

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        posterior = dt["posterior"].to_dataset()
        labels, values = quantities(_few(posterior), case, self.indicators)
        _, true = true_quantities(self.truth, posterior, case, self.indicators)
        rng = np.random.default_rng([self.seed, self.number])
        found = positions(true[0, 0], values.reshape(-1, values.shape[2]), rng)
        return Kept(tables={"position": labels.assign(position=found)})


@dataclass(frozen=True, eq=False)
class Recovered:
    """Keeps the truth beside median and interval of every quantity."""

    truth: Truth
    indicators: tuple[str, ...] | None

    @property
    def asked(self) -> Mapping[str, object]:
        return {"keep": "recovery", **_asked(self.truth), "indicators": self.indicators}

    def __call__(self, dt: xr.DataTree, case: Case, left_out: tuple[str, ...]) -> Kept:
        table = recovery_table(self.truth, dt["posterior"].to_dataset(), case, self.indicators)
        return Kept(tables={"recovery": table})


def _few(posterior: xr.Dataset) -> xr.Dataset:
    """About as many draws as ranks are taken among, far apart, as one chain."""
    names = [name for name in (MASS_FLOW, "source_width", "log_offset") if name in posterior]
    flat = posterior[names].stack(sample=("chain", "draw"), create_index=False).drop_vars(["chain", "draw"])
    pick = np.linspace(0, flat.sizes["sample"] - 1, RANKS).round().astype(int)
    kept = flat.isel(sample=pick).rename(sample="draw").expand_dims("chain")
    return kept.assign_coords(chain=[0], draw=np.arange(RANKS))
