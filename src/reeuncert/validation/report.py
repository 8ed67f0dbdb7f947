"""What `reeuncert check` says of a case: errors, warnings, and what is in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from reeuncert.case.records import Case
from reeuncert.case.shared import prints_of_several_rows
from reeuncert.errors import Problem
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.conflicts import Overlap
from reeuncert.likelihood.problems import overlaps, rows_without_flows
from reeuncert.likelihood.reconcile import judged_figures, reconcile
from reeuncert.priors.checks import WIDE, prior_warnings, total_log_sd
from reeuncert.priors.coverage import case_network
from reeuncert.priors.implied import implied_flows, implied_warnings
from reeuncert.reading.bundled import find_case
from reeuncert.reading.evidence_tables import OFFSETS
from reeuncert.reading.system_tables import FLOWS
from reeuncert.system.definition import OUTSIDE
from reeuncert.validation.far import far_rows, number_warnings
from reeuncert.validation.reader import CaseReading, load_case, problems_of
from reeuncert.validation.words_used import known_constants
from reeuncert.words.cells import condensed, listed, quoted


@dataclass(frozen=True)
class CaseReport:
    """What was found in a case.

    Parameters
    ----------
    name
        Of the case, or of its folder where it could not be read.
    errors
        The case cannot be used while there is one.
    warnings
        What an analyst should look at before believing a result.
    information
        Pairs of a heading and what the case holds under it.
    """

    name: str
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    information: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether the case can be used."""
        return not self.errors

    def __str__(self) -> str:
        lines = [self._verdict()]
        lines += [f"  error: {problem}" for problem in self.errors]
        lines += [f"  warning: {problem}" for problem in self.warnings]
        lines += [f"  {heading}: {text}" for heading, text in self.information]
        return "\n".join(lines)

    def __rich__(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self._verdict(), style="bold green" if self.passed else "bold red")]
        for title, style, problems in (("Errors", "red", self.errors), ("Warnings", "yellow", self.warnings)):
            if problems:
                table = RichTable("file", "line", "column", "what and remedy", title=title, title_style=style)
                for p in problems:
                    table.add_row(*(Text(cell) for cell in (p.file, str(p.line or ""), p.column, p.message)))
                parts.append(table)
        if self.information:
            table = RichTable("what", "this case", title="In the case")
            for row in self.information:
                table.add_row(*(Text(cell) for cell in row))
            parts.append(table)
        return Group(*parts)

    def _verdict(self) -> str:
        def count(problems: tuple[Problem, ...], word: str) -> str:
            return f"{len(problems)} {word}{'' if len(problems) == 1 else 's'}"

        verdict = "can be used" if self.passed else "cannot be used"
        return f"Case '{self.name}' {verdict}: {count(self.errors, 'error')}, {count(self.warnings, 'warning')}."


def check_case(case_or_path: Case | str | Path, /, **options: str) -> CaseReport:
    """Check a case without building or sampling anything.

    Parameters
    ----------
    case_or_path
        A case, the name of a bundled case, or the folder of a case.
    **options
        Choices for the switches of a case that is read.

    Returns
    -------
    CaseReport
        Errors are listed, not raised.

    Raises
    ------
    CaseError
        When there is no such case, or it has no such option.
    """
    if isinstance(case_or_path, Case):
        problems = problems_of(case_or_path)
        reading = CaseReading(case_or_path, problems, () if problems else tuple(prior_warnings(case_or_path)))
        name = case_or_path.name
    else:
        folder = find_case(case_or_path)
        reading = load_case(folder, **options)
        name = reading.case.name if reading.case else folder.name
    if reading.case is None or reading.problems:
        return CaseReport(name, reading.problems, reading.warnings, ())
    case = reading.case
    pairs = overlaps(case)
    warnings = {*reading.warnings, *number_warnings(case), *_overlap_warnings(case, pairs), *_consumption(case)[1]}
    warnings |= set(_irreconcilable(case))
    if case.prior_measure == "coordinates":  # other priors cannot be simulated forward
        implied = implied_flows(case)
        warnings |= {*implied_warnings(case, *implied), *far_rows(case, *implied)}
    return CaseReport(name, (), tuple(sorted(warnings)), tuple(_information(case, pairs)))


