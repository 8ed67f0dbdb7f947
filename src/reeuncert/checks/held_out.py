"""Refit without part of the evidence, and see whether what was left out falls where it was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.checks.folds import Folds, fold_of_rows
from reeuncert.checks.posterior_predictive import row_table
from reeuncert.errors import ReeUncertError
from reeuncert.inference.messages import Messages
from reeuncert.posterior.diagnostics import r_hat

if TYPE_CHECKING:
    from reeuncert.inference.refit import Refitter

GROUP = "leave_out"
LEVELS = (0.5, 0.8, 0.9, 0.95)
"""Probabilities of the central predictive intervals whose coverage is told."""

_TEXT = ("row", "source", "lineage", "fold", "scheme")
_NUMBERS = ("below", "prior_below", "r_hat")


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Figures predicted by fits that have not seen them.

    Parameters
    ----------
    rows
        One row a figure: ``scheme`` (``sources``, or the number of folds), ``fold``, ``row``, ``source``, ``lineage``,
        ``below`` (probability that a figure predicted without its fold is not above the reported one), ``prior_below``
        (the same from the prior alone), ``r_hat`` (largest of the flows in the fit without the fold).

    Examples
    --------
    >>> rows = pd.DataFrame({"scheme": "sources", "fold": list("aab"), "row": list("xyz"), "source": list("aab")})
    >>> found = LeftOut(rows.assign(lineage="l", below=[0.5, 0.8, 0.99], prior_below=0.5, r_hat=1.0))
    >>> found.coverage()[["level", "coverage", "prior_coverage"]].round(2).values.tolist()
    [[0.5, 0.33, 1.0], [0.8, 0.67, 1.0], [0.9, 0.67, 1.0], [0.95, 0.67, 1.0]]
    """

    rows: pd.DataFrame

    def coverage(self) -> pd.DataFrame:
        """How often left-out figures fall in central predictive intervals.

        Returns
        -------
        DataFrame
            One row a scheme and level: ``scheme``, ``level``, ``figures``, ``folds``, ``coverage``, ``error`` (standard
            error of the coverage, folds taken as independent and figures of one fold not), ``prior_coverage``.
        """
        lines = []
        for scheme, part in self.rows.groupby("scheme", sort=False):
            for level in LEVELS:
                inside, prior = (_inside(part[column], level) for column in ("below", "prior_below"))
                by_fold = (inside - inside.mean()).groupby(part["fold"]).sum()
                error = float(np.sqrt((by_fold**2).sum())) / len(part)
                folds = part["fold"].nunique()
                lines.append((scheme, level, len(part), folds, float(inside.mean()), error, float(prior.mean())))
        names = ["scheme", "level", "figures", "folds", "coverage", "error", "prior_coverage"]
        return pd.DataFrame(lines, columns=names)

    def by_source(self) -> pd.DataFrame:
        """Coverage at 90 % and mean place of the figures of each source in what was predicted without its fold."""
        inside = _inside(self.rows["below"], 0.9)
        table = self.rows.assign(inside=inside).groupby(["scheme", "source"], sort=False)
        out = table.agg(figures=("row", "size"), coverage=("inside", "mean"), mean_below=("below", "mean"))
        return out.reset_index().sort_values(["scheme", "coverage", "figures"], ignore_index=True)

    def __repr__(self) -> str:
        return f"{len(self.rows)} figures, each predicted without its fold\n{self.coverage().round(3).to_string()}"


