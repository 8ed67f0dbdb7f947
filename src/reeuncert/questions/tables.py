"""Which tables would narrow the answers most: all flows that a table reports, measured together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.questions.information import check_measurement, width_after_regression
from reeuncert.questions.nested import interval_width
from reeuncert.questions.targets import Flows, Target, ValueName, choose_flows, targets_of
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import listed

NOTICED = 0.05
"""Narrowing from which an answer counts as narrowed."""

TOGETHER = 10
"""Tables of which the joint narrowing is computed, from the top of the ranking."""


def value_of_tables(
    dt: xr.DataTree,
    indicators: ValueName | Iterable[ValueName] | None = None,
    *,
    by: str | Iterable[str] = "destination",
    flows: Flows = None,
    error: float = 0.1,
    prob: float = 0.9,
    kind: str = "eti",
) -> pd.DataFrame:
    """Expected narrowing of several answers by each table that could be collected, the most useful first.

    A table reports all flows that share attributes, such as all imports of one region, in the year of the answer (of a
    cumulated answer, the last). The expected width is that of what a linear regression on these figures leaves, as in
    `reeuncert.value_of_information` for series; where an answer is not linear in the figures, the narrowing is larger.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with indicators.
    indicators
        Values, named as in `reeuncert.value_of_information`; by default the headlines of the case.
    by
        Attributes of flows of which one table has one value each: ``"destination"`` (imports of a region),
        ``("origin", "destination", "product")`` (a pair and product), or others. A flow without one of them is in no
        table.
    flows
        What tables report: names of flows or a mapping of attributes (``{"quantity": "trade"}``); by default all.
    error
        Relative error of each figure, as in `reeuncert.value_of_information`.
    prob, kind
        Of the interval, as in `reeuncert.summary`.

    Returns
    -------
    DataFrame
        The attributes `by`; ``figures``: flows in the table; ``narrowing``: mean over the answers of the part by which
        the width is expected to shrink; ``answers``: how many shrink by at least 5 %; ``best_answer`` and
        ``best_narrowing``; ``together``: mean narrowing by this table and all above it (the first ten).

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label, flow or attribute; an error that is not positive; no answer that varies; no flow with
        these attributes.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = toy_posterior(draws=250, years=2)
    >>> found = value_of_tables(dt, flows={"quantity": "trade"})
    >>> found.loc[0, "destination"], int(found.loc[0, "answers"])
    ('South', 1)
    """
    check_measurement(error, prob, kind)
    keys = [by] if isinstance(by, str) else list(by)
    unknown = [key for key in keys if key not in FLOW_FIELDS]
    if unknown or not keys:
        raise ReeUncertError(f"a table is named by attributes of flows: {listed(FLOW_FIELDS)}; not by {keys}")
    system = Result(dt).case.system
    tables: dict[tuple[str, ...], list[int]] = {}
    for f in choose_flows(system, flows):
        name = tuple(str(system.flows[f].attribute(key) or "") for key in keys)
        if all(name):
            tables.setdefault(name, []).append(f)
    asked = [(t, interval_width(t.filled.ravel(), prob=prob, kind=kind)) for t in targets_of(dt, indicators)]
    asked = [(target, width) for target, width in asked if width > 0]
    if not tables or not asked:
        raise ReeUncertError("no flow has all these attributes" if asked else "none of these answers varies")
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    log = np.log(np.maximum(mass, np.finfo(float).tiny))

    def narrowing(target: Target, width: float, members: Iterable[int]) -> float:
        t = system.year_index[int(target.at.get("year", system.years[-1]))]
        figures = log[:, :, [f for f in members if system.exists[f, t]], t]
        told = figures[:, :, np.ptp(figures, axis=(0, 1)) > 0]
        if not told.shape[2]:
            return 0.0
        after = width_after_regression(target, told, np.full(told.shape[2], error), prob=prob, kind=kind)
        return 1.0 - after / width

    rows = []
    for name, members in tables.items():
        gains = np.array([narrowing(target, width, members) for target, width in asked])
        best = int(gains.argmax())
        rows.append(
            dict(zip(keys, name, strict=True))
            | {"figures": len(members), "narrowing": gains.mean(), "answers": int((gains >= NOTICED).sum())}
            | {"best_answer": asked[best][0].label, "best_narrowing": gains[best]}
        )
    found = pd.DataFrame(rows).sort_values("narrowing", ascending=False, ignore_index=True, kind="stable")
    ranked = [tables[tuple(row)] for row in found[keys].head(TOGETHER).itertuples(index=False)]
    joined = itertools.accumulate(ranked, lambda above, own: [*above, *own])
    together = [np.mean([narrowing(target, width, members) for target, width in asked]) for members in joined]
    return found.assign(together=pd.Series(together, dtype=float))
