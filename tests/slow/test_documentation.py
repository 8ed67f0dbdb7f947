"""The documentation is built without a warning. (Its notebooks are run by tests of their own.)"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_the_documentation_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(DOCS),
        str(tmp_path / "html"),
    ]
    settings = os.environ | {"REEUNCERT_DOCS_EXECUTE": "off"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    for page in ("index", "notebooks/01_first_look", "generated/data/index", "generated/api/reeuncert.sample"):
        assert (tmp_path / "html" / f"{page}.html").is_file()
