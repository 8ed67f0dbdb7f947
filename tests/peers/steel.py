"""Global steel in 2008 (Lupton & Allwood 2018, doi 10.1111/jiec.12698): priors on shares, a scrap loop."""

import re
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from peers import build
from peers.files import read_rows
from reeuncert.case.records import Case, Prior
from reeuncert.system.definition import OUTSIDE, Flow

FOLDER = "steel_global_2008_lupton"
YEAR = 2008

DETERMINISTIC = {
    "IC->ingots": 88.7,
    "BF->PI": 928.4,
    "S->EAF": 351.0,
    "S->OBF": 206.0,
    "OBFS->CCS": 646.7,
    "OBFS->IC": 53.0,
    "OBFS->CCBM": 32.8,
    "OBFS->CCBT": 159.1,
    "bloom->SEM": 99.2,
    "billet->RBM": 442.2,
    "billet->HSM": 41.8,
    "slab->PLM": 132.0,
    "slab->HSM": 508.0,
}
"""What Cullen et al. (2012, doi 10.1021/es302433p) worked out as single numbers, Mt."""


@dataclass(frozen=True)
class Reference:
    """Mean, sd and quantiles (0.025, 0.5, 0.975) of a reference posterior, by flow."""

    labels: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray
    quantiles: np.ndarray


def read_reference(stage: int) -> Reference:
    rows = read_rows(FOLDER, f"rerun_posterior_lupton{stage}.csv")
    return Reference(
        tuple(row["label"] for row in rows),
        np.array([float(row["mean"]) for row in rows]),
        np.array([float(row["sd"]) for row in rows]),
        np.array([[float(row[q]) for q in ("q025", "q50", "q975")] for row in rows]),
    )


def to_case(stage: int) -> Case:
    """The case with the observations of stages up to ``stage`` (2 or 3).

    The share of scrap that enters foundry iron casting, an observation of stage 3, is left out: the network has no such
    flow.
    """
    processes = read_rows(FOLDER, "processes.csv")
    sinks = {row["id"] for row in processes if row["kind"] == "sink"}
    flows: list[Flow] = []
    priors: list[Prior] = []
    reference: dict[str, str] = {}
    for row in read_rows(FOLDER, "inputs_prior_uniform.csv"):
        name = f"->{row['process']}"
        flows.append(build.flow(name, OUTSIDE, row["process"], YEAR))
        low, high = float(row["lower"]), float(row["upper"])
        priors.append(build.flow_prior(name, YEAR, "uniform", low, high, kind="input", group="inputs"))
    for row in processes:
        if row["id"] in sinks:
            continue
        names = [f"{row['id']}->{target}" for target in row["outputs"].split(";")]
        for name, target in zip(names, row["outputs"].split(";"), strict=True):
            flows.append(build.flow(name, row["id"], OUTSIDE if target in sinks else target, YEAR))
        if len(names) > 1:
            shares, reference[row["id"]] = _shares(names, row["prior"])
            priors += shares
    evidence = [
        build.measured(
            f"{r['source']}->{r['target']}",
            [f"{r['source']}->{r['target']}"],
            YEAR,
            float(r["value"]),
            float(r["sd"]),
            unit="Mt",
        )
        for r in read_rows(FOLDER, "flow_observations.csv")
        if int(r["stage"]) <= stage
    ]
    evidence += [
        build.measured(f"->{r['a']}", [f"->{r['a']}"], YEAR, float(r["value"]), float(r["sd"]), unit="Mt")
        for r in read_rows(FOLDER, "other_observations.csv")
        if r["kind"] == "input" and int(r["stage"]) <= stage
    ]
    return build.case("steel", flows, reference, priors, evidence, year=YEAR, measure="shares", unit="Mt")


def _shares(names: list[str], prior: str) -> tuple[list[Prior], str]:
    """Rows of the priors table for the outflows of one process, and its reference outflow."""
    if normal := re.match(r"logit-normal mu=(\S+) sd=(\S+)", prior):
        median, sd = float(expit(float(normal[1]))), float(normal[2])
        row = build.flow_prior(names[0], YEAR, "logistic_normal", median, sd, kind="share", group="yields")
        return [row], names[1]
    if dirichlet := re.fullmatch(r"Dirichlet\((.*)\)", prior):
        weights = [float(v) for v in dirichlet[1].split(";")]
        rows = [
            build.flow_prior(name, YEAR, "dirichlet", weight, kind="share", group="allocation")
            for name, weight in zip(names, weights, strict=True)
        ]
        return rows, names[int(np.argmax(weights))]
    raise ValueError(f"unknown prior of shares: {prior}")
