"""Contents of elements in questions and calibrations: a class of inputs of their own, whether evidence is about them or
not. Of South's ore a row is about the content, of North's none.
"""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import reeuncert as ree
from reeuncert.balance.forward import flows_of_draws
from reeuncert.calibration.recovery import quantities, true_quantities
from reeuncert.calibration.simulate import simulate
from reeuncert.case.records import Case, Content, Offset
from reeuncert.case.serial import case_to_json
from reeuncert.case.shared import content_sds
from reeuncert.indicators.flows import FlowTable
from reeuncert.priors.coverage import case_network
from reeuncert.priors.paths import coordinate_prior
from reeuncert.result.powerscale import CONTENTS, OFFSETS, Normals, prior_classes
from reeuncert.result.result import Result
from reeuncert.system.definition import Selector
from reeuncert.testing import flow_dataset

SOUTH, NORTH = "content ore of South", "content brine of North"
SD = 0.3
CHAINS, DRAWS = 4, 500


def case_of_elements() -> Case:
    case = ree.read_case("small_metal")
    row = next(row for row in case.evidence if row.id == "M4")
    named = replace(row, element="Rb", selector=Selector.of(flow="south_mine_production"), offsets=("office",))
    contents = (
        Content("ore of South", "Rb", Selector.of(flow="south_mine_production"), 0.05, SD),
        Content("brine of North", "Rb", Selector.of(flow="north_mine_production"), 0.01, SD),
        Content("glass", "Rb", Selector.of(flow="south_glass"), 0.06, 0.0),
    )
    return replace(
        case,
        evidence=(named,),
        headlines=(),
        contents={content.name: content for content in contents},
        offsets={"office": Offset("office", 0.0, 0.1, "all", "normal")},
    )


def result_of(case: Case, spread: float = 1.0) -> xr.DataTree:
    """Draws of the priors as if they were a posterior; the flows are those of coordinates of this spread."""
    rng, network = np.random.default_rng(1), case_network(case)
    prior = coordinate_prior(case, network)
    z = spread * rng.normal(size=(CHAINS, DRAWS, prior.mean.size))
    offset = rng.normal(size=(CHAINS, DRAWS, 2))
    flows = flows_of_draws(prior.mean + prior.factor.apply(z.reshape(-1, prior.mean.size)), network)
    mass = np.full((CHAINS * DRAWS, len(case.system.flows), len(case.system.years)), np.nan)
    mass[:, network.edge_flow, network.edge_year] = flows
    posterior = flow_dataset(case.system, mass.reshape(CHAINS, DRAWS, *mass.shape[1:]))
    posterior["z"] = ("chain", "draw", "coordinate"), z
    posterior = posterior.assign_coords(offset_value=["office", SOUTH])
    dims = ("chain", "draw", "offset_value")
    posterior["offset_z"], posterior["log_offset"] = (dims, offset), (dims, offset * [0.1, SD])
    log_prior = xr.Dataset({"offset_z": -0.5 * np.square(posterior["offset_z"])})
    dt = xr.DataTree.from_dict({"posterior": posterior, "log_prior": log_prior})
    dt.attrs["case_json"] = case_to_json(case)
    return ree.add_indicators(dt, ["element_mined"])


@pytest.fixture(scope="module")
def case() -> Case:
    return case_of_elements()


@pytest.fixture(scope="module")
def dt(case: Case) -> xr.DataTree:
    return result_of(case)


@pytest.fixture(scope="module")
def known_flows(case: Case) -> xr.DataTree:
    return result_of(case, spread=1e-6)


def mined(region: str) -> dict[str, str | int]:
    return {"indicator": "element_mined", "region": region, "product": "Rb", "year": 2018}


