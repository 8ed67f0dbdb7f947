"""An outlook in the folder of a result, as the report shows it; loads little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reeuncert.errors import OutputError
from reeuncert.files import first_line
from reeuncert.result.result import Result

FILE, HINDCAST = "outlook.json", "hindcast.csv"


def outlook_of(result: Result) -> dict[str, Any] | None:
    """What an outlook has found of a result: kept there by whoever has read it; else none."""
    return None


def read_told(folder: Path) -> dict[str, Any] | None:
    """What an outlook wrote into the folder of a result, with the verdict of its hindcast; None if there is none.

    Raises
    ------
    OutputError
        If the file cannot be read.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        again = "run `reeuncert outlook` again, or delete it"
        raise OutputError(f"'{file}' cannot be read ({first_line(error)}); {again}") from error
    return content | {"hindcast": _verdict(folder / HINDCAST)}


def _verdict(file: Path) -> list[str]:
    """What a hindcast says, its verdict first; nothing if none was made."""
    if not file.is_file():
        return []
    import pandas as pd

    from reeuncert.outlook.hindcast import hindcast_verdict

    return hindcast_verdict(pd.read_csv(file))
