"""Laws of the errors of reported figures, and the forms in which a figure enters the likelihood: one table for all."""

from dataclasses import dataclass

STUDENT_T, CUSTOMS, NORMAL = 0, 1, 2  # codes of the laws in compiled code
DENSITY, INTERVAL = 0, 1
"""Codes of the forms: density at a value, probability of an interval (either end may be infinite)."""


@dataclass(frozen=True)
class ErrorLaw:
    """How the error of a reported figure, or a shared offset, is distributed."""

    code: int  # number of the law in compiled code
    meaning: str  # for documentation
    plain: bool = False  # on the scale of the figure itself (in its unit) instead of the log or logit scale


ERROR_LAWS = {
    "student_t": ErrorLaw(STUDENT_T, "Student's t (4 degrees of freedom unless the case says otherwise)"),
    "customs": ErrorLaw(
        CUSTOMS, "Student's t, and a share of outliers (10 %, normal with log-sd 2, unless the case says otherwise)"
    ),
    "normal": ErrorLaw(NORMAL, "normal on the log or logit scale"),
    "additive": ErrorLaw(NORMAL, "normal in the unit of the row", plain=True),
}
"""Laws by the word that ``classes.csv`` uses."""

OFFSET_LAWS = tuple(word for word, law in ERROR_LAWS.items() if not law.plain)
"""Laws of offsets, which are always on the log scale."""
