"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml). Where the medians of a
headline under two structures leave each other's intervals, the figures do not decide between them, and no interval from
one structure alone deserves belief: the headline is "not identified by these data", and what can be said is the range
over the structures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from reeuncert.case.reader import read_case
from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators import add_indicators, headlines
from reeuncert.inference.preview import approximate
from reeuncert.inference.sample import sample
from reeuncert.model import build_model

NOT_IDENTIFIED = "not identified by these data"
HOLDS = "holds under every structure"
LABELS = ["indicator", "region", "partner", "product", "year"]


@dataclass(frozen=True)
class StructureComparison:
    """Headlines under every structure of a case.

    Parameters
    ----------
    table
        One row a headline and structure: structure, the labels of the headline, unit, median, eti90_lb, eti90_ub.
    verdicts
        One row a headline: its labels, verdict, and the range over the structures (lowest lower end, lowest and highest
        median, highest upper end).
    approximate
        Whether short runs were used (see `reeuncert.preview`).
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    approximate: bool

    def __repr__(self) -> str:
        note = " (short runs: approximate)" if self.approximate else ""
        return f"Headlines under {self.table['structure'].nunique()} structures{note}\n{self.verdicts.to_string()}"


def compare_structures(
    case: Case, option: str | None = None, *, seed: int = 1, draws: int | None = None, quiet: bool = True
) -> StructureComparison:
    """Run a case under each of its rival structures and compare the headlines.

    Parameters
    ----------
    case
        From `reeuncert.read_case`; its other switches keep their choices.
    option
        Name of the switch; by default the one that the case marks with ``compare = true``.
    seed
        Of every run.
    draws
        Draws of each of four chains; None makes short, approximate runs instead.
    quiet
        Say nothing while the runs go on.

    Returns
    -------
    StructureComparison

    Raises
    ------
    ReeUncertError
        When the case names no such switch.
    """
    name = switch_of(case, option)
    frames = []
    for choice in case.option_choices[name]:
        rival = read_case(case.path or case.name, **{**case.options, name: choice})
        model = build_model(rival)
        if draws is None:
            dt = approximate(model, seed=seed, quiet=quiet)
        else:
            dt = sample(model, draws=draws, seed=seed, quiet=quiet, progressbar=not quiet, likelihood_terms=False)
        dt = add_indicators(dt, sorted({headline.indicator for headline in rival.headlines}))
        frames.append(headlines(dt).assign(structure=choice))
    table = pd.concat(frames, ignore_index=True)
    return StructureComparison(table, verdicts_over_structures(table), draws is None)


def verdicts_over_structures(table: pd.DataFrame) -> pd.DataFrame:
    """Whether each headline holds under every structure.

    Parameters
    ----------
    table
        Columns structure, indicator, region, partner, product, year, median, eti90_lb, eti90_ub.

    Returns
    -------
    DataFrame
        One row a headline: its labels, verdict, lower, lowest_median, highest_median, upper.

    Examples
    --------
    >>> rows = [("a", 1.0, 0.5, 2.0), ("b", 1.5, 0.8, 3.0)]
    >>> frame = pd.DataFrame(rows, columns=["structure", "median", "eti90_lb", "eti90_ub"])
    >>> frame = frame.assign(indicator="smuggled_mass", region="", partner="", product="", year=0)
    >>> verdicts_over_structures(frame)["verdict"].tolist()
    ['holds under every structure']
    >>> verdicts_over_structures(frame.assign(eti90_ub=[1.2, 3.0]))["verdict"].tolist()
    ['not identified by these data']
    """
    rows = []
    for labels, part in labelled(table).groupby(LABELS, sort=False):
        median, lower, upper = (part[c].to_numpy(dtype=float) for c in ("median", "eti90_lb", "eti90_ub"))
        inside = (median[:, None] >= lower[None, :]) & (median[:, None] <= upper[None, :])
        verdict = HOLDS if bool(np.all(inside)) else NOT_IDENTIFIED
        rows.append((*labels, verdict, lower.min(), median.min(), median.max(), upper.max()))
    return pd.DataFrame(rows, columns=[*LABELS, "verdict", "lower", "lowest_median", "highest_median", "upper"])


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """The table with empty text for labels that a headline does not name (no region, no product)."""
    names = table[LABELS].astype(object)
    return table.assign(**names.where(names.notna(), ""))


def switch_of(case: Case, option: str | None) -> str:
    """Name of the switch whose choices are the rival structures of a case.

    Raises
    ------
    ReeUncertError
        When the case names no such switch, or has none of this name.
    """
    if option is None:
        if not case.compare:
            raise ReeUncertError(
                f"case '{case.name}' names no rival structures; mark a switch with compare = true in case.toml"
            )
        return case.compare[0]
    if option not in case.option_choices:
        known = ", ".join(case.option_choices) or "none"
        raise ReeUncertError(f"case '{case.name}' has no switch '{option}'; it has: {known}")
    return option
