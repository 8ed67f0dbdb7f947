"""Which assumptions and which sources an indicator is sensitive to: power-scaling, without a refit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from reeuncert.checks.sensitivity import NOISE, OF_THE_EVIDENCE, SENSITIVE, components, sensitivity
from reeuncert.errors import ReeUncertError
from reeuncert.questions.targets import ValueName, targets_of
from reeuncert.result.result import Result

Floats = NDArray[np.float64]

CLASS, SOURCE = "prior class", "source"
KINDS = (CLASS, SOURCE)


def power_scaling(
    dt: xr.DataTree,
    indicators: ValueName | Iterable[ValueName] | None = None,
    *,
    of: str | Iterable[str] = KINDS,
) -> pd.DataFrame:
    """How much indicators would move if a class of priors, or a source, counted a little more or less.

    A component's density is raised to powers near 1 and the draws are weighted accordingly (Kallioinen, Paananen,
    Bürkner & Vehtari 2024, doi 10.1007/s11222-023-10366-5). The number is that of ``arviz_stats.psense``: the
    cumulative Jensen-Shannon distance for each doubling of the power. Prior and evidence as wholes are not asked about:
    densities of thousands of coordinates fluctuate so much that their number is noise.

    Parameters
    ----------
    dt
        Result with indicators and the groups ``log_prior`` and ``log_likelihood``.
    indicators
        Headline numbers, names, or mappings with labels; the headlines of the case by default.
    of
        ``"prior class"`` (groups of the priors table; offsets and widths of the evidence), ``"source"`` (lineages of
        evidence), or both.

    Returns
    -------
    DataFrame
        ``indicator``, its labels, ``unit``; ``kind``, ``component``; ``psense``; ``noise`` (the same with the
        component's chains exchanged); ``moves`` (standard deviations by which the indicator would rise if the component
        counted twice, to first order) and ``moves_by`` (the same in its unit); ``sensitive`` (above 0.05 and twice the
        noise). The largest of each indicator first.

    Raises
    ------
    ReeUncertError
        When the result holds no such terms, or `of` is none of these.
    UnknownIndicatorError
        When no indicator has a name.

    Examples
    --------
    A source that says x is small pulls x down::

        ree.power_scaling(dt, [{"indicator": "smuggled_mass_cumulated", "region": "A", "partner": "B"}], of="source")
    """
    kinds = [of] if isinstance(of, str) else list(of)
    unknown = [k for k in kinds if k not in KINDS]
    if unknown:
        raise ReeUncertError(f"of is {unknown[0]!r}; use some of: {', '.join(KINDS)}")
    parts = component_densities(dt, kinds)
    targets = targets_of(dt, indicators)
    by_label = {target.label: target for target in targets}
    found = sensitivity({label: t.draws for label, t in by_label.items()}, {c: d for c, (_, d) in parts.items()})
    found["kind"] = [parts[c][0] for c in found["component"]]
    found["sensitive"] = (found["psense"] > SENSITIVE) & (found["psense"] > NOISE * found["noise"])
    tables = []
    for label, target in by_label.items():
        table = found[found["headline"] == label].copy()
        table["moves_by"] = table["moves"] * float(np.std(target.filled))
        for position, (column, value) in enumerate(target.columns.items()):
            table.insert(position, column, value)
        tables.append(table)
    columns = [*targets[0].columns, "kind", "component", "psense", "noise", "moves", "moves_by", "sensitive"]
    return pd.concat(tables, ignore_index=True)[columns]


def component_densities(dt: xr.DataTree, kinds: Iterable[str] = KINDS) -> dict[str, tuple[str, Floats]]:
    """Log density (chain, draw) of every class of priors and lineage of sources, with its kind."""
    found: dict[str, tuple[str, Floats]] = {}
    for kind, group in ((CLASS, "log_prior"), (SOURCE, "log_likelihood")):
        if kind not in kinds:
            continue
        parts = components(dt, group, OF_THE_EVIDENCE if kind == CLASS else Result(dt).lineages)
        if not parts:
            raise ReeUncertError(
                f"this result holds no group '{group}'; sample the case with likelihood_terms=True (the default)"
            )
        found |= {name: (kind, density) for name, density in parts.items()}
    return found
