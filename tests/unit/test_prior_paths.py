"""The joint prior of the coordinates: what its covariance says, against simulated paths and hand-worked numbers."""

import numpy as np
import pytest

from reeuncert.balance.factor import PathFactor
from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Prior
from reeuncert.errors import ModelError
from reeuncert.priors.paths import _block, _blocks, _spread
from reeuncert.system.definition import Selector


def row(name: str = "r", kind: str = "share", **fields: object) -> Prior:
    return Prior(name=name, group="g", kind=kind, selector=Selector.of(), years=(2000, 2001, 2002), **fields)  # type: ignore[arg-type]  # fields vary


def test_level_and_deviation_make_the_covariance_of_a_simulated_path():
    years = np.array([2000, 2001, 2002, 2003])
    rows = [row(level_sd=0.6, year_sd=0.4, correlation=0.7)] * 4
    block = _block(np.arange(4), ["p"] * 4, ["p"] * 4, years, rows, [_spread(r, "share", 0.0) for r in rows])
    rng = np.random.default_rng(1)
    deviation = np.empty((200_000, 4))
    deviation[:, 0] = rng.normal(size=200_000)
    for t in range(1, 4):
        deviation[:, t] = 0.7 * deviation[:, t - 1] + np.sqrt(1 - 0.49) * rng.normal(size=200_000)
    path = 0.6 * rng.normal(size=(200_000, 1)) + 0.4 * deviation
    assert np.allclose(np.cov(path.T), block.covariance, atol=0.01)
    factor = PathFactor.of([(np.arange(4), block.loads, block.yearly, block.carry)]).apply(np.eye(4)).T
    assert np.allclose(factor @ factor.T, block.covariance)
    assert np.allclose(factor, np.tril(factor))


def test_a_slope_on_a_covariate_adds_its_outer_product():
    years = np.array([2000, 2001])
    rows = [row(level_sd=0.5, slope_on="t", slope_sd=2.0)] * 2
    spread = [_spread(r, "share", c) for r, c in zip(rows, (0.0, 1.5), strict=True)]
    covariance = _block(np.arange(2), ["p", "p"], ["p", "p"], years, rows, spread).covariance
    assert np.allclose(covariance, [[0.25, 0.25], [0.25, 0.25 + 9.0]])


def test_rows_that_share_a_level_are_one_block_and_others_are_not():
    names = ["a", "b", "c"]
    rows = [row(level_sd=0.5, year_sd=0.1, shared="k"), row(level_sd=0.4, year_sd=0.1, shared="k"), row(level_sd=0.3)]
    blocks = _blocks(names, ["share"] * 3, np.array([2000] * 3), rows, np.zeros(3))
    assert sorted(tuple(b.index) for b in blocks) == [(0, 1), (2,)]
    pair = next(b for b in blocks if b.index.size == 2)
    assert np.allclose(pair.covariance, [[0.26, 0.2], [0.2, 0.17]])


def test_a_path_that_shares_its_level_in_some_years_only_is_one_block():
    names, years = ["a", "a", "b"], np.array([2000, 2001, 2001])
    rows = [row(level_sd=0.5), row(level_sd=0.5, shared="k"), row(level_sd=0.5, shared="k")]
    blocks = _blocks(names, ["share"] * 3, years, rows, np.zeros(3))
    assert [tuple(b.index) for b in blocks] == [(0, 1, 2)]
    assert np.allclose(blocks[0].covariance, [[0.25, 0, 0], [0, 0.25, 0.25], [0, 0.25, 0.25]])


def test_the_split_of_a_total_takes_the_spread_of_the_split():
    total = row(kind="share", level_sd=0.9, year_sd=0.9, split_sd=0.2)
    assert _spread(total, "split", 0.0) == (0.2, 0.0, 0.0)
    assert _spread(total, "share", 0.0) == (0.9, 0.9, 0.0)


def test_a_prior_without_spread_is_refused():
    rows = [row(name="x")] * 2
    with pytest.raises(ModelError, match=r"priors without spread: x; give level_sd or year_sd above 0"):
        _blocks(["a", "a"], ["share"] * 2, np.array([2000, 2001]), rows, np.zeros(2))


def test_years_without_a_flow_count_as_time_passed():
    rows = [row(year_sd=2.0, correlation=0.9)] * 2
    (block,) = _blocks(["a", "a"], ["share"] * 2, np.array([2000, 2005]), rows, np.zeros(2))
    assert block.covariance[0, 1] == pytest.approx(4 * 0.9**5)


def test_a_block_holds_its_paths_one_after_the_other():
    rows = [row(level_sd=0.5, year_sd=0.1, correlation=0.5, shared="k")] * 4
    (block,) = _blocks(["a", "b", "a", "b"], ["share"] * 4, np.array([2001, 2000, 2000, 2001]), rows, np.zeros(4))
    assert block.index.tolist() == [2, 0, 1, 3]
    assert block.carry.tolist() == [0, 0.5, 0, 0.5]


def test_a_trend_is_straight_on_the_log_scale_of_an_input():
    assert median_in_year(row(kind="input", median=1.0, median_to=100.0), 2001) == pytest.approx(10.0)
    assert median_in_year(row(kind="input", median=3.0), 2002) == 3.0
