"""Checks of the headlines: what supports them, whether they hold under rival structures, and what others published."""

import numpy as np
import pandas as pd

from reeuncert.checks.result import CheckResult, information, judged, warned
from reeuncert.checks.run import LARGEST_ERROR
from reeuncert.indicators.headlines import all_headlines, all_scaled, headline_values
from reeuncert.indicators.printing import value_title
from reeuncert.reference import all_published
from reeuncert.result.diagnostics import unconverged
from reeuncert.result.learning import COLUMNS
from reeuncert.result.result import Result
from reeuncert.result.structures import CONVERGENCE, LABELS, NOT_IDENTIFIED, Structures
from reeuncert.result.verdicts import LEVELS, NOISE, SENSITIVE, Verdict
from reeuncert.words.estimates import interval, printed

_MORE = "Run `reeuncert structures` with more draws (--draws)."
_VALUES = ("median", "eti90_lb", "eti90_ub", "prior_median", "prior_eti90_lb", "prior_eti90_ub")


def assumption(result: Result) -> list[CheckResult]:
    """The verdict of every headline; a warning for each that the evidence alone does not carry."""
    name = "verdicts on headlines"
    if "derived" not in result.dt.children:
        return [information(name, "This result holds no indicator: no headline to judge.")]
    table = result.once(all_headlines)
    if table.empty or (table["level"] == "information").all():
        why = table["why"].unique() if len(table) else ()
        return [information(name, " ".join(["No headline was judged.", *why]))]
    named = table.assign(headline=[value_title(row) for row in table.to_dict("records")])
    shown = named[[*dict.fromkeys(("headline", "verdict", "why", *COLUMNS, *Verdict.__dataclass_fields__, *_VALUES))]]
    shown = shown.sort_values("to_priors", ascending=False, ignore_index=True)
    count = table["verdict"].value_counts()
    told = ", ".join(f"{word}: {count[word]}" for word in LEVELS if word in count)
    resting = int((table["level"] == "warning").sum())
    message = f"Of {len(table)} headlines, {told}."
    if near := int((table["close_to"] != "").sum()):
        changed = len(table) - float(table["repeats"].fillna(1.0).sum())
        message += f" Another run of this length may give another verdict on {near}, and is expected to on "
        message += f"{changed:.1f}."
    remedy = "State for each of the others what it depends on."
    return [warned(name, resting, "<=", 0, message, remedy, shown)]


def structures(result: Result) -> list[CheckResult]:
    """Headlines that the evidence does not identify, with the range over the structures; convergence; averages."""
    name = "headlines over structures"
    found = result.structures
    if found is None:
        switches = result.case.compare
        if not switches:
            return [information(name, "The case names no rival structures.")]
        message = f"The rival structures of the case ({', '.join(switches)}) were not run: whether its headlines hold "
        return [information(name, message + "under all of them is not known. Run `reeuncert structures`.")]
    table = found.averages()
    open_ones = table[table["verdict"] == NOT_IDENTIFIED]
    message = f"Of {len(table)} headlines, {len(table) - len(open_ones)} hold under each of {len(found.averaged)} "
    message += f"rival structures ({', '.join(found.averaged)})"
    rows = open_ones.to_dict("records")
    said = [f"{value_title(row)} ({interval(row['lowest'], row['highest'])} over all)" for row in rows]
    message += f"; not identified by these data: {'; '.join(said)}." if said else "."
    beside = [name for name in found.names if name not in found.averaged]
    message += f" Shown beside the averages, and not in them: {', '.join(beside)}." if beside else ""
    remedy = "Report the range over the structures for these beside the average."
    here = warned(name, len(said), "<=", 0, message, remedy, table)
    return [here, _convergence_of_structures(found), _averages(table)]


def _convergence_of_structures(found: Structures) -> CheckResult:
    """Whether the headlines, which alone are averaged, have converged under every structure, and no draw diverged."""
    table = found.table()
    of_runs = ["run_r_hat", "run_ess", "run_divergences"]
    runs = found.data[of_runs].to_dataframe().reset_index()[["structure", *of_runs]]
    table = table[["structure", *LABELS, *CONVERGENCE]].merge(runs, on="structure")
    ess = table[["ess_bulk", "ess_tail"]].min(axis=1)
    bad = table[unconverged(table) | (table["run_divergences"] > 0)]
    message = f"Over the headlines of all structures the smallest ESS is {ess.min():.0f}, the largest R-hat "
    message += (
        f"{table['r_hat'].max():.4f}; {np.nansum(runs['run_divergences']):.0f} draws diverged. Other flows are not "
    )
    message += "judged, since headlines alone are averaged"
    known = runs.dropna(subset=["run_ess", "run_r_hat"]).to_dict("records")
    told = [f"{run['run_ess']:.0f} and {run['run_r_hat']:.4f} under {run['structure']}" for run in known]
    message += f"; their ESS and R-hat, the worst of all flows, are {', '.join(told)}." if told else "."
    return judged("convergence of structures", len(bad), "<=", 0, message, _MORE, bad)


