"""Result files: draws as netCDF, tables as CSV, provenance as JSON; reads draws back."""

import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.serial import case_from_json, without_folder
from reeuncert.errors import CaseError, OutputError
from reeuncert.files import expanded, explained, first_line, named
from reeuncert.result.folder import mend
from reeuncert.result.netcdf import PACKED, held_in, read_tree, tree_bytes, with_bits
from reeuncert.words.cells import printable

POSTERIOR = "posterior.nc"
PROVENANCE = "provenance.json"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that spreadsheets interpret as a formula."""

_CHUNK_BYTES = 2_000_000
_LARGEST = 2**15 - 1
BITS: Mapping[str, int] = {
    "posterior/mass_flow": 30,
    "prior/mass_flow": 12,
    "prior": 16,
    "posterior/z": 10,
    "posterior/offset_z": 16,
    "posterior/log_offset": 20,
    "log_likelihood": 14,
    "log_prior": 14,
    "prior_predictive": 12,
    "posterior_predictive": 12,
}
"""Bits of the mantissa that a file keeps of a variable or group, all by default: flows are exact to 2^-31, and their
balance closes to 2^-30 = 9.3e-10 of what passes through a process. No use of the others needs more than three digits:
their Monte Carlo errors are larger."""
STEPS: Mapping[str, float] = dict.fromkeys(("posterior/z", "posterior/offset_z", "prior/offset_z"), 1 / 256)
"""Standard coordinates are kept as multiples of this, in integers of 16 bits, if all fit in."""
_JSON_ATTRIBUTES = ("versions", "seconds", "case_options", "file_sha256")


def write_draws(dt: xr.DataTree, path: Path) -> None:
    """Write draws as netCDF-4 with the precision of `BITS` and `STEPS`; what the file holds already stays."""
    groups, texts = held_in(path)
    dt = _storable(dt).drop_nodes(groups, errors="ignore")
    dt.attrs = {name: v for name, v in dt.attrs.items() if not isinstance(v, str) or texts.get(str(name)) != v}
    encoding: dict[str, dict[str, dict[str, Any]]] = {}
    for group in dt.children:
        data = dt[group].to_dataset()
        how = encoding[f"/{group}"] = {str(name): _encoding(v) for name, v in data.data_vars.items() if v.ndim}
        short = {}
        for name, variable in data.data_vars.items():
            step, bits = STEPS.get(f"{group}/{name}"), BITS.get(f"{group}/{name}", BITS.get(group))
            if step and np.nanmax(np.abs(variable.values), initial=0.0) < _LARGEST * step:
                how[str(name)] |= {"dtype": "i2", "scale_factor": step, "_FillValue": -_LARGEST}
            elif bits and variable.dtype == np.float64:
                short[str(name)] = with_bits(variable, bits)
        if short:
            dt[group] = xr.DataTree(data.assign(short))
    path.write_bytes(tree_bytes(dt, encoding, before=path))


def _storable(dt: xr.DataTree) -> xr.DataTree:
    """The tree with attributes for netCDF: other types become JSON text; user folders are removed."""
    tree = dt.copy(deep=False)
    if isinstance(tree.attrs.get("case_json"), str):
        tree.attrs["case_json"] = without_folder(tree.attrs["case_json"])
    for node in tree.subtree:
        node.attrs = _attributes(node.attrs, node.path)
        for name, variable in node.variables.items():
            variable.attrs = _attributes(variable.attrs, f"{node.path} {name}")
    return tree


def _attributes(given: Mapping[Any, Any], where: str) -> dict[str, Any]:
    out = {}
    for name, value in given.items():
        if not isinstance(name, str) or not name or not name.isprintable():
            told = f"the attribute {name!r:.60} of '{where}' has no name that a file can hold"
            raise OutputError(f"{told}; give it a text")
        value = named(value) if isinstance(value, Path) else _plain(value)
        if not _is_plain(value):
            try:
                value = json.dumps(value, ensure_ascii=False, default=str)
            except (TypeError, ValueError, RecursionError) as error:
                told = f"the attribute '{name}' of '{where}' cannot be stored ({error})"
                raise OutputError(f"{told}; give it a text or a number") from error
        out[name] = value
    return out


def _is_plain(value: object) -> bool:
    """Whether netCDF can store a value: a text, a 64-bit number, or a list of either."""
    if isinstance(value, list | tuple) and value:
        return all(isinstance(v, str) for v in value) or all(isinstance(v, int | float) and _is_plain(v) for v in value)
    if isinstance(value, bool | list | tuple):
        return False
    return isinstance(value, str | float) or (isinstance(value, int) and -(2**63) <= value < 2**63)


def read_draws(path: str | Path, variables: Mapping[str, Iterable[str]] | None = None) -> xr.DataTree:
    """The part of `reeuncert.read_results` that reads: a result without the indicators that its file only names."""
    file = expanded(path)
    if os.path.isdir(file):  # False for a name that is too long, where pathlib raises
        mend(file)
        _compare_with_provenance(file)
        file = file / POSTERIOR
    if not os.path.isfile(file):
        raise OutputError(f"there is no result at '{path}'; give a {POSTERIOR}, or the folder of a run that holds one")
    tree = read_tree(file, variables)
    if "posterior" not in tree.children or "case_json" not in tree.attrs:
        raise OutputError(
            f"'{path}' is a netCDF file, but no result of this package (it lacks the group 'posterior' or the "
            "attribute 'case_json'); give a file that `reeuncert run` wrote"
        )
    tree.attrs = {name: _plain(value) for name, value in tree.attrs.items()}
    if wrong := wrong_with(tree):
        raise OutputError(f"'{path}' is no whole result of this package: {wrong}; run the case again")
    return tree


def _compare_with_provenance(folder: Path) -> None:
    """Compare the files of a folder with the hashes of its provenance.

    Other draws are an error, a changed table is a warning; the report is not compared, since it may be rewritten.
    """
    stated = _stated_hashes(folder)
    changed = [name for name, value in stated.items() if _changed(folder / name, value)]
    if POSTERIOR in changed:
        raise OutputError(
            f"'{folder / POSTERIOR}' is not the file that {PROVENANCE} beside it speaks of: it was damaged, changed or "
            f"taken from another run. Copy the folder again, or run the case again; give '{folder / POSTERIOR}' itself "
            "to read it all the same"
        )
    if tables := ", ".join(name for name in changed if name.endswith(".csv")):
        message = f"{tables} in '{folder}' changed after the run had written them; the draws did not"
        warnings.warn(message, stacklevel=3)


def _stated_hashes(folder: Path) -> dict[str, str]:
    """File name → SHA-256 from the provenance of a folder; empty if there is none."""
    file = folder / PROVENANCE
    if not os.path.isfile(file):
        return {}
    try:
        stated = json.loads(file.read_text(encoding="utf-8"))["files_sha256"]
        if not all(isinstance(text, str) and Path(name).name == name for name, text in stated.items()):
            raise ValueError("'files_sha256' does not name a text for each file")
        return dict(stated)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise OutputError(
            f"'{file}' cannot be read: it was cut short or is damaged ({first_line(error)}), so that it is not known "
            f"whether the files beside it belong together. Copy the folder again, or give '{folder / POSTERIOR}' itself"
        ) from error


def _changed(file: Path, stated: str) -> bool:
    with explained(f"cannot read '{file}'", "copy it again, or run the case again"):
        return os.path.isfile(file) and sha256(file) != stated


def wrong_with(tree: xr.DataTree, *, needs_case: bool = True) -> str:
    """Reason why a tree is not a result: flows must be numbers by chain, draw, flow and year of its case."""
    if "case_json" not in tree.attrs and not needs_case:
        return ""
    text = tree.attrs.get("case_json")
    if not isinstance(text, str):
        return "its attribute 'case_json', which says what its case is, is missing or no text"
    try:
        system = case_from_json(text).system
    except CaseError as error:
        return f"its case cannot be read ({error.problems[0]})"
    groups = [name for name in ("posterior", "prior") if name in tree.children]
    if not groups:
        return "it has neither of the groups 'posterior' and 'prior'"
    mass = tree[groups[0]].to_dataset().get("mass_flow")
    if mass is None:
        return "it holds no 'mass_flow'"
    if lost := lost_draws(mass):
        return lost
    if set(mass.dims) != {"chain", "draw", "flow", "year"} or mass.dtype.kind not in "fiu" or not mass.size:
        return f"'mass_flow' has the dims {printable(', '.join(map(str, mass.dims)))} and the type {mass.dtype}"
    known: dict[str, set[Any]] = {"flow": {f.name for f in system.flows}, "year": set(system.years)}
    for dim, names in known.items():
        if dim not in mass.coords or not set(mass[dim].values.tolist()) <= names:
            return f"'mass_flow' has another {dim} than its case"
    if np.isnan(mass.isel(chain=0, draw=0)).all():
        return "every flow of its first draw is NaN"
    return ""


def lost_draws(variable: xr.DataArray) -> str:
    """What to do where a variable has no dim of chains or draws any more; empty where it has both."""
    lost = [dim for dim in ("chain", "draw") if dim not in variable.dims]
    return f"'{variable.name}' has lost its dim '{lost[0]}': choose by a list, isel({lost[0]}=[0])" if lost else ""


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV text; texts that look like formulas get an apostrophe in front.

    Numbers have eight digits, and a hyphen as minus sign, in texts too; NaN is an empty cell.
    """
    safe = table.copy()
    for position, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(position, [_harmless(cell) for cell in safe.iloc[:, position]])
    safe.columns = [_harmless(str(name)) for name in safe.columns]
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.8g")


