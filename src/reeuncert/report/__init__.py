"""What people read: the files of a run, and a report in one self-contained page."""

from reeuncert.report.files import write_results
from reeuncert.report.plain.page import write_report

__all__ = ["write_report", "write_results"]
