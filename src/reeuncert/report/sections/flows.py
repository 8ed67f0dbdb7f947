"""Flows: a Sankey diagram for each year and for all years, and details of each flow."""

from typing import Any

import numpy as np
import pandas as pd

from reeuncert.case.selection import sides
from reeuncert.plots.access import ALL_YEARS, flat
from reeuncert.plots.sankey import diagram, largest_regions, sankey_data
from reeuncert.plots.sankey_board import certainties, node_text, opacity_of, steps_of
from reeuncert.plots.sankey_graph import CROSSING, END_USE, LOSS, OTHERS, STOCK, UNRECORDED, UNREGISTERED, Graph, Node
from reeuncert.plots.style import colours_of
from reeuncert.report.figures import css_colour, figure
from reeuncert.report.words import labels_of
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result
from reeuncert.result.tables import INTERVAL

ENDS = (0.05, 0.5, 0.95)
HEIGHT, HEIGHT_OF_ROW = 720, 100  # height of the diagram and the least height of one of its rows, in CSS pixels


def content(result: Result) -> dict[str, Any]:
    """The diagram, and a list of flows with interval, prior and evidence of the selected one."""
    system, regions = result.case.system, list(result.case.regions)
    alone = largest_regions(result.dt)
    picture = figure(
        "sankey",
        "Flows by stage, region and route",
        lambda: sankey_spec(result),
        alt="Sankey diagram of the flows in the year chosen; the list below gives every flow with its interval.",
        caption="Columns are stages, rows are regions and routes. Ribbons are as wide as the mean over the draws, so "
        "that every node balances; numbers on nodes are means. A click on a ribbon shows it over the years below.",
        height=HEIGHT,
    )
    single = figure(
        "flow",
        "One flow",
        lambda: _flows(result),
        alt="Fan chart of the flow chosen above; its values are listed beside it.",
        caption="Flows of the year chosen above, the largest first.",
        height=280,
    )
    routes = {flow.route for flow in system.flows}
    return {
        "diagram": picture,
        "single": single,
        "regions": [(region, _colour(region, regions)) for region in regions],
        "others": [region for region in regions if region not in alone],
        "certainty": certainties(),
        "unregistered": UNREGISTERED in routes,
        "unrecorded": any(flow.quantity in CROSSING for flow in system.flows),
        "stocks": any(flow.is_stock for flow in system.flows),
    }


def sankey_spec(result: Result) -> dict[str, Any]:
    """The diagram for every year and for their sum; of many regions, with the smaller ones as one and with each."""
    regions, alone = list(result.case.regions), largest_regions(result.dt)
    shown = [alone] if alone == regions else [alone, regions]
    tables = [sankey_data(result.dt, regions=names) for names in shown]
    steps = list(dict.fromkeys(tables[0]["year"]))
    return {
        "kind": "sankey",
        "unit": result.unit,
        "steps": [str(step) for step in steps],
        "start": max(i for i, step in enumerate(steps) if step != ALL_YEARS or len(steps) == 1),
        "regions": regions,
        "products": list(result.case.products),
        "others": [OTHERS, *(region for region in regions if region not in alone)],
        "views": [_view(result, diagram(result.dt, names), table) for names, table in zip(shown, tables, strict=True)],
    }


def _view(result: Result, graph: Graph, table: pd.DataFrame) -> dict[str, Any]:
    """Places, values and colours of the nodes and ribbons, by step."""
    regions = list(result.case.regions)
    nodes = [node for column in graph.columns for node in column]
    place, across = {node.name: i for i, node in enumerate(nodes)}, graph.x_of
    steps = list(steps_of(table, graph))
    layouts = [step.layout for n, step in enumerate(steps) if not n or step.layout is not steps[n - 1].layout]
    drawn: list[dict[str, Any]] = [
        {"name": node_text(node), "x": across[node.name], "c": _colour(node.row.split(", ")[0], regions)}
        | {"end": node.stage == END_USE, "y": np.full(len(steps), np.nan), "v": np.full(len(steps), np.nan)}
        for node in nodes
    ]
    flows_of = {(a.source.name, a.target.name, a.route, a.label): (*a.flows, *a.minus) for a in graph.links}
    links: dict[tuple[str, ...], dict[str, Any]] = {}
    for t, step in enumerate(steps):
        for name, upper in step.top.items():
            drawn[place[name]]["y"][t], drawn[place[name]]["v"][t] = upper, step.value[name]
        for row in step.ribbons:
            key = (row.source, row.target, row.route, row.label)
            if key not in links:
                links[key] = _link(row, flows_of[key], nodes, place, len(steps), result)
            link = links[key]
            link["m"][t], link["o"][t] = row.mean, opacity_of(row.factor)
            link["a"][t], link["b"][t] = row.leaves, row.enters
            for rank, column in enumerate(("eti90_lb", "median", "eti90_ub")):
                link["q"][rank, t] = getattr(row, column)
                if "p" in link:
                    link["p"][rank, t] = getattr(row, f"prior_{column}")
    return {
        "height": max(HEIGHT, HEIGHT_OF_ROW * len(graph.rows)),
        "layout": [layouts.index(step.layout) for step in steps],
        "layouts": [{"scale": one.scale, "rows": list(one.rows.items())} for one in layouts],
        "headings": [[x, text, text == "after trade"] for x, text in zip(graph.x, graph.headings, strict=True)],
        "nodes": drawn,
        "links": list(links.values()),
    }