def made(dt: xr.DataTree) -> str:
    """When a result was made, as its attributes say: what is found of it belongs to it alone."""
    return str(dt.attrs.get("created", "unknown"))


def provenance(dt: xr.DataTree) -> dict[str, Any]:
    """Provenance of a result as plain values for JSON (without the case)."""
    out: dict[str, Any] = {}
    for name, found in _attributes(dt.attrs, "/").items():
        if name == "case_json":
            continue
        if name in _JSON_ATTRIBUTES and isinstance(found, str):
            with suppress(ValueError, RecursionError):  # plain text, not JSON
                found = json.loads(found)
        out[name] = found
    return out


def _encoding(variable: xr.DataArray) -> dict[str, Any]:
    if variable.dtype.kind not in "fiub":
        return {}
    found: dict[str, Any] = dict(PACKED)
    size = int(np.prod(variable.shape))
    if size * 8 > _CHUNK_BYTES:
        chunks, left = [], _CHUNK_BYTES // 8
        for dim, length in zip(reversed(variable.dims), reversed(variable.shape), strict=True):
            # Numbers of one size side by side pack better.
            chunks.append(1 if dim in ("flow", "evidence") else max(1, min(length, left)))
            left = max(1, left // chunks[-1])
        found["chunksizes"] = tuple(reversed(chunks))
    return found


def _harmless(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = re.sub(r"\N{MINUS SIGN}(?=[\d.])", "-", cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    return value.tolist() if isinstance(value, np.ndarray) else value


def sha256(path: Path) -> str:
    """SHA-256 of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
