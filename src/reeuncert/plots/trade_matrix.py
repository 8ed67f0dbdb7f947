"""Who supplies whom: the shares of every exporter in the imports of every importer, and net trade of every pair."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import ReeUncertError
from reeuncert.plots.access import Coords, both, check_labels, chosen_flows, flat, led_by, quantile_table, rows_of, take
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, Text
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import HUES, colours_of, interval_name
from reeuncert.plots.triangle import ALL, ARRIVALS, REFINED, groups_of, regions_of, traded_flows
from reeuncert.result.learning import FIXED, NARROWER, PARTLY_NARROWER, learning_of_draws
from reeuncert.words.estimates import estimate

DIMS = ("importer", "exporter", "product", "year")
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
    wanted = take(coords, DIMS, "trade")
    mass, before = both(dt)
    traded_flows(mass)
    regions, groups = regions_of(dt), groups_of(mass)
    allowed = {"importer": regions, "exporter": regions, "product": list(groups), "year": mass["year"].values.tolist()}
    for dim, labels in wanted.items():
        check_labels(labels, allowed[dim], dim, "trade")
    tables = []
    for product in wanted.get("product", [REFINED if groups[REFINED] else ALL]):
        for year in wanted.get("year", [allowed["year"][-1]]):
            of_year = [None if m is None else _arrivals(m, groups[product], year, regions) for m in (mass, before)]
            table = _table(of_year[0], of_year[1], regions).assign(product=product, year=year)
            tables.append(table.assign(unit=str(mass.attrs.get("units", ""))))
    found = pd.concat(tables, ignore_index=True)
    kept = [found[dim].isin(wanted[dim]) for dim in ("importer", "exporter") if dim in wanted]
    found = found[np.logical_and.reduce(kept)] if kept else found
    return led_by(found, *DIMS, "unit").reset_index(drop=True)


@figure_of(trade_matrix_data)
def plot_trade_matrix(
    dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light"
) -> Any:
    """Draw a square for every importer (row) and exporter (column): its shade is the share, its size how sure it is.

    A full square is certain, one of a third of the side has an interval from none to all. Grey squares rest on the
    prior. Products and years become panels.
    """
    table, regions = trade_matrix_data(dt, coords=coords), regions_of(dt)
    panels = tuple(
        _panel(f"{product}, {year}", rows, regions)
        for (product, year), rows in table.groupby(["product", "year"], sort=False)
    )
    side = 1.2 + 0.45 * len(regions)
    said = f"shade: median share in imports (%); size: the smaller, the wider the {interval_name()}"
    return render(Board("Import dependence", panels, 2, side, 1.3 * side, said), backend, theme)


@figure_of(trade_matrix_data)
def plot_net_exports(
    dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light"
) -> Any:
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
        _exports(f"{exporter}, {product}", rows, colours[str(exporter)], years)
        for (exporter, product), rows in table.groupby(["exporter", "product"], sort=False)
    ]
    said = f"from left to right: {', '.join(map(str, years))}" if len(years) > 1 else str(years[0])
    return render(Board("Net exports by partner", tuple(panels), 2, 2.6, 5.2, said), backend, theme)


def _exports(title: str, rows: pd.DataFrame, colour: str, years: list[int]) -> Panel:
    """Net exports of one region, a place for each partner and, within it, for each year."""
    partners = rows["importer"].unique().tolist()
    step = min(0.8 / len(years), 0.25)
    at = [partners.index(r.importer) + step * (years.index(r.year) - 0.5 * (len(years) - 1)) for r in rows_of(rows)]
    known = rows["net_informed"].to_numpy() | rows["prior_net_median"].isna().to_numpy()
    marks: list[Mark] = [Line((-0.5, len(partners) - 0.5), (0.0, 0.0), "muted", 0.8)]
    for x, row, told in zip(at, rows_of(rows), known, strict=True):
        shade = colour if told else "prior"
        marks.append(Area.box(x - 0.4 * step, x + 0.4 * step, 0.0, row.net_median, shade, opacity=0.4))
    hover = [
        f"{r.importer}, {r.year}\n{estimate(r.net_median, r.net_eti90_lb, r.net_eti90_ub, unit=r.unit)}"
        for r in rows_of(rows)
    ]
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
    return Panel(title, marks=tuple(marks), x=across, y=up)


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


def _table(mass: np.ndarray | None, before: np.ndarray | None, regions: list[str]) -> pd.DataFrame:
    """Rows of one product and year."""
    assert mass is not None
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
        learned = learning_of_draws(sign * after, sign * known, scale=scale)
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


def _panel(title: str, rows: pd.DataFrame, regions: list[str]) -> Panel:
    marks: list[Mark] = []
    for row in rows_of(rows[np.isfinite(rows["share_median"])]):
        x, y = regions.index(row.exporter), regions.index(row.importer)
        half = 0.48 * (1 - 0.67 * min(1.0, row.share_eti90_ub - row.share_eti90_lb))
        known = row.informed or not np.isfinite(row.prior_share_median)
        values = estimate(row.share_median, row.share_eti90_lb, row.share_eti90_ub, unit="1")
        net = estimate(row.net_median, row.net_eti90_lb, row.net_eti90_ub, unit=row.unit)
        hover = f"{row.importer}: imports from {row.exporter}\n{values}\nnet exports of {row.exporter}: {net}"
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
    return Panel(title, marks=(*keys, *marks), x=Axis("exporter", ends, names), y=up)
