"""Reconciliation of the reported figures by exact balance alone, without priors: which of them cannot all be true?

Classical data reconciliation (Narasimhan & Jordache 2000, *Data Reconciliation and Gross Error Detection*, Gulf
Publishing): flows that balance, are not negative, and fit all figures best, each on the scale of its error; a global
test of the fit, and the measurement test of each figure (its residual over the standard error that the others and
balance leave it). Flows that no figure touches are free.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu
from scipy.special import gammaincc

from reeuncert.case.figures import figure_text
from reeuncert.case.records import Evidence
from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.qualifiers import BOUND_QUALIFIERS

LEVEL = 0.05
"""Level of the tests; of each figure by Šidák's correction for their number."""

_SHRINK, _LEAST = 0.4, 1e-8
"""The damping of steps starts at 1, shrinks by this factor at each step, and ends here."""

_STEPS, _LONGEST, _SHORTEST = 100, 2.0, 1e-7
"""Most steps; longest step of the log of a flow, and that at which steps end."""

_TOGETHER = 16
"""Right sides that are solved together: SuperLU takes five times as long for each of a hundred."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """Figures against balance."""

    # Normalised residual: above 0 where a row reports more than balance and the other figures allow; 0 where nothing
    # else constrains it, and for a bound that is met (row)
    z: Floats
    # The same of the offsets, each a figure with its mean and sd: above 0 where the mean is too large (offset_value)
    offset_z: Floats
    fitted: Floats  # What the best balanced flows give, in the unit of the row (row)
    # Sum of squared residuals, and its expectation: how many figures are more than flows need
    statistic: float
    redundancy: float

    @property
    def limit(self) -> float:
        """Largest |z| that chance explains, over all rows and offsets."""
        count = self.z.size + self.offset_z.size
        return NormalDist().inv_cdf(0.5 + 0.5 * (1.0 - LEVEL) ** (1.0 / max(count, 1)))

    @property
    def probability(self) -> float:
        """Of a larger statistic, if all errors are as stated."""
        return float(gammaincc(0.5 * max(self.redundancy, 1e-9), 0.5 * self.statistic))


class Judged(NamedTuple):
    """A figure (its row), or the mean of an offset (its label), with its normalised residual, and what it says and
    should say.
    """

    z: float
    text: str
    where: Evidence | str


def judged_figures(found: Reconciliation, evidence: EvidenceModel) -> list[Judged]:
    """All figures and offsets, those in the greatest conflict first."""
    rows = [
        Judged(float(z), f"'{row.id}' says {figure_text(row)}, balance and the other figures {_fitted(row, fit)}", row)
        for z, row, fit in zip(found.z, evidence.rows, found.fitted, strict=True)
    ]
    offsets = [
        Judged(
            float(z),
            f"the mean of offset '{name}' is {mean:g}, balance and the figures say {'less' if z > 0 else 'more'}",
            name,
        )
        for z, name, mean in zip(found.offset_z, evidence.offsets.label, evidence.offsets.mean, strict=True)
    ]
    return sorted([*rows, *offsets], key=lambda one: -abs(one.z))


def _fitted(row: Evidence, fit: float) -> str:
    return f"{fit:.4g} {'' if row.unit in ('ratio', 'share') else row.unit}".rstrip()


def reconcile(system: SystemDefinition, evidence: EvidenceModel) -> Reconciliation:
    """Fit flows and shared offsets to the figures: damped Gauss-Newton steps of offsets and of the logs of flows.

    Raises
    ------
    ReeUncertError
        If the steps do not come to an end.
    """
    half = {law.code: 1.0 / law.core_scale(evidence.tails.degrees_of_freedom) for law in ERROR_LAWS.values()}
    bound = np.array([row.qualifier in BOUND_QUALIFIERS for row in evidence.rows], dtype=bool)
    rounded = np.where(bound, 0.0, evidence.upper - evidence.lower) / math.sqrt(12.0)
    sd = np.hypot(evidence.row_sigma() * [half[code] for code in evidence.family], rounded)
    evidence = replace(evidence, lower=np.where(bound, evidence.lower, 0.0), upper=np.where(bound, evidence.upper, 0.0))
    offsets = evidence.offsets
    offset_sd = offsets.scale * [half[code] for code in offsets.family]
    weights = sparse.csr_array(
        (offsets.weight, offsets.index, offsets.pointer), shape=(evidence.n_rows, offset_sd.size), copy=True
    )
    balance = _balance(system, evidence)
    level = (evidence.denominator.pointer[1:] == evidence.denominator.pointer[:-1]) & ~evidence.plain
    flow = np.full(evidence.edge_flow.size, np.exp(np.median(evidence.value[level])) if level.any() else 1.0)
    moved = np.zeros(offset_sd.size)
    damping = 1.0
    for _ in range(_STEPS):
        eta, by_flow, by_value = _quantities(evidence, weights, flow, offsets.mean + offset_sd * moved)
        residual, pressed = _outside(evidence, eta)
        weight, by_offset = sparse.diags_array(pressed / sd), by_value @ sparse.diags_array(offset_sd)
        r = np.concatenate([pressed * residual / sd, -moved])
        own = sparse.block_array([[weight @ by_flow, weight @ by_offset], [None, sparse.eye_array(moved.size)]])
        b = balance @ sparse.diags_array(flow)
        solver = _kkt(own, b, damping, flow.size)
        step = solver.solve(np.concatenate([np.zeros(flow.size + moved.size), -r, -b.sum(axis=1)]))
        if damping < _LEAST and np.abs(step[: flow.size] * flow).max() < _SHORTEST * flow.max():
            break
        flow = flow * np.exp(np.clip(step[: flow.size], -_LONGEST, _LONGEST))
        moved = moved + step[flow.size : flow.size + moved.size]
        damping = max(damping * _SHRINK, 0.9 * _LEAST)
    else:
        message = f"balanced flows that fit the figures best were not found in {_STEPS} steps, so figures are not "
        raise ReeUncertError(f"{message}compared with balance; look for values in a wrong unit")
    # A residual of zero stays zero: no other row has information on its figure.
    told = np.flatnonzero(np.abs(r) > 1e-4)
    free = _free(solver, flow.size + moved.size, r.size, b.shape[0], told)
    z = np.zeros_like(r)
    z[told] = np.divide(r[told], np.sqrt(free), out=np.zeros(told.size), where=free > 1e-3)
    rows = evidence.n_rows
    return Reconciliation(z[:rows], z[rows:], evidence.to_unit(eta), float(r @ r), float(free.sum()))


def _balance(system: SystemDefinition, evidence: EvidenceModel) -> sparse.csr_array:
    """Inflow less outflow of every process and year that has an outflow (process and year, edge)."""
    n_years = len(system.years)
    process = {name: p for p, name in enumerate(system.process_index)}
    rows, columns, signs = [], [], []
    leaves = np.zeros((len(process), n_years), dtype=bool)
    for edge, (f, t) in enumerate(zip(evidence.edge_flow, evidence.edge_year, strict=True)):
        flow = system.flows[f]
        if flow.from_process != OUTSIDE:
            leaves[process[flow.from_process], t] = True
        for place, year, sign in ((flow.from_process, t, -1.0), (flow.to_process, t + flow.is_stock, 1.0)):
            # A stock enters its process a year later.
            if place != OUTSIDE and year < n_years:
                rows.append(process[place] * n_years + year)
                columns.append(edge)
                signs.append(sign)
    matrix = sparse.csr_array((signs, (rows, columns)), shape=(leaves.size, evidence.edge_flow.size))
    return matrix[np.flatnonzero(leaves)]


def _quantities(
    evidence: EvidenceModel, weights: sparse.csr_array, flow: Floats, log_offset: Floats
) -> tuple[Floats, sparse.csr_array, sparse.csr_array]:
    """Quantity of each row (row), and its derivatives by the logs of flows (row, edge) and by offsets (row, value)."""
    multiplier = np.concatenate([[1.0], np.exp(log_offset)])
    n = evidence.n_rows
    sides = []
    for sums in (evidence.numerator, evidence.denominator):
        term = sums.coefficient * multiplier[sums.content] * flow[sums.edge]
        # Copies: SciPy sorts the indices of its operands in place.
        by_flow = sparse.csr_array((term, sums.edge, sums.pointer), shape=(n, flow.size), copy=True)
        by_content = sparse.csr_array((term, sums.content, sums.pointer), shape=(n, multiplier.size), copy=True)[:, 1:]
        sides.append((by_flow, by_content))
    top, bottom = (side[0].sum(axis=1) for side in sides)
    bottom = np.where(np.diff(evidence.denominator.pointer) > 0, bottom, 1.0)
    plain, offset = evidence.plain, weights @ log_offset
    ratio = top / bottom * np.exp(offset)
    eta = np.where(plain, ratio, np.log(np.where(plain, 1.0, top / bottom)) + offset)
    slope = np.where(plain, ratio, 1.0)
    of_top, of_bottom = np.where(plain, np.exp(offset) / bottom, 1.0 / np.where(plain, 1.0, top)), slope / bottom
    by_flow, by_content = (
        sparse.diags_array(of_top) @ above - sparse.diags_array(of_bottom) @ below
        for above, below in zip(*sides, strict=True)
    )
    return eta, by_flow, by_content + sparse.diags_array(slope) @ weights


def _outside(evidence: EvidenceModel, eta: Floats) -> tuple[Floats, Floats]:
    """What each row reports less its quantity, of its nearer reading; and 1, or 0 for a bound that is met (row)."""
    residual = evidence.value - eta
    other = residual + evidence.shift
    residual = np.where((evidence.weight > 0) & (np.abs(other) < np.abs(residual)), other, residual)
    low, high = residual + evidence.lower, residual + evidence.upper
    outside = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    return outside, np.where((low > 0) | (high < 0), 1.0, 0.0)


def _kkt(own: sparse.sparray, balance: sparse.csr_array, damping: float, flows: int) -> SuperLU:
    """Factors of the system of a step: unknowns (relative flows, offsets), residuals that remain, multipliers."""
    weight = np.concatenate([np.full(flows, damping), np.full(own.shape[1] - flows, 0.0)])
    held = sparse.block_array([[balance, sparse.csr_array((balance.shape[0], own.shape[1] - flows))]])
    # A redundant balance (of a closed system) must not make the system singular.
    loose = -1e-12 * sparse.eye_array(balance.shape[0])
    blocks = [[sparse.diags_array(weight), -own.T, held.T], [-own, -sparse.eye_array(own.shape[0]), None]]
    return splu(sparse.block_array([*blocks, [held, None, loose]], format="csc"))


def _free(solver: SuperLU, unknowns: int, rows: int, constraints: int, told: NDArray[np.int64]) -> Floats:
    """Part of the variance of some residuals that balance and the other figures leave (told)."""
    out = np.zeros(told.size)
    for start in range(0, told.size, _TOGETHER):
        own = unknowns + told[start : start + _TOGETHER]
        each = np.zeros((unknowns + rows + constraints, own.size), order="F")
        each[own, np.arange(own.size)] = -1.0
        out[start : start + _TOGETHER] = solver.solve(each)[own, np.arange(own.size)]
    return out
