"""Studies that run a case again with something changed; called itself, it makes one (`reeuncert.sensitivity(case, …)`).

The package and the function have one name, so the module is made callable: whichever way a user comes to the name
(``ree.sensitivity(case, …)`` or ``reeuncert.sensitivity.edits``), both work.
"""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reeuncert.sensitivity.scenario import Scenario, read_scenarios
from reeuncert.sensitivity.structures import compare_structures
from reeuncert.sensitivity.studies import Study, read_study

if TYPE_CHECKING:
    from reeuncert.sensitivity.study import sensitivity
else:
    from reeuncert.sensitivity import study

    class _Callable(ModuleType):
        def __call__(self, *args: Any, **named: Any) -> Study:
            return study.sensitivity(*args, **named)

    sensitivity = sys.modules[__name__]
    sensitivity.__class__ = _Callable
    # What help() and a notebook show of the name is what a user needs to call it.
    sensitivity.__signature__ = inspect.signature(study.sensitivity)
    sensitivity.__doc__ = study.sensitivity.__doc__

__all__ = ["Scenario", "Study", "compare_structures", "read_scenarios", "read_study", "sensitivity"]
