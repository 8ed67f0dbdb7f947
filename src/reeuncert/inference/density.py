"""The log density of this package's own models and its gradient, as one compiled function of a point and numbers.

What PyTensor makes of the model is general, takes minutes to compile the first time, and pays for its generality at
every gradient. Here the same density is written out: whitening map, paths, balanced flows, reported figures and back.
All numbers of a case are inputs, so that one piece of machine code, kept on disk, serves every case. `why_not` says
which models it does not serve.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from reeuncert.balance.edges import Packed
from reeuncert.balance.factor import PathFactor
from reeuncert.balance.forward import flows_of_draws
from reeuncert.inference.compiled import CompiledModel
from reeuncert.inference.density_kernel import Numbers
from reeuncert.inference.layout import COORDINATES, MASS_FLOW, REPORTED
from reeuncert.inference.stretching import CENTRE, DIRECTIONS, GAINS, WHITENED
from reeuncert.likelihood.model import REPORTED_DATA, WEIGHT_DATA
from reeuncert.likelihood.packing import pack_sums
from reeuncert.likelihood.parameters import WIDTH_LOG_SD
from reeuncert.model import ModelRecord, record_of

WIDTHS, OFFSETS = "source_width_z", "offset_z"
FREE = (COORDINATES, WIDTHS, OFFSETS)
"""The free variables that a model of this package may have, in this order."""

SOURCE_WIDTH, LOG_OFFSET = "source_width", "log_offset"
DERIVED = (MASS_FLOW, SOURCE_WIDTH, LOG_OFFSET)
"""Its deterministics."""


def why_not(model: pm.Model) -> str:
    """Why the density written out here is not that of a model, e.g. ``"it has variables of its
    own: demand"``; empty where it is.
    """
    record = vars(model).get("reeuncert")
    if not isinstance(record, ModelRecord):
        return "it was not made by reeuncert.build_model, or is a copy"
    if record.prior is None:
        return f"its priors are densities of {record.case.prior_measure}"
    known = {*FREE, *DERIVED, REPORTED}
    own = [v.name for v in (*model.basic_RVs, *model.deterministics, *model.potentials) if v.name not in known]
    if own:
        return f"it has variables of its own: {', '.join(own)}"
    if "evidence" in model.coords and REPORTED not in model.named_vars:
        return "its reported figures were replaced"
    return ""


def numbers_of(model: pm.Model) -> Numbers:
    """The numbers of a model's log density, with the identity as whitening map.

    What is ``pm.Data`` is read from the model, where ``pymc.set_data`` may have changed it.
    """
    record = record_of(model)
    network, evidence, prior = record.network, record.evidence, record.prior
    assert prior is not None
    size = network.n_coordinates + int(evidence.widths.learned.sum()) + len(evidence.offsets.label)
    held = {name: model[name].get_value() for name in ("prior_mean", "prior_factor", REPORTED_DATA, WEIGHT_DATA)
            if name in model.named_vars}  # fmt: skip
    num, den = (sums._replace(edge=network.visible[sums.edge]) for sums in (evidence.numerator, evidence.denominator))
    off = evidence.offsets
    sums, coefficient = pack_sums(evidence.plain, num, den, (off.pointer, off.index, off.weight))
    code, bound = evidence.row_arrays
    arrays = Numbers(
        whitening_centre=np.zeros(size),
        whitening_directions=np.zeros((0, size), np.float32),
        whitening_gains=np.zeros(0),
        factor_layout=prior.factor.layout,
        prior_factor=held["prior_factor"],
        prior_mean=held["prior_mean"],
        **network.packed._asdict(),
        evidence_layout=sums,  # type: ignore[arg-type]  # integers among arrays of floats
        evidence_coefficient=coefficient,
        evidence_code=code,
        evidence_bound=bound,
        reported_value=held.get(REPORTED_DATA, np.zeros(0)),
        row_weight=held.get(WEIGHT_DATA, np.zeros(0)),
        width_index=evidence.width_index,  # type: ignore[arg-type]  # integers among arrays of floats
        row_multiplier=evidence.multiplier,
        row_width=evidence.own_widths,
        source_width_median=evidence.widths.median,
        source_width_floor=evidence.widths.floor,
        learned=np.flatnonzero(evidence.widths.learned),  # type: ignore[arg-type]  # integers too
        offset_mean=off.mean,
        offset_scale=off.scale,
        offset_family=off.family,
    )
    return Numbers(*(np.ascontiguousarray(a, KINDS[name]) for name, a in zip(arrays._fields, arrays, strict=True)))


KINDS: dict[str, Any] = dict.fromkeys(Numbers._fields, np.float64)
"""Type of the elements of each array."""
KINDS |= {"whitening_directions": np.float32}
KINDS |= dict.fromkeys(("factor_layout", "evidence_code", "offset_family"), np.int64)
KINDS |= dict.fromkeys((*Packed._fields, "evidence_layout", "width_index", "learned"), np.uint32)


def unfolded(model: pm.Model, compiled: CompiledModel, stored: xr.Dataset) -> xr.Dataset:
    """From points where the sampler moved (chain, draw and one more dim) to the free variables and deterministics of a
    model, with their dims and coordinates.
    """
    points = stored[WHITENED]
    y = points.values
    numbers = Numbers(*(compiled.data(name) for name in Numbers._fields))
    directions = numbers.whitening_directions.astype(np.float64)
    x = numbers.whitening_centre + y + ((y @ directions.T) * numbers.whitening_gains) @ directions
    n, widths = numbers.prior_mean.size, numbers.learned.size
    z, width_z, offset_z = x[..., :n], x[..., n : n + widths], x[..., n + widths :]
    factor = PathFactor(n, numbers.factor_layout, numbers.prior_factor)
    network = record_of(model).network
    medians = numbers.source_width_median
    width = np.broadcast_to(medians, (*y.shape[:-1], medians.size)).copy()  # a tile of nothing is read-only
    middle, least = width[..., numbers.learned], numbers.source_width_floor[numbers.learned]
    width[..., numbers.learned] = np.hypot(least, np.sqrt(middle**2 - least**2) * np.exp(WIDTH_LOG_SD * width_z))
    found = {
        COORDINATES: z,
        WIDTHS: width_z,
        OFFSETS: offset_z,
        MASS_FLOW: network.to_table(flows_of_draws(numbers.prior_mean + factor.apply(z), network)),
        SOURCE_WIDTH: width,
        LOG_OFFSET: numbers.offset_mean + numbers.offset_scale * offset_z,
    }
    dims = {name: model.named_vars_to_dims[name] for name in found if name in model.named_vars}
    labels = {dim: pd.Index(model.coords[dim]) for names in dims.values() for dim in names}
    return xr.Dataset(
        {name: (("chain", "draw", *dims[name]), found[name]) for name in dims},
        coords={**{d: points[d] for d in ("chain", "draw")}, **labels},
    )


def compile_density(model: pm.Model) -> CompiledModel:
    """What `reeuncert.inference.whitening.compile_whitened` returns, without PyTensor. For a model of which `why_not`
    has nothing to say; its data are the `Numbers`.
    """
    # Here: nutpie takes a second to load, which only those who sample need pay.
    from reeuncert.inference.nutpie_model import density_model

    numbers = numbers_of(model)
    compiled, four = density_model(numbers)
    return CompiledModel(compiled, np.zeros(numbers.whitening_centre.size), four=four, unfold=partial(unfolded, model))


def with_numbers(compiled: CompiledModel, model: pm.Model) -> CompiledModel:
    """The same code with the numbers of another model of the same flows, years, coordinates and rows; the whitening map
    stays.
    """
    numbers = numbers_of(model)._asdict()
    return compiled.with_data(**{name: numbers[name] for name in numbers if name not in (CENTRE, DIRECTIONS, GAINS)})
