"""Lost consumption of a counterfactual by region, product and end use, with intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.rounds import NOTHING
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.result.quantiles import interval_columns, spread
from reeuncert.system.definition import OUTSIDE

BY = ("region", "product", "end_use")
ALL = "all"
GROUP = "counterfactual"


def counterfactual_dataset(table: FlowTable, year: int, before: Array, after: Array) -> xr.Dataset:
    """Consumption (end uses, and what is not split into them), lost consumption and mine production, from flows (flow,
    draw) before and after. Dims chain, draw, region, product, end_use, year (one year). NaN: no such flow.
    """
    chains, draws, _ = table.shape
    leaving = table.attributes["to_process"] == OUTSIDE
    consumed = table.where(quantity="end_use") | (table.where(quantity="apparent_consumption") & leaving)
    uses = (*table.end_uses, *([""] if (table.attributes["end_use"][consumed] == "").any() else []))
    labels = {"region": table.regions, "product": table.products, "end_use": uses}
    shape = (chains, draws, *(len(v) for v in labels.values()), 1)
    found, lost = np.full(shape, np.nan), np.full(shape, np.nan)
    attributes = dict(zip(BY, ("destination", "product", "end_use"), strict=True))
    for i in np.flatnonzero(consumed & table.present[:, year]):
        at = tuple(labels[dim].index(str(table.attributes[name][i])) for dim, name in attributes.items())
        less = before[i] - after[i]
        less[less < NOTHING * before[i]] = 0.0
        for out, values in ((found, before[i]), (lost, less)):
            cell = out[:, :, at[0], at[1], at[2], 0]
            cell[...] = np.where(np.isnan(cell), 0.0, cell) + values.reshape(chains, draws)
    mined = np.full((2, chains, draws, len(table.regions), 1), np.nan)
    for r, region in enumerate(table.regions):
        mines = table.where(quantity="mine_production", origin=region) & table.present[:, year]
        if mines.any():
            whole, change = before[mines].sum(axis=0), (after[mines] - before[mines]).sum(axis=0)
            change[np.abs(change) < NOTHING * whole] = 0.0
            mined[0, :, :, r, 0] = whole.reshape(chains, draws)
            mined[1, :, :, r, 0] = change.reshape(chains, draws)
    numbers = {
        "consumption": (BY, found, "consumption as drawn"),
        "lost_consumption": (BY, lost, "consumption lost in the counterfactual"),
        "mine_production": (("region",), mined[0], "mine production as drawn"),
        "mine_production_change": (("region",), mined[1], "change of mine production in the counterfactual"),
    }
    return xr.Dataset(
        {
            name: (("chain", "draw", *dims, "year"), values, {"long_name": title, "units": table.unit})
            for name, (dims, values, title) in numbers.items()
        },
        coords={k: list(v) for k, v in labels.items()} | {"year": [table.years[year]]},
    )


def lost_consumption(
    world: xr.DataTree, *, by: Sequence[str] = ("region", "product"), prob: float = 0.9, kind: str = "eti"
) -> pd.DataFrame:
    """Lost consumption of a counterfactual: median and credible interval, as mass and as share.

    Parameters
    ----------
    world
        From `no_trade` or another counterfactual.
    by
        Some of ``region``, ``product``, ``end_use``; sums over the others are taken on every draw. With two or more,
        each group begins with its sum over the last (label ``"all"``).
    prob, kind
        Probability and kind of the interval, see `reeuncert.summary`.

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
    >>> from reeuncert.counterfactuals import no_trade
    >>> from reeuncert.testing import toy_posterior
    >>> table = lost_consumption(no_trade(toy_posterior(draws=20, years=2), year=2002))
    >>> table[["region", "product"]].values.tolist()[:4]
    [['North', 'all'], ['North', 'compound'], ['North', 'powder'], ['North', 'alloy']]
    """
    return lost_table(*lost_draws(counterfactual_of(world), split_of(by)), prob, kind)


def split_of(by: str | Sequence[str]) -> list[str]:
    """The labels by which consumption is split."""
    names = [by] if isinstance(by, str) else list(by)
    wrong = [name for name in names if name not in BY] or ([] if len(set(names)) == len(names) and names else names)
    if wrong or not names:
        raise ReeUncertError(f"lost consumption cannot be split by {names}; give one or more of {list(BY)}, each once")
    return names


def lost_draws(numbers: xr.Dataset, names: list[str]) -> tuple[pd.DataFrame, Array, Array]:
    """Labels of each row, and its consumption and the loss of it, arrays (draw, row)."""
    parts = [_summed(numbers, names)]
    if len(names) > 1:
        parts.insert(0, _summed(numbers, names[:-1]))
        parts[0][0].insert(len(names) - 1, names[-1], ALL)
    table = pd.concat([labels for labels, *_ in parts], ignore_index=True)
    order = {name: [ALL, *numbers[name].values.tolist()] for name in names}
    keys = [table[name].map({label: k for k, label in reversed(list(enumerate(order[name])))}) for name in names]
    rows = np.lexsort(keys[::-1])
    consumed, lost = (np.concatenate([part[k] for part in parts], axis=1)[:, rows] for k in (1, 2))
    return table.iloc[rows].reset_index(drop=True), consumed, lost


def lost_table(labels: pd.DataFrame, consumed: Array, lost: Array, prob: float, kind: str) -> pd.DataFrame:
    """The labels with median consumption, and the loss as mass and as share."""
    found = spread(lost, prob=prob, kind=kind)
    share = spread(np.divide(lost, consumed, out=np.full_like(lost, np.nan), where=consumed > 0), prob=prob, kind=kind)
    lower, upper = interval_columns(prob, kind)
    columns: dict[str, Any] = {"consumption": spread(consumed, prob=prob).median, "mean": found.mean}
    columns |= {"median": found.median, lower: found.lower, upper: found.upper, "share_median": share.median}
    columns |= {f"share_{lower}": share.lower, f"share_{upper}": share.upper}
    return labels.assign(**columns)


def counterfactual_of(world: xr.DataTree) -> xr.Dataset:
    """Group of a counterfactual's numbers."""
    if GROUP not in world.children:
        message = f"this result has no group '{GROUP}': it comes from no_trade(dt) or another counterfactual"
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
