"""How reported figures enter the model: selectors, forms, widths, offsets, and the likelihood itself."""

from reeuncert.likelihood.compile import EvidenceModel, compile_evidence
from reeuncert.likelihood.conflicts import Overlap
from reeuncert.likelihood.model import add_likelihood
from reeuncert.likelihood.predictive import (
    log_likelihood,
    predicted_quantities,
    predicted_sigma,
    predictive_draws,
    split_by_lineage,
)
from reeuncert.likelihood.problems import evidence_problems, overlaps, rows_without_flows

__all__ = [
    "EvidenceModel",
    "Overlap",
    "add_likelihood",
    "compile_evidence",
    "evidence_problems",
    "log_likelihood",
    "overlaps",
    "predicted_quantities",
    "predicted_sigma",
    "predictive_draws",
    "rows_without_flows",
    "split_by_lineage",
]
