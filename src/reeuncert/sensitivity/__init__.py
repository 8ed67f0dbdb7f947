"""Studies that run a case again with one thing changed."""

from reeuncert.sensitivity.structures import compare_structures

__all__ = ["compare_structures"]
