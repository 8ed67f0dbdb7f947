"""Rival structures of a case: do its headlines hold whichever of them is true?

A case may name a switch whose choices are rival assumptions (``compare = true`` in case.toml). Where the medians of a
headline under two structures leave each other's intervals, the figures do not decide between them, and no interval from
one structure alone deserves belief: the headline is "not identified by these data", and what can be said is the range
over the structures.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reeuncert.case.reader import read_case
from reeuncert.case.records import Case
from reeuncert.checks.structures import HOLDS, LABELS, NOT_IDENTIFIED, labelled, verdicts_over_structures
from reeuncert.errors import ReeUncertError
from reeuncert.indicators import add_indicators, headlines
from reeuncert.inference.preview import approximate
from reeuncert.inference.sample import sample
from reeuncert.model import build_model


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
    "switch_of",
    "verdicts_over_structures",
]
