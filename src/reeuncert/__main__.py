"""``python -m reeuncert``: the command line without its script on the path."""

from reeuncert.cli import main

main()
