"""Short ways to write down the records of a case of one year with additive normal errors."""

from collections.abc import Iterable, Sequence

from reeuncert.case.records import Case, ErrorClass, Evidence, Prior, Source
from reeuncert.system.definition import OUTSIDE, Flow, Process, Selector, SystemDefinition

MEASURED = Source("measured", "published problem", "", "", "", "", "measured", "additive")
THROUGH = "enters "
"""Begins the name of a flow that only feeds a process with one outflow."""

ADDITIVE = ErrorClass("additive", "additive", 1.0, 0.0, learn=False)


def flow(name: str, source: str, target: str, year: int) -> Flow:
    return Flow(name, source, target, quantity="flow", years=(year,))


def flow_prior(name: str, year: int, family: str, a: float = float("nan"), b: float = float("nan"), **fields) -> Prior:
    """One row of the priors table about one flow (kind ``flow`` unless said otherwise)."""
    return Prior(
        name=name,
        group=fields.pop("group", "flows"),
        kind=fields.pop("kind", "flow"),
        selector=Selector.of(flow=name),
        years=(year,),
        mode=fields.pop("mode", "each"),
        family=family,
        a=a,
        b=b,
        **fields,
    )


def measured(
    name: str,
    flows: Sequence[str],
    year: int,
    value: float,
    sd: float,
    *,
    relation: str = "level",
    of: Sequence[str] = (),
    unit: str = "t",
) -> Evidence:
    """A number with an additive normal error of a known standard deviation, a witness of its own."""
    return Evidence(
        id=name,
        selector=Selector.of(flow="+".join(flows)),
        years=(year,),
        relation=relation,
        of=Selector.of(flow="+".join(of)) if of else None,
        value=value,
        low=float("nan"),
        high=float("nan"),
        unit="ratio" if relation == "ratio" else unit,
        basis="n/a",
        qualifier="exact",
        source_id=MEASURED.source_id,
        lineage=name,
        width=sd,
        reason="as published",
    )


def stock_change(
    name: str, flows: Iterable[Flow], processes: set[str], year: int, value: float, sd: float, *, unit: str
) -> Evidence:
    """A stock change of processes that are not balanced: their inflows − their outflows, with a normal error.

    ``flows`` still name the processes; `without_balance` moves them beyond the boundary.
    """
    entering = [f.name for f in flows if f.to_process in processes]
    leaving = [f.name for f in flows if f.from_process in processes]
    if not leaving:
        return measured(name, entering, year, value, sd, unit=unit)
    if not entering:
        return measured(name, leaving, year, -value, sd, unit=unit)
    return measured(name, entering, year, value, sd, relation="difference", of=leaving, unit=unit)


def without_balance(flows: Iterable[Flow], processes: set[str]) -> list[Flow]:
    """The same flows, where processes that accumulate are split into a sink and a source beyond the boundary.

    A flow between two of them passes through a process of its own, which changes nothing.
    """
    found = []
    for f in flows:
        source = OUTSIDE if f.from_process in processes else f.from_process
        target = OUTSIDE if f.to_process in processes else f.to_process
        if source == target == OUTSIDE:
            found.append(Flow(f"{THROUGH}{f.name}", OUTSIDE, f.name, f.quantity, years=f.years))
            source = f.name
        found.append(Flow(f.name, source, target, f.quantity, years=f.years))
    return found


def case(
    name: str,
    flows: Sequence[Flow],
    reference: dict[str, str],
    priors: Sequence[Prior],
    evidence: Sequence[Evidence],
    *,
    year: int,
    measure: str,
    unit: str,
) -> Case:
    """A case of one year; ``reference`` names the reference outflow of each process that has several outflows."""
    names = {f.from_process for f in flows} | {f.to_process for f in flows}
    processes = tuple(
        Process(p, reference_outflow=(reference[p],) if p in reference else ()) for p in sorted(names - {OUTSIDE})
    )
    return Case(
        name=name,
        title=name,
        description="",
        system=SystemDefinition(processes, tuple(flows), (year,), unit),
        prior_measure=measure,
        regions=(),
        products=(),
        priors=tuple(priors),
        evidence=tuple(evidence),
        sources={MEASURED.source_id: MEASURED},
        classes={ADDITIVE.name: ADDITIVE},
        offsets={},
        factors={},
        covariates={},
        constants=(),
        headlines=(),
    )


def largest_outflow(flows: Sequence[Flow], size: dict[str, float]) -> dict[str, str]:
    """For each process, the outflow that is expected to be largest."""
    found: dict[str, str] = {}
    for f in flows:
        if f.from_process == OUTSIDE:
            continue
        if f.from_process not in found or size[f.name] > size[found[f.from_process]]:
            found[f.from_process] = f.name
    return found
