"""What was learned of flows and headlines, what they still rest on, and the measurement that would narrow each most."""

from typing import Any

import pandas as pd

from reeuncert.indicators.headlines import all_headlines, all_scaled
from reeuncert.plots.learning import learning_data, plot_learning
from reeuncert.plots.style import BOARD
from reeuncert.questions.overview import Overview, overview
from reeuncert.report.figures import figure
from reeuncert.result.result import Result
from reeuncert.result.verdicts import LIKELIHOOD

ERROR = 0.1  # relative error of the hypothetical measurements
SHOWN = 3
LEAST_PART = 0.05  # parts of a variance below this are not shown
WORTH = 0.02  # measurements that narrow an answer by less are not shown
MOST_REST = 0.5  # a variance whose parts miss, or exceed, it by more than this part is not decomposed


def content(result: Result) -> dict[str, Any] | None:
    """A figure and a table of flows."""
    if "prior" not in result.dt.children:
        return None
    widths = learning_data(result.dt)
    return {
        "figure": figure(
            "learning",
            "Posterior width against prior width of each flow",
            lambda: plot_learning(result.dt, backend=BOARD),
            alt="Width of the prior interval of each flow against that of its posterior interval; the table has both.",
            height=520,
        ),
        "flows": widths.sort_values("width_ratio", ascending=False, na_position="last").to_dict("records"),
        "headlines": result.case.headlines,
    }


def next_steps(result: Result) -> dict[str, Any] | None:
    """One row per headline: where its uncertainty comes from (what moves it, if its variance is not decomposed), and
    the measurements that would narrow it most.
    """
    if not result.case.headlines:
        return None
    found, power = result.once(overviews), result.once(all_scaled)
    strong = power[power["sensitive"].astype(bool)].sort_values("moves", key=abs, ascending=False)
    rows = []
    for sentence, one in zip(result.once(all_headlines)["sentence"], found, strict=True):
        own = strong[(strong["quantity"] == one.target.label) & (strong["component"] != LIKELIHOOD)]
        row = {"sentence": sentence, "origins": origins(one.shares), "measurements": _best(one)}
        rows.append(row | {"moved": own.head(SHOWN).to_dict("records")})
    return {
        "rows": rows,
        "has_origins": any(row["origins"] or row["moved"] for row in rows),
        "error": ERROR,
    }


def overviews(result: Result) -> list[Overview]:
    """What drives each headline, and what to measure next."""
    return overview(result.dt, error=ERROR)


def origins(shares: pd.DataFrame) -> dict[str, Any] | None:
    """The largest parts of a variance, from `reeuncert.questions.sobol.shares_of`, and the sum of all: to first order,
    so that it is not 1 of a quantity that is not linear. Far from 1 there are no parts.
    """
    if shares.empty:
        return None
    rest = shares["kind"] == "rest"
    total = 1.0 - float(shares["share"][rest].sum())
    largest = shares[~rest & (shares["share"] > LEAST_PART)].head(SHOWN)
    parts = [
        {"name": str(row.component), "kind": str(row.kind).split()[0], "share": row.share}
        for row in largest.itertuples(index=False)
    ]
    return {"total": total, "parts": parts if abs(total - 1.0) <= MOST_REST else []}


def _best(one: Overview) -> list[dict[Any, Any]]:
    """The best measurements that narrow an answer noticeably, and by more than the noise of the computation."""
    table = one.measurements
    return table[table["narrowing"] > table["noise"].clip(lower=WORTH)].head(SHOWN).to_dict("records")
