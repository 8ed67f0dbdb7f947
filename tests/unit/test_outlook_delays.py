"""Delays and ramps learned from plants of the past, against integrals over a grid and simulated truths."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

import reeuncert as ree
from reeuncert.errors import ReeUncertError
from reeuncert.outlook.delays import EARLY, learn_delays, learn_ramp
from reeuncert.outlook.plans import DelayPair, Project, RampPoint
from reeuncert.outlook.reading import folder_of, read_plans

OPEN = DelayPair("A", "mining", "start", "construction", 2010, 2012, "opened", 2013.5, "s")
PROJECT = Project("P", "North", "mining", 1.0, "kt", "REO", 1.0, 2027.0, 2025.0, "construction", "s")


def test_posterior_is_that_of_the_integral_over_a_grid() -> None:
    """Three openings, one plant that is late and one that was cancelled, all of one kind: three unknowns are left."""
    pairs = [
        OPEN,
        replace(OPEN, project="B", outcome_date=2012.2),
        replace(OPEN, project="C", outcome_date=2016),
        replace(OPEN, project="D", outcome="not_yet", outcome_date=2020),
        replace(OPEN, project="E", outcome="cancelled"),
    ]
    level, log_spread, never = np.meshgrid(
        *(np.linspace(m - 5 * s, m + 5 * s, 81) for m, s in [(np.log(2), 0.5), (np.log(0.6), 0.35), (-2.2, 0.943398)]),
        indexing="ij",
    )
    weight = norm.pdf(level, np.log(2), 0.5) * norm.pdf(log_spread, np.log(0.6), 0.35)
    weight *= norm.pdf(never, -2.2, np.hypot(0.8, 0.5))
    q, spread = expit(never), np.exp(log_spread)
    for late in (1.5, 0.2, 4.0):
        ends = [norm.cdf((np.log(late + EARLY + e) - level) / spread) for e in (-0.1, 0.1)]
        weight *= (1 - q) * (ends[1] - ends[0])
    weight *= q * (q + (1 - q) * norm.sf((np.log(8 + EARLY - 0.1) - level) / spread))
    weight /= weight.sum()
    found = learn_delays(pairs, seed=3)
    times = np.unique(found.spread, return_counts=True)[1]  # that each draw was picked
    error = np.sqrt((times * (times - 1)).sum() / len(found.spread) ** 2 + 1 / len(found.spread))
    for got, value in zip(found.of("mining", "construction"), (level, spread, q), strict=True):
        mean = (weight * value).sum()
        sd = np.sqrt((weight * (value - mean) ** 2).sum())
        assert abs(got.mean() - mean) < 4 * sd * error


def test_a_simulated_truth_is_recovered() -> None:
    rng = np.random.default_rng(5)
    pairs = []
    for k in range(30):
        late, opens = np.exp(rng.normal(0.9, 0.5)) - EARLY, rng.uniform() < 0.7
        seen = 2012 + late < 2018 and opens
        outcome = ("opened", 2012 + late) if seen else ("not_yet", 2018)
        pairs.append(replace(OPEN, project=f"P{k}", outcome=outcome[0], outcome_date=float(outcome[1])))
    mean, spread, never = learn_delays(pairs).of("mining", "construction")
    for got, truth in ((mean, 0.9), (spread, 0.5), (never, 0.3)):
        low, high = np.quantile(got, [0.01, 0.99])
        assert low < truth < high


def test_prior_is_what_an_analyst_would_say() -> None:
    prior = learn_delays([])
    built, study = (prior.of("mining", status) for status in ("construction", "study"))
    assert 0.5 < np.exp(np.median(built[0])) - EARLY < 2
    assert 0.05 < np.median(built[2]) < 0.2 < np.median(study[2]) < 0.5
    ramp = learn_ramp([])
    assert 0.6 < np.median(ramp.final) < 0.85
    assert 1 < np.median(ramp.years) < 5


def test_draws_open_after_now_and_stages_of_a_project_together() -> None:
    projects = [
        PROJECT,
        replace(PROJECT, stage="separation", announced_start=2028.0),
        replace(PROJECT, project="R", status="ramp_up", announced_start=2024.0),
        replace(PROJECT, project="O", announced_start=2014.0),
    ]
    delays = learn_delays([OPEN, replace(OPEN, project="D", outcome="not_yet", outcome_date=2016)])
    late = delays.draw(np.random.default_rng(1), projects, 2000, now=2026.0)
    start = late + np.array([p.announced_start for p in projects])[:, None]
    assert (start[[0, 1, 3]] >= 2026.0 - 1e-9).all()
    assert (late[2] == 0).all()
    assert (np.isinf(late[0]) == np.isinf(late[1])).all()
    mean, spread, never = delays.of("mining", "construction")
    unopened = norm.sf((np.log(12 + EARLY) - mean) / spread)
    expected = (never / (never + (1 - never) * unopened)).mean()
    assert np.isinf(late[3]).mean() == pytest.approx(expected, abs=0.04)
    assert np.isinf(late[3]).mean() > np.isinf(late[0]).mean()


def test_a_slow_plant_makes_later_plants_slower() -> None:
    points = [RampPoint("A", "mining", t, 0.6 * min(t / 8, 1), "s") for t in (1, 4, 8, 12)]
    final, years = learn_ramp(points).draw(np.random.default_rng(1), 4000)
    assert np.median(years) > 1.2 * np.median(learn_ramp([]).years)
    assert ((final > 0) & (final < 1)).all()


def test_figures_that_contradict_the_prior_are_named() -> None:
    absurd = [replace(OPEN, project=f"P{k}", outcome_date=2012 + 40.0 + k) for k in range(12)]
    with pytest.raises(ReeUncertError, match="delays contradict the prior"):
        learn_delays(absurd)


@pytest.mark.parametrize("cut", [2012, 2018])
def test_plans_of_an_earlier_year_hold_nothing_later(cut: int) -> None:
    case = ree.read_case("china_us_row")
    past = ree.restrict(case, range(case.system.years[0], cut + 1))
    plans = read_plans(folder_of(case) / str(cut), past)
    assert all(p.announced_on < cut + 1 and p.announced_start < cut + 5 for p in plans.projects)
    assert all(g.first_year <= cut for g in plans.growth)
    printed = {s.source_id: int(re.findall(r"(?:19|20)\d\d", s.edition)[-1]) for s in plans.sources}
    used = {row.source_id for row in (*plans.projects, *plans.growth)}
    assert max(printed.get(source, cut) for source in used) <= cut
