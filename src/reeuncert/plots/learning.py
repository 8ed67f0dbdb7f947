"""Prior against posterior: the width of every flow, and densities of single quantities."""

import itertools
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base.array import array_stats

from reeuncert.case.labels import Labels
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import INDICATORS, base_name
from reeuncert.indicators.summary import SAMPLE, computed, computed_prior, select_labels
from reeuncert.plots.access import ALL_YEARS, Coords, flat, quantile_table, require_prior, rows_of, take
from reeuncert.plots.panels import Area, Axis, Board, Line, Mark, Panel, Points, scale_of, shown_unit
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import colours_of, hue, interval_name
from reeuncert.result.learning import learning
from reeuncert.result.quantiles import spread
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS
from reeuncert.words.estimates import interval, with_unit

TICKS = (1.01, 1.02, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2, 2.5, 3, 4, 5, 7, 10, 20, 50, 100, 1000)


def learning_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Width of prior and posterior of every flow, as the factor by which the 90 % interval spans around its middle.

    Parameters
    ----------
    dt
        Result with the prior.
    coords
        ``year`` (a year, years, or ``"cumulative"``, the default: the sum over all years), or attributes of flows:
        ``flow``, ``quantity``, ``product``, ``origin``, ``destination``, ``route``, …

    Returns
    -------
    DataFrame
        The attributes of the flow, ``year``, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub``, ``prior_median``,
        ``prior_eti90_lb``, ``prior_eti90_ub``, ``factor`` = √(upper / lower) of the posterior, ``prior_factor``, and
        ``width_ratio``, ``prior_below_median``, ``against_prior`` as in every table, see `reeuncert.result.learning`.

    Raises
    ------
    ReeUncertError
        If the result holds no prior, or a label does not exist.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = learning_data(toy_posterior(draws=20, years=2), coords={"flow": "ore_South"})
    >>> table[["flow", "year"]].values.tolist(), bool(table["width_ratio"].iloc[0] < 1)
    ([['ore_South', 'cumulative']], True)
    """
    result = Result.holding(dt)
    return _widths(result, coords) if coords else result.once(_widths).copy()


def _widths(result: Result, coords: Coords = None) -> pd.DataFrame:
    """`learning_data` of the flows and years that are wanted."""
    dt = result.dt
    require_prior(dt)
    mass, before = mass_flow(dt), mass_flow(dt, "prior")
    held = {name: mass[name].values.astype(str) for name in FLOW_FIELDS}
    known = {name: sorted(set(labels)) for name, labels in held.items()}
    known["year"] = [*mass["year"].values.tolist(), ALL_YEARS]
    wanted = take({"year": ALL_YEARS, **(coords or {})}, known, "the flows")
    keep = np.logical_and.reduce([np.isin(labels, wanted[name]) for name, labels in held.items()])
    tables = []
    for year in wanted["year"]:
        chosen = (
            result.total(group) if year == ALL_YEARS else data.sel(year=year)
            for group, data in (("posterior", mass), ("prior", before))
        )
        after, prior = (flat(data.isel(flow=keep)) for data in chosen)
        there = np.isfinite(after).any(axis=0) & (after > 0).any(axis=0)
        after, prior = after[:, there], prior[:, there]
        found = quantile_table(after, (0.9,)) | quantile_table(prior, (0.9,), "prior_")
        found |= learning(spread(after), prior, scale="mass").columns()
        attributes = {name: labels[keep][there] for name, labels in held.items()}
        tables.append(pd.DataFrame(attributes | {"year": year, "unit": mass.attrs.get("units", "")} | found))
    table = pd.concat(tables, ignore_index=True).drop(columns=["mean", "prior_mean"])
    table["factor"] = np.sqrt(table["eti90_ub"] / table["eti90_lb"])
    table["prior_factor"] = np.sqrt(table["prior_eti90_ub"] / table["prior_eti90_lb"])
    return table


@figure_of(learning_data)
def plot_learning(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw for every flow the width of its prior against that of its posterior; on the diagonal they are equal."""
    table = learning_data(dt, coords=coords)
    table = table[np.isfinite(table["factor"]) & np.isfinite(table["prior_factor"])]
    if table.empty:
        raise ReeUncertError("none of these flows is above zero in prior and posterior: no width can be drawn")
    table["label"] = table["flow"].map(Labels(Result.holding(dt).case).flows)
    colours = colours_of(list(dict.fromkeys(table["origin"])))
    across = _axis(table["prior_factor"], "Prior: factor from the middle of the interval to its ends")
    up = _axis(table["factor"], "Posterior: the same factor")
    ends = [f(v for axis in (across, up) for v in axis.limits or ()) for f in (min, max)]
    marks: list[Mark] = [Line(ends, ends, "muted", 1.0, "dash", "posterior as wide as prior")]
    for (origin, unregistered), part in table.groupby(["origin", table["route"] == "unregistered"], sort=False):
        symbol, name = ("triangle-up", "unregistered or unrecorded") if unregistered else ("circle", "registered")
        x, y = part["prior_factor"].to_numpy(), part["factor"].to_numpy()
        hover = tuple(map(_hover, rows_of(part)))
        marks.append(Points(f"{origin}, {name}", x, y, colours[str(origin)], symbol, hover=hover, opacity=0.75))
    panel = Panel("", marks, x=across, y=up)
    return render(Board("Width of every flow before and after the evidence", (panel,), 1, 4.9, 7.4), backend)


