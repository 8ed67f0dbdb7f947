"""Imports go one way: definition, priors and likelihood, model, inference, posterior, report."""

from pathlib import Path

from importlinter import cli

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_every_module_imports_only_from_its_left(capsys):
    status = cli.lint_imports(config_filename=str(PYPROJECT), no_cache=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out
