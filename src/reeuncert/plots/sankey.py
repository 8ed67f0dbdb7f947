"""Sankey diagram of a system, from the mine to the end use: width is the mean, paleness the relative uncertainty."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.selection import sides
from reeuncert.indicators.printing import label_positions
from reeuncert.plots.access import ALL_YEARS, Coords, both, quantile_table, take
from reeuncert.plots.render import figure_of, render_steps
from reeuncert.plots.sankey_board import sankey_boards
from reeuncert.plots.sankey_graph import Graph, folded, sankey_graph
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow

MOST_REGIONS = 6  # regions that a diagram shows one by one; of more, it shows the largest, and the others as one
Regions = Sequence[str] | None


def sankey_data(dt: xr.DataTree, *, coords: Coords = None, regions: Regions = None) -> pd.DataFrame:
    """The ribbons of the diagram, one row a ribbon and year.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    coords
        ``year`` (years, or ``"cumulative"``); by default every year and the sum.
    regions
        Regions that stand alone; the others are drawn as one. By default all where there are at most six, else the five
        that most mass leaves (means over all years).

    Returns
    -------
    DataFrame
        ``year``, ``source``, ``target`` (nodes, see `reeuncert.plots.sankey_graph`), ``flow`` (names joined by `` + ``;
        what stays in a market is what leaves it after trade less what came), ``label``, ``region``, ``route``
        (``registered``, ``unregistered``, ``unrecorded``, ``loss`` or ``stock``), ``unit``, ``mean``, ``median``,
        ``eti90_lb``, ``eti90_ub``, ``prior_median``, ``prior_eti90_lb``, ``prior_eti90_ub``,
        ``factor`` = √(upper / lower), and ``evidence`` (ids of the evidence on its flows in the year).

    Raises
    ------
    ReeUncertError
        If the result holds no case, or a year or region does not exist.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = sankey_data(toy_posterior(draws=20, years=2), coords={"year": 2002})
    >>> table.loc[table["flow"] == "mine_production_South", ["source", "target"]].values.tolist()
    [['mining_South', 'market_concentrate_South|supply']]
    """
    return _table(dt, diagram(dt, regions), coords)


@figure_of(sankey_data)
def plot_sankey(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", regions: Regions = None) -> Any:
    """Draw the flows of a system from the mine to the end use.

    Columns are stages, rows are regions and routes. The width of a ribbon is its mean (means of draws balance, medians
    do not), its colour its region; what is paler is less certain; unregistered flows are darker (hatched in
    matplotlib), unrecorded ones pink, losses and what a stock gains or loses in a year grey. All years have one scale.
    In matplotlib one year is drawn (by default the last), in Plotly all that are chosen, with a slider.
    """
    case = Result.holding(dt).case
    graph = diagram(dt, regions)
    last = {"year": case.system.years[-1]} if backend == "matplotlib" else {}
    table = _table(dt, graph, last | dict(coords or {}))
    boards = sankey_boards(table, graph, case.regions)
    years = [y for y in boards if y != ALL_YEARS] or list(boards)
    return render_steps(boards, years[-1], backend)


def diagram(dt: xr.DataTree, regions: Regions = None) -> Graph:
    """Nodes and links of the diagram, with the regions that stand alone as in `sankey_data`."""
    case = Result.holding(dt).case
    regions = largest_regions(dt) if regions is None else regions
    chosen = label_positions("the Sankey diagram", {"region": case.regions}, {"region": regions})["region"]
    graph = sankey_graph(case)
    return graph if set(chosen) >= set(range(len(case.regions))) else folded(graph, [case.regions[i] for i in chosen])


def largest_regions(dt: xr.DataTree) -> list[str]:
    """Regions that stand alone by default, in the order of the case."""
    case = Result.holding(dt).case
    if len(case.regions) <= MOST_REGIONS:
        return list(case.regions)
    flows = [(i, f.origin) for i, f in enumerate(case.system.flows) if not f.is_stock]
    mean = mass_flow(dt).mean(("chain", "draw")).sum("year").values
    leaves = {region: sum(mean[i] for i, origin in flows if origin == region) for region in case.regions}
    largest = sorted(leaves, key=lambda region: -leaves[region])[: MOST_REGIONS - 1]
    return [region for region in case.regions if region in largest]


def _table(dt: xr.DataTree, graph: Graph, coords: Coords) -> pd.DataFrame:
    mass, before = both(dt)
    known = *mass["year"].values.tolist(), ALL_YEARS
    years = take(coords, {"year": known}, "the Sankey diagram")["year"]
    posterior, prior = _widths(mass, graph, years), None if before is None else _widths(before, graph, years)
    spoken = _evidence(Result.holding(dt).case, graph, years)
    t, k = np.nonzero(posterior["mean"] > 0)
    links = [graph.links[i] for i in k]
    told = [" + ".join(link.flows) + "".join(f" − {m}" for m in link.minus) for link in graph.links]
    columns: dict[str, Any] = {
        "year": pd.Series([years[i] for i in t], dtype=object),
        "source": [link.source.name for link in links],
        "target": [link.target.name for link in links],
        "flow": [told[i] for i in k],
        **{name: [getattr(link, name) for link in links] for name in ("label", "region", "route")},
        "unit": str(mass.attrs.get("units", "")),
    }
    columns |= {name: of[t, k] for name, of in posterior.items()}
    columns |= {f"prior_{name}": np.nan if prior is None else prior[name][t, k] for name in posterior}
    columns["evidence"] = [" ".join(spoken[i][j]) for i, j in zip(t, k, strict=True)]
    out = pd.DataFrame(columns).drop(columns="prior_mean")
    ends = out["eti90_lb"].clip(lower=0).to_numpy(), out["eti90_ub"].clip(lower=0).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(ends[0] > 0, np.sqrt(ends[1] / ends[0]), np.inf)
    out.insert(len(out.columns) - 1, "factor", factor)
    return out


def _widths(mass: xr.DataArray, graph: Graph, years: list[Any]) -> dict[str, np.ndarray]:
    """Mean, median and 90 % interval of every ribbon, arrays (year, link)."""
    found = [quantile_table(draws.T, (0.9,)) for draws in _ribbons(mass, graph, years)]
    names = ("mean", "median", "eti90_lb", "eti90_ub")
    return {name: np.array([one[name] for one in found]).reshape(-1, len(years)).T for name in names}


def _ribbons(mass: xr.DataArray, graph: Graph, years: list[Any]) -> Iterator[np.ndarray]:
    """Draws of one ribbon after another (year, sample), with their sign: means balance only so."""
    flows = mass.transpose("flow", "year", "chain", "draw").values
    index = {str(name): i for i, name in enumerate(mass["flow"].values)}
    position = {int(y): t for t, y in enumerate(mass["year"].values)}

    def of(name: str) -> np.ndarray:
        values = flows[index[name]].reshape(len(position), -1)
        there = ~np.isnan(values[:, :1])  # a flow that does not exist in a year is NaN in every draw
        return values if there.all() else np.where(there, values, 0.0)

    for link in graph.links:
        net = np.zeros((len(position), mass.sizes["chain"] * mass.sizes["draw"]))
        for name in link.flows:
            net += of(name)
        for name in link.minus:
            net -= of(name)
        for name in link.before:
            net[1:] -= of(name)[:-1]
        net *= -1 if link.reverse else 1
        yield np.stack([net.sum(axis=0) if y == ALL_YEARS else net[position[int(y)]] for y in years])


def _evidence(case: Case, graph: Graph, years: list[Any]) -> list[list[list[str]]]:
    """Ids of the evidence on a ribbon's own flows, by year and ribbon."""
    system = case.system
    of_flow: dict[tuple[int, int], list[str]] = {}
    for row in case.evidence:
        for term in set().union(*sides(row, system)):
            of_flow.setdefault(term, []).append(row.id)
    out = []
    for year in years:
        times = range(len(system.years)) if year == ALL_YEARS else [system.year_index[int(year)]]
        of_year = []
        for link in graph.links:
            flows = [system.flow_index[f] for f in link.flows] if not link.minus and not link.before else []
            of_year.append(list(dict.fromkeys(i for f in flows for t in times for i in of_flow.get((f, t), ()))))
        out.append(of_year)
    return out
