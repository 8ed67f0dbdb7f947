"""Worlds that differ: consumption lost without trade, with a verdict; the stop of each supplier; the outlook."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from markupsafe import Markup

from reeuncert.counterfactuals import NoTrade, lost_consumption, run_counterfactual
from reeuncert.counterfactuals.lost import ALL, DRAWS, counterfactual_of, leading, lost_draws, stops_of
from reeuncert.counterfactuals.run import AS_DRAWN, BY, HIGHEST
from reeuncert.indicators.headlines import verdicts_on
from reeuncert.outlook.stored import outlook_of
from reeuncert.plots.style import BOARD
from reeuncert.plots.what_if import plot_outlook
from reeuncert.report.figures import figure, interval_picture
from reeuncert.report.sections.trade import MANY
from reeuncert.result.quantiles import Array
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.result.verdicts import Verdict
from reeuncert.words.estimates import estimate

LITTLE = 0.01  # a part of consumption that counts as nothing
KEYS = ["region", "product"]


def without_trade(result: Result) -> dict[str, Any] | None:
    """Lost consumption by region and product, with plants as in their best year and as in the last."""
    year = result.years[-1]
    mass = mass_flow(result.dt)
    crosses = mass["origin"].values != mass["destination"].values
    there = np.isfinite(mass.sel(year=year).isel(chain=0, draw=0).values)
    used = np.isin(mass["quantity"].values, ["end_use", "apparent_consumption"])
    if not (crosses & there).any() or not (used & there).any():
        return None
    world, of_now = (run_counterfactual(result.dt, NoTrade(), year=year, capacity=c) for c in (HIGHEST, AS_DRAWN))
    best, now = lost_consumption(world, by=KEYS), lost_consumption(of_now, by=KEYS)
    joined: pd.DataFrame = best.merge(now, on=KEYS, suffixes=("", "_now"))
    rows = joined.to_dict("records")
    leads = [row for row in rows if row["product"] == ALL] if len(result.case.regions) < MANY else []
    verdicts = _verdicts(result, world) if leads else {}
    return {"rows": rows, "leads": [row | {"verdict": verdicts[row["region"]]} for row in leads]}


def _verdicts(result: Result, world: xr.DataTree) -> dict[str, Verdict]:
    """Region → the verdict on the part of its consumption that it would lose."""
    after, before = _lost_shares(world), {}
    if "prior" in result.dt.children:
        drawn = xr.DataTree.from_dict({"posterior": result.dt["prior"].to_dataset()})
        drawn.attrs = result.dt.attrs
        before = _lost_shares(run_counterfactual(drawn, NoTrade(), year=result.years[-1]))
    return verdicts_on(result, after, before, scale="share")


def _lost_shares(world: xr.DataTree) -> dict[str, Array]:
    """Region → draws (chain, draw) of the part of its consumption that is lost."""
    found = counterfactual_of(world)
    labels, consumed, lost = lost_draws(found, ["region"])
    share = np.divide(lost, consumed, out=np.full_like(lost, np.nan), where=consumed > 0)
    shape = found.sizes["chain"], found.sizes["draw"]
    return {str(region): share[:, k].reshape(shape) for k, region in enumerate(labels["region"])}


def suppliers(result: Result) -> dict[str, Any] | None:
    """The costliest suppliers of each region (and what it is split by), year by year; None where none were computed."""
    table = result.once(stops_of)
    if table is None:
        return None
    labels = [name for name in BY if name in table]
    worst = table.groupby([*labels, "year"])["share_eti90_ub"].max()
    groups: Any = leading(table).groupby(labels, sort=False)
    rows = [{"of": of, "years": _years(found, worst.loc[of])} for of, found in groups]
    split = [name for name in labels if name != "region"]
    return {
        "tables": [
            ([], [row for row in rows if set(row["of"][1:]) <= {ALL}]),
            (split, [row for row in rows if not set(row["of"][1:]) <= {ALL}]),
        ],
        "years": sorted(table["year"].unique().tolist()),
        "draws": DRAWS,
    }


def _years(found: pd.DataFrame, worst: pd.Series) -> dict[Any, list[dict[str, Any]]]:
    """Year → its suppliers; none where no stop costs anything."""
    return {
        year: [] if worst[year] < LITTLE else [_told(row) for row in rows.to_dict("records")]
        for year, rows in found.groupby("year")
    }


def _told(row: dict[Any, Any]) -> dict[str, Any]:
    lost, share = (
        estimate(*(row[f"{part}{end}"] for end in ("median", "eti90_lb", "eti90_ub")), unit=unit)
        for part, unit in (("", ""), ("share_", "1"))
    )
    return row | {"lost": lost, "share": share}


def outlook(result: Result) -> dict[str, Any] | None:
    """What `reeuncert outlook` wrote beside the result, with a figure of each answer; None where it wrote nothing."""
    found = result.once(outlook_of)
    if found is None:
        return None
    questions = []
    for k, asked in enumerate(found["questions"], start=1):
        drawn = figure(
            f"outlook-{k}",
            asked["says"],
            partial(plot_outlook, found, coords={"question": k}, backend=BOARD),
            alt=f"Median and bands from {asked['years'][0]} to {asked['years'][-1]}; squares: starts of projects.",
            caption=" ".join(asked["sentences"]),
            height=340,
        )
        same = [row | {"picture": _scenario(row, asked)} for row in found["scenarios"] if row["says"] == asked["says"]]
        questions.append(asked | {"figure": drawn, "scenarios": same})
    return dict(found) | {"questions": questions}


def _scenario(row: Mapping[str, Any], asked: Mapping[str, Any]) -> Markup:
    low, middle, high = (math.nan if row[k] is None else float(row[k]) for k in ("eti90_lb", "median", "eti90_ub"))
    label, unit = f"{row['scenario']}: {asked['says']}", asked["unit"] if asked["percent"] else ""
    return interval_picture((low, middle, high), (math.nan,) * 3, unit=unit, log=False, label=label)