def _averages(table: pd.DataFrame) -> CheckResult:
    """Monte Carlo error of the ends of averaged intervals, as parts of their width."""
    width = (table["eti90_ub"] - table["eti90_lb"]).to_numpy(dtype=float)
    error = table[["mcse_lower", "mcse_upper"]].max(axis=1).to_numpy(dtype=float)
    part = np.divide(error, width, out=np.full(len(table), np.nan), where=width > 0)
    worst = float(np.nanmax(part)) if np.isfinite(part).any() else 0.0
    message = "The largest Monte Carlo error of an end of an averaged interval is "
    message += f"{printed(worst, '.1%')} of its width."
    bad = table[part > LARGEST_ERROR]
    return judged("averages over structures", worst, "<=", LARGEST_ERROR, message, _MORE, bad)


def sensitivity(result: Result) -> list[CheckResult]:
    """Sensitivity of the headlines to classes of priors and to lineages of evidence."""
    count = sum(bool(np.isfinite(key.draws).any()) for key in result.once(headline_values))
    if not count:
        message = "No headline among the indicators of this result: nothing was power-scaled."
        return [information("sensitivity", message)]
    table = result.once(all_scaled)
    found = []
    kinds = ("priors", "prior class", "classes of priors"), ("lineages", "source", "lineages of evidence")
    for what, kind, called in kinds:
        name, own = f"sensitivity to {what}", table[table["kind"] == kind]
        if own.empty:
            found.append(information(name, f"This result holds no terms of {called}."))
            continue
        strong = own[own["sensitive"]].drop(columns=["kind", "sensitive"])
        top = ", ".join(f"{c} ({n})" for c, n in strong["component"].value_counts().head(3).items())
        message = f"{strong['quantity'].nunique()} of {count} headlines are sensitive to some of "
        message += f"{own['component'].nunique()} {called} (power-scaling above {SENSITIVE:g} and {NOISE:g} times its "
        message += f"error); most headlines to {top}." if top else "error)."
        worst = strong.head(40).reset_index(drop=True) if len(strong) else None
        found.append(information(name, message, float(own["psense"].max()), worst))
    return found


_PUBLISHED = (
    *("id", "source", "statement", "indicator", "region", "partner", "product", "year_from", "year_to", "unit"),
    *("value", "median", "eti90_lb", "eti90_ub", "below", "inside", "why_outside"),
)


def published(result: Result) -> list[CheckResult]:
    """Published values inside and outside our 90 % intervals; those outside need a reason."""
    name = "published values"
    if "derived" not in result.dt.children:
        return [information(name, "Nothing was compared: the result holds no indicator.")]
    table = result.once(all_published)
    table = table[np.isfinite(table["median"].astype(float))].copy()
    if table.empty:
        return [information(name, "No published value is about an indicator of this result.")]
    inside = (table["value"] >= table["eti90_lb"]) & (table["value"] <= table["eti90_ub"])
    # A reason applies only to values outside the interval of this result.
    table["why_outside"] = table["why_outside"].where(~inside, "")
    table = table.assign(inside=inside).sort_values(["inside", "id"], ignore_index=True)[list(_PUBLISHED)]
    unsaid = table[~table["inside"] & (table["why_outside"] == "")]
    message = f"{int(inside.sum())} of {len(table)} published values fall in our 90 % intervals. They are results of "
    message += "others, with errors of their own, so that no share is required."
    reasons = f"{len(unsaid)} of {int((~inside).sum())} published values outside our intervals have no reason why"
    reasons += f": {', '.join(unsaid['id'].head(8))}{' …' if len(unsaid) > 8 else ''}." if len(unsaid) else "."
    remedy = "Compare definition, data and prior, and write the reason in the column why_outside."
    return [
        information(name, message, float(inside.mean()), table),
        warned("reasons of published values", len(unsaid), "<=", 0, reasons, remedy, unsaid),
    ]
