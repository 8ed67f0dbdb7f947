"""Reconciliation of the reported figures by exact balance alone, without priors: which of them cannot all be true?

Classical data reconciliation (Narasimhan & Jordache 2000, *Data Reconciliation and Gross Error Detection*, Gulf
Publishing): flows that balance, are not negative, and fit all figures best, each on the scale of its error; a global
test of the fit, and the measurement test of each figure (its residual over the standard error that the others and
balance leave it). Flows that no figure touches are free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu
from scipy.stats import chi2, norm

from reeuncert.likelihood.compile import EvidenceModel, Sums
from reeuncert.likelihood.widths import core_scale
from reeuncert.system.definition import OUTSIDE, SystemDefinition
from reeuncert.words.error_laws import ERROR_LAWS

LEVEL = 0.05
"""Level of the tests; of each figure by Šidák's correction for their number."""

_SHRINK, _BARRIER = 0.75, 1e-7
"""The barrier that keeps flows positive starts at 1, shrinks by this factor at each step, and ends here."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """Figures against balance.

    Parameters
    ----------
    z
        Normalised residual: above 0 where a row reports more than balance and the other figures allow; 0 where nothing
        else tells of it, and for a bound that is met (row).
    fitted
        What the best balanced flows give, in the unit of the row (row).
    statistic, redundancy
        Sum of squared residuals, and its expectation: how many figures are more than flows need.
    """

    z: Floats
    fitted: Floats
    statistic: float
    redundancy: float

    @property
    def limit(self) -> float:
        """Largest |z| that chance explains, over all rows."""
        return float(norm.isf((1.0 - (1.0 - LEVEL) ** (1.0 / max(self.z.size, 1))) / 2))

    @property
    def conflicts(self) -> NDArray[np.int64]:
        """Rows that cannot be reconciled, the worst first."""
        order = np.argsort(-np.abs(self.z))
        return order[np.abs(self.z[order]) > self.limit]

    @property
    def probability(self) -> float:
        """Of a larger statistic, if all errors are as stated."""
        return float(chi2.sf(self.statistic, max(self.redundancy, 1e-9)))


def reconcile(system: SystemDefinition, evidence: EvidenceModel) -> Reconciliation:
    """Fit flows and shared offsets to the figures: Gauss-Newton steps with a barrier that keeps flows positive."""
    half = {law.code: 1.0 / core_scale(word, evidence.tails) for word, law in ERROR_LAWS.items()}
    sd = evidence.row_sigma(evidence.widths.median) * [half[code] for code in evidence.family]
    offsets = evidence.offsets
    offset_sd = offsets.scale * [half[code] for code in offsets.family]
    shape = (evidence.n_rows, offset_sd.size)
    shared = sparse.csr_array((offsets.weight, offsets.index, offsets.pointer), shape=shape) * offset_sd
    sums = [_matrix(side, evidence) for side in (evidence.numerator, evidence.denominator)]
    balance = _balance(system, evidence)
    level = (evidence.denominator.pointer[1:] == evidence.denominator.pointer[:-1]) & ~evidence.plain
    flow = np.full(evidence.edge_flow.size, np.exp(np.median(evidence.value[level])) if level.any() else 1.0)
    moved = np.zeros(offset_sd.size)
    constant, barrier = shared @ np.divide(offsets.mean, offset_sd), 1.0
    while True:
        eta, jacobian, slope = _quantities(evidence, sums, flow, constant + shared @ moved)
        residual, pressed = _outside(evidence, eta)
        weight, by_offset = sparse.diags_array(pressed / sd), sparse.diags_array(slope) @ shared
        r = np.concatenate([pressed * residual / sd, -moved])
        own = sparse.block_array([[weight @ jacobian, weight @ by_offset], [None, sparse.eye_array(moved.size)]])
        b = balance @ sparse.diags_array(flow)
        solver = _kkt(own, b, barrier, flow.size)
        step = solver.solve(np.concatenate([np.full(flow.size, barrier), np.zeros(moved.size), -r, -b.sum(axis=1)]))
        if barrier < _BARRIER:
            break
        length = min(1.0, 0.9 / max(float(-step[: flow.size].min()), 1e-12), 4.0 / max(float(step.max()), 1e-12))
        flow = flow * (1.0 + length * step[: flow.size])
        moved = moved + length * step[flow.size : flow.size + moved.size]
        barrier *= _SHRINK
    free = _free(solver, flow.size + moved.size, r.size, b.shape[0])
    z = np.divide(r, np.sqrt(free), out=np.zeros_like(r), where=free > 1e-3)
    redundancy = float(free[r != 0].sum())
    return Reconciliation(z[: evidence.n_rows], evidence.to_unit(eta), float(r @ r), redundancy)


def _matrix(sums: Sums, evidence: EvidenceModel) -> sparse.csr_array:
    shape = (evidence.n_rows, evidence.edge_flow.size)
    return sparse.csr_array((sums.coefficient, sums.edge, sums.pointer), shape=shape)


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
    evidence: EvidenceModel, sums: list[sparse.csr_array], flow: Floats, offset: Floats
) -> tuple[Floats, sparse.csr_array, Floats]:
    """Quantity of each row, its derivatives by the logs of flows (row, edge), and that by its offset (row)."""
    top, bottom = (side @ flow for side in sums)
    bottom = np.where(np.diff(evidence.denominator.pointer) > 0, bottom, 1.0)
    plain = evidence.plain
    ratio = top / bottom * np.exp(offset)
    eta = np.where(plain, ratio, np.log(np.where(plain, 1.0, top / bottom)) + offset)
    of_top = np.where(plain, np.exp(offset) / bottom, 1.0 / np.where(plain, 1.0, top))
    of_bottom = np.where(plain, ratio, 1.0) / bottom
    by_log = sparse.diags_array(of_top) @ sums[0] - sparse.diags_array(of_bottom) @ sums[1]
    return eta, by_log @ sparse.diags_array(flow), np.where(plain, ratio, 1.0)


def _outside(evidence: EvidenceModel, eta: Floats) -> tuple[Floats, Floats]:
    """What each row reports less its quantity, of its nearer reading; and 1, or 0 for a bound that is met (row)."""
    residual = evidence.value - eta
    other = residual + evidence.shift
    residual = np.where((evidence.weight > 0) & (np.abs(other) < np.abs(residual)), other, residual)
    low, high = residual + evidence.lower, residual + evidence.upper
    outside = np.where(low > 0, low, np.where(high < 0, high, 0.0))
    return outside, np.where((low > 0) | (high < 0), 1.0, 0.0)


def _kkt(own: sparse.sparray, balance: sparse.csr_array, barrier: float, flows: int) -> SuperLU:
    """Factors of the system of a step: unknowns (relative flows, offsets), residuals that remain, multipliers."""
    weight = np.concatenate([np.full(flows, barrier), np.full(own.shape[1] - flows, 0.0)])
    held = sparse.block_array([[balance, sparse.csr_array((balance.shape[0], own.shape[1] - flows))]])
    # A redundant balance (of a closed system) must not make the system singular.
    loose = -1e-12 * sparse.eye_array(balance.shape[0])
    blocks = [[sparse.diags_array(weight), -own.T, held.T], [-own, -sparse.eye_array(own.shape[0]), None]]
    return splu(sparse.block_array([*blocks, [held, None, loose]], format="csc"))


def _free(solver: SuperLU, unknowns: int, rows: int, constraints: int) -> Floats:
    """Part of the variance of each residual that balance and the other figures leave (residual)."""
    each = np.zeros((unknowns + rows + constraints, rows))
    each[unknowns : unknowns + rows] = -np.eye(rows)
    return np.asarray(np.diagonal(solver.solve(each)[unknowns : unknowns + rows]))
