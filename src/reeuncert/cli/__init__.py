"""The command line: commands on one run in `app`, on several fits in `study_commands`."""

from reeuncert.cli import study_commands
from reeuncert.cli.app import app, main

__all__ = ["app", "main", "study_commands"]
