"""What people read: the files of a run, and a report in one self-contained page."""

from reeuncert.report.files import write_results
from reeuncert.report.page import write_report
from reeuncert.report.section import Section
from reeuncert.report.sections import SECTIONS

__all__ = ["SECTIONS", "Section", "write_report", "write_results"]
