"""Hindcasts: what an outlook from an earlier year would have said, beside what came and beside naive forecasts.

A case is cut to the years up to one, fitted, and looked ahead from with the plans and projections of that time
(`outlook/YEAR/` in the folder of the case). What came is the posterior of the whole case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict, speaks_of
from reeuncert.errors import CaseError, Problem
from reeuncert.indicators.compute import indicators_of
from reeuncert.indicators.flows import REFINED, Array, FlowTable
from reeuncert.inference.sample import sample
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.predictive import new_figures
from reeuncert.model import build_model
from reeuncert.outlook.plans import Plans
from reeuncert.outlook.reading import PROJECTS, folder_of, read_plans
from reeuncert.outlook.run import outlook
from reeuncert.priors.coverage import case_network
from reeuncert.result.result import Result
from reeuncert.words.cells import listed
from reeuncert.words.estimates import estimate, number
from reeuncert.words.units import unit_factor

QUANTITIES: Mapping[str, str] = {
    "mining": "mine_production",
    "separation": "refined_production",
    "imports": "imports",
    "exports": "exports",
    "consumption": "apparent_consumption",
}
"""Quantity of a hindcast → indicator, of refined products where it has products."""
PRINTED = ("exact", "revised", "derived", "estimate")  # qualifiers of a reported figure that says a value, and no bound
NAIVE = ("last", "trend")
BANDS = (0.5, 0.9)
SHARE_OF_90 = (0.80, 0.97)  # coverage of 90 % bands between which a hindcast counts as passed
_DRAWS = 1000


def hindcast(
    dt: xr.DataTree,
    years: Sequence[int],
    *,
    folder: Path | None = None,
    draws: int = 250,
    chains: int = 4,
    seed: int = 1,
    quiet: bool = True,
) -> pd.DataFrame:
    """Forecast from earlier years to the end of a case, and score the forecasts.

    Parameters
    ----------
    dt
        Result of the whole case: what came.
    years
        Last years of what each forecast knows; each needs a folder of plans, named by the year, in `folder`.
    folder
        Folder of the plans; by default ``outlook`` in the folder of the case.
    draws, chains, seed, quiet
        Of the fits, see `reeuncert.sample`.

    Returns
    -------
    DataFrame
        One row a quantity, region and forecast year: ``forecast_from``, ``quantity``, ``region``, ``year``, ``unit``;
        ``truth``, ``truth_lb``, ``truth_ub`` (median and 90 % interval of the whole case); ``median``, ``eti50_lb`` …
        ``eti90_ub`` of the forecast; ``inside50``, ``inside90`` (share of the draws of the truth inside the bands);
        ``crps``, and ``crps_last``, ``crps_trend`` of the naive forecasts (mass; less is better). Rows of quantity
        ``printed`` compare reported levels of later years with draws of what their source would print: with all errors
        that the model gives it, those learned up to the forecast year as learned. Their region is the id of the figure,
        and they have no naive forecast.

    Raises
    ------
    CaseError
        If a year leaves nothing to forecast, or has no plans.

    See Also
    --------
    hindcast_verdict : the table in sentences.
    """
    case = Result(dt).case
    place = folder_of(case) if folder is None else folder
    cuts = {year: _past(case, year, place) for year in years}  # all problems before the first fit
    truth = _series(dt)
    tables = []
    for past, plans in cuts.values():
        fit = sample(build_model(past), draws=draws, chains=chains, seed=seed, quiet=quiet)
        ahead = outlook(fit, plans, to=case.system.years[-1], seed=seed)
        tables += [scored(_series(fit), _series(ahead), truth, seed=seed), _printed(case, fit, ahead, seed)]
    return pd.concat(tables, ignore_index=True)


def _past(case: Case, year: int, folder: Path) -> tuple[Case, Plans]:
    """The case as far as a year, with the plans and what was known of delays then."""
    first, last = case.system.years[0], case.system.years[-1]
    if not first + 2 < year < last:
        message = f"{year} leaves nothing to learn from or to forecast; give a year between {first + 3} and {last - 1}"
        raise CaseError([Problem("hindcast", 0, "", message)])
    past = replace(restrict(case, range(first, year + 1)), path=case.path)
    place = folder / str(year)
    if not (place / PROJECTS).is_file():
        there = sorted(p.parent.name for p in folder.glob(f"[0-9]*/{PROJECTS}"))
        message = f"there are no plans of {year}; the case has those of {listed(there) or 'no year'}"
        raise CaseError([Problem(f"{folder.name}/{year}/{PROJECTS}", 0, "", message)])
    return past, known_by(read_plans(folder, case), read_plans(place, past), year + 1)


def known_by(now: Plans, then: Plans, date: float) -> Plans:
    """Plans of a date: its projects and projections, with what was known of delays and ramps by that date."""
    pairs = [
        p if p.outcome_date <= date else replace(p, outcome="not_yet", outcome_date=date)
        for p in now.delays
        if p.announced_on < date
    ]
    opened = {p.project: p.outcome_date for p in pairs if p.outcome == "opened"}
    ramp = [p for p in now.ramp if opened.get(p.plant, np.inf) + p.years_since_start < date]
    return replace(then, delays=tuple(pairs), ramp=tuple(ramp), lifetimes=now.lifetimes)


Series = Mapping[tuple[str, str], tuple[tuple[int, ...], Array]]
"""(quantity, region) → years, and masses (draw, year); zero where a region has no such flow."""


def _series(dt: xr.DataTree) -> Series:
    result = Result(dt)
    data = result.dt["posterior"].to_dataset()
    every = max(1, data.sizes["chain"] * data.sizes["draw"] // _DRAWS)
    table = FlowTable.from_dataset(data.isel(draw=slice(None, None, every)), result.case)
    found = indicators_of(table, QUANTITIES.values())
    out = {}
    for quantity, name in QUANTITIES.items():
        values = found[name]
        if "product" in values.dims:
            values = values.sel(product=REFINED)
        for region in table.regions:
            mass = values.sel(region=region).transpose("chain", "draw", "year").values
            out[quantity, region] = (table.years, np.nan_to_num(mass.reshape(-1, len(table.years))))
    return out


def scored(known: Series, ahead: Series, truth: Series, seed: int = 1) -> pd.DataFrame:
    """Forecasts beside what came: the rows of `hindcast` for one year of departure.

    >>> flat = {("mining", "North"): ((2001, 2002, 2003, 2004), np.full((3, 4), 5.0))}
    >>> table = scored({k: (y[:3], m[:, :3]) for k, (y, m) in flat.items()}, flat, flat)
    >>> table[["forecast_from", "year", "crps", "inside90"]].values.tolist()
    [[2003.0, 2004.0, 0.0, 1.0]]
    """
    rng = np.random.default_rng(seed)
    rows = []
    for (quantity, region), (years, past) in known.items():
        then = years[-1]
        came_years, came = truth[quantity, region]
        ahead_years, drawn = ahead[quantity, region]
        span = [y for y in ahead_years if then < y <= came_years[-1]]
        naive = dict(zip(NAIVE, naive_forecasts(np.median(past, axis=0), len(span), len(past), rng), strict=True))
        for h, year in enumerate(span):
            real = came[:, came_years.index(year)]
            row = {"forecast_from": then, "quantity": quantity, "region": region, "year": year}
            row |= _beside(drawn[:, ahead_years.index(year)], real)
            row |= {f"crps_{name}": crps(values[:, h], real) for name, values in naive.items()}
            rows.append(row)
    return pd.DataFrame(rows)


def _beside(forecast: Array, real: Array) -> dict[str, float]:
    row = dict(zip(("truth", "truth_lb", "truth_ub"), np.quantile(real, [0.5, 0.05, 0.95]).tolist(), strict=True))
    row["median"] = float(np.median(forecast))
    for band in BANDS:
        low, high = np.quantile(forecast, [(1 - band) / 2, (1 + band) / 2])
        name = f"{band:.0%}".rstrip("%")
        row |= {f"eti{name}_lb": low, f"eti{name}_ub": high}
        row[f"inside{name}"] = float(np.mean((real >= low) & (real <= high)))
    return row | {"crps": crps(forecast, real)}


def _printed(case: Case, fit: xr.DataTree, ahead: xr.DataTree, seed: int) -> pd.DataFrame:
    """Reported levels of one later year beside the forecast of what would be printed; zero, where it has no flow."""
    then, system = Result(fit).years[-1], Result(ahead).case.system
    told = tuple(row for row in case.evidence if {*row.years, *row.of_years} <= set(system.years))
    longer = replace(case, system=system, evidence=tuple(row for row in told if speaks_of(row, system)))
    evidence = compile_evidence(longer, case_network(longer))
    masses, rng = Result(ahead).masses(), np.random.default_rng(seed)
    figures = evidence.to_unit(new_figures(evidence, masses, fit["posterior"].to_dataset(), rng))
    place = {name: k for k, name in enumerate(evidence.ids)}
    rows = []
    for row in told:
        if len(row.years) != 1 or not row.years[0] > then or row.relation != "level" or row.qualifier not in PRINTED:
            continue
        unit = unit_factor(row.unit, row.relation, system.unit)
        forecast = figures[:, place[row.id]] if row.id in place else np.zeros(len(masses))
        said: dict[str, object] = {"forecast_from": then, "quantity": "printed", "region": row.id, "year": row.years[0]}
        rows.append(said | _beside(unit * forecast, np.array([unit * row.value])))
    return pd.DataFrame(rows)


def naive_forecasts(past: Array, steps: int, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The last value, and a linear trend, each with the spread of its own past errors: two arrays (draw, step).

    The last value wanders by the root mean square of its past yearly changes (of the logs, where nothing was zero); the
    trend is the least-squares line through all years, with Student's t of its residuals and coefficients.
    """
    ahead = np.arange(1, steps + 1)
    wander = rng.normal(size=(n, steps)) * np.sqrt(ahead)
    if (past > 0).all():
        last = past[-1] * np.exp(np.sqrt(np.mean(np.diff(np.log(past)) ** 2)) * wander)
    else:
        last = past[-1] + np.sqrt(np.mean(np.diff(past) ** 2)) * wander
    t = np.arange(len(past)) - (len(past) - 1) / 2
    slope = (t * past).sum() / (t**2).sum()
    left = past - past.mean() - slope * t
    then = t[-1] + ahead
    sd = np.sqrt((left**2).sum() / (len(past) - 2) * (1 + 1 / len(past) + then**2 / (t**2).sum()))
    trend = past.mean() + slope * then + sd * rng.standard_t(len(past) - 2, size=(n, steps))
    return np.maximum(last, 0.0), np.maximum(trend, 0.0)


