"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml). Where the medians of a
headline under two structures leave each other's intervals, the data do not decide between them, and no interval from
one structure alone can be trusted: the headline is "not identified by these data", and the range over the structures is
reported instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Unpack

import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.errors import ReeUncertError
from reeuncert.result.result import Result
from reeuncert.result.structures import HOLDS, LABELS, NOT_IDENTIFIED, labelled, verdicts_over_structures
from reeuncert.studies.engine import make_fits
from reeuncert.studies.jobs import FitOptions, FitSettings, JobMaker
from reeuncert.studies.summaries import Headlines, headlines_and_divergences
from reeuncert.validation.reader import read_case

SHORT: FitOptions = {"draws": 400, "tune": 200, "chains": 4}
"""Settings of a short run: the headlines of every structure have an ESS above 400, so that intervals can be used."""

LONGER: FitOptions = {"tune": 300, "chains": 4}
"""Settings of runs whose draws are given."""


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


def compare_structures(case: Case, option: str | None = None, **options: Unpack[FitOptions]) -> StructureComparison:
    """Run a case under each of its rival structures and compare the headlines.

    Parameters
    ----------
    case
        From `reeuncert.read_case`; its other switches keep their choices.
    option
        Name of the switch; by default the one that the case marks with ``compare = true``.
    **options
        How to sample, where to run, what to keep on disk: see `reeuncert.studies.jobs.FitOptions`. Without ``draws``,
        the runs are short (`SHORT`).

    Returns
    -------
    StructureComparison

    Raises
    ------
    ReeUncertError
        When the case names no such switch, or a structure could not be fitted.
    """
    table = _stacked(_headlines_under(rivals_of(case, option), options))
    return StructureComparison(table, verdicts_over_structures(table), "draws" not in options)


def run_rivals(dt: xr.DataTree, **options: Unpack[FitOptions]) -> pd.DataFrame:
    """Headlines of a result, and of its case under each other choice of the switch that it marks as rival structures.
    The table is that of `StructureComparison`.
    """
    case = Result(dt).case
    name = switch_of(case, None)
    choices, own = case.option_choices[name], case.options[name]
    found = _headlines_under(rivals_of(case, name, [choice for choice in choices if choice != own]), options)
    found[own] = headlines_and_divergences(dt)
    return _stacked({choice: found[choice] for choice in choices})


def rivals_of(case: Case, option: str | None, choices: Iterable[str] | None = None) -> dict[str, Case]:
    """Choice of a switch → the case under it, cut to the same years."""
    name = switch_of(case, option)
    found = {}
    for choice in case.option_choices[name] if choices is None else choices:
        rival = read_case(case.path or case.name, **{**case.options, name: choice})
        found[choice] = rival if rival.system.years == case.system.years else restrict(rival, case.system.years)
    return found


def _headlines_under(rivals: Mapping[str, Case], options: FitOptions) -> dict[str, pd.DataFrame]:
    """Headlines under each choice; what is compiled for one, and its pilot run, serves the next."""
    defaults: FitOptions = LONGER if "draws" in options else SHORT
    settings = FitSettings.of({**defaults, **options})
    maker = JobMaker(next(iter(rivals.values())))
    jobs = [maker.job(choice, rival, settings, Headlines(), share=True) for choice, rival in rivals.items()]
    fits = make_fits(jobs, options)
    return {choice: fits.kept(choice).tables["headlines"] for choice in rivals}


def _stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.assign(structure=choice) for choice, table in frames.items()], ignore_index=True)


def switch_of(case: Case, option: str | None) -> str:
    """Name of the switch whose choices are the rival structures of a case."""
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
