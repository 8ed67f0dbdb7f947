"""Tornado: how far an indicator swings when one assumption or source counts less or more, or under each scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.edits.scenario import BASE
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import DIMS
from reeuncert.questions.information import exchanged
from reeuncert.questions.nested import weighted_quantiles
from reeuncert.questions.powerscale import KINDS, component_densities
from reeuncert.questions.reweight import smoothed, threshold
from reeuncert.questions.targets import Wanted, target_of
from reeuncert.studies.study import Study

Floats = NDArray[np.float64]

FACTOR = 1.25
"""By how much a component counts less or more: about as if its spread were a tenth wider or narrower."""

SCENARIO = "scenario"


def tornado(
    result: xr.DataTree | Study,
    indicator: Wanted,
    *,
    factor: float = FACTOR,
    of: str | Iterable[str] = KINDS,
    **coords: str | int,
) -> pd.DataFrame:
    """Medians of an indicator with one thing changed at a time, the largest swing first.

    Of a result, every class of priors and every lineage of sources counts once less and once more than it does: its
    density is raised to the power 1 / `factor` and `factor`, and the draws are weighted accordingly (PSIS, see
    `reeuncert.reweight`). Of a study, each scenario is one bar from the base to its median.

    Parameters
    ----------
    result
        Result of `reeuncert.sample` with ``log_prior`` and ``log_likelihood``, or a study.
    indicator, **coords
        One value, see `reeuncert.questions.targets.target_of`; of a study, the number of a headline or a name with
        labels.
    factor
        Above 1.
    of
        ``"prior class"``, ``"source"`` or both; not of a study.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``; ``kind``, ``component``; ``base`` (the median as it is), ``less`` and
        ``more`` (medians; of a study ``less`` is the base and ``more`` the scenario's), ``swing`` (distance of the
        two), ``noise`` (of the swing, chains exchanged; NaN of a study), ``pareto_k`` (the larger of the two),
        ``reliable`` (k says that the weights can be believed, and the swing is more than its noise).

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label or kind; a factor of 1 or less; a study without its base.
    """
    if isinstance(result, Study):
        return _of_study(result, indicator, coords)
    if not (np.isfinite(factor) and factor > 1):
        raise ReeUncertError(f"factor is {factor:g}; it must be above 1, e.g. {FACTOR:g}")
    kinds = [of] if isinstance(of, str) else list(of)
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ReeUncertError(f"of is {unknown[0]!r}; use some of: {', '.join(KINDS)}")
    target = target_of(result, indicator, **coords)
    draws = target.filled
    base = _median(draws, np.ones(draws.shape))
    rows = []
    for name, (kind, density) in component_densities(result, kinds).items():
        ends, chance, shapes = [], [], []
        for power in (1.0 / factor, factor):
            weight, k = smoothed((power - 1.0) * density)
            ends.append(_median(draws, weight))
            chance.append(_median(exchanged(draws), weight))
            shapes.append(k)
        k = max(shapes)
        swing, noise = abs(ends[1] - ends[0]), abs(chance[1] - chance[0])
        rows.append((kind, name, base, *ends, swing, noise, k, k <= threshold(draws.size) and swing > noise))
    return _labelled(target.columns, rows)


def _median(draws: Floats, weight: Floats) -> float:
    return weighted_quantiles(draws.ravel(), weight.ravel(), (0.5,))[0]


def _labelled(labels: Mapping[str, Any], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["kind", "component", "base", "less", "more", "swing", "noise", "pareto_k", "reliable"]
    table = pd.DataFrame(rows, columns=columns).sort_values("swing", ascending=False, ignore_index=True, kind="stable")
    for position, (column, value) in enumerate(labels.items()):
        table.insert(position, column, value)
    return table


def _of_study(study: Study, indicator: Wanted, coords: Mapping[str, str | int]) -> pd.DataFrame:
    labels, medians = medians_of_study(study, indicator, coords)
    if BASE not in medians:
        raise ReeUncertError("the base of the study has no result to compare with; see its `failed` table")
    base = medians.pop(BASE)
    nan = float("nan")
    rows = [(SCENARIO, name, base, base, m, abs(m - base), nan, nan, True) for name, m in medians.items()]
    return _labelled(labels, [row for row in rows if np.isfinite(row[5])])


def medians_of_study(
    study: Study, indicator: Wanted, coords: Mapping[str, str | int]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Labels of one value of a study, and its median under each scenario.

    Raises
    ------
    ReeUncertError
        When the value is not one of the study's, or is not one.
    """
    if isinstance(indicator, Mapping):
        said = {str(k): v for k, v in indicator.items() if k != "indicator"}
        return medians_of_study(study, indicator.get("indicator", ""), {**said, **coords})
    if isinstance(indicator, str):
        table = study.table(indicator, **coords)
        labels = ["indicator", *DIMS, "year", "unit"]
        if len(table[labels].drop_duplicates()) > 1:
            several = [d for d in (*DIMS, "year") if table[d].nunique() > 1]
            raise ReeUncertError(f"'{indicator}' has more than one value: name its {' and '.join(several)}")
    else:
        rows = study.headlines
        count = len(rows) // max(1, rows["scenario"].nunique())
        if not 0 <= indicator < count:
            raise ReeUncertError(f"the study has {count} headlines, numbered from 0: {indicator} is none")
        table = rows.groupby("scenario", sort=False).nth(int(indicator)).assign(end_use="")
        labels = ["indicator", "region", "partner", "product", "end_use", "year", "unit"]
    if table.empty:
        raise ReeUncertError("the study has no such value under any scenario")
    named = {str(k): v for k, v in table[labels].iloc[0].to_dict().items()}
    return named, dict(zip(table["scenario"], table["median"].astype(float), strict=True))
