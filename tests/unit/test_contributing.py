"""CONTRIBUTING.md is a map, and a map must be true: names that it gives exist, and what exists is named."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from reeuncert.checks import CHECKS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "reeuncert"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PLAIN = {"str", "int", "float", "bool", "tuple", "Any"}


def rows(heading: str) -> list[list[str]]:
    """Cells of the table under a heading, without its head."""
    part = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def modules() -> set[str]:
    """Top-level modules and packages."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    return folders | {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}


def registries() -> Iterator[tuple[str, str]]:
    """Name and file of every public table of functions, classes or records: annotated, in capitals, at module level."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            name, kind = node.target.id, ast.unparse(node.annotation)
            found = re.fullmatch(r"(?:dict|Mapping)\[str, (\w+)(?:\[.*\])?\]|tuple\[(\w+), \.\.\.\]", kind)
            if found and re.fullmatch(r"[A-Z][A-Z_]+", name) and (found[1] or found[2]) not in PLAIN:
                yield name, str(path.relative_to(PACKAGE))


def names_in(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_map_names_every_module_and_no_other() -> None:
    named = [name for row in rows("Map of the code") for name in names_in(row[:1])]
    assert len(named) == len(set(named))
    assert set(named) == modules()


def test_the_map_has_the_order_of_imports() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contract = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]
    layers = [re.findall(r"[\w.]+", line) for line in reversed(contract["layers"])]
    level: dict[str, int] = {}
    for height, names in enumerate(layers):
        for name in names:
            level.setdefault(name.split(".")[0], height)
    named = [name for row in rows("Map of the code") for name in names_in(row[:1])]
    heights = [level[name] for name in named if name in level]
    assert heights == sorted(heights)


def test_the_table_of_registries_names_each_with_its_file_and_no_other() -> None:
    named = {(row[0].strip("`"), row[1].strip("`")) for row in rows("Registries")}
    assert named == set(registries())


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md"])
def test_every_link_to_a_file_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_path_in_the_map_exists() -> None:
    paths = [name for name in re.findall(r"`([^`\s]+)`", TEXT) if "/" in name and not set(name) & set("<>*=")]
    held = {path for path in paths if (ROOT / path).exists() or (PACKAGE / path).exists()}
    assert sorted(set(paths) - held) == []


def test_what_the_page_says_to_register_is_registered() -> None:
    code = (
        "from importlib import import_module; from pkgutil import iter_modules; import reeuncert.indicators as folder; "
        "before = set(folder.INDICATORS); "
        "[import_module(f'reeuncert.indicators.{one.name}') for one in iter_modules(folder.__path__)]; "
        "print(*sorted(set(folder.INDICATORS) - before))"
    )
    forgotten = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert forgotten == []
    written = {
        node.name
        for path in (PACKAGE / "checks").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "list[CheckResult]"
    }
    assert {name for name in written if not name.startswith("_")} == {check.__name__ for check in CHECKS.values()}
