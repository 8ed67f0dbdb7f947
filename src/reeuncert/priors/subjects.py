"""Flows of each row of a priors table of densities, and what it leaves uncovered or covers twice."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.case.records import Case, Prior
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.prior_families import DIRICHLET, INDEPENDENT, LOGISTIC_NORMAL, limits


@dataclass(frozen=True)
class Subject:
    """Edges of one row of the priors table in one year: one edge, or several as a total."""

    prior: Prior
    year: int
    edges: tuple[int, ...]


def subjects(case: Case, network: Network, rows: Iterable[Prior]) -> list[Subject]:
    """Expand rows over their years, and over their flows unless they state a total. They are ordered by row, year and
    flow; flows that do not exist in a year are left out.
    """
    found = []
    for row in rows:
        flows = list(case.system.select(row.selector))
        for year in row.years:
            if not flows or year not in case.system.year_index:
                continue
            edges = [int(k) for k in network.edge_index[flows, case.system.year_index[year]] if k >= 0]
            groups = [edges] if row.mode == "total" and edges else [[k] for k in edges]
            found += [Subject(row, year, tuple(group)) for group in groups]
    return found


def uncovered(case: Case, network: Network) -> list[str]:
    """What no row of a priors table of densities covers, and what several do. Its rows must be free of problems."""
    return _mass_cover(case, network) if case.prior_measure == "mass" else _share_cover(case, network)


def _label(network: Network, edge: int) -> str:
    return f"{network.system.flows[network.edge_flow[edge]].name} in {network.system.years[network.edge_year[edge]]}"


def _mass_cover(case: Case, network: Network) -> list[str]:
    """Every flow has one density, or is part of a total that has one; no flow has two."""
    own = np.zeros(network.n_edges, dtype=int)
    shared = np.zeros(network.n_edges, dtype=int)
    for subject in subjects(case, network, case.priors):
        (shared if subject.prior.mode == "total" else own)[list(subject.edges)] += 1
    missing = np.flatnonzero(own + shared == 0)
    return [
        f"no row covers {_label(network, e)}; write family = flat if nothing is known" for e in missing.tolist()
    ] + [f"more than one row covers {_label(network, e)}" for e in np.flatnonzero(own > 1).tolist()]


def _share_cover(case: Case, network: Network) -> list[str]:
    """Every input has one density, and the shares of every process with several outflows have one family."""
    kinds_of_shares = DIRICHLET, LOGISTIC_NORMAL, "alone"
    count = {name: np.zeros(network.n_edges, dtype=int) for name in ("input", *kinds_of_shares)}
    upper = np.zeros(network.n_edges)
    for subject in subjects(case, network, case.priors):
        prior, edges = subject.prior, list(subject.edges)
        alone = prior.kind == "share" and prior.family in INDEPENDENT
        upper[edges] += limits(prior)[1] if alone else 0.0
        count["input" if prior.kind == "input" else "alone" if alone else prior.family][edges] += 1
    problems = []
    for (process, year), edges in outflows(network).items():
        if process == OUTSIDE:
            wrong = [e for e in edges if count["input"][e] != 1]
            problems += [f"{_label(network, e)} comes from outside and needs one row of kind input" for e in wrong]
        if process == OUTSIDE or len(edges) == 1:
            continue
        who = f"the shares of '{process}' in {case.system.years[year]}"
        expected = [int(network.edge_coordinate[e] >= 0) for e in edges]
        found = [list(count[name][edges]) for name in kinds_of_shares]
        nothing = [0] * len(edges)
        whole = [[1] * len(edges), nothing, nothing], [nothing, expected, nothing], [nothing, nothing, expected]
        if found not in whole:
            problems.append(
                f"{who} need one row each: dirichlet for all, or for all but the reference logistic_normal, or one "
                f"of {', '.join(INDEPENDENT)}"
            )
        elif upper[edges].sum() > 1 + 1e-12:
            problems.append(
                f"{who} may add up to {upper[edges].sum():.3g}, more than the process gives; lower the upper ends to a "
                "sum of 1 (beta: 1 each, so that it fits two outflows), or write dirichlet for all"
            )
    return problems + _share_sums(case, network)


def _share_sums(case: Case, network: Network) -> list[str]:
    total = _stated_shares(case, network)
    return [
        f"the median shares of '{process}' in {case.system.years[year]} add up to {sum(total[edges]):.3g}, "
        "which leaves nothing for its reference outflow; keep them below 1"
        for (process, year), edges in outflows(network).items()
        if sum(total[edges]) >= 1
    ]


def outflows(network: Network) -> dict[tuple[str, int], list[int]]:
    """Edges by source process (or `outside`) and year index, in table order."""
    found: dict[tuple[str, int], list[int]] = {}
    for e, (f, t) in enumerate(zip(network.edge_flow, network.edge_year, strict=True)):
        found.setdefault((network.system.flows[f].from_process, int(t)), []).append(e)
    return found


def reference_edge(network: Network, edge: int) -> int:
    """The outflow of the same process that has no coordinate."""
    beside = network.edges.leaving[network.edges.source[edge]]
    return next(e for e in beside if network.edge_coordinate[e] < 0)


def _stated_shares(case: Case, network: Network) -> NDArray[np.float64]:
    stated = np.zeros(network.n_edges)
    for subject in subjects(case, network, [row for row in case.priors if row.family == LOGISTIC_NORMAL]):
        stated[list(subject.edges)] = subject.prior.a
    return stated


def share_medians(case: Case, network: Network) -> NDArray[np.float64]:
    """Means of the log-ratios of logistic_normal rows, from their median shares.

    log(share / what the other outflows of the process leave), shape (edge,); NaN where no row states a share.
    """
    stated = _stated_shares(case, network)
    out = np.full(network.n_edges, np.nan)
    for edges in outflows(network).values():
        rest = 1 - stated[edges].sum()
        for e in edges:
            if stated[e] > 0:
                out[e] = math.log(stated[e] / rest)
    return out
