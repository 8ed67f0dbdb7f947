"""Exceptions of this package: all are `ReeUncertError`, those of invalid user input also `InputError`."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One problem of an input, and its remedy.

    Parameters
    ----------
    file
        File relative to the case or data folder.
    line
        Line in the file (the header is line 1); 0 when the whole file is meant.
    column
        Column or key; empty when the whole row is meant.
    message
        What is wrong, what is allowed, and the remedy, in one sentence or two.

    Examples
    --------
    >>> print(Problem("flows.csv", 41, "unit", "unit 'kg' is not known; use one of: kt, t"))
    flows.csv line 41, column 'unit': unit 'kg' is not known; use one of: kt, t
    """

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        where = self.file
        if self.line:
            where += f" line {self.line}"
        if self.column:
            where += f", column '{self.column}'"
        return f"{where}: {self.message}"


class ReeUncertError(Exception):
    """Base class of the errors of this package."""


class InputError(ReeUncertError):
    """Invalid user input; lists all problems.

    Parameters
    ----------
    problems
        All problems, in line order after construction (``.problems``), with the files in the order given.
    """

    def __init__(self, problems: Iterable[Problem]):
        given = list(problems)
        order = {file: n for n, file in enumerate(dict.fromkeys(p.file for p in given))}
        self.problems = tuple(sorted(given, key=lambda p: (order[p.file], p)))
        count = len(self.problems)
        head = f"{count} problem{'s' if count != 1 else ''} found:"
        super().__init__("\n".join([head, *(f"  {p}" for p in self.problems)]))


class CaseError(InputError):
    """A case definition cannot be used."""


class EvidenceError(InputError):
    """Evidence, or the tables that describe it, cannot be used."""


class ArgumentError(ReeUncertError):
    """An argument of a public function is of the wrong type, or out of its range."""


class AbsentError(ReeUncertError):
    """A result does not have a value that is asked for: its indicator, a label, the year or the flows."""


class ModelError(ReeUncertError):
    """The parts of a case are valid but do not form a model."""


class SamplingError(ReeUncertError):
    """A sampler could not start, or returned no draws."""


class OutputError(ReeUncertError):
    """A result could not be written, or could not be read back."""
