"""The verdict of the checks; method and provenance: the model in words, and the command to reproduce the result."""

import math
import shlex
from typing import Any

import pandas as pd

from reeuncert.checks import check_table
from reeuncert.checks.result import CheckResult, short_number
from reeuncert.report.words import GLOSSARY
from reeuncert.result.io import provenance
from reeuncert.result.result import Result
from reeuncert.words.estimates import number

MEASURES = {
    "coordinates": (
        "Priors are placed on the degrees of freedom of the mass balance: inputs from outside (lognormal) and "
        "transfer coefficients of each process (logistic-normal), jointly Gaussian over the years."
    ),
    "mass": "Priors are densities of the flows in mass units, on the manifold of balanced flows.",
    "shares": "Priors are densities of inputs and of the transfer coefficients of each process.",
}


def method(result: Result) -> dict[str, Any]:
    """What the tables of the case do not tell by themselves: the medians of its priors, classes used, provenance."""
    case, made = result.case, provenance(result.dt)
    used = {source.error_class for source in case.sources.values()}
    return {
        "coordinates": result.dt["posterior"].sizes.get("coordinate", 0),
        "measure": MEASURES.get(case.prior_measure, case.prior_measure),
        "priors": [(prior, _median(prior.median, prior.median_to)) for prior in case.priors],
        "classes": [c for c in case.classes.values() if c.name in used],
        "sources": sorted(case.sources.values(), key=lambda s: s.title),
        "made": [(k, v) for k, v in made.items() if not isinstance(v, dict) and v not in ("", None)],
        "versions": made.get("versions") or {},
        "command": _command(result),
        "glossary": sorted({**GLOSSARY, **case.glossary}.items(), key=lambda pair: pair[0].lower()),
    }


def _median(first: float, last: float) -> str:
    return " to ".join(dict.fromkeys(number(end) for end in (first, last) if math.isfinite(end)))


def _command(result: Result) -> str:
    """The command line that made this result, or an equivalent one."""
    made = provenance(result.dt)
    if made.get("command"):
        return str(made["command"])
    parts = ["reeuncert", "run", result.case.name, "--out", "results"]
    preview = result.approximate
    for name in ("seed",) if preview else ("seed", "draws", "tune", "thin", "chains", "sampler"):
        if name in made:
            parts += [f"--{name}", str(made[name])]
    parts += ["--preview"] * preview
    for name, chosen in result.case.options.items():
        parts += ["--option", f"{name}={chosen}"]
    return shlex.join(parts)


COLOURS = {"failed": "red", "not run": "red", "warning": "amber", "passed": "green", "information": "info"}
"""Status of a check → its colour in the page; the word stands beside the colour, never the colour alone."""

ORDER = tuple(COLOURS)
SIDES = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}
MOST_ROWS = 40


def check_list(result: Result) -> dict[str, Any]:
    """All checks and the parts that could not be made, worst first; those that press; the colour of the worst; and the
    verdict in a sentence, as the terminal and `reeuncert.check` give it.
    """
    table = check_table(result)
    checks = sorted(map(_line, table), key=lambda line: ORDER.index(line["word"]))
    colours = {check["colour"] for check in checks}
    return {
        "checks": checks,
        "pressing": [check for check in checks if check["colour"] in ("red", "amber")],
        "worst": "red" if "red" in colours else "amber" if "amber" in colours or "green" not in colours else "green",
        "call": f"{table.verdict[:1].upper()}{table.verdict[1:]}.",
    }


def _line(found: CheckResult) -> dict[str, Any]:
    """One check: what was checked, its status as a word, what was found, the tested number and its threshold (empty if
    none), and a table of the worst offenders.
    """
    table = pd.DataFrame() if found.table is None or found.table.empty else found.table.astype(object)
    side, _, limit = found.threshold.partition(" ")
    word = found.status if found.status in ORDER else "information"
    return {
        "title": found.name,
        "word": word,
        "colour": COLOURS[word],
        "message": found.message,
        "value": short_number(found.value),
        "threshold": f"{SIDES[side]} {limit}" if side else "",
        "columns": list(map(str, table)),
        "rows": list(table.head(MOST_ROWS).itertuples(index=False, name=None)),
    }
