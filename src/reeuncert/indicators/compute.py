"""Adds indicators to a result: the groups ``derived`` (of the posterior) and ``derived_prior`` (of the prior)."""

from collections.abc import Iterable

import xarray as xr

from reeuncert.case.records import Case
from reeuncert.indicators.expressions import own_indicators
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.on_demand import Computed
from reeuncert.indicators.registry import CUMULATED, Indicator, choose
from reeuncert.parts import Failed
from reeuncert.result.result import Result

GROUPS = {"posterior": "derived", "prior": "derived_prior"}
"""Group of draws → group of the indicators computed from them."""

STORED = "indicators"
"""Attribute of the file of a result that names its indicators: they are computed again when it is read."""


def indicators_of(table: FlowTable, names: Iterable[str] | None = None, own: Iterable[Indicator] = ()) -> xr.Dataset:
    """Indicators of one table of flows, with cumulative variants; each is computed when it is looked at. One variable
    per indicator, read-only, dims (chain, draw, [region], [partner], [product], [end_use], year), with ``long_name``,
    ``units`` and ``reference`` as attributes. NaN: not defined, or no such flow in the system.
    """
    computed = Computed(table)
    variables: dict[str, xr.Variable] = {}
    for record in choose(names, own):
        variables |= computed.variables(record)
    used = {dim for variable in variables.values() for dim in variable.dims}
    chains, draws, _ = table.shape
    coords: dict[str, object] = {"chain": range(chains), "draw": range(draws), "year": list(table.years)}
    coords |= {dim: list(table.labels(dim)) for dim in ("region", "partner", "product", "end_use") if dim in used}
    return xr.Dataset(variables, coords=coords)


def add_indicators(dt: xr.DataTree, names: Iterable[str] | None = None, *, case: Case | None = None) -> xr.DataTree:
    """Compute indicators on every draw and add them to a result.

    Parameters
    ----------
    dt
        Result with the group ``posterior``, ``prior`` or both.
    names
        Names of indicators (see `reeuncert.indicators`); all by default.
    case
        The case of the result; by default read from its attribute ``case_json``.

    Returns
    -------
    DataTree
        A copy that shares its draws with `dt`, with the groups ``derived`` and ``derived_prior``. Existing variables
        are kept unless computed again.

    Raises
    ------
    UnknownIndicatorError
        If a name is not known; the message lists the valid ones.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = add_indicators(toy_posterior(draws=5, years=2), ["net_import_reliance"])
    >>> dt["derived"]["net_import_reliance"].dims
    ('chain', 'draw', 'region', 'year')
    """
    case = Result(dt).case if case is None else case
    own = own_indicators(case)
    chosen = [record.name for record in choose(names, own)]
    out = dt.copy(deep=False)
    for group, derived in GROUPS.items():
        if group in dt.children and "mass_flow" in dt[group].data_vars:
            draws = dt[group].to_dataset()
            computed = indicators_of(FlowTable.from_dataset(draws, case), chosen, own)
            computed = computed.assign_coords(chain=draws["chain"], draw=draws["draw"])
            if derived in dt.children:
                computed = _merged(dt[derived].to_dataset(), computed)
            out[derived] = xr.DataTree(computed)
    return out


def with_indicators(dt: xr.DataTree) -> Result:
    """A result with all indicators; where they cannot be computed, they are among its failed parts."""
    result = Result(dt)
    if "derived" in dt.children:
        return result
    found = result.part("indicators", lambda: add_indicators(dt))
    return result if isinstance(found, Failed) else Result(found)


def without_indicators(dt: xr.DataTree) -> xr.DataTree:
    """A result as its file holds it: instead of the draws of indicators their names, in the attribute `STORED`.

    What cannot be computed again, since its flows are not there or no indicator has its name, stays.
    """
    if "case_json" not in dt.attrs or any(
        derived in dt.children and (group not in dt.children or "mass_flow" not in dt[group].data_vars)
        for group, derived in GROUPS.items()
    ):
        return dt
    out = dt.copy(deep=False)
    records = choose(None, own_indicators(Result(dt).case))
    again = {name: record.name for record in records for name in (record.name, record.name + CUMULATED)}
    names: dict[str, None] = {}
    for derived in GROUPS.values():
        if derived in dt.children:
            held = dt[derived].to_dataset()
            names |= {again[str(name)]: None for name in held.data_vars if name in again}
            kept = held.drop_vars([name for name in held.data_vars if name in again])
            out[derived] = xr.DataTree(kept)
            if not kept.data_vars:
                del out[derived]
    if names:
        out.attrs = {**dt.attrs, STORED: " ".join(names)}
    return out


def with_stored_indicators(dt: xr.DataTree) -> xr.DataTree:
    """Compute the indicators again that the file of a result names."""
    if STORED not in dt.attrs:
        return dt
    out = dt.copy(deep=False)
    return add_indicators(out, str(out.attrs.pop(STORED)).split())


def _merged(before: xr.Dataset, computed: xr.Dataset) -> xr.Dataset:
    kept = before.drop_vars([name for name in computed.data_vars if name in before.data_vars])
    return xr.merge([computed, kept], join="exact", compat="equals", combine_attrs="override")
