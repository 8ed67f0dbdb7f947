"""A section of the report: a template and the function that fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reeuncert.result.result import Result


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Parameters
    ----------
    id
        Anchor of the section in the page.
    title
        Heading, and entry of the contents.
    template
        File in ``report/templates``.
    content
        Takes the result, returns the variables of the template, or None where the result has not what the section
        needs: it is then left out, with a line. If it fails, the section shows why.
    needs
        What that is, in words.
    """

    id: str
    title: str
    template: str
    content: Callable[[Result], Mapping[str, Any] | None]
    needs: str = ""
