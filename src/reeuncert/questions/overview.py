"""What drives each headline, and which number or table to collect next, for all headlines of a result at once."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.headlines import Target
from reeuncert.inference.layout import COORDINATES
from reeuncert.questions.information import check_measurement, of_cells, width_after_regression
from reeuncert.questions.nested import interval_width
from reeuncert.questions.sobol import inputs_of, shares_of
from reeuncert.questions.targets import Flows, ValueName, choose_flows, targets_of
from reeuncert.result.diagnostics import standard_ranks
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.cells import listed

CANDIDATES = 40
"""Flows and years whose measurement is worked out for each headline: those that rise and fall with it most."""

TO_CHOOSE = 1000
"""Draws that suffice to choose them."""


@dataclass(frozen=True, eq=False)
class Overview:
    """What one headline is driven by: shares of its variance (`reeuncert.questions.sobol.shares_of`; empty where the
    result holds no coordinates or the headline does not vary), and the best candidates to measure, as from
    `reeuncert.value_of_information`.
    """

    target: Target
    shares: pd.DataFrame
    measurements: pd.DataFrame


def overview(dt: xr.DataTree, *, error: float = 0.1) -> list[Overview]:
    """What drives each headline of the case, and which flow to measure next, from the draws alone.

    Measurements, with a relative error each, are computed as `reeuncert.value_of_information` does, for the flows and
    years whose ranks are correlated with the headline's; that leaves out only what could not narrow it.
    """
    targets = targets_of(dt)
    case = Result.holding(dt).case
    masses = mass_flow(dt)
    flow, year = np.nonzero(case.system.exists)
    values = masses.transpose("flow", "year", "chain", "draw").values
    values = values.reshape(*values.shape[:2], -1)
    step = max(1, values.shape[2] // TO_CHOOSE)
    cells = values[:, :, ::step][flow, year].T
    told = np.stack([t.filled.ravel()[::step] for t in targets], axis=1)
    go = np.abs(standard_ranks(told) @ standard_ranks(cells).T)
    shares: dict[str, pd.DataFrame] = {}
    if COORDINATES in dt["posterior"].data_vars:
        vary = {t.label: t for t in targets if interval_width(t.filled.ravel()) > 0}
        shares = dict(zip(vary, shares_of(list(vary.values()), inputs_of(dt)), strict=True))
    chosen = np.argsort(-go, axis=1)[:, :CANDIDATES]
    asked = [np.stack([flow[one], year[one]], axis=1) for one in chosen]
    out = []
    for target, table in zip(targets, of_cells(targets, case.system, masses, asked, error), strict=True):
        now = interval_width(target.filled.ravel())
        table["narrowing"] = 1.0 - table["expected"] / now if now > 0 else 0.0
        table = table.sort_values("narrowing", ascending=False, ignore_index=True).head(5)
        out.append(Overview(target, shares.get(target.label, pd.DataFrame()), table))
    return out


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
) -> pd.DataFrame:
    """Expected narrowing of several answers by each table that could be collected, the most useful first.

    A table reports all flows that share attributes, such as all imports of one region, in the year of the answer (of a
    cumulated answer, the last). The expected width of its 90 % interval is that of what a linear regression on these
    figures leaves, as in `reeuncert.value_of_information` for series; where an answer is not linear in the figures, the
    narrowing is larger.

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
    check_measurement(error)
    keys = [by] if isinstance(by, str) else list(by)
    unknown = [key for key in keys if key not in FLOW_FIELDS]
    if unknown or not keys:
        raise ReeUncertError(f"a table is named by attributes of flows: {listed(FLOW_FIELDS)}; not by {keys}")
    system = Result.holding(dt).case.system
    tables: dict[tuple[str, ...], list[int]] = {}
    for f in choose_flows(system, flows):
        name = tuple(str(system.flows[f].attribute(key) or "") for key in keys)
        if all(name):
            tables.setdefault(name, []).append(f)
    asked = [(t, interval_width(t.filled.ravel())) for t in targets_of(dt, indicators)]
    asked = [(target, width) for target, width in asked if width > 0]
    if not tables or not asked:
        raise ReeUncertError("no flow has all these attributes" if asked else "none of these answers varies")
    mass = mass_flow(dt).values
    log = np.log(np.maximum(mass, np.finfo(float).tiny))

    def narrowing(target: Target, width: float, members: Iterable[int]) -> float:
        t = system.year_index[int(target.at.get("year", system.years[-1]))]
        figures = log[:, :, [f for f in members if system.exists[f, t]], t]
        told = figures[:, :, np.ptp(figures, axis=(0, 1)) > 0]
        if not told.shape[2]:
            return 0.0
        after = width_after_regression(target, told, np.full(told.shape[2], error))
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
