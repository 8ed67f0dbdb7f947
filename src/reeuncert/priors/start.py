"""A starting point for priors that cannot be simulated: balanced flows that nearly fit the data."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from scipy.sparse import coo_array

from reeuncert.balance.network import Network
from reeuncert.case.records import Case, Evidence
from reeuncert.case.selection import select
from reeuncert.priors.subjects import reference_edge, subjects
from reeuncert.system.graph import BEYOND
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.prior_families import DIRICHLET, PRIOR_FAMILIES
from reeuncert.words.units import unit_factor

BALANCE_WEIGHT = 1e3
"""Weight of a balance per typical mass: large against measurements, small enough for a stable solve."""

PULL = 1e-3
"""Weight of a weak regularisation of every flow to the typical mass."""

LIFT = 1e-2
"""A flow at zero in the least squares starts at this fraction of the mean outflow of its process."""

NEAR_ZERO = 1e-6
"""Flows below this fraction of the typical mass count as zero."""

ROUNDS = 4
"""Rounds: shares and ratios are linearised with the denominators of the round before."""

LARGEST_DENSE = 1000
"""Number of flows up to which the least squares are solved densely."""


@dataclass(frozen=True)
class _Row:
    """One linear equation: Σ coefficient · flow = target ± ``sd``, in the unit of the case."""

    coefficient: Mapping[int, float]
    target: float
    sd: float


def feasible_start(case: Case, network: Network) -> NDArray[np.float64]:
    """Coordinates of balanced, positive flows near the reported figures and the centres of the priors.

    For a case under the measure ``mass`` or ``shares`` and its network without groups. A weighted least-squares
    reconciliation with bounds, over evidence, priors and balances; shares and ratios are made linear round by round.
    """
    typical = _typical_mass(case)
    flow = np.full(network.n_edges, typical)
    for _ in range(ROUNDS):
        rows = [*_balances(network, typical), *_reported(case, network, flow), *_priors(case, network, flow)]
        flow = _lifted(network, _solved(rows, network.n_edges, typical), typical)
    return _coordinates(network, flow)


def _typical_mass(case: Case) -> float:
    """Median of the reported masses."""
    sizes = [
        abs(_target(row)) * unit_factor(row.unit, row.relation, case.system.unit)
        for row in case.evidence
        if row.relation == "level"
    ]
    found = np.array([size for size in sizes if math.isfinite(size) and size > 0])
    return float(np.median(found)) if found.size else 1.0


def _balances(network: Network, typical: float) -> Iterator[_Row]:
    nodes: dict[int, dict[int, float]] = {}
    for e, (source, target) in enumerate(zip(network.edges.source, network.edges.target, strict=True)):
        for node, sign in ((source, -1.0), (target, 1.0)):
            if node != BEYOND:
                nodes.setdefault(node, {})[e] = sign
    for coefficient in nodes.values():
        yield _Row(coefficient, 0.0, typical / BALANCE_WEIGHT)


def _target(row: Evidence) -> float:
    """Figure of a row, or the midpoint of its range."""
    return row.value if math.isfinite(row.value) else 0.5 * (row.low + row.high)


def _reported(case: Case, network: Network, flow: NDArray[np.float64]) -> Iterator[_Row]:
    for row in case.evidence:
        error = case.classes[case.sources[row.source_id].error_class]
        plain = ERROR_LAWS[error.family].plain
        chosen = select(row, case, plain=True)
        factor = unit_factor(row.unit, row.relation, case.system.unit)
        target = _target(row) * factor
        if not math.isfinite(target):
            continue
        width = error.width if math.isnan(row.width) else row.width
        sd = width * factor if plain else width * max(abs(target), 1e-12)
        upper = _by_edge(network, chosen.numerator)
        lower = _by_edge(network, chosen.denominator)
        if not lower:
            yield _Row(upper, target, sd)
            continue
        divided = sum(c * float(flow[e]) for e, c in lower.items())
        edges = sorted({*upper, *lower})
        yield _Row({e: upper.get(e, 0.0) - target * lower.get(e, 0.0) for e in edges}, 0.0, sd * divided)


def _by_edge(network: Network, terms: Mapping[tuple[int, int], float]) -> dict[int, float]:
    return {int(network.edge_index[term]): c for term, c in terms.items()}


def _priors(case: Case, network: Network, flow: NDArray[np.float64]) -> Iterator[_Row]:
    leaving = network.edges.leaving
    concentration = np.zeros(network.n_edges)
    found = subjects(case, network, case.priors)
    for subject in found:
        if subject.prior.family == DIRICHLET:
            concentration[list(subject.edges)] = subject.prior.a
    for subject in found:
        if subject.prior.kind == "share":
            (e,) = subject.edges
            outflows = leaving[network.edges.source[e]]
            if subject.prior.family == DIRICHLET:
                total = float(concentration[outflows].sum())
                share = subject.prior.a / total
                sd = math.sqrt(share * (1 - share) / (total + 1))
            else:
                family = PRIOR_FAMILIES[subject.prior.family]
                share, sd = family.centre(*family.numbers(subject.prior))
            yield _Row({k: (k == e) - share for k in outflows}, 0.0, sd * float(flow[outflows].sum()))
        elif subject.prior.family != "flat":
            family = PRIOR_FAMILIES[subject.prior.family]
            yield _Row(dict.fromkeys(subject.edges, 1.0), *family.centre(*family.numbers(subject.prior)))


def _solved(rows: list[_Row], n: int, typical: float) -> NDArray[np.float64]:
    entries = [(r, e, c / row.sd) for r, row in enumerate(rows) for e, c in row.coefficient.items()]
    entries += [(len(rows) + e, e, PULL / typical) for e in range(n)]
    row_index, column, value = (np.array(part) for part in zip(*entries, strict=True))
    matrix = coo_array((value, (row_index, column)), shape=(len(rows) + n, n))
    target = np.concatenate([[row.target / row.sd for row in rows], np.full(n, PULL)])
    solved = lsq_linear(matrix.toarray() if n <= LARGEST_DENSE else matrix.tocsr(), target, bounds=(0, np.inf))
    return np.asarray(solved.x, dtype=np.float64)


def _lifted(network: Network, flow: NDArray[np.float64], typical: float) -> NDArray[np.float64]:
    """The flows, with zeros replaced by small positive values."""
    lifted = flow.copy()
    for outflows in network.edges.leaving.values():
        zero = [e for e in outflows if flow[e] < NEAR_ZERO * typical]
        lifted[zero] = LIFT * max(float(flow[outflows].mean()), LIFT * typical)
    return lifted


def _coordinates(network: Network, flow: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty(network.n_coordinates)
    for e, k in enumerate(network.edge_coordinate):
        if k >= 0:
            out[k] = math.log(flow[e])
            if network.edges.source[e] != BEYOND:
                out[k] -= math.log(flow[reference_edge(network, e)])
    return out
