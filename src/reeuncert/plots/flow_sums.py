"""Sums of flows by their attributes, on every draw."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from reeuncert.plots.access import SAMPLE
from reeuncert.result.tables import mass_flow


def chosen_flows(mass: xr.DataArray, **attributes: str | Iterable[str]) -> np.ndarray:
    """Which flows have these attributes (several allowed values may be given for each), as a boolean array (flow,)."""
    keep = np.ones(mass.sizes["flow"], dtype=bool)
    for name, allowed in attributes.items():
        keep &= np.isin(mass[name].values.astype(str), [allowed] if isinstance(allowed, str) else list(allowed))
    return keep


def sum_of(mass: xr.DataArray, **attributes: str | Iterable[str]) -> xr.DataArray | None:
    """Sum of the flows with these attributes (chain, draw, year), or None; an absent flow adds nothing."""
    keep = np.flatnonzero(chosen_flows(mass, **attributes))
    if not len(keep):
        return None
    return mass.isel(flow=keep).transpose(*SAMPLE, "flow", "year").sum("flow", skipna=True)


def refined_products(mass: xr.DataArray) -> list[str]:
    """Products that some process makes."""
    made = mass["product"].values.astype(str)[chosen_flows(mass, quantity="production")]
    return list(dict.fromkeys(made.tolist()))


def both(dt: xr.DataTree) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Flows of the posterior, and of the prior if it was simulated."""
    has_prior = "prior" in dt.children and "mass_flow" in dt["prior"].data_vars
    return mass_flow(dt), mass_flow(dt, "prior") if has_prior else None
