"""Linear data reconciliation, problems P1–P8: measured streams, exact balances, flat priors."""

from dataclasses import dataclass

import numpy as np

from peers import build
from peers.files import read_rows
from reeuncert.case.records import Case
from reeuncert.system.definition import OUTSIDE, Flow

FOLDER = "dr_linear_benchmarks"
YEAR = 2000
TIE_SD = 0.03
"""Standard deviation by which two flows that stand for one stream are held equal: a twentieth of what is not known."""


@dataclass(frozen=True)
class Problem:
    """Balances ``matrix @ x = 0``, shape (balance, stream); the other arrays have shape (stream,)."""

    name: str
    streams: tuple[str, ...]
    matrix: np.ndarray
    measured: np.ndarray
    sd: np.ndarray
    reconciled_mean: np.ndarray
    reconciled_sd: np.ndarray


def read(name: str) -> Problem:
    streams = read_rows(FOLDER, f"{name}_streams.csv")
    balances = read_rows(FOLDER, f"{name}_balance_matrix.csv")

    def column(key: str) -> np.ndarray:
        return np.array([float(row[key]) for row in streams])

    return Problem(
        name=name,
        streams=tuple(f"s{row['stream']}" for row in streams),
        matrix=np.array([[float(v) for v in row.values()] for row in balances]),
        measured=column("measured"),
        sd=column("sd"),
        reconciled_mean=column("reconciled_mean"),
        reconciled_sd=column("reconciled_sd"),
    )


def closed_form(matrix: np.ndarray, measured: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the normal posterior on ``matrix @ x = 0``, each of shape (stream,)."""
    V = np.diag(sd**2)
    gain = V @ matrix.T @ np.linalg.inv(matrix @ V @ matrix.T)
    return measured - gain @ matrix @ measured, np.sqrt(np.diag(V - gain @ matrix @ V))


def to_case(problem: Problem) -> Case:
    """Streams as flows: +1 enters the process of a balance, −1 leaves it.

    A stream that stands on the same side of two balances (P5) is no edge of a network: it becomes two flows, tied by a
    difference of nearly zero.
    """
    flows: list[Flow] = []
    ties = []
    for k, stream in enumerate(problem.streams):
        enters = [f"p{i}" for i in np.flatnonzero(problem.matrix[:, k] > 0)]
        leaves = [f"p{i}" for i in np.flatnonzero(problem.matrix[:, k] < 0)]
        if len(enters) <= 1 and len(leaves) <= 1:
            flows.append(build.flow(stream, *(leaves or [OUTSIDE]), *(enters or [OUTSIDE]), YEAR))
            continue
        twins = [build.flow(f"{stream}.{p}", p, OUTSIDE, YEAR) for p in leaves]
        twins += [build.flow(f"{stream}.{p}", OUTSIDE, p, YEAR) for p in enters]
        twins[0] = build.flow(stream, twins[0].from_process, twins[0].to_process, YEAR)
        flows += twins
        ties += [
            build.measured(f"tie {t.name}", [stream], YEAR, 0.0, TIE_SD, relation="difference", of=[t.name])
            for t in twins[1:]
        ]
    size = dict(zip(problem.streams, problem.measured, strict=True))
    reference = build.largest_outflow(flows, {f.name: size[f.name.split(".")[0]] for f in flows})
    rows = zip(problem.streams, problem.measured, problem.sd, strict=True)
    evidence = [build.measured(s, [s], YEAR, float(y), float(sd)) for s, y, sd in rows]
    priors = [build.flow_prior(f.name, YEAR, "flat") for f in flows]
    return build.case(problem.name, flows, reference, priors, evidence + ties, year=YEAR, measure="mass", unit="t")
