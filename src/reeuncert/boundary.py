"""The one guard of the public functions: arguments are checked, and converted, by the annotations of the function.

A case may be given by its name or folder, a model by its case, a result by its folder, by its draws or as `Result`.
What cannot be used is refused in one line before any work; ranges of numbers stand in `reeuncert.words.ranges`.
`guarded` is laid over every function that `reeuncert` exports when it is first asked for: a new public name needs
nothing but annotations.
"""

import functools
import inspect
import itertools
import numbers
import os
import types
import typing
from collections import abc
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from reeuncert.case.records import Case
from reeuncert.errors import ArgumentError, SamplingError
from reeuncert.validation.reader import read_case
from reeuncert.words.cells import did_you_mean, printable
from reeuncert.words.ranges import RANGES, problem_with

LARGEST = 1e300
MOST_ITEMS = 100_000  # longest list that an argument may be: what yields without end is refused

_LATE = {
    "np": "numpy",
    "pd": "pandas",
    "pm": "pymc",
    "xr": "xarray",
    "CompiledModel": "reeuncert.inference.compiled",
}
"""Names that modules import for their annotations only → the module that is, or holds, what they name."""

_TEXTS = {
    str: "a text",
    int: "a whole number",
    float: "a finite number",
    bool: "True or False",
    Path: "a path",
    types.NoneType: "None",
    Case: "a case (from read_case), or the name or folder of one",
}


class _UnfitError(Exception):
    """A value is not of a type; the message says what is."""


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A public function that refuses what it cannot use, in one line.

    >>> import reeuncert as ree
    >>> ree.restrict("small_metal", [2016.5])
    Traceback (most recent call last):
    ...
    reeuncert.errors.ArgumentError: restrict: years[0] is 2016.5 (float); give a whole number
    """
    signature = inspect.signature(function)
    known = typing.get_type_hints(function, localns=_Late())
    signature, hints = _spelt_out(signature, {name: known.get(name, Any) for name in signature.parameters})

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            unknown = [name for name in kwargs if name not in hints]
            hint = did_you_mean(unknown[0], hints) if unknown else ""
            raise ArgumentError(f"{function.__name__}: {error}{hint}; it takes: {', '.join(hints)}") from None
        for name, value in bound.arguments.items():
            kind = signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_POSITIONAL:
                value = tuple(_argument(function, f"{name}[{i}]", hints[name], v) for i, v in enumerate(value))
            elif kind is inspect.Parameter.VAR_KEYWORD:
                value = {key: _argument(function, key, hints[name], v) for key, v in value.items()}
            else:
                value = _argument(function, name, hints[name], value)
                default = signature.parameters[name].default
                empty = isinstance(value, list | tuple) and not value
                if empty and default is not _NONE and (default is None or default):
                    raise ArgumentError(f"{function.__name__}: {name} is empty; give at least one, or leave it out")
                wrong = ""
                if _is(value, "xarray", "DataTree"):
                    wrong = import_module("reeuncert.result.io").wrong_with(value, needs_case="case" not in hints)
                if wrong:
                    told = f"{function.__name__}: {name} is no result that can be used: {wrong}"
                    raise ArgumentError(f"{told}; give one of reeuncert.sample or read_results")
            bound.arguments[name] = value
        return function(*bound.args, **bound.kwargs)

    checked.__module__ = "reeuncert"  # where it is found, by those who pickle it
    return checked


def _spelt_out(signature: inspect.Signature, hints: dict[str, Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """``**options: Unpack[SomeTypedDict]`` as the keyword arguments that it stands for."""
    parameters = []
    for parameter in signature.parameters.values():
        if typing.get_origin(hints[parameter.name]) is not typing.Unpack:
            parameters.append(parameter)
            continue
        (options,) = typing.get_args(hints.pop(parameter.name))
        own = typing.get_type_hints(options)
        hints |= own
        parameters += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in own]
    return signature.replace(parameters=parameters), hints


class _Late(dict[str, Any]):
    """Names that modules import for their annotations only."""

    def __missing__(self, name: str) -> Any:
        module = import_module(_LATE[name])
        return getattr(module, name, module)


def _argument(function: Callable[..., Any], name: str, hint: Any, value: object) -> Any:
    where = f"{function.__name__}: "
    bare = name.partition("[")[0]
    parts = _parts(hint)
    several = abc.Iterable in [typing.get_origin(part) for part in parts] and not isinstance(
        value, str | numbers.Number
    )
    if bare in RANGES and value is not None and {int, float} & set(parts) and not several:
        wrong = problem_with(bare, value)
        if wrong:
            raise (SamplingError if RANGES[bare].sampling else ArgumentError)(where + wrong)
    try:
        return _fitted(hint, value, name)
    except _UnfitError as unfit:
        raise ArgumentError(f"{where}{unfit}") from None


def _parts(hint: Any) -> tuple[Any, ...]:
    """Members of a union, or the type alone."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return tuple(part for arg in typing.get_args(hint) for part in _parts(arg))
    return (types.NoneType if hint is None else hint,)


