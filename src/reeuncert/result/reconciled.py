"""The figures of a case reconciled without priors: once for the check of the case, and for that of its result."""

from functools import lru_cache

from reeuncert.case.serial import case_from_json
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.reconcile import Reconciliation, reconcile
from reeuncert.priors.coverage import case_network


@lru_cache(maxsize=4)
def reconciled(case_json: str) -> Reconciliation:
    """`reeuncert.likelihood.reconcile.reconcile` of a case that has evidence."""
    case = case_from_json(case_json)
    return reconcile(case.system, compile_evidence(case, case_network(case)))
