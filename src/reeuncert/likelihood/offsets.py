"""Log-offsets that rows share: bias, conversion factor or reporting error of one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import Evidence, Offset
from reeuncert.likelihood.widths import core_scale
from reeuncert.words.error_laws import ERROR_LAWS


@dataclass(frozen=True, eq=False)
class OffsetValues:
    """Offset values used by rows: one for ``per = "all"``, one per year for ``per = "year"``.

    Parameters
    ----------
    label
        Name of each value: the offset, followed by the year where it has one (offset_value).
    name, year
        Offset and year of each value; year 0 where it holds for all years.
    mean, scale
        log offset = mean + scale · z, z standardised (offset_value); the table's sd is the half-width of the central
        68 %, as every width is.
    family
        Code of the law of z (offset_value).
    pointer, index, weight
        Values added by each row: row r takes ``index[pointer[r]:pointer[r + 1]]``, each times its weight. A row over
        several years takes the mean of an offset's yearly values.
    """

    label: tuple[str, ...]
    name: tuple[str, ...]
    year: NDArray[np.int64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    family: NDArray[np.int64]
    pointer: NDArray[np.int64]
    index: NDArray[np.int64]
    weight: NDArray[np.float64]


def expand_offsets(
    rows: Sequence[Evidence], years: Sequence[Sequence[int]], offsets: Mapping[str, Offset]
) -> OffsetValues:
    """Create the values of all used offsets, in the order of the table and then of the years. Every row's offsets must
    be in the table; years are those of each row within the case.
    """
    needed: dict[str, set[int]] = {}
    for row, row_years in zip(rows, years, strict=True):
        for name in row.offsets:
            needed.setdefault(name, set()).update(row_years if offsets[name].per == "year" else (0,))
    keys = [(name, year) for name in offsets if name in needed for year in sorted(needed[name])]
    position = {key: k for k, key in enumerate(keys)}
    pointer, index, weight = [0], [], []
    for row, row_years in zip(rows, years, strict=True):
        for name in row.offsets:
            own = row_years if offsets[name].per == "year" else (0,)
            index += [position[name, year] for year in own]
            weight += [1.0 / len(own)] * len(own)
        pointer.append(len(index))
    used = [offsets[name] for name, _ in keys]
    return OffsetValues(
        tuple(f"{name} {year}" if year else name for name, year in keys),
        tuple(name for name, _ in keys),
        np.array([year for _, year in keys], dtype=np.int64),
        np.array([o.mean for o in used], dtype=np.float64),
        np.array([o.sd * core_scale(o.family) for o in used], dtype=np.float64),
        np.array([ERROR_LAWS[o.family].code for o in used], dtype=np.int64),
        np.array(pointer, dtype=np.int64),
        np.array(index, dtype=np.int64),
        np.array(weight, dtype=np.float64),
    )
