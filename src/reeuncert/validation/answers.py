"""What is needed after sampling is tried before: every headline, constant and published value, on invented flows."""

import numpy as np

from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.errors import CaseError, InputError, Problem, ReeUncertError
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.mining import mass_conversion
from reeuncert.indicators.printing import UnknownLabelError, check_headline
from reeuncert.indicators.registry import CUMULATED, INDICATORS, UnknownIndicatorError, base_name, records_of
from reeuncert.reading.bundled import has_published_values
from reeuncert.reading.case_file import FILE, PLACES, CaseText
from reeuncert.reading.state import CONSTANTS, Reading
from reeuncert.validation.words_used import known_constants
from reeuncert.words.cells import unknown

DRAWS = 16
SPREAD = 1.0


def answer_problems(case: Case, found: CaseText | None = None) -> list[Problem]:
    """Headlines, constants and published values that could not be used after sampling, with the lines of the headlines
    if their file is given.
    """
    flows = invented_flows(case)
    problems = _expression_problems(case, flows, found)
    own, broken = {of.name for of in case.indicators}, bool(problems)
    try:
        if case.constants:
            for record in INDICATORS.values():
                if record.constants:
                    record.of_flows(flows)
        for index, headline in enumerate(case.headlines):
            if broken and base_name(headline.indicator) in own:
                continue  # its definition must be corrected first
            try:
                check_headline(headline, flows)
            except ReeUncertError as error:
                key = ["indicator"] if isinstance(error, UnknownIndicatorError) else []
                if isinstance(error, UnknownLabelError):
                    key = ["product" if error.dim == "end_use" else error.dim]
                line = found.line_of("headline", index, *key) if found else 0
                problems.append(Problem(FILE, line, ".".join(["headline", f"{index + 1}", *key]), str(error)))
    except InputError as error:
        problems += error.problems
    try:
        if has_published_values(case.name, case.path):
            from reeuncert.reference import published_values

            published_values(case)
    except InputError as error:
        problems += error.problems
    return problems


def _expression_problems(case: Case, flows: FlowTable, found: CaseText | None) -> list[Problem]:
    """Indicators of the case whose name is taken, or whose selectors choose no flow."""
    problems = []

    def report(index: int, key: str, message: str) -> None:
        line = found.line_of("indicator", index, key) if found else 0
        problems.append(Problem(FILE, line, f"indicator.{index + 1}.{key}", message))

    names, records = [of.name for of in case.indicators], records_of(case)
    for index, of in enumerate(case.indicators):
        before = len(problems)
        if of.name in INDICATORS or of.name in names[:index]:
            report(index, "name", f"there is an indicator '{of.name}' already; choose another name")
        elif not of.name.isidentifier() or of.name.endswith(CUMULATED):
            told = f"use letters, digits and '_', and not '{CUMULATED}' at the end"
            report(index, "name", f"'{of.name}' is no name of an indicator; {told}")
        for key, selector in (("numerator", of.numerator), ("denominator", of.denominator)):
            for name, values in selector.fields.items() if selector else ():
                known = list(dict.fromkeys(f.attribute(name) for f in case.system.flows if f.attribute(name)))
                for value in values:
                    if value not in (*PLACES, *known):
                        report(index, key, unknown(value, known, name))
        if len(problems) == before and not np.isfinite(records[of.name].of_flows(flows)).any():
            report(index, "numerator", "no flow has all of these attributes, in any year; see flows.csv")
    return problems


def constant_problems(reading: Reading) -> list[Problem]:
    """Constants that an indicator reads, in a unit that is not of mass."""
    known = known_constants()
    table = reading.tables[CONSTANTS]
    problems = []
    for row in reading.in_effect(table):
        if row["constant"] in known and not table.is_bad(row.line, "unit"):
            try:
                mass_conversion(row["unit"], reading.settings.unit)
            except CaseError as error:
                problems += [Problem(CONSTANTS, row.line, "unit", p.message) for p in error.problems]
    return problems


def invented_flows(case: Case) -> FlowTable:
    """A few draws of flows that balance, with every flow of the case above zero: any prior, cheap to make."""
    network = Network.from_system(case.system)
    u = np.random.default_rng(1).normal(0.0, SPREAD, size=(DRAWS, network.n_coordinates))
    mass = np.zeros((len(case.system.flows), DRAWS, len(case.system.years)))
    mass[network.edge_flow, :, network.edge_year] = flows_of_draws(u, network).T
    return FlowTable.of_case(case, mass)
