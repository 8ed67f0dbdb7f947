"""The trade triangle: what the regions send each other, each way, with intervals."""

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
    check_labels,
    chosen_flows,
    led_by,
    refined_products,
    rows_of,
    sum_of,
    take,
    tidy,
)
from reeuncert.plots.panels import Area, Axis, Board, Mark, Panel, Text
from reeuncert.plots.render import figure_of, render_steps
from reeuncert.plots.style import UNRECORDED as PINK
from reeuncert.plots.style import colours_of, interval_name
from reeuncert.words.estimates import estimate

RECORDED, UNRECORDED = "recorded", "unrecorded"
RECORDS = {RECORDED: ("trade",), UNRECORDED: ("declared", "undeclared")}
ARRIVALS = tuple(quantity for names in RECORDS.values() for quantity in names)
DIMS = ("region", "product", "year")
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
    wanted = take(coords, DIMS, "trade")
    mass, before = both(dt)
    traded = traded_flows(mass)
    ends = [mass[name].values.astype(str)[traded] for name in ("origin", "destination")]
    pairs = list(dict.fromkeys(zip(*(e.tolist() for e in ends), strict=True)))
    regions = list(dict.fromkeys(r for pair in pairs for r in pair))
    groups = groups_of(mass)
    years = [*mass["year"].values.tolist(), ALL_YEARS]
    for dim, known in zip(DIMS, (regions, list(groups), years), strict=True):
        check_labels(wanted.get(dim, []), known, dim, "trade")
    chosen_years = wanted.get("year", years)
    within = [pair for pair in pairs if set(wanted.get("region", regions)).issuperset(pair)]
    tables = []
    for product, pair, record in itertools.product(wanted.get("product", [ALL]), within, RECORDS):
        route = {"origin": pair[0], "destination": pair[1]}
        asked = route | {"product": groups[product], "quantity": RECORDS[record]}
        total = _totals(mass, asked, chosen_years)
        if total is not None and np.isfinite(total).any():
            prior = None if before is None else _totals(before, asked, chosen_years)
            table = tidy(total, prior, (0.9,)).assign(**route, product=product, record=record)
            tables.append(table.assign(unit=str(mass.attrs.get("units", ""))))
    if not tables:
        raise ReeUncertError(f"nothing is asked between these regions: {dict(coords or {})}")
    table = pd.concat(tables, ignore_index=True).drop(columns="mean")
    table = led_by(table, "origin", "destination", "product", "record", "year", "unit")
    return table.sort_values("year", key=lambda column: column.map(years.index), kind="stable", ignore_index=True)


@figure_of(triangle_data)
def plot_triangle(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light") -> Any:
    """Draw the regions as corners and their trade as arrows: width is the median, the label gives the 90 % interval.

    Products become panels. In matplotlib one year is drawn (by default the last), in Plotly all that are chosen, with
    a slider.
    """
    last = {"year": int(both(dt)[0]["year"].values[-1])} if backend == "matplotlib" else {}
    table, regions = triangle_data(dt, coords=last | dict(coords or {})), regions_of(dt)
    boards = {}
    for year, rows in table.groupby("year", sort=False):
        panels = tuple(_panel(str(p), part, regions) for p, part in rows.groupby("product", sort=False))
        said = f"median ({interval_name()}) in {table['unit'].iloc[0]}"
        boards[str(year)] = Board(f"Trade between the regions, {year}", panels, 2, 4.0, 5.6, said)
    years = [y for y in boards if y != ALL_YEARS] or list(boards)
    return render_steps(boards, years[-1], backend, theme)


def traded_flows(mass: xr.DataArray) -> np.ndarray:
    """Flows between regions, recorded or not; refused where there are none."""
    traded = chosen_flows(mass, quantity=ARRIVALS)
    if not traded.any():
        raise ReeUncertError("no region of this case trades with another (no flow of quantity 'trade')")
    return traded


def groups_of(mass: xr.DataArray) -> dict[str, list[str]]:
    """Products that are traded, each alone, then those that are refined, and all but goods."""
    products = mass["product"].values.astype(str)
    traded = chosen_flows(mass, quantity=ARRIVALS)
    goods = set(products[chosen_flows(mass, quantity="fabrication")].tolist())
    found = list(dict.fromkeys(products[traded].tolist()))
    return {p: [p] for p in found} | {REFINED: refined_products(mass), ALL: [p for p in found if p not in goods]}


def regions_of(dt: xr.DataTree) -> list[str]:
    """Regions in the order of the flows, so that a region has one colour in every figure."""
    mass, _ = both(dt)
    ends = zip(mass["origin"].values.astype(str), mass["destination"].values.astype(str), strict=True)
    return [r for r in dict.fromkeys(r for pair in ends for r in pair) if r]


def _panel(product: str, rows: pd.DataFrame, regions: list[str]) -> Panel:
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
        values = estimate(row.median, row.eti90_lb, row.eti90_ub, unit=row.unit)
        hover = f"{row.origin} → {row.destination}\n{product}, {row.record}, {row.year}\n{values}"
        if np.isfinite(row.prior_median):
            hover += f"\nprior: {estimate(row.prior_median, row.prior_eti90_lb, row.prior_eti90_ub, unit=row.unit)}"
        colour = PINK if row.record == UNRECORDED else colours[row.origin]
        marks.append(Area(x, y, colour, 0.85, hover=hover))
        along = PLACE[row.record]
        x0, y0 = start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1])
        notes.append(Text(x0, y0, values, size=7.5, ground="ground"))
    notes += [Text(*places[r], r, "ground", 9.0, bold=True, ground=colours[r]) for r in regions]
    y_axis = Axis(limits=(-0.8 if len(regions) == 3 else -1.3, 1.25))
    return Panel(product, marks=(*marks, *notes), x=Axis(limits=(-1.5, 1.5)), y=y_axis, bare=True)


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
    total = sum_of(mass, **chosen)
    if total is None:
        return None
    first = mass.isel(flow=chosen_flows(mass, **chosen)).isel(chain=0, draw=0)
    labels = [*total["year"].values.tolist(), ALL_YEARS]
    every = total.sum("year").expand_dims(year=1)
    joined = xr.concat([total.where(first.notnull().any("flow")).drop_vars("year"), every], "year")
    return joined.isel(year=[labels.index(y) for y in years]).assign_coords(year=np.array(years, dtype=object))
