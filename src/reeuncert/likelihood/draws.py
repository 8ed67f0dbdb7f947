"""Random errors of reported figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reeuncert.words.error_laws import CUSTOMS, NORMAL, OUTLIER_SD, OUTLIER_WEIGHT


def draw_errors(sigma: NDArray[np.float64], family: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw one error for each scale. The scale (..., row) is that of the core for customs records; the family (row) is
    a code.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draw_errors(np.full((4, 2), 0.1), np.array([0, 2]), rng).shape
    (4, 2)
    """
    normal = rng.standard_normal(sigma.shape)
    student = normal / np.sqrt(rng.chisquare(4.0, sigma.shape) / 4.0)
    errors: NDArray[np.float64] = sigma * np.where(family == NORMAL, normal, student)
    wrong = (family == CUSTOMS) & (rng.random(sigma.shape) < OUTLIER_WEIGHT)
    return np.where(wrong, OUTLIER_SD * normal, errors)
