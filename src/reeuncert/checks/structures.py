"""Do the headlines hold whichever rival structure is true? Read from the group ``structures`` of a result."""

import numpy as np
import pandas as pd

from reeuncert.checks.monte_carlo import LARGEST_ERROR
from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.indicators.printing import label_of
from reeuncert.result.diagnostics import unconverged
from reeuncert.result.result import Result
from reeuncert.result.structures import CONVERGENCE, LABELS, NOT_IDENTIFIED, Structures
from reeuncert.words.estimates import interval


def check(result: Result) -> list[CheckResult]:
    """Headlines that the evidence does not identify, with the range over the structures; convergence; averages."""
    name = "headlines over structures"
    found = result.structures
    if found is None:
        switches = result.case.compare if result.has_case else ()
        if not switches:
            return [information(name, "The case names no rival structures.")]
        message = f"The rival structures of the case ({', '.join(switches)}) were not run: whether its headlines hold "
        return [information(name, message + "under all of them is not known. Run `reeuncert structures --results`.")]
    table = found.averages()
    open_ones = table[table["verdict"] == NOT_IDENTIFIED]
    message = (
        f"Of {len(table)} headlines, {len(table) - len(open_ones)} hold under each of {len(found.averaged)} rival "
    )
    message += f"structures ({', '.join(found.averaged)})"
    said = [
        f"{label_of(row)} ({interval(row['lowest'], row['highest'])} over all)" for row in open_ones.to_dict("records")
    ]
    message += f"; not identified by these data: {'; '.join(said)}." if said else "."
    beside = [name for name in found.names if name not in found.averaged]
    message += f" Shown beside the averages, and not in them: {', '.join(beside)}." if beside else ""
    remedy = "Report the range over the structures for these beside the average."
    return [warned(name, len(said), "<=", 0, message, remedy, table), _convergence(found), _averages(table)]


def _convergence(found: Structures) -> CheckResult:
    """Whether the run of every structure has converged, by the limits that hold for every result."""
    table = found.table()
    runs = found.data[["run_r_hat", "run_ess", "run_divergences"]].to_dataframe().reset_index()
    runs = runs[["structure", "run_r_hat", "run_ess", "run_divergences"]]
    table = table[["structure", *LABELS, *CONVERGENCE]].merge(runs, on="structure")
    ess = table[["ess_bulk", "ess_tail"]].min(axis=1)
    bad = table[unconverged(table) | (table["run_divergences"] > 0)]
    message = f"Over the headlines of all structures the smallest ESS is {ess.min():.0f}, the largest R-hat "
    message += f"{table['r_hat'].max():.4f}; {np.nansum(runs['run_divergences']):.0f} draws diverged. Over all flows, "
    message += f"which only the run of the result itself reports: {runs['run_ess'].min():.0f} and "
    message += f"{runs['run_r_hat'].max():.3f}."
    remedy = "Run `reeuncert structures` with more draws (--draws)."
    return judged("convergence of structures", len(bad), "<=", 0, message, remedy, bad)


def _averages(table: pd.DataFrame) -> CheckResult:
    """Monte Carlo error of the ends of averaged intervals, as parts of their width."""
    width = (table["eti90_ub"] - table["eti90_lb"]).to_numpy(dtype=float)
    error = table[["mcse_lower", "mcse_upper"]].max(axis=1).to_numpy(dtype=float)
    part = np.divide(error, width, out=np.full(len(table), np.nan), where=width > 0)
    worst = float(np.nanmax(part)) if np.isfinite(part).any() else 0.0
    message = f"The largest Monte Carlo error of an end of an averaged interval is {worst:.1%} of its width."
    remedy = "Run `reeuncert structures` with more draws (--draws)."
    bad = table[part > LARGEST_ERROR]
    return judged("averages over structures", worst, "<=", LARGEST_ERROR, message, remedy, bad)
