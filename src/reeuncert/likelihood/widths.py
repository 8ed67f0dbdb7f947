"""Error width of each row: one per lineage and error class, learned only where other lineages report the same flows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import ErrorClass, ErrorTails, Evidence
from reeuncert.case.selection import Term
from reeuncert.words.error_laws import ERROR_LAWS, NORMAL
from reeuncert.words.qualifiers import QUALIFIERS

WIDTH_LOG_SD = 0.4
"""Spread of the log of a learned width around its class."""

WITNESSED_ROWS = 8
"""Fewest rows on quantities with a second lineage for a learned width."""


@lru_cache
def half_width(degrees_of_freedom: float) -> float:
    """Half-width of a standard t that holds what one standard deviation of a normal holds, to two decimals.

    Examples
    --------
    >>> half_width(4.0), half_width(2.0), half_width(1.0)
    (1.14, 1.32, 1.84)
    """
    # By quadrature and bisection: SciPy loads slowly, and `reeuncert check` needs no more of it.
    nu, wanted = degrees_of_freedom, math.erf(math.sqrt(0.5))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    normal = math.exp(math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu)) / math.sqrt(nu * math.pi)
    low, high = 1.0, 2.0
    while high - low > 1e-9:
        x = 0.5 * (low + high)
        inside = x * normal * float(weights @ (1.0 + (x * nodes) ** 2 / nu) ** (-0.5 * (nu + 1.0)))
        low, high = (x, high) if inside < wanted else (low, x)
    return round(low, 2)


def core_scale(family: str, tails: ErrorTails) -> float:
    """Scale of a family's core for a width (half-width of its central 68 %) of one.

    >>> round(core_scale("student_t", ErrorTails()), 3), core_scale("normal", ErrorTails())
    (0.877, 1.0)
    """
    return 1.0 if ERROR_LAWS[family].code == NORMAL else 1.0 / half_width(tails.degrees_of_freedom)


@dataclass(frozen=True, eq=False)
class WidthGroups:
    """One width for each lineage and error class.

    Parameters
    ----------
    label
        ``"lineage (class)"`` of each group.
    median, floor
        Width of the class and its floor (source_group).
    learned
        Whether the width is learned (source_group).
    witnessed
        Number of rows of the group that use its width and share a flow and year with another lineage.
    row_group
        Group of each row; -1 where the row has a width of its own (row).
    """

    label: tuple[str, ...]
    median: NDArray[np.float64]
    floor: NDArray[np.float64]
    learned: NDArray[np.bool_]
    witnessed: NDArray[np.int64]
    row_group: NDArray[np.int64]


def has_own_width(row: Evidence) -> bool:
    """Whether a row has a width that overrides that of its class."""
    return not np.isnan(row.width)


def second_witness(rows: Sequence[Evidence], touches: Sequence[frozenset[Term]]) -> list[bool]:
    """For each row, whether another lineage has a row on one of its flows in the same year."""
    lineages: dict[Term, set[str]] = defaultdict(set)
    for row, terms in zip(rows, touches, strict=True):
        for term in terms:
            lineages[term].add(row.lineage)
    return [any(lineages[t] - {row.lineage} for t in terms) for row, terms in zip(rows, touches, strict=True)]


def group_widths(
    rows: Sequence[Evidence],
    classes: Sequence[ErrorClass],
    touches: Sequence[frozenset[Term]],
    grouped: Sequence[bool] | NDArray[np.bool_],
) -> WidthGroups:
    """Group rows by lineage and error class, and decide which widths are learned. ``touches``: the (flow, year) pairs
    of each row; ``grouped``: which rows have the width of their group, not one of their own.
    """
    found: dict[tuple[str, str], int] = {}
    members: list[ErrorClass] = []
    count: list[int] = []
    row_group = np.full(len(rows), -1, dtype=np.int64)
    members_of = zip(rows, classes, second_witness(rows, touches), grouped, strict=True)
    for r, (row, error, witnessed, in_group) in enumerate(members_of):
        if not in_group:
            continue
        key = (row.lineage, error.name)
        if key not in found:
            found[key] = len(members)
            members.append(error)
            count.append(0)
        row_group[r] = found[key]
        count[found[key]] += witnessed
    median = np.array([m.width for m in members], dtype=np.float64)
    floor = np.array([0.0 if np.isnan(m.floor) else m.floor for m in members], dtype=np.float64)
    enough = np.array([n >= WITNESSED_ROWS for n in count], dtype=bool)
    learn = np.array([m.learn for m in members], dtype=bool)
    return WidthGroups(
        tuple(f"{lineage} ({name})" for lineage, name in found),
        median,
        floor,
        learn & enough & (floor < median),
        np.array(count, dtype=np.int64),
        row_group,
    )


def row_multiplier(row: Evidence, error: ErrorClass, factor: float, tails: ErrorTails) -> float:
    """From a width (the group's or the row's own) to the scale of the row's error.

    ``about`` widens it; the width of an additive row is in the unit of the row, which ``factor`` converts.
    """
    multiplier = core_scale(error.family, tails) * QUALIFIERS[row.qualifier].widens
    if ERROR_LAWS[error.family].plain:
        multiplier *= factor
    return multiplier
