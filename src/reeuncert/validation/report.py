"""The report of `check_case`: problems of a case, and rows that pass all rules but are far from all else."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reeuncert.case.figures import figure_text
from reeuncert.case.records import Case, Evidence
from reeuncert.case.serial import case_to_json
from reeuncert.case.shared import error_class_of, prints_of_several_rows, shared_errors
from reeuncert.errors import ArgumentError, Problem, ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.problems import Overlap, overlaps, rows_without_flows
from reeuncert.likelihood.reconcile import judged_figures
from reeuncert.priors.checks import prior_warnings
from reeuncert.priors.coverage import case_network
from reeuncert.priors.implied import implied_flows, implied_warnings
from reeuncert.reading.bundled import find_case
from reeuncert.reading.state import FLOWS, OFFSETS, PRIORS
from reeuncert.result.reconciled import reconciled
from reeuncert.system.definition import OUTSIDE
from reeuncert.validation.reader import CaseReading, load_case, problems_of
from reeuncert.validation.words_used import known_constants
from reeuncert.words.cells import listed, quoted
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.prior_families import PRIOR_FAMILIES
from reeuncert.words.qualifiers import BOUND_QUALIFIERS
from reeuncert.words.units import MASS_RELATIONS, unit_factor

FAR = 5.0  # distance from the prior prediction, in standard deviations, above which a row gets a warning
TIMES = 50.0  # factor between a figure and the others of its series above which it gets one
NARROWEST = 1e-4  # a relative error or spread below this is not credible
WIDEST = 2.0  # width of a class, on the log scale, from which its figures say hardly anything
LARGEST = 1e12  # a median above this, or below its inverse, is not credible in any unit
Floats = NDArray[np.float64]


def number_warnings(case: Case) -> list[Problem]:
    """Widths, medians and figures that are probably mistakes, and a case without evidence; needs no simulation."""
    found = [*_narrow(case), *_of_no_size(case), *_unlike_its_series(case)]
    if not case.evidence:
        message = "no row of evidence is in effect, so that a run would give the prior alone; add rows to evidence.csv"
        found.append(Problem("evidence.csv", 0, "", f"{message} or to a file in the folder evidence"))
    return found


def far_rows(case: Case, evidence: EvidenceModel, log_flow: Floats) -> list[Problem]:
    """Rows that lie more than `FAR` standard deviations from what the prior predicts of them."""
    mass, plain = np.exp(log_flow).T, evidence.plain
    sums, shape = (evidence.numerator, evidence.denominator), (evidence.n_rows, len(mass))
    top, bottom = (sparse.csr_array((s.coefficient, s.edge, s.pointer), shape=shape) @ mass for s in sums)
    predicted = top / np.where(np.diff(evidence.denominator.pointer)[:, None] > 0, bottom, 1.0)
    predicted[~plain] = np.log(predicted[~plain])
    low, middle, high = np.quantile(predicted, [0.16, 0.5, 0.84], axis=1)
    own, expected = evidence.row_sigma(evidence.widths.median), evidence.to_unit(middle)
    shared = shared_errors(evidence.rows, case)
    problems = []
    for k, row in enumerate(evidence.rows):
        error = float(own[k])
        if not plain[k]:
            error = math.hypot(error, *(w * shared.laws[name].sd for (name, _), w in shared.weights[k].items()))
            error = math.hypot(error, max((shared.laws[name].sd for name, _ in shared.contents[k].values()), default=0))
        z = _distance(evidence, k, float(middle[k])) / math.hypot(error, 0.5 * float(high[k] - low[k]))
        if abs(z) > FAR:
            unit = "" if row.unit in ("share", "ratio") else f" {row.unit}"
            message = f"{figure_text(row)} lies {abs(z):.0f} standard deviations {'above' if z > 0 else 'below'} what "
            message += f"the priors say of it (median {expected[k]:.3g}{unit}); "
            message += "is the unit right, and the selector? Else correct the figure, or say in reason why it is so"
            problems.append(Problem(row.file, row.line, "value", message))
    return problems


def _distance(evidence: EvidenceModel, k: int, middle: float) -> float:
    """How far what row k says lies from a prediction, on the scale of the row; 0 inside a bound."""
    is_bound = evidence.rows[k].qualifier in BOUND_QUALIFIERS
    low, high = (evidence.lower[k], evidence.upper[k]) if is_bound else (0.0, 0.0)
    shifts = [0.0, evidence.shift[k]] if evidence.weight[k] > 0 else [0.0]
    away = (float(evidence.value[k] + shift - middle) for shift in shifts)
    return min((max(a + low, 0.0) + min(a + high, 0.0) for a in away), key=abs)


def _narrow(case: Case) -> Iterator[Problem]:
    text = "is narrower than anything can be known; a width is on the log scale, where 5 % is written 0.05"
    for name, error in case.classes.items():
        if not NARROWEST < error.width < WIDEST and not ERROR_LAWS[error.family].plain:
            said = text if error.width < WIDEST else "says hardly anything; 5 % is written 0.05"
            yield Problem("classes.csv", 0, "width", f"the width {error.width:g} of class '{name}' {said}")
    for name, offset in case.offsets.items():
        if offset.sd < NARROWEST:
            yield Problem(OFFSETS, offset.line, "sd", f"the spread {offset.sd:g} of offset '{name}' {text}")
    for row in case.evidence:
        if row.width < NARROWEST and not ERROR_LAWS[error_class_of(row, case).family].plain:
            yield Problem(row.file, row.line, "width", f"the width {row.width:g} {text}")
    for prior in case.priors:
        spreads = {"level_sd": math.hypot(prior.level_sd, prior.year_sd), "split_sd": prior.split_sd}
        if prior.family and PRIOR_FAMILIES[prior.family].on_log_scale:
            spreads["b"] = prior.b
        for column, spread in spreads.items():
            if 0 < spread < NARROWEST:
                yield Problem(PRIORS, prior.line, column, f"the spread {spread:g} {text}")


def _of_no_size(case: Case) -> Iterator[Problem]:
    text = f"{case.system.unit} is no mass that a case is about; is the exponent right?"
    for prior in case.priors:
        for column, number in (("median", prior.median), ("median_to", prior.median_to), ("a", prior.a)):
            if number > 0 and not 1 / LARGEST < number < LARGEST:
                yield Problem(PRIORS, prior.line, column, f"{number:g} {text}")
    for row in case.evidence:
        if row.relation in MASS_RELATIONS:
            factor = unit_factor(row.unit, row.relation, case.system.unit)
            for column in ("value", "low", "high", "alternative"):
                number = abs(getattr(row, column)) * factor
                if number > 0 and not 1 / LARGEST < number < LARGEST:
                    yield Problem(row.file, row.line, column, f"{number:g} {text}")


def _unlike_its_series(case: Case) -> Iterator[Problem]:
    """Figures many times above or below the other figures on the same flows."""
    series: dict[tuple[object, ...], list[Evidence]] = defaultdict(list)
    for row in case.evidence:
        if row.relation == "level" and row.value > 0:
            series[str(row.selector), row.basis, row.span, len(row.years)].append(row)
    for rows in series.values():
        logs = np.log([row.value * unit_factor(row.unit, row.relation, case.system.unit) for row in rows])
        for k, row in enumerate(rows):
            others = np.delete(logs, k)
            away = logs[k] - np.clip(logs[k], others.min(initial=math.inf), others.max(initial=-math.inf))
            if len(others) > 2 and abs(away) > math.log(TIMES):
                near = listed([other.id for other in rows if other is not row], 3)
                message = f"{figure_text(row)} is {math.exp(abs(away)):,.0f} times {'above' if away > 0 else 'below'} "
                message += f"all other figures on these flows ({near}); is the unit right?"
                yield Problem(row.file, row.line, "value", message)


@dataclass(frozen=True)
class CaseReport:
    """What was found in a case.

    Parameters
    ----------
    name
        Of the case, or of the folder that was read.
    errors
        The case cannot be used while there is one.
    warnings
        What an analyst should look at before believing a result.
    information
        Pairs of a heading and what an analyst may overlook in the case.
    case
        The case, if it can be used.
    """

    name: str
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    information: tuple[tuple[str, str], ...]
    case: Case | None = None

    @property
    def passed(self) -> bool:
        """Whether the case can be used."""
        return not self.errors

    def __str__(self) -> str:
        lines = [self._verdict()]
        lines += [f"  error: {problem}" for problem in self.errors]
        lines += [f"  warning: {problem}" for problem in self.warnings]
        lines += [f"  {line}" for line in repr(self.case).splitlines() if self.case]
        lines += [f"  {heading}: {text}" for heading, text in self.information]
        return "\n".join(lines)

    def _verdict(self) -> str:
        counted = (("error", len(self.errors)), ("warning", len(self.warnings)))
        counts = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counted)
        return f"Case '{self.name}' {'can' if self.passed else 'cannot'} be used: {counts}."


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
    ArgumentError
        When options are given for a case that is read already.
    """
    if isinstance(case_or_path, Case):
        if options:
            told = f"leave out {listed(options)}, or give the name of the case"
            raise ArgumentError(f"check_case: the case is read already, with its choices: {told}")
        problems = problems_of(case_or_path)
        reading = CaseReading(case_or_path, problems, () if problems else tuple(prior_warnings(case_or_path)))
        name = case_or_path.name
    else:
        folder = find_case(case_or_path)
        reading = load_case(folder, **options)
        name = folder.resolve().name
    if reading.case is None or reading.problems:
        return CaseReport(name, reading.problems, reading.warnings, ())
    case = reading.case
    pairs = overlaps(case)
    where = {row.id: row for row in case.evidence}
    warnings = {Problem(where[o.second].file, where[o.second].line, "offsets", str(o)) for o in pairs}
    evidence = compile_evidence(case, case_network(case))
    warnings |= {*reading.warnings, *number_warnings(case), *_leaving_use(case), *_irreconcilable(case, evidence)}
    if case.prior_measure == "coordinates":  # other priors cannot be simulated forward
        implied = implied_flows(case)
        warnings |= {*implied_warnings(case, *implied), *far_rows(case, evidence, implied[1])}
    return CaseReport(name, (), tuple(sorted(warnings)), tuple(_information(case, pairs)), case)


