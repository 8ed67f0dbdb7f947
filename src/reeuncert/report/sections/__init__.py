"""The sections of the report in order. To add a section: a template, a function and one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reeuncert.report.sections import (
    answers,
    checks,
    counterfactuals,
    customs_gap,
    evidence,
    flows,
    learned,
    method,
    outlook,
    over_time,
    trade,
)
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
        Takes the result, returns the variables of the template, or None where the result lacks what the section
        needs: it is then left out, with a line. If it fails, the section shows why.
    needs
        What that is, in words.
    """

    id: str
    title: str
    template: str
    content: Callable[[Result], Mapping[str, Any] | None]
    needs: str = ""


SECTIONS: tuple[Section, ...] = (
    Section("answers", "Answers", "answers.html.j2", answers.content, "a headline"),
    Section("flows", "Flows", "flows.html.j2", flows.content),
    Section("verdict", "Verdict", "verdict.html.j2", checks.content),
    Section("dependence", "Dependence over time", "dependence.html.j2", over_time.dependence, "an indicator"),
    Section("triangle", "Trade between the regions", "triangle.html.j2", trade.content, "trade between regions"),
    Section("net-trade", "Net trade by product", "net_trade.html.j2", over_time.net_trade, "trade between regions"),
    Section(
        "customs-gap",
        "The customs gap",
        "customs_gap.html.j2",
        customs_gap.content,
        "trade recorded by two customs offices, or unrecorded",
    ),
    Section(
        "unregistered",
        "Unregistered mining and refining",
        "unregistered.html.j2",
        over_time.unregistered,
        "an unregistered route or a quota",
    ),
    Section("consumption", "Consumption", "consumption.html.j2", over_time.consumption, "consumption"),
    Section(
        "no-trade",
        "Without trade",
        "no_trade.html.j2",
        counterfactuals.without_trade,
        "trade between regions and consumption in the last year",
    ),
    Section(
        "suppliers",
        "Supplier stops",
        "suppliers.html.j2",
        counterfactuals.suppliers,
        "the stop of each supplier (`reeuncert counterfactual RESULTS supplier-stops`)",
    ),
    Section("outlook", "Outlook", "outlook.html.j2", outlook.content, "an outlook (`reeuncert outlook`)"),
    Section("learned", "What we learned", "learned.html.j2", learned.content, "draws of the prior"),
    Section("next", "What to collect next", "next_steps.html.j2", learned.next_steps, "a headline"),
    Section("evidence", "Evidence", "evidence.html.j2", evidence.content, "evidence"),
    Section("method", "Method and provenance", "method.html.j2", method.content),
)
