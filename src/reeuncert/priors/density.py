"""Priors as densities of masses and shares (classical data reconciliation).

``prior_measure = "mass"``: densities of flows x in mass units, on the manifold of balanced flows with Lebesgue measure;
the coordinates u then have the density Π p(x) · |∂x/∂u|. ``prior_measure = "shares"``: densities of the inputs in mass
units, and of the shares into which each process divides its throughput (Dirichlet, logistic-normal as in Lupton &
Allwood 2018, doi 10.1111/jiec.12698, or a density for each share but that of the reference outflow).
"""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from numpy.typing import NDArray
from pytensor.compile.maker import function
from pytensor.tensor.variable import TensorVariable
from scipy.special import gammaln

from reeuncert.balance.network import Network
from reeuncert.balance.op import balanced_flows_with_jacobian
from reeuncert.case.records import Case
from reeuncert.priors.checks import check_densities
from reeuncert.priors.scale import CoordinateScale
from reeuncert.priors.start import feasible_start
from reeuncert.priors.subjects import Subject, outflows, reference_edge, share_medians, subjects
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.prior_families import BETA, DIRICHLET, INDEPENDENT, LOGISTIC_NORMAL, MASS_DENSITIES, PRIOR_FAMILIES


def density_potential(
    case: Case, network: Network, log_flow: TensorVariable, log_jacobian: TensorVariable
) -> TensorVariable:
    """Log density of the coordinates under the measures ``mass`` and ``shares``.

    Scalar log p(u), up to a constant under ``mass``, where the table covers every flow (``family = flat`` without prior
    knowledge); under ``shares`` it covers every input and every process with several outflows. The network has no
    groups. Log masses have the shape (edge,); the log volume of flows per volume of coordinates (a scalar) counts under
    ``mass`` only.
    """
    total = sum(density_terms(case, network, log_flow).values(), pt.zeros(()))
    return total + log_jacobian if case.prior_measure == "mass" else total


def density_terms(case: Case, network: Network, log_flow: TensorVariable) -> dict[str, TensorVariable]:
    """The terms of `density_potential` without the volume of the flows: a scalar for each group of the priors table, in
    table order, used for power-scaling.
    """
    inputs = case.prior_measure == "shares"
    log_share = shares_of_flows(network, log_flow) if inputs else pt.zeros(network.n_edges)
    terms = {}
    for group in dict.fromkeys(row.group for row in case.priors):
        found = subjects(case, network, [row for row in case.priors if row.group == group])
        terms[group] = (
            _mass_density([s for s in found if s.prior.kind != "share"], log_flow, inputs=inputs)
            + _dirichlet_density(network, [s for s in found if s.prior.family == DIRICHLET], log_share)
            + _logistic_normal_density(case, network, found, log_share)
            + _independent_density(network, [s for s in found if s.prior.kind == "share"], log_share)
        )
    return terms


def density_of_draws(case: Case, network: Network, mass_flow: xr.DataArray) -> dict[str, NDArray[np.float64]]:
    """`density_terms` (chain, draw) of every draw, by group of the priors table, from masses with dims chain, draw,
    flow, year in the unit of the case.
    """
    mass = mass_flow.transpose("chain", "draw", "flow", "year").values
    logs = np.log(mass[:, :, network.edge_flow, network.edge_year])
    log_flow = pt.dvector("log_flow")
    terms = density_terms(case, network, log_flow)
    # A group of flat rows only has no density term.
    evaluate = function([log_flow], list(terms.values()), on_unused_input="ignore")
    found = np.array([evaluate(row) for row in logs.reshape(-1, network.n_edges)])
    return {name: found[:, i].reshape(logs.shape[:2]) for i, name in enumerate(terms)}


def shares_of_flows(network: Network, log_flow: TensorVariable) -> TensorVariable:
    """Log share of its process that each edge takes, shape (edge,); 0 for what comes from outside.

    From flows that are known already: a sum for each process is cheaper than solving the network once more.
    """
    groups = [edges for (process, _), edges in outflows(network).items() if process != OUTSIDE]
    edge = np.concatenate([np.asarray(edges) for edges in groups])
    node = np.repeat(np.arange(len(groups)), [len(edges) for edges in groups])
    inside = log_flow[edge]
    throughput = pt.inc_subtensor(pt.zeros(len(groups))[node], pt.exp(inside))
    return pt.set_subtensor(pt.zeros(network.n_edges)[edge], inside - pt.log(throughput)[node])


