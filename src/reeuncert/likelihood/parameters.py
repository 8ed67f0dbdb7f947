"""Free parameters of the evidence: log-offsets that rows share, and widths of groups of sources."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import ErrorClass, ErrorTails, Evidence
from reeuncert.case.selection import Term
from reeuncert.case.shared import SharedErrors
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import QUALIFIERS


@dataclass(frozen=True, eq=False)
class OffsetValues:
    """Offset values used by rows: one for all years, or one for each year or era."""

    # Name of each value: the offset, followed by its year or era where it has one (offset_value)
    label: tuple[str, ...]
    # log offset = mean + scale · z, z standardised (offset_value); the table's sd is the half-width of the central 68
    # %, as every width is
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    family: NDArray[np.int64]  # Code of the law of z (offset_value)
    # Values added by each row: row r takes ``index[pointer[r]:pointer[r + 1]]``, each times its weight. A row over
    # several years takes the mean of an offset's yearly values; that of a record by which it divides has a negative
    # weight
    pointer: NDArray[np.int64]
    index: NDArray[np.int64]
    weight: NDArray[np.float64]


def expand_offsets(shared: SharedErrors, tails: ErrorTails) -> OffsetValues:
    """The values of all shared errors, and which row adds which."""
    values = shared.values
    position = {value: k for k, value in enumerate(values)}
    used = [shared.laws[name] for name, _ in values]
    pairs = [(position[value], weight) for weights in shared.weights for value, weight in weights.items()]
    return OffsetValues(
        tuple(f"{name} {period}".rstrip() for name, period in values),
        np.array([o.mean for o in used], dtype=np.float64),
        np.array([o.sd * ERROR_LAWS[o.family].core_scale(tails.degrees_of_freedom) for o in used], dtype=np.float64),
        np.array([ERROR_LAWS[o.family].code for o in used], dtype=np.int64),
        np.cumsum([0, *map(len, shared.weights)], dtype=np.int64),
        np.array([index for index, _ in pairs], dtype=np.int64),
        np.array([weight for _, weight in pairs], dtype=np.float64),
    )


WIDTH_LOG_SD = 0.4
"""Spread of the log of a learned width around its class."""

CORROBORATED_ROWS = 8
"""Fewest rows on quantities with a second lineage for a learned width."""


@dataclass(frozen=True, eq=False)
class WidthGroups:
    """One width for each lineage and error class."""

    label: tuple[str, ...]  # ``"lineage (class)"`` of each group
    # Width of the class and its floor (source_group)
    median: NDArray[np.float64]
    floor: NDArray[np.float64]
    learned: NDArray[np.bool_]  # Whether the width is learned (source_group)
    row_group: NDArray[np.int64]  # Group of each row; -1 where the row has a width of its own (row)


def corroborated(rows: Sequence[Evidence], touches: Sequence[frozenset[Term]]) -> list[bool]:
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
    members_of = zip(rows, classes, corroborated(rows, touches), grouped, strict=True)
    for r, (row, error, with_another, in_group) in enumerate(members_of):
        if not in_group:
            continue
        key = (row.lineage, error.name)
        if key not in found:
            found[key] = len(members)
            members.append(error)
            count.append(0)
        row_group[r] = found[key]
        count[found[key]] += with_another
    median = np.array([m.width for m in members], dtype=np.float64)
    floor = np.array([0.0 if np.isnan(m.floor) else m.floor for m in members], dtype=np.float64)
    enough = np.array([n >= CORROBORATED_ROWS for n in count], dtype=bool)
    learn = np.array([m.learn for m in members], dtype=bool)
    return WidthGroups(
        tuple(f"{lineage} ({name})" for lineage, name in found),
        median,
        floor,
        learn & enough & (floor < median),
        row_group,
    )


def row_multiplier(row: Evidence, error: ErrorClass, factor: float, tails: ErrorTails) -> float:
    """From a width (the group's or the row's own) to the scale of the row's error.

    ``about`` widens it; the width of an additive row is in the unit of the row, which ``factor`` converts.
    """
    law = ERROR_LAWS[error.family]
    multiplier = law.core_scale(tails.degrees_of_freedom) * QUALIFIERS[row.qualifier].widens
    if law.plain:
        multiplier *= factor
    return multiplier
