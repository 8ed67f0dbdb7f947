"""The sections of the report in order. To add a section: one file and one row here."""

from __future__ import annotations

from reeuncert.report.section import Section
from reeuncert.report.sections import (
    answers,
    checks,
    consumption,
    customs_gap,
    dependence,
    evidence,
    flows,
    learned,
    method,
    next_steps,
    no_trade,
    triangle,
    unregistered,
)

SECTIONS: tuple[Section, ...] = (
    Section("answers", "Answers", "answers.html.j2", answers.content),
    Section("flows", "Flows", "flows.html.j2", flows.content),
    Section("verdict", "Verdict", "verdict.html.j2", checks.content),
    Section("dependence", "Dependence over time", "dependence.html.j2", dependence.content),
    Section("triangle", "The trade triangle", "triangle.html.j2", triangle.content),
    Section("customs-gap", "The customs gap", "customs_gap.html.j2", customs_gap.content),
    Section("unregistered", "Unregistered mining and refining", "unregistered.html.j2", unregistered.content),
    Section("consumption", "Consumption", "consumption.html.j2", consumption.content),
    Section("no-trade", "Without trade", "no_trade.html.j2", no_trade.content),
    Section("learned", "What we learned", "learned.html.j2", learned.content),
    Section("next", "What to collect next", "next_steps.html.j2", next_steps.content),
    Section("evidence", "Evidence", "evidence.html.j2", evidence.content),
    Section("method", "Method and provenance", "method.html.j2", method.content),
)
