"""Checks of priors, evidence, headlines and published values: each with a result that is good and one that is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import reeuncert.checks.headlines as published_check
from reeuncert.case.records import Offset
from reeuncert.case.serial import case_to_json
from reeuncert.checks import CHECKS, check
from reeuncert.checks.predictive import row_table
from reeuncert.checks.priors import _extreme, distance
from reeuncert.checks.run import relative_error
from reeuncert.indicators.compute import add_indicators
from reeuncert.likelihood.compile import compile_evidence
from reeuncert.likelihood.predictive import log_likelihood, predicted_quantities
from reeuncert.priors.coverage import case_network
from reeuncert.priors.implied import implied_flows
from reeuncert.result.powerscale import terms
from reeuncert.result.result import Result
from reeuncert.system.definition import Selector
from reeuncert.validation.reader import read_case


@pytest.fixture(scope="module")
def case():
    return read_case("small_metal")


def flows_of(case, weight=None, seed=1):
    """Draws of the prior as a dataset of one chain; with weights, resampled to four chains of the posterior."""
    network, log_flow = implied_flows(case, draws=4000, seed=seed)
    table = np.full((4000, len(case.system.flows), len(case.system.years)), np.nan)
    table[:, network.edge_flow, network.edge_year] = np.exp(log_flow)
    chains = 1
    if weight is not None:
        chosen = np.random.default_rng(seed).choice(4000, size=1600, p=weight(table))
        table, chains = table[chosen], 4
    table = table.reshape(chains, -1, *table.shape[1:])
    coords = {"chain": range(chains), "draw": range(table.shape[1])}
    coords |= {"flow": [f.name for f in case.system.flows], "year": list(case.system.years)}
    mass = xr.DataArray(table, dims=("chain", "draw", "flow", "year"), coords=coords, attrs={"units": case.system.unit})
    return mass.to_dataset(name="mass_flow")


@pytest.fixture(scope="module")
def result(case):
    """The small case, fitted by weighting draws of its prior (its figures are few enough to be tempered so)."""
    evidence = compile_evidence(case, case_network(case))

    def weight(mass):
        logp = 0.2 * log_likelihood(evidence, mass).sum(axis=1)
        w = np.exp(logp - logp.max())
        return w / w.sum()

    posterior = flows_of(case, weight)
    rows = log_likelihood(evidence, posterior["mass_flow"].values)
    dims = ("chain", "draw", "survey_row")
    likelihood = xr.Dataset({"survey": (dims, rows)}, coords={"survey_row": list(evidence.ids)})
    dt = xr.DataTree.from_dict({"posterior": posterior, "prior": flows_of(case), "log_likelihood": likelihood})
    dt.attrs["case_json"] = case_to_json(case)
    return add_indicators(dt)


def altered(dt, group, change):
    """A copy of a result with the flows or indicators of one group changed."""
    out = dt.copy(deep=False)
    out[group] = xr.DataTree(change(dt[group].to_dataset().copy(deep=True)))
    return out


def test_priors_of_a_good_case_leave_room(result):
    def open_up(draws):
        draws["embodied_dependence_mined"][:] = np.linspace(0.2, 0.8, draws.sizes["draw"])[:, None, None, None, None]
        return draws

    found = check(altered(result, "derived_prior", open_up), ["prior_predictive"])
    assert [r.status for r in found] == ["passed"] * 3, found
    assert found["prior of headlines"].message == "The priors alone leave open all 2 headlines."
    assert found["prior of flows"].table["orders"].is_monotonic_decreasing


def test_the_distance_of_a_series_has_the_law_of_chi_squared(case):
    """Of normal draws the squared distance and both tails are known."""
    rng = np.random.default_rng(4)
    covariance = 0.3 + np.diag(np.linspace(0.1, 0.5, 6))
    drawn = rng.multivariate_normal(np.arange(6.0), covariance, 20_000)
    for y in (np.arange(6.0) + 0.1, *drawn[:3], np.zeros(6)):
        d2 = (y - np.arange(6.0)) @ np.linalg.solve(covariance, y - np.arange(6.0))
        found, lower, upper = distance(y, drawn)
        assert found == pytest.approx(d2, rel=0.08, abs=0.02)
        assert lower == pytest.approx(stats.chi2(6).cdf(d2), abs=0.03)
        assert upper == pytest.approx(stats.chi2(6).sf(d2), abs=0.03)


def test_priors_drawn_through_the_evidence_and_off_it_are_told(case, result):
    """Figures put at the middle of their prior prediction, and far off it, in the place of those of the case."""
    evidence = compile_evidence(case, case_network(case))
    drawn = predicted_quantities(evidence, result["prior"]["mass_flow"].values[0])
    found = {}
    for name, factor in (("own", np.nan), ("through", 1.0), ("off", 8.0)):
        middle = evidence.to_unit(np.median(drawn, axis=0))
        moved = [
            replace(row, value=m * factor) if np.isfinite(factor) and row.relation == "level" else row
            for row, m in zip(evidence.rows, middle, strict=True)
        ]
        other = result.copy(deep=False)
        other.attrs = {"case_json": case_to_json(replace(case, evidence=tuple(moved)))}
        found[name] = check(other, ["prior_distance"])
    close, far = "priors do not follow the evidence", "priors and evidence agree"
    assert [(t[close].status, t[far].status) for t in found.values()] == [
        ("passed", "passed"), ("warning", "passed"), ("passed", "warning"),
    ]  # fmt: skip
    assert set(found["own"][close].table["lineage"]) <= {row.lineage for row in case.evidence}


def test_chance_alone_seldom_warns_of_many_series_of_evidence():
    """P of a series is uniform on what the draws can tell. Where these are too few for 5 %, the message says so."""
    rng = np.random.default_rng(1)
    columns = {"lineage": "l", "quantity": "q", "rows": 3, "d2": 1.0}
    for count, draws, chance in ((18, 500, 0.05), (200, 500, 0.33)):
        p = rng.integers(1, draws + 2, (400, count)) / (draws + 1)
        sets = (pd.DataFrame({"closer": row}).assign(**columns) for row in p)
        found = [_extreme(one, "n", "closer", ("closer to", "closest"), 1 / (draws + 1), "") for one in sets]
        assert np.mean([one.status == "warning" for one in found]) == pytest.approx(chance, abs=0.06)
        assert f"{100 * chance:.0f} % for any of them" in found[0].message
        assert ("no smaller P" in found[0].message) == (chance > 0.05)


def test_a_prior_over_many_orders_of_magnitude_is_told(result):
    def widen(draws):
        n = draws.sizes["draw"]
        draws["mass_flow"].loc[{"flow": draws["flow"][0], "year": 2018}] = np.logspace(-4, 3, n)
        return draws

    found = check(altered(result, "prior", widen), ["prior_predictive"])["prior of flows"]
    assert found.status == "warning"
    assert found.value == pytest.approx(6.3, abs=0.01)
    assert "in 2018, spans 6.3 orders of magnitude (90 %); 1 flows span more than 4. Tighten the rows" in found.message
    assert len(found.table) == 1


def test_a_headline_that_the_prior_has_settled_is_told(result):
    def settle(draws):
        draws["apparent_consumption"][:] = 100 + 0.01 * draws["apparent_consumption"]
        return draws

    found = check(altered(result, "derived_prior", settle), ["prior_predictive"])["prior of headlines"]
    assert found.status == "warning"
    assert found.message.startswith(
        "The priors alone make 2 of 2 headlines near certain: Apparent consumption · North · refined · 2020; "
    )


def test_rows_of_evidence_against_their_prediction(case, result):
    evidence = compile_evidence(case, case_network(case))
    table = row_table(evidence, result["posterior"].to_dataset()).set_index("row")
    assert set(table.index) == set(evidence.ids)
    assert table["tail"].between(0, 1).all()
    bounds = table.index.isin(["N3", "N4"])
    assert table.loc[bounds, "z"].isna().all()
    assert table.loc[~bounds, "violation"].isna().all()
    own = log_likelihood(evidence, result["posterior"]["mass_flow"].values[:, ::2])[..., evidence.ids.index("N3")]
    assert table.loc["N3", "violation"] == pytest.approx(1 - np.exp(own).mean(), abs=0.02)
    assert check(result, ["posterior_predictive"])["evidence rows"].status == "passed"


def test_z_of_a_row_has_the_sign_of_the_misfit(case, result):
    """A result in which every flow is a tenth of what was reported: levels lie far above what the model expects."""
    evidence = compile_evidence(case, case_network(case))
    wrong = altered(result, "posterior", lambda d: d.assign(mass_flow=d["mass_flow"] * 0.1))
    table = row_table(evidence, wrong["posterior"].to_dataset()).set_index("row")
    assert table.loc["M1", "z"] > 3
    assert table.loc["M1", "tail"] < 0.01
    assert table.loc["N3", "violation"] < 0.05  # "at most" holds all the better
    found = check(wrong, ["posterior_predictive"])
    assert found["evidence rows"].status == "failed"
    assert "Read these rows again: unit, basis, years" in found["evidence rows"].message
    assert found["evidence sources"].status == "warning"
    assert "survey" in found["evidence sources"].message


def test_a_rounded_figure_stands_in_the_middle_of_its_cell(case, result):
    """Half of the chance that a new figure rounds to the same counts as less, in wide cells as in narrow ones."""

    def position(value, resolution=float("nan")):
        rows = [replace(r, value=value, resolution=resolution) if r.id == "M1" else r for r in case.evidence]
        evidence = compile_evidence(replace(case, evidence=tuple(rows)), case_network(case))
        return row_table(evidence, result["posterior"].to_dataset()).set_index("row").loc["M1", ["below", "z"]]

    reported = next(r.value for r in case.evidence if r.id == "M1")
    for half in (0.01 * reported, 0.5 * reported):
        below, z = position(reported, 2 * half)
        assert below == pytest.approx(
            (position(reported - half)["below"] + position(reported + half)["below"]) / 2, abs=1e-4
        )
        assert z == pytest.approx(stats.norm.ppf(below))


def test_mirror_figures_that_are_pulled_apart_are_paired(case, result):
    """X2 and N1 are about the same flow; moved far apart, one is above and one below what the model expects."""
    evidence = compile_evidence(case, case_network(case))
    value = evidence.value.copy()
    value[evidence.ids.index("X2")] -= 2
    value[evidence.ids.index("N1")] += 2
    vars(known := Result(result))["evidence"] = type(evidence)(**{**vars_of(evidence), "value": value})
    (found,) = (v for v in CHECKS["posterior_predictive"](known) if v.name == "opposed sources")
    assert found.table[["its_row", "that_row"]].values.tolist() == [["N1", "X2"]]
    assert "1 pull against each other" in found.message
    assert "customs-north above customs-south" in found.message


def vars_of(record):
    return {name: getattr(record, name) for name in type(record).__dataclass_fields__}


def test_verdicts_on_headlines(result):
    assert check(result, ["assumption"])["verdicts on headlines"].status == "information"  # no terms of the prior
    terms = xr.Dataset({"mining": (("chain", "draw"), np.random.default_rng(1).normal(size=(4, 400)))})
    told = result.copy(deep=False)
    told["log_prior"] = xr.DataTree(terms)
    found = check(told, ["assumption"])["verdicts on headlines"]
    verdict = found.table.set_index("headline")["verdict"]
    assert (
        verdict["Import dependence, recorded · South → North · refined · 2020"] == "fixed by the system"
    )  # the only partner
    assert verdict["Apparent consumption · North · refined · 2020"] == "informed by the evidence"
    assert found.value == (found.table["level"] == "warning").sum()


def test_sensitive_headlines_are_told(result):
    found = check(result, ["sensitivity"])
    assert found["sensitivity to priors"].message == "This result holds no terms of classes of priors."
    assert found["sensitivity to lineages"].table["component"].tolist()[0] == "survey"
    assert "of 3 headlines are sensitive to some of 1 lineages of evidence" in found["sensitivity to lineages"].message


def test_sources_of_one_lineage_are_one_component():
    rows = xr.Dataset({n: (("chain", "draw", f"{n}_row"), np.ones((1, 2, k))) for n, k in {"a": 1, "b": 2}.items()})
    tree = xr.DataTree.from_dict({"log_likelihood": rows})
    found = terms(tree, "log_likelihood", {"a": "one", "b": "one"})
    assert {name: values.sum(axis=2).tolist() for name, values in found.items()} == {"one": [[3.0, 3.0]]}
    assert terms(tree, "log_prior") == {}


def test_rows_that_importance_sampling_cannot_leave_out_are_counted(result):
    rng = np.random.default_rng(5)
    easy, hard = 0.1 * rng.normal(size=(4, 400)), -np.square(3 * rng.normal(size=(4, 400)))
    bound = -1e-17 * rng.random(size=(4, 400))  # one that holds, but for rounding
    terms = xr.Dataset(
        {"s": (("chain", "draw", "s_row"), np.stack([easy, hard, bound, 0 * bound], axis=2))},
        coords={"s_row": ["easy", "hard", "bound", "always"]},
    )
    found = check(altered(result, "log_likelihood", lambda _: terms), ["leave_one_out"])["PSIS-LOO"]
    assert found.value == 0.25
    assert found.table["row"].tolist() == ["hard", "easy", "bound", "always"]
    assert found.message.startswith("25 % of 4 rows have a Pareto k of 0.7 or more")
    assert found.status == "information"


def test_error_of_interval_ends():
    rng = np.random.default_rng(6)
    slow = np.cumsum(rng.normal(size=(4, 500)), axis=1)  # a walk, not a sample
    errors = relative_error(np.stack([rng.normal(size=(4, 500)), slow], axis=2))
    assert errors[0] < 0.03
    assert errors[1] > 0.05


def test_chains_that_crawl_have_uncertain_interval_ends(result):
    def crawl(draws):
        walk = np.cumsum(np.random.default_rng(7).normal(size=(4, draws.sizes["draw"])), axis=1)
        draws["mass_flow"][:] = draws["mass_flow"] * np.exp(0.1 * walk)[:, :, None, None]
        return draws

    found = check(altered(result, "posterior", crawl), ["monte_carlo"])["interval ends of flows"]
    assert found.status == "failed"
    assert found.message.endswith("Take more draws (--draws) before you quote an end to two digits.")


def test_the_order_of_dims_does_not_matter(result):
    turned = xr.DataTree.from_dict(
        {
            name: data.to_dataset().transpose(..., "year", "flow", "draw", "chain", missing_dims="ignore")
            for name, data in result.children.items()
        }
    )
    turned.attrs = result.attrs
    pd.testing.assert_frame_equal(check(turned).to_frame(), check(result).to_frame())


def test_published_values_outside_need_a_reason(result, monkeypatch):
    columns = [*published_check._PUBLISHED[:10], "value", "median", "eti90_lb", "eti90_ub", "below", "why_outside"]
    rows = [
        *[["P1", "s", "in", "i", "", "", "", 2000, 2000, "1", 5.0, 4.0, 3.0, 6.0, 0.8, ""]],
        *[["P2", "s", "out", "i", "", "", "", 2000, 2000, "1", 9.0, 4.0, 3.0, 6.0, 1.0, ""]],
        *[["P3", "s", "out, said", "i", "", "", "", 2000, 2000, "1", 9.0, 4.0, 3.0, 6.0, 1.0, "Another boundary."]],
    ]
    table = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(published_check, "all_published", lambda result: table)
    inside, reasons = check(result, ["published"])
    assert (inside.status, inside.value) == ("information", pytest.approx(1 / 3))
    assert (reasons.status, reasons.value) == ("warning", 1)
    assert inside.table["id"].tolist() == ["P2", "P3", "P1"]
    assert reasons.table["id"].tolist() == ["P2"]
    monkeypatch.setattr(published_check, "all_published", lambda result: table.drop(1))
    assert check(result, ["published"])["reasons of published values"].status == "passed"
    monkeypatch.undo()
    found = check(result, ["published"])["published values"]
    assert found.message == "No published value is about an indicator of this result."


def test_weights_of_readings_and_outliers_are_those_of_bayes(case):
    """Of known flows, the weights follow from two densities of the figure."""
    rows = [replace(row, alternative=30.0, alternative_weight=0.3) if row.id == "M4" else row for row in case.evidence]
    rows = [replace(row, value=40.0) if row.id == "X2" else row for row in rows]
    posterior = flows_of(case).isel(draw=[0])
    posterior["mass_flow"].loc[{"flow": "south_mine_production", "year": 2019}] = 29.0
    posterior["mass_flow"].loc[{"flow": "salt_to_north"}] = [9.6, 12.0, 14.0, 15.0, 15.0]
    dt = xr.DataTree.from_dict({"posterior": posterior})
    dt.attrs["case_json"] = case_to_json(replace(case, evidence=tuple(rows)))
    found = check(dt, ["mixtures"])["readings and outliers"]
    weight = found.table.set_index(["row", "component"])["posterior"]
    scale = 0.05 / 1.14
    first, second = (stats.t.pdf(np.log(figure / 29.0), 4, scale=scale) for figure in (24.0, 30.0))
    expected = 0.3 * second / (0.7 * first + 0.3 * second)
    assert weight["M4", "second reading"] == pytest.approx(expected, rel=0.05)  # the figures are rounded
    core = 0.9 * stats.t.pdf(np.log(40 / 14), 4, scale=0.2 / 1.14)
    outlier = 0.1 * stats.norm.pdf(np.log(40 / 14), scale=2)
    assert weight["X2", "outlier"] == pytest.approx(outlier / (core + outlier), rel=0.01)
    assert (found.status, found.value) == ("warning", 2)
    assert weight["X3", "outlier"] < 0.1


def test_a_shared_error_may_be_an_outlier_too(case):
    """The weight of an offset of the law customs follows from its value alone."""
    rows = tuple(replace(row, offsets=("office",)) if row.id in ("X1", "X2") else row for row in case.evidence)
    case = replace(case, evidence=rows, offsets={"office": Offset("office", 0.0, 0.05, "all", "customs")})
    posterior = flows_of(case).isel(draw=[0, 1])
    posterior["log_offset"] = (("chain", "draw", "offset_value"), [[[1.4], [0.04]]])
    dt = xr.DataTree.from_dict({"posterior": posterior})
    dt.attrs["case_json"] = case_to_json(case)
    table = check(dt, ["mixtures"])["readings and outliers"].table.set_index(["row", "component"])
    far, core = 0.1 * stats.norm.pdf([1.4, 0.04], scale=2), 0.9 * stats.t.pdf([1.4, 0.04], 4, scale=0.05 / 1.14)
    assert table.loc[("office", "outlier"), "posterior"] == pytest.approx(np.mean(far / (far + core)), rel=1e-6)


def test_the_ratio_of_two_records_is_tested_by_year(case, result):
    """Two offices print one trade; then one of them ten times of it, once directly and once as a share of its total."""

    def pairs(rows):
        other = result.copy(deep=False)
        other.attrs = {"case_json": case_to_json(replace(case, evidence=tuple(rows)))}
        return check(other, ["record_pairs"])["pairs of records"]

    whole = next(row for row in case.evidence if row.id == "X2")
    own = pairs(case.evidence)
    assert own.status == "passed"
    assert set(own.table["rows"]) == {"N1 / X2", "N2 / X3"}
    ratio = own.table.set_index("years")["printed"]["2018"]
    assert ratio == pytest.approx(15.4 / 14.1)
    tenfold = pairs([replace(row, value=154.0) if row.id == "N1" else row for row in case.evidence])
    assert tenfold.table.iloc[0]["printed"] == pytest.approx(10 * ratio)
    assert tenfold.table.iloc[0]["tail"] < 0.1 * own.table["tail"].min()
    total = Selector.of(quantity="trade+apparent_consumption", product="salt", origin="South")
    level = replace(whole, id="T", selector=total, value=20.0)
    part = replace(whole, id="S", relation="share", of=total, value=0.77, unit="share", basis="n/a")
    composed = pairs([level, part, *(row for row in case.evidence if row.id == "N1")])
    assert composed.table["rows"].tolist() == ["S x T / N1"]
    assert composed.table["printed"][0] == pytest.approx(15.4 / 15.4)
