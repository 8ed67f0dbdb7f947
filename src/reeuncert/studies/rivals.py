"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml). Where the medians of a
headline under two structures leave each other's intervals, the figures do not decide between them, and no interval from
one structure alone deserves belief: the headline is "not identified by these data", and what can be said is the range
over the structures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.case.serial import case_from_json
from reeuncert.checks.structures import HOLDS, LABELS, NOT_IDENTIFIED, labelled, verdicts_over_structures
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.compute import add_indicators
from reeuncert.indicators.headlines import headlines
from reeuncert.inference.sample import sample
from reeuncert.model import build_model
from reeuncert.validation.reader import read_case

SHORT: Mapping[str, Any] = {"draws": 600, "tune": 150, "chains": 2}
"""Settings of a short run: medians settle within about a tenth of a posterior standard deviation."""


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
        Draws of each of four chains; None makes short runs instead, of two chains.
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
    frames = [
        _headlines_under(case, name, choice, seed=seed, draws=draws, quiet=quiet).assign(structure=choice)
        for choice in case.option_choices[name]
    ]
    table = pd.concat(frames, ignore_index=True)
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
    own = case.options[name]
    frames = {own: headlines(dt)}
    for choice in case.option_choices[name]:
        if choice != own:
            frames[choice] = _headlines_under(case, name, choice, seed=seed, draws=draws, quiet=quiet)
    tables = [frames[choice].assign(structure=choice) for choice in case.option_choices[name]]
    return pd.concat(tables, ignore_index=True)


def _headlines_under(case: Case, name: str, choice: str, *, seed: int, draws: int | None, quiet: bool) -> pd.DataFrame:
    rival = read_case(case.path or case.name, **{**case.options, name: choice})
    if rival.system.years != case.system.years:
        rival = restrict(rival, case.system.years)
    model = build_model(rival)
    run: Mapping[str, Any] = SHORT if draws is None else {"draws": draws}
    dt = sample(model, **run, seed=seed, quiet=quiet, progressbar=not quiet, likelihood_terms=False, prior_draws=200)
    return headlines(add_indicators(dt, sorted({headline.indicator for headline in rival.headlines})))


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