def crps(forecast: Array, truth: Array) -> float:
    """Continuous ranked probability score, averaged over draws of the truth: E|X − Y| − E|X − X′|/2; less is better.

    >>> crps(np.array([2.0]), np.array([5.0])), crps(np.array([0.0, 2.0]), np.array([1.0]))
    (3.0, 0.5)
    """
    x = np.sort(forecast)
    n = len(x)
    spread = 2 * ((2 * np.arange(1, n + 1) - n - 1) * x).sum() / n**2
    below = np.concatenate([[0.0], np.cumsum(x)])
    k = np.searchsorted(x, truth)
    apart = (truth * k - below[k] + below[-1] - below[k] - truth * (n - k)) / n
    return float(apart.mean() - spread / 2)


def relative_scores(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage and scores by ``forecast_from`` and ``quantity``, scores relative to the mean truth of the series."""
    scores = ["crps", *(f"crps_{name}" for name in NAIVE)]
    table = table[table["quantity"] != "printed"]
    size = table.groupby(["forecast_from", "quantity", "region"])["truth"].transform("mean")
    there = table[size > 0].copy()
    there[scores] = there[scores].div(size[size > 0], axis=0)
    return there.groupby(["forecast_from", "quantity"], sort=False)[["inside50", "inside90", *scores]].mean()


def hindcast_verdict(table: pd.DataFrame) -> list[str]:
    """A table from `hindcast` in sentences, the verdict first."""
    by = relative_scores(table)
    whole = by.mean()
    starts = " and ".join(str(year) for year in dict.fromkeys(table["forecast_from"]))
    better = {name: 1 - whole["crps"] / whole[f"crps_{name}"] for name in NAIVE}
    names = {"last": "the last value", "trend": "a linear trend"}
    passed = SHARE_OF_90[0] <= whole["inside90"] <= SHARE_OF_90[1] and min(better.values()) > 0
    compared = " and ".join(_compared(gain, names[name]) for name, gain in better.items())
    said = [
        f"Forecasts of this kind from {starts} {'passed' if passed else 'failed'}: their 90 % bands held "
        f"{_percent(whole['inside90'])} of what came and their 50 % bands {_percent(whole['inside50'])}; their "
        f"score (CRPS) was {compared}."
    ]
    if whole["inside90"] < SHARE_OF_90[0]:
        said.append(f"So read a 90 % band of the outlook as one of about {_percent(whole['inside90'])}.")
    printed = table[table["quantity"] == "printed"]
    if len(printed):
        inside = _percent(printed["inside90"].mean())
        where = "in the 90 % band of the forecast with the errors of its source"
        said.append(f"Of {len(printed)} later printed figures, {inside} lay {where}.")
    for year, part in by.groupby(level="forecast_from"):
        parts = [f"{row['quantity']} {_percent(row['inside90'])}" for _, row in part.reset_index().iterrows()]
        gain = 1 - part["crps"].mean() / part["crps_last"].mean()
        held = f"{_percent(part['inside90'].mean())} ({', '.join(parts)})"
        said.append(f"From {year}, 90 % bands held {held}, and the score was {_compared(gain, names['last'])}.")
        last = table[(table["forecast_from"] == year) & (table["year"] == table["year"].max())]
        missed = last[(last["inside90"] < 0.5) & (last["quantity"] != "printed")]
        parts = [
            f"{row['quantity']} {row['region']} {estimate(row['median'], row['eti90_lb'], row['eti90_ub'])} "
            f"against {number(row['truth'])}"
            for _, row in missed.iterrows()
        ]
        if parts:
            said.append(f"Outside the 90 % band in {last['year'].max()}: {'; '.join(parts)}.")
    return said


def _compared(gain: float, naive: str) -> str:
    return f"{_percent(abs(gain))} {'better' if gain > 0 else 'worse'} than {naive}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
