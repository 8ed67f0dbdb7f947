"""Shares of a value's variance by class of input: after the evidence (a budget), or before it (Sobol' indices)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.balance.forward import flows_of_draws
from reeuncert.case.records import Case
from reeuncert.case.shared import content_sds
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.compute import indicators_of
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.headlines import Target
from reeuncert.inference.layout import COORDINATES
from reeuncert.likelihood.predictive import drawn, offset_logp, rows_of_draws
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.questions.nested import Floats, Ints
from reeuncert.questions.powerscale import CLASS, SOURCE
from reeuncert.questions.targets import ValueName, labelled_first, target_of
from reeuncert.result.contents import content_scores
from reeuncert.result.powerscale import CONTENTS, OF_THE_EVIDENCE
from reeuncert.result.result import Result
from reeuncert.words.error_laws import NORMAL

REST = "not linear"
"""Component of the part of the variance that the sum over inputs misses."""

BATCHES = 4
"""Each chain is cut into so many parts."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Every independent input of an analysis, in every draw: coordinates of priors, offsets, widths, and the quantity
    of each row.
    """

    values: Sequence[Floats]  # blocks (chain, draw, input), one after the other
    slopes: Floats  # of minus the log density of those at `places`, (chain, draw, k); of all others it is their value
    places: Ints
    members: Mapping[tuple[str, str], Ints]  # (kind, component) → positions of its inputs


def shares_of(targets: Sequence[Target], inputs: Inputs) -> list[pd.DataFrame]:
    """Shares of the posterior variance of values that come from each class of priors and each lineage of sources: a
    table for each, with ``kind`` (prior class, source, ``rest``), ``component``, ``inputs`` (coordinates or rows in
    it), ``share``, ``se`` (its Monte Carlo error). The row ``not linear`` is what the others leave of 1; where it is
    large, of either sign, the shares are a sketch.
    """
    values = []
    for target in targets:
        draws = target.linear
        scale = draws.std()
        if not scale > 0:
            raise ReeUncertError(f"{target.label} is the same in every draw: there is no variance to share out")
        values.append((draws - draws.mean()) / scale)
    if not values:
        return []
    draws = values[0].shape[1]
    size = draws // BATCHES
    if size < 2:
        raise ReeUncertError(f"{draws} draws a chain are too few to share out a variance; {2 * BATCHES} are the least")
    stacked = np.stack(values)
    of_inputs = np.concatenate([_covariances(held, stacked, size) for held in inputs.values], axis=2)
    of_slopes = _covariances(inputs.slopes, stacked, size)
    found = _products_of_covariances(inputs, of_inputs, of_slopes)
    rest = found.pop(("rest", REST))
    labels = np.array([*found, ("rest", REST)], dtype=object)
    sizes = np.array([*(inputs.members[label].size for label in found), 0])
    share, error = np.moveaxis(np.array(list(found.values())).reshape(len(found), 2, len(values)), 0, -1)
    share, error = np.column_stack([share, 1.0 - rest[0]]), np.column_stack([error, rest[1]])
    tables = []
    for of, se in zip(share, error, strict=True):
        turn = [*np.argsort(-of[:-1], kind="stable"), len(of) - 1]
        columns = {"kind": labels[turn, 0], "component": labels[turn, 1], "inputs": sizes[turn]}
        tables.append(pd.DataFrame(columns | {"share": of[turn], "se": se[turn]}))
    return tables


def inputs_of(dt: xr.DataTree) -> Inputs:
    """The inputs of a result, which must hold the coordinates ``z``."""
    posterior = dt["posterior"].to_dataset()
    if COORDINATES not in posterior:
        raise ReeUncertError(
            f"this result holds no coordinates ('posterior/{COORDINATES}'); sample the case with store_z=True and a "
            "prior_measure of 'coordinates'"
        )
    result = Result.holding(dt)
    case, network, evidence = result.case, result.network, result.evidence
    values = [posterior[COORDINATES].transpose("chain", "draw", "coordinate").values]
    labels = [(CLASS, group) for group in coordinate_prior(case, network).group]
    slopes, places = [], []
    contents = content_scores(case, posterior)
    if evidence is not None:
        for name, dim in (("offset_z", "offset_value"), ("source_width_z", "learned_source")):
            if name in posterior:
                held = posterior[name].transpose("chain", "draw", dim).values
                if name == "offset_z":
                    offsets = evidence.offsets
                    heavy = np.flatnonzero(offsets.family != NORMAL)
                    slope = offset_logp(evidence, offsets.mean + offsets.scale * held)[1] * offsets.scale
                    slopes.append(slope[..., heavy])
                    places.append(len(labels) + heavy)
                values.append(held)
                named = posterior[dim].values
                labels += [(CLASS, CONTENTS if v in contents else OF_THE_EVIDENCE[name]) for v in named]
        eta, _, slope = rows_of_draws(evidence, *drawn(posterior))
        slopes.append(-slope)
        places.append(len(labels) + np.arange(evidence.n_rows))
        values.append(eta)
        labels += [(SOURCE, lineage) for lineage in evidence.lineage]
    rest = [of for name, of in contents.items() if evidence is None or name not in evidence.offsets.label]
    if rest:
        values.append(np.stack(rest, axis=2))
        labels += [(CLASS, CONTENTS)] * len(rest)
    members: dict[tuple[str, str], list[int]] = {}
    for position, label in enumerate(labels):
        members.setdefault(label, []).append(position)
    none = np.empty((*values[0].shape[:2], 0))
    return Inputs(
        values,
        np.concatenate([none, *slopes], axis=2),
        np.concatenate([np.empty(0, np.int64), *places]),
        {label: np.array(index) for label, index in members.items()},
    )


def _products_of_covariances(inputs: Inputs, one: Floats, slopes: Floats) -> dict[tuple[str, str], Floats]:
    """Σ Cov(slope, value) Cov(input, value) over the inputs of each component, and its error (2, value).

    The two factors are taken from different parts of the chains, so that noise times itself does not add up; the error
    is a jackknife over the parts. Covariances are (value, part, input).
    """
    other = one.copy()
    other[..., inputs.places] = slopes
    groups = {**inputs.members, ("rest", REST): np.arange(one.shape[2])}
    count = one.shape[1]
    found = {}
    for label, index in groups.items():
        a, b = one[..., index], other[..., index]
        same = (a * b).sum(axis=2)
        sum_a, sum_b = a.sum(axis=1, keepdims=True), b.sum(axis=1, keepdims=True)
        share = ((sum_a * sum_b).sum(axis=(1, 2)) - same.sum(axis=1)) / (count * (count - 1))
        without = ((sum_a - a) * (sum_b - b)).sum(axis=2) - (same.sum(axis=1, keepdims=True) - same)
        left = without / ((count - 1) * (count - 2))
        error = np.sqrt((count - 1) / count * np.square(left - left.mean(axis=1, keepdims=True)).sum(axis=1))
        found[label] = np.stack([share, error])
    return found


def _covariances(inputs: Floats, values: Floats, size: int) -> Floats:
    """Covariance of each input with each value in each part of the chains (value, part, input), in one product.

    The means are those of all draws: parts of autocorrelated chains wander about them.
    """
    kept = size * BATCHES
    part = inputs[:, :kept].reshape(len(inputs) * BATCHES, size, -1)
    told = values[:, :, :kept].reshape(len(values), -1, size).transpose(1, 0, 2)
    centred = told - told.mean(axis=(0, 2))[None, :, None]
    # The mean of an input drops out against a value that is centred over all parts, up to the parts' own wandering.
    apart = centred.mean(axis=2)[..., None] * part.mean(axis=(0, 1))
    return np.asarray((centred @ part / size - apart).transpose(1, 0, 2))


UNDER = ("posterior", "prior")
SAMPLES = 256
"""Base samples of the indices under the prior; the flows are computed (classes + 2) times as often."""


def sobol(
    dt: xr.DataTree,
    indicator: ValueName,
    *,
    under: str = "posterior",
    samples: int = SAMPLES,
    seed: int = 0,
    **coords: str | int,
) -> pd.DataFrame:
    """Sobol' indices of an indicator with respect to classes of input.

    Indices share out a variance over inputs that are independent of each other. Flows are not; two things are:

    * ``under="posterior"``: the coordinates of the priors *and* the errors of the sources, which together make up what
      is not known after the figures have been seen. The indices share out the variance that is left, over classes of
      priors and over sources. Computed from the draws, to first order (`reeuncert.questions.sobol`): ``total`` repeats
      ``first``, and the row ``not linear`` is what the others leave of 1, negative where they add up to more.
    * ``under="prior"``: the coordinates of the priors and the contents of elements alone, before any figure: what would
      drive the indicator without any evidence. Computed on the model itself, no emulator, by the design of Saltelli et
      al. (2010, doi 10.1016/j.cpc.2009.09.018) with inputs grouped by class, as SALib does it. The index of a positive
      mass is that of its log, whose variance no single draw can carry.

    Comparing the two says what the evidence has settled, and what it could not.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with indicators and coordinates ``z``.
    indicator, **coords
        One value, see `reeuncert.questions.targets.target_of`.
    under
        ``"posterior"`` or ``"prior"``.
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
        Unknown indicator or label; no coordinates in the result.

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
    if under == "posterior":
        found = shares_of([target], inputs_of(dt))[0]
        share, error = found["share"], 1.645 * found["se"]
        table = found[["kind", "component", "inputs"]].assign(first=share, first_ci=error, total=share, total_ci=error)
    else:
        table = _prior(Result.holding(dt).case, target, samples, seed)
    return labelled_first(table, {**target.columns, "under": under})


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
    contents, coordinates = content_sds(case), prior.mean.size
    groups = [*prior.group, *[CONTENTS] * len(contents)]
    names, size = list(dict.fromkeys(groups)), len(groups)
    problem = {"num_vars": size, "names": [f"z{i}" for i in range(size)], "groups": groups}
    problem |= {"bounds": [[0.0, 1.0]] * size, "dists": ["norm"] * size}
    if len(names) < 2:
        raise ReeUncertError(f"the priors of case '{case.name}' have one class only ({names[0]}): nothing to compare")
    z = sample_sobol.sample(problem, samples, calc_second_order=False, seed=seed)
    flows = flows_of_draws(prior.mean + prior.factor.apply(z[:, :coordinates]), network)
    mass = np.full((len(z), len(case.system.flows), len(case.system.years)), np.nan)
    mass[:, network.edge_flow, network.edge_year] = flows
    value = _value(case, target, mass, z[:, coordinates:] * np.array(list(contents.values())))
    rng = np.random.default_rng(seed)  # SALib takes the number 0 for none
    found = analyze_sobol.analyze(problem, value, calc_second_order=False, conf_level=0.9, seed=rng)
    table = pd.DataFrame({"kind": CLASS, "component": names})
    table["inputs"] = [groups.count(name) for name in names]
    for name, key in (("first", "S1"), ("total", "ST")):
        table[name], table[f"{name}_ci"] = found[key], found[f"{key}_conf"]
    return table.sort_values("total", ascending=False, ignore_index=True)


def _value(case: Case, target: Target, mass: Floats, contents: Floats) -> Floats:
    """The value for each row of a design, on the scale on which its variance is shared out, from flows (row, flow,
    year) and the logs of contents (row, content).
    """
    coords = {"chain": [0], "draw": np.arange(len(mass)), "flow": [f.name for f in case.system.flows]}
    data = xr.Dataset(
        {
            "mass_flow": (("chain", "draw", "flow", "year"), mass[None]),
            "log_offset": (("chain", "draw", "offset_value"), contents[None]),
        },
        coords={**coords, "year": list(case.system.years), "offset_value": list(content_sds(case))},
    )
    found = indicators_of(FlowTable.from_dataset(data, case), [target.indicator], tried=False)
    value = found[target.indicator].sel(dict(target.at)).values.ravel()
    there = np.isfinite(value)
    value = np.where(there, value, np.median(value[there]))
    return np.log(value) if target.unit != "1" and bool((value > 0).all()) else value
