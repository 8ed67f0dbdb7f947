"""Linear data reconciliation, problems P1–P8: measured streams, exact balances, flat priors."""

from dataclasses import dataclass

import numpy as np

from peers import build
from peers.files import read_rows
from reeuncert.case.records import Case, Evidence
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


def to_case(*problems: Problem) -> Case:
    """Problems side by side in one system: +1 enters the process of a balance, −1 leaves it.

    A flow is called by its problem and stream, e.g. ``P1 s3``. A stream that stands on the same side of two balances
    (P5) is no edge of a network: it becomes two flows, tied by a difference of nearly zero.
    """
    flows: list[Flow] = []
    evidence: list[Evidence] = []
    size: dict[str, float] = {}
    for problem in problems:
        for k, stream in enumerate(problem.streams):
            twins = _flows(problem, k)
            flows += twins
            size.update({f.name: float(problem.measured[k]) for f in twins})
            name = f"{problem.name} {stream}"
            evidence.append(build.measured(name, [name], YEAR, float(problem.measured[k]), float(problem.sd[k])))
            evidence += [
                build.measured(f"tie {t.name}", [name], YEAR, 0.0, TIE_SD, relation="difference", of=[t.name])
                for t in twins[1:]
            ]
    priors = [build.flow_prior(f.name, YEAR, "flat") for f in flows]
    reference = build.largest_outflow(flows, size)
    title = " ".join(problem.name for problem in problems)
    return build.case(title, flows, reference, priors, evidence, year=YEAR, measure="mass", unit="t")


def _flows(problem: Problem, stream: int) -> list[Flow]:
    """The flow of a stream; two where it stands on the same side of two balances. The first has the stream's name."""
    column = problem.matrix[:, stream]
    name = f"{problem.name} {problem.streams[stream]}"
    enters = [f"{problem.name} p{i}" for i in np.flatnonzero(column > 0)]
    leaves = [f"{problem.name} p{i}" for i in np.flatnonzero(column < 0)]
    if len(enters) <= 1 and len(leaves) <= 1:
        return [build.flow(name, *(leaves or [OUTSIDE]), *(enters or [OUTSIDE]), YEAR)]
    ends = [(p, OUTSIDE) for p in leaves] + [(OUTSIDE, p) for p in enters]
    return [
        build.flow(name if k == 0 else f"{name} again", source, target, YEAR) for k, (source, target) in enumerate(ends)
    ]
