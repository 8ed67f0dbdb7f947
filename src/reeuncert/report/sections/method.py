"""Method and provenance: the model in words and formulas, provenance, and the command to reproduce the result."""

import math
import shlex
from typing import Any

from reeuncert.report.words import GLOSSARY, selector_text
from reeuncert.result.io import provenance
from reeuncert.result.result import Result
from reeuncert.words.cells import condensed

MEASURES = {
    "coordinates": (
        "Priors are placed on the degrees of freedom of the mass balance: inputs from outside (lognormal) and "
        "transfer coefficients of each process (logistic-normal), jointly Gaussian over the years."
    ),
    "mass": "Priors are densities of the flows in mass units, on the manifold of balanced flows.",
    "shares": "Priors are densities of inputs and of the transfer coefficients of each process.",
}


def content(result: Result) -> dict[str, Any]:
    """Counts, words, tables of priors and error classes, and provenance."""
    case, made = result.case, provenance(result.dt)
    used = {source.error_class for source in case.sources.values()}
    return {
        "counts": {
            "processes": len(case.system.processes),
            "flows": len(case.system.flows),
            "masses": int(case.system.exists.sum()),
            "coordinates": int(result.dt["posterior"].sizes.get("coordinate", 0)),
            "evidence": len(case.evidence),
        },
        "years": condensed(case.system.years, "–"),
        "measure": MEASURES.get(case.prior_measure, case.prior_measure),
        "priors": [
            {
                "group": p.group,
                "name": p.name,
                "about": selector_text(p.selector),
                "kind": f"{p.kind}, {p.mode}" if p.mode else p.kind,
                "years": condensed(p.years, "–"),
                "median": _median(p.median, p.median_to),
                "spread": f"level {p.level_sd:.3g}, year {p.year_sd:.3g}" if p.level_sd or p.year_sd else "",
                "reason": p.reason,
            }
            for p in case.priors
        ],
        "classes": [c for c in case.classes.values() if c.name in used],
        "sources": sorted(case.sources.values(), key=lambda s: s.title),
        "options": [(name, chosen, case.option_choices.get(name, ())) for name, chosen in case.options.items()],
        "made": [(k, v) for k, v in made.items() if not isinstance(v, dict) and v not in ("", None)],
        "versions": made.get("versions") or {},
        "hashes": case.hashes,
        "command": _command(result),
        "glossary": sorted({**GLOSSARY, **case.glossary}.items(), key=lambda pair: pair[0].lower()),
    }


def _median(first: float, last: float) -> str:
    if not math.isfinite(first):
        return ""
    return f"{first:.3g}" if not math.isfinite(last) or last == first else f"{first:.3g} to {last:.3g}"


def _command(result: Result) -> str:
    """The command line that made this result, or an equivalent one."""
    made = provenance(result.dt)
    if made.get("command"):
        return str(made["command"])
    parts = ["reeuncert", "run", result.case.name, "--out", "results"]
    for name in ("seed", "draws", "tune", "chains"):
        if name in made:
            parts += [f"--{name}", str(made[name])]
    for name, chosen in result.case.options.items():
        parts += ["--option", f"{name}={chosen}"]
    return shlex.join(parts)
