"""Every notebook runs from the first cell to the last, and shows what it speaks of.

Those on the toy case run always; those on the bundled case share one run of a few of its years, and are slow.
"""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
ALWAYS = ("06_your_own_case",)
MINUTES = 5
"""What a notebook may take on two cores that do nothing else."""

NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("[0-9]*.md"))


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the run that the notebooks share: made by the first that asks."""
    return tmp_path_factory.mktemp("runs")


def executed(name: str, kept: Path, place: Path) -> Any:
    """The notebook after all its cells have run, in an empty folder."""
    notebook = jupytext.read(FOLDER / f"{name}.md")
    settings = {
        "REEUNCERT_NOTEBOOK_RUNS": str(kept),
        "REEUNCERT_CACHE_DIR": str(kept / "studies"),
    }
    client = nbclient.NotebookClient(
        notebook, timeout=4 * 60 * MINUTES, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    client.execute(env=os.environ | settings)
    return notebook


def children_seconds() -> float:
    """Seconds of processor time of all processes that were begun here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow) for name in NOTEBOOKS]
)
def test_a_notebook_runs_and_shows_its_figures(name: str, kept: Path, tmp_path: Path) -> None:
    began = children_seconds()
    notebook = executed(name, kept, tmp_path)
    found = outputs(notebook)
    assert sum("image/png" in output.get("data", {}) for output in found) >= 1
    assert not [output["text"] for output in found if output["output_type"] == "stream" and "Warning" in output["text"]]
    # Of the processor: what a clock on the wall shows depends on who else is at work.
    assert children_seconds() - began < 2 * 60 * MINUTES


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_holds_no_results(name: str) -> None:
    """Text for jupytext: a result that is stored would not be this package's."""
    notebook = jupytext.read(FOLDER / f"{name}.md")
    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert notebook.cells[0].source.startswith("# ")
    assert all(cell.source.strip() for cell in notebook.cells)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_code_in_a_notebook_is_python_without_long_lines(name: str) -> None:
    for cell in jupytext.read(FOLDER / f"{name}.md").cells:
        if cell.cell_type == "code" and not re.match(r"[%!]", cell.source):
            compile(cell.source, name, "exec")
            assert max(map(len, cell.source.splitlines())) <= 120


def test_every_notebook_is_in_the_index() -> None:
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^(\d\w+)$", index, re.MULTILINE) == NOTEBOOKS