def test_contents_are_no_offsets_of_the_evidence(case: Case, dt: xr.DataTree) -> None:
    assert content_sds(case) == {SOUTH: SD, NORTH: SD}
    classes = prior_classes(Result(dt))
    offset = dt["posterior"]["offset_z"].values
    np.testing.assert_allclose(classes[OFFSETS], -0.5 * np.square(offset[:, :, :1]))
    contents = classes[CONTENTS]
    assert isinstance(contents, Normals)
    np.testing.assert_allclose(contents.coordinates[:, :, 0], offset[:, :, 1])
    north = np.log(dt["derived"]["element_mined"].sel(region="North", product="Rb", year=2018))
    north -= np.log(0.01 * dt["posterior"]["mass_flow"].sel(flow="north_mine_production", year=2018))
    np.testing.assert_allclose(SD * contents.coordinates[:, :, 1], north, atol=1e-12)
    only = replace(case, evidence=(replace(case.evidence[0], offsets=()),), offsets={})
    of_contents = dt.copy()
    of_contents.attrs["case_json"] = case_to_json(only)
    of_contents["log_prior"] = xr.DataTree(dt["log_prior"].to_dataset().isel(offset_value=[1]))
    assert OFFSETS not in prior_classes(Result(of_contents))


@pytest.mark.parametrize("region", ["South", "North"])
def test_what_is_left_of_a_mass_with_known_flows_comes_from_its_content(known_flows: xr.DataTree, region: str) -> None:
    table = ree.sobol(known_flows, mined(region)).set_index("component")
    found = table.loc[CONTENTS]
    assert found["inputs"] == 2
    assert found["first"] == pytest.approx(1.0, abs=3 * found["first_ci"])
    assert table.loc[OFFSETS, "first"] == pytest.approx(0.0, abs=0.05)
    moved = ree.questions.tornado(known_flows, mined(region), of="prior class").set_index("component")
    assert set(moved.index) == {CONTENTS, OFFSETS}


def test_before_any_figure_a_content_and_a_flow_share_the_variance_of_their_product(dt: xr.DataTree) -> None:
    table = ree.sobol(dt, mined("South"), under="prior", samples=1024).set_index("component")
    for nothing in ("trade", "stocks", "end uses", "consumption"):
        assert table.loc[nothing, "total"] == pytest.approx(0.0, abs=1e-12)
    flow = np.log(dt["posterior"]["mass_flow"].sel(flow="south_mine_production", year=2018)).values
    of_contents = table.loc[CONTENTS]
    assert of_contents["inputs"] == 2
    for index in ("first", "total"):
        assert of_contents[index] == pytest.approx(SD**2 / (SD**2 + flow.var()), abs=2 * of_contents[f"{index}_ci"])


def test_a_row_on_an_element_tells_its_content(known_flows: xr.DataTree) -> None:
    table = ree.value_of_information(known_flows, mined("South"), of="sources", error=0.1)
    # Of two normal errors, on the log scale; the width of the interval of a mass is in proportion.
    assert table.loc[0, "narrowing"] == pytest.approx(1 - 1 / np.sqrt(1 + (SD / 0.1) ** 2), abs=0.03)


def test_every_truth_has_contents_of_its_own(case: Case, dt: xr.DataTree) -> None:
    posterior = dt["posterior"].to_dataset()
    names = ["element_mined"]
    labels, values = quantities(posterior, case, names)
    north = labels.index[(labels["quantity"] == "element_mined North Rb") & (labels["year"] == 2018)].item()
    found = []
    for seed in (1, 2):
        truth = simulate(case, seed=seed)
        same, true = true_quantities(truth, posterior, case, names)
        assert same.equals(labels)
        assert true.shape[2] == values.shape[2]
        mass = truth.mass_flow[case.system.flow_index["north_mine_production"], case.system.year_index[2018]]
        assert true[0, 0, north] == pytest.approx(0.01 * mass * np.exp(truth.log_offset[NORTH]))
        found.append(truth.log_offset[NORTH])
        plain = simulate(
            replace(case, contents={n: c for n, c in case.contents.items() if n == "ore of South"}), seed=seed
        )
        assert repr(plain.case.evidence) == repr(truth.case.evidence)
        assert plain.log_offset == {n: value for n, value in truth.log_offset.items() if n != NORTH}
    assert found[0] != found[1]


def test_contents_by_year_are_drawn_for_every_year_of_a_truth(case: Case) -> None:
    by_year = replace(case, contents={n: replace(c, per="year") for n, c in case.contents.items()})
    assert set(content_sds(by_year)) <= set(simulate(by_year, seed=1).log_offset)
    assert len(content_sds(by_year)) == 2 * len(case.system.years)
    table = FlowTable.from_dataset(flow_dataset(case.system, np.ones((1, 3, 16, 5))), by_year)
    assert len(np.unique(table.contents["Rb"][case.system.flow_index["south_mine_production"]])) == 15
