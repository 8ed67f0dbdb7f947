"""Tables of flows: one row per flow and year, posterior and prior."""

from collections.abc import Iterable
from dataclasses import fields

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.serial import case_from_json
from reeuncert.errors import ArgumentError, OutputError
from reeuncert.result.diagnostics import Diagnostics, diagnose
from reeuncert.result.io import lost_draws
from reeuncert.result.learning import learning
from reeuncert.result.quantiles import PROBABILITIES, Spread, spread
from reeuncert.system.definition import FLOW_FIELDS, SystemDefinition

INTERVAL = ("eti90_lb", "eti90_ub")


def flow_table(dt: xr.DataTree) -> pd.DataFrame:
    """Median and equal-tailed 90 % interval of every flow in every year in which it exists, beside those of the prior.

    Columns: ``flow``, its attributes, ``year``, ``unit``, ``mean``, ``median``, ``eti90_lb``, ``eti90_ub``;
    ``ess_bulk``, ``ess_tail``, ``r_hat`` (on the log scale); ``prior_median``, ``prior_eti90_lb``, ``prior_eti90_ub``,
    and their comparison (`reeuncert.result.learning`): ``width_ratio``, ``prior_below_median``, ``against_prior``.

    >>> from reeuncert.testing import toy_posterior
    >>> table = flow_table(toy_posterior(draws=20, years=2))
    >>> table.loc[table["flow"] == "ore_South", ["flow", "year", "unit"]].values.tolist()
    [['ore_South', 2001, 'kt'], ['ore_South', 2002, 'kt']]
    """
    mass = mass_flow(dt)
    draws = mass.values
    flow, year = np.nonzero(np.isfinite(draws[0, 0]))
    every = diagnose(draws, log=not (draws <= 0).any(), at=PROBABILITIES)
    found = Diagnostics(**{f.name: getattr(every, f.name)[..., flow, year] for f in fields(every)})
    columns: dict[str, object] = {"flow": mass["flow"].values[flow]}
    columns |= {name: mass[name].values[flow] for name in FLOW_FIELDS[1:]}
    columns |= {"year": mass["year"].values[year], "unit": mass.attrs.get("units", "")}
    columns |= {"mean": found.mean, "median": found.median, INTERVAL[0]: found.lower, INTERVAL[1]: found.upper}
    columns |= {"ess_bulk": found.ess_bulk, "ess_tail": found.ess_tail, "r_hat": found.r_hat}
    held, prior = prior_flow(dt), None
    if held is not None:
        prior = held.transpose("flow", "year", "chain", "draw").values[flow, year].reshape(flow.size, -1).T
    before = None if prior is None else spread(prior)
    shown = before or Spread.empty(len(flow))
    columns |= {"prior_median": shown.median, f"prior_{INTERVAL[0]}": shown.lower, f"prior_{INTERVAL[1]}": shown.upper}
    columns |= learning(found, prior, before, scale="mass").columns()
    return pd.DataFrame(columns, index=range(len(flow)))


def flow_attributes(system: SystemDefinition, flows: Iterable[str] | None = None) -> dict[str, tuple[str, np.ndarray]]:
    """Attributes of flows along ``flow``: from_process, to_process, quantity, product, …; of all flows by default."""
    chosen = system.flows if flows is None else [system.flows[system.flow_index[str(name)]] for name in flows]
    held = {name: np.array([flow.attribute(name) for flow in chosen], dtype=object) for name in FLOW_FIELDS[1:]}
    return {name: ("flow", values) for name, values in held.items()}


def mass_flow(dt: xr.DataTree, group: str = "posterior") -> xr.DataArray:
    """The flows of a result (chain, draw, flow, year), with their attributes as coordinates: ``mass[:, :,
    mass["quantity"] == "trade"]``.

    In the tree they stand in ``constant_data``: ArviZ summarises no group whose variables differ in coordinates.
    """
    if group not in dt.children or "mass_flow" not in dt[group].data_vars:
        raise OutputError(f"this result holds no flows ('{group}/mass_flow'); it does not come from reeuncert.sample")
    mass = dt[group].to_dataset()["mass_flow"]
    if lost := lost_draws(mass):
        raise ArgumentError(lost)
    mass = mass.transpose("chain", "draw", "flow", "year")
    if "from_process" in mass.coords:
        return mass
    system = case_from_json(str(dt.attrs["case_json"])).system
    return mass.assign_coords(flow_attributes(system, mass["flow"].values))


def prior_flow(dt: xr.DataTree) -> xr.DataArray | None:
    """`mass_flow` of the prior; None if it was not simulated."""
    return mass_flow(dt, "prior") if "prior" in dt.children and "mass_flow" in dt["prior"].data_vars else None
