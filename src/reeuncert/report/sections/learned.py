"""What was learned of flows and headlines, what they still rest on, and the measurement that would narrow each most."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.indicators.headlines import all_headlines, headline_values
from reeuncert.indicators.printing import value_title
from reeuncert.plots.drivers import drivers_data
from reeuncert.plots.learning import learning_data, plot_learning
from reeuncert.plots.style import BOARD
from reeuncert.questions.overview import Overview, overview
from reeuncert.report.figures import figure
from reeuncert.result.powerscale import terms
from reeuncert.result.quantiles import filled
from reeuncert.result.result import Result

DRIVERS = 5
MOST_PULLS = 4
ERROR = 0.1  # relative error of the hypothetical measurements
SHOWN = 3
LEAST_PART = 0.05  # parts of a variance below this are not shown
WORTH = 0.02  # measurements that narrow an answer by less are not shown
MOST_REST = 0.5  # a variance whose parts miss, or exceed, it by more than this part is not decomposed


def content(result: Result) -> dict[str, Any] | None:
    """A figure and a table of flows, and the flows and sources behind each headline."""
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
        "headlines": _headlines(result) if result.case.headlines else [],
        "has_sources": "log_likelihood" in result.dt.children,
    }


def drivers(result: Result) -> dict[int, list[dict[Any, Any]]]:
    """What each headline rises and falls with most."""
    out: dict[int, list[dict[Any, Any]]] = {}
    for one in drivers_data(result.dt).groupby("headline", sort=False).head(DRIVERS).to_dict("records"):
        out.setdefault(one["headline"], []).append(one)
    return out


def _headlines(result: Result) -> list[dict[str, Any]]:
    known = result.once(drivers)
    sources = {name: rows.sum(axis=2).ravel() for name, rows in terms(result.dt, "log_likelihood").items()}
    draws = {one.label: one.draws for one in result.once(headline_values)}
    out = []
    for number, row in enumerate(result.once(all_headlines).to_dict("records")):
        told = pulls_of(draws[value_title(row)].reshape(-1), sources)
        out.append({"sentence": row["sentence"], "drivers": known.get(number, []), "sources": told})
    return out


def pulls_of(headline: np.ndarray, log_likelihood: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The most influential sources of a headline, strongest first, and its slope in the weight of each (the power of
    its likelihood, 1 in the fit), in standard deviations. Counted twice, the source moves the mean by less as a rule,
    down to half the slope.

    The derivative of a posterior mean with respect to the power of one source's likelihood is the covariance of the two
    (https://doi.org/10.1007/s11222-023-10366-5). Draws and log likelihoods have the shape (sample,); draws that are not
    finite are set to the median.

    >>> draws = np.array([1.0, 2.0, 3.0])
    >>> {name: round(moved, 2) for name, moved in pulls_of(draws, {"a": np.zeros(3), "b": -draws}).items()}
    {'b': -0.82, 'a': 0.0}
    """
    whole = filled(headline)
    spread = float(whole.std())
    if not spread > 0:
        return {}
    centred = (whole - whole.mean()) / spread
    terms = np.stack([*log_likelihood.values()]) if log_likelihood else np.empty((0, centred.size))
    moved = (terms - terms.mean(axis=1, keepdims=True)) @ centred / centred.size
    found = zip(log_likelihood, moved.tolist(), strict=True)
    return dict(sorted(found, key=lambda pull: -abs(pull[1]))[:MOST_PULLS])


def next_steps(result: Result) -> dict[str, Any] | None:
    """One row per headline."""
    if not result.case.headlines:
        return None
    found = result.once(overviews)
    sentences = result.once(all_headlines)["sentence"].tolist()
    rows = []
    for sentence, one in zip(sentences, found, strict=True):
        best = _worth(one.measurements).head(SHOWN).to_dict("records")
        rows.append({"sentence": sentence, "origins": origins(one.shares), "measurements": best})
    return {
        "rows": rows,
        "has_shares": any(len(one.shares) for one in found),
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


def _worth(measurements: pd.DataFrame) -> pd.DataFrame:
    """Measurements that narrow an answer noticeably, and by more than the noise of the computation."""
    return measurements[measurements["narrowing"] > measurements["noise"].clip(lower=WORTH)]
