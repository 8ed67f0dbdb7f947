"""Width of prior and posterior of every flow, and the drivers of the remaining uncertainty."""

from __future__ import annotations

from typing import Any

from reeuncert.plots.drivers import drivers_data
from reeuncert.plots.learning import learning_data, plot_learning
from reeuncert.report.context import Context
from reeuncert.report.figures import figure
from reeuncert.report.pulls import lineage_log_likelihood, pulls_of

DRIVERS = 5


def content(context: Context) -> dict[str, Any]:
    """A figure and a table of flows, and the flows and sources behind each headline."""
    return {
        "figure": figure(
            "learning",
            "Posterior width against prior width of each flow",
            lambda: plot_learning(context.dt, backend="plotly"),
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
    table = learning_data(context.dt).sort_values("width_ratio", ascending=False, na_position="last")
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


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
