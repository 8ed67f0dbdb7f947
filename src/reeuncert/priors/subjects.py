"""Flows of each row of a priors table of densities, and a check that all are covered once."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.case.records import Case, Prior
from reeuncert.errors import ModelError
from reeuncert.system.definition import OUTSIDE
from reeuncert.words.prior_families import (
    DIRICHLET,
    INDEPENDENT,
    LOGISTIC_NORMAL,
    MASS_FAMILIES,
    PRIOR_FAMILIES,
    SHARE_FAMILIES,
    limits,
)

KINDS = {"mass": ("flow",), "shares": ("input", "share")}
"""Kinds of rows that a priors table may hold, by the measure of its case."""

MOST_LISTED = 20


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


def check_densities(case: Case, network: Network) -> None:
    """Refuse a priors table of densities with rows of a wrong kind or family or with impossible numbers, and with
    anything that is not covered, or covered twice; all at once.
    """
    if network.groups:
        raise ModelError(f"prior_measure = {case.prior_measure} knows no splits of totals; give each flow its own row")
    problems = [problem for row in case.priors for problem in _row_problems(case.prior_measure, row)]
    if not problems:
        cover = _mass_cover if case.prior_measure == "mass" else _share_cover
        problems = cover(case, network)
    if problems:
        more = f"\n  … and {len(problems) - MOST_LISTED} more" if len(problems) > MOST_LISTED else ""
        lines = "\n".join(f"  {problem}" for problem in problems[:MOST_LISTED])
        raise ModelError(f"the priors table does not give a density of every flow:\n{lines}{more}")


def _row_problems(measure: str, row: Prior) -> list[str]:
    kinds = KINDS[measure]
    if row.kind not in kinds:
        return [f"prior '{row.name}' is of kind '{row.kind}'; under prior_measure = {measure} use {' or '.join(kinds)}"]
    families = SHARE_FAMILIES if row.kind == "share" else MASS_FAMILIES
    if row.family not in families:
        return [f"prior '{row.name}' has the family '{row.family}'; of kind {row.kind} are: {', '.join(families)}"]
    if row.mode == "total" and row.kind != "flow":
        return [f"prior '{row.name}' is of a total; only rows of kind flow can be"]
    family = PRIOR_FAMILIES[row.family]
    if family.accepts(row):
        return []
    numbers = ", ".join(f"{name} = {x:g}" for name, x in zip("abc", family.numbers(row), strict=False))
    return [f"prior '{row.name}' ({row.family}) has {numbers}; it needs {family.rule}"]


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
    count = {kind: np.zeros(network.n_edges, dtype=int) for kind in ("input", "share", DIRICHLET, LOGISTIC_NORMAL)}
    alone, upper = np.zeros(network.n_edges, dtype=int), np.zeros(network.n_edges)
    for subject in subjects(case, network, case.priors):
        prior, edges = subject.prior, list(subject.edges)
        count[prior.kind][edges] += 1
        if prior.kind == "share" and prior.family in INDEPENDENT:
            alone[edges] += 1
            upper[edges] += limits(prior)[1]
        elif prior.kind == "share":
            count[prior.family][edges] += 1
    problems = []
    for (process, year), edges in outflows(network).items():
        if process == OUTSIDE:
            wrong = [e for e in edges if count["input"][e] != 1]
            problems += [f"{_label(network, e)} comes from outside and needs one row of kind input" for e in wrong]
            problems += _elsewhere(network, edges, count["share"], "share", "from outside")
            continue
        problems += _elsewhere(network, edges, count["input"], "input", f"from '{process}'")
        if len(edges) == 1:
            continue
        who = f"the shares of '{process}' in {case.system.years[year]}"
        expected = [int(network.edge_coordinate[e] >= 0) for e in edges]
        found = [list(counts[edges]) for counts in (count[DIRICHLET], count[LOGISTIC_NORMAL], alone)]
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


def _elsewhere(network: Network, edges: list[int], count: NDArray[np.int64], kind: str, place: str) -> list[str]:
    return [f"{_label(network, e)} comes {place}; no row of kind {kind} can cover it" for e in edges if count[e]]


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
