"""Tables as JSON text and back, exactly: what files of studies carry in their attributes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd


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

    Raises
    ------
    ValueError
        When the text is no such table.
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a table is missing")
    columns: dict[str, pd.Series] = {}
    for name, (kind, cells) in content.items():
        if kind == "f":
            columns[name] = pd.Series([np.nan if cell is None else float(cell) for cell in cells], dtype="float64")
        elif kind == "i":
            columns[name] = pd.Series(cells, dtype="int64")
        else:
            columns[name] = pd.Series([str(cell) for cell in cells], dtype="str")
    return pd.DataFrame(columns)


def _cells(column: pd.Series) -> tuple[str, list[object]]:
    if pd.api.types.is_integer_dtype(column):
        return "i", [int(cell) for cell in column]
    if pd.api.types.is_float_dtype(column):
        return "f", [None if cell != cell else float(cell) for cell in column]
    return "s", [str(cell) for cell in column]
