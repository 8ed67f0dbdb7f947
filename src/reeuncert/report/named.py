"""Labels of a result's case, and how it is cited."""

from collections import Counter

from reeuncert.case.labels import Labels
from reeuncert.indicators.registry import INDICATORS
from reeuncert.result.io import provenance
from reeuncert.result.result import Result


def labels_of(result: Result) -> Labels:
    """Labels of flows, processes, sources, offsets and indicators."""
    return Labels(result.case, {name: title for record in INDICATORS.values() for name, title in record.titles.items()})


MOST_PROVIDERS = 6


def providers(result: Result) -> str:
    """Who published the figures behind a result, those of most figures first."""
    case = result.case
    rows = [row.source_id for row in case.evidence]
    found = Counter(case.sources[name].publisher if name in case.sources else name for name in rows)
    named = [name for name, _ in found.most_common(MOST_PROVIDERS)]
    rest = len(found) - len(named)
    more = [f"and {rest} more publishers, named under Evidence"] if rest else []
    return f"{len(rows)} figures of {len(set(rows))} sources: {'; '.join([*named, *more])}" if rows else ""


def citation(result: Result) -> str:
    """One line to cite a result by: title, software with its version, case, date and seed."""
    made = provenance(result.dt)
    versions = made.get("versions") or {}
    software = f"reeuncert {versions['reeuncert']}" if versions.get("reeuncert") else "reeuncert"
    parts = [result.case.title, software, f"case {result.case.name}", str(made.get("created") or "")[:10]]
    seed = f"seed {made['seed']}" if made.get("seed") is not None else ""
    return ". ".join(part for part in (*parts, seed) if part)