def _overlap_warnings(case: Case, pairs: Sequence[Overlap]) -> list[Problem]:
    where = {row.id: row for row in case.evidence}
    return [Problem(where[o.second].file, where[o.second].line, "offsets", str(o)) for o in pairs]


def _irreconcilable(case: Case) -> Iterator[Problem]:
    """Figures that balance contradicts, whatever the priors are."""
    evidence = compile_evidence(case, case_network(case))
    if not evidence.n_rows:
        return
    found = reconcile(case.system, evidence)
    for z, text, row in judged_figures(found, evidence):
        if abs(z) > found.limit:
            message = f"{text}: {abs(z):.1f} standard errors apart, where chance alone explains {found.limit:.1f}; "
            message += "check its unit, selector, years and basis, and those of the other rows named so; else give the "
            message += "source a wider class, or add the flow that the system lacks"
            file, line, column = (row.file, row.line, "value") if row else (OFFSETS, 0, "mean")
            yield Problem(file, line, column, message)


def _consumption(case: Case) -> tuple[str, list[Problem]]:
    """What apparent consumption holds, and what leaves again the processes where it ends."""
    flows = case.system.flows
    entering = [flow for flow in flows if flow.quantity == "apparent_consumption"]
    users = {flow.to_process for flow in entering} - {OUTSIDE}
    found = []
    for flow in flows:
        inside = OUTSIDE not in (flow.to_process, flow.from_process)
        if flow.from_process in users and inside and flow.quantity not in ("apparent_consumption", "end_use"):
            message = (
                f"flow {quoted(flow.name)} leaves {quoted(flow.from_process)}, where apparent consumption ends, for "
                f"{quoted(flow.to_process)}: it is part of apparent consumption and of no end use, so that the two "
                "totals differ; let it leave the market or the process before consumption if they should be equal"
            )
            found.append(Problem(FLOWS, 0, "from_process", message))
    return _names(flow.name for flow in entering), found


def _information(case: Case, pairs: Sequence[Overlap]) -> list[tuple[str, str]]:
    system = case.system
    network = case_network(case)
    per_year = system.exists.sum(axis=0)
    kinds = Counter(network.coordinate_kind.tolist())
    rows = [
        ("processes", f"{len(system.processes)}"),
        ("years", condensed(system.years)),
        ("flows", f"{len(system.flows)}; {per_year.min()} to {per_year.max()} a year, {per_year.sum()} in all years"),
        ("coordinates", f"{network.n_coordinates}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))),
        *[("apparent consumption is the sum of", names) for names in [_consumption(case)[0]] if names != "none"],
        ("prior measure", case.prior_measure),
        ("priors", f"{len(case.priors)} rows in {len({row.group for row in case.priors})} groups"),
        (f"priors with a log-sd above {WIDE:g}", _names(r.name for r in case.priors if total_log_sd(case, r) > WIDE)),
        ("evidence", f"{len(case.evidence)} rows of {len({row.source_id for row in case.evidence})} sources"),
    ]
    classes = Counter(case.sources[row.source_id].error_class for row in case.evidence)
    rows += [(f"evidence of class '{name}'", f"{count}") for name, count in sorted(classes.items())]
    idle = _names(r.id for r in rows_without_flows(case))
    rows.append(("evidence that says zero of flows that do not exist", idle))
    rows.append(("overlapping rows of one lineage without a shared offset", f"{len(pairs)} pairs" if pairs else "none"))
    several = prints_of_several_rows(case.evidence)
    rows.append(("prints in more than one row", _names(f"{name} ({count})" for name, count in several.items())))
    unread = sorted({c.name for c in case.constants} - known_constants()) if case.constants else []
    if unread:
        rows.append(("constants that no indicator reads", _names(unread)))
    if case.options:
        rows.append(("options", ", ".join(f"{name} = {choice}" for name, choice in sorted(case.options.items()))))
    return rows


def _names(names: Iterable[str]) -> str:
    found = list(names)
    return f"{len(found)}: {listed(found, 8)}" if found else "none"