def _axis(values: pd.Series, title: str) -> Axis:
    """A logarithmic axis that all values fit in, with ticks at least a twentieth of its length apart."""
    log = np.log(values.to_numpy(dtype=float))
    room = 0.06 * (log.max() - log.min()) + 0.02
    low, high = float(np.exp(log.min() - room)), float(np.exp(log.max() + room))
    kept: list[float] = []
    for tick in (t for t in reversed(TICKS) if low <= t <= high):
        if not kept or np.log(kept[-1] / tick) >= 0.05 * np.log(high / low):
            kept.append(tick)
    return Axis(title, (low, high), tuple((t, f"{t:g}") for t in kept[::-1]), log=True)


def _hover(row: Any) -> str:
    return (
        f"{row.label}, {row.year}\nmedian {with_unit(row.median, row.unit)}\n"
        f"{interval_name()}: {interval(row.eti90_lb, row.eti90_ub, row.unit)} (×/÷ {row.factor:.3g})\n"
        f"prior: {interval(row.prior_eti90_lb, row.prior_eti90_ub, row.unit)} (×/÷ {row.prior_factor:.3g})"
    )


MOST_QUANTITIES = 12


def prior_posterior_data(dt: xr.DataTree, name: str, *, coords: Coords = None) -> pd.DataFrame:
    """Draws of the prior and the posterior of an indicator or a flow.

    Parameters
    ----------
    dt
        Result with the prior.
    name
        Name of an indicator (see `reeuncert.indicators`) or of a flow.
    coords
        Dim → label or labels; a quantity for each combination. By default the last year.

    Returns
    -------
    DataFrame
        ``quantity`` (labels and year in one text), ``group`` (``prior`` or ``posterior``), ``value``, ``unit``; one row
        a draw. Undefined draws are left out.

    Raises
    ------
    ReeUncertError
        If the result holds no prior, the indicator has not been computed, or there are more than 12 quantities.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = prior_posterior_data(toy_posterior(draws=20, years=2), "ore_South", coords={"year": 2002})
    >>> table.groupby("group", sort=False)["quantity"].first().to_dict()
    {'prior': 'ore_South · 2002', 'posterior': 'ore_South · 2002'}
    """
    before, after = _variables(dt, name, coords)
    dims = [str(d) for d in after.dims if d not in SAMPLE]
    own = [] if base_name(name) in INDICATORS else [[name]]
    keys = itertools.product(*own, *(after[d].values.tolist() for d in dims))
    labels = [" · ".join(map(str, key)) for key in keys]
    tables = []
    for group, data in (("prior", before), ("posterior", after)):
        table = pd.DataFrame(flat(data), columns=labels).melt(var_name="quantity")
        table.insert(1, "group", group)
        tables.append(table[np.isfinite(table["value"])])
    table = pd.concat(tables, ignore_index=True).assign(unit=str(after.attrs.get("units", "")))
    # A quantity that the system does not have is undefined in every draw.
    both = table.groupby("quantity")["group"].nunique()
    table = table[table["quantity"].isin(both.index[both == 2])].reset_index(drop=True)
    if table.empty:
        raise ReeUncertError(f"'{name}' is not defined in any draw for these labels: {dict(coords or {})}")
    if (count := table["quantity"].nunique()) > MOST_QUANTITIES:
        raise ReeUncertError(
            f"{count} quantities of '{name}' chosen (at most {MOST_QUANTITIES}); choose fewer by coords"
        )
    return table


@figure_of(prior_posterior_data)
def plot_prior_posterior(dt: xr.DataTree, name: str, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the densities of prior and posterior (kernel estimates of ArviZ), one panel a quantity."""
    table = prior_posterior_data(dt, name, coords=coords)
    unit = str(table["unit"].iloc[0])
    # A quantity that is the same in every draw (the share of an only supplier) has no density.
    varies = table.groupby(["quantity", "group"])["value"].agg(lambda v: v.max() > v.min()).groupby("quantity").all()
    table = table[table["quantity"].isin(varies.index[varies])]
    if table.empty:
        raise ReeUncertError(f"'{name}' has the same value in every draw for these labels: there is no density to draw")
    panels = []
    for quantity, rows in table.groupby("quantity", sort=False):
        marks: list[Mark] = []
        for group, colour in (("prior", "prior"), ("posterior", hue(0))):
            values = scale_of(unit) * rows.loc[rows["group"] == group, "value"].to_numpy()
            grid, density, _ = array_stats.kde(values, grid_len=200)
            ends = np.r_[grid[0], grid, grid[-1]], np.r_[0.0, density, 0.0]
            marks += [Area(*ends, colour, 0.2, group=group), Line(grid, density, colour, 1.7, name=group)]
        panels.append(Panel(str(quantity), marks, x=Axis(shown_unit(unit)), y=Axis("density")))
    title = str(computed(dt, name).attrs["long_name"]) if base_name(name) in INDICATORS else name
    return render(Board(f"{title}: prior and posterior", tuple(panels)), backend)


def _variables(dt: xr.DataTree, name: str, coords: Coords) -> tuple[xr.DataArray, xr.DataArray]:
    """The quantity in prior and posterior, with its labels chosen; the last year unless one is asked for."""
    chosen = {"year": [int(mass_flow(dt)["year"].values[-1])], **(coords or {})}
    if base_name(name) in INDICATORS:
        after = select_labels(computed(dt, name), chosen)
        require_prior(dt, "derived_prior")
        return select_labels(cast(xr.DataArray, computed_prior(dt, name)), chosen), after
    require_prior(dt)
    mass = mass_flow(dt)
    if name not in mass["flow"].values:
        raise ReeUncertError(f"'{name}' is neither an indicator nor a flow of this result")
    both = (m.sel(flow=name, drop=True) for m in (mass_flow(dt, "prior"), mass))
    before, after = (select_labels(m, chosen, f"flow '{name}'") for m in both)
    return before, after
