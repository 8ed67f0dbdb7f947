"""Width of prior and posterior of every flow, and the drivers of the remaining uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np

from reeuncert.plots.drivers import drivers_data
from reeuncert.report.context import Context
from reeuncert.report.figures import figure
from reeuncert.report.pulls import lineage_log_likelihood, pulls_of
from reeuncert.result.quantiles import quantiles

ENDS = (0.05, 0.5, 0.95)
DRIVERS = 5


def content(context: Context) -> dict[str, Any]:
    """A figure and a table of flows, and the flows and sources behind each headline."""

    def draw() -> Any:
        from reeuncert.plots.learning import plot_learning

        return plot_learning(context.dt, backend="plotly")

    return {
        "figure": figure(
            "learning",
            "Posterior width against prior width of each flow",
            draw,
            alt="Width of the prior interval of each flow against that of its posterior interval; the table has both.",
            height=520,
        ),
        "flows": _flows(context) if "prior" in context.dt.children else [],
        "headlines": _headlines(context) if context.case.headlines else [],
        "has_sources": "log_likelihood" in context.dt.children,
        "span": (context.years[0], context.years[-1]),
    }


def _flows(context: Context) -> list[dict[str, Any]]:
    """Sum over all years of each flow: prior and posterior interval, largest width ratio first."""
    after = quantiles(np.nansum(context.draws(), axis=2), ENDS)
    before = quantiles(np.nansum(context.draws("prior"), axis=2), ENDS)
    rows = []
    for i, flow in enumerate(context.case.system.flows):
        if flow.years:
            ends = (after[0, i], after[2, i]), (before[0, i], before[2, i])
            row = {"name": flow.name, "quantity": flow.quantity, "unit": context.unit, "median": after[1, i]}
            rows.append(row | {"posterior": ends[0], "prior": ends[1], "ratio": _ratio(*ends)})
    return sorted(rows, key=lambda row: -np.nan_to_num(row["ratio"], nan=-1.0))


def _ratio(posterior: tuple[float, float], prior: tuple[float, float]) -> float:
    """Width of the posterior interval over the prior's, of logarithms: masses are known by a factor."""
    if min(posterior[0], prior[0]) <= 0 or prior[1] <= prior[0]:
        return float("nan")
    return float(np.log(posterior[1] / posterior[0]) / np.log(prior[1] / prior[0]))


def _headlines(context: Context) -> list[dict[str, Any]]:
    drivers = drivers_data(context.dt)
    sources = lineage_log_likelihood(context.dt)
    out = []
    for number, row in enumerate(context.headlines.to_dict("records")):
        variable = context.dt["derived"][row["indicator"]]
        at = {d: row[d] for d in variable.dims if d not in ("chain", "draw")}
        headline = variable.sel(at).transpose("chain", "draw").values.reshape(-1)
        moving = drivers[drivers["headline"] == number].head(DRIVERS).to_dict("records")
        out.append({"sentence": row["sentence"], "drivers": moving, "sources": pulls_of(headline, sources)})
    return out
