"""The files of a run and the self-contained HTML report."""

from reeuncert.report.files import write_results
from reeuncert.report.page import write_report
from reeuncert.report.sections import SECTIONS, Section

__all__ = ["SECTIONS", "Section", "write_report", "write_results"]
