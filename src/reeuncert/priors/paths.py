"""From the priors table to one Gaussian over all coordinates: u = m + K z, z standard normal.

The path of a coordinate over the years is a level (shared by all years) + an AR(1) deviation by year + slopes on
covariates, all integrated out: only their joint covariance C enters, as a factor K with K Kᵀ = C, block by block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reeuncert.balance.network import Network
from reeuncert.case.medians import median_in_year
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.priors.coverage import covering_rows, group_members, prior_groups


@dataclass(frozen=True)
class Block:
    """Coordinates that are correlated a priori, and their covariance.

    Parameters
    ----------
    index
        Positions in the vector of coordinates, shape (n,).
    covariance, factor
        Shape (n, n); ``factor @ factor.T`` is the covariance.
    """

    index: np.ndarray
    covariance: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True)
class CoordinatePrior:
    """The joint prior of all coordinates.

    Parameters
    ----------
    mean
        Mean of the coordinates (log inputs, log-ratios of shares), shape (coordinate,).
    blocks
        A partition of the coordinates into blocks that are independent of each other.
    group
        Class of the prior of each coordinate, by which power-scaling is asked.
    row
        Name of the row of the priors table that covers each coordinate.
    """

    mean: np.ndarray
    blocks: tuple[Block, ...]
    group: tuple[str, ...]
    row: tuple[str, ...]

    @property
    def sd(self) -> np.ndarray:
        """Prior standard deviation of every coordinate, shape (coordinate,)."""
        out = np.empty(self.mean.size)
        for block in self.blocks:
            out[block.index] = np.sqrt(np.diag(block.covariance))
        return out


def coordinate_prior(case: Case, network: Network) -> CoordinatePrior:
    """Mean and covariance blocks of all coordinates of a network.

    Parameters
    ----------
    case
        Its priors table must cover every coordinate once.
    network
        The network of the case's system and of its groups (`prior_groups`).

    Returns
    -------
    CoordinatePrior

    Raises
    ------
    ModelError
        When a coordinate is not covered, the shares stated for one process exceed 1, or a covariance is singular.
    """
    names = [str(n) for n in network.coordinate_name]
    years = [int(y) for y in network.coordinate_year]
    kinds = [str(k) for k in network.coordinate_kind]
    rows = covering_rows(case, names, years, kinds)
    mean = _means(network, rows, years, kinds)
    slope = [
        0.0 if _splits_a_total(kind, row) else _covariate(case, row, year)
        for kind, row, year in zip(kinds, rows, years, strict=True)
    ]
    mean = mean + np.array([row.slope for row in rows]) * np.array(slope)
    blocks = _blocks(_path_names(case, names, kinds, rows), kinds, np.array(years), rows, np.array(slope))
    return CoordinatePrior(mean, blocks, tuple(row.group for row in rows), tuple(row.name for row in rows))


def _splits_a_total(kind: str, row: Prior) -> bool:
    """Whether a coordinate is the split of a total by the row that states the total: the row's level is not its own."""
    return kind == "split" and row.kind != "split"


def _path_names(case: Case, names: list[str], kinds: list[str], rows: list[Prior]) -> list[str]:
    """Whose path each coordinate is on: where one flow is left of a total, it goes on along the path of the total."""
    group = {group.flows: group.name for group in prior_groups(case)}
    total = {row.name: group[members] for row in case.priors if (members := group_members(case, row))}
    return [
        total.get(row.name, name) if kind == row.kind else name
        for name, kind, row in zip(names, kinds, rows, strict=True)
    ]


def _covariate(case: Case, row: Prior, year: int) -> float:
    return float(case.covariates[row.slope_on][year]) if row.slope_on else 0.0


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
    joined = _UnionOfPaths()
    for path, level in zip(paths, whose, strict=True):
        joined.join(path, level)
    members: dict[str, list[int]] = {}
    for k, path in enumerate(paths):
        members.setdefault(joined.root(path), []).append(k)
    spread = [_Spread.of(row, kind, value) for row, kind, value in zip(rows, kinds, slope, strict=True)]
    return tuple(_block(np.array(index), paths, whose, years, rows, spread) for index in members.values())


class _UnionOfPaths:
    """Which paths belong to one block (union–find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, key: str) -> str:
        self._parent.setdefault(key, key)
        while self._parent[key] != key:
            key = self._parent[key]
        return key

    def join(self, one: str, other: str) -> None:
        self._parent[self.root(other)] = self.root(one)


@dataclass(frozen=True)
class _Spread:
    """Standard deviations by which one coordinate loads on its level, its year, and the covariate."""

    level: float
    year: float
    slope: float

    @classmethod
    def of(cls, row: Prior, kind: str, covariate: float) -> _Spread:
        if _splits_a_total(kind, row):  # one spread for all years
            return cls(row.split_sd, 0.0, 0.0)
        return cls(row.level_sd, row.year_sd, row.slope_sd * covariate)


def _block(
    index: np.ndarray, paths: list[str], whose: list[str], years: np.ndarray, rows: list[Prior], spread: list[_Spread]
) -> Block:
    level = np.array([spread[k].level for k in index])
    slope = np.array([spread[k].slope for k in index])
    key = np.array([whose[k] for k in index])
    covariate = np.array([rows[k].slope_on for k in index])
    same = key[:, None] == key[None, :]
    covariance = np.where(same, np.outer(level, level), 0.0)
    covariance += np.where(same & (covariate[:, None] == covariate[None, :]), np.outer(slope, slope), 0.0)
    for path in sorted({paths[k] for k in index}):
        here = np.array([i for i, k in enumerate(index) if paths[k] == path])
        here = here[np.argsort(years[index[here]])]
        yearly = np.array([spread[index[i]].year for i in here])
        step = np.array([rows[index[i]].correlation for i in here])
        covariance[np.ix_(here, here)] += np.outer(yearly, yearly) * ar_correlation(years[index[here]], step)
    return Block(index, covariance, _factor(covariance, [rows[k].name for k in index]))


def ar_correlation(years: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Correlation matrix of an AR(1) path seen in some years.

    Parameters
    ----------
    years
        Increasing, shape (n,).
    correlation
        Correlation over one year of the step that leads to each year, shape (n,); the first is not used.

    Returns
    -------
    ndarray of shape (n, n)

    Examples
    --------
    >>> ar_correlation(np.array([2000, 2001, 2003]), np.array([0.5, 0.5, 0.5]))
    array([[1.   , 0.5  , 0.125],
           [0.5  , 1.   , 0.25 ],
           [0.125, 0.25 , 1.   ]])
    """
    out = np.eye(years.size)
    for j in range(1, years.size):
        out[:j, j] = out[:j, j - 1] * correlation[j] ** (years[j] - years[j - 1])
        out[j, :j] = out[:j, j]
    return out


def _factor(covariance: np.ndarray, names: list[str]) -> np.ndarray:
    """A lower-triangular factor of a covariance that may be singular (a level alone has rank one)."""
    if np.any(np.diag(covariance) <= 0):
        who = sorted({name for name, v in zip(names, np.diag(covariance), strict=True) if v <= 0})
        raise ModelError(f"priors without spread: {', '.join(who)}; give level_sd or year_sd above 0")
    values, vectors = np.linalg.eigh(covariance)
    # Eigenvalues below rounding are zero, not negative: nothing moves in the directions they belong to.
    root = vectors * np.sqrt(np.where(values > values.max() * 1e-13, values, 0.0))
    lower = np.linalg.qr(root.T, mode="r").T
    return np.asarray(lower * np.where(np.diag(lower) < 0, -1.0, 1.0))
