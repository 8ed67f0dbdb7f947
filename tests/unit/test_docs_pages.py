"""Pages that the documentation makes from the package: nothing that exists may be missing from them."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import reeuncert as ree
from reeuncert.checks import CHECKS
from reeuncert.indicators.registry import INDICATORS

EXTENSION = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXTENSION))
    module = import_module(request.param)
    yield module
    for name in ("api_pages", "evidence_pages", "registry_pages"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("maker", ["api_pages"], indirect=True)
def test_every_public_name_is_in_the_reference_once(maker: ModuleType) -> None:
    text = maker.pages()["api.md"]
    listed = re.findall(r"^   (\w+)$", text, re.MULTILINE)
    assert [listed.count(name) for name in ree.__all__] == [1] * len(ree.__all__)


@pytest.mark.parametrize("maker", ["registry_pages"], indirect=True)
def test_every_indicator_and_check_has_its_row(maker: ModuleType) -> None:
    pages = maker.pages()
    assert re.findall(r"^\| `(\w+)`", pages["indicators.md"], re.MULTILINE) == list(INDICATORS)
    assert re.findall(r"^\| `(\w+)`", pages["checks.md"], re.MULTILINE) == list(CHECKS)


@pytest.mark.parametrize("maker", ["evidence_pages"], indirect=True)
def test_every_figure_of_the_evidence_has_its_row(maker: ModuleType) -> None:
    case, pages = ree.read_case(maker.CASE), maker.pages()
    rows = [
        found
        for name, text in pages.items()
        if name not in ("data/index.md", "data/sources.md", "data/classes.md")
        for found in re.findall(r"^\| ([A-Z]\d+\w*) \|", text.replace("\\", ""), re.MULTILINE)
    ]
    assert sorted(rows) == sorted(row.id for row in case.evidence)
    sources = re.findall(r"^\| `([^`]+)`", pages["data/sources.md"], re.MULTILINE)
    assert sorted(sources) == sorted({row.source_id for row in case.evidence})


@pytest.mark.parametrize("maker", ["evidence_pages"], indirect=True)
def test_a_cell_cannot_break_its_table(maker: ModuleType) -> None:
    lines = maker.table(("a", "b"), [("x | y", "<b>\n$z$ *")])
    assert lines == ["| a | b |", "|---|---|", "| x \\| y | \\<b\\> \\$z\\$ \\* |"]


def test_every_figure_is_in_the_gallery() -> None:
    gallery = Path(__file__).parents[2] / "docs" / "gallery"
    index = (gallery / "index.md").read_text("utf-8")
    figures = {name for name in ree.plots.__all__ if name.startswith("plot_")}
    figures.remove("plot_calibration")  # needs a hundred fits: its pictures are on the pages of calibrations
    assert {path.stem for path in gallery.glob("plot_*.py")} == figures
    assert [name for name in figures if f"{name}.png" not in index] == []
