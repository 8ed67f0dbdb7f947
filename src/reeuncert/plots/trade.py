"""Trade between regions: each way as arrows; shares of exporters in imports, and net exports, of every pair."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.plots.access import (
    ALL_YEARS,
    Coords,
    both,
    chosen_flows,
    estimate_of,
    flat,
    led_by,
    quantile_table,
    refined_products,
    rows_of,
    sum_of,
    take,
    tidy,
)
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, Text
from reeuncert.plots.render import figure_of, render, render_steps
from reeuncert.plots.style import HUES, colours_of, interval_name
from reeuncert.plots.style import UNRECORDED as PINK
from reeuncert.result.learning import FIXED, NARROWER, PARTLY_NARROWER, learning
from reeuncert.result.quantiles import spread
from reeuncert.result.tables import mass_flow

RECORDED, UNRECORDED = "recorded", "unrecorded"
RECORDS = {RECORDED: ("trade",), UNRECORDED: ("declared", "undeclared")}
ARRIVALS = tuple(quantity for names in RECORDS.values() for quantity in names)
REFINED, ALL = "refined", "all"
SHIFT = {RECORDED: 0.1, UNRECORDED: 0.235}  # how far to the left of the straight line between two corners an arrow runs
PLACE = {RECORDED: 0.24, UNRECORDED: 0.5}
"""Position of the label along its arrow, so that the labels of a pair do not overlap."""
MOST_WIDTH, CLEAR = 0.14, 0.28  # largest width of an arrow, and its distance from the corners


def triangle_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Trade between every pair of regions, by product and year.

    Parameters
    ----------
    dt
        Result with draws of mass_flow.
    coords
        ``product`` (one of the products, ``"refined"`` or ``"all"``; by default ``"all"``), ``year`` (years, or
        ``"cumulative"``; by default every year and the sum), ``region`` (regions among which trade is shown).

    Returns
    -------
    DataFrame
        ``origin``, ``destination``, ``product``, ``record`` (``recorded`` by the exporter, or ``unrecorded``),
        ``year``, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub``, ``prior_median``, ``prior_eti90_lb``,
        ``prior_eti90_ub``. Pairs without a flow in a year have no row.

    Raises
    ------
    ReeUncertError
        If a label does not exist, or regions do not trade.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = triangle_data(toy_posterior(draws=20, years=2), coords={"product": "concentrate", "year": 2002})
    >>> table[["origin", "destination", "record"]].values.tolist()[0]
    ['South', 'North', 'recorded']
    """
    mass, before = both(dt)
    groups, years = groups_of(mass), [*mass["year"].values.tolist(), ALL_YEARS]
    pairs = list(dict.fromkeys(_ends(mass, quantity=ARRIVALS)))
    known: dict[str, Any] = {"region": dict.fromkeys(itertools.chain(*pairs)), "product": groups, "year": years}
    wanted = take({"product": ALL, **(coords or {})}, known, "trade")
    within = [pair for pair in pairs if set(wanted["region"]).issuperset(pair)]
    tables = []
    for product, pair, record in itertools.product(wanted["product"], within, RECORDS):
        route = {"origin": pair[0], "destination": pair[1]}
        asked = route | {"product": groups[product], "quantity": RECORDS[record]}
        total = _totals(mass, asked, wanted["year"])
        if total is not None and np.isfinite(total).any():
            prior = None if before is None else _totals(before, asked, wanted["year"])
            table = tidy(total, prior, (0.9,)).assign(**route, product=product, record=record)
            tables.append(table.assign(unit=str(mass.attrs.get("units", ""))))
    if not tables:
        raise ReeUncertError(f"nothing is traded there: {dict(coords or {})}")
    table = pd.concat(tables, ignore_index=True).drop(columns="mean")
    table = led_by(table, "origin", "destination", "product", "record", "year", "unit")
    return table.sort_values("year", key=lambda column: column.map(years.index), kind="stable", ignore_index=True)


