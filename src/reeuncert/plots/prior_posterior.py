"""Densities of the prior and the posterior of single quantities, by ArviZ-plots."""

from __future__ import annotations

import itertools
from typing import Any, cast

import arviz_plots as azp
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib import rc_context

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.registry import INDICATORS, base_name
from reeuncert.plots.access import SAMPLE, Coords, choose, derived, flat, require_prior
from reeuncert.plots.draw_plotly import escaped
from reeuncert.plots.panels import scale_of
from reeuncert.plots.style import Theme, check_backend, hue, mpl_style, plotly_axis, plotly_layout, theme_of
from reeuncert.result.tables import mass_flow

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
    labels = [" · ".join(str(v) for v in key) for key in _keys(after, dims)]
    unit = str(after.attrs.get("units", ""))
    tables = []
    for group, data in (("prior", before), ("posterior", after)):
        cells = flat(data)
        for j, label in enumerate(labels):
            there = cells[np.isfinite(cells[:, j]), j]
            quantity = label if base_name(name) in INDICATORS else f"{name} · {label}"
            tables.append(pd.DataFrame({"quantity": quantity, "group": group, "value": there, "unit": unit}))
    table = pd.concat(tables, ignore_index=True)
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


def plot_prior_posterior(
    dt: xr.DataTree,
    name: str,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    theme: str = "light",
) -> Any:
    """Draw the densities of prior and posterior with ``arviz_plots.plot_prior_posterior``, one panel a quantity.

    Parameters
    ----------
    dt, name, coords
        See `prior_posterior_data`.
    backend
        ``"matplotlib"`` or ``"plotly"``.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    matplotlib.figure.Figure or plotly.graph_objects.Figure

    Raises
    ------
    ReeUncertError
        As `prior_posterior_data`.
    """
    check_backend(backend)
    colours = theme_of(theme)
    table = prior_posterior_data(dt, name, coords=coords)
    unit = str(table["unit"].iloc[0])
    # A quantity that is the same in every draw (the share of an only supplier) has no density.
    varies = table.groupby(["quantity", "group"])["value"].agg(lambda v: v.max() > v.min()).groupby("quantity").all()
    table = table[table["quantity"].isin(varies.index[varies])]
    if table.empty:
        raise ReeUncertError(f"'{name}' has the same value in every draw for these labels: there is no density to draw")
    tree = _tree(table, scale_of(unit))
    count = len(tree["posterior"].data_vars)
    columns = min(3, count)
    with rc_context(mpl_style(colours)):
        plot = azp.plot_prior_posterior(
            tree,
            backend=cast(Any, backend),
            col_wrap=columns,
            aes={"color": ["group"]},
            color=[colours.prior, hue(0)],
            figure_kwargs=_figure_size(backend, columns, -(-count // columns)),
        )
        figure = plot.viz["figure"].item()
        title = f"{_title(dt, name)}: prior (grey) and posterior (blue)"
        finish = _finish_matplotlib if backend == "matplotlib" else _finish_plotly
        finish(figure, title, f"{'%' if unit == '1' else unit} (vertical: density)", colours)
    return figure


def _title(dt: xr.DataTree, name: str) -> str:
    return str(derived(dt, name).attrs["long_name"]) if base_name(name) in INDICATORS else name


def _finish_matplotlib(figure: Any, title: str, unit: str, theme: Theme) -> None:
    # The title says what the colours mean.
    for legend in list(figure.legends):
        legend.remove()
    for ax in figure.axes:
        if ax.get_visible() and ax.has_data():
            ax.set_xlabel(unit)
    figure.set_layout_engine("constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold", color=theme.ink)


def _finish_plotly(figure: Any, title: str, unit: str, theme: Theme) -> None:
    figure.update_xaxes(plotly_axis(theme, title={"text": escaped(unit)}))
    figure.update_yaxes(plotly_axis(theme))
    heading = {"text": f"<b>{escaped(title)}</b>", "x": 0.0, "xref": "paper", "xanchor": "left", "font": {"size": 15}}
    layout = plotly_layout(theme, title=heading, showlegend=False, margin={"l": 20, "r": 16, "t": 84, "b": 60})
    figure.update_layout(layout, width=None, height=figure.layout.height + 90)
    figure.update_annotations(font={"size": 12, "color": theme.ink})


def _figure_size(backend: str, columns: int, rows: int) -> dict[str, Any]:
    if backend == "matplotlib":
        return {"figsize": (3.6 * columns + 0.6, 2.3 * rows + 0.6)}
    return {"figsize": (320 * columns, 240 * rows), "figsize_units": "dots"}


def _tree(table: pd.DataFrame, scale: float) -> xr.DataTree:
    """Prior and posterior as ArviZ wants them: one chain, as many draws of each quantity as the scarcest has."""
    out = {}
    for group, rows in table.groupby("group", sort=False):
        parts = {str(q): part["value"].to_numpy() * scale for q, part in rows.groupby("quantity", sort=False)}
        n = min(len(v) for v in parts.values())
        out[str(group)] = xr.Dataset({q: (SAMPLE, v[:n][None]) for q, v in parts.items()})
    return xr.DataTree.from_dict(out)


def _variables(dt: xr.DataTree, name: str, coords: Coords) -> tuple[xr.DataArray, xr.DataArray]:
    """The quantity in prior and posterior, with its labels chosen; the last year unless one is asked for."""
    last = {"year": [int(mass_flow(dt)["year"].values[-1])]}
    chosen = last | dict(coords or {})
    if base_name(name) in INDICATORS:
        after = choose(derived(dt, name), chosen, f"indicator '{name}'")
        require_prior(dt, "derived_prior")
        return choose(derived(dt, name, "derived_prior"), chosen, f"indicator '{name}'"), after
    require_prior(dt)
    mass = mass_flow(dt)
    if name not in mass["flow"].values:
        raise ReeUncertError(f"'{name}' is neither an indicator nor a flow of this result")
    pair = [choose(m.sel(flow=name, drop=True), chosen, f"flow '{name}'") for m in (mass_flow(dt, "prior"), mass)]
    return pair[0], pair[1]


def _keys(data: xr.DataArray, dims: list[str]) -> list[tuple[Any, ...]]:
    return list(itertools.product(*(data[d].values.tolist() for d in dims)))
