"""Consumption lost in a counterfactual, by region, product and end use, with intervals."""

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.counterfactuals.lost import ALL, counterfactual_of, lost_consumption
from reeuncert.plots.access import Coords, check_labels, take
from reeuncert.plots.render import figure_of
from reeuncert.plots.rows import Chart, Row, Span, render_chart
from reeuncert.plots.style import PROBABILITIES, band_opacity, bands_name, colours_of, interval_name
from reeuncert.words.estimates import estimate, with_unit

PRODUCT, END_USE = "product", "end_use"
_DIMS = ("region", PRODUCT, END_USE)


def lost_consumption_data(world: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Lost consumption by region and product, and by region and end use.

    Parameters
    ----------
    world
        What `reeuncert.no_trade` or another counterfactual returned.
    coords
        ``region``, ``product``, ``end_use``: which rows are wanted; everything by default. Sums are over all of the
        region in any case.

    Returns
    -------
    DataFrame
        ``region``, ``product``, ``end_use`` (``"all"``: their sum), ``year``, ``unit``, ``consumption``, ``mean``,
        ``median``, ``eti50_lb`` … ``eti90_ub``, ``share_median``, ``share_eti50_lb`` … ``share_eti90_ub``.

    Raises
    ------
    ReeUncertError
        If this is no counterfactual, or a label does not exist.

    Examples
    --------
    >>> from reeuncert.counterfactuals import no_trade
    >>> from reeuncert.testing import toy_posterior
    >>> table = lost_consumption_data(no_trade(toy_posterior(draws=20, years=2)), coords={"region": "South"})
    >>> table[["product", "end_use"]].values.tolist()[:3]
    [['all', 'all'], ['compound', 'all'], ['powder', 'all']]
    """
    wanted = take(coords, _DIMS, "lost consumption")
    numbers = counterfactual_of(world)
    for dim, labels in wanted.items():
        check_labels(labels, numbers[dim].values.tolist(), dim, "lost consumption")
    parts = []
    for by in (PRODUCT, END_USE):
        table = _bands(world, ("region", by))
        other = END_USE if by == PRODUCT else PRODUCT
        table.insert(1 if other == PRODUCT else 2, other, ALL)
        parts.append(table if by == PRODUCT else table[table[END_USE] != ALL])
    joined = pd.concat(parts, ignore_index=True)
    regions = numbers["region"].values.tolist()
    joined = joined.iloc[joined["region"].map(regions.index).argsort(kind="stable")].reset_index(drop=True)
    keep = joined["region"].isin(wanted.get("region", regions))
    if PRODUCT in wanted or END_USE in wanted:
        named = joined[PRODUCT].isin(wanted.get(PRODUCT, [])) | joined[END_USE].isin(wanted.get(END_USE, []))
        keep &= named
    return joined[keep].reset_index(drop=True)


@figure_of(lost_consumption_data)
def plot_lost_consumption(
    world: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib", theme: str = "light"
) -> Any:
    """Draw the consumption lost in a counterfactual, in per cent of each region's consumption."""
    table = lost_consumption_data(world, coords=coords)
    colours = colours_of([str(r) for r in counterfactual_of(world)["region"].values])
    rows = tuple(_row(record, colours[str(record["region"])]) for record in table.to_dict("records"))
    year, unit = int(world.attrs["counterfactual_year"]), counterfactual_of(world)["lost_consumption"].attrs["units"]
    chart = Chart(
        f"Consumption lost in {year}: {world.attrs['counterfactual']}",
        "Part of consumption that is lost (%)",
        rows,
        subtitle=f"{world.attrs['counterfactual_rule']}; beside the names: median masses in {unit}",
        point_name=f"median; bands: {bands_name()}",
    )
    return render_chart(chart, backend, theme)


def _bands(world: xr.DataTree, by: tuple[str, ...]) -> pd.DataFrame:
    """Intervals of all bands in one table."""
    keys = [*by, "year", "unit", "consumption", "mean", "median", "share_median"]
    first, *others = (lost_consumption(world, by=by, prob=p) for p in PROBABILITIES)
    for table in others:
        first = pd.concat([first, table.drop(columns=keys)], axis=1)
    return first


def _row(record: dict[Any, Any], colour: str) -> Row:
    unit = str(record["unit"])
    what = ", ".join(str(record[k]) for k in (PRODUCT, END_USE) if record[k] != ALL) or "all"
    spans = tuple(
        Span(
            100 * record[f"share_eti{100 * p:.6g}_lb"],
            100 * record[f"share_eti{100 * p:.6g}_ub"],
            colour,
            height=0.62 - 0.12 * i,
            opacity=band_opacity(len(PROBABILITIES) - 1 - i),
        )
        for i, p in enumerate(reversed(PROBABILITIES))
    )
    label = f"{record['region']}, {what}: {with_unit(record['median'], '')} of {with_unit(record['consumption'], '')}"
    lost, share = ([record[f"{part}{c}"] for c in ("median", "eti90_lb", "eti90_ub")] for part in ("", "share_"))
    hover = (
        f"lost: {estimate(*lost, unit=unit)}",
        f"part of consumption: {estimate(*share, unit='1')}",
        interval_name(),
    )
    return Row(label, spans, point=100 * record["share_median"], hover=hover)
