"""TOML that a user wrote: its content, or the problem with it, and the line of every key."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from reeuncert.errors import Problem

MOST_LINE = 4_000
DEEPEST = 6


def parse_toml(text: str, file: str) -> dict[str, Any] | Problem:
    """Content of a TOML text that a user wrote, or the problem with it, on its line."""
    long = next((n for n, line in enumerate(text.split("\n"), 1) if len(line) > MOST_LINE), 0)
    if long:
        return Problem(file, long, "", f"the line has more than {MOST_LINE:,} characters; break the text over lines")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what, where = str(error).partition(" (at ")[0], f"in line {line} or before it"
        return Problem(file, line, "", f"not valid TOML {where}: {what}; texts stand in quotes, lists in brackets")
    except RecursionError:
        return Problem(file, 0, "", f"tables or lists are nested too deeply; at most {DEEPEST} levels are read")
    except ValueError as error:
        return Problem(file, 0, "", f"a value cannot be read ({error}); write a plain number or text")
    level: list[object] = [content]
    for _ in range(DEEPEST):
        parts = (item.values() if isinstance(item, dict) else item if isinstance(item, list) else () for item in level)
        level = [item for part in parts for item in part]
    if any(isinstance(item, dict | list) for item in level):
        return Problem(file, 0, "", f"tables or lists are nested too deeply; at most {DEEPEST} levels are read")
    return content


def line_of(text: str, where: Sequence[str | int]) -> int:
    r"""Line of a key of a TOML text, as well as the layout allows; 0 when it is not written there.

    >>> line_of('unit = "kt"\n[options.gap]\ndefault = "a"\n', ("options", "gap", "default"))
    3
    """
    keys = [str(k) for k in where if isinstance(k, str)]
    entry = where[1] if len(where) > 1 else ""  # of a list of tables; other lists stand on the line of their key
    best, table, seen = (0, 0), [""][:0], 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        heading = re.match(r"\[\[?\s*([^\[\]]+?)\s*\]\]?", line)
        if heading and "=" not in heading[0]:
            table = [part.strip().strip("\"'") for part in heading[1].split(".")]
            seen += table == keys[: len(table)] and line.startswith("[[")
            path = table
        elif "=" in line:
            path = [*table, *(part.strip().strip("\"'") for part in line.partition("=")[0].split("."))]
        else:
            continue
        in_list = bool(table) and isinstance(entry, int)
        if path == keys[: len(path)] and len(path) > best[1] and (not in_list or seen == int(entry) + 1):
            best = (number, len(path))
    return best[0]