def _fitted(hint: Any, value: object, name: str) -> Any:
    """The value as the type wants it: as it is where any part of the type holds it, else converted."""
    parts = _parts(hint)
    if Path in parts and isinstance(value, str) and not value.strip():
        raise _UnfitError(f"{name} is empty; give the path of a file or folder ('.' is the working folder)")
    for convert in (False, True):
        for part in parts:
            found = _as(part, value, name, convert)
            if found is not _NO:
                return found
    said = " or ".join(dict.fromkeys(_told(part) for part in parts if part is not types.NoneType or len(parts) == 1))
    raise _UnfitError(f"{name} is {_shown(value)}; give {said}")


_LISTS = (abc.Sequence, abc.Iterable, tuple)
_NO = object()
_NONE = inspect.Parameter.empty


def _as(part: Any, value: object, name: str, convert: bool) -> Any:
    """The value as one type has it; `_NO` where it is none."""
    origin = typing.get_origin(part) or part
    if part is Any or part is object:
        return value
    if part is bool:
        return bool(value) if isinstance(value, bool) or _is(value, "numpy", "bool_") else _NO
    if part is int:
        return int(value) if not isinstance(value, bool) and isinstance(value, numbers.Integral) else _NO
    if part is float:
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return float(typing.cast(float, value)) if real and abs(typing.cast(float, value)) <= LARGEST else _NO
    if part is str:
        return value if isinstance(value, str) and "\0" not in value else _NO
    if part is Path:
        return value if isinstance(value, os.PathLike) and "\0" not in str(value) else _NO
    if origin is typing.Literal:
        return value if isinstance(value, str) and value in typing.get_args(part) else _NO
    if origin is abc.Callable:
        return value if callable(value) else _NO
    if getattr(part, "_is_protocol", False):
        has = not isinstance(value, type) and all(hasattr(value, name) for name in part.__protocol_attrs__)
        return value if has else _NO
    if origin is abc.Mapping:
        if not isinstance(value, Mapping) or not typing.get_args(part):
            return value if isinstance(value, Mapping) else _NO
        keys, values = typing.get_args(part)
        return {
            _fitted(keys, k, f"a key of {name}"): _fitted(values, v, f"{name}[{printable(k)}]")
            for k, v in value.items()
        }
    if origin in _LISTS:
        return _items(part, value, name, convert)
    if isinstance(value, origin):
        return value
    return _converted(origin, value) if convert else _NO


def _items(part: Any, value: object, name: str, convert: bool) -> Any:
    of = (typing.get_args(part) or (Any,))[0]
    if isinstance(value, str):  # one name where several may be given
        return (value,) if convert and str in _parts(of) else _NO
    if isinstance(value, bytes | Mapping) or not isinstance(value, abc.Iterable) or getattr(value, "ndim", 1) != 1:
        return _NO
    items = list(itertools.islice(value, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise _UnfitError(f"{name} has more than {MOST_ITEMS:,} items; give fewer")
    fitted = [_fitted(of, item, f"{name}[{i}]") for i, item in enumerate(items)]
    return fitted if isinstance(value, list) else tuple(fitted)


def _converted(kind: Any, value: object) -> Any:
    """A case, result or model from its name, folder or case."""
    named = isinstance(value, str | os.PathLike) and str(value).strip() not in ("", ".") and "\0" not in str(value)
    path = typing.cast("str | Path", value)
    if kind is Case and named:
        return read_case(path)
    if _named(kind) == "DataTree" and (named or _is(value, "reeuncert.result", "Result")):
        if named:
            value = import_module("reeuncert.indicators.stored").read_results(value)
        return import_module("reeuncert.result.result").Result.of(value).dt
    if _named(kind) == "Model" and (named or isinstance(value, Case)):
        return import_module("reeuncert.model").build_model(value if isinstance(value, Case) else read_case(path))
    return _NO


def _told(part: Any) -> str:
    """A type in words."""
    if part in _TEXTS:
        return _TEXTS[part]
    origin = typing.get_origin(part) or part
    if origin is typing.Literal:
        return " or ".join(repr(v) for v in typing.get_args(part))
    if origin is abc.Mapping:
        return "a mapping (dict)"
    if origin in _LISTS:
        of = (typing.get_args(part) or (Any,))[0]
        return f"a list, of {' or '.join(_told(p) for p in _parts(of))} each" if of not in (Any, object) else "a list"
    return {
        "DataTree": "a result (of reeuncert.run, sample or read_results), or the folder of one",
        "Model": "a model (from build_model), or a case",
        "Callable": "a function",
        "Rule": "a rule (e.g. NoTrade())",
    }.get(_named(origin), f"a {_named(origin)}")


def _named(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _is(value: object, module: str, name: str) -> bool:
    """Whether a value is of a class, without importing its module."""
    return type(value).__name__.rstrip("_") == name.rstrip("_") and type(value).__module__.startswith(module)


def _shown(value: object) -> str:
    kind = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, str | int | float | bool):
        return f"{value!r:.60} ({kind})"
    return f"of type {kind}"
