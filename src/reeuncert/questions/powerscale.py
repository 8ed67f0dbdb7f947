"""What moves a value when one class of priors or source has more or less weight: power-scaling sensitivity, tornado."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.headlines import scaled, with_verdicts
from reeuncert.indicators.summary import summary
from reeuncert.questions.information import exchanged
from reeuncert.questions.nested import Floats, weighted_quantiles
from reeuncert.questions.reweight import smoothed, threshold
from reeuncert.questions.targets import ValueName, labelled_first, target_of, targets_of
from reeuncert.result.powerscale import Normals, lineages, prior_classes
from reeuncert.result.result import Result

CLASS, SOURCE = "prior class", "source"
KINDS = (CLASS, SOURCE)


def power_scaling(
    dt: xr.DataTree, indicators: ValueName | Iterable[ValueName] | None = None, *, of: str | Iterable[str] = KINDS
) -> pd.DataFrame:
    """How much indicators would move if a class of priors, or a source, counted a little more or less.

    A component's density is raised to powers near 1 and the draws are weighted accordingly (Kallioinen, Paananen,
    Bürkner & Vehtari 2024, doi 10.1007/s11222-023-10366-5). The number is that of ``arviz_stats.psense``: the
    cumulative Jensen-Shannon distance for each doubling of the power.

    Parameters
    ----------
    dt
        Result with indicators and the groups ``log_prior`` and ``log_likelihood``.
    indicators
        Headline numbers, names, or mappings with labels; the headlines of the case by default.
    of
        ``"prior class"`` (groups of the priors table; offsets and widths of the evidence), ``"source"`` (lineages of
        evidence), or both.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``; ``kind``, ``component``; ``psense``; ``noise`` (its Monte
        Carlo error); ``moves`` (slope of the indicator's mean, in its standard deviations, in the component's weight,
        which is 1 in the fit; counted twice, the component moves the mean by less as a rule, down to half the
        slope) and ``moves_by`` (the same in its unit); ``sensitive`` (above 0.05 and twice the noise). The
        largest of each indicator first.

    Raises
    ------
    ReeUncertError
        When the result holds no such terms, or `of` is none of these.
    UnknownIndicatorError
        When no indicator has a name.

    Examples
    --------
    A source that says x is small pulls x down::

        ree.power_scaling(dt, [{"indicator": "smuggled_mass_cumulated", "region": "A", "partner": "B"}], of="source")
    """
    kinds = _kinds(dt, of)
    targets = targets_of(dt, indicators)
    by_label = {target.label: target for target in targets}
    found = scaled(Result.holding(dt), {label: t.draws for label, t in by_label.items()})
    tables = []
    for label, target in by_label.items():
        table = found[(found["quantity"] == label) & found["kind"].isin(kinds)].copy()
        table = table.sort_values("psense", ascending=False, kind="stable")
        table["moves_by"] = table["moves"] * float(np.std(target.filled))
        tables.append(labelled_first(table, target.columns))
    columns = [*targets[0].columns, "kind", "component", "psense", "noise", "moves", "moves_by", "sensitive"]
    return pd.concat(tables, ignore_index=True)[columns]


def verdicts(dt: xr.DataTree, indicators: ValueName | Iterable[ValueName] | None = None) -> pd.DataFrame:
    """What values of indicators depend on: the evidence, the priors (and which), or the system.

    Parameters
    ----------
    dt
        Result with indicators, the prior, and the groups ``log_prior`` and ``log_likelihood``.
    indicators
        Headline numbers, names, or mappings with labels; the headlines of the case by default.

    Returns
    -------
    DataFrame
        One row a value: the columns of `reeuncert.summary`, then ``verdict``, ``why`` (in a sentence), ``level``,
        ``to_priors``, ``to_evidence``, ``prior_class``, ``repeats``, ``close_to``: see
        `reeuncert.result.verdicts.Verdict`.

    Raises
    ------
    ReeUncertError, UnknownIndicatorError
        As `power_scaling`.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior, toy_terms
    >>> table = verdicts(toy_terms(toy_posterior(draws=200, years=2)), [0])
    >>> table[["verdict", "level"]].values.tolist()
    [['prior–data conflict', 'warning']]
    """
    result, targets = Result.holding(dt), targets_of(dt, indicators)
    tables = [summary(dt, target.indicator, **cast(dict[str, Any], target.at)) for target in targets]
    by_power = scaled(result, {target.label: target.draws for target in targets})
    return with_verdicts(result, pd.concat(tables, ignore_index=True), targets, by_power)


def _kinds(dt: xr.DataTree, of: str | Iterable[str]) -> list[str]:
    """Kinds of components that are asked for, and whose terms the result holds."""
    kinds = [of] if isinstance(of, str) else list(of)
    if unknown := [k for k in kinds if k not in KINDS]:
        raise ReeUncertError(f"of is {unknown[0]!r}; use some of: {', '.join(KINDS)}")
    for group in ({CLASS: "log_prior", SOURCE: "log_likelihood"}[kind] for kind in kinds):
        if group not in dt.children or not dt[group].data_vars:
            raise ReeUncertError(
                f"this result holds no group '{group}'; sample the case with likelihood_terms=True (the default)"
            )
    return kinds


FACTOR = 1.25
"""By how much a component counts less or more: about as if its spread were a tenth wider or narrower."""


def tornado(
    dt: xr.DataTree,
    indicator: ValueName,
    *,
    of: str | Iterable[str] = KINDS,
    **coords: str | int,
) -> pd.DataFrame:
    """Medians of an indicator with one thing changed at a time, the largest swing first.

    Every class of priors and every lineage of sources has once less and once more weight: its density is raised to the
    power 1 / 1.25 and 1.25 (`FACTOR`), and the draws are weighted accordingly (PSIS, see `reeuncert.reweight`).

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with ``log_prior`` and ``log_likelihood``.
    indicator, **coords
        One value, see `reeuncert.questions.targets.target_of`.
    of
        ``"prior class"``, ``"source"`` or both.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``; ``kind``, ``component``; ``base`` (the median as it is), ``less`` and
        ``more`` (medians), ``swing`` (distance of the two), ``noise`` (of the swing, chains exchanged), ``pareto_k``
        (the larger of the two), ``reliable`` (k says that the weights can be trusted, and the swing is more than its
        noise).

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label or kind.
    """
    kinds, target = _kinds(dt, of), target_of(dt, indicator, **coords)
    draws = target.filled
    base = _median(draws, np.ones(draws.shape))
    result = Result.holding(dt)
    parts = [
        (kind, name, part)
        for kind in kinds
        for name, part in (lineages(result) if kind == SOURCE else prior_classes(result)).items()
    ]
    rows = []
    for kind, name, part in parts:
        density = (part.density if isinstance(part, Normals) else part).sum(axis=2)
        ends, chance, shapes = [], [], []
        for power in (1.0 / FACTOR, FACTOR):
            weight, k = smoothed((power - 1.0) * density)
            ends.append(_median(draws, weight))
            chance.append(_median(exchanged(draws), weight))
            shapes.append(k)
        k = max(shapes)
        swing, noise = abs(ends[1] - ends[0]), abs(chance[1] - chance[0])
        rows.append((kind, name, base, *ends, swing, noise, k, k <= threshold(draws.size) and swing > noise))
    columns = ["kind", "component", "base", "less", "more", "swing", "noise", "pareto_k", "reliable"]
    table = pd.DataFrame(rows, columns=columns).sort_values("swing", ascending=False, ignore_index=True, kind="stable")
    return labelled_first(table, target.columns)


def _median(draws: Floats, weight: Floats) -> float:
    return weighted_quantiles(draws.ravel(), weight.ravel(), (0.5,))[0]
