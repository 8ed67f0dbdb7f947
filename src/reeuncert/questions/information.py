"""Value of information: which measurement would narrow an interval most?

For every candidate (a flow in a year, a flow in all its years, or all that a source reports) the expected width of an
indicator's interval if it were measured with a given error, from posterior draws alone: the expected posterior
interval, averaged over what the measurement might say (pre-posterior analysis; Raiffa & Schlaifer 1961, *Applied
Statistical Decision Theory*; estimated from one set of draws as in Heath, Manolopoulou & Baio 2017, *Medical Decision
Making* 37, 747, doi 10.1177/0272989X17697692). Nothing is assumed of the shape of the posterior for a single flow;
several figures at once are handled by a linear regression, checked on chains that it has not seen.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from reeuncert.errors import ReeUncertError
from reeuncert.indicators.headlines import Target
from reeuncert.likelihood.predictive import predicted_quantities
from reeuncert.questions.nested import Floats, Ints, expected_widths, interval_width
from reeuncert.questions.targets import Flows, ValueName, choose_flows, labelled_first, target_of
from reeuncert.result.contents import content_draws
from reeuncert.result.quantiles import sorted_quantile
from reeuncert.result.result import Result
from reeuncert.result.tables import mass_flow
from reeuncert.system.definition import FLOW_FIELDS, SystemDefinition

PARTS = 4
"""A single chain is cut into so many parts, each predicted by the others."""


def width_after_regression(target: Target, quantity: Floats, error: Floats) -> float:
    """Expected width of the 90 % interval of a value once quantities (chain, draw, figure) have been measured with
    normal errors (figure,): that of what `predictions` leave unexplained of the value, or of its log where it is a
    positive mass. With normal posteriors this is exact; overfitting shows as a wider interval, never as a narrower one.
    """
    draws = target.filled
    rng = np.random.default_rng(0)
    told = quantity + error * rng.standard_normal(quantity.shape)
    guess, rest = predictions(target.linear, quantity, told, error)
    now = interval_width(draws.ravel())
    if not target.as_log:
        return min(now, interval_width(rest))
    # The width of an interval of a log grows with the value: averaged over what would be predicted.
    shift = float(np.mean(np.exp(guess)))
    return min(now, shift * interval_width(np.exp(rest)))


def predictions(value: Floats, quantity: Floats, told: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Best linear prediction of a value (chain, draw) from quantities without (``quantity``) and with (``told``) errors
    of measurement (chain, draw, figure), of standard deviations ``error`` (figure,), and its residual, both (chain ·
    draw,): each chain is predicted by a fit to the others.
    """
    if value.shape[0] == 1:
        size = value.shape[1] // PARTS
        value = value[:, : size * PARTS].reshape(PARTS, size)
        quantity, told = (of[:, : size * PARTS].reshape(PARTS, size, -1) for of in (quantity, told))
    guessed, left = [], []
    for unseen in np.eye(len(value), dtype=bool):
        x, y = quantity[~unseen].reshape(-1, quantity.shape[2]), value[~unseen].ravel()
        centre, middle = x.mean(axis=0), y.mean()
        x = x - centre
        joint = x.T @ x / len(x) + np.diag(error**2)
        slope = np.linalg.solve(joint, x.T @ (y - middle) / len(x))
        guess = middle + (told[unseen].reshape(-1, quantity.shape[2]) - centre) @ slope
        guessed.append(guess)
        left.append(value[unseen].ravel() - guess)
    return np.concatenate(guessed), np.concatenate(left)


CANDIDATES = ("flows", "series", "sources")
OUTCOMES = 32
"""Simulated outcomes of each measurement of one flow; the expected width is their average."""

FEWEST = 200
"""Draws that must be left, in effect, to tell the width of an interval after a measurement."""


