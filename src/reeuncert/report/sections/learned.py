"""What we learned: prior against posterior width of every flow, and what carries the uncertainty that is left."""

from __future__ import annotations

from typing import Any

import numpy as np

from reeuncert.report.context import Context
from reeuncert.report.drivers import flow_drivers, lineage_log_likelihood, ranks, source_drivers
from reeuncert.report.fans import quantiles
from reeuncert.report.figures import figure

ENDS = (0.05, 0.5, 0.95)


def content(context: Context) -> dict[str, Any]:
    """A figure and a table of flows, and the flows and sources behind each headline."""

    def draw() -> Any:
        from reeuncert.plots.learning import plot_learning

        return plot_learning(context.dt, backend="plotly")

    known = "prior" in context.dt.children
    return {
        "figure": figure(
            "learning",
            "How much narrower each flow became",
            draw,
            alt="Width of the prior interval of each flow against the width of its posterior interval; the table has both.",
            height=520,
        ),
        "flows": _flows(context) if known else [],
        "headlines": _headlines(context),
        "has_sources": "log_likelihood" in context.dt.children,
        "span": (context.years[0], context.years[-1]),
    }


def _flows(context: Context) -> list[dict[str, Any]]:
    """Sum over all years of each flow: interval before and after."""
    after = quantiles(np.nansum(context.draws(), axis=2), ENDS)
    before = quantiles(np.nansum(context.draws("prior"), axis=2), ENDS)
    rows = []
    for i, flow in enumerate(context.case.system.flows):
        if not flow.years:
            continue
        ratio = (after[2, i] - after[0, i]) / (before[2, i] - before[0, i]) if before[2, i] > before[0, i] else np.nan
        rows.append(
            {
                "name": flow.name,
                "quantity": flow.quantity,
                "unit": context.unit,
                "median": after[1, i],
                "posterior": (after[0, i], after[2, i]),
                "prior": (before[0, i], before[2, i]),
                "ratio": ratio,
            }
        )
    return sorted(rows, key=lambda row: -np.nan_to_num(row["ratio"], nan=-1.0))


def _headlines(context: Context) -> list[dict[str, Any]]:
    draws = context.draws()
    flow_ranks = ranks(draws)
    names = [f.name for f in context.case.system.flows]
    sources = lineage_log_likelihood(context.dt)
    out = []
    for row in context.headlines.to_dict("records"):
        variable = context.dt["derived"][row["indicator"]]
        at = {d: row[d] for d in variable.dims if d not in ("chain", "draw")}
        headline = variable.sel(at).transpose("chain", "draw").values.reshape(-1)
        out.append(
            {
                "sentence": row["sentence"],
                "flows": flow_drivers(headline, flow_ranks, names, list(context.years)),
                "sources": source_drivers(headline, sources),
            }
        )
    return out