def _link(
    row: Any, flows: tuple[str, ...], nodes: list[Node], place: dict[str, int], n: int, result: Result
) -> dict[str, Any]:
    source, target = place[row.source], place[row.target]
    system, regions = result.case.system, list(result.case.regions)
    products = {system.flows[system.flow_index[name]].product for name in flows}
    ends = dict.fromkeys([row.region, *(nodes[i].row.split(", ")[0] for i in (source, target))])
    colour = "unrecorded" if row.route == UNRECORDED else _colour(row.region, regions)
    out: dict[str, Any] = {"s": source, "t": target, "route": row.route, "label": row.label, "regions": list(ends)}
    out |= {"products": sorted(products), "c": colour if row.route not in (LOSS, STOCK) else "prior"}
    out["title"] = f"{node_text(nodes[source])} → {node_text(nodes[target])}"
    out["flows"] = result.once(labels_of).told(row.flow)
    out |= {name: np.full(n, np.nan) for name in ("m", "o", "a", "b")} | {"q": np.full((len(ENDS), n), np.nan)}
    return out | ({"p": np.full((len(ENDS), n), np.nan)} if np.isfinite(row.prior_median) else {})


def _colour(region: str, regions: list[str]) -> str:
    return css_colour(colours_of(regions or [region]).get(region, "muted"))


def _flows(result: Result) -> dict[str, Any]:
    """Quantiles of every flow in every year and over all years, and the ids of its evidence."""
    system, labels = result.case.system, result.once(labels_of)
    after, before = {"q": _grid(result), "all": quantiles(flat(result.total()), ENDS)}, {}
    if "prior" in result.dt.children:
        before = {"p": _grid(result, "prior_"), "allp": quantiles(flat(result.total("prior")), ENDS)}
    evidence = _evidence(result)
    flows = []
    for i, flow in enumerate(system.flows):
        if not flow.years:
            continue
        way = " → ".join(labels.processes.get(p, p) for p in (flow.from_process, flow.to_process))
        one: dict[str, Any] = {"name": flow.name, "label": labels.flows[flow.name], "way": way, "note": flow.note}
        one |= {name: values[:, i] for name, values in after.items()} | {"said": evidence.get(i, [])}
        flows.append(one | {name: values[:, i] for name, values in before.items()})
    return {"kind": "flow", "unit": result.unit, "years": list(system.years), "flows": flows, "sum": ALL_YEARS}


def _grid(result: Result, prefix: str = "") -> np.ndarray:
    """Interval bounds and median (3, flow, year) from the table of flows."""
    system, table = result.case.system, result.flows
    columns = [f"{prefix}{name}" for name in (INTERVAL[0], "median", INTERVAL[1])]
    out = np.full((3, len(system.flows), len(system.years)), np.nan)
    flow = table["flow"].map(system.flow_index).to_numpy()
    out[:, flow, table["year"].map(system.year_index).to_numpy()] = table[columns].to_numpy().T
    return out


def _evidence(result: Result) -> dict[int, list[list[Any]]]:
    """Flow → ``[id, first year, last year, reporter]`` of each evidence row."""
    system = result.case.system
    found: dict[int, list[list[Any]]] = {}
    for row in result.case.evidence:
        years = {*row.years, *row.of_years}
        for flow in sorted({i for terms in sides(row, system) for i, _ in terms}):
            found.setdefault(flow, []).append([row.id, min(years), max(years), row.reporter or row.lineage])
    return found
