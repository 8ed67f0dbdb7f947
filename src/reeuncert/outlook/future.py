"""What an outlook draws of the future: the paths of the coordinates, growth, and the openings of projects.

No evidence speaks of future years, so that the posterior of an extended case is the posterior of the past times the
prior of the future given the past. The prior is one Gaussian, u ~ N(m, C), block by block, and the past is a subset P
of its coordinates: u_F | u_P ~ N(m_F + C_FP C_PP⁻¹ (u_P − m_P), C_FF − C_FP C_PP⁻¹ C_PF). So nothing is fitted again.

Every row of growth has random numbers of its own, so that scenarios differ by what they assume alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self
from zlib import crc32

import numpy as np
import xarray as xr

from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array
from reeuncert.outlook.delays import learn_delays, learn_ramp
from reeuncert.outlook.plans import BASE, ON_TIME, GrowthFigure, OutlookScenario, Plans
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior

MOST_AT_ONCE = 500  # draws whose flows of all years are in memory together


def past_coordinates(dt: xr.DataTree, case: Case) -> Array:
    """Coordinates of the posterior, array (sample, coordinate). Raises `ReeUncertError` if the case has no Gaussian
    prior on coordinates, or the draws do not hold them.
    """
    if case.prior_measure != "coordinates":
        message = "an outlook needs a case with prior_measure = coordinates, whose paths run on"
        raise ReeUncertError(f"{message}; '{case.name}' has '{case.prior_measure}'")
    if "z" not in dt["posterior"]:
        raise ReeUncertError("this result holds no coordinates ('posterior/z'); use one that `sample` returned")
    z = dt["posterior"]["z"].transpose("chain", "draw", "coordinate").values
    prior = coordinate_prior(case, case_network(case))
    return np.asarray(prior.mean + prior.factor.apply(z.reshape(-1, z.shape[-1])))


def with_future(past: Array, case: Case, extended: Case, rng: np.random.Generator) -> tuple[Array, Network]:
    """Coordinates of an extended case: those of the past as they are, (sample, coordinate), and the others drawn given
    them; with the network of the extended case.
    """
    network = case_network(extended)
    prior = coordinate_prior(extended, network)
    old = {label: k for k, label in enumerate(case_network(case).coordinate_labels)}
    source = np.array([old.get(label, -1) for label in network.coordinate_labels])
    u = np.empty((len(past), prior.mean.size))
    solved: dict[tuple[bytes, bytes], tuple[Array, Array]] = {}  # many paths have the same prior
    for block in prior.blocks:
        known = source[block.index] >= 0
        at, ahead = block.index[known], block.index[~known]
        u[:, at] = past[:, source[at]]
        if not ahead.size:
            continue
        key = block.covariance.tobytes(), known.tobytes()
        if key not in solved:
            both = block.covariance[np.ix_(~known, known)]
            gain = np.linalg.lstsq(block.covariance[np.ix_(known, known)], both.T, rcond=1e-12)[0].T
            left = block.covariance[np.ix_(~known, ~known)] - gain @ both.T
            size, axes = np.linalg.eigh((left + left.T) / 2)
            solved[key] = gain, axes * np.sqrt(np.maximum(size, 0.0))
        gain, root = solved[key]
        noise = rng.standard_normal((len(past), ahead.size)) @ root.T
        u[:, ahead] = prior.mean[ahead] + (u[:, at] - prior.mean[at]) @ gain.T + noise
    return u, network


def flows_from(u: Array, network: Network, first: int) -> Array:
    """Flows of the years from ``first`` on, array (flow, sample, year); NaN where a flow is absent."""
    start = network.system.year_index[first]
    shape = (len(network.system.flows), len(u), len(network.system.years) - start)
    out = np.full(shape, np.nan)
    kept = np.flatnonzero(network.edge_year >= start)
    for sample in range(0, len(u), MOST_AT_ONCE):
        part = slice(sample, sample + MOST_AT_ONCE)
        edges = flows_of_draws(u[part], network)[:, kept]
        out[network.edge_flow[kept], part, network.edge_year[kept] - start] = edges.T
    return out


def generator(seed: int, *key: str) -> np.random.Generator:
    """Random numbers of one subject, the same in every scenario."""
    return np.random.default_rng([seed, crc32(" ".join(key).encode())])


def row_for(rows: Sequence[GrowthFigure], subject: str, scenario: str, region: str, name: str) -> GrowthFigure | None:
    """The row of growth.csv that holds: the most specific one of the scenario, else of the base.

    >>> base = GrowthFigure("demand", "base", "", "", 0.02, 0.01, 0.0, 2020, 2030, "s")
    >>> own = GrowthFigure("demand", "base", "", "glass", 0.05, 0.01, 0.0, 2020, 2030, "s")
    >>> row_for([base, own], "demand", "high", "North", "glass") is own
    True
    """
    for chosen in dict.fromkeys((scenario, BASE)):
        for place, what in ((region, name), ("", name), (region, ""), ("", "")):
            for row in rows:
                if (row.subject, row.scenario, row.region, row.name) == (subject, chosen, place, what):
                    return row
    return None


def growth(
    row: GrowthFigure | None, base: GrowthFigure | None, place: str, years: int, samples: int, seed: int
) -> Array:
    """Factor on the value of the last year, array (sample, future year): exp(t (rate + sd z) + walk Σ ε).

    All that one row of the ``base`` speaks of has the same z, in every scenario; every place has steps ε of its own.
    """
    if row is None:
        return np.ones((samples, years))
    shared = base or row
    mean = generator(seed, shared.subject, shared.region, shared.name).standard_normal((samples, 1))
    steps = generator(seed, row.subject, place).standard_normal((samples, years))
    t = np.arange(1, years + 1)
    return np.asarray(np.exp(t * (row.rate + row.sd * mean) + row.walk * np.cumsum(steps, axis=1)))


@dataclass(frozen=True, eq=False)
class PastGrowth:
    """How places (regions, plants) grew apart in the years that are known."""

    own: Array  # log growth a year beyond the mean of the places, array (place, sample)
    spread: Array  # its standard deviation between places, array (sample,)

    @classmethod
    def of(cls, series: Array) -> Self:
        """From masses (place, sample, year): the slope of their logs over the years that have something in each draw.

        A place that has something in fewer than half of the years grew as the mean.

        >>> t = np.arange(8)
        >>> past = PastGrowth.of(np.exp([[0.05 * t], [0.01 * t]]))
        >>> past.own.round(3).tolist(), past.spread.round(3).tolist()
        ([[0.02], [-0.02]], [0.028])
        """
        there = (series > 0).all(axis=1)
        known = np.flatnonzero(there.sum(axis=1) >= max(3, (series.shape[2] + 1) // 2))
        own = np.zeros(series.shape[:2])
        if known.size < 2:
            return cls(own, np.zeros(series.shape[1]))
        for k in known:
            t = np.flatnonzero(there[k]) - np.flatnonzero(there[k]).mean()
            own[k] = (np.log(series[k][:, there[k]]) * t).sum(axis=1) / (t**2).sum()
        own[known] -= own[known].mean(axis=0)
        return cls(own, own[known].std(axis=0, ddof=1))

    def ahead(self, place: int, years: int, seed: int, *key: str) -> Array:
        """Factor by which a place grows beyond what is said of all, array (sample, future year).

        Its own growth goes on in part: φ own + √(1 − φ²) spread y, with one φ uniform on 0 to 1 for all places.
        """
        part = generator(seed, key[0], "persistence").uniform(size=len(self.spread))
        fresh = generator(seed, *key, "own").standard_normal(len(self.spread))
        rate = part * self.own[place] + np.sqrt(1 - part**2) * self.spread * fresh
        return np.asarray(np.exp(np.arange(1, years + 1) * rate[:, None]))


_delays, _ramp = cache(learn_delays), cache(learn_ramp)


@dataclass(frozen=True, eq=False)
class Openings:
    """Projects in every draw."""

    start: Array  # decimal year in which a project starts, array (project, sample); ``inf``: never
    working: Array  # part of its capacity that works, array (project, sample, future year)


def openings(plans: Plans, scenario: OutlookScenario, years: Sequence[int], samples: int, seed: int) -> Openings:
    """Draw when projects open, and how they run in: a line from zero at the start to the utilisation reached.

    A plant that runs already (status ramp_up) starts its additional capacity with the first future year.
    """
    projects, now = plans.projects, float(years[0])
    late = np.zeros((len(projects), samples))
    if scenario.delays != ON_TIME and projects:
        late = _delays(plans.delays).draw(generator(seed, "delays"), projects, samples, now=now)
    start = np.maximum(np.array([p.announced_start for p in projects]).reshape(-1, 1) + late, now)
    start[[p.project in scenario.fails for p in projects]] = np.inf
    working = np.zeros((len(projects), samples, len(years)))
    ramp = _ramp(plans.ramp)
    for k, project in enumerate(projects):
        use, over = (values[:, None] for values in ramp.draw(generator(seed, "ramp", project.project), samples))
        ends = np.array(years), np.array(years) + 1  # of each year: as it begins, and as the next one does
        before, after = (_output(np.maximum(end - start[k][:, None], 0.0), over) for end in ends)
        working[k] = use * (after - before)
    return Openings(start, working)


def _output(age: Array, over: Array) -> Array:
    """Output since the start, in years of full output: the integral of min(a / over, 1)."""
    rising = np.minimum(age, over)
    return np.asarray(rising**2 / (2 * np.maximum(over, 1e-9)) + age - rising)
