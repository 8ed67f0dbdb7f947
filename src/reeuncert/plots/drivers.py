"""Flows, offsets and source widths that are correlated with each headline over the posterior draws."""

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.labels import Labels
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.headlines import place, value_of
from reeuncert.indicators.printing import value_title
from reeuncert.plots.access import Coords, flat, rows_of, take
from reeuncert.plots.panels import Board
from reeuncert.plots.render import Chart, Row, Span, figure_of, render
from reeuncert.plots.style import hue
from reeuncert.result.diagnostics import standard_ranks
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow

LABELS = ("indicator", "region", "partner", "product", "year")
KINDS = ("flow", "offset", "source width")
COLUMNS = 2
MOST = 6  # bars for each headline


def drivers_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Rank correlation of every headline with every flow, offset and source width, over the posterior draws.

    The square of the rank correlation is the part of the headline's variance (of ranks) that goes with one quantity
    alone. The parts of several quantities overlap, since balance ties flows together, and do not add up to one.

    Parameters
    ----------
    dt
        Result with indicators and a case that has headlines.
    coords
        ``headline`` (numbers, from 0), ``kind`` (``flow``, ``offset``, ``source width``).

    Returns
    -------
    DataFrame
        ``headline`` (its number), ``indicator``, ``region``, ``partner``, ``product``, ``year`` (0: all years),
        ``kind``, ``name``, ``correlation`` (Spearman), ``share`` (its square), the largest of each headline first.
        Flows, and offsets that have a value a year, are those of the headline's year, or their sum (of offsets: their
        mean) over the years.

    Raises
    ------
    ReeUncertError
        If the case has no headline, or the indicators have not been computed.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = drivers_data(toy_posterior(draws=50, years=2), coords={"headline": 1})
    >>> sorted(set(table["kind"])), bool(table["share"].iloc[0] > 0.5)
    (['flow'], True)
    """
    case = Result.holding(dt).case
    if not case.headlines:
        why = "has no headline, so there is nothing whose uncertainty could be explained"
        raise ReeUncertError(f"case '{case.name}' {why}")
    wanted = take(coords, {"headline": range(len(case.headlines)), "kind": KINDS}, "the drivers")
    numbers = wanted["headline"]
    tables: dict[int, pd.DataFrame] = {}
    for of_year in dict.fromkeys(case.headlines[number].year for number in numbers):
        names, kinds, values = _candidates(dt, of_year)
        chosen = {number: case.headlines[number] for number in numbers if case.headlines[number].year == of_year}
        draws = []
        for headline in chosen.values():
            name, labels, year = place(dt, headline)
            draws.append(value_of(dt, name, {**labels, "year": year}).draws.reshape(-1))
        correlations = _rank_correlations(np.stack(draws, axis=1), values)
        for (number, headline), found in zip(chosen.items(), correlations, strict=True):
            # The undefined come last.
            order = np.argsort(-np.abs(found), kind="stable")[: np.isfinite(found).sum()]
            at = {"headline": number} | {column: getattr(headline, column) for column in LABELS}
            parts = {"kind": kinds[order], "name": names[order], "correlation": found[order]}
            tables[number] = pd.DataFrame(at | parts)
    out = pd.concat([tables[number] for number in numbers], ignore_index=True)
    out["share"] = out["correlation"] ** 2
    return out[out["kind"].isin(wanted["kind"])].reset_index(drop=True)


@figure_of(drivers_data)
def plot_drivers(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw for every headline the quantities that are most correlated with it."""
    table = drivers_data(dt, coords=coords)
    groups = [part.head(MOST) for _, part in table.groupby("headline", sort=False)]
    told = Labels(Result.holding(dt).case).told
    panels = []
    for n, part in enumerate(groups):
        x_title = "Squared rank correlation with the headline (%)" if n >= len(groups) - COLUMNS else ""
        chart = Chart("", x_title, tuple(_row(r, told) for r in rows_of(part)), limits=(0.0, 100.0))
        panels.append(chart.panel(textwrap.fill(value_title(part.iloc[0]), 44)))
    title = "Flows, offsets and source widths behind the uncertainty of each headline"
    return render(Board(title, tuple(panels), COLUMNS, 0.3 * MOST + 0.6, 7.2), backend)


def _row(record: Any, told: Callable[[object], str]) -> Row:
    share, rises = 100 * record.share, record.correlation > 0
    hover = f"{share:.0f} %; the headline {'rises' if rises else 'falls'} with it"
    span = Span(0.0, share, hue(KINDS.index(record.kind)), record.kind)
    return Row(f"{told(record.name)} ({'+' if rises else '−'})", (span,), hover=(hover,))


def _candidates(dt: xr.DataTree, year: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names, kinds and draws (sample, quantity) of all that may move with a headline."""
    mass = mass_flow(dt)
    of_year = mass.sel(year=year) if year else Result.holding(dt).total()
    blocks = [(mass["flow"].values.astype(str).tolist(), "flow", flat(of_year))]
    posterior = dt["posterior"].to_dataset()
    if "log_offset" in posterior and posterior.sizes["offset_value"]:
        names, values = _offsets(posterior["log_offset"], year, Result.holding(dt).case)
        blocks.append((names, "offset", values))
    if "source_width" in posterior and posterior.sizes["source_group"]:
        widths = posterior["source_width"]
        blocks.append((widths["source_group"].values.astype(str).tolist(), "source width", flat(widths)))
    names = [n for block in blocks for n in block[0]]
    kinds = [block[1] for block in blocks for _ in block[0]]
    return np.array(names, object), np.array(kinds, object), np.concatenate([block[2] for block in blocks], axis=1)


def _offsets(offsets: xr.DataArray, year: int, case: Case) -> tuple[list[str], np.ndarray]:
    """Offsets that hold for all years or an era, and yearly ones of the year asked for (of all years: their mean)."""
    values = flat(offsets)
    yearly = {name for name, of in case.offsets.items() if of.per == "year"}
    yearly |= {f"content {name}" for name, of in case.contents.items() if of.per == "year"}
    found: dict[str, list[int]] = {}
    for j, label in enumerate(offsets["offset_value"].values.astype(str)):
        name, _, when = label.rpartition(" ")
        if name not in yearly:
            found[label] = [j]
        elif not year or int(when) == year:
            found.setdefault(name, []).append(j)
    return list(found), np.stack([values[:, columns].mean(axis=1) for columns in found.values()], axis=1)


def _rank_correlations(targets: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Spearman correlation of each target (sample, target) with each of (sample, quantity), array (target, quantity);
    NaN where one is constant or absent. A target may be undefined in some draws.
    """
    out = _products(standard_ranks(targets), standard_ranks(values))
    for row, target in zip(out, targets.T, strict=True):
        kept = np.isfinite(target)
        if kept.any() and not kept.all():
            row[:] = _products(standard_ranks(target[kept, None]), standard_ranks(values[kept]))
    return out


def _products(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    known = own.any(axis=1)[:, None] & others.any(axis=1)
    return np.where(known, own @ others.T / own.shape[1], np.nan)
