"""What is kept of one fit, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.errors import OutputError
from reeuncert.files import first_line, write_whole
from reeuncert.result.netcdf import read_tree, tree_bytes

FORMAT = "reeuncert scenario 2"


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of one fit: arrays and tables by name, and about it the seconds by phase, whether a model was
    compiled, versions, seed.
    """

    data: Mapping[str, xr.Dataset] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def with_about(self, **more: Any) -> Kept:
        """The same with more entries in `about`."""
        return replace(self, about={**self.about, **more})

    def to_netcdf(self, path: Path) -> None:
        """Write as netCDF-4; tables and `about` are JSON in its attributes."""
        tree = xr.DataTree.from_dict(dict(self.data))
        texts = {name: table_text(table) for name, table in self.tables.items()}
        tree.attrs = {"format": FORMAT, "tables": json.dumps(texts), "about": json.dumps(self.about, sort_keys=True)}
        write_whole(path, tree_bytes(tree))

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Read back what `to_netcdf` wrote."""
        tree = read_tree(path)
        try:
            written, tables, about = (str(tree.attrs[name]) for name in ("format", "tables", "about"))
            if written != FORMAT:
                raise ValueError(f"its format is '{written[:40]}', not '{FORMAT}'")
            data = {str(name): node.to_dataset() for name, node in tree.children.items()}
            return cls(data, {name: table_of(text) for name, text in json.loads(tables).items()}, json.loads(about))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError(f"'{path}' is no result of a fit, or is damaged: {first_line(error)}") from error


def table_text(table: pd.DataFrame) -> str:
    """A table as JSON; what is not given (NaN) becomes null."""
    columns = {str(name): _cells(table[name]) for name in table.columns}
    return json.dumps(columns, ensure_ascii=False, allow_nan=False)


def table_of(text: str) -> pd.DataFrame:
    """The table that `table_text` wrote.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["a", "b"], "year": [0, 2010], "value": [0.5, float("nan")]})
    >>> bool(table_of(table_text(table)).equals(table))
    True
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a table is missing")
    columns: dict[str, pd.Series] = {}
    for name, (kind, cells) in content.items():
        if kind == "f":
            columns[name] = pd.Series([np.nan if cell is None else float(cell) for cell in cells], dtype="float64")
        elif kind == "b":
            columns[name] = pd.Series(cells, dtype="bool")
        elif kind == "i":
            columns[name] = pd.Series(cells, dtype="int64")
        else:
            columns[name] = pd.Series([str(cell) for cell in cells], dtype="str")
    return pd.DataFrame(columns)


def _cells(column: pd.Series) -> tuple[str, list[object]]:
    if pd.api.types.is_bool_dtype(column):
        return "b", [bool(cell) for cell in column]
    if pd.api.types.is_integer_dtype(column):
        return "i", [int(cell) for cell in column]
    if pd.api.types.is_float_dtype(column):
        return "f", [None if cell != cell else float(cell) for cell in column]
    return "s", [str(cell) for cell in column]
