"""Zinc in China, ca. 1994 (Graedel et al. 2005), with data left out as in Wang et al. (2024, doi 10.1111/jiec.13550).

All 14 flows and 6 stock changes are known. Some of the twenty are given as data, the rest are left to the priors and to
the balance. The peer relaxes the balance of every process to the spread of a datum, 100 Gg; here it holds exactly. The
published curves (error of all twenty estimates against the number of data, mean of 50 random orders) are pictures
without numbers; their Gaussian one is a closed form of the published settings, and is computed again here.
"""

import math
import random
from dataclasses import dataclass

import numpy as np
import xarray as xr

from peers import build
from peers.files import read_rows
from reeuncert.case.records import Case
from reeuncert.system.definition import Flow

FOLDER = "zinc_china_1994"
YEAR = 1994
SCALE = 100.0
"""The peer's unit of mass, Gg."""
SD = 1.0 * SCALE
"""Spread of every datum, and of the peer's balances."""
PROCESSES = 8


@dataclass(frozen=True)
class Variable:
    """A flow (``source``, ``target``) or the stock change of a process (no ``target``), in Gg."""

    name: str
    source: str
    target: str
    truth: float
    number: int

    @property
    def prior_mean(self) -> float:
        """The nearest power of ten of the truth, in the peer's unit: between 0.55 and 5.5 it is 1."""
        x = self.truth / SCALE
        power = 10.0 ** round(math.log10(abs(x)) - math.log10(5.5) + 0.5)
        return math.copysign(power, x) * SCALE

    @property
    def prior_sd(self) -> float:
        return min(max(4 * abs(self.prior_mean) / SCALE, 0.1), 4.0) * SCALE


def variables() -> list[Variable]:
    """The twenty quantities, in the order in which the peer numbers them."""
    stocks = read_rows(FOLDER, "zincstockchina.csv")
    flows = read_rows(FOLDER, "zincflowschina.csv")
    number = {row["Process"]: int(row["Processnumber"]) for row in stocks}
    found = [
        Variable(f"stock of {row['Process']}", row["Process"], "", float(row["quantity"]), number[row["Process"]])
        for row in stocks
        if float(row["quantity"])
    ]
    for row in flows:
        source, target = row["From"], row["to"]
        place = PROCESSES + number[source] * PROCESSES + number[target]
        found.append(Variable(f"{source}->{target}", source, target, float(row["quantity"]), place))
    return sorted(found, key=lambda v: v.number)


def order(seed: int) -> list[int]:
    """Positions of the variables in the order in which the peer reveals them."""
    found = variables()
    return random.Random(seed).sample(range(len(found)), len(found))


def to_case() -> Case:
    """The case with a datum on each of the twenty; rows ``data …`` may be given no weight."""
    known = variables()
    flows = [build.flow(v.name, v.source, v.target, YEAR) for v in known if v.target]
    changing = {v.source for v in known if not v.target}
    priors, evidence = [], []
    for v in known:
        if v.target:
            priors.append(build.flow_prior(v.name, YEAR, "truncated_normal", v.prior_mean, v.prior_sd))
            evidence.append(build.measured(f"data {v.name}", [v.name], YEAR, v.truth, SD, unit="kt"))
        else:
            for what, value, sd in (("prior", v.prior_mean, v.prior_sd), ("data", v.truth, SD)):
                name = f"{what} {v.name}"
                evidence.append(build.stock_change(name, flows, {v.source}, YEAR, value, sd, unit="kt"))
    inside = build.without_balance(flows, changing)
    size = {v.name: v.truth for v in known}
    priors += [build.flow_prior(f.name, YEAR, "flat") for f in inside if f.name not in size]
    reference = build.largest_outflow([f for f in inside if f.name in size], size)
    return build.case("zinc", inside, reference, priors, evidence, year=YEAR, measure="mass", unit="kt")


def weights(case: Case, revealed: list[int]) -> np.ndarray:
    """Weight of each row of evidence: data that are not revealed have none; priors of stock changes always count."""
    names = {f"data {variables()[k].name}" for k in revealed}
    return np.array([float(row.id in names or row.id.startswith("prior ")) for row in case.evidence])


def with_errors(case: Case, seed: int) -> np.ndarray:
    """Figures of all rows where every datum errs by its spread; priors of stock changes stay as they are."""
    rng = np.random.default_rng(seed)
    return np.array([row.value + SD * rng.standard_normal() * row.id.startswith("data ") for row in case.evidence])


def draws_of(dt: xr.DataTree) -> np.ndarray:
    """Draws of the twenty quantities, shape (draw, variable)."""
    posterior = dt["posterior"]["mass_flow"].isel(year=0).transpose("chain", "draw", "flow")
    names = [str(name) for name in posterior["flow"].values]
    mass = posterior.values.reshape(-1, len(names))
    known = variables()
    flows = [Flow(v.name, v.source, v.target, "flow") for v in known if v.target]
    columns = []
    for v in known:
        if v.target:
            columns.append(mass[:, names.index(v.name)])
        else:
            entering = [names.index(f.name) for f in flows if f.to_process == v.source]
            leaving = [names.index(f.name) for f in flows if f.from_process == v.source]
            columns.append(mass[:, entering].sum(axis=1) - mass[:, leaving].sum(axis=1))
    return np.stack(columns, axis=1)


def peer_gaussian(revealed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of the peer's Gaussian model: normal priors, data and balances, all with the published spreads."""
    known = variables()
    rows = [np.eye(len(known))[k] for k in revealed]
    data = [known[k].truth for k in revealed]
    for process in sorted({v.source for v in known} | {v.target for v in known if v.target}):
        balance = np.zeros(len(known))
        for k, v in enumerate(known):
            if not v.target:
                balance[k] = float(v.source == process)
            else:
                balance[k] = float(v.source == process) - float(v.target == process)
        rows.append(balance)
        data.append(0.0)
    design, mean = np.array(rows), np.array([v.prior_mean for v in known])
    covariance = np.diag([v.prior_sd**2 for v in known])
    gain = covariance @ design.T @ np.linalg.inv(design @ covariance @ design.T + SD**2 * np.eye(len(rows)))
    posterior = covariance - gain @ design @ covariance
    return mean + gain @ (np.array(data) - design @ mean), np.sqrt(np.diag(posterior))


def errors(estimate: np.ndarray) -> tuple[float, float]:
    """Root mean square and largest error of estimates of all twenty quantities, in the peer's unit."""
    off = (estimate - np.array([v.truth for v in variables()])) / SCALE
    return float(np.sqrt(np.mean(off**2))), float(np.abs(off).max())
