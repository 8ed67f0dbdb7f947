"""What a change of a case is, how it is made from what a user wrote, and the change of a switch (another structure)."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.case.serial import case_to_json
from reeuncert.errors import CaseError, Problem, ReeUncertError
from reeuncert.validation.reader import read_case
from reeuncert.words.cells import printable, quoted, unknown


class Reread:
    """Reads a case again under other options, each set of them once.

    A switch decides which rows of the tables hold, so that the rows of another choice are not in the case: they must
    come from its files. What was changed in memory would be lost, and is therefore refused.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, tuple[int, ...], tuple[tuple[str, str], ...]], Case] = {}

    def __call__(self, case: Case, options: Mapping[str, str]) -> Case:
        """The case under its options with some of them changed, cut to the same years."""
        if not case.path or _content(self._one(case, case.options)) != _content(case):
            message = f"the switches of case '{case.name}' cannot be changed here: it is not what its files say "
            message += f"({case.path or 'it was made in memory'}); read it again with read_case(…, option=choice), "
            raise ReeUncertError(f"{message}and make each choice a study of its own")
        return self._one(case, {**case.options, **options})

    def _one(self, case: Case, options: Mapping[str, str]) -> Case:
        years = case.system.years
        key = (case.path, years, tuple(sorted(options.items())))
        if key not in self._read:
            whole = read_case(case.path, **options)
            if not set(years) <= set(whole.system.years):
                message = f"the case no longer covers the years {years[0]}-{years[-1]}; read it again"
                raise CaseError([Problem("case.toml", 0, "years", message)])
            self._read[key] = restrict(whole, years)
        return self._read[key]


def _content(case: Case) -> str:
    """The content of a case, without its folder."""
    return case_to_json(replace(case, path=""))


@dataclass(frozen=True)
class Edited:
    """A case while it is changed."""

    case: Case  # with all changes so far
    # Ids of rows of evidence that do not count. They stay in the case, so that a model that is compiled serves the
    # changed case too.
    left_out: frozenset[str] = frozenset()
    # Reads the case again under other options, each set of options once
    reread: Reread = field(default_factory=Reread, compare=False)


class Edit(ABC):
    """One change of a case: a frozen dataclass whose fields are what a user may write.

    Fields are texts, numbers (NaN: not given), or tuples of names, for which a user may write one text with ``+``
    between names.
    """

    kind: ClassVar[str]  # the word for it in tables of scenarios
    varied: ClassVar[str] = ""  # the field whose values a grid lists, if the grid does not say which; empty: it must
    stage: ClassVar[int] = 2  # changes are made in this order: switches first, then flows, then numbers

    @classmethod
    def of(cls, words: Mapping[str, object]) -> Self:
        """Build from what a user wrote. Raises `EditError` with every word that cannot be used."""
        known = {f.name: f.type for f in fields(cls)}  # type: ignore[arg-type]  # every subclass is a dataclass
        problems, values = [], {}
        for name, given in words.items():
            if name not in known:
                problems.append(unknown(str(name), list(known), f"for '{cls.kind}' the key"))
                continue
            try:
                values[name] = _VALUES[known[name]](given)
            except ValueError as error:
                problems.append(f"{name} {error}")
        if problems:
            raise EditError(problems)
        return cls(**values)

    @abstractmethod
    def problems(self, case: Case) -> Sequence[str]:
        """What of it a case does not have, with what it has."""

    @abstractmethod
    def apply(self, edited: Edited) -> Edited:
        """The case with this change; what it does not name stays as it is."""

    @abstractmethod
    def __str__(self) -> str:
        """The change in words, for tables and progress."""


class EditError(ValueError):
    """A change that cannot be made: every reason."""

    def __init__(self, problems: Sequence[str]):
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def names_of(given: object) -> tuple[str, ...]:
    """Names as a user may write them: ``"a+b"`` or ``["a", "b"]``.

    >>> names_of("salt + oxide"), names_of(["salt"])
    (('salt', 'oxide'), ('salt',))
    """
    parts = given.split("+") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError(f"is {quoted(given)}; give a name, or several as a list")
    return tuple(part.strip() for part in parts)


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < float("inf"):
        raise ValueError(f"is {quoted(given)}; give a number")
    return float(given)


def _text(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"is {quoted(given)}; give a name")
    return given


_VALUES: dict[Any, Callable[[object], Any]] = {tuple[str, ...]: names_of, float: _number, str: _text}


def is_given(number: float) -> bool:
    """Whether a user gave a number."""
    return not math.isnan(number)


MOST_FACTOR = 1000.0  # a factor beyond this, or below its inverse, is taken for a mistake


def one_amount(kind: str, **amounts: float) -> list[str]:
    """Problem unless exactly one of some numbers was given, and is above zero; a factor must also be of a sane size.

    >>> one_amount("prior_median", factor=1e6, value=float("nan"))
    ['factor is 1e+06; it must be between 0.001 and 1000']
    """
    given = {name: value for name, value in amounts.items() if is_given(value)}
    if len(given) != 1:
        need = "needs" if len(amounts) == 1 else "needs one of:"
        count = f"{len(given)} are" if given else "none is"
        return [f"'{kind}' {need} {', '.join(amounts)} ({count} given)"]
    ((name, value),) = given.items()
    if name == "factor" and not 1 / MOST_FACTOR <= value <= MOST_FACTOR:
        return [f"factor is {value:g}; it must be between {1 / MOST_FACTOR:g} and {MOST_FACTOR:g}"]
    return [] if value > 0 else [f"{name} is {value:g}; it must be above 0"]


def unknown_names(names: Sequence[str], known: Sequence[str], what: str) -> list[str]:
    """A problem for each name that is not known."""
    return [unknown(name, known, what) for name in names if name not in known]


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names for a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"'{printable(name)}'" for name in names[:most]) + more


@dataclass(frozen=True, kw_only=True)
class Option(Edit):
    """Choose otherwise in a switch that the case declares in case.toml."""

    option: str = ""
    choice: str = ""

    kind: ClassVar[str] = "option"
    varied: ClassVar[str] = "choice"
    stage: ClassVar[int] = 0

    def problems(self, case: Case) -> Sequence[str]:
        if self.option not in case.option_choices:
            return unknown_names([self.option], list(case.option_choices), "option")
        return unknown_names([self.choice], case.option_choices[self.option], f"for option '{self.option}' the choice")

    def apply(self, edited: Edited) -> Edited:
        if edited.case.options[self.option] == self.choice:
            return edited
        return replace(edited, case=edited.reread(edited.case, {self.option: self.choice}))

    def __str__(self) -> str:
        return f"{self.option} = {self.choice}"