def _mass_density(found: list[Subject], log_flow: TensorVariable, *, inputs: bool) -> TensorVariable:
    """Densities of flows and totals in mass units; of *logs* of inputs, which are coordinates."""
    density = pt.zeros(())
    for name, log_density in MASS_DENSITIES.items():
        mine = [s for s in found if s.prior.family == name]
        for chosen in ([s for s in mine if len(s.edges) == 1], [s for s in mine if len(s.edges) > 1]):
            if not chosen or (name == "flat" and not inputs):
                continue
            log_mass = _log_mass(chosen, log_flow)
            density = density + log_density(pt, log_mass, *_numbers(chosen)).sum()
            if inputs:
                density = density + log_mass.sum()
    return density


def _independent_density(network: Network, found: list[Subject], log_share: TensorVariable) -> TensorVariable:
    """Densities of single shares, with their volume per log-ratio: Π φ, that of the reference outflow included."""
    density = pt.zeros(())
    for word in INDEPENDENT:
        family = PRIOR_FAMILIES[word]
        chosen = [s for s in found if s.prior.family == word]
        if not chosen or family.density is None:
            continue
        edge = np.array([s.edges[0] for s in chosen])
        reference = np.array([reference_edge(network, e) for e in edge])
        beside = np.array([len(network.edges.leaving[network.edges.source[e]]) - 1 for e in edge])
        own, rest = log_share[edge], log_share[reference]
        # Of a share that is one but for rounding, only the log of what it leaves still says how much that is.
        known = {"log_rest": rest} if word == BETA else {}
        density = density + (family.density(pt, own, *_numbers(chosen), **known) + own + rest / beside).sum()
    return density


def _numbers(chosen: list[Subject]) -> list[TensorVariable]:
    """The numbers of some rows of one family, each for all rows (row)."""
    family = PRIOR_FAMILIES[chosen[0].prior.family]
    return [pt.constant(np.array(x)) for x in zip(*(family.numbers(s.prior) for s in chosen), strict=True)]


def _log_mass(chosen: list[Subject], log_flow: TensorVariable) -> TensorVariable:
    if all(len(s.edges) == 1 for s in chosen):
        return log_flow[np.array([s.edges[0] for s in chosen])]
    edges = np.concatenate([s.edges for s in chosen])
    owner = np.repeat(np.arange(len(chosen)), [len(s.edges) for s in chosen])
    return pt.log(pt.inc_subtensor(pt.zeros(len(chosen))[owner], pt.exp(log_flow[edges])))


def _dirichlet_density(network: Network, chosen: list[Subject], log_share: TensorVariable) -> TensorVariable:
    """Dirichlet shares as a density of log-ratios: Γ(Σa) / ΠΓ(a) · Π φ^a, the volume Π φ included."""
    if not chosen:
        return pt.zeros(())
    edge = np.array([s.edges[0] for s in chosen])
    weight = np.array([s.prior.a for s in chosen])
    process = np.array([network.system.flows[f].from_process for f in network.edge_flow[edge]])
    _, node = np.unique(np.stack([process, network.edge_year[edge].astype(str)]), axis=1, return_inverse=True)
    constant = gammaln(np.bincount(node, weights=weight)).sum() - gammaln(weight).sum()
    return (pt.constant(weight) * log_share[edge]).sum() + float(constant)


def _logistic_normal_density(
    case: Case, network: Network, found: list[Subject], log_share: TensorVariable
) -> TensorVariable:
    """Normal log-ratios to the reference outflow."""
    chosen = [s for s in found if s.prior.family == LOGISTIC_NORMAL]
    if not chosen:
        return pt.zeros(())
    edge = np.array([s.edges[0] for s in chosen])
    reference = np.array([reference_edge(network, e) for e in edge])
    mean = share_medians(case, network)[edge]
    sd = np.array([s.prior.b for s in chosen])
    deviation = (log_share[edge] - log_share[reference] - pt.constant(mean)) / pt.constant(sd)
    return -0.5 * (deviation**2).sum() - float(np.log(sd).sum() + 0.5 * np.log(2 * np.pi) * sd.size)


def flows_with_density(case: Case, network: Network) -> TensorVariable:
    """Log flows from free coordinates under the measures ``mass`` and ``shares``; call it inside a model.

    Adds to the model ``u`` (coordinate), flat, on the scale of `CoordinateScale`, with a start that nearly fits, and
    the potential ``prior_density``: the density of the priors table with all volumes.
    """
    check_densities(case)
    scale = CoordinateScale.of(case, network)
    free = pm.Flat("u", dims="coordinate", initval=scale.invert(feasible_start(case, network)))
    u, log_volume = scale.apply(free)
    log_flow, log_jacobian = balanced_flows_with_jacobian(u, network)
    pm.Potential("prior_density", density_potential(case, network, log_flow, log_jacobian) + log_volume)
    return log_flow