def _irreconcilable(case: Case, evidence: EvidenceModel) -> Iterator[Problem]:
    """Figures that contradict the mass balance, whatever the priors are."""
    if not evidence.n_rows:
        return
    try:
        found = reconciled(case_to_json(case))
    except ReeUncertError as error:
        yield Problem("evidence.csv", 0, "value", str(error))
        return
    for z, text, where in judged_figures(found, evidence):
        if abs(z) > found.limit:
            message = f"{text}: {abs(z):.1f} standard errors apart, where chance alone explains {found.limit:.1f}; "
            if isinstance(where, Evidence):
                message += "check its unit, selector, years and basis, and those of the other rows named so; else give "
                message += "the source a wider class, or add the flow that the system lacks"
                yield Problem(where.file, where.line, "value", message)
                continue
            names = where, where.rpartition(" ")[0]  # a value of one year is labelled by its offset and the year
            line = next((case.offsets[name].line for name in names if name in case.offsets), 0)
            message += "check the sign and size of its mean, which is on the log scale, and the figures of the rows "
            yield Problem(OFFSETS, line, "mean", f"{message}that name it; else give it a larger sd")


def _leaving_use(case: Case) -> Iterator[Problem]:
    """Flows that leave again the processes where apparent consumption ends."""
    users = {flow.to_process for flow in case.system.flows if flow.quantity == "apparent_consumption"} - {OUTSIDE}
    for flow in case.system.flows:
        inside = OUTSIDE not in (flow.to_process, flow.from_process)
        if flow.from_process in users and inside and flow.quantity not in ("apparent_consumption", "end_use"):
            message = f"flow {quoted(flow.name)} leaves {quoted(flow.from_process)}, where apparent consumption ends, "
            message += f"for {quoted(flow.to_process)}: it is part of apparent consumption and of no end use, so that "
            message += "the two totals differ; let it leave the market or the process before consumption if they "
            yield Problem(FLOWS, 0, "from_process", f"{message}should be equal")


def _information(case: Case, pairs: Sequence[Overlap]) -> Iterator[tuple[str, str]]:
    if consumption := [flow.name for flow in case.system.flows if flow.quantity == "apparent_consumption"]:
        yield "apparent consumption is the sum of", _names(consumption)
    yield "evidence that says zero of flows that do not exist", _names(r.id for r in rows_without_flows(case))
    yield "overlapping rows of one lineage without a shared offset", f"{len(pairs)} pairs" if pairs else "none"
    several = prints_of_several_rows(case.evidence)
    yield "prints in more than one row", _names(f"{name} ({count})" for name, count in several.items())
    if unread := sorted({c.name for c in case.constants} - known_constants()) if case.constants else []:
        yield "constants that no indicator reads", _names(unread)


def _names(names: Iterable[str]) -> str:
    return listed(names, 8) or "none"
