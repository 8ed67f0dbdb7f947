"""Numbers that pass every rule and are far from all else: rows far outside their prior, odd widths and medians."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reeuncert.balance.network import Network
from reeuncert.case.figures import LOG, LOGIT, bounds, figure_text, scale_of, to_scale
from reeuncert.case.records import Case, Evidence
from reeuncert.case.selection import select
from reeuncert.case.shared import error_class_of, shared_errors
from reeuncert.errors import Problem
from reeuncert.likelihood.problems import row_has_flows
from reeuncert.likelihood.widths import row_multiplier
from reeuncert.reading.prior_tables import PRIORS
from reeuncert.words.cells import listed
from reeuncert.words.error_laws import ERROR_LAWS
from reeuncert.words.units import MASS_RELATIONS, unit_factor

FAR = 5.0
"""Distance from the prior prediction, in standard deviations, above which a row gets a warning."""
TIMES = 50.0
"""Factor between a figure and the others of its series above which it is."""
NARROWEST = 1e-4
"""A relative error or spread below this is no one's."""
WIDEST = 2.0
"""Width of a class, on the log scale, from which its figures say hardly anything."""
LARGEST = 1e12
"""A median above this, or below its inverse, is no mass in any unit that a person chooses."""

Floats = NDArray[np.float64]


def number_warnings(case: Case) -> list[Problem]:
    """Widths, medians and figures that no one means, and a case without evidence; needs no simulation."""
    found = [*_narrow(case), *_of_no_size(case), *_unlike_its_series(case)]
    if not case.evidence:
        message = "no row of evidence is in effect, so that a run would give the prior alone; add rows to evidence.csv"
        found.append(Problem("evidence.csv", 0, "", f"{message} or to a file in the folder evidence"))
    return found


def far_rows(case: Case, network: Network, log_flow: Floats) -> list[Problem]:
    """Rows that lie more than `FAR` standard deviations from what the prior predicts of them."""
    index = np.full((len(case.system.flows), len(case.system.years)), -1)
    index[network.edge_flow, network.edge_year] = np.arange(len(network.edge_flow))
    mass = np.exp(log_flow).T
    problems = []
    rows = [row for row in case.evidence if row_has_flows(row, case)]
    shared = shared_errors(rows, case)
    each = zip(rows, shared.weights, shared.widths, shared.contents, strict=True)
    for row, weights, own_width, contents in each:
        error = error_class_of(row, case)
        law = ERROR_LAWS[error.family]
        chosen = select(row, case, law.plain)
        scale = scale_of(row.relation, law.plain)
        top = sum((c * mass[index[term]] for term, c in chosen.numerator.items()), start=np.zeros(mass.shape[1]))
        bottom = sum((c * mass[index[term]] for term, c in chosen.denominator.items()), start=np.zeros(mass.shape[1]))
        predicted = top / bottom if chosen.denominator else top
        if not law.plain:
            predicted = np.log(predicted)
        factor = unit_factor(row.unit, row.relation, case.system.unit)
        own = (error.width if math.isnan(own_width) else own_width) * row_multiplier(row, error, factor, case.errors)
        if not law.plain:
            own = math.hypot(own, *(weight * shared.laws[name].sd for (name, _), weight in weights.items()))
            own = math.hypot(own, max((shared.laws[name].sd for name, _ in contents.values()), default=0.0))
        low, middle, high = np.quantile(predicted, [0.16, 0.5, 0.84])
        z = _distance(row, factor, scale, float(middle)) / math.hypot(own, 0.5 * float(high - low))
        if abs(z) > FAR:
            unit = "" if row.unit in ("share", "ratio") else f" {row.unit}"
            expected = f"{_printed(float(middle), scale) / factor:.3g}{unit}"
            message = f"{figure_text(row)} lies {abs(z):.0f} standard deviations {'above' if z > 0 else 'below'} what "
            message += f"the priors say of it (median {expected}); "
            message += "is the unit right, and the selector? Else correct the figure, or say in reason why it is so"
            problems.append(Problem(row.file, row.line, "value", message))
    return problems


def _printed(number: float, scale: str) -> float:
    """A number on the scale of a row as a mass or a share."""
    return math.exp(number) if scale == LOG else 0.5 * (1 + math.tanh(number / 2)) if scale == LOGIT else number


def _distance(row: Evidence, factor: float, scale: str, middle: float) -> float:
    """How far what a row says lies from a prediction, on the scale of the row; 0 inside a bound."""
    low, high = bounds(row) if row.qualifier in ("at_least", "up_to", "range", "zero") else (row.value, row.value)
    readings = [(low, high), (row.alternative, row.alternative)]
    ends = [
        tuple(end if math.isinf(end) else to_scale(end * factor, scale) for end in reading)
        for reading in readings
        if not math.isnan(reading[0])
    ]
    return min((max(a - middle, 0.0) + min(b - middle, 0.0) for a, b in ends), key=abs)


def _narrow(case: Case) -> Iterator[Problem]:
    text = "is narrower than anything can be known; a width is on the log scale, where 5 % is written 0.05"
    for name, error in case.classes.items():
        if not NARROWEST < error.width < WIDEST and not ERROR_LAWS[error.family].plain:
            said = text if error.width < WIDEST else "says hardly anything; 5 % is written 0.05"
            yield Problem("classes.csv", 0, "width", f"the width {error.width:g} of class '{name}' {said}")
    for name, offset in case.offsets.items():
        if offset.sd < NARROWEST:
            yield Problem("offsets.csv", 0, "sd", f"the spread {offset.sd:g} of offset '{name}' {text}")
    for row in case.evidence:
        if row.width < NARROWEST and not ERROR_LAWS[error_class_of(row, case).family].plain:
            yield Problem(row.file, row.line, "width", f"the width {row.width:g} {text}")
    for prior in case.priors:
        total = math.hypot(prior.level_sd, prior.year_sd)
        if 0 < total < NARROWEST:
            yield Problem(PRIORS, prior.line, "level_sd", f"the spread {total:g} {text}")
        if 0 < prior.split_sd < NARROWEST:
            yield Problem(PRIORS, prior.line, "split_sd", f"the spread {prior.split_sd:g} {text}")
        if prior.family == "lognormal" and prior.b < NARROWEST:
            yield Problem(PRIORS, prior.line, "b", f"the spread {prior.b:g} {text}")


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
