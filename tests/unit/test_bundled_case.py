"""The bundled cases: they read cleanly, they are complete, and their priors simulate forward to something sensible."""

from __future__ import annotations

import csv
import math
import re
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from balances.residual import residual
from reeuncert.balance.forward import flows_of_draws
from reeuncert.balance.network import Network
from reeuncert.case.records import Case
from reeuncert.indicators.registry import INDICATORS
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import CoordinatePrior, coordinate_prior
from reeuncert.reading.bundled import find_case
from reeuncert.system.definition import OUTSIDE
from reeuncert.validation.reader import load_case, read_case

OPTIONS = {
    "gap_structure": ("tightness", "walk", "flat"),
    "usgs_scope": ("as_documented", "registered_all_years"),
    "relabelled_ore": ("off", "on"),
}
DEFAULTS = {name: choices[0] for name, choices in OPTIONS.items()}
VARIANTS = [DEFAULTS, *(DEFAULTS | {name: choice} for name, choices in OPTIONS.items() for choice in choices[1:])]
REGIONS = ("China", "United States", "RoW")
REFINED = ("salt", "oxide", "metal")


@cache
def variant(*choices: str) -> Case:
    """The case under some choices, in the order of `OPTIONS`."""
    return read_case("china_us_row", **dict(zip(OPTIONS, choices, strict=True)))


@pytest.fixture(scope="module")
def case() -> Case:
    return variant(*DEFAULTS.values())


def prior_of(case: Case) -> tuple[Network, CoordinatePrior]:
    network = case_network(case)
    return network, coordinate_prior(case, network)


def simulate(case: Case, draws: int) -> np.ndarray:
    """Flows drawn from the prior, shape (draw, flow, year), NaN where absent; the first draw is the prior's centre."""
    network, prior = prior_of(case)
    z = np.random.default_rng(7).standard_normal((draws, prior.mean.size))
    z[0] = 0
    u = prior.mean + prior.factor.apply(z)
    mass = np.full((draws, len(case.system.flows), len(case.system.years)), np.nan)
    for k in range(draws):
        mass[k, network.edge_flow, network.edge_year] = flows_of_draws(u[k], network)
    return mass


def total(case: Case, mass: np.ndarray, **fields: str) -> np.ndarray:
    """Mass of the flows with these attributes, shape (draw, year)."""
    chosen = [i for i, f in enumerate(case.system.flows) if all(getattr(f, k) == v for k, v in fields.items())]
    assert chosen, f"no flow has {fields}"
    return np.nansum(mass[:, chosen], axis=1)


@pytest.mark.parametrize("name", ["china_us_row", "small_metal"])
def test_reads_without_a_problem(name: str) -> None:
    reading = load_case(find_case(name))
    assert [str(p) for p in reading.problems] == []


@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o.values()))
def test_every_choice_reads_and_every_coordinate_has_one_prior_with_a_reason(options: dict[str, str]) -> None:
    case = variant(*options.values())
    assert dict(case.options) == options
    network, prior = prior_of(case)  # raises where a coordinate has no row of the priors table, or two
    assert prior.mean.size == network.n_coordinates
    assert np.isfinite(prior.mean).all()
    spreads = np.sqrt(np.concatenate([np.diag(block.covariance) for block in prior.blocks]))
    assert 0 < spreads.min() < spreads.max() <= 1.0
    assert [p.name for p in case.priors if len(p.reason) < 15] == []


def test_options_are_those_of_the_docs(case: Case) -> None:
    assert dict(case.option_choices) == OPTIONS
    assert case.compare == ("gap_structure",)


def test_size(case: Case) -> None:
    assert case.system.years == tuple(range(2000, 2026))
    assert (len(case.system.processes), len(case.system.flows)) == (60, 190)
    assert int(case.system.exists.sum()) == 4386


def test_every_region_has_the_whole_chain_and_a_market_for_every_product(case: Case) -> None:
    for region in REGIONS:
        stages = [p.stage for p in case.system.processes if p.region == region]
        assert stages.count("market") >= 4
        assert {"mining", "cracking", "separation", "electrolysis", "fabrication", "use"} <= set(stages)
    unregistered = {p.stage for p in case.system.processes if p.name.startswith("cnu_")}
    assert unregistered == {"mining", "market", "cracking", "separation", "electrolysis"}


def test_refined_products_are_traded_between_every_pair_and_china_exports_no_concentrate(case: Case) -> None:
    pairs = {(f.product, f.origin, f.destination) for f in case.system.flows if f.quantity == "trade"}
    for origin, destination in product(REGIONS, REGIONS):
        if origin != destination:
            assert {(p, origin, destination) for p in REFINED} <= pairs
    assert not {p for p in pairs if p[0] == "concentrate" and p[1] == "China"}


