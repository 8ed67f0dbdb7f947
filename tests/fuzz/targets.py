"""One function for every reader of a user's files: bytes in, nothing out, and only our own errors on the way.

Each target returns True if the reader accepted the input and False if it refused it with an error of this package;
whatever else it raises is a defect. The same targets serve hypothesis (`tests/unit/test_fuzz_*.py`) and atheris
(`tests/fuzz/run_atheris.py`).
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from xarray import DataTree

from case_files import FILES, write_case
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.cli.terminal import parse_options
from reeuncert.errors import CaseError, Problem, ReeUncertError
from reeuncert.indicators.stored import read_results, write_netcdf
from reeuncert.outlook.reading import read_plans
from reeuncert.reading.case_file import read_case_file
from reeuncert.reading.tables import Column, read_table
from reeuncert.reference import published_values
from reeuncert.testing import flow_dataset, toy_case, toy_flows
from reeuncert.validation.reader import load_case
from reeuncert.words.cells import (
    CellError,
    condensed,
    did_you_mean,
    name_cell,
    number_cell,
    parse_years,
    quoted,
    text_cell,
    when_cell,
    year_cell,
)

Target = Callable[[bytes], bool]

TABLES = tuple(name for name in FILES if name.endswith(".csv"))
PUBLISHED = """\
id,source_id,statement,indicator,region,partner,product,quantity,year_from,year_to,value,low,high,unit,hedge,note
P1,study,"in 2001, ~40 %",import_dependence,North,South,oxide,share,2001,2001,40,,,%,~,
P2,study,12 kt,end_use_consumption,North,,oxide,mass,2000,2002,12,,,kt REO,,cumulated
"""


SCENARIOS = """\
[[scenario]]
name = "a"
fails = []
limits = [{select = {product = "powder"}, factor = 0.5, from = 2030}]
[[answer]]
indicator = "import_dependence"
region = "North"
partner = "South"
product = "powder"
lines = [0.5]
years = [2030]
"""


@cache
def scratch() -> Path:
    """A folder for files under test, in memory where there is such a place."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _case_folder(name: str) -> Path:
    return write_case(scratch() / name)


def toml(data: bytes) -> bool:
    """``case.toml`` alone."""
    folder = _case_folder("toml")
    (folder / "case.toml").write_bytes(data)
    found = read_case_file(folder / "case.toml", {})
    _well_formed(found.problems)
    return not found.problems


def csv_table(data: bytes) -> bool:
    """The strict reader of tables, with a column of every kind of cell."""
    path = scratch() / "table.csv"
    path.write_bytes(data)
    columns = [
        Column("name", name_cell, required=True),
        Column("value", number_cell),
        Column("year", year_cell),
        Column("years", lambda text: parse_years(text, 2000, 2022)),
        Column("when", when_cell),
        Column("note"),
    ]
    table = read_table(path, "table.csv", columns, {})
    _well_formed(table.problems)
    return table.clean


def scenarios(data: bytes) -> bool:
    """``scenarios.toml`` of an outlook."""
    folder = scratch() / "plans"
    folder.mkdir(exist_ok=True)
    header = "project,region,stage,capacity,unit,basis,content,announced_start,announced_on,status,source_id\n"
    (folder / "projects.csv").write_text(header)
    (folder / "scenarios.toml").write_bytes(data)
    try:
        read_plans(folder, toy_case())
    except CaseError as error:
        _well_formed(error.problems)
        return False
    return True


def whole_case(file: str, data: bytes) -> bool:
    """A whole case in which one file is replaced."""
    folder = _case_folder("whole")
    before = FILES[file].encode()
    (folder / file).write_bytes(data)
    try:
        reading = load_case(folder)
    finally:
        (folder / file).write_bytes(before)
    _well_formed([*reading.problems, *reading.warnings])
    return not reading.problems


def any_table(data: bytes) -> bool:
    """A whole case; the first byte says which of its tables the rest replaces."""
    return whole_case(TABLES[data[0] % len(TABLES)], data[1:]) if data else True


