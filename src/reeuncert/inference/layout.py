"""Layout of results: variables, coordinates, long names and units."""

import xarray as xr

from reeuncert.case.records import Case

COORDINATES = "z"
MASS_FLOW = "mass_flow"
REPORTED = "reported"


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
