"""From a case to a PyMC model: prior of the coordinates, balanced flows, what was reported of them. Samples nothing."""

from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows, path_affine
from reeuncert.case.records import Case
from reeuncert.errors import ModelError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.model import add_likelihood
from reeuncert.priors.coverage import case_network
from reeuncert.priors.density import flows_with_density
from reeuncert.priors.paths import CoordinatePrior, coordinate_prior
from reeuncert.words.cells import Short


@dataclass(frozen=True, repr=False)
class ModelRecord(Short):
    """What a model was built from, kept beside it as ``model.reeuncert``. The prior is None where ``prior_measure`` is
    ``mass`` or ``shares``.
    """

    case: Case
    network: Network
    evidence: EvidenceModel
    prior: CoordinatePrior | None

    def __repr__(self) -> str:
        return f"Model of {self.case!r}\n  {self.network.n_coordinates} coordinates; {self.evidence!r}"


def build_model(case: Case) -> pm.Model:
    """Build the PyMC model of a case; nothing is sampled.

    Parameters
    ----------
    case
        A case, from `read_case`.

    Returns
    -------
    pymc.Model
        Coords ``coordinate``, ``flow``, ``year``, ``evidence``. Variables: ``z`` (coordinate), standard normal; ``u``
        in its place, with a potential, where ``prior_measure`` is ``mass`` or ``shares``; ``mass_flow`` (flow, year),
        in the unit of the case, NaN where a flow does not exist; ``reported`` (evidence), observed. Add likelihoods
        of your own in a ``with model:`` block. ``model.reeuncert`` is the `ModelRecord`.

    Raises
    ------
    ModelError
        When the network cannot balance, or a coordinate has no prior.
    EvidenceError
        When a row of evidence selects flows that do not exist.
    """
    network = case_network(case)
    evidence = compile_evidence(case, network)
    prior = coordinate_prior(case, network) if case.prior_measure == "coordinates" else None
    flows, years = [flow.name for flow in case.system.flows], list(case.system.years)
    # A flow that does not exist reads the NaN at the end: gathering compiles in a fraction of the time of scattering.
    place = np.where(network.edge_index >= 0, network.edge_index, network.n_edges).ravel()
    with pm.Model(coords={"coordinate": list(network.coordinate_labels), "flow": flows, "year": years}) as model:
        log_flow = flows_with_density(case, network) if prior is None else _flows_from_normals(network, prior)
        table = pt.concatenate([pt.exp(log_flow), pt.constant(np.array([np.nan]))])[place]
        pm.Deterministic("mass_flow", table.reshape((len(flows), len(years))), dims=("flow", "year"))
        add_likelihood(model, log_flow, evidence)
    # A plain attribute: PyMC's model knows nothing of cases, and a copy that drops it is still a valid model.
    vars(model)["reeuncert"] = ModelRecord(case, network, evidence, prior)
    return model


def record_of(model: pm.Model) -> ModelRecord:
    """The record of a model made by `build_model`."""
    record: ModelRecord | None = vars(model).get("reeuncert")
    if record is None:
        raise ModelError(
            "this model does not know its case; build it with reeuncert.build_model(case) "
            "(a copy made by PyMC loses it: set copy.reeuncert = model.reeuncert)"
        )
    return record


def _flows_from_normals(network: Network, prior: CoordinatePrior) -> TensorVariable:
    """Log flows from standard normals: u = m + K z; mean and factor are data, so that a refit compiles nothing."""
    z = pm.Normal("z", 0.0, 1.0, dims="coordinate")
    mean = pm.Data("prior_mean", prior.mean, dims="coordinate")
    values = pm.Data("prior_factor", prior.factor.values)
    return balanced_flows(path_affine(z, mean, prior.factor, values), network)
