"""Lost consumption of a counterfactual by region, product and end use, with intervals; and what each region would lose
by an export stop of each other region in turn.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.rules import ExportStop
from reeuncert.counterfactuals.run import BY, GROUP, run_counterfactual
from reeuncert.errors import OutputError, ReeUncertError
from reeuncert.files import first_line, write_whole
from reeuncert.indicators.flows import Array
from reeuncert.result.io import csv_text, made
from reeuncert.result.quantiles import interval_columns, spread
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.words.cells import listed, quoted

ALL = "all"
STOPS = "supplier_stops.csv"  # file beside a result
DRAWS = 400  # draws that are computed unless said otherwise


def lost_consumption(
    world: xr.DataTree, *, by: Sequence[str] = ("region", "product"), prob: float = 0.9
) -> pd.DataFrame:
    """Lost consumption of a counterfactual: median and credible interval, as mass and as share.

    Parameters
    ----------
    world
        From `run_counterfactual`.
    by
        Some of ``region``, ``product``, ``end_use``; sums over the others are taken on every draw. With two or more,
        each group begins with its sum over the last (label ``"all"``).
    prob
        Probability of the interval, see `reeuncert.summary`.

    Returns
    -------
    DataFrame
        The columns of `by`, ``year``, ``unit``, ``consumption`` (median as drawn), ``mean``, ``median``, ``eti90_lb``,
        ``eti90_ub`` of the loss, and ``share_median``, ``share_eti90_lb``, ``share_eti90_ub`` of it in consumption.

    Raises
    ------
    ReeUncertError
        If this is no counterfactual, or `by` is not known.

    Examples
    --------
    >>> from reeuncert.counterfactuals import NoTrade
    >>> from reeuncert.testing import toy_posterior
    >>> table = lost_consumption(run_counterfactual(toy_posterior(draws=20, years=2), NoTrade(), year=2002))
    >>> table[["region", "product"]].values.tolist()[:4]
    [['North', 'all'], ['North', 'compound'], ['North', 'powder'], ['North', 'alloy']]
    """
    return lost_table(*lost_draws(counterfactual_of(world), split_of(by)), prob)


def split_of(by: str | Sequence[str]) -> list[str]:
    """The labels by which consumption is split."""
    names = [by] if isinstance(by, str) else list(by)
    wrong = [name for name in names if name not in BY] or ([] if len(set(names)) == len(names) and names else names)
    if wrong or not names:
        message = f"lost consumption cannot be split by {listed(map(quoted, names)) or 'nothing'}; "
        raise ReeUncertError(f"{message}give one or more of {listed(BY)}, each once")
    return names


def lost_draws(numbers: xr.Dataset, names: list[str]) -> tuple[pd.DataFrame, Array, Array]:
    """Labels of each row, and its consumption and the loss of it, arrays (draw, row)."""
    parts = [_summed(numbers, names)]
    if len(names) > 1:
        parts.insert(0, _summed(numbers, names[:-1]))
        parts[0][0].insert(len(names) - 1, names[-1], ALL)
    table = pd.concat([labels for labels, *_ in parts], ignore_index=True)
    order = {name: list(dict.fromkeys([ALL, *numbers[name].values.tolist()])) for name in names}
    rows = np.lexsort([pd.Categorical(table[name], order[name]).codes for name in names[::-1]])
    consumed, lost = (np.concatenate([part[k] for part in parts], axis=1)[:, rows] for k in (1, 2))
    return table.iloc[rows].reset_index(drop=True), consumed, lost


def lost_table(labels: pd.DataFrame, consumed: Array, lost: Array, prob: float = 0.9) -> pd.DataFrame:
    """The labels with median consumption, and the loss as mass and as share."""
    found = spread(lost, prob=prob)
    share = spread(np.divide(lost, consumed, out=np.full_like(lost, np.nan), where=consumed > 0), prob=prob)
    lower, upper = interval_columns(prob)
    columns: dict[str, Any] = {"consumption": spread(consumed, prob=prob).median, "mean": found.mean}
    columns |= {"median": found.median, lower: found.lower, upper: found.upper, "share_median": share.median}
    columns |= {f"share_{lower}": share.lower, f"share_{upper}": share.upper}
    return labels.assign(**columns)


def counterfactual_of(world: xr.DataTree) -> xr.Dataset:
    """Group of a counterfactual's numbers."""
    if GROUP not in world.children:
        message = f"this result has no group '{GROUP}': it comes from run_counterfactual"
        raise ReeUncertError(message)
    return world[GROUP].to_dataset()


