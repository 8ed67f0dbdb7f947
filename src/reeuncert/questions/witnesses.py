"""What each lineage of sources speaks of, in every draw of a result."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from reeuncert.errors import ReeUncertError
from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.predictive import predicted_quantities, split_by_lineage
from reeuncert.priors.coverage import case_network
from reeuncert.questions.targets import case_of
from reeuncert.result.tables import mass_flow

Floats = NDArray[np.float64]


def evidence_of(dt: xr.DataTree) -> EvidenceModel:
    """The evidence of a result, compiled.

    Raises
    ------
    ReeUncertError
        If the case has none.
    """
    case = case_of(dt)
    if not case.evidence:
        raise ReeUncertError(f"case '{case.name}' has no evidence, so no source to ask about")
    return compile_evidence(case, case_network(case))


def quantities_by_lineage(dt: xr.DataTree) -> dict[str, tuple[Floats, Floats]]:
    """Draws of what each lineage speaks of, free of its offsets, and the unit of a relative error.

    Returns
    -------
    dict
        Lineage → quantities (chain, draw, row) on the scale of each row, and what a relative error of 1 is there (row):
        1 on the log and logit scales, the median of the quantity on a plain one.
    """
    evidence = evidence_of(dt)
    mass = mass_flow(dt).transpose("chain", "draw", "flow", "year").values
    quantity = predicted_quantities(evidence, mass, np.zeros((*mass.shape[:2], len(evidence.offsets.label))))
    size = np.abs(np.median(quantity.reshape(-1, evidence.n_rows), axis=0))
    scale = np.where(evidence.plain, np.maximum(size, np.finfo(float).tiny), 1.0)
    parts, scales = split_by_lineage(evidence, quantity), split_by_lineage(evidence, scale)
    return {name: (parts[name], scales[name]) for name in parts}
