"""Is the run complete?"""

from __future__ import annotations

from reeuncert.checks.material import Material
from reeuncert.checks.result import CheckResult, information


def check(material: Material) -> list[CheckResult]:
    """Report an interrupted run or a preview; nothing for a complete run."""
    found = []
    sizes = material.dt["posterior"].sizes if "posterior" in material.dt.children else {}
    kept = f"{sizes.get('chain', 0)} chains of {sizes.get('draw', 0)} draws"
    if material.approximate:
        found.append(
            information("quick look", f"Approximate: a preview of {kept}, not meant to converge; quote nothing of it.")
        )
    if material.dt.attrs.get("complete") == "no":
        asked = f"{material.dt.attrs.get('chains', '?')} chains of {material.dt.attrs.get('draws', '?')} draws"
        found.append(
            information("interrupted", f"The run was interrupted: it holds {kept} where {asked} were asked for.")
        )
    return found
