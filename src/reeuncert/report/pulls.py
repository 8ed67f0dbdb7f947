"""Influence of each source on a headline, from the stored log likelihoods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reeuncert.result.quantiles import filled


@dataclass(frozen=True)
class Pull:
    """One source, and by how many of its standard deviations a headline would move if the source counted twice."""

    name: str
    strength: float


def pulls_of(headline: np.ndarray, log_likelihood: Mapping[str, np.ndarray], top: int = 4) -> list[Pull]:
    """The most influential sources of a headline, strongest first.

    The derivative of a posterior mean with respect to the power of one source's likelihood is the covariance of the two
    (https://doi.org/10.1007/s11222-023-10366-5); here it is given in standard deviations of the headline. Draws and log
    likelihoods have the shape (sample,); draws that are not finite are set to the median.

    Examples
    --------
    >>> draws = np.array([1.0, 2.0, 3.0])
    >>> [(p.name, round(p.strength, 2)) for p in pulls_of(draws, {"a": np.zeros(3), "b": -draws})]
    [('b', -0.82), ('a', 0.0)]
    """
    whole = filled(headline)
    spread = float(whole.std())
    if not spread > 0:
        return []
    centred = (whole - whole.mean()) / spread
    found = [Pull(name, float((centred * (ll - ll.mean())).mean())) for name, ll in log_likelihood.items()]
    return sorted(found, key=lambda pull: -abs(pull.strength))[:top]
