"""Bayesian material flow analysis with balanced flows: how sure can anyone be about a supply chain?

Read a case, build its PyMC model, sample it, and look:

>>> import reeuncert as ree
>>> case = ree.read_case("small_metal")
>>> model = ree.build_model(case)
>>> [variable.name for variable in model.observed_RVs]
['reported']

Names are loaded when they are first used: reading and checking a case needs no sampler, and should not wait for one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reeuncert.calibration import Calibration as Calibration
    from reeuncert.calibration import calibrate as calibrate
    from reeuncert.calibration import recover as recover
    from reeuncert.calibration import simulate as simulate
    from reeuncert.case.new import new_case as new_case
    from reeuncert.case.reader import read_case as read_case
    from reeuncert.case.records import Case as Case
    from reeuncert.case.records import Evidence as Evidence
    from reeuncert.case.records import Prior as Prior
    from reeuncert.case.report import check_case as check_case
    from reeuncert.checks import check as check
    from reeuncert.checks.held_out import LeftOut as LeftOut
    from reeuncert.checks.held_out import add_left_out as add_left_out
    from reeuncert.checks.held_out import leave_out as leave_out
    from reeuncert.errors import CaseError as CaseError
    from reeuncert.errors import EvidenceError as EvidenceError
    from reeuncert.errors import InputError as InputError
    from reeuncert.errors import ModelError as ModelError
    from reeuncert.errors import OutputError as OutputError
    from reeuncert.errors import ReeUncertError as ReeUncertError
    from reeuncert.errors import SamplingError as SamplingError
    from reeuncert.indicators import add_indicators as add_indicators
    from reeuncert.indicators import headlines as headlines
    from reeuncert.indicators import indicator_table as indicator_table
    from reeuncert.indicators import summary as summary
    from reeuncert.inference.preview import preview as preview
    from reeuncert.inference.prior import sample_prior as sample_prior
    from reeuncert.inference.sample import sample as sample
    from reeuncert.model import build_model as build_model
    from reeuncert.posterior.io import read_results as read_results
    from reeuncert.report import write_report as write_report
    from reeuncert.report.files import write_results as write_results
    from reeuncert.restriction import restrict as restrict
    from reeuncert.scenarios import add_capacity as add_capacity
    from reeuncert.scenarios import export_stop as export_stop
    from reeuncert.scenarios import lost_consumption as lost_consumption
    from reeuncert.scenarios import no_trade as no_trade
    from reeuncert.scenarios import reduce_flows as reduce_flows
    from reeuncert.scenarios import run_scenario as run_scenario
    from reeuncert.sensitivity import Scenario as Scenario
    from reeuncert.sensitivity import Study as Study
    from reeuncert.sensitivity import compare_structures as compare_structures
    from reeuncert.sensitivity import read_scenarios as read_scenarios
    from reeuncert.sensitivity import read_study as read_study
    from reeuncert.sensitivity import sensitivity as sensitivity
    from reeuncert.sensitivity.averaging import add_structures as add_structures
    from reeuncert.sensitivity.averaging import average_structures as average_structures
    from reeuncert.sensitivity.information import value_of_information as value_of_information
    from reeuncert.sensitivity.powerscale import power_scaling as power_scaling
    from reeuncert.sensitivity.reweight import reweight as reweight
    from reeuncert.sensitivity.scores import score_structures as score_structures
    from reeuncert.sensitivity.sobol import sobol as sobol
    from reeuncert.sensitivity.tornado import tornado as tornado
    from reeuncert.system.definition import Flow as Flow
    from reeuncert.system.definition import Process as Process
    from reeuncert.system.definition import Selector as Selector
    from reeuncert.system.definition import SystemDefinition as SystemDefinition

__version__ = "0.1.0"

_HOME = {
    "Calibration": "reeuncert.calibration",
    "Case": "reeuncert.case.records",
    "CaseError": "reeuncert.errors",
    "Evidence": "reeuncert.case.records",
    "EvidenceError": "reeuncert.errors",
    "Flow": "reeuncert.system.definition",
    "InputError": "reeuncert.errors",
    "LeftOut": "reeuncert.checks.held_out",
    "ModelError": "reeuncert.errors",
    "OutputError": "reeuncert.errors",
    "Prior": "reeuncert.case.records",
    "Process": "reeuncert.system.definition",
    "ReeUncertError": "reeuncert.errors",
    "SamplingError": "reeuncert.errors",
    "Scenario": "reeuncert.sensitivity",
    "Selector": "reeuncert.system.definition",
    "Study": "reeuncert.sensitivity",
    "SystemDefinition": "reeuncert.system.definition",
    "add_capacity": "reeuncert.scenarios",
    "add_indicators": "reeuncert.indicators",
    "add_left_out": "reeuncert.checks.held_out",
    "add_structures": "reeuncert.sensitivity.averaging",
    "average_structures": "reeuncert.sensitivity.averaging",
    "build_model": "reeuncert.model",
    "calibrate": "reeuncert.calibration",
    "check": "reeuncert.checks",
    "check_case": "reeuncert.case.report",
    "compare_structures": "reeuncert.sensitivity",
    "export_stop": "reeuncert.scenarios",
    "headlines": "reeuncert.indicators",
    "indicator_table": "reeuncert.indicators",
    "lost_consumption": "reeuncert.scenarios",
    "new_case": "reeuncert.case.new",
    "no_trade": "reeuncert.scenarios",
    "power_scaling": "reeuncert.sensitivity.powerscale",
    "leave_out": "reeuncert.checks.held_out",
    "preview": "reeuncert.inference.preview",
    "read_case": "reeuncert.case.reader",
    "read_results": "reeuncert.posterior.io",
    "read_scenarios": "reeuncert.sensitivity",
    "read_study": "reeuncert.sensitivity",
    "recover": "reeuncert.calibration",
    "reduce_flows": "reeuncert.scenarios",
    "restrict": "reeuncert.restriction",
    "reweight": "reeuncert.sensitivity.reweight",
    "run_scenario": "reeuncert.scenarios",
    "sample": "reeuncert.inference.sample",
    "sample_prior": "reeuncert.inference.prior",
    "score_structures": "reeuncert.sensitivity.scores",
    "sensitivity": "reeuncert.sensitivity",
    "simulate": "reeuncert.calibration",
    "sobol": "reeuncert.sensitivity.sobol",
    "summary": "reeuncert.indicators",
    "tornado": "reeuncert.sensitivity.tornado",
    "value_of_information": "reeuncert.sensitivity.information",
    "write_report": "reeuncert.report",
    "write_results": "reeuncert.report.files",
}
"""Where each public name lives; a new public name is one row here and one above."""

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'reeuncert' has no attribute '{name}'; it has: {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
