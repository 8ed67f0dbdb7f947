"""Which classes of input an indicator's variance comes from: Sobol' indices, before and after the evidence."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.balance.op import flows_from_coordinates
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.summary import computed
from reeuncert.inference.layout import flow_coordinates
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.questions.budget import variance_shares
from reeuncert.questions.powerscale import CLASS
from reeuncert.questions.targets import Target, ValueName, target_of
from reeuncert.result.result import Result

Floats = NDArray[np.float64]

UNDER = ("posterior", "prior")
SAMPLES = 256
"""Base samples of the indices under the prior; the flows are computed (classes + 2) times as often."""


def sobol(
    dt: xr.DataTree,
    indicator: ValueName,
    *,
    under: str = "posterior",
    classes: Iterable[str] | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    **coords: str | int,
) -> pd.DataFrame:
    """Sobol' indices of an indicator with respect to classes of input.

    Indices share out a variance over inputs that are independent of each other. Flows are not; two things are:

    * ``under="posterior"``: the coordinates of the priors *and* the errors of the sources, which together make up what
      is not known after the figures have been seen. The indices share out the variance that is left, over classes of
      priors and over sources; effects add up, so that first-order and total index are one. Computed from the draws, to
      first order (`reeuncert.questions.budget`).
    * ``under="prior"``: the coordinates of the priors alone, before any figure: what would drive the indicator if
      nobody had reported anything. Computed on the model itself, no emulator, by the design of Saltelli et al. (2010,
      doi 10.1016/j.cpc.2009.09.018) with coordinates grouped by class, as SALib does it. The index of a positive mass
      is that of its log, whose variance no single draw can carry.

    Comparing the two says what the evidence has settled, and what it could not.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with indicators and coordinates ``z``.
    indicator, **coords
        One value, see `reeuncert.questions.targets.target_of`.
    under
        ``"posterior"`` or ``"prior"``.
    classes
        Only these components (classes of priors, lineages of sources) in the table; all by default. The indices are the
        same: the others still vary.
    samples, seed
        Base samples (a power of 2) and seed of ``under="prior"``.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``, ``under``, ``kind``, ``component``, ``inputs``, ``first`` (part of the
        variance that goes with the class alone), ``first_ci`` (half-width of its 90 % interval of Monte Carlo error),
        ``total`` (with all interactions), ``total_ci``; the largest first.

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label or class; no coordinates in the result.

    Examples
    --------
    What is left of the uncertainty of the first headline, and from where::

        ree.sobol(dt, 0)[["component", "first"]]
    """
    if under not in UNDER:
        raise ReeUncertError(f"under is {under!r}; use one of: {', '.join(UNDER)}")
    if samples < 2 or samples & (samples - 1):
        raise ReeUncertError(f"samples is {samples}; it must be a power of 2, e.g. {SAMPLES}")
    target = target_of(dt, indicator, **coords)
    table = _posterior(dt, target) if under == "posterior" else _prior(Result(dt).case, target, samples, seed)
    if classes is not None:
        wanted = [classes] if isinstance(classes, str) else list(classes)
        unknown = [c for c in wanted if c not in set(table["component"])]
        if unknown:
            known = ", ".join(table["component"])
            raise ReeUncertError(f"{unknown[0]!r} is no class of input of this case; there are: {known}")
        table = table[table["component"].isin(wanted)].reset_index(drop=True)
    for position, (column, value) in enumerate({**target.columns, "under": under}.items()):
        table.insert(position, column, value)
    return table


def _posterior(dt: xr.DataTree, target: Target) -> pd.DataFrame:
    found = variance_shares(dt, target)
    table = found[["kind", "component", "inputs"]].copy()
    for name in ("first", "total"):
        table[name], table[f"{name}_ci"] = found["share"], 1.645 * found["se"]
    return table


def _prior(case: Case, target: Target, samples: int, seed: int) -> pd.DataFrame:
    if case.prior_measure != "coordinates":
        raise ReeUncertError(
            f"the priors of case '{case.name}' are densities of flows (prior_measure '{case.prior_measure}'), which "
            "balance makes dependent: indices under the prior need independent coordinates"
        )
    # Loaded here: with SALib comes matplotlib, which looking at the posterior does not need.
    from SALib.analyze import sobol as analyze_sobol  # type: ignore[import-untyped]  # published without types
    from SALib.sample import sobol as sample_sobol  # type: ignore[import-untyped]  # published without types

    network = case_network(case)
    prior = coordinate_prior(case, network)
    names = list(dict.fromkeys(prior.group))
    problem = {
        "num_vars": prior.mean.size,
        "names": [f"z{i}" for i in range(prior.mean.size)],
        "groups": list(prior.group),
        "bounds": [[0.0, 1.0]] * prior.mean.size,
        "dists": ["norm"] * prior.mean.size,
    }
    if len(names) < 2:
        raise ReeUncertError(f"the priors of case '{case.name}' have one class only ({names[0]}): nothing to compare")
    z = sample_sobol.sample(problem, samples, calc_second_order=False, seed=seed)
    flows = flows_from_coordinates(prior.mean + prior.factor.apply(z), network)
    mass = np.full((len(z), len(case.system.flows), len(case.system.years)), np.nan)
    mass[:, network.edge_flow, network.edge_year] = flows
    value = _value(case, target, mass)
    found = analyze_sobol.analyze(problem, value, calc_second_order=False, conf_level=0.9, seed=seed)
    table = pd.DataFrame({"kind": CLASS, "component": names})
    table["inputs"] = [sum(g == name for g in prior.group) for name in names]
    for name, key in (("first", "S1"), ("total", "ST")):
        table[name], table[f"{name}_ci"] = found[key], found[f"{key}_conf"]
    return table.sort_values("total", ascending=False, ignore_index=True)


def _value(case: Case, target: Target, mass: Floats) -> Floats:
    """The value for each row of a design, on the scale on which its variance is shared out."""
    coords = {"chain": [0], "draw": np.arange(len(mass)), "flow": [f.name for f in case.system.flows]}
    data = xr.Dataset(
        {"mass_flow": (("chain", "draw", "flow", "year"), mass[None])},
        coords={**coords, "year": list(case.system.years), **flow_coordinates(case.system)},
    )
    tree = add_indicators(xr.DataTree.from_dict({"posterior": data}), [target.indicator], case=case)
    value = computed(tree, target.indicator).sel(dict(target.at)).values.ravel()
    there = np.isfinite(value)
    value = np.where(there, value, np.median(value[there]))
    return np.log(value) if target.unit != "1" and bool((value > 0).all()) else value
