"""An outlook in the folder of a result, as the report shows it; loads little."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reeuncert import __version__
from reeuncert.errors import CaseError, OutputError
from reeuncert.files import first_line
from reeuncert.inference.provenance import model_sha256
from reeuncert.result.io import made
from reeuncert.result.result import Result

if TYPE_CHECKING:
    import pandas as pd

FILE, HINDCAST = "outlook.json", "hindcast.csv"


def outlook_of(result: Result) -> dict[str, Any] | None:
    """What an outlook has found of a result: kept there by whoever has read it; else none."""
    return None


def read_outlook(found: Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    """What an outlook wrote into a folder; what was read already, as it is. Raises `OutputError` if there is none, or
    the file cannot be read.
    """
    if isinstance(found, Mapping):
        return found
    file = Path(found) / FILE
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {"result", "warning", "questions"} <= content.keys():
            raise ValueError("it holds no outlook")
    except (OSError, ValueError) as error:
        again = "run `reeuncert outlook`" + (" again, or delete it" if file.exists() else f" on '{found}' first")
        raise OutputError(f"'{file}' cannot be read ({first_line(error)}); {again}") from error
    return content


def read_told(folder: Path, result: Result) -> dict[str, Any] | None:
    """What an outlook wrote into the folder of a result, with the verdict of its hindcast; None if there is none.

    Its warning tells if outlook or hindcast are not of this result, but of one that was there before. Raises
    `OutputError` if the file cannot be read.
    """
    if not (folder / FILE).is_file():
        return None
    content = read_outlook(folder)
    verdict, of = hindcast_of(folder, result)
    older = "The {} is older than the result: run `reeuncert outlook{}` again."
    old = [older.format("outlook", "")] * (content.get("result") != made(result.dt))
    old += [older.format("hindcast", " --hindcast")] * (bool(verdict) and of != made(result.dt))
    return dict(content) | {"hindcast": verdict, "warning": " ".join([*old, content["warning"]]).strip()}


def signed(table: pd.DataFrame, result: Result, seed: int) -> pd.DataFrame:
    """The table of a hindcast with, in its first row, what it was made of: result, version, seed and case."""
    said = {"result": made(result.dt), "version": __version__, "seed": str(seed), "case": model_sha256(result.case)}
    return table.assign(**{name: [value, *[""] * (len(table) - 1)] for name, value in said.items()})


def hindcast_of(folder: Path, result: Result) -> tuple[list[str], str]:
    """What a hindcast says, its verdict first, and when its result was made: that beside a result, else that which came
    with the case, told as such; nothing if there is none. Raises `OutputError` if the file is no such table.
    """
    from reeuncert.outlook.reading import folder_of

    files = [folder / HINDCAST]
    with suppress(CaseError):  # a case without plans
        files.append(folder_of(result.case) / HINDCAST)
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        return [], ""
    import pandas as pd

    from reeuncert.outlook.hindcast import hindcast_verdict

    try:
        table = pd.read_csv(file)
        said, first = hindcast_verdict(table), table.iloc[0]
        if file == files[0]:
            return said, str(first["result"]) if "result" in table else ""
        note = f"This hindcast came with the case (version {first['version']}, seed {first['seed']:.0f})."
    except (OSError, ValueError, LookupError) as error:
        message = f"'{file}' is no table that `reeuncert outlook --hindcast` wrote ({first_line(error)})"
        raise OutputError(f"{message}; delete it, or make it again") from error
    if first["case"] != model_sha256(result.case):
        note += " The case has changed since."
    return [*said, f"{note} `reeuncert outlook --hindcast` makes it again."], made(result.dt)