def test_smuggling_leaves_the_unregistered_chain_and_reaches_the_importers_market_in_two_parts(case: Case) -> None:
    unrecorded = [f for f in case.system.flows if f.quantity == "unrecorded_trade"]
    assert {(f.product, f.destination) for f in unrecorded} == set(product(REFINED, ("United States", "RoW")))
    for flow in unrecorded:
        after = {f.quantity: f for f in case.system.flows if f.from_process == flow.to_process}
        assert set(after) == {"declared", "undeclared"}
        for part in after.values():
            market = next(p for p in case.system.processes if p.name == part.to_process)
            assert (market.region, market.stage, part.product) == (flow.destination, "market", flow.product)


def test_the_american_mine_stands_still_in_the_years_without_it(case: Case) -> None:
    mine = next(f for f in case.system.flows if f.quantity == "mine_production" and f.origin == "United States")
    assert not set(range(2003, 2012)) & set(mine.years)
    assert not {2016, 2017} & set(mine.years)


def test_end_uses_follow_the_product(case: Case) -> None:
    uses = {p: {f.end_use for f in case.system.flows if f.quantity == "end_use" and f.product == p} for p in REFINED}
    assert uses["metal"] == {"permanent magnets", "battery alloys", "metallurgy"}
    assert not uses["metal"] & (uses["salt"] | uses["oxide"])


def test_only_the_smuggling_priors_depend_on_the_structure_of_the_gap() -> None:
    rows = {}
    for structure in OPTIONS["gap_structure"]:
        case = variant(*(DEFAULTS | {"gap_structure": structure}).values())
        rows[structure] = {p.name: p for p in case.priors}
        propensity = [p for p in case.priors if p.group == "smuggling" and p.kind == "share"]
        assert {p.slope_on for p in propensity} == ({"tightness"} if structure == "tightness" else {""})
        assert len({p.shared for p in propensity}) == 1
    differing = set.union(*(set(r) for r in rows.values())) - set.intersection(*(set(r) for r in rows.values()))
    assert all(name.startswith("propensity to smuggle") for name in differing)


def test_prior_flows_balance_and_span_less_than_four_orders_of_magnitude(case: Case) -> None:
    mass = simulate(case, 200)
    assert np.nanmax(np.abs(residual(case.system, mass))) < 1e-9
    low, high = np.nanquantile(mass[:, case.system.exists], [0.05, 0.95], axis=0)
    assert np.log10(high / low).max() < 4


def test_prior_centre_is_of_the_right_order(case: Case) -> None:
    """Broad ranges, a factor of two and more around what anyone in the field would say."""
    mass = simulate(case, 1)
    last = case.system.year_index[2022]
    for fields, first, final in (
        ({"quantity": "mine_production", "origin": "China", "route": "registered"}, (40, 120), (120, 350)),
        ({"quantity": "mine_production", "origin": "RoW", "route": "registered"}, (2, 12), (20, 80)),
        ({"quantity": "apparent_consumption", "destination": "China"}, (15, 60), (90, 400)),
        ({"quantity": "apparent_consumption", "destination": "United States"}, (7, 30), (5, 25)),
        ({"quantity": "apparent_consumption", "destination": "RoW"}, (15, 60), (25, 100)),
    ):
        path = total(case, mass, **fields)[0]
        assert first[0] < path[0] < first[1], (fields, path[0])
        assert final[0] < path[last] < final[1], (fields, path[last])


def test_headlines_name_indicators_and_labels_that_exist(case: Case) -> None:
    for headline in case.headlines:
        assert headline.indicator in INDICATORS
        assert headline.region in ("", *REGIONS)
        assert headline.partner in ("", *REGIONS)
        elements = {content.element for content in case.contents.values()}
        assert headline.product in ("", "refined", "all", *case.products, *elements)
        assert "{median}" in headline.sentence


def test_tightness_is_what_its_reason_says() -> None:
    with (find_case("china_us_row") / "covariates.csv").open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["covariate"] == "tightness"]
    assert [int(r["year"]) for r in rows] == list(range(2000, 2026))
    for row in rows:
        terms = {k: float(v) for k, v in re.findall(r"(quota|duty|price) (0\.\d+|1\.0+)", row["reason"])}
        if int(row["year"]) <= 2014:
            assert float(row["value"]) == pytest.approx(sum(terms.values()) / 3, abs=0.0011)
            price = float(re.search(r"log10 of ([\d.]+) USD", row["reason"])[1])  # type: ignore[index]  # every row has it
            assert terms["price"] == pytest.approx(min(1, max(0, math.log10(price / 5))), abs=6e-4)
        elif int(row["year"]) > 2015:
            assert float(row["value"]) == 0


def test_the_toy_case_holds_its_own_evidence_a_stock_and_a_cycle() -> None:
    toy = read_case("small_metal")
    assert Path(find_case("small_metal") / "evidence.csv").exists()
    assert len(toy.evidence) == 14
    assert sum(f.is_stock for f in toy.system.flows) == 1
    trade = {(f.from_process, f.to_process) for f in toy.system.flows if f.quantity == "trade"}
    assert {(b, a) for a, b in trade} == trade
    assert not set(toy.regions) & set(REGIONS)
    assert any(f.from_process == OUTSIDE and 2019 not in f.years for f in toy.system.flows)
    prior_of(toy)
