"""A case as text and back, exactly: what results carry so that they can be understood without the folder."""

import dataclasses
import json
import math
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reeuncert.case.records import Case
from reeuncert.errors import CaseError, Problem
from reeuncert.files import named
from reeuncert.words.cells import printable

FORMAT = "reeuncert case"
VERSION = 1
_MAY_BE_ABSENT = ("of", "denominator")
"""Fields of records that may be None; every other null is a number that is not given."""


def case_to_json(case: Case) -> str:
    """Write a case as JSON text; NaN (a number not given) becomes null, every other float keeps all its digits."""
    content = {"format": FORMAT, "version": VERSION, "case": _plain(case)}
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_WHAT_DRAWS_DEPEND_ON = (
    *("system", "prior_measure", "priors", "evidence", "sources", "classes", "offsets", "errors", "factors"),
    *("contents", "covariates"),
)
_COMMENT = frozenset({"title", "publisher", "edition", "reference", "terms", "note", "reason", "locator", "reporter"})
_COMMENT |= {"label", "file", "line", "group"}
"""Fields of records that say where a number comes from, or in which class it is counted."""

_SPARSE = frozenset({"label", "glossary", "median_until"})  # fields that are written only where they hold something


def model_json(case: Case) -> str:
    """What the draws of a case depend on, as JSON text: not its title, headlines, constants, notes and places in files.

    >>> import dataclasses
    >>> from reeuncert.testing import toy_case
    >>> case = toy_case(years=2)
    >>> model_json(case) == model_json(dataclasses.replace(case, title="Another", headlines=()))
    True
    >>> model_json(case) == model_json(dataclasses.replace(case, prior_measure="mass"))
    False
    """
    used = {row.source_id for row in case.evidence}
    sources = {name: source for name, source in case.sources.items() if name in used}
    classes = {name: case.classes[name] for name in sorted({source.error_class for source in sources.values()})}
    case = dataclasses.replace(case, sources=sources, classes=classes)
    content = {name: _plain(getattr(case, name), _COMMENT) for name in _WHAT_DRAWS_DEPEND_ON}
    return json.dumps(content, sort_keys=True, allow_nan=False)


def without_folder(text: str) -> str:
    """The text of a case without the folders that lead to it, which name a user (see `reeuncert.files.named`)."""
    case = case_from_json(text)
    return case_to_json(dataclasses.replace(case, path=named(case.path) if case.path else ""))


@lru_cache(maxsize=8)  # a report asks for the case of its result some thirty times
def case_from_json(text: str) -> Case:
    """Rebuild a case from the text that `case_to_json` wrote; the same text may give the same object."""
    try:
        content = json.loads(text, object_hook=_with_nan)
    except (ValueError, RecursionError) as error:
        raise _error("", f"the text is no JSON ({error}); it may have been cut") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _error("format", f"the text is no case; its key 'format' must say '{FORMAT}'")
    if content.get("version") != VERSION:
        message = f"the case has format version {content.get('version')!r:.40} and this package reads version "
        raise _error("version", f"{message}{VERSION}; use the version of the package that wrote it")
    try:
        return _reader().validate_python(content.get("case"))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        where = printable(".".join(["case", *map(str, wrong["loc"])]), 200)
        raise _error(where, f"{wrong['msg']}; the text was changed") from error


@cache
def _reader() -> TypeAdapter[Case]:
    return TypeAdapter(Case)


def _with_nan(content: dict[str, Any]) -> dict[str, Any]:
    return {k: math.nan if v is None and k not in _MAY_BE_ABSENT else v for k, v in content.items()}


def _error(where: str, message: str) -> CaseError:
    return CaseError([Problem("case JSON", 0, where, message)])


def _plain(value: Any, without: frozenset[str] = frozenset()) -> Any:
    if dataclasses.is_dataclass(value):
        names = [f.name for f in dataclasses.fields(value) if f.name not in without]
        held = {name: getattr(value, name) for name in names}
        return {name: _plain(v, without) for name, v in held.items() if v or name not in _SPARSE}
    if isinstance(value, Mapping):
        return {str(k): _plain(v, without) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v, without) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
