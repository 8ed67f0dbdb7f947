"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml). Where the medians of a
headline under two structures leave each other's intervals, the figures do not decide between them, and no interval from
one structure alone deserves belief: the headline is "not identified by these data", and what can be said is the range
over the structures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.case.serial import case_from_json
from reeuncert.checks.structures import HOLDS, LABELS, NOT_IDENTIFIED, labelled, verdicts_over_structures
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import headlines
from reeuncert.inference.refit import Refitter
from reeuncert.validation.reader import read_case

SHORT: Mapping[str, Any] = {"draws": 400, "tune": 200, "chains": 4}
"""Settings of a short run: the headlines of every structure have an ESS above 400, so that intervals can be used."""


@dataclass(frozen=True)
class StructureComparison:
    """Headlines under every structure of a case.

    Parameters
    ----------
    table
        One row a headline and structure: structure, the labels of the headline, unit, median, eti90_lb, eti90_ub,
        ess_bulk, ess_tail, r_hat, and the divergences of the run.
    verdicts
        One row a headline: its labels, verdict, and the range over the structures (lowest lower end, lowest and highest
        median, highest upper end).
    approximate
        Whether short runs were used, whose interval ends are approximate.
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
        Draws of each of four chains; None makes short runs instead.
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
    frames = _headlines_under(case, name, case.option_choices[name], seed=seed, draws=draws, quiet=quiet)
    table = _stacked(frames)
    return StructureComparison(table, verdicts_over_structures(table), draws is None)


def run_rivals(dt: xr.DataTree, *, seed: int = 1, draws: int | None = None, quiet: bool = True) -> pd.DataFrame:
    """Headlines of a result, and of its case under each other choice of the switch that it marks as rival structures.

    Parameters
    ----------
    dt
        Result of a case that names rival structures; its indicators have been added.
    seed, draws, quiet
        See `compare_structures`.

    Returns
    -------
    DataFrame
        As `StructureComparison.table`, for `reeuncert.studies.averaging.add_structures`.

    Raises
    ------
    ReeUncertError
        When the case names no such switch.
    """
    case = case_from_json(dt.attrs["case_json"])
    name = switch_of(case, None)
    own, choices = case.options[name], case.option_choices[name]
    others = [choice for choice in choices if choice != own]
    frames = {own: _told(dt), **_headlines_under(case, name, others, seed=seed, draws=draws, quiet=quiet)}
    return _stacked({choice: frames[choice] for choice in choices})


def _headlines_under(
    case: Case, name: str, choices: Iterable[str], *, seed: int, draws: int | None, quiet: bool
) -> dict[str, pd.DataFrame]:
    """Headlines under each choice; what is compiled for one, and what its pilot run shows, serves the next."""
    run: Mapping[str, Any] = SHORT if draws is None else {"draws": draws, "tune": 300, "chains": 4}
    fits: Refitter | None = None
    found = {}
    for choice in choices:
        rival = read_case(case.path or case.name, **{**case.options, name: choice})
        if rival.system.years != case.system.years:
            rival = restrict(rival, case.system.years)
        if fits is None or not fits.accepts(rival):
            fits = Refitter(rival)
        dt = fits.fit(rival, **run, seed=seed, progress=not quiet)
        found[choice] = _told(add_indicators(dt, sorted({headline.indicator for headline in rival.headlines})))
    return found


def _told(dt: xr.DataTree) -> pd.DataFrame:
    """Headlines of a result, with the divergences of its run."""
    diverging = dt["sample_stats"]["diverging"] if "sample_stats" in dt.children else 0
    return headlines(dt).assign(divergences=int(np.sum(diverging)))


def _stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(structure=choice) for choice, table in frames.items()], ignore_index=True)


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


__all__ = [
    "HOLDS",
    "LABELS",
    "NOT_IDENTIFIED",
    "StructureComparison",
    "compare_structures",
    "labelled",
    "run_rivals",
    "switch_of",
    "verdicts_over_structures",
]
