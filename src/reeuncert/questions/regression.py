"""Width of an interval after several figures have been measured at once: linear regression, judged on unseen chains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reeuncert.questions.nested import interval_width
from reeuncert.questions.targets import Target

Floats = NDArray[np.float64]
PARTS = 4
"""A single chain is cut into so many parts, each predicted by the others."""


def width_after_regression(target: Target, quantity: Floats, error: Floats, *, prob: float, kind: str) -> float:
    """Expected width of the interval of a value once quantities have been measured with normal errors.

    The value (its log where it is a positive mass) is regressed on the quantities and their errors, in all chains but
    one; the width is that of what the regression leaves unexplained in the chain that it has not seen. With normal
    posteriors this is the expected width itself; overfitting shows as a wider interval, never as a narrower one.

    Parameters
    ----------
    target
        The value.
    quantity
        Draws of what is measured (chain, draw, figure), on the scales on which their errors are normal.
    error
        Standard deviation of each error (figure,).
    prob, kind
        Of the interval.
    """
    draws = target.filled
    rng = np.random.default_rng(0)
    told = quantity + error * rng.standard_normal(quantity.shape)
    guess, rest = predictions(target.linear, quantity, told, error)
    now = interval_width(draws.ravel(), prob=prob, kind=kind)
    if not target.as_log:
        return min(now, interval_width(rest, prob=prob, kind=kind))
    # The width of an interval of a log grows with the value: averaged over what would be predicted.
    shift = float(np.mean(np.exp(guess)))
    return min(now, shift * interval_width(np.exp(rest), prob=prob, kind=kind))


def predictions(value: Floats, quantity: Floats, told: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Best linear prediction of a value from what is told, and what is left, for chains that were not used to fit.

    Parameters
    ----------
    value
        (chain, draw).
    quantity, told
        The quantities without and with the errors of measurement (chain, draw, figure).
    error
        (figure,).

    Returns
    -------
    prediction, rest
        Each (chain · draw,).
    """
    parts = [np.arange(value.shape[0]) == c for c in range(value.shape[0])]
    if value.shape[0] == 1:
        usable = value.shape[1] // PARTS * PARTS
        value = value[:, :usable].reshape(PARTS, -1)
        quantity = quantity[:, :usable].reshape(PARTS, value.shape[1], -1)
        told = told[:, :usable].reshape(PARTS, value.shape[1], -1)
        parts = [np.arange(PARTS) == c for c in range(PARTS)]
    guessed, left = [], []
    for unseen in parts:
        x, y = quantity[~unseen].reshape(-1, quantity.shape[2]), value[~unseen].ravel()
        centre, middle = x.mean(axis=0), y.mean()
        x = x - centre
        joint = x.T @ x / len(x) + np.diag(error**2)
        slope = np.linalg.solve(joint, x.T @ (y - middle) / len(x))
        guess = middle + (told[unseen].reshape(-1, quantity.shape[2]) - centre) @ slope
        guessed.append(guess)
        left.append(value[unseen].ravel() - guess)
    return np.concatenate(guessed), np.concatenate(left)