@figure_of(triangle_data)
def plot_triangle(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the regions as corners and their trade as arrows: width is the median, the label gives the 90 % interval.

    Products become panels. In matplotlib one year is drawn (by default the last), in Plotly all that are chosen, with
    a slider.
    """
    last = {"year": int(both(dt)[0]["year"].values[-1])} if backend == "matplotlib" else {}
    table, regions = triangle_data(dt, coords=last | dict(coords or {})), regions_of(dt)
    boards = {}
    for year, rows in table.groupby("year", sort=False):
        panels = tuple(_arrows(str(p), part, regions) for p, part in rows.groupby("product", sort=False))
        said = f"median ({interval_name()}) in {table['unit'].iloc[0]}"
        boards[str(year)] = Board(f"Trade between the regions, {year}", panels, 2, 4.0, 5.6, said)
    years = [y for y in boards if y != ALL_YEARS] or list(boards)
    return render_steps(boards, years[-1], backend)


def _arrows(product: str, rows: pd.DataFrame, regions: list[str]) -> Panel:
    """One product: an arrow for each pair, direction and record, and the regions as corners."""
    places, colours = corners(regions), colours_of(regions)
    largest = float(rows["median"].max()) or 1.0
    marks: list[Mark] = [
        Area((), (), "ink", 1.0, "recorded by the exporter (colour: origin)"),
        Area((), (), PINK, 1.0, UNRECORDED),
    ]
    notes: list[Mark] = []
    for row in rows_of(rows):
        start, end = arrow(places[row.origin], places[row.destination], SHIFT[row.record])
        x, y = arrow_shape(start, end, max(0.008, MOST_WIDTH * row.median / largest))
        values = estimate_of(row)
        hover = f"{row.origin} → {row.destination}\n{product}, {row.record}, {row.year}\n{values}"
        if np.isfinite(row.prior_median):
            hover += f"\nprior: {estimate_of(row, 'prior_')}"
        colour = PINK if row.record == UNRECORDED else colours[row.origin]
        marks.append(Area(x, y, colour, 0.85, hover=hover))
        along = PLACE[row.record]
        x0, y0 = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])
        notes.append(Text(x0, y0, values, size=7.5, ground="ground"))
    notes += [Text(*places[r], r, "ground", 9.0, bold=True, ground=colours[r]) for r in regions]
    y_axis = Axis(limits=(-0.8 if len(regions) == 3 else -1.3, 1.25))
    return Panel(product, [*marks, *notes], x=Axis(limits=(-1.5, 1.5)), y=y_axis, bare=True)


def corners(regions: list[str]) -> dict[str, tuple[float, float]]:
    """Places of the regions on a circle of radius 1, the first at the top."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(regions)) / len(regions)
    return {r: (float(np.cos(a)), float(np.sin(a))) for r, a in zip(regions, angle, strict=True)}


def arrow(
    start: tuple[float, float], end: tuple[float, float], shift: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of an arrow between two corners, moved to its left by `shift`, clear of the corners.

    >>> arrow((0.0, 0.0), (1.0, 0.0), 0.1)
    ((0.28, 0.1), (0.72, 0.1))
    """
    a, b = complex(*start), complex(*end)
    along = (b - a) / abs(b - a)
    a, b = a + (CLEAR + shift * 1j) * along, b - (CLEAR - shift * 1j) * along
    return (round(a.real, 6), round(a.imag, 6)), (round(b.real, 6), round(b.imag, 6))


def arrow_shape(start: tuple[float, float], end: tuple[float, float], width: float) -> tuple[list[float], list[float]]:
    """Corners of an arrow.

    >>> arrow_shape((0.0, 0.0), (1.0, 0.0), 0.1)[0]
    [0.0, 0.86, 0.86, 1.0, 0.86, 0.86, 0.0]
    """
    a, b = complex(*start), complex(*end)
    length = abs(b - a)
    neck = length - min(0.06 + 0.8 * width, 0.8 * length)
    half, wide = 0.5j * width, 0.5j * width + 0.03j
    outline = (half, neck + half, neck + wide, length, neck - wide, neck - half, -half)
    points = [a + place * (b - a) / length for place in outline]
    return [round(p.real, 4) for p in points], [round(p.imag, 4) for p in points]


def _totals(mass: xr.DataArray, chosen: dict[str, Any], years: list[Any]) -> xr.DataArray | None:
    """Draws of the sum of flows in each of the years, NaN in years without a flow; None without flows."""
    total = sum_of(mass, **chosen, min_count=1)
    if total is None:
        return None
    of_years = [total.sum("year") if year == ALL_YEARS else total.sel(year=year, drop=True) for year in years]
    return xr.concat(of_years, xr.Variable("year", np.array(years, dtype=object)))


def groups_of(mass: xr.DataArray) -> dict[str, list[str]]:
    """Products that are traded, each alone, then those that are refined, and all but goods; refused without trade."""
    products = mass["product"].values.astype(str)
    found = list(dict.fromkeys(products[chosen_flows(mass, quantity=ARRIVALS)].tolist()))
    if not found:
        raise ReeUncertError("no region of this case trades with another (no flow of quantity 'trade')")
    goods = set(products[chosen_flows(mass, quantity="fabrication")].tolist())
    return {p: [p] for p in found} | {REFINED: refined_products(mass), ALL: [p for p in found if p not in goods]}


def regions_of(dt: xr.DataTree) -> list[str]:
    """Regions in the order of the flows, so that a region has one colour in every figure."""
    return [region for region in dict.fromkeys(itertools.chain(*_ends(mass_flow(dt)))) if region]


def _ends(mass: xr.DataArray, **attributes: Any) -> list[tuple[str, str]]:
    """Origin and destination of the flows with these attributes."""
    keep = chosen_flows(mass, **attributes)
    origin, destination = (mass[name].values.astype(str)[keep].tolist() for name in ("origin", "destination"))
    return list(zip(origin, destination, strict=True))


TOLD = HUES[0]
TOLD_NAME, PRIOR = "told by figures", "rests on the prior"
TOLD_OF = (NARROWER, PARTLY_NARROWER, FIXED)
"""How the interval of a pair compares with the prior's where the evidence tells something of it."""
CERTAIN = 0.01  # width of an interval that needs no figure, as where there is one exporter


def trade_matrix_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Share of every exporter in the imports of every importer, and net exports of every pair.

    Parameters
    ----------
    dt
        Result with draws of mass_flow.
    coords
        ``product`` (one of the products, ``"refined"`` or ``"all"``; by default ``"refined"``), ``year`` (by default
        the last), ``importer``, ``exporter`` (by default all regions).

    Returns
    -------
    DataFrame
        ``importer``, ``exporter``, ``product``, ``year``, ``unit``; ``share_median``, ``share_eti90_lb``,
        ``share_eti90_ub``: part of what arrives at the importer, recorded or not; the same of the prior with
        ``prior_`` before (NaN without); ``net_median``, ``net_eti90_lb``, ``net_eti90_ub``: what the exporter sends to
        the importer less what it gets from there, in ``unit``; the same of the prior; ``informed``: whether the
        interval of the share is narrower than the prior's (`reeuncert.result.learning`), or than one per cent;
        ``net_informed``: whether that of net exports is. Pairs without a flow either way have no row.

    Raises
    ------
    ReeUncertError
        If a label does not exist, or regions do not trade.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = trade_matrix_data(toy_posterior(draws=20, years=2), coords={"importer": "North"})
    >>> table[["importer", "exporter"]].values.tolist()
    [['North', 'South'], ['North', 'East']]
    """
    mass, before = both(dt)
    regions, groups, years = regions_of(dt), groups_of(mass), mass["year"].values.tolist()
    known = {"importer": regions, "exporter": regions, "product": groups, "year": years}
    usual = {"product": REFINED if groups[REFINED] else ALL, "year": years[-1]}
    wanted = take(usual | dict(coords or {}), known, "trade")
    tables = []
    for product, year in itertools.product(wanted["product"], wanted["year"]):
        after = _arrivals(mass, groups[product], year, regions)
        prior = None if before is None else _arrivals(before, groups[product], year, regions)
        table = _table(after, prior, regions).assign(product=product, year=year)
        tables.append(table.assign(unit=str(mass.attrs.get("units", ""))))
    found = pd.concat(tables, ignore_index=True)
    found = found[found["importer"].isin(wanted["importer"]) & found["exporter"].isin(wanted["exporter"])]
    return led_by(found, *known, "unit").reset_index(drop=True)


@figure_of(trade_matrix_data)
def plot_trade_matrix(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw a square for every importer (row) and exporter (column): its shade is the share, its size how sure it is.

    A full square is certain, one of a third of the side has an interval from none to all. Grey squares rest on the
    prior. Products and years become panels.
    """
    table, regions = trade_matrix_data(dt, coords=coords), regions_of(dt)
    panels = tuple(
        _squares(f"{product}, {year}", rows, regions)
        for (product, year), rows in table.groupby(["product", "year"], sort=False)
    )
    side = 1.2 + 0.45 * len(regions)
    said = f"shade: median share in imports (%); size: the smaller, the wider the {interval_name()}"
    return render(Board("Import dependence", panels, 2, side, 1.3 * side, said), backend)


@figure_of(trade_matrix_data)
def plot_net_exports(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw net exports of each exporter to its partners, a panel for each exporter and product.

    Dots are medians, whiskers 90 % intervals; the years of a partner stand side by side. A dot is grey where the
    interval is hardly narrower than the prior's.
    """
    table = trade_matrix_data(dt, coords=coords)
    if table.empty:
        raise ReeUncertError("these regions do not trade with one another")
    colours = colours_of(regions_of(dt))
    years = table["year"].unique().tolist()
    panels = [
        _net_panel(f"{exporter}, {product}", rows, colours[str(exporter)], years)
        for (exporter, product), rows in table.groupby(["exporter", "product"], sort=False)
    ]
    said = f"from left to right: {', '.join(map(str, years))}" if len(years) > 1 else str(years[0])
    return render(Board("Net exports by partner", tuple(panels), 2, 2.6, 5.2, said), backend)


def _net_panel(title: str, rows: pd.DataFrame, colour: str, years: list[int]) -> Panel:
    """Net exports of one region, a place for each partner and, within it, for each year."""
    partners = rows["importer"].unique().tolist()
    step = min(0.8 / len(years), 0.25)
    at = [partners.index(r.importer) + step * (years.index(r.year) - 0.5 * (len(years) - 1)) for r in rows_of(rows)]
    known = rows["net_informed"].to_numpy() | rows["prior_net_median"].isna().to_numpy()
    marks: list[Mark] = [Line((-0.5, len(partners) - 0.5), (0.0, 0.0), "muted", 0.8)]
    for x, row, informed in zip(at, rows_of(rows), known, strict=True):
        shade = colour if informed else "prior"
        marks.append(Area.box(x - 0.4 * step, x + 0.4 * step, 0.0, row.net_median, shade, opacity=0.4))
    hover = [f"{r.importer}, {r.year}\n{estimate_of(r, 'net_')}" for r in rows_of(rows)]
    for name, which, shade in ((TOLD_NAME, known, colour), (PRIOR, ~known, "prior")):
        kept = np.flatnonzero(which)
        middle, low, high = (rows[f"net_{end}"].to_numpy()[kept] for end in ("median", "eti90_lb", "eti90_ub"))
        if len(kept):
            texts = tuple(hover[k] for k in kept)
            places = np.array(at)[kept]
            marks.append(Points(name, places, middle, shade, "circle", low, high, texts, hollow=name == PRIOR))
    least, most = min(0.0, rows["net_eti90_lb"].min()), max(0.0, rows["net_eti90_ub"].max())
    room = 0.05 * (most - least) or 0.5
    across = Axis("", (-0.5, len(partners) - 0.5), tuple(enumerate(partners)))
    up = Axis(f"net exports ({rows['unit'].iloc[0]})", (least - room, most + room))
    return Panel(title, marks, x=across, y=up)


def _arrivals(mass: xr.DataArray, products: list[str], year: int, regions: list[str]) -> np.ndarray:
    """What arrived (draw, importer, exporter); NaN where no flow exists."""
    names = ("origin", "destination")
    keep = np.flatnonzero(chosen_flows(mass, quantity=ARRIVALS, product=products))
    draws = flat(mass.isel(flow=keep).sel(year=year))
    found = np.full((len(draws), len(regions), len(regions)), np.nan)
    for column, (start, end) in enumerate(zip(*(mass[n].values.astype(str)[keep] for n in names), strict=True)):
        if start != end and np.isfinite(draws[:, column]).any():
            at = (slice(None), regions.index(end), regions.index(start))
            found[at] = np.nan_to_num(found[at]) + draws[:, column]
    return found


def _table(mass: np.ndarray, before: np.ndarray | None, regions: list[str]) -> pd.DataFrame:
    """Rows of one product and year."""
    there = np.isfinite(mass).any(axis=0)
    importer, exporter = np.nonzero(there | there.T)
    columns: dict[str, Any] = {"importer": np.array(regions)[importer], "exporter": np.array(regions)[exporter]}
    for kind, values, scale in (("share", _shares, "share"), ("net", _net, "mass")):
        after = values(mass)[:, importer, exporter]
        known = np.full_like(after, np.nan) if before is None else values(before)[:, importer, exporter]
        for prefix, draws in ((f"{kind}_", after), (f"prior_{kind}_", known)):
            columns |= quantile_table(draws, (0.9,), prefix)
        # What is negative throughout is compared as its size.
        sign = np.where(np.median(after, axis=0) < 0, -1.0, 1.0)
        learned = learning(spread(sign * after), sign * known, scale=scale)
        columns[f"{kind}_informed"] = np.isin(learned.against_prior, TOLD_OF)
    table = pd.DataFrame(columns).drop(columns=[name for name in columns if name.endswith("_mean")])
    table["share_informed"] |= table["share_eti90_ub"] - table["share_eti90_lb"] < CERTAIN
    return table.rename(columns={"share_informed": "informed"})


def _net(mass: np.ndarray) -> np.ndarray:
    filled = np.nan_to_num(mass)
    return filled - filled.swapaxes(1, 2)


def _shares(mass: np.ndarray) -> np.ndarray:
    total = np.nansum(mass, axis=2, keepdims=True)
    return np.divide(mass, total, out=np.full_like(mass, np.nan), where=total > 0)


def _squares(title: str, rows: pd.DataFrame, regions: list[str]) -> Panel:
    marks: list[Mark] = []
    for row in rows_of(rows[np.isfinite(rows["share_median"])]):
        x, y = regions.index(row.exporter), regions.index(row.importer)
        half = 0.48 * (1 - 0.67 * min(1.0, row.share_eti90_ub - row.share_eti90_lb))
        known = row.informed or not np.isfinite(row.prior_share_median)
        hover = f"{row.importer}: imports from {row.exporter}\n{estimate_of(row, 'share_', unit='1')}\n"
        hover += f"net exports of {row.exporter}: {estimate_of(row, 'net_')}"
        hover += "" if known else "\nrests on the prior: no figure narrows it"
        colour = TOLD if known else "prior"
        shade = 0.08 + 0.87 * row.share_median
        box = Area.box(x - half, x + half, y - half, y + half, colour, opacity=shade, hover=hover)
        ink = "ground" if row.share_median > 0.7 and half > 0.3 else "ink"
        marks += [box, Text(x, y, f"{100 * row.share_median:.0f}", ink, 7.0)]
    names = tuple((i, region.replace(" ", "\n", 1)) for i, region in enumerate(regions))
    ends = (-0.6, len(regions) - 0.4)
    keys = Area((), (), TOLD, 0.6, TOLD_NAME), Area((), (), "prior", 0.6, PRIOR)
    up = Axis("importer", ends[::-1], tuple(enumerate(regions)))
    return Panel(title, [*keys, *marks], x=Axis("exporter", ends, names), y=up)