def cells(data: bytes) -> bool:
    """Every parser of a cell on one text."""
    text = data.decode("utf-8", "surrogateescape")
    accepted = True
    for parse in (text_cell, name_cell, number_cell, year_cell, when_cell, lambda t: parse_years(t, 2000, 2022)):
        try:
            found = parse(text)
        except CellError as error:
            accepted = False
            _printable(str(error))
        else:
            if parse is parse_years:
                condensed(found)
    assert quoted(text).isprintable()
    did_you_mean(text, ["China", "RoW"])
    return accepted


def case_json(data: bytes) -> bool:
    """A case from the text that results carry."""
    try:
        case = case_from_json(data.decode("utf-8", "replace"))
    except ReeUncertError as error:
        _printable(str(error))
        return False
    case_to_json(case)
    return True


def option(data: bytes) -> bool:
    """``--option`` of the commands."""
    try:
        parse_options(data.decode("utf-8", "replace").split("\x00"))
    except ReeUncertError as error:
        _printable(str(error))
        return False
    return True


@cache
def _reference_case() -> tuple[Path, object]:
    folder = _case_folder("reference")
    (folder / "reference").mkdir(exist_ok=True)
    return folder, load_case(folder).case


def published(data: bytes) -> bool:
    """The table of published values that results are set beside."""
    folder, case = _reference_case()
    (folder / "reference" / "published_reference.csv").write_bytes(data)
    try:
        published_values(case)  # type: ignore[arg-type]  # the case is valid: it was read from valid files
    except ReeUncertError as error:
        _printable(str(error))
        return False
    return True


@cache
def small_result() -> bytes:
    """Bytes of a small posterior.nc, with its flows alone."""
    path = scratch() / "small.nc"
    case = toy_case(years=2)
    flows = toy_flows(case.system, 0.1, np.random.default_rng(0), 4).reshape(1, 4, -1, 2)
    tree = DataTree.from_dict({"posterior": flow_dataset(case.system, flows)})
    tree.attrs = {"case_json": case_to_json(case), "case_name": case.name, "seed": 0}
    write_netcdf(tree, path)
    return path.read_bytes()


def netcdf(data: bytes) -> bool:
    """A posterior.nc."""
    path = scratch() / "posterior.nc"
    path.write_bytes(data)
    try:
        read_results(path)
    except ReeUncertError as error:
        _printable(str(error))
        return False
    return True


def _well_formed(problems: list[Problem] | tuple[Problem, ...]) -> None:
    for problem in problems:
        _printable(str(problem))
        assert problem.message, "a problem without words"


def _printable(text: str) -> None:
    odd = [c for c in text if not c.isprintable() and c != "\n"]
    assert not odd, f"a message holds U+{ord(odd[0]):04X}"


TARGETS: dict[str, Target] = {
    "toml": toml,
    "csv_table": csv_table,
    "scenarios": scenarios,
    "any_table": any_table,
    "cells": cells,
    "case_json": case_json,
    "option": option,
    "published": published,
    "netcdf": netcdf,
}


def seeds(name: str) -> list[bytes]:
    """Valid inputs of a target, from which mutations start."""
    if name == "toml":
        return [FILES["case.toml"].encode()]
    if name == "csv_table":
        return [b'name,value,year,years,when,note\nore,1.5e3,2001,2000-2002;2005,scope=a|b,"a, ""b"""\n']
    if name == "scenarios":
        return [SCENARIOS.encode()]
    if name == "any_table":
        return [bytes([i]) + FILES[table].encode() for i, table in enumerate(TABLES)]
    if name == "cells":
        return [b"1.5e3", b"2000-2002;2005", b"scope=a|b; x=y", b"CN mining", b"-1,500.5", b"=cmd|' /C calc'!A0"]
    if name == "case_json":
        return [case_to_json(case).encode() for case in [load_case(_case_folder("seed")).case] if case]
    if name == "option":
        return [b"gap_structure=flat", b"a=b\x00c=d"]
    if name == "published":
        return [PUBLISHED.encode()]
    return [small_result()]


WORDS = sorted(
    {w.strip() for text in FILES.values() for line in text.split("\n") for w in line.split(",") if 0 < len(w) <= 20}
)
"""Words of the tables, for a mutator's dictionary."""

__all__ = ["TABLES", "TARGETS", "WORDS", "seeds", "small_result", "whole_case"]
