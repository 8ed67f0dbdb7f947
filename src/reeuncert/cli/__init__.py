"""The command line."""

from reeuncert.cli.app import app, main

__all__ = ["app", "main"]
