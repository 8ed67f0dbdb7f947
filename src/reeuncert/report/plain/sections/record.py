"""What a section is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reeuncert.report.findings import Findings


@dataclass(frozen=True)
class Section:
    """One part of the report.

    Parameters
    ----------
    name
        Of its template (``<name>.html``), and its anchor.
    title
        Its heading.
    content
        From the findings to what the template shows.
    """

    name: str
    title: str
    content: Callable[[Findings], Mapping[str, Any]]
