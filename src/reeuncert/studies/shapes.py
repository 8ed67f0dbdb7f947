"""Which changed cases can share one compiled model."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from reeuncert.case.records import Case, Prior
from reeuncert.case.serial import case_to_json


def shape_of(case: Case) -> str:
    """Fingerprint of a case without its numbers: flows, years, what priors and evidence are about.

    Cases of one shape differ in medians, spreads, widths, offsets and figures alone, which are data of the compiled
    model. It is used to send cases to the processes that can reuse a model; whether a model serves is for
    `reeuncert.inference.refit.Refitter.accepts` to say.

    Examples
    --------
    >>> import reeuncert as ree
    >>> from reeuncert.edits import Edited, edit_of
    >>> case = ree.read_case("small_metal")
    >>> wide = edit_of({"kind": "prior_spread", "prior": "*", "factor": 2}).apply(Edited(case)).case
    >>> bare = edit_of({"kind": "without_flows", "quantity": "stock+opening_stock"}).apply(Edited(case)).case
    >>> shape_of(wide) == shape_of(case), shape_of(bare) == shape_of(case)
    (True, False)
    """
    groups: dict[tuple[str, str], int] = {}
    rows = []
    for row in case.evidence:
        error = case.classes[case.sources[row.source_id].error_class]
        group = groups.setdefault((row.lineage, error.name), len(groups))
        own = row.width == row.width
        rows.append(replace(row, width=0.0 if own else row.width, note=f"{group} {error.family} {error.learn}"))
    bare = replace(
        case,
        priors=tuple(_without_numbers(prior) for prior in case.priors),
        evidence=tuple(rows),
        sources={},
        classes={},
        offsets={name: replace(offset, mean=0.0, sd=0.0) for name, offset in case.offsets.items()},
        covariates={},
        headlines=(),
        options={},
        path="",
        hashes={},
    )
    return hashlib.sha256(case_to_json(bare).encode()).hexdigest()[:20]


def _without_numbers(prior: Prior) -> Prior:
    """What the row is about."""
    return replace(
        prior, median=0.0, median_to=0.0, level_sd=0.0, year_sd=0.0, correlation=0.0, split_sd=0.0, slope_on="",
        slope=0.0, slope_sd=0.0, reason="", line=0, a=0.0, b=0.0,
    )  # fmt: skip
