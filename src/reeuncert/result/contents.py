"""Contents of elements in draws: of the posterior where evidence is about them, else drawn from their laws."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from reeuncert.case.records import Case
from reeuncert.case.shared import content_name, content_sds
from reeuncert.result.quantiles import Array

if TYPE_CHECKING:
    import xarray as xr


def content_draws(case: Case, draws: xr.Dataset) -> dict[str, Array]:
    """Log of the ratio of each content to its median (chain, draw), by its name among the offsets. Those that
    ``log_offset`` does not hold are the same at every call.
    """
    years, found = draws["year"].values.tolist(), dict[str, Array]()
    for content in case.contents.values():
        at = years if content.per == "year" else years[:1]
        rng = np.random.default_rng(crc32(content.name.encode()))
        drawn = content.sd * rng.normal(size=(draws.sizes["chain"], draws.sizes["draw"], len(at)))
        found |= {content_name(content, year): drawn[..., t] for t, year in enumerate(at)}
    if "log_offset" in draws:
        held = draws["log_offset"].transpose("offset_value", "chain", "draw")
        names = held["offset_value"].values.tolist()
        found |= {name: values for name, values in zip(names, held.values, strict=True) if name in found}
    return found


def content_scores(case: Case, draws: xr.Dataset) -> dict[str, Array]:
    """Every uncertain content in units of its log-sd (chain, draw), by its name among the offsets."""
    found = content_draws(case, draws)
    return {name: found[name] / sd for name, sd in content_sds(case).items()}
