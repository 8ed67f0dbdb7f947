"""The global aluminium cycle of 2009 (Wang et al. 2024, doi 10.1111/jiec.13550): weak priors, many flows near zero."""

from dataclasses import dataclass

import numpy as np

from peers import build
from peers.files import read_rows
from reeuncert.case.records import Case, Evidence
from reeuncert.system.definition import Flow

FOLDER = "aluminium_global_2009"
YEAR = 2009


@dataclass(frozen=True)
class Reference:
    """Mean and sd of a reference posterior, by label."""

    labels: tuple[str, ...]
    mean: np.ndarray
    sd: np.ndarray


def read_reference(scenario: str) -> Reference:
    rows = read_rows(FOLDER, f"rerun_posterior_{scenario}.csv")
    return Reference(
        tuple(row["label"] for row in rows),
        np.array([float(row["mean"]) for row in rows]),
        np.array([float(row["sd"]) for row in rows]),
    )


def to_case(*, ratios: bool) -> Case:
    """The case with balance exact, without (scenario A) or with (B) its ratio data.

    Processes with a stock change are not balanced: their inflows leave the system and their outflows enter it, so that
    a stock change is a difference of sums of flows, with a normal prior that enters as a row of evidence.
    """
    process = {row["id"]: row["name"] for row in read_rows(FOLDER, "processes.csv")}
    variables = {row["var"]: row for row in read_rows(FOLDER, "variables_priors.csv")}
    flows = [
        build.flow(row["label"], process[row["from_id"]], process[row["to_id"]], YEAR)
        for row in variables.values()
        if row["kind"] == "flow"
    ]
    priors, evidence = [], []
    for row in variables.values():
        mean, sd = float(row["prior_mean"]), float(row["prior_sd"])
        if row["kind"] == "flow":
            priors.append(build.flow_prior(row["label"], YEAR, "truncated_normal", mean, sd))
        else:
            evidence.append(_stock(f"prior of {row['label']}", flows, {process[row["from_id"]]}, mean, sd))
    for k, row in enumerate(read_rows(FOLDER, "linear_data.csv")):
        parts = [variables[v] for v in row["sum_of_vars"].split(";")]
        value, sd = float(row["value"]), float(row["sigma"])
        if row["kind"] == "flow":
            labels = [p["label"] for p in parts]
            evidence.append(build.measured(f"linear {k}", labels, YEAR, value, sd, unit="Mt"))
        else:
            evidence.append(_stock(f"linear {k}", flows, {process[p["from_id"]] for p in parts}, value, sd))
    if ratios:
        for k, row in enumerate(read_rows(FOLDER, "ratio_data.csv")):
            top = [variables[v]["label"] for v in row["num_vars"].split(";")]
            bottom = [variables[v]["label"] for v in row["den_vars"].split(";")]
            value, sd = float(row["value"]), float(row["sigma"])
            evidence.append(build.measured(f"ratio {k}", top, YEAR, value, sd, relation="ratio", of=bottom))
    size = {row["label"]: float(row["prior_mean"]) for row in variables.values()}
    inside = build.without_balance(flows, accumulating())
    priors += [build.flow_prior(f.name, YEAR, "flat") for f in inside if f.name not in size]
    reference = build.largest_outflow([f for f in inside if f.name in size], size)
    return build.case("aluminium", inside, reference, priors, evidence, year=YEAR, measure="mass", unit="Mt")


def accumulating() -> set[str]:
    """Names of the processes with a stock change."""
    process = {row["id"]: row["name"] for row in read_rows(FOLDER, "processes.csv")}
    return {process[r["from_id"]] for r in read_rows(FOLDER, "variables_priors.csv") if r["kind"] == "stock_change"}


def _stock(name: str, flows: list[Flow], processes: set[str], value: float, sd: float) -> Evidence:
    return build.stock_change(name, flows, processes, YEAR, value, sd, unit="Mt")


def stock_matrix(case: Case) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels and signs (stock change, flow) that turn the flows of `to_case` into stock changes."""
    process = {row["id"]: row["name"] for row in read_rows(FOLDER, "processes.csv")}
    variables = read_rows(FOLDER, "variables_priors.csv")
    ends = {r["label"]: (process[r["from_id"]], process[r["to_id"]]) for r in variables if r["kind"] == "flow"}
    stocks = [(r["label"], process[r["from_id"]]) for r in variables if r["kind"] == "stock_change"]
    signs = [[_sign(ends.get(f.name), p) for f in case.system.flows] for _, p in stocks]
    return tuple(label for label, _ in stocks), np.array(signs)


def _sign(ends: tuple[str, str] | None, process: str) -> float:
    return 0.0 if ends is None else float(ends[1] == process) - float(ends[0] == process)
