"""From the priors table to one Gaussian over all coordinates: u = m + K z, z standard normal.

The path of a coordinate over the years is a level (shared by all years) + an AR(1) deviation by year + slopes on
covariates, all integrated out: only their joint covariance C enters, as a factor K with K Kᵀ = C, block by block
(`reeuncert.balance.factor`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from reeuncert.balance.factor import PathFactor
from reeuncert.balance.network import Network
from reeuncert.case.figures import median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.priors.coverage import covering_rows, group_members, prior_groups
from reeuncert.system.graph import strong_components


@dataclass(frozen=True, eq=False)
class Block:
    """Coordinates that are correlated a priori: paths over the years that share levels or slopes."""

    index: np.ndarray  # Positions in the vector of coordinates, path by path, by year within a path, shape (n,)
    loads: np.ndarray  # Standard deviations by which they load on the k levels and slopes of the block, shape (n, k)
    yearly: np.ndarray  # Standard deviation of the deviation by year, shape (n,)
    # Correlation of a deviation with that of the coordinate before it; 0 where a path begins, shape (n,)
    carry: np.ndarray

    @cached_property
    def covariance(self) -> np.ndarray:
        """Shape (n, n)."""
        return self.loads @ self.loads.T + np.outer(self.yearly, self.yearly) * path_correlation(self.carry)


@dataclass(frozen=True, eq=False)
class CoordinatePrior:
    """The joint prior of all coordinates."""

    mean: np.ndarray  # Mean of the coordinates (log inputs, log-ratios of shares), shape (coordinate,)
    blocks: tuple[Block, ...]  # A partition of the coordinates into blocks that are independent of each other
    group: tuple[str, ...]  # Class of the prior of each coordinate, for power-scaling
    row: tuple[str, ...]  # Name of the row of the priors table that covers each coordinate

    @cached_property
    def factor(self) -> PathFactor:
        """K of u = m + K z."""
        return PathFactor.of((block.index, block.loads, block.yearly, block.carry) for block in self.blocks)


def coordinate_prior(case: Case, network: Network) -> CoordinatePrior:
    """Mean and covariance blocks of all coordinates of a network.

    The table must cover every coordinate once; a singular covariance, or stated shares of one process above 1 in sum,
    is an error.
    """
    names, years = network.coordinate_name.tolist(), network.coordinate_year.tolist()
    kinds = network.coordinate_kind.tolist()
    rows = covering_rows(case, network.coordinate_keys)
    mean = _means(network, rows, years, kinds)
    slope = [
        case.covariates[row.slope_on][year] if row.slope_on and not _splits_a_total(kind, row) else 0.0
        for kind, row, year in zip(kinds, rows, years, strict=True)
    ]
    mean = mean + np.array([row.slope for row in rows]) * np.array(slope)
    blocks = _blocks(_path_names(case, names, kinds, rows), kinds, np.array(years), rows, np.array(slope))
    return CoordinatePrior(mean, blocks, tuple(row.group for row in rows), tuple(row.name for row in rows))


def _splits_a_total(kind: str, row: Prior) -> bool:
    """Whether a coordinate is a split of a total without a row of its own."""
    return kind == "split" and row.kind != "split"


def _path_names(case: Case, names: list[str], kinds: list[str], rows: list[Prior]) -> list[str]:
    """Path of each coordinate; if only one flow of a total exists, it continues the path of the total."""
    group = {group.flows: group.name for group in prior_groups(case)}
    total = {row.name: group[members] for row in case.priors if (members := group_members(case, row))}
    return [
        total.get(row.name, name) if kind == row.kind else name
        for name, kind, row in zip(names, kinds, rows, strict=True)
    ]


def _means(network: Network, rows: list[Prior], years: list[int], kinds: list[str]) -> np.ndarray:
    mean = np.empty(len(rows))
    stated = np.array([median_in_year(row, year) for row, year in zip(rows, years, strict=True)])
    nodes: dict[tuple[str, int, str], list[int]] = {}
    for k, (kind, year, reference) in enumerate(zip(kinds, years, network.reference_of, strict=True)):
        nodes.setdefault((kind, year, str(reference)), []).append(k)  # one reference outflow, one process
    for (kind, _, _), members in nodes.items():
        here = np.array(members)
        if kind == "input":
            mean[here] = np.log(stated[here])
            continue
        share = stated[here]
        if kind == "split":
            equal = 1 / (len(here) + 1)
            share = np.array([stated[k] if rows[k].kind == "split" else equal for k in here])
        rest = 1 - share.sum()
        if rest <= 0:
            who = ", ".join(f"{rows[k].name} ({s:.3g})" for k, s in zip(here, share, strict=True))
            raise ModelError(f"the median shares of one process add up to 1 or more in {years[here[0]]}: {who}")
        mean[here] = np.log(share / rest)
    return mean


def _blocks(
    names: list[str], kinds: list[str], years: np.ndarray, rows: list[Prior], slope: np.ndarray
) -> tuple[Block, ...]:
    """Partition the coordinates into paths (one a name and kind), joined where rows share a level."""
    paths = [f"{kind} {name}" for name, kind in zip(names, kinds, strict=True)]
    whose = [
        f"shared {row.shared}" if row.shared and not _splits_a_total(kind, row) else path
        for path, kind, row in zip(paths, kinds, rows, strict=True)
    ]
    number = {name: i for i, name in enumerate(dict.fromkeys([*paths, *whose]))}
    beside: list[list[int]] = [[] for _ in number]
    for path, level in zip(paths, whose, strict=True):
        beside[number[path]].append(number[level])
        beside[number[level]].append(number[path])
    block_of = {node: b for b, block in enumerate(strong_components(beside)) for node in block}
    members: dict[int, list[int]] = {}
    for k, path in enumerate(paths):
        members.setdefault(block_of[number[path]], []).append(k)
    spread = [_spread(row, kind, value) for row, kind, value in zip(rows, kinds, slope, strict=True)]
    return tuple(_block(np.array(index), paths, whose, years, rows, spread) for index in members.values())


def _spread(row: Prior, kind: str, covariate: float) -> tuple[float, float, float]:
    """Loads of a coordinate on its level, on its deviation by year, and on the slope."""
    if _splits_a_total(kind, row):  # one spread for all years
        return row.split_sd, 0.0, 0.0
    return row.level_sd, row.year_sd, row.slope_sd * covariate


def _block(
    index: np.ndarray,
    paths: list[str],
    whose: list[str],
    years: np.ndarray,
    rows: list[Prior],
    spread: list[tuple[float, float, float]],
) -> Block:
    first = {path: k for k, path in reversed(list(enumerate(paths[k] for k in index)))}
    index = np.array(sorted(index, key=lambda k: (first[paths[k]], years[k])))
    level_sd, year_sd, slope_sd = zip(*(spread[k] for k in index), strict=True)
    levels = _loads([whose[k] for k in index], level_sd)
    slopes = _loads([(whose[k], rows[k].slope_on) for k in index], slope_sd)
    yearly = np.array(year_sd)
    carry = np.zeros(index.size)
    for i, (before, k) in enumerate(pairwise(index), start=1):
        if paths[before] == paths[k]:
            carry[i] = rows[k].correlation ** (years[k] - years[before])
    block = Block(index, np.hstack([levels, slopes]), yearly, carry)
    still = (block.loads**2).sum(axis=1) + yearly**2 <= 0
    if still.any():
        who = sorted({rows[k].name for k in index[still]})
        raise ModelError(f"priors without spread: {', '.join(who)}; give level_sd or year_sd above 0")
    return block


def _loads(key: Sequence[Hashable], sd: Sequence[float]) -> np.ndarray:
    """Standard deviations in a column for each key, shape (n, keys); keys without spread are left out."""
    keys = {k: None for k, s in zip(key, sd, strict=True) if s}
    return np.array([[s if k == column else 0.0 for column in keys] for k, s in zip(key, sd, strict=True)]).reshape(
        len(key), len(keys)
    )


def path_correlation(carry: np.ndarray) -> np.ndarray:
    """Correlation matrix (n, n) of deviations, each of which has the correlation ``carry`` (n,) with the one before; 0
    where a path begins.

    Examples
    --------
    >>> path_correlation(np.array([0.0, 0.5, 0.25, 0.0]))
    array([[1.   , 0.5  , 0.125, 0.   ],
           [0.5  , 1.   , 0.25 , 0.   ],
           [0.125, 0.25 , 1.   , 0.   ],
           [0.   , 0.   , 0.   , 1.   ]])
    """
    out = np.eye(carry.size)
    for j in range(1, carry.size):
        out[:j, j] = out[:j, j - 1] * carry[j]
        out[j, :j] = out[:j, j]
    return out
