"""Evidence: all figures used, their position in the predictive distribution, and figures left out with reasons."""

import math
from collections.abc import Mapping
from typing import Any

from reeuncert.checks.evidence import READING, mixture_table
from reeuncert.likelihood.problems import row_has_flows
from reeuncert.plots.evidence import INSIDE, evidence_data, plot_evidence
from reeuncert.plots.style import BOARD
from reeuncert.reading.bundled import data_folder
from reeuncert.reading.tables import read_texts
from reeuncert.report.figures import figure
from reeuncert.report.words import labels_of, selector_text
from reeuncert.result.result import Result
from reeuncert.words.cells import condensed
from reeuncert.words.estimates import interval, number

MOST_MIXTURES = 12
LEFT_OUT = "left_out.csv"


def content(result: Result) -> dict[str, Any] | None:
    """Rows of the table, the figure of their positions, and the figures left out."""
    case = result.case
    if not case.evidence:
        return None
    found = {row["id"]: row for row in evidence_data(result.dt).to_dict("records")}
    told = result.once(labels_of).told
    rows = []
    for row in case.evidence:
        if row.id in found:
            of = f", as part of {selector_text(row.of)}" if row.of is not None else ""
            about = {"what": told(selector_text(row.selector) + of), "years": condensed(row.years, "–")}
            rows.append(_row(found[row.id]) | about)
    mixtures = result.once(mixture_table)
    # Second readings, and records that are outliers more likely than the case says.
    mixtures = mixtures[(mixtures["component"] == READING) | (mixtures["odds_ratio"] > 1)].head(MOST_MIXTURES)
    positions = [row["position"] for row in rows if math.isfinite(row["position"])]
    return {
        "rows": rows,
        "figure": figure(
            "positions",
            "Where each reported figure lies in its predictive distribution",
            lambda: plot_evidence(result.dt, backend=BOARD),
            alt="One line per source, one point per figure: share of predictions below the figure.",
            height=900,
        ),
        "unused": [row for row in case.evidence if not row_has_flows(row, case)],
        "left_out": _left_out(result),
        "mixtures": mixtures.to_dict("records"),
        "sources": len({row["source_id"] for row in rows}),
        "judged": len(positions),
        "outside": sum(not INSIDE[0] <= p <= INSIDE[1] for p in positions),
    }


def _row(found: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as the table tells it: the figure with its qualifier, the interval predicted, and all remarks."""
    value, low, high = (float(found[name]) for name in ("value", "low", "high"))
    qualifier, unit = found["qualifier"], "" if found["unit"] in ("share", "ratio", "1") else found["unit"]
    figure = value if math.isfinite(value) else (low if qualifier == "at_least" else high)
    words = {"about": "about ", "at_least": "at least ", "up_to": "up to ", "estimate": "estimated "}
    said = f"{words.get(qualifier, '')}{number(figure)} {unit}".strip()
    return {
        **found,
        "said": interval(low, high, unit) if qualifier == "range" else said,
        "note": " ".join(t for t in (found["reason"], found["note"]) if t),
        "predicted": interval(found["predicted_eti90_lb"], found["predicted_eti90_ub"], unit),
    }


def _left_out(result: Result) -> list[dict[str, str]]:
    folder = data_folder(result.case.name, result.case.path)
    if folder is None or not (folder / LEFT_OUT).is_file():
        return []
    return [dict(row.cells) for row in read_texts(folder / LEFT_OUT, LEFT_OUT, ())]
