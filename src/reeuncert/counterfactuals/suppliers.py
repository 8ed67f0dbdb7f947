"""Which supplier's stop would cost each region most: an export stop of each region in turn."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.lost import ALL, BY, counterfactual_of, lost_draws, lost_table, split_of
from reeuncert.counterfactuals.rules import ExportStop
from reeuncert.counterfactuals.run import AS_DRAWN, HIGHEST, Capacity, run_counterfactual
from reeuncert.errors import OutputError, ReeUncertError
from reeuncert.files import first_line, write_whole
from reeuncert.result.io import csv_text, made
from reeuncert.result.result import Result

STOPS = "supplier_stops.csv"  # file beside a result
DRAWS = 400  # draws that are computed unless said otherwise


def supplier_stops(
    dt: xr.DataTree,
    *,
    by: Sequence[str] = ("region",),
    year: int | None = None,
    capacity: Capacity = HIGHEST,
    priority: Sequence[str] = (),
    stocks: str = AS_DRAWN,
    draws: int | None = DRAWS,
    prob: float = 0.9,
    kind: str = "eti",
) -> pd.DataFrame:
    """Consumption that each region loses if one other region stops all exports, to everyone, recorded or not.

    Losses through third regions are included: a region loses, too, if its supplier lacks the feed of another.

    Parameters
    ----------
    dt, year, capacity, priority, stocks
        See `run_counterfactual`.
    by
        ``region``, and what else it is split by; see `lost_consumption`.
    draws
        Compute about this many draws of all chains, evenly spaced; None: all. The Monte Carlo standard error of a
        probability p is about √(p (1 − p) / draws).
    prob, kind
        Probability and kind of the interval, see `reeuncert.summary`.

    Returns
    -------
    DataFrame
        ``supplier``, the columns of `lost_consumption`, and ``costs_most``: the probability that no other supplier's
        stop costs the region more (of that product, where it is split so).

    Raises
    ------
    ReeUncertError
        If the case has fewer than two regions, or `by` lacks the region.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = supplier_stops(toy_posterior(draws=20, years=2))
    >>> table[["region", "supplier"]].values.tolist()[:2]
    [['North', 'South'], ['North', 'East']]
    """
    names = split_of(by)
    if "region" not in names:
        raise ReeUncertError(f"stops of suppliers cannot be split by {names} alone; begin with region")
    held = dt["posterior"].to_dataset()
    step = 1 if draws is None else max(1, math.ceil(held.sizes["chain"] * held.sizes["draw"] / max(draws, 1)))
    some = xr.DataTree.from_dict({"posterior": held[["mass_flow"]].isel(draw=slice(None, None, step))})
    some.attrs = dt.attrs
    regions = Result(dt).case.regions
    if len(regions) < 2:
        raise ReeUncertError("a case of one region has no supplier that could stop")
    tables, losses = [], []
    for supplier in regions:
        rules = [ExportStop(supplier, region) for region in regions if region != supplier]
        world = run_counterfactual(some, rules, year=year, capacity=capacity, priority=priority, stocks=stocks)
        labels, consumed, lost = lost_draws(counterfactual_of(world), names)
        lost[:, np.flatnonzero(labels["region"] == supplier)] = 0.0  # its own loss is no supplier's
        tables.append(lost_table(labels, consumed, lost, prob, kind))
        tables[-1].insert(1, "supplier", supplier)
        losses.append(lost)
    worst = np.max(losses, axis=0)
    most = [((lost > 0) & (lost == worst)).mean(axis=0) for lost in losses]
    table = pd.concat([one.assign(costs_most=part) for one, part in zip(tables, most, strict=True)])
    return table[table["region"] != table["supplier"]].sort_index(kind="stable").reset_index(drop=True)


def leading(table: pd.DataFrame) -> pd.DataFrame:
    """Of each region (and what it is split by) in a year, the supplier whose stop most likely costs most, and others
    with a chance of it above 5 %; the likeliest first.
    """
    found = table.sort_values("costs_most", ascending=False, kind="stable")
    group = found.groupby([name for name in (*BY, "year") if name in found], sort=False)["costs_most"]
    kept = found[(group.cumcount() == 0) | (found["costs_most"] > 0.05)]
    place = table.groupby([name for name in (*BY, "year") if name in table], sort=False).ngroup()
    return kept.iloc[np.argsort(place[kept.index].to_numpy(), kind="stable")].reset_index(drop=True)


def stops_of(result: Result) -> pd.DataFrame | None:
    """The stops of suppliers of a result: kept there by whoever has read them; else none."""
    return None


def read_stops(folder: Path, dt: xr.DataTree) -> pd.DataFrame | None:
    """The stops of suppliers that lie beside a result, of one or more years; None if there are none of this result.
    Raises `OutputError` if the file cannot be read.
    """
    file = folder / STOPS
    if not file.is_file():
        return None
    try:
        table = pd.read_csv(file, encoding="utf-8").fillna(dict.fromkeys(BY, ALL))
        return table[table["result"] == made(dt)].drop(columns="result") if made(dt) in table["result"].values else None
    except (OSError, ValueError, KeyError) as error:
        again = "delete it, or run `reeuncert counterfactual RESULTS supplier-stops` again"
        raise OutputError(f"'{file}' cannot be read ({first_line(error)}); {again}") from error


def write_stops(folder: Path, table: pd.DataFrame, dt: xr.DataTree) -> None:
    """Put the stops of one year beside a result; those of other years stay."""
    before = read_stops(folder, dt)
    others = [] if before is None else [before[before["year"] != table["year"].iloc[0]]]
    joined = pd.concat([*others, table], ignore_index=True).sort_values("year", kind="stable")
    write_whole(folder / STOPS, csv_text(joined.assign(result=made(dt))).encode())