def value_of_information(
    dt: xr.DataTree,
    indicator: ValueName,
    *,
    of: str = "flows",
    error: float = 0.1,
    flows: Flows = None,
    **coords: str | int,
) -> pd.DataFrame:
    """Expected narrowing of an indicator's 90 % interval for everything that could be measured, the largest first.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample` with indicators.
    indicator, **coords
        One value: name of an indicator and its labels (``region=…, partner=…, product=…, year=…``), or the number of a
        headline of the case, from 0; see `reeuncert.questions.targets.target_of`.
    of
        ``"flows"`` (one flow in one year), ``"series"`` (one flow in every year in which it exists), ``"sources"``
        (everything that one lineage of sources reports, reported once more without its offsets).
    error
        Relative error of the measurement: half-width of the central 68 % on the log scale (on the scale of each row for
        sources), normal and independent of everything.
    flows
        What could be measured: names of flows or a mapping of attributes (``{"quantity": "trade"}``); everything by
        default. Not with ``of="sources"``.

    Returns
    -------
    DataFrame
        ``indicator``, its labels and ``unit``; the candidate (``flow`` and its attributes with ``measured_year`` and
        ``median`` in the unit of the case, or ``source`` and ``figures``: how many it reports); ``known_to``
        (half-width of the central 68 % of its log today); ``error``; ``error_used`` (larger where the draws cannot tell
        what such a small error would do, which understates the narrowing a little); ``eti90_width`` today and
        ``expected_eti90_width``; ``narrowing``, the part by which the width is expected to shrink; ``noise``: narrowing
        that the same computation gives where there is nothing to learn (chains exchanged; for one flow). Candidates
        whose narrowing is not well above it cannot be ranked.

    Raises
    ------
    UnknownIndicatorError, ReeUncertError
        Unknown indicator, label, flow, attribute or source; an error that is not positive.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> dt = toy_posterior(draws=250, years=2)
    >>> table = value_of_information(dt, "mine_production", region="South", year=2002, error=0.01)
    >>> best = table.iloc[0]
    >>> best["flow"], int(best["measured_year"]), bool(best["narrowing"] > 0.5)
    ('mine_production_South', 2002, True)
    """
    problems = [] if of in CANDIDATES else [f"of is {of!r}; use one of: {', '.join(CANDIDATES)}"]
    if of == "sources" and flows is not None:
        problems.append("of='sources' asks about all that each source reports: leave out flows")
    check_measurement(error, problems)
    target = target_of(dt, indicator, **coords)
    if of == "sources":
        rows = _of_sources(dt, target, error)
    else:
        system = Result.holding(dt).case.system
        series = [(f, np.flatnonzero(system.exists[f]).tolist()) for f in choose_flows(system, flows)]
        cells, rows = np.array([(f, t) for f, there in series for t in there]), pd.DataFrame()
        if of == "series":
            rows = _of_series(dt, target, [one for one in series if one[1]], error)
        elif len(cells):
            rows = of_cells([target], system, mass_flow(dt), [cells], error)[0]
    if rows.empty:
        raise ReeUncertError("nothing to measure: none of these flows exists in any year")
    now = interval_width(target.filled.ravel())
    rows.insert(list(rows.columns).index("expected"), "eti90_width", now)
    rows["narrowing"] = 1.0 - rows["expected"] / now if now > 0 else 0.0
    rows = rows.rename(columns={"expected": "expected_eti90_width"})
    if "noise" in rows:
        rows["noise"] = rows.pop("noise")  # comes last
    rows = labelled_first(rows, target.columns)
    return rows.sort_values("narrowing", ascending=False, ignore_index=True, kind="stable")


def check_measurement(error: float, problems: Sequence[str] = ()) -> None:
    """Refuse an error that is not positive, beside the problems known already."""
    problems = list(problems)
    if not (np.isfinite(error) and error > 0):
        problems.append(f"error is {error:g}; a measurement has a relative error above 0, e.g. 0.1 for 10 %")
    if problems:
        raise ReeUncertError("; ".join(problems))


def of_cells(
    targets: Sequence[Target],
    system: SystemDefinition,
    masses: xr.DataArray,
    cells: Sequence[Ints],
    error: float,
) -> list[pd.DataFrame]:
    """Expected width of the interval of each target after measuring each of some flows in one year: a table for each
    target, columns as `value_of_information`. Candidates of a target (candidate, 2): index of a flow, position of a
    year.
    """
    every, place = np.unique(np.concatenate(cells), axis=0, return_inverse=True)
    flow, year = every.T
    mass = masses.transpose("flow", "year", "chain", "draw").values[flow, year].reshape(len(flow), -1)
    log = np.log(np.maximum(mass, np.finfo(float).tiny))
    ordered = np.sort(log, axis=1)
    spread = _half_width(ordered)
    used = np.maximum(error, FEWEST / log.shape[1] * spread)
    draws = [target.filled for target in targets]
    both = np.stack([of.ravel() for of in (*draws, *map(exchanged, draws))])
    which = np.repeat(np.arange(len(targets)), [len(of) for of in cells])
    pairs = [np.stack([which + k * len(targets), place, np.full_like(place, n)], axis=1) for k, n in ((0, 1), (1, 4))]
    width = expected_widths(both, log, _outcomes(ordered, used), used, np.concatenate(pairs))
    labels = _labels(system, flow, [system.years[t] for t in year])
    labels["median"] = np.median(mass, axis=1)
    labels["known_to"], labels["error"], labels["error_used"] = spread, error, used
    tables = []
    for t, of in enumerate(both[: len(targets)]):
        expected, by_chance = (part[which == t] for part in np.split(width, 2))
        table, now = labels.iloc[place[which == t]].reset_index(drop=True), interval_width(of)
        # What never varies is known already; a weight by it would only echo rounding.
        varies = table["known_to"] > 0
        table["expected"] = np.where(varies, expected, now)
        table["noise"] = np.where(varies, np.abs(1.0 - by_chance / now), 0.0) if now > 0 else 0.0
        tables.append(table)
    return tables


