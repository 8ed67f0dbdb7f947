"""The command line: `reeuncert run`, `check`, `cases` and `report`."""

from reeuncert.cli.app import app, main

__all__ = ["app", "main"]
