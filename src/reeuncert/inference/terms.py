"""Terms of the density of a posterior, draw by draw, and what each source would report in a repeat."""

import warnings
from collections.abc import Mapping

import numpy as np
import pymc as pm
import xarray as xr

from reeuncert.case.figures import class_variable
from reeuncert.inference.compiled import repeatable_arithmetic
from reeuncert.inference.layout import COORDINATES, MASS_FLOW, REPORTED
from reeuncert.inference.prior import convertible, has_density
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.likelihood.model import REPORTED_DATA, WEIGHT_DATA
from reeuncert.likelihood.predictive import drawn, log_likelihood, offset_logp, predictive_draws
from reeuncert.model import record_of
from reeuncert.priors.density import density_of_draws

_ALONE = {"extend_inferencedata": False, "progressbar": False}
"""For the functions of PyMC that compute a group of a result: they return it, and change nothing."""
ALIKE = 1e-10
"""Log likelihoods that differ by less are the same once weights are normalised."""


def terms(model: pm.Model, posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """Groups ``log_likelihood`` (``reported``, with the source of each row) and ``log_prior`` (a variable a class)."""
    record, evidence = record_of(model), _evidence(model)
    case = record.case
    likelihood, prior = xr.Dataset(), xr.Dataset()
    if evidence is not None:
        likelihood, prior = _own_likelihood(model, evidence, posterior), _own_priors(evidence, posterior)
    by_hand = [*prior.data_vars, *[COORDINATES] * (record.prior is not None and COORDINATES in posterior)]
    priors = [prior] if prior.data_vars else []
    observed = [v.name for v in model.observed_RVs if v.name not in likelihood]
    others = [v.name for v in model.free_RVs if v.name not in by_hand and has_density(v)]
    if observed or others:  # of variables that a user has added
        tree = xr.DataTree.from_dict({"posterior": posterior})
        with repeatable_arithmetic(), warnings.catch_warnings(), convertible(model), model:
            warnings.simplefilter("ignore", category=FutureWarning)
            if observed:
                found = pm.stats.compute_log_likelihood(tree, var_names=observed, **_ALONE)
                likelihood = xr.merge([likelihood, found.drop_attrs()])
            if others:
                priors.append(pm.stats.compute_log_prior(tree, var_names=others, **_ALONE))
    if case.prior_measure != "coordinates":
        priors.append(_by_class(density_of_draws(case, record.network, posterior[MASS_FLOW]), posterior))
    if record.prior is not None and COORDINATES in by_hand:
        density = _of_standard_normals(posterior[COORDINATES]).values
        group = np.array(record.prior.group)
        by_group = {name: density[:, :, group == name].sum(axis=2) for name in dict.fromkeys(record.prior.group)}
        priors.append(_by_class(by_group, posterior))
    out = {}
    if REPORTED in likelihood:
        source = {row.id: row.source_id for row in case.evidence}
        named = np.array([source[str(row)] for row in likelihood["evidence"].values], dtype=object)
        likelihood = likelihood.assign_coords(source=("evidence", named))
    if likelihood.data_vars:
        out["log_likelihood"] = likelihood
    if priors:
        out["log_prior"] = xr.merge(priors, compat="override")
    return out


def _evidence(model: pm.Model) -> EvidenceModel | None:
    """The evidence whose likelihood this package has added to a model; None where it has not."""
    evidence = record_of(model).evidence
    return evidence if evidence.n_rows and WEIGHT_DATA in model.named_vars else None


def _own_likelihood(model: pm.Model, evidence: EvidenceModel, posterior: xr.Dataset) -> xr.Dataset:
    """Log likelihood of every row of evidence."""
    value, weight = (model[name].get_value() for name in (REPORTED_DATA, WEIGHT_DATA))
    by_row = log_likelihood(evidence, *drawn(posterior), value)
    by_row = np.where(weight > 0, weight * by_row, 0.0)  # also where that of a row left out is -inf
    return _by_draw(REPORTED, by_row, "evidence", list(evidence.ids), posterior)


def _own_priors(evidence: EvidenceModel, posterior: xr.Dataset) -> xr.Dataset:
    """Log density of the standardised offsets and widths of the evidence."""
    found = xr.Dataset()
    if "log_offset" in posterior:
        density = offset_logp(evidence, posterior["log_offset"].values)[0] + np.log(evidence.offsets.scale)
        found = _by_draw("offset_z", density, "offset_value", posterior["offset_value"].values, posterior)
    if "source_width_z" in posterior:
        found["source_width_z"] = _of_standard_normals(posterior["source_width_z"]).drop_attrs()
    return found


def _of_standard_normals(z: xr.DataArray) -> xr.DataArray:
    return -0.5 * np.square(z) - 0.5 * np.log(2 * np.pi)


def _by_class(density: Mapping[str, np.ndarray], draws: xr.Dataset) -> xr.Dataset:
    """Log densities (chain, draw) by class of prior, as variables with names that a file can hold."""
    out = {class_variable(name): (("chain", "draw"), values) for name, values in density.items()}
    return xr.Dataset(out, coords={d: draws[d].values for d in ("chain", "draw")})


def predictive(model: pm.Model, posterior: xr.Dataset, seed: int) -> dict[str, xr.Dataset]:
    """Group ``posterior_predictive``: what each source would report in a repeat, on the scale of its row."""
    evidence = _evidence(model)
    if evidence is None:
        return {}
    rng = np.random.default_rng(seed)
    draws = predictive_draws(evidence, *drawn(posterior), rng=rng)
    return {"posterior_predictive": _by_draw(REPORTED, draws, "evidence", list(evidence.ids), posterior)}


def with_a_tail(groups: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The groups of ArviZ without the rows whose likelihood is the same in every draw, as that of a bound that always
    holds: ArviZ fits a distribution to the tail of each, and would refuse them all.
    """
    if REPORTED not in groups.get("log_likelihood", ()):
        return {}
    terms = groups["log_likelihood"][REPORTED]
    varies = (terms.max(("chain", "draw")) - terms.min(("chain", "draw")) > ALIKE).values
    if varies.all():
        return {}
    kept = ("log_likelihood", "posterior_predictive", "observed_data")
    return {
        name: groups[name].isel(evidence=varies) for name in kept if "evidence" in groups.get(name, xr.Dataset()).dims
    }


def _by_draw(name: str, values: np.ndarray, dim: str, labels: object, posterior: xr.Dataset) -> xr.Dataset:
    coords = {"chain": posterior["chain"], "draw": posterior["draw"], dim: labels}
    return xr.Dataset({name: (("chain", "draw", dim), values)}, coords)