def _of_series(dt: xr.DataTree, target: Target, series: Iterable[tuple[int, list[int]]], error: float) -> pd.DataFrame:
    system, rows = Result.holding(dt).case.system, []
    mass = mass_flow(dt).values
    for f, here in series:
        log = np.log(np.maximum(mass[:, :, f, here], np.finfo(float).tiny))
        total = mass[:, :, f, here].sum(axis=2)
        expected = width_after_regression(target, log, np.full(len(here), error))
        row = _labels(system, np.array([f]), [0]).drop(columns="measured_year").iloc[0].to_dict()
        known = float(_half_width(np.sort(np.log(np.maximum(total, np.finfo(float).tiny)).reshape(1, -1)))[0])
        row |= {"figures": len(here), "median": float(np.median(total)), "known_to": known, "error": error}
        rows.append(row | {"expected": expected})
    return pd.DataFrame(rows)


def _of_sources(dt: xr.DataTree, target: Target, error: float) -> pd.DataFrame:
    """All rows of each lineage, reported once more without its offsets; contents of elements are part of what a row is
    about. The error is relative: on the log and logit scales as it is, on a plain one to the median of the quantity.
    """
    result = Result.holding(dt)
    evidence = result.evidence
    if evidence is None:
        raise ReeUncertError(f"case '{result.case.name}' has no evidence, so no source to ask about")
    mass, rows = mass_flow(dt).values, []
    contents = content_draws(result.case, dt["posterior"].to_dataset())
    offsets = np.zeros((*mass.shape[:2], len(evidence.offsets.label)))
    for k, label in enumerate(evidence.offsets.label):
        offsets[..., k] = contents.get(label, 0.0)
    quantity = predicted_quantities(evidence, mass, offsets)
    size = np.abs(np.median(quantity.reshape(-1, evidence.n_rows), axis=0))
    errors = error * np.where(evidence.plain, np.maximum(size, np.finfo(float).tiny), 1.0)
    for lineage, of in evidence.rows_of_lineage.items():
        expected = width_after_regression(target, quantity[..., of], errors[of])
        rows.append({"source": lineage, "figures": errors[of].size, "error": error, "expected": expected})
    return pd.DataFrame(rows)


def exchanged(draws: Floats) -> Floats:
    """Draws (chain, draw) of other chains: the same distribution, but nothing to do with what else was drawn."""
    return np.roll(draws, 1, axis=0) if draws.shape[0] > 1 else np.roll(draws, draws.shape[1] // 2, axis=1)


def _half_width(ordered: Floats) -> Floats:
    """Half-width of the central 68 % (candidate,) of draws (candidate, draw) in order."""
    return 0.5 * (sorted_quantile(ordered, 0.84) - sorted_quantile(ordered, 0.16))


def _outcomes(ordered: Floats, error: Floats) -> Floats:
    """What a measurement of each candidate might say (candidate, outcome): evenly over draws, in order, and errors."""
    place = (np.arange(OUTCOMES) + 0.5) / OUTCOMES
    # Places by thirds (van der Corput) pair every part of the draws with every part of the errors.
    noise = ndtri(qmc.Halton(2, scramble=False).random(OUTCOMES + 1)[1:, 1])
    draws = np.stack([sorted_quantile(ordered, p) for p in place], axis=1)
    return np.asarray(draws + error[:, None] * (noise - noise.mean()))


def _labels(system: SystemDefinition, flow: NDArray[np.int64], years: list[int]) -> pd.DataFrame:
    names = {name: f"flow_{name}" for name in FLOW_FIELDS if name not in ("from_process", "to_process")}
    columns = {c: [system.flows[f].attribute(name) for f in flow] for name, c in (names | {"flow": "flow"}).items()}
    return pd.DataFrame({**columns, "measured_year": years})
