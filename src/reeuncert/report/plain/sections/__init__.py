"""Sections of the report, in order. To add one: a file here, a template of its name, and a row in `SECTIONS`."""

from reeuncert.report.plain.sections import headline, indicator, provenance, verdict, years
from reeuncert.report.plain.sections.record import Section

SECTIONS: tuple[Section, ...] = (
    verdict.SECTION,
    headline.SECTION,
    years.SECTION,
    indicator.SECTION,
    provenance.SECTION,
)

__all__ = ["SECTIONS", "Section"]
