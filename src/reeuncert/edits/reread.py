"""The case again under other options, from the files that it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reeuncert.case.records import Case
from reeuncert.case.restriction import restrict
from reeuncert.case.serial import case_to_json
from reeuncert.errors import CaseError, Problem, ReeUncertError
from reeuncert.validation.reader import read_case


class Reread:
    """Reads a case again under other options; each set of options is read once.

    A switch decides which rows of the tables hold, so that the rows of another choice are not in the case: they must
    come from its files. What was changed in memory would be lost, and is therefore refused.
    """

    def __init__(self) -> None:
        self._read: dict[tuple[str, tuple[int, ...], tuple[tuple[str, str], ...]], Case] = {}
        self._sound: set[str] = set()

    def __call__(self, case: Case, options: Mapping[str, str]) -> Case:
        """The case under its options with some of them changed, cut to the same years."""
        text = _content(case)
        if text not in self._sound:
            if not case.path or _content(self._one(case, case.options)) != text:
                raise ReeUncertError(
                    f"the switches of case '{case.name}' cannot be changed here: it is not what its files say "
                    f"({case.path or 'it was made in memory'}); read it again with read_case(…, option=choice), and "
                    "make each choice a study of its own"
                )
            self._sound.add(text)
        changed = self._one(case, {**case.options, **options})
        self._sound.add(_content(changed))
        return changed

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
    """What a case says, wherever it was read: a result names its folder otherwise than the one who reads it again."""
    return case_to_json(replace(case, path=""))
