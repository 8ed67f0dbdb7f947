"""Counterfactual worlds: made of draws, and what is read of them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from balances.residual import residual
from reeuncert.case.records import Case
from reeuncert.case.serial import case_to_json
from reeuncert.system.definition import SystemDefinition
from reeuncert.testing import flow_dataset


def result_of(case: Case, mass: np.ndarray) -> xr.DataTree:
    """Draws of the flows of a case as a result."""
    dt = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, mass)})
    dt.attrs["case_json"] = case_to_json(case)
    return dt


def losses(world: xr.DataTree) -> xr.DataArray:
    """Lost consumption of every draw."""
    return world["counterfactual"].to_dataset()["lost_consumption"]


def lost(world: xr.DataTree, region: str, use: str = "") -> float:
    """Lost consumption of one region, in a result of one draw."""
    found = losses(world).sel(region=region)
    return float((found.sel(end_use=use) if use else found).sum())


def after(world: xr.DataTree, flow: str) -> float:
    """One flow of the counterfactual, in a result of one draw."""
    return float(world["posterior"]["mass_flow"].sel(flow=flow).isel(year=-1).values.squeeze())


def imbalance(dt: xr.DataTree, world: xr.DataTree, system: SystemDefinition) -> float:
    """Of every process in the year of the counterfactual, told by the package's own residual."""
    year = system.year_index[world.attrs["counterfactual_year"]]
    mass = dt["posterior"]["mass_flow"].values.copy()
    mass[..., year] = world["posterior"]["mass_flow"].isel(year=-1).values
    return float(np.nanmax(np.abs(residual(system, mass)[..., year])))
