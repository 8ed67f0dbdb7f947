"""Packs the constant inputs of the likelihood operations into one integer and one float vector each.

Two vectors rather than a dozen: an operation unpacks its inputs at every call, and compiled code that takes them as
inputs serves every case.
"""

import math

import numpy as np
from numpy.typing import NDArray

from reeuncert.case.records import ErrorTails
from reeuncert.compiling import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weighted = tuple[Ints, Ints, Floats]
"""Pointer (row + 1), index (term) and coefficient (term) of one sum a row."""
Sums = tuple[Ints, Ints, Floats, Ints]
"""The same, and which log-offset, counted from 1, multiplies a term by its exponential; 0: none (term)."""


def pack_sums(plain: NDArray[np.bool_], numerator: Sums, denominator: Sums, offset: Weighted) -> tuple[Ints, Floats]:
    """Pack the sums of all rows.

    A row is plain if it has additive errors (row). The sums are pointers, indices (of edges, edges and offset values)
    and coefficients. The layout begins with the number of rows and of terms of each sum.
    """
    parts = (numerator[:3], denominator[:3], offset)
    head = [plain.size, *(index.size for _, index, _ in parts)]
    pieces = [head, plain, *(pointer for pointer, _, _ in parts), *(index for _, index, _ in parts)]
    pieces += [numerator[3], denominator[3]]
    layout = np.concatenate([np.asarray(p, dtype=np.int64) for p in pieces])
    return layout, np.concatenate([np.asarray(c, dtype=np.float64) for _, _, c in parts])


@compiled
def unpack_sums(
    layout: Ints, coefficient: Floats
) -> tuple[Ints, Ints, Ints, Floats, Ints, Ints, Ints, Floats, Ints, Ints, Ints, Floats]:
    """Plain, numerator, denominator and offset as the kernels take them."""
    rows, n, d, o = layout[0], layout[1], layout[2], layout[3]
    start = 4
    plain = layout[start : start + rows]
    start += rows
    num_ptr = layout[start : start + rows + 1]
    start += rows + 1
    den_ptr = layout[start : start + rows + 1]
    start += rows + 1
    off_ptr = layout[start : start + rows + 1]
    start += rows + 1
    num_edge = layout[start : start + n]
    start += n
    den_edge = layout[start : start + d]
    start += d
    off_index = layout[start : start + o]
    start += o
    num_content = layout[start : start + n]
    start += n
    den_content = layout[start : start + d]
    num_coef = coefficient[:n]
    den_coef = coefficient[n : n + d]
    off_coef = coefficient[n + d : n + d + o]
    return (
        plain, num_ptr, num_edge, num_coef, num_content, den_ptr, den_edge, den_coef, den_content,
        off_ptr, off_index, off_coef,
    )  # fmt: skip


def pack_rows(
    family: Ints, form: Ints, lower: Floats, upper: Floats, shift: Floats, weight: Floats, tails: ErrorTails
) -> tuple[Ints, Floats]:
    """Pack the statement of each row except its value: codes (2 · row), and bounds (4 · row) followed by the tails.

    >>> code, bound = pack_rows(*(np.array([k]) for k in (1, 0, 0.0, 0.0, 0.2, 0.3)), ErrorTails())
    >>> code.tolist(), bound.round(2).tolist()
    ([1, 0], [0.0, 0.0, 0.2, 0.3, 4.0, -0.11, -2.3, 2.0])
    """
    code = np.concatenate([family, form]).astype(np.int64)
    return code, np.concatenate([lower, upper, shift, weight, tail_numbers(tails)]).astype(np.float64)


def tail_numbers(tails: ErrorTails) -> list[float]:
    """Degrees of freedom, logs of the shares of core and outliers, and the sd of outliers, as the kernels take them."""
    share = tails.outlier_share
    return [tails.degrees_of_freedom, math.log(1.0 - share), math.log(share) if share else -math.inf, tails.outlier_sd]


@compiled
def unpack_rows(code: Ints, bound: Floats) -> tuple[Ints, Ints, Floats, Floats, Floats, Floats, Floats]:
    """Family, form, lower, upper, shift and weight (row), and the tails."""
    rows = code.size // 2
    return (
        code[:rows],
        code[rows:],
        bound[:rows],
        bound[rows : 2 * rows],
        bound[2 * rows : 3 * rows],
        bound[3 * rows : 4 * rows],
        bound[4 * rows :],
    )
