"""Commands that sample nothing load no sampler, no compiler and no plotting, and need no folder that can be written."""

import os
import subprocess
import sys

import pytest

HEAVY = {
    "arviz",
    "arviz_base",
    "hypothesis",
    "jax",
    "matplotlib",
    "numba",
    "nutpie",
    "pandas",
    "plotly",
    "pymc",
    "pytensor",
    "scipy",
    "xarray",
}
LOADED = "import sys; print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
COMMAND = """
import sys, time
from reeuncert.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
"""


def loaded(code: str, *arguments: str, **environment: str) -> set[str]:
    """Names of the packages that a fresh interpreter has loaded after some code."""
    command = [sys.executable, "-c", code + LOADED, *arguments]
    env = {**os.environ, "COLUMNS": "200", **environment}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [["cases"], ["check", "small_metal"], ["--help"], ["run", "--help"], ["import", "--help"]],
    ids=" ".join,
)
def test_a_command_that_samples_nothing_loads_no_sampler(arguments, tmp_path):
    home = tmp_path / "a_file_where_a_folder_should_be"
    home.touch()
    packages = loaded(COMMAND, *arguments, HOME=str(home), XDG_CACHE_HOME=str(home / "cache"))
    assert "reeuncert" in packages
    heavy = HEAVY - {"scipy"} if "check" in arguments else HEAVY  # sparse matrices, for the figures against balance
    assert packages.isdisjoint(heavy), packages & heavy


@pytest.mark.parametrize(
    "code",
    [
        "import reeuncert as ree\nree.check_case(ree.read_case('small_metal'))\n",
        "import tempfile\nimport reeuncert as ree\nree.new_case(tempfile.mkdtemp() + '/my_metal')\n",
        "import reeuncert as ree\nree.restrict(ree.read_case('small_metal'), [2018, 2019])\n",
    ],
    ids=["check_case", "new_case", "restrict"],
)
def test_a_call_that_samples_nothing_loads_no_sampler(code):
    assert loaded(code).isdisjoint(HEAVY - {"scipy"})
