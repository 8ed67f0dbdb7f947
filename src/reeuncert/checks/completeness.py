"""Is the run complete?"""

from reeuncert.checks.result import CheckResult, information
from reeuncert.result.result import Result


def check(result: Result) -> list[CheckResult]:
    """Report an interrupted run or a preview; nothing for a complete run."""
    found = []
    sizes = result.dt["posterior"].sizes if "posterior" in result.dt.children else {}
    kept = f"{sizes.get('chain', 0)} chains of {sizes.get('draw', 0)} draws"
    if result.approximate:
        found.append(
            information("quick look", f"Approximate: a preview of {kept}, not meant to converge; quote nothing of it.")
        )
    if result.dt.attrs.get("complete") == "no":
        asked = f"{result.dt.attrs.get('chains', '?')} chains of {result.dt.attrs.get('draws', '?')} draws"
        found.append(
            information("interrupted", f"The run was interrupted: it holds {kept} where {asked} were asked for.")
        )
    return found
