"""Bayesian material flow analysis with balanced flows: how sure can anyone be about a supply chain?

Read a case, build its PyMC model, sample it, and look:

>>> import reeuncert as ree
>>> case = ree.read_case("small_metal")
>>> model = ree.build_model(case)
>>> [variable.name for variable in model.observed_RVs]
['reported']

Names are loaded when they are first used: reading and checking a case needs no sampler, and should not wait for one.
"""

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from reeuncert.machine import place_compiled_code

if TYPE_CHECKING:
    from reeuncert.case.records import Case as Case
    from reeuncert.case.restriction import restrict as restrict
    from reeuncert.checks import check as check
    from reeuncert.counterfactuals import lost_consumption as lost_consumption
    from reeuncert.counterfactuals import run_counterfactual as run_counterfactual
    from reeuncert.errors import ReeUncertError as ReeUncertError
    from reeuncert.indicators.compute import add_indicators as add_indicators
    from reeuncert.indicators.headlines import headlines as headlines
    from reeuncert.indicators.stored import read_results as read_results
    from reeuncert.indicators.summary import indicator_table as indicator_table
    from reeuncert.indicators.summary import summary as summary
    from reeuncert.inference.prior import sample_prior as sample_prior
    from reeuncert.inference.sample import preview as preview
    from reeuncert.inference.sample import sample as sample
    from reeuncert.model import build_model as build_model
    from reeuncert.questions.comparison import compare as compare
    from reeuncert.questions.information import value_of_information as value_of_information
    from reeuncert.questions.overview import value_of_tables as value_of_tables
    from reeuncert.questions.powerscale import power_scaling as power_scaling
    from reeuncert.questions.powerscale import verdicts as verdicts
    from reeuncert.questions.reweight import reweight as reweight
    from reeuncert.questions.sobol import sobol as sobol
    from reeuncert.reading.bundled import new_case as new_case
    from reeuncert.report import write_report as write_report
    from reeuncert.report.files import write_results as write_results
    from reeuncert.result.result import Result as Result
    from reeuncert.running import run as run
    from reeuncert.studies import Study as Study
    from reeuncert.studies import compare_structures as compare_structures
    from reeuncert.studies import read_study as read_study
    from reeuncert.studies.calibrate import calibrate as calibrate
    from reeuncert.studies.calibrate import recover as recover
    from reeuncert.studies.scores import leave_out as leave_out
    from reeuncert.studies.scores import score_structures as score_structures
    from reeuncert.studies.sensitivity import sensitivity as sensitivity
    from reeuncert.validation.reader import read_case as read_case
    from reeuncert.validation.report import check_case as check_case

__version__ = "0.1.0"

place_compiled_code()

_NAMES = {
    "case.records": "Case",
    "case.restriction": "restrict",
    "checks": "check",
    "counterfactuals": "lost_consumption run_counterfactual",
    "errors": "ReeUncertError",
    "indicators.compute": "add_indicators",
    "indicators.headlines": "headlines",
    "indicators.stored": "read_results",
    "indicators.summary": "indicator_table summary",
    "inference.prior": "sample_prior",
    "inference.sample": "preview sample",
    "model": "build_model",
    "questions.comparison": "compare",
    "questions.information": "value_of_information",
    "questions.overview": "value_of_tables",
    "questions.powerscale": "power_scaling verdicts",
    "questions.reweight": "reweight",
    "questions.sobol": "sobol",
    "reading.bundled": "new_case",
    "report": "write_report",
    "report.files": "write_results",
    "result.result": "Result",
    "running": "run",
    "studies": "Study compare_structures read_study",
    "studies.calibrate": "calibrate recover",
    "studies.scores": "leave_out score_structures",
    "studies.sensitivity": "sensitivity",
    "validation.reader": "read_case",
    "validation.report": "check_case",
}
"""Modules and their public names; a new public name stands here and above."""

_HOME = {name: f"reeuncert.{module}" for module, names in _NAMES.items() for name in names.split()}

MODULES = (
    *("calibration", "case", "counterfactuals", "edits", "errors", "importers", "indicators", "outlook", "plots"),
    *("questions", "reading", "reference", "report", "result", "studies", "system", "testing", "validation"),
)
"""Modules with further public names, e.g. ``reeuncert.plots``; loaded when they are first used."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return import_module(f"reeuncert.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'reeuncert' has no attribute '{name}'; it has: {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    if isinstance(value, FunctionType):
        value = import_module("reeuncert.boundary").guarded(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, *MODULES, "__version__"]
