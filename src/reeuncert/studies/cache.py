"""Finished fits: what is kept of one, its file, and the folder in which it is found again by what was asked."""

import functools
import hashlib
import importlib.resources
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import pandas as pd
import xarray as xr

from reeuncert.errors import OutputError
from reeuncert.files import UNFINISHED, cause, expanded, explained, first_line, write_whole
from reeuncert.machine import cache_folder
from reeuncert.result.netcdf import read_tree, tree_bytes
from reeuncert.words.cells import printable

FORMAT = "reeuncert scenario 3"


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of one fit: arrays, tables, and about it convergence, seconds, whether a model was compiled."""

    data: Mapping[str, xr.Dataset] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_netcdf(self, path: Path, written: str = FORMAT) -> None:
        """Write as netCDF-4; tables and `about` are JSON in its attributes, beside the word for its format."""
        tree = xr.DataTree.from_dict(dict(self.data))
        tree.attrs = {"format": written, "about": json.dumps(self.about, sort_keys=True)}
        tree.attrs |= {name: table_text(table) for name, table in self.tables.items()}
        write_whole(path, tree_bytes(tree))

    @classmethod
    def read(cls, path: Path, written: str = FORMAT, what: str = "result of a fit, or is damaged") -> Self:
        """Read back what `to_netcdf` wrote. Raises `OutputError` if the file is not ``what`` it should be."""
        tree = read_tree(path)
        try:
            texts = {str(name): str(text) for name, text in tree.attrs.items()}
            if (found := texts.pop("format")) != written:
                raise ValueError(f"its format is '{printable(found)}', and this version reads '{written}'")
            about = json.loads(texts.pop("about"))
            data = {str(name): node.to_dataset() for name, node in tree.children.items()}
            return cls(data, {name: table_of(text) for name, text in texts.items()}, about)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError(f"'{path}' is no {what}: {first_line(error)}") from error


_TYPES = {"f": "float64", "b": "bool", "i": "int64", "s": "str"}


def table_text(table: pd.DataFrame) -> str:
    """A table as JSON; what is not given (NaN) becomes null."""
    columns = {}
    for name in table.columns:
        kind = {"f": "f", "b": "b", "i": "i", "u": "i"}.get(table[name].dtype.kind, "s")
        cells = table[name].tolist() if kind != "s" else list(map(str, table[name]))
        columns[str(name)] = kind, [None if cell != cell else cell for cell in cells]
    return json.dumps(columns, ensure_ascii=False)


def table_of(text: str) -> pd.DataFrame:
    """The table that `table_text` wrote.

    >>> table = pd.DataFrame({"name": ["a", "b"], "year": [0, 2010], "value": [0.5, float("nan")]})
    >>> bool(table_of(table_text(table)).equals(table))
    True
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a table is missing")
    columns = {name: pd.Series(cells, dtype=_TYPES.get(kind, "str")) for name, (kind, cells) in content.items()}
    return pd.DataFrame(columns)


def package_version() -> str:
    """Version of this package, as it stands in the names of files."""
    return re.sub(r"[^\w.+]", "_", version("reeuncert"))


_NOT_PART = ("cli", "counterfactuals", "plots", "report")
"""Subpackages that no fit depends on."""


@functools.cache
def release_of_results() -> str:
    """Version of the package and fingerprint of its code: between two releases, results of changed code differ too."""
    root = Path(str(importlib.resources.files("reeuncert")))
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root)
        if place.parts[0] not in _NOT_PART:
            found.update(place.as_posix().encode() + b"\0" + path.read_bytes())
    return f"{package_version()}+{found.hexdigest()[:8]}"


@dataclass
class Cache:
    """A folder of finished fits, one netCDF file each; nothing in it is executed when it is read.

    Without a folder nothing is kept. Results of another release of the package are left where they are; ``notes`` says
    what was found and could not be used.
    """

    folder: Path | None
    named: bool = False
    release: str = field(default_factory=release_of_results)
    notes: list[str] = field(default_factory=list)

    def has(self, key: str) -> bool:
        """Whether there is a result of this version under a key."""
        return self.folder is not None and self._path(key).is_file()

    def get(self, key: str, name: str) -> Kept | None:
        """The result under a key; None when there is none, or none that can be used (then a note says why)."""
        if self.folder is None:
            return None
        path = self._path(key)
        if path.is_file():
            try:
                return Kept.read(path)
            except OutputError as error:
                self.notes.append(f"the kept result of '{name}' cannot be used and is made again: {error}")
                return None
        others = sorted(p.stem.partition("-")[2] for p in self.folder.glob(f"{key}-*.nc"))
        if others:
            self.notes.append(
                f"the kept result of '{name}' is of version {', '.join(others)} and this is {self.release}; "
                "it is made again, and the older one stays"
            )
        return None

    def put(self, key: str, kept: Kept) -> str:
        """Keep a result, whole or not at all. Where that fails, nothing more is kept: returns a note that says so."""
        if self.folder is None:
            return ""
        try:
            kept.to_netcdf(self._path(key))
        except OSError as error:
            note = f"finished fits cannot be kept in '{self.folder}' ({cause(error)}); the study goes on without"
            self.notes.append(note)
            self.folder = None
            return note
        return ""

    def prepare(self) -> None:
        """Make the folder, so that a place that cannot be written is reported before anything is fitted.

        A folder that the user named must be there; where it is the usual one, a note says that the study goes on
        without.
        """
        if self.folder is None:
            return
        what = f"cannot keep finished fits in '{self.folder}'"
        try:
            with explained(what, "name another folder for them, or keep none"):
                self.folder.mkdir(parents=True, exist_ok=True)
                handle, temporary = tempfile.mkstemp(prefix=UNFINISHED, dir=self.folder)
                os.close(handle)
                os.unlink(temporary)
        except OutputError as error:
            if self.named:
                raise
            self.notes.append(f"{error}; the study goes on without")
            self.folder = None

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{key}-{self.release}.nc"


def cache_of(given: str | Path | bool) -> Cache:
    """A cache in a folder; True: in the usual place; False: none."""
    if isinstance(given, bool):
        return Cache(cache_folder() / "fits" if given else None)
    return Cache(expanded(given), named=True)
