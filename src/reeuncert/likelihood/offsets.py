"""Log-offsets that rows share: bias, conversion factor or reporting error of one record."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import ErrorTails
from reeuncert.case.shared import SharedErrors
from reeuncert.likelihood.laws import core_scale
from reeuncert.words.error_laws import ERROR_LAWS


@dataclass(frozen=True, eq=False)
class OffsetValues:
    """Offset values used by rows: one for all years, or one for each year or era.

    Parameters
    ----------
    label
        Name of each value: the offset, followed by its year or era where it has one (offset_value).
    mean, scale
        log offset = mean + scale · z, z standardised (offset_value); the table's sd is the half-width of the central
        68 %, as every width is.
    family
        Code of the law of z (offset_value).
    pointer, index, weight
        Values added by each row: row r takes ``index[pointer[r]:pointer[r + 1]]``, each times its weight. A row over
        several years takes the mean of an offset's yearly values; that of a record by which it divides has a negative
        weight.
    """

    label: tuple[str, ...]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    family: NDArray[np.int64]
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
        np.array([o.sd * core_scale(o.family, tails) for o in used], dtype=np.float64),
        np.array([ERROR_LAWS[o.family].code for o in used], dtype=np.int64),
        np.cumsum([0, *map(len, shared.weights)], dtype=np.int64),
        np.array([index for index, _ in pairs], dtype=np.int64),
        np.array([weight for _, weight in pairs], dtype=np.float64),
    )
