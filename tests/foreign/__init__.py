"""Tiny cases that are unlike the bundled ones, with synthetic draws: reports must not assume what these have not."""

from __future__ import annotations

import numpy as np
import xarray as xr

from reeuncert.case.records import Case, ErrorClass, Evidence, Headline, Source
from reeuncert.case.serial import case_to_json
from reeuncert.indicators.compute import add_indicators
from reeuncert.reading.bundled import find_case
from reeuncert.system.definition import OUTSIDE, Flow, Process, Selector, SystemDefinition
from reeuncert.testing import flow_dataset, toy_flows
from reeuncert.validation.reader import read_case


def cobalt() -> Case:
    """Two regions; one mines, the other uses and recycles, and trade has an unrecorded but no declared part."""
    years = (2020, 2021)

    def flow(name: str, a: str, b: str, quantity: str, product: str, ends: str, route: str = "", use: str = "") -> Flow:
        origin, destination = ends.split()
        return Flow(name, a, b, quantity, product, origin, destination, route, use, years)

    flows = (
        flow("ore", OUTSIDE, "mine", "ore", "ore", "Congo Congo", "registered"),
        flow("mined", "mine", "refinery", "mine_production", "ore", "Congo Congo", "registered"),
        flow("refined", "refinery", "congo_market", "production", "metal", "Congo Congo", "registered"),
        flow("shipped", "congo_market", "europe_market", "trade", "metal", "Congo Europe", "registered"),
        flow("hidden", "congo_market", "europe_market", "unrecorded_trade", "metal", "Congo Europe", "unregistered"),
        flow("consumed", "europe_market", "europe_use", "apparent_consumption", "metal", "Europe Europe"),
        flow("batteries", "europe_use", OUTSIDE, "end_use", "metal", "Europe Europe", use="batteries"),
        flow("scrap", "europe_use", "recycler", "scrap", "metal", "Europe Europe"),
        flow("recycled", "recycler", "europe_market", "recycling", "metal", "Europe Europe"),
        flow("slag", "recycler", OUTSIDE, "loss", "metal", "Europe Europe"),
    )
    processes = tuple(
        Process(name, region, stage, reference)
        for name, region, stage, reference in (
            ("mine", "Congo", "mining", ()),
            ("refinery", "Congo", "separation", ()),
            ("congo_market", "Congo", "market", ("shipped",)),
            ("europe_market", "Europe", "market", ()),
            ("europe_use", "Europe", "use", ("batteries",)),
            ("recycler", "Europe", "recycling", ("recycled",)),
        )
    )
    said = "In 2021, {median} {unit} of Europe's imports came from Congo ({lower} to {upper})."
    return _case(
        *("cobalt", "Cobalt between two regions", SystemDefinition(processes, flows, years, "kt Co")),
        regions=("Congo", "Europe"),
        headlines=(
            Headline("import_dependence", "Europe", "Congo", "metal", 2021, said),
            Headline("mine_production", "Congo", "", "", 2021, "Congo mined {median} {unit} ({lower} to {upper})."),
        ),
        reported={"shipped": 1.0, "mined": 1.0},
    )


def steel() -> Case:
    """One region in one year, without trade."""
    years = (2008,)
    names = (
        ("iron", OUTSIDE, "furnace", "production"),
        ("steel", "furnace", "mill", "production"),
        ("sheet", "mill", "fabrication", "apparent_consumption"),
        ("cars", "fabrication", OUTSIDE, "end_use"),
        ("new_scrap", "fabrication", "furnace", "scrap"),
        ("mill_loss", "mill", OUTSIDE, "loss"),
    )
    flows = tuple(Flow(n, a, b, q, "steel", "World", "World", "", "cars" if n == "cars" else "", years)
                  for n, a, b, q in names)  # fmt: skip
    processes = tuple(
        Process(name, "World", name, (first,))
        for name, first in (("furnace", "steel"), ("mill", "sheet"), ("fabrication", "cars"))
    )
    return _case(
        *("steel", "Steel in one year", SystemDefinition(processes, flows, years, "Mt")),
        regions=("World",),
        headlines=(),
        reported={"steel": 1.5},
    )


def network() -> Case:
    """Streams without any role, region or product: data reconciliation."""
    ways = (("s_1", OUTSIDE, "a"), ("s_2", "a", "b"), ("s_3", "b", OUTSIDE), ("s_4", "a", "c"), ("s_5", "c", OUTSIDE))
    flows = tuple(Flow(name, start, end, "stream", years=(1,)) for name, start, end in ways)
    system = SystemDefinition(
        tuple(Process(n, reference_outflow=o) for n, o in (("a", ("s_2",)), ("b", ()), ("c", ()))), flows, (1,), "t"
    )
    return _case(
        *("network", "Reconciled streams", system), regions=(), headlines=(), reported={"s_1": 1.0, "s_3": 0.5}
    )


def result_of(case: Case, draws: int = 30) -> xr.DataTree:
    """A result of a case with random balanced flows in place of its posterior."""
    rng, span = np.random.default_rng(1), len(case.system.years)
    groups = {
        "posterior": flow_dataset(case.system, toy_flows(case.system, 0.1, rng, 2 * draws).reshape(2, draws, -1, span)),
        "prior": flow_dataset(case.system, toy_flows(case.system, 0.5, rng, 60).reshape(1, 60, -1, span)),
    }
    dt = xr.DataTree.from_dict(groups)
    dt.attrs = {"case_json": case_to_json(case), "case_name": case.name, "seed": 1}
    return add_indicators(dt)


CASES = {
    "small_metal": lambda: read_case(find_case("small_metal")),
    "cobalt": cobalt,
    "steel": steel,
    "network": network,
}


def _case(
    name: str,
    title: str,
    system: SystemDefinition,
    *,
    regions: tuple[str, ...],
    headlines: tuple[Headline, ...],
    reported: dict[str, float],
) -> Case:
    year = system.years[-1]
    nan = float("nan")
    unit, _, basis = system.unit.partition(" ")
    evidence = tuple(
        Evidence(f"{name}-{flow}", Selector.of(flow=flow), (year,), "level", None, value, nan, nan, unit, basis,
                 "exact", "survey", "survey")
        for flow, value in reported.items()
    )  # fmt: skip
    return Case(
        name=name,
        title=title,
        description="Invented; for tests.",
        system=system,
        prior_measure="coordinates",
        regions=regions,
        products=tuple(dict.fromkeys(f.product for f in system.flows if f.product)),
        priors=(),
        evidence=evidence,
        sources={"survey": Source("survey", "A survey", "invented", "1", "none", "free", "survey", "survey")},
        classes={"survey": ErrorClass("survey", "normal", 0.1, 0.0, False)},
        offsets={},
        factors={},
        covariates={},
        constants=(),
        headlines=headlines,
    )