def _summed(numbers: xr.Dataset, names: list[str]) -> tuple[pd.DataFrame, Array, Array]:
    over = [d for d in BY if d not in names]
    both = (numbers[name].sum(over, min_count=1) for name in ("consumption", "lost_consumption"))
    parts = [part.transpose("chain", "draw", *names, "year") for part in both]
    consumed, lost = (p.values.reshape(p.sizes["chain"] * p.sizes["draw"], -1) for p in parts)
    there = np.isfinite(consumed).any(axis=0)
    grids = np.meshgrid(*(numbers[d].values for d in (*names, "year")), indexing="ij")
    labels = pd.DataFrame({d: g.ravel()[there] for d, g in zip((*names, "year"), grids, strict=True)})
    return labels.assign(unit=numbers["lost_consumption"].attrs["units"]), consumed[:, there], lost[:, there]


def supplier_stops(
    dt: xr.DataTree,
    *,
    by: Sequence[str] = ("region",),
    year: int | None = None,
    draws: int | None = DRAWS,
) -> pd.DataFrame:
    """Consumption that each region loses if one other region stops all exports, to everyone, recorded or not.

    Losses through third regions are included: a region loses, too, if its supplier lacks the feed of another. Plants
    have their highest throughput so far, and no end use is served first; see `run_counterfactual`.

    Parameters
    ----------
    dt, year
        See `run_counterfactual`.
    by
        ``region``, and what else it is split by; see `lost_consumption`.
    draws
        Compute about this many draws of all chains, evenly spaced; None: all. The Monte Carlo standard error of a
        probability p is about √(p (1 − p) / draws).

    Returns
    -------
    DataFrame
        ``supplier``, the columns of `lost_consumption`, and ``costs_most``: the probability that its stop
        costs the region something, and most (of that product, where it is split so). Draws in which no stop costs
        anything count for no supplier.

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
    if draws is not None and draws < 1:
        raise ReeUncertError(f"draws is {draws}; give 1 or more, or None for all")
    held = mass_flow(dt)
    step = 1 if draws is None else math.ceil(held.sizes["chain"] * held.sizes["draw"] / draws)
    some = xr.DataTree.from_dict({"posterior": held[:, ::step].to_dataset(name="mass_flow")})
    some.attrs = dt.attrs
    regions = Result(dt).case.regions
    if len(regions) < 2:
        raise ReeUncertError("a case of one region has no supplier that could stop")
    tables, losses = [], []
    for supplier in regions:
        rules = [ExportStop(supplier, region) for region in regions if region != supplier]
        world = run_counterfactual(some, rules, year=year)
        labels, consumed, lost = lost_draws(counterfactual_of(world), names)
        lost[:, np.flatnonzero(labels["region"] == supplier)] = 0.0  # its own loss is no supplier's
        tables.append(lost_table(labels, consumed, lost))
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
    labels = [name for name in (*BY, "year") if name in table]
    found = table.sort_values("costs_most", ascending=False, kind="stable")
    kept = found[(found.groupby(labels).cumcount() == 0) | (found["costs_most"] > 0.05)]
    place = table.groupby(labels, sort=False).ngroup()
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
        shares = dict.fromkeys(("share_median", "share_eti90_lb", "share_eti90_ub"), "")
        table = pd.read_csv(file, encoding="utf-8", keep_default_na=False, na_values=shares)  # a region may be NA
        return table[table["result"] == made(dt)].drop(columns="result") if made(dt) in table["result"].values else None
    except (OSError, ValueError, KeyError) as error:
        raise OutputError(f"'{file}' cannot be read ({first_line(error)}); delete it") from error


def write_stops(folder: Path, table: pd.DataFrame, dt: xr.DataTree) -> None:
    """Put the stops of one year beside a result; those of other years stay."""
    before = read_stops(folder, dt)
    others = [] if before is None else [before[before["year"] != table["year"].iloc[0]]]
    joined = pd.concat([*others, table], ignore_index=True).sort_values("year", kind="stable")
    joined = joined.fillna(dict.fromkeys(BY, ALL))  # one year may be split by more than another
    write_whole(folder / STOPS, csv_text(joined.assign(result=made(dt))).encode())
