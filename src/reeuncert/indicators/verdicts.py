"""Verdicts on values of indicators: whether the evidence informs them, or the priors decide."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from reeuncert.indicators.printing import label_of, unit_of
from reeuncert.result.learning import LIKELIHOOD, Verdict, judge
from reeuncert.result.powerscale import lineages, prior_classes, sensitivity
from reeuncert.result.quantiles import Array
from reeuncert.result.result import Result
from reeuncert.result.structures import LABELS, labelled, open_ranges
from reeuncert.words.estimates import interval


def scaled(result: Result, draws: Mapping[str, Array]) -> pd.DataFrame:
    """Power-scaling of values (label → draws) to each class of priors, each lineage and the evidence as a whole.

    Returns
    -------
    DataFrame
        As `reeuncert.result.powerscale.sensitivity`, with ``kind``: ``prior class``, ``source`` or ``evidence``.
    """
    classes, sources = prior_classes(result), lineages(result)
    whole = {LIKELIHOOD: np.sum(list(sources.values()), axis=0)} if sources else {}
    kinds = {"prior class": classes, "source": sources, "evidence": whole}
    known = {label: of for label, of in draws.items() if np.isfinite(of).any()}
    tables = [sensitivity(known, parts).assign(kind=kind) for kind, parts in kinds.items() if parts and known]
    columns = ["quantity", "component", "psense", "noise", "sensitive", "moves", "kind"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def with_verdicts(result: Result, table: pd.DataFrame, by_power: pd.DataFrame) -> pd.DataFrame:
    """Rows of `summary` with the fields of `reeuncert.result.learning.Verdict`.

    Parameters
    ----------
    by_power
        From `scaled`, of all rows.
    """
    ranges = open_ranges(result.structures)
    found = []
    for row, labels in zip(table.to_dict("records"), labelled(table)[LABELS].itertuples(index=False), strict=True):
        own = by_power[(by_power["quantity"] == label_of(row)) & (by_power["kind"] != "source")]
        apart = ranges.get(tuple(labels))
        # Without both kinds of terms nothing can be said of either.
        known = own if own["kind"].nunique() == 2 else own.iloc[:0]
        said = "" if apart is None else _span(row, *apart)
        found.append(asdict(judge(row["width_ratio"], row["prior_below_median"], row["against_prior"], known, said)))
    columns = [*Verdict.__dataclass_fields__]
    return table.assign(**pd.DataFrame(found, columns=columns, index=table.index))


def _span(row: Mapping[Any, Any], low: float, high: float) -> str:
    return f"{interval(low, high, unit_of(row))} over them"
