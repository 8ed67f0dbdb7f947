"""Flows: a Sankey diagram for each year and for all years, and details of each flow."""

from __future__ import annotations

from typing import Any

import numpy as np

from reeuncert.case.selection import sides
from reeuncert.plots.access import CUMULATED_LABEL
from reeuncert.plots.sankey import plot_sankey
from reeuncert.plots.sankey_board import CLASSES, class_names
from reeuncert.plots.sankey_graph import BORDER_CROSSING, UNREGISTERED
from reeuncert.plots.style import UNRECORDED, hue
from reeuncert.report.figures import figure
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result

ENDS = (0.05, 0.5, 0.95)


def content(result: Result) -> dict[str, Any]:
    """The diagram, and a list of flows with interval, prior and evidence of the selected one."""
    diagram = figure(
        "sankey",
        "From the mine to the end use",
        lambda: plot_sankey(result.dt, backend="plotly").update_layout(showlegend=False),
        alt="Sankey diagram of the flows in the year chosen; the list below gives every flow with its interval.",
        caption="Columns are stages, rows are regions and routes. Ribbon width is the median flow; faint ribbons are "
        "uncertain, outlined ribbons unregistered, pink ribbons unrecorded trade.",
        height=760,
    )
    single = figure(
        "flow",
        "One flow",
        lambda: _flows(result),
        alt="Fan chart of the flow chosen above; its values are listed beside it.",
        caption="Flows of the year chosen above, the largest first.",
        height=280,
    )
    return {
        "diagram": diagram,
        "single": single,
        "regions": list(zip(result.case.regions, map(hue, range(len(result.case.regions))), strict=True)),
        "certainty": list(zip(class_names(), (opacity for _, opacity in CLASSES), strict=True)),
        "unregistered": any(f.route == UNREGISTERED for f in result.case.system.flows),
        "unrecorded": UNRECORDED if any(f.quantity in BORDER_CROSSING for f in result.case.system.flows) else "",
    }


def _flows(result: Result) -> dict[str, Any]:
    """Quantiles of every flow in every year and over all years, and the ids of its evidence."""
    system = result.case.system
    draws = result.masses()
    after, total = _quantiles(draws)
    before = total_before = None
    if "prior" in result.dt.children:
        before, total_before = _quantiles(result.masses("prior"))
    evidence = _evidence(result)
    flows = []
    for i, flow in enumerate(system.flows):
        if not flow.years:
            continue
        ways = " → ".join(p for p in (flow.from_process, flow.to_process))
        about = ", ".join(t for t in (flow.quantity.replace("_", " "), flow.product, flow.end_use, flow.route) if t)
        one: dict[str, Any] = {"name": flow.name, "way": ways, "about": about, "note": flow.note}
        one |= {"q": after[:, i], "all": total[:, i], "said": evidence.get(i, [])}
        if before is not None and total_before is not None:
            one |= {"p": before[:, i], "allp": total_before[:, i]}
        flows.append(one)
    return {"kind": "flow", "unit": result.unit, "years": list(system.years), "flows": flows, "sum": CUMULATED_LABEL}


def _quantiles(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval bounds and median (3, flow, year), and those of the sum over the years (3, flow)."""
    flat = draws.reshape(len(draws), -1)
    return quantiles(flat, ENDS).reshape(3, *draws.shape[1:]), quantiles(np.nansum(draws, axis=2), ENDS)


def _evidence(result: Result) -> dict[int, list[list[Any]]]:
    """Flow → ``[id, first year, last year]`` of each evidence row."""
    system = result.case.system
    found: dict[int, list[list[Any]]] = {}
    for row in result.case.evidence:
        years = {*row.years, *row.of_years}
        for flow in sorted({i for terms in sides(row, system) for i, _ in terms}):
            found.setdefault(flow, []).append([row.id, min(years), max(years)])
    return found
