"""The sections of the report in order. To add a section: a template, a function and one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reeuncert.report.sections import answers, evidence, flows, learned, method, over_time, trade, what_if
from reeuncert.result.result import Result


@dataclass(frozen=True)
class Section:
    """One section of the page: ``content`` takes the result and returns the variables of the template, or None where
    the result lacks what the section needs. It is then left out, with a line; if it fails, the section shows why.
    """

    id: str  # anchor in the page, and name of the template in ``report/templates``
    title: str  # heading, and entry of the contents
    content: Callable[[Result], Mapping[str, Any] | None]
    needs: str = ""  # in words
    averages: bool = False  # shows averages over rival structures, and so has to wait for all of them
    of_draws: bool = True  # has numbers of the draws, which are of one structure: said where answers are averages


SECTIONS: tuple[Section, ...] = (
    Section("answers", "Answers", answers.content, "a headline", averages=True, of_draws=False),
    Section("flows", "Flows", flows.content),
    Section("verdict", "Verdict", method.check_list, averages=True, of_draws=False),
    Section("dependence", "Dependence over time", over_time.dependence, "an indicator"),
    Section("triangle", "Trade between the regions", trade.between_regions, "trade between regions"),
    Section("net-trade", "Net trade by product", over_time.net_trade, "trade between regions"),
    Section(
        "customs-gap", "The customs gap", trade.customs_gap, "trade recorded by two customs offices, or unrecorded"
    ),
    Section(
        "unregistered", "Unregistered mining and refining", over_time.unregistered, "an unregistered route or a quota"
    ),
    Section("consumption", "Consumption", over_time.consumption, "consumption"),
    Section(
        "no-trade", "Without trade", what_if.without_trade, "trade between regions and consumption in the last year"
    ),
    Section(
        "suppliers",
        "Supplier stops",
        what_if.suppliers,
        "the stop of each supplier: reeuncert counterfactual RESULTS supplier-stops",
    ),
    Section("outlook", "Outlook", what_if.outlook, "an outlook: reeuncert outlook"),
    Section("learned", "What we learned", learned.content, "draws of the prior"),
    Section("next", "What to collect next", learned.next_steps, "a headline", averages=True),
    Section("evidence", "Evidence", evidence.content, "evidence"),
    Section("method", "Method and provenance", method.method, of_draws=False),
)
