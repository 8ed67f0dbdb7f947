"""Checks whether the intervals of a result can be trusted. One file per topic; the registry lists the checks."""

from reeuncert.checks.registry import CHECKS, check
from reeuncert.checks.result import CheckResult, CheckTable

__all__ = ["CHECKS", "CheckResult", "CheckTable", "check"]
