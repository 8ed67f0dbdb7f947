"""How late plants open, whether they open at all, and how they ramp up, learned from plants of the past.

Two small models: the posterior is draws of the prior, resampled with the likelihood as weight (exact but for the number
of draws; about a second in all). Mathematics and limits: `docs/method/outlook.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, logit, ndtri

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array
from reeuncert.outlook.plans import DelayPair, Project, RampPoint

Picked = NDArray[np.int64]

EARLY = 1.0  # years before its announced start at which a plant may open at most; delays plus this are lognormal
UNBUILT = ("pre_fid", "study", "announced")
RUNNING = "ramp_up"
_EDGE = 0.1  # half-width, in years, within which the date of an opening is known
_PRIOR_DRAWS, _KEPT, _LEAST = 200_000, 4_000, 200
_LEVEL, _UNBUILT_LATER, _STAGE, _SPREAD = (np.log(2.0), 0.4), (0.4, 0.4), 0.3, (np.log(0.6), 0.35)
_NEVER, _UNBUILT_NEVER, _STAGE_NEVER = (-2.2, 0.8), (1.5, 0.8), 0.5
_FINAL, _FINAL_PLANT = (logit(0.75), 0.6), (np.log(0.4), 0.4)
_YEARS, _YEARS_PLANT, _NOISE = (np.log(2.5), 0.5), (np.log(0.5), 0.4), 0.4


@dataclass(frozen=True, eq=False)
class Delays:
    """Posterior of delays: each array (draw, stage) or (draw,)."""

    stages: tuple[str, ...]  # stages with a column of their own; any other stage has that of the pool, the last one
    # Mean of log (delay + `EARLY`) of plants under construction, by stage, and what is added for those that are not
    level: Array
    later: Array
    spread: Array  # its standard deviation between plants
    # Logit of the probability of never opening, by stage, and what is added for plants not under construction
    never: Array
    less: Array

    def draw(self, rng: np.random.Generator, projects: Sequence[Project], n: int, *, now: float = -np.inf) -> Array:
        """Years from announced start to start, array (project, n); ``inf``: never opens.

        The rows of one project (its stages) share the fate of its first row. Nothing opens before `now`, except
        projects that are ramping up: they opened when announced.
        """
        pick = rng.integers(len(self.spread), size=n)
        out = np.zeros((len(projects), n))
        first: dict[str, int] = {}
        for i, p in enumerate(projects):
            if p.status == RUNNING:
                continue
            k = first.setdefault(p.project, i)
            if k != i:  # another stage of the same project starts as late, measured from its own announced start
                out[i] = np.maximum(out[k], now - p.announced_start)
                continue
            mean, sd, never = self.of(p.stage, p.status, pick)
            bound = (np.log(np.maximum(now - p.announced_start + EARLY, 1e-9)) - mean) / sd
            unopened = np.exp(log_ndtr(-bound))  # among those that ever open
            never = never / (never + (1 - never) * unopened)
            z = -ndtri(np.maximum(unopened * rng.uniform(size=n), 1e-300))  # a normal above its bound
            late = np.exp(mean + sd * z) - EARLY
            out[i] = np.where(rng.uniform(size=n) < never, np.inf, late)
        return out

    def of(self, stage: str, status: str, pick: Picked | slice = slice(None)) -> tuple[Array, Array, Array]:
        """Mean and sd of log (delay + `EARLY`), and probability of never opening: each (draw,)."""
        column = self.stages.index(stage) if stage in self.stages else len(self.stages)
        unbuilt = float(status in UNBUILT)
        mean = self.level[pick, column] + unbuilt * self.later[pick]
        return mean, self.spread[pick], expit(self.never[pick, column] + unbuilt * self.less[pick])


def learn_delays(pairs: Sequence[DelayPair], seed: int = 0) -> Delays:
    """Delays and the probability of never opening, learned from one announcement a project and what became of it.

    An opening gives its delay; a plant that is not open, or has a later date, gives a lower bound, and may never open;
    a cancelled one never opens. Without any, this is the prior. Raises `ReeUncertError` if the figures disagree so much
    with the prior that too few draws remain.

    >>> pair = DelayPair("P", "mining", "start", "study", 2012, 2014, "not_yet", 2026, "s")
    >>> before, after = learn_delays([]), learn_delays([pair])
    >>> bool(after.of("mining", "study")[2].mean() > before.of("mining", "study")[2].mean())
    True
    """
    rng = np.random.default_rng(seed)
    n, stages = _PRIOR_DRAWS, tuple(dict.fromkeys(p.stage for p in pairs))

    def normal(mean: float, sd: float, *size: int) -> Array:
        return rng.normal(mean, sd, (n, *size))

    apart, apart_never = normal(0, _STAGE, len(stages) + 1), normal(0, _STAGE_NEVER, len(stages) + 1)
    level, later, spread = normal(*_LEVEL, 1) + apart, normal(*_UNBUILT_LATER), np.exp(normal(*_SPREAD))
    never, less = normal(*_NEVER, 1) + apart_never, normal(*_UNBUILT_NEVER)
    drawn = Delays(stages, level, later, spread, never, less)
    log_weight = np.zeros(n)
    for pair in pairs:
        mean, sd, closed = drawn.of(pair.stage, pair.status)
        late = pair.outcome_date - pair.announced_start + EARLY
        if pair.outcome == "cancelled":
            log_weight += np.log(closed)
            continue
        above = np.exp(log_ndtr((mean - np.log(max(late - _EDGE, 1e-9))) / sd))
        if pair.outcome == "opened":
            beyond = np.exp(log_ndtr((mean - np.log(max(late + _EDGE, 2e-9))) / sd))
            log_weight += np.log((1 - closed) * np.maximum(above - beyond, 1e-300))
        else:
            log_weight += np.log(closed + (1 - closed) * above)
    pick = _resampled(log_weight, rng, "delays")
    return Delays(stages, level[pick], later[pick], spread[pick], never[pick], less[pick])


@dataclass(frozen=True, eq=False)
class Ramp:
    """Posterior of ramps of a new plant: `final` output over nameplate and `years` to reach it, each (draw,)."""

    final: Array
    years: Array

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Array, Array]:
        """Final output over nameplate, and years from start to it (output grows linearly), each (n,)."""
        pick = rng.integers(len(self.final), size=n)
        return self.final[pick], self.years[pick]


def learn_ramp(points: Sequence[RampPoint], seed: int = 0) -> Ramp:
    """How plants ramp up, learned from output over nameplate in years after their start; points of one plant share its
    ramp. Without any, this is the prior.

    >>> slow = learn_ramp([RampPoint("P", "separation", 2.0, 0.2, "s")])
    >>> bool(np.median(slow.years) > np.median(learn_ramp([]).years))
    True
    """
    rng = np.random.default_rng(seed)
    n = _PRIOR_DRAWS
    level, spread = rng.normal(*_FINAL, n), np.exp(rng.normal(*_FINAL_PLANT, n))
    time, between = rng.normal(*_YEARS, n), np.exp(rng.normal(*_YEARS_PLANT, n))
    log_weight = np.zeros(n)
    for plant in dict.fromkeys(p.plant for p in points):
        final = expit(level + spread * rng.normal(size=n))
        years = np.exp(time + between * rng.normal(size=n))
        for p in points:
            if p.plant == plant:
                ramp = final * np.minimum(p.years_since_start / years, 1.0)
                miss = np.log((ramp + 0.01) / (p.utilisation + 0.01)) / _NOISE  # one per cent of nameplate is zero
                log_weight -= 0.5 * miss**2
    pick = _resampled(log_weight, rng, "ramps")
    final = expit(level[pick] + spread[pick] * rng.normal(size=len(pick)))
    return Ramp(final, np.exp(time[pick] + between[pick] * rng.normal(size=len(pick))))


def _resampled(log_weight: Array, rng: np.random.Generator, what: str) -> Picked:
    """Draws of the prior, as often as their weights say."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    effective = 1 / (weight**2).sum()
    if effective < _LEAST:
        message = f"the figures on {what} contradict the prior: {effective:.0f} of {len(weight):,} draws carry the "
        message += f"posterior (at least {_LEAST} are needed); look for a wrong date or unit in them"
        raise ReeUncertError(message)
    return rng.choice(len(weight), _KEPT, p=weight)