def leave_out(
    case: Case,
    folds: Folds = "sources",
    *,
    draws: int = 400,
    tune: int = 150,
    chains: int = 2,
    thin: int = 1,
    seed: int = 1,
    quiet: bool = True,
    refitter: Refitter | None = None,
) -> LeftOut:
    """Leave out whole sources, or folds of rows, refit, and predict what was left out.

    The model is compiled once; a fold that is left out weighs nothing in its fit. Bounds and ranges are left out like
    the rest, but name no figure to be predicted, and are not counted.

    Parameters
    ----------
    case
        From `reeuncert.read_case`.
    folds
        ``"sources"``: each lineage in turn, what a new witness would be; a number: so many folds over single rows; or
        a mapping from the id of each row to its fold.
    draws, tune, chains, thin, seed
        Of every fit.
    quiet
        Say nothing on standard error while it runs.
    refitter
        A compiled model of this case, to save compiling it.

    Returns
    -------
    LeftOut

    Raises
    ------
    ReeUncertError
        When the folds cannot be used, or the case has no evidence.
    """
    from reeuncert.inference.refit import Refitter  # loads the sampler

    messages = Messages(quiet=quiet, bar=False)
    fitter = refitter or Refitter(case)
    rows, evidence = fitter.rows, fitter.record.evidence
    if not rows:
        raise ReeUncertError(f"case '{case.name}' has no evidence: there is nothing to leave out")
    fold = fold_of_rows(rows, folds, seed)
    fit_without = partial(fitter.fit, draws=draws, tune=tune, chains=chains, thin=thin, seed=seed)
    labels = list(dict.fromkeys(fold))
    prior: pd.Series | None = None
    parts = []
    for number, label in enumerate(labels):
        out = np.array([f == label for f in fold])
        messages.say(f"Fit {number + 1} of {len(labels)}: without {label} ({out.sum()} of {len(rows)} figures) …")
        fit = fit_without(weight=np.where(out, 0.0, 1.0), prior_draws=1000 if prior is None else 0)
        if fit.attrs.get("complete") == "no":
            raise KeyboardInterrupt
        if prior is None:
            prior = row_table(evidence, fit["prior"].to_dataset()).set_index("row")["below"]
        posterior = fit["posterior"].to_dataset()
        table = row_table(evidence, posterior).set_index("row")
        table = table.loc[[row.id for row, left in zip(rows, out, strict=True) if left]].reset_index()
        found = table[["row", "source", "lineage", "below"]].assign(
            scheme=folds if folds == "sources" else f"{len(labels)} folds", fold=str(label), r_hat=_r_hat(posterior)
        )
        parts.append(found.assign(prior_below=prior.loc[found["row"]].to_numpy()))
    every = pd.concat(parts, ignore_index=True)
    counted = every[every["below"].notna()].reset_index(drop=True)
    return LeftOut(counted[["scheme", "fold", "row", "source", "lineage", "below", "prior_below", "r_hat"]])


def add_left_out(dt: xr.DataTree, *found: LeftOut) -> xr.DataTree:
    """Store figures predicted without their folds in a result, for its checks and its report.

    Returns
    -------
    DataTree
        A copy that shares its draws, with the group ``leave_out`` (dim ``prediction``).
    """
    table = pd.concat([one.rows for one in found], ignore_index=True)
    texts = {name: ("prediction", table[name].astype(str).to_numpy(dtype=object)) for name in _TEXT}
    numbers = {name: ("prediction", table[name].to_numpy(dtype=float)) for name in _NUMBERS}
    out = dt.copy(deep=False)
    out[GROUP] = xr.DataTree(xr.Dataset({**texts, **numbers}))
    return out


def left_out_of(dt: xr.DataTree) -> LeftOut | None:
    """What `add_left_out` stored in a result; None if nothing."""
    if GROUP not in dt.children:
        return None
    data = dt[GROUP].to_dataset()
    return LeftOut(pd.DataFrame({name: data[name].values for name in (*_TEXT, *_NUMBERS)}))


def _inside(below: pd.Series, level: float) -> pd.Series:
    return ((below - 0.5).abs() <= level / 2).astype(float)


def _r_hat(posterior: xr.Dataset) -> float:
    mass = posterior["mass_flow"].transpose("chain", "draw", "flow", "year").values
    return float(np.nanmax(r_hat(mass, log=True)))
