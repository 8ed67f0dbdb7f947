"""Studies: a case fitted again with something changed or left out, and what follows for its conclusions."""

from reeuncert.edits.scenario import Scenario, read_scenarios
from reeuncert.studies.rivals import compare_structures
from reeuncert.studies.sensitivity import sensitivity
from reeuncert.studies.study import Study, read_study

__all__ = ["Scenario", "Study", "compare_structures", "read_scenarios", "read_study", "sensitivity"]
