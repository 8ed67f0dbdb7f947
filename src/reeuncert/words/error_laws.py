"""Laws of the errors of reported figures, and the forms in which a figure enters the likelihood: one table for all."""

from __future__ import annotations

from dataclasses import dataclass

STUDENT_T, CUSTOMS, NORMAL = 0, 1, 2
"""Codes of the laws in compiled code."""

DENSITY, INTERVAL = 0, 1
"""Codes of the forms: density at a value, probability of an interval (either end may be infinite)."""

OUTLIER_WEIGHT = 0.1
"""Share of customs records with a wrong heading or a missing consignment."""

OUTLIER_SD = 2.0
"""Log-sd of such records."""


@dataclass(frozen=True)
class ErrorLaw:
    """How the error of a reported figure, or a shared offset, is distributed.

    Parameters
    ----------
    code
        Number of the law in compiled code.
    half_width
        Half-width of the central 68 % of the law (of its core) at scale 1: a stated width is divided by it.
    meaning
        For documentation.
    plain
        The error is on the scale of the figure itself (in its unit) instead of the log or logit scale.
    """

    code: int
    half_width: float
    meaning: str
    plain: bool = False


ERROR_LAWS = {
    "student_t": ErrorLaw(STUDENT_T, 1.14, "Student's t with 4 degrees of freedom"),
    "customs": ErrorLaw(CUSTOMS, 1.14, "90 % Student's t with 4 degrees of freedom, 10 % normal with log-sd 2"),
    "normal": ErrorLaw(NORMAL, 1.0, "normal on the log or logit scale"),
    "additive": ErrorLaw(NORMAL, 1.0, "normal in the unit of the row", plain=True),
}
"""Laws by the word that ``classes.csv`` uses."""

PLAIN_LAWS = tuple(word for word, law in ERROR_LAWS.items() if law.plain)
OFFSET_LAWS = tuple(word for word, law in ERROR_LAWS.items() if not law.plain)
"""Laws of offsets, which are always on the log scale."""
