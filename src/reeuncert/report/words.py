"""Words of the report: labels and citation of a result, its glossary, headings and cells of tables."""

import re
from collections import Counter

import numpy as np
from markupsafe import Markup

from reeuncert.case.labels import Labels
from reeuncert.indicators.registry import INDICATORS
from reeuncert.result.io import provenance
from reeuncert.result.result import Result
from reeuncert.system.definition import Selector
from reeuncert.words.cells import as_words

GLOSSARY = {
    "posterior": "what is believed after the evidence was used, together with the balances",
    "prior": "what was assumed before the evidence was used",
    "90 % interval": "holds the value with a probability of 90 %; 5 % lie below it and 5 % above",
    "median": "half of the draws lie below it",
    "draws": "possible worlds, each of which balances; together they show what is uncertain",
    "quota": "the most that a government allows to be mined, refined or exported in a year",
    "apparent consumption": "production, recycling and imports, less exports and what went into stock",
    "mirror discrepancy": "difference between the records that importer and exporter keep of the same trade",
    "unregistered": "outside quotas and licences; few official figures count it",
    "lineage": "figures that go back to one original count",
    "R-hat": "compares the chains of the sampler: 1 when all agree",
    "informed by the evidence": "the figures narrow the answer to less than half of what was assumed before, and no "
    "small change of the assumptions moves it",
    "rests on the prior": "the answer follows what was assumed before, more than what was reported",
    "prior–data conflict": "a small change of the weight of the assumptions moves the answer, and one of the weight of "
    "the figures does too (perhaps the same way); or its median lies outside the prior's 5–95 %",
    "power-scaling": "how much an answer moves if a prior or the evidence counts a little more or less",
}
"""Terms of every report and what they mean; a case adds its own."""

_URL = re.compile(r"https?://[^\s\"'<>]+", re.ASCII)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"'<>;,]+", re.ASCII)


def selector_text(selector: Selector) -> str:
    """A selector in words.

    >>> selector_text(Selector.of(quantity="trade+declared", product="salt", origin="A", destination="B"))
    'trade + declared of salt, from A to B'
    """
    fields = {name: " + ".join(values) for name, values in selector.fields.items()}
    parts = [as_words(fields.pop("quantity", "")) or "mass"]
    if "product" in fields:
        parts.append(f"of {fields.pop('product')}")
    origin, destination = fields.pop("origin", ""), fields.pop("destination", "")
    if origin and origin == destination:
        parts[-1] += f", in {origin}"
    else:
        both = [f"from {origin}"] * bool(origin) + [f"to {destination}"] * bool(destination)
        if both:
            parts[-1] += f", {' '.join(both)}"
    if "end_use" in fields:
        parts.append(f"for {fields.pop('end_use')}")
    rest = ", ".join(f"{as_words(k)} {v}" for k, v in fields.items())
    return " ".join(parts) + (f" ({rest})" if rest else "")


COLUMNS = {
    "eti90_lb": "5 %",
    "eti90_ub": "95 %",
    "r_hat": "R-hat",
    "ess_bulk": "bulk ESS",
    "ess_tail": "tail ESS",
    "lineage": "original count",
    "qualifier": "kind of figure",
    "line": "line of the table",
    "d2": "distance d²",
    "closer": "P of such a closeness",
    "farther": "P of such a distance",
    "log_sd": "log-sd",
    "orders": "orders of magnitude",
    "pareto_k": "Pareto k",
    "below": "P of less",
    "z": "normal score z",
    "tail": "tail probability",
    "violation": "P of a violation",
    "disagree": "rows that disagree",
    "predicted_lb": "predicted 5 %",
    "predicted_ub": "predicted 95 %",
    "inside": "in our interval",
    "width_ratio": "width over that of the prior",
    "below_median": "share below the posterior median",
    "against_prior": "width in a word",
    "level": "status",
    "close_to": "close to the verdict",
    "to_priors": "sensitivity to priors",
    "to_evidence": "sensitivity to evidence",
    "prior_class": "priors it rests on",
    "psense": "power-scaling",
    "noise": "its error",
    "moves": "slope (sd) in its weight",
    "mcse_median": "error of the median",
    "mcse_lower": "error of 5 %",
    "mcse_upper": "error of 95 %",
    "lowest": "lowest 5 %",
    "highest": "highest 95 %",
}
"""Column of a table → its heading, where its name without underscores would not tell."""


def structure_of_figures(result: Result) -> str:
    """The structure of all numbers but the answers, and those over which these are averages; empty if there is one."""
    found, own = result.structures, own_structure(result)
    if found is None or not own:
        return ""
    return f"“{own}” alone; the answers are averages over {', '.join(map(as_words, found.averaged))}"


def own_structure(result: Result) -> str:
    """Name of the structure of the draws, where the answers are averages over several; otherwise empty."""
    if result.structures is None:
        return ""
    return ", ".join(as_words(result.case.options[name]) for name in result.case.compare)


def column(name: str) -> str:
    """Heading of a column of a table.

    >>> column("eti90_lb"), column("prior_eti90_ub"), column("measured_year")
    ('5 %', 'prior 95 %', 'measured year')
    """
    before, _, own = name.rpartition("prior_")
    return ("prior " if before or name != own else "") + COLUMNS.get(own, as_words(own))


def cell(value: object) -> object:
    """A cell of a table: a truth as a word.

    >>> cell(True), cell(2.5)
    ('yes', 2.5)
    """
    return ("no", "yes")[bool(value)] if isinstance(value, bool | np.bool_) else value


def linked(text: str) -> Markup:
    """A reference with its web address or DOI as a link; everything else is escaped.

    >>> print(linked("doi 10.1000/x1 <b>"))
    doi <a href="https://doi.org/10.1000/x1">10.1000/x1</a> &lt;b&gt;
    """
    found = _URL.search(text) or _DOI.search(text)
    if found is None:
        return Markup("{}").format(text)
    shown = found.group().rstrip(".,;)")
    href = shown if shown.startswith("http") else f"https://doi.org/{shown}"
    before, after = text[: found.start()], text[found.start() + len(shown) :]
    return Markup('{}<a href="{}">{}</a>{}').format(before, href, shown, after)


def labels_of(result: Result) -> Labels:
    """Labels of flows, processes, sources, offsets and indicators."""
    return Labels(result.case, {name: title for record in INDICATORS.values() for name, title in record.titles.items()})


MOST_PROVIDERS = 6


def providers(result: Result) -> str:
    """Where the rows of evidence behind a result come from, those with most rows first."""
    case = result.case
    rows = [row.source_id for row in case.evidence]
    found = Counter(case.sources[name].publisher or case.sources[name].title or name for name in rows)
    named = [name for name, _ in found.most_common(MOST_PROVIDERS)]
    rest = len(found) - len(named)
    more = [f"and {rest} more publishers, named under Evidence"] if rest else []
    return f"{len(rows)} rows of evidence from {len(set(rows))} sources: {'; '.join([*named, *more])}" if rows else ""


def citation(result: Result) -> str:
    """One line to cite a result by: title, software with its version, case, date and seed."""
    made = provenance(result.dt)
    versions = made.get("versions") or {}
    software = f"reeuncert {versions['reeuncert']}" if versions.get("reeuncert") else "reeuncert"
    parts = [result.case.title, software, f"case {result.case.name}", str(made.get("created") or "")[:10]]
    seed = f"seed {made['seed']}" if made.get("seed") is not None else ""
    return ". ".join(part for part in (*parts, seed) if part)
