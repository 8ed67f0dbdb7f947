"""Layout of results: variables, coordinates, long names and units."""

from collections.abc import Mapping, Sequence

import numpy as np
import pymc as pm
import xarray as xr

from reeuncert.case.records import Case

COORDINATES = "z"
MASS_FLOW = "mass_flow"
REPORTED = "reported"


def has_normal_coordinates(model: pm.Model) -> bool:
    """Whether the prior of a model is standard normal, rather than a density on masses or shares."""
    return any(variable.name == COORDINATES for variable in model.free_RVs)


def labelled(draws: xr.Dataset, case: Case) -> xr.Dataset:
    """Draws with long names and units."""
    units = {
        MASS_FLOW: ("mass of a flow in a year", case.system.unit),
        COORDINATES: ("standard-normal coordinate of the prior", "1"),
        "source_width": ("width of the error of a source, log scale", "1"),
        "log_offset": ("offset shared by rows of evidence, log scale", "1"),
    }
    out = xr.Dataset(dict(draws.data_vars), coords=dict(draws.coords))
    for name in out.data_vars:
        long_name, unit = units.get(str(name), ("", ""))
        out[name].attrs = {"long_name": long_name, "units": unit} if long_name else {}
    return out


def stored_names(model: pm.Model) -> tuple[str, ...]:
    """Deterministics stored in every draw."""
    return tuple(v.name for v in model.deterministics)


def grouped_log_prior(z: xr.DataArray, groups: Sequence[str]) -> xr.Dataset:
    """Log density of the standard-normal coordinates, summed by class: variables of dims (chain, draw)."""
    if len(groups) != z.shape[2]:
        raise ValueError(f"{len(groups)} classes of prior for {z.shape[2]} coordinates")
    labels = np.asarray(groups, dtype=object)
    density = -0.5 * np.square(z.values) - 0.5 * np.log(2 * np.pi)
    return by_class({name: density[:, :, labels == name].sum(axis=2) for name in dict.fromkeys(groups)}, z)


def by_class(density: Mapping[str, np.ndarray], draws: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """Log densities (chain, draw) by class of prior, as variables with the labels of the draws."""
    out = {_safe(name): (("chain", "draw"), values) for name, values in density.items()}
    return xr.Dataset(out, coords={d: draws[d].values for d in ("chain", "draw")})


def _safe(name: str) -> str:
    """A valid variable name for a file."""
    return (name or "other").replace("/", "_").replace(" ", "_")
