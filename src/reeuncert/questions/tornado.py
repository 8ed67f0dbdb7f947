"""Tornado: how far an indicator moves when one class of priors or one source has less or more weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.errors import ReeUncertError
from reeuncert.questions.information import exchanged
from reeuncert.questions.nested import weighted_quantiles
from reeuncert.questions.powerscale import KINDS, component_densities
from reeuncert.questions.reweight import smoothed, threshold
from reeuncert.questions.targets import ValueName, target_of

Floats = NDArray[np.float64]

FACTOR = 1.25
"""By how much a component counts less or more: about as if its spread were a tenth wider or narrower."""


def tornado(
    dt: xr.DataTree,
    indicator: ValueName,
    *,
    factor: float = FACTOR,
    of: str | Iterable[str] = KINDS,
    **coords: str | int,
) -> pd.DataFrame:
    """Medians of an indicator with one thing changed at a time, the largest swing first.

    Every class of priors and every lineage of sources has once less and once more weight: its density is raised to the
    power 1 / `factor` and `factor`, and the draws are weighted accordingly (PSIS, see `reeuncert.reweight`). A study
    has a tornado of its own: `reeuncert.Study.tornado`.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with ``log_prior`` and ``log_likelihood``.
    indicator, **coords
        One value, see `reeuncert.questions.targets.target_of`.
    factor
        Above 1.
    of
        ``"prior class"``, ``"source"`` or both.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``; ``kind``, ``component``; ``base`` (the median as it is), ``less`` and
        ``more`` (medians; of a study ``less`` is the base and ``more`` the scenario's), ``swing`` (distance of the
        two), ``noise`` (of the swing, chains exchanged; NaN of a study), ``pareto_k`` (the larger of the two),
        ``reliable`` (k says that the weights can be trusted, and the swing is more than its noise).

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label or kind; a factor of 1 or less; a study without its base.
    """
    if not (np.isfinite(factor) and factor > 1):
        raise ReeUncertError(f"factor is {factor:g}; it must be above 1, e.g. {FACTOR:g}")
    kinds = [of] if isinstance(of, str) else list(of)
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ReeUncertError(f"of is {unknown[0]!r}; use some of: {', '.join(KINDS)}")
    target = target_of(dt, indicator, **coords)
    draws = target.filled
    base = _median(draws, np.ones(draws.shape))
    rows = []
    for name, (kind, density) in component_densities(dt, kinds).items():
        ends, chance, shapes = [], [], []
        for power in (1.0 / factor, factor):
            weight, k = smoothed((power - 1.0) * density)
            ends.append(_median(draws, weight))
            chance.append(_median(exchanged(draws), weight))
            shapes.append(k)
        k = max(shapes)
        swing, noise = abs(ends[1] - ends[0]), abs(chance[1] - chance[0])
        rows.append((kind, name, base, *ends, swing, noise, k, k <= threshold(draws.size) and swing > noise))
    return tornado_table(target.columns, rows)


def _median(draws: Floats, weight: Floats) -> float:
    return weighted_quantiles(draws.ravel(), weight.ravel(), (0.5,))[0]


def tornado_table(labels: Mapping[str, Any], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """One row a bar, the largest swing first, after the labels of the value."""
    columns = ["kind", "component", "base", "less", "more", "swing", "noise", "pareto_k", "reliable"]
    table = pd.DataFrame(rows, columns=columns).sort_values("swing", ascending=False, ignore_index=True, kind="stable")
    for position, (column, value) in enumerate(labels.items()):
        table.insert(position, column, value)
    return table
