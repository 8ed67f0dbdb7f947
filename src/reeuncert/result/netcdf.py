"""Reads and writes netCDF-4; translates library errors to `OutputError`."""

import io
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr
from h5netcdf import CompatibilityError
from xarray.backends import BackendArray
from xarray.core import indexing

from reeuncert.errors import OutputError
from reeuncert.files import first_line

_DAMAGE = (
    *(OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError),
    *(RuntimeError, MemoryError, BufferError, EOFError, SystemError, ImportError),
)
"""Errors of h5py, h5netcdf and xarray for a corrupted file."""

_BLOCK = 1_000_000

PACKED: Mapping[str, Any] = {"zlib": True, "complevel": 1, "shuffle": True}
"""Light compression, with a checksum per block."""


def held_in(path: Path) -> tuple[list[str], dict[str, object]]:
    """Groups and attributes of a netCDF-4 file; none where there is none yet."""
    if not path.exists() or not path.stat().st_size:
        return [], {}
    with h5py.File(path, "r") as held:
        return [name for name, node in held.items() if isinstance(node, h5py.Group)], dict(held.attrs)


def tree_bytes(tree: xr.DataTree, encoding: Mapping[str, Any] | None = None, before: Path | None = None) -> bytes:
    """A tree as the content of a netCDF-4 file, after what the file ``before`` holds; ``encoding``: group → variable →
    how it is stored, by default all `PACKED`.

    In memory: HDF5 ends the process where the disk fills up, also behind a file object of Python.
    """
    content, chosen = io.BytesIO(before.read_bytes() if before and before.exists() else b""), encoding
    if chosen is None:
        chosen = {f"/{name}": dict.fromkeys(map(str, tree[name].data_vars), PACKED) for name in tree.children}
    # With a Dask cluster at hand xarray would lock the file there, under the address of a buffer of this process.
    here = sys.modules["dask"].config.set(scheduler="threads") if "dask" in sys.modules else nullcontext()
    with here, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        try:
            tree.to_netcdf(content, "a" if content.seek(0, io.SEEK_END) else "w", engine="h5netcdf", encoding=chosen)
        except (TypeError, ValueError, CompatibilityError) as error:
            raise OutputError(f"the result holds what netCDF cannot store: {first_line(error)}; remove it") from error
    return content.getvalue()


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """Numbers of 64 bits rounded to so many bits of the mantissa; those cut off are zero and are packed to nothing.

    The relative error is at most 2^-(bits + 1).

    >>> rounded(np.array([1 / 3, 1.0, np.nan]), 4)
    array([0.328125, 1.      ,      nan])
    """
    cut = 52 - bits
    out = np.array(values, dtype=np.float64, order="C")
    flat = out.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        part = flat[start : start + _BLOCK]
        finite = np.isfinite(part)
        pattern = part.view(np.int64)
        # To nearest, ties to even; a carry out of the mantissa rightly raises the exponent.
        near = pattern + ((pattern >> cut) & 1) + ((1 << (cut - 1)) - 1)
        np.copyto(pattern, near & ~((1 << cut) - 1), where=finite)
    return out


class _Rounded(BackendArray):
    """A variable that is rounded when it is written, so that no more than one of them is in memory twice."""

    def __init__(self, values: np.ndarray, bits: int):
        self.values, self.bits, self.shape, self.dtype = values, bits, values.shape, values.dtype

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        support = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(
            key, self.shape, support, lambda part: rounded(self.values[part], self.bits)
        )


def with_bits(variable: xr.DataArray, bits: int) -> xr.DataArray:
    """A variable as it is to be written: rounded to so many bits, see `rounded`."""
    return variable.copy(data=indexing.LazilyIndexedArray(_Rounded(variable.values, bits)))


def read_tree(path: Path, variables: Mapping[str, Iterable[str]] | None = None) -> xr.DataTree:
    """Read a tree into memory, all of it or some variables of each group."""
    if not os.access(path, os.R_OK):
        raise OutputError(f"'{path}' cannot be read: no permission to read it")
    try:
        with h5py.File(path, "r") as held:
            # h5netcdf reads this first; if it fails there, it leaves an object that cannot be closed.
            held.attrs.get("_nc3_strict")
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            return (opened if variables is None else _only(opened, variables)).load().copy()
    except _DAMAGE as error:
        raise OutputError(
            f"'{path}' cannot be read: it was cut short, is damaged or is no netCDF-4 file ({first_line(error)}); "
            "copy it again, or run the case again"
        ) from error


def _only(tree: xr.DataTree, variables: Mapping[str, Iterable[str]]) -> xr.DataTree:
    held = {group: (tree[group].to_dataset(), names) for group, names in variables.items() if group in tree.children}
    kept = {group: data[[n for n in names if n in data.data_vars]] for group, (data, names) in held.items()}
    part = xr.DataTree.from_dict(kept)
    part.attrs = dict(tree.attrs)
    return part
