"""Width of prior and posterior of every flow, and the drivers of the remaining uncertainty."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reeuncert.indicators.headlines import all_headlines, headline_draws
from reeuncert.indicators.printing import value_title
from reeuncert.plots.drivers import drivers_data
from reeuncert.plots.learning import learning_data, plot_learning
from reeuncert.report.figures import figure
from reeuncert.result.powerscale import components
from reeuncert.result.quantiles import filled
from reeuncert.result.result import Result

DRIVERS = 5
MOST_PULLS = 4


def content(result: Result) -> dict[str, Any] | None:
    """A figure and a table of flows, and the flows and sources behind each headline."""
    if "prior" not in result.dt.children:
        return None
    widths = learning_data(result.dt)
    return {
        "figure": figure(
            "learning",
            "Posterior width against prior width of each flow",
            lambda: plot_learning(result.dt, backend="board"),
            alt="Width of the prior interval of each flow against that of its posterior interval; the table has both.",
            height=520,
        ),
        "flows": widths.sort_values("width_ratio", ascending=False, na_position="last").to_dict("records"),
        "headlines": _headlines(result) if result.case.headlines else [],
        "has_sources": "log_likelihood" in result.dt.children,
        "span": (result.years[0], result.years[-1]),
    }


def drivers(result: Result) -> dict[int, list[dict[Any, Any]]]:
    """What each headline rises and falls with most."""
    out: dict[int, list[dict[Any, Any]]] = {}
    for one in drivers_data(result.dt).groupby("headline", sort=False).head(DRIVERS).to_dict("records"):
        out.setdefault(one["headline"], []).append(one)
    return out


def _headlines(result: Result) -> list[dict[str, Any]]:
    known = result.once(drivers)
    sources = {name: terms.reshape(-1) for name, terms in components(result.dt, "log_likelihood").items()}
    draws = {one.label: one.posterior for one in result.once(headline_draws)}
    out = []
    for number, row in enumerate(result.once(all_headlines).to_dict("records")):
        told = pulls_of(draws[value_title(row)].reshape(-1), sources)
        out.append({"sentence": row["sentence"], "drivers": known.get(number, []), "sources": told})
    return out


@dataclass(frozen=True)
class Pull:
    """One source, and by how many of its standard deviations a headline would move if the source counted twice."""

    name: str
    strength: float


def pulls_of(headline: np.ndarray, log_likelihood: Mapping[str, np.ndarray]) -> list[Pull]:
    """The most influential sources of a headline, strongest first.

    The derivative of a posterior mean with respect to the power of one source's likelihood is the covariance of the two
    (https://doi.org/10.1007/s11222-023-10366-5); here it is given in standard deviations of the headline. Draws and log
    likelihoods have the shape (sample,); draws that are not finite are set to the median.

    >>> draws = np.array([1.0, 2.0, 3.0])
    >>> [(p.name, round(p.strength, 2)) for p in pulls_of(draws, {"a": np.zeros(3), "b": -draws})]
    [('b', -0.82), ('a', 0.0)]
    """
    whole = filled(headline)
    spread = float(whole.std())
    if not spread > 0:
        return []
    centred = (whole - whole.mean()) / spread
    terms = np.stack([*log_likelihood.values()]) if log_likelihood else np.empty((0, centred.size))
    moved = (terms - terms.mean(axis=1, keepdims=True)) @ centred / centred.size
    found = [Pull(name, strength) for name, strength in zip(log_likelihood, moved.tolist(), strict=True)]
    return sorted(found, key=lambda pull: -abs(pull.strength))[:MOST_PULLS]
