"""Indicators averaged over rival structures, with the range over the structures beside the average."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.structures import CONVERGENCE
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.summary import interval_columns
from reeuncert.questions.nested import weighted_quantiles
from reeuncert.questions.targets import ValueName, targets_of
from reeuncert.result.structures import GROUP, stored_verdicts
from reeuncert.studies.rivals import HOLDS, LABELS, NOT_IDENTIFIED, labelled

Floats = NDArray[np.float64]

_NUMBERS = ("median", "eti90_lb", "eti90_ub")


def average_structures(
    results: Mapping[str, xr.DataTree],
    weights: Mapping[str, float] | None = None,
    indicators: ValueName | Iterable[ValueName] | None = None,
    *,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Average indicators over the results of rival structures.

    The averaged posterior is the mixture of the structures' posteriors with stacking weights (Yao, Vehtari, Simpson &
    Gelman 2018, doi 10.1214/17-BA1091). Weights say which structure predicts figures better, not which is true: where
    figures do not decide, the range over the structures is the honest answer, and it is given beside the average.

    Parameters
    ----------
    results
        Structure → its result, with indicators.
    weights
        Structure → weight, e.g. `reeuncert.studies.scores.StructureScores.weights`; scaled to sum to 1. Equal by
        default.
    indicators
        Headline numbers, names, or mappings with labels; the headlines of the case by default.
    prob
        Probability of the intervals.

    Returns
    -------
    DataFrame
        One row a value: ``indicator``, its labels, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub`` of the average;
        ``lowest``, ``lowest_median``, ``highest_median``, ``highest`` over the structures; ``verdict``
        (``"holds under every structure"`` or ``"not identified by these data"``).

    Raises
    ------
    ReeUncertError
        No or one structure, unknown or missing weights, an indicator that a result does not hold.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> one, other = (toy_posterior(draws=50, years=2, seed=s) for s in (0, 1))
    >>> table = average_structures({"tied": one, "free": other}, {"tied": 3, "free": 1}, [0])
    >>> bool((table["lowest"] <= table["median"]).all())
    True
    """
    if len(results) < 2:
        raise ReeUncertError(f"{len(results)} structures are given; averaging needs two or more")
    given = dict.fromkeys(results, 1.0) if weights is None else dict(weights)
    _check_weights(given, list(results))
    total = sum(given.values())
    lower, upper = interval_columns(prob)
    places = (0.5, 0.5 - prob / 2, 0.5 + prob / 2)
    targets = {name: targets_of(dt, indicators) for name, dt in results.items()}
    rows = []
    for of_one in zip(*targets.values(), strict=True):
        draws = [target.filled.ravel() for target in of_one]
        weight = [np.full(d.size, given[name] / total / d.size) for name, d in zip(results, draws, strict=True)]
        mixed = weighted_quantiles(np.concatenate(draws), np.concatenate(weight), places)
        each = np.array([weighted_quantiles(d, np.ones(d.size), places) for d in draws])
        middle, low, high = each.T
        inside = (middle[:, None] >= low) & (middle[:, None] <= high)
        rows.append(
            {
                **of_one[0].columns,
                "median": mixed[0],
                lower: mixed[1],
                upper: mixed[2],
                "lowest": low.min(),
                "lowest_median": middle.min(),
                "highest_median": middle.max(),
                "highest": high.max(),
                "verdict": HOLDS if bool(inside.all()) else NOT_IDENTIFIED,
            }
        )
    return pd.DataFrame(rows)


def _check_weights(weights: Mapping[str, float], structures: list[str]) -> None:
    problems = [f"'{name}' is no structure of these results" for name in weights if name not in structures]
    problems += [f"structure '{name}' has no weight" for name in structures if name not in weights]
    problems += [
        f"the weight of '{name}' is {w:g}; it must be 0 or more" for name, w in weights.items() if not 0 <= w < np.inf
    ]
    if not problems and not sum(weights.values()) > 0:
        problems = ["all weights are 0; give at least one above it"]
    if problems:
        raise ReeUncertError(f"{'; '.join(problems)}; the structures are: {', '.join(structures)}")


def add_structures(dt: xr.DataTree, table: pd.DataFrame, weights: Mapping[str, float] | None = None) -> xr.DataTree:
    """Store headlines under rival structures in a result, so that its report shows the range over them.

    Parameters
    ----------
    dt
        A result.
    table
        ``structure``, the labels of each headline, ``unit``, ``median``, ``eti90_lb``, ``eti90_ub``: the table of
        `reeuncert.compare_structures`.
    weights
        Stacking weight of each structure, if known.

    Returns
    -------
    DataTree
        A copy that shares its draws, with the group ``structures``: ``median``, ``lower``, ``upper`` (structure,
        headline), ``weight`` (structure), labels along ``headline``; ``ess_bulk``, ``ess_tail``, ``r_hat`` and
        ``divergences`` (structure, headline) where the table has them.

    Raises
    ------
    ReeUncertError
        When the table lacks a column, or its structures do not have the same headlines.
    """
    missing = [c for c in ("structure", *LABELS, *_NUMBERS) if c not in table]
    if missing:
        raise ReeUncertError(f"the table of structures lacks: {', '.join(missing)}")
    named = labelled(table)
    structures = list(dict.fromkeys(named["structure"]))
    parts = [named[named["structure"] == s].reset_index(drop=True) for s in structures]
    if any(not part[LABELS].equals(parts[0][LABELS]) for part in parts):
        raise ReeUncertError("the structures do not have the same headlines, in the same order")
    if weights is not None:
        _check_weights(weights, structures)
    given = dict.fromkeys(structures, np.nan) if weights is None else weights
    short = dict(zip(("median", "lower", "upper"), _NUMBERS, strict=True))
    short |= {name: name for name in CONVERGENCE if name in named}
    numbers = {n: (("structure", "headline"), np.array([p[c].astype(float) for p in parts])) for n, c in short.items()}
    labels = {c: ("headline", parts[0][c].astype(str).to_numpy(dtype=object)) for c in LABELS if c != "year"}
    data = xr.Dataset(
        {**numbers, "weight": ("structure", [float(given[s]) for s in structures])},
        coords={"structure": structures, **labels, "year": ("headline", parts[0]["year"].astype(int))},
    )
    if "unit" in named:
        data = data.assign_coords(unit=("headline", parts[0]["unit"].astype(str).to_numpy(dtype=object)))
    out = dt.copy(deep=False)
    out[GROUP] = xr.DataTree(data)
    return out


def structures_of(dt: xr.DataTree) -> pd.DataFrame | None:
    """Verdicts over the structures stored in a result; None if there are none."""
    if GROUP not in dt.children:
        return None
    verdicts = stored_verdicts(dt)
    frame = dt[GROUP].to_dataset()[["median"]].to_dataframe().reset_index()
    if "unit" in frame:
        verdicts["unit"] = frame.drop_duplicates(LABELS)["unit"].to_numpy()
    return verdicts
