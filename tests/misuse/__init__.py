"""Misused calls of every public function, made from its signature: one good call, and one bad value at a time."""

from __future__ import annotations

import inspect
import itertools
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import reeuncert as ree

SECONDS = 120
"""Longest that a call may take: more is a hang (the machines of tests are slow)."""

BAD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "10**30": lambda: 10**30,
    "True": lambda: True,
    "empty text": lambda: "",
    "a text": lambda: "nonsense",
    "NUL": lambda: "a\0b",
    "bytes": lambda: b"abc",
    "a path": lambda: Path("nowhere/at all"),
    "empty list": list,
    "list of None": lambda: [None],
    "list of lists": lambda: [[1], ["x"]],
    "empty dict": dict,
    "dict of None": lambda: {"x": None},
    "dict by number": lambda: {1: 2.0},
    "object": object,
    "function": lambda: len,
    "type": lambda: int,
    "array": lambda: np.arange(6.0).reshape(2, 3),
    "Generator": lambda: np.random.default_rng(1),
    "DataFrame": lambda: pd.DataFrame({"x": [1.0]}),
    "empty DataFrame": pd.DataFrame,
    "Series": lambda: pd.Series(["a", "b"]),
    "Dataset": xr.Dataset,
    "empty tree": xr.DataTree,
    "endless": itertools.count,
    "error": lambda: ValueError("x"),
}
"""Values of any kind, each made again."""

Misuse = tuple[str, Callable[[], Any]]
"""What is done, and the call."""

Given = Callable[[str, str], Any]
"""Name of a function, and of one of its arguments → a value that it can be given."""


def functions() -> dict[str, FunctionType]:
    """Public functions by name: new ones are found by themselves."""
    found = {name: getattr(ree, name) for name in ree.__all__}
    return {name: value for name, value in found.items() if isinstance(value, FunctionType)}


def broken_results(dt: xr.DataTree) -> dict[str, xr.DataTree]:
    """A result with one thing wrong with it."""

    def changed(**attrs: object) -> xr.DataTree:
        out = dt.copy(deep=False)
        out.attrs = {**dt.attrs, **attrs}
        return out

    def without(group: str) -> xr.DataTree:
        return xr.DataTree.from_dict({k: v.to_dataset() for k, v in dt.children.items() if k != group})

    def flows(change: Callable[[xr.Dataset], xr.Dataset]) -> xr.DataTree:
        out = dt.copy(deep=False)
        out["posterior"] = xr.DataTree(change(dt["posterior"].to_dataset()))
        return out

    return {
        "another case": changed(case_json=xr_other_case()),
        "case is no JSON": changed(case_json="{"),
        "case is None": changed(case_json=None),
        "no attributes": without("nothing"),
        "no posterior": without("posterior"),
        "all NaN": flows(lambda d: d.assign(mass_flow=d["mass_flow"] * np.nan)),
        "no mass_flow": flows(lambda d: d.drop_vars("mass_flow")),
        "no chain": flows(lambda d: d.isel(chain=0)),
        "text": flows(lambda d: d.assign(mass_flow=d["mass_flow"].astype(str))),
    }


def xr_other_case() -> str:
    """The text of a case that no result of these tests is of."""
    from reeuncert.case.serial import case_to_json

    return case_to_json(ree.restrict("small_metal", [2017]))


def misuses(name: str, function: FunctionType, given: Given, dt: xr.DataTree) -> Iterator[Misuse]:
    """Every misuse of a function: what is done, and the call."""
    parameters = inspect.signature(function).parameters
    keyed, listed = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL

    def call(**changed: Any) -> Any:
        args, kwargs = [], {}
        for key, p in parameters.items():
            if p.kind is keyed:
                kwargs |= changed.get(key, {})
            elif p.kind is listed:
                args += changed.get(key, ())
            elif key in changed or p.default is inspect.Parameter.empty or _cheap(key):
                value = changed[key] if key in changed else given(name, key)
                if p.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
                    args.append(value)
                else:
                    kwargs[key] = value
            elif p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                args.append(p.default)
        return function(*args, **kwargs)

    yield "nothing wrong", call
    yield "no argument", function
    yield "an unknown keyword", lambda: function(no_such_argument=1)
    for key, p in parameters.items():
        for said, make in BAD.items():
            value = (
                {p.name: {"x": make()}}
                if p.kind is keyed
                else {p.name: (make(),)}
                if p.kind is listed
                else {key: make()}
            )
            yield f"{key} = {said}", lambda value=value: call(**value)
        if key in ("dt", "world", "result"):
            for said, tree in broken_results(dt).items():
                yield f"{key}: {said}", lambda key=key, tree=tree: call(**{key: tree})


_CHEAP = ("draws", "tune", "chains", "simulations", "jobs", "cache", "progress", "quiet", "progressbar", "samples")


def _cheap(key: str) -> bool:
    """Arguments that a good call gives too, so that what passes the guard is done soon."""
    return key in (
        "draws",
        "tune",
        "chains",
        "simulations",
        "jobs",
        "cache",
        "progress",
        "quiet",
        "progressbar",
        "samples",
    )


class LateError(Exception):
    """A call took too long."""


def outcome(call: Callable[[], Any]) -> str:
    """How a call ends: ``works``, ``refused``, or what else was raised and where."""

    def late(*_: object) -> None:
        raise LateError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
    except ree.ReeUncertError as error:
        return "refused" if str(error).strip() else "an empty message"
    except LateError:
        return f"hangs: more than {SECONDS} s"
    except Exception as error:  # noqa: BLE001  (any other error at all is what is looked for)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:100]
        return f"{type(error).__name__}: {text} ({Path(frame.filename).name}:{frame.lineno})"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return "works"


def tried(calls: Iterator[Misuse]) -> tuple[Counter[str], list[str]]:
    """Counts of outcomes, and the calls that neither worked nor were refused."""
    counts: Counter[str] = Counter()
    wrong = []
    for said, call in calls:
        ended = outcome(call)
        counts[ended if ended in ("works", "refused") else "raw"] += 1
        if ended not in ("works", "refused"):
            wrong.append(f"{said}: {ended}")
    return counts, wrong
