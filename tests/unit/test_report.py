"""The report: what its parts say, what they escape, and that nothing that fails is hidden."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from markupsafe import Markup

from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.checks import CHECKS, all_checks
from reeuncert.checks.result import CheckResult, CheckTable
from reeuncert.cli.show import marks
from reeuncert.errors import OutputError
from reeuncert.indicators.compute import add_indicators, with_indicators
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.registry import lookup
from reeuncert.indicators.summary import summary
from reeuncert.indicators.trade import imports_of
from reeuncert.plots.panels import Axis, Board, Line, Panel
from reeuncert.plots.style import hue
from reeuncert.report import SECTIONS, Section
from reeuncert.report.figures import fans, figure, interval_picture, panel_spec, script_json
from reeuncert.report.page import render, write_report
from reeuncert.report.sections import trade
from reeuncert.report.sections.flows import sankey_spec
from reeuncert.report.sections.method import check_list, method
from reeuncert.report.sections.trade import arrivals
from reeuncert.report.words import linked, providers
from reeuncert.result.learning import AS_WIDE, PARTLY_NARROWER
from reeuncert.result.quantiles import quantiles
from reeuncert.result.result import Result
from reeuncert.testing import flow_dataset, toy_case, toy_flows, toy_posterior
from reeuncert.validation.reader import read_case

PASSED = CheckResult("balance", "passed", 0.0, "<= 1e-9", "Every process balances.")
FAILED = CheckResult(
    "R-hat of <flows>",
    "failed",
    1.2,
    "<= 1.01",
    "Chains disagree.",
    pd.DataFrame({"flow": ["<i>a</i>"], "r_hat": [1.2]}),
)
TOLD = CheckResult("published", "information", float("nan"), "", "Nothing to compare with.")


def _findings(dt, *checks):
    result = Result(with_indicators(dt).dt)
    result.keep(all_checks, CheckTable(checks or (PASSED,)))
    return result


@pytest.fixture(scope="module")
def toy():
    return toy_posterior(chains=2, draws=30, years=3)


@pytest.fixture(scope="module")
def small_result():
    """Synthetic draws of a bundled case with evidence and no unregistered route."""
    case = read_case("small_metal")
    rng = np.random.default_rng(1)
    years = len(case.system.years)
    groups = {
        "posterior": flow_dataset(case.system, toy_flows(case.system, 0.1, rng, 60).reshape(2, 30, -1, years)),
        "prior": flow_dataset(case.system, toy_flows(case.system, 0.5, rng, 60).reshape(1, 60, -1, years)),
    }
    dt = xr.DataTree.from_dict(groups)
    dt.attrs = {"case_json": case_to_json(case), "case_name": case.name, "seed": 1}
    return add_indicators(dt)


def test_a_page_has_every_section_and_loads_nothing(toy):
    page = render(_findings(toy, PASSED, FAILED))
    assert re.findall(r'<section id="([a-z-]+)"', page) == [
        s.id for s in SECTIONS if s.id not in ("evidence", "outlook", "suppliers")
    ]
    assert "could not be made" not in page
    wholes = {lookup(headline.indicator).whole for headline in Result(toy).case.headlines} - {""}
    assert wholes
    assert all(f"% of {whole}" in page for whole in wholes)
    assert page.count('role="alert">This figure could not be drawn') == 0
    assert not re.findall(r"<(?:script|img|iframe)[^>]+src=", page)
    assert not re.findall(r"<link[^>]+href=\"(?!data:)", page)
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_another_case_has_all_its_evidence(small_result):
    page = render(_findings(small_result))
    ids = re.findall(r'<tr id="evidence-([^"]+)"', page)
    case = read_case("small_metal")
    assert set(ids) == {row.id for row in case.evidence}
    source = re.search(r'data-source="([^"]+)"', page)[1]
    assert all(case.sources[row.source_id].publisher in source for row in case.evidence)


def test_a_section_that_fails_says_so_and_hides_no_other(toy):
    def broken(context):
        raise ValueError("no such <flow>")

    sections = (Section("bad", "Bad", broken), SECTIONS[-1])
    page = render(_findings(toy), sections=sections)
    assert "This section could not be made. ValueError: no such &lt;flow&gt;" in page
    assert 'id="method"' in page


def test_a_figure_that_fails_keeps_its_reason():
    def broken():
        raise KeyError("year")

    found = figure("a", "A", broken, alt="")
    assert found.spec is None
    assert found.error.startswith("KeyError: 'year' [")


def test_a_figure_that_cannot_be_written_keeps_its_reason():
    found = figure("a", "A", lambda: {"kind": "fan", "x": np.array([[1.0, np.nan]])}, alt="")
    assert json.loads(found.json)["x"] == [[1, None]]
    error = figure("a", "A", lambda: 3, alt="").error
    assert error.startswith("AttributeError: 'int' object has no attribute 'panels' [")


def test_json_cannot_leave_its_script():
    text = script_json({"a": "</script><!--\u2028", "b": [1 / 3, float("inf"), True, None, np.float32(2.5), 2025.54]})
    assert isinstance(text, Markup)
    assert not set("<>\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028", "b": [0.3333, None, True, None, 2.5, 2025.5]}


def test_a_panel_is_data_with_colours_of_the_style_sheet():
    line = Line([1, 2], [0.123456, float("nan")], hue(1), hover=("<b>", ""))
    board = Board("", (Panel("", (line,), x=Axis("x", (1.0, 2.0)), y=Axis("y", (0.0, 1.0))),))
    (mark,) = json.loads(script_json(panel_spec(board)))["panel"]["marks"]
    assert mark["k"] == "l"
    assert mark["c"] == "hue-1"
    assert mark["y"] == [0.1235, None]
    assert mark["h"] == ["<b>", ""]


def test_checks_are_told_worst_first():
    verdict = check_list(_findings(toy_posterior(draws=5, years=2), TOLD, PASSED, FAILED))
    assert [c["word"] for c in verdict["checks"]] == ["failed", "passed", "information"]
    assert verdict["worst"] == "red"
    assert verdict["call"] == "1 of 2 checks failed."
    assert [c["title"] for c in verdict["pressing"]] == ["R-hat of <flows>"]


@pytest.mark.parametrize(
    ("checks", "worst", "call"),
    [
        ((PASSED, TOLD), "green", "All 1 checks passed."),
        (
            (PASSED, CheckResult("prior", "warning", 1.0, "<= 0", "Wide.")),
            "amber",
            "No check failed; 1 of 2 with a warning.",
        ),
        ((TOLD,), "amber", "Nothing was judged."),
    ],
)
def test_the_verdict_in_a_sentence(checks, worst, call):
    verdict = check_list(_findings(toy_posterior(draws=5, years=2), *checks))
    assert (verdict["worst"], verdict["call"]) == (worst, call)


def test_checks_that_cannot_run_are_no_green_verdict(monkeypatch, toy):
    def broken(*args, **kwargs):
        raise OutputError("no draws left")

    monkeypatch.setitem(CHECKS, "balance", broken)
    verdict = check_list(Result(toy))
    assert verdict["worst"] == "red"
    assert verdict["call"].startswith("1 could not be made")
    assert verdict["checks"][-1]["word"] != "not run"


def test_a_failed_check_is_told_before_the_answers_and_escaped(toy):
    page = render(_findings(toy, PASSED, FAILED))
    assert page.index("R-hat of &lt;flows&gt;") < page.index('id="answers"')
    assert 'class="ground unknown"' in page  # no number of it is to be quoted
    assert 'class="ground informed"' not in page
    assert "<td>&lt;i&gt;a&lt;/i&gt;</td>" in page
    assert "<i>a</i>" not in page


def test_quantiles_agree_with_numpy_and_leave_out_the_undefined():
    draws = np.random.default_rng(0).normal(size=(200, 3))
    draws[:10, 1] = np.nan
    draws[:50, 2] = np.nan
    found = quantiles(draws, [0.05, 0.5, 0.95])
    assert np.allclose(found[:, 0], np.quantile(draws[:, 0], [0.05, 0.5, 0.95]))
    assert np.allclose(found[:, 1], np.nanquantile(draws[:, 1], [0.05, 0.5, 0.95]))
    assert np.isnan(found[:, 2]).all()


def test_fans_hold_every_series_that_exists(toy):
    derived = toy["derived"].to_dataset()
    found = {one["name"]: one for one in fans(Result(toy))["indicators"]}
    mining, imports = (found[name] for name in ("mine_production", "import_dependence"))
    assert [s["at"] for s in mining["series"]] == [["North"], ["South"], ["East"]]
    assert np.isclose(mining["series"][0]["q"][3][0], np.median(derived["mine_production"].sel(region="North")[..., 0]))
    assert imports["dims"] == ["region", "partner", "product"]
    assert all(one["at"][0] != one["at"][1] for one in imports["series"])


def test_only_web_addresses_become_links():
    assert linked("see https://example.org/a?b=1&c=2.") == Markup(
        'see <a href="https://example.org/a?b=1&amp;c=2">https://example.org/a?b=1&amp;c=2</a>.'
    )
    assert linked("javascript:alert(1)") == Markup("javascript:alert(1)")
    assert linked('https://a.b/"onmouseover="x') == Markup(
        '<a href="https://a.b/">https://a.b/</a>&#34;onmouseover=&#34;x'
    )


def test_the_small_picture_is_escaped_and_needs_an_interval():
    picture = interval_picture((0.2, 0.3, 0.4), (0.0, 0.5, 0.9), unit="1", log=False, label="<b>&")
    assert 'aria-label="&lt;b&gt;&amp;"' in picture
    assert ">100 %</text>" in picture
    nan = float("nan")
    assert interval_picture((nan, nan, nan), (0.0, 0.5, 0.9), unit="1", log=False, label="") == Markup("")
    wide = interval_picture((1.0, 2.0, 3.0), (0.0, 9.0, 139.0), unit="kt", log=False, label="")
    assert "prior to 140 kt" in wide
    assert (
        "prior"
        not in interval_picture((1.0, 2.0, 3.0), (0.5, 2.0, 4.0), unit="kt", log=True, label="").split("<text", 1)[1]
    )


def test_an_unwritable_place_is_named(toy, tmp_path, monkeypatch):
    monkeypatch.setattr("reeuncert.report.page.render", lambda result: "<p>page</p>")
    assert write_report(toy, tmp_path / "new" / "report.html").read_text() == "<p>page</p>"
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write '.*file/report\.html': "):
        write_report(toy, tmp_path / "file" / "report.html")


def test_a_result_without_a_case_is_refused(toy):
    nameless = toy.copy(deep=False)
    nameless.attrs = {}
    with pytest.raises(OutputError, match=r"a report needs the group 'posterior' and the attribute 'case_json'"):
        render(Result(nameless))


def test_the_terminal_marks_wide_intervals(toy):
    dt = toy.copy()
    name = "mine_production"
    prior, posterior = dt["derived_prior"][name].values, dt["derived"][name]
    repeats = np.resize(prior.reshape(-1, *prior.shape[2:]), posterior.shape)
    for power, words, mark in ((1.0, AS_WIDE, "w"), (0.7, PARTLY_NARROWER, "(w)")):
        dt["derived"] = dt["derived"].to_dataset().assign({name: posterior.copy(data=repeats**power)})
        row = summary(dt, name, region="South", year=2002).iloc[0]
        assert row["against_prior"] == words
        assert marks(row)[-1] == mark


def test_labels_and_terms_of_a_case_are_those_that_readers_see(toy):
    case = Result(toy).case
    flows = tuple(replace(f, label="ore <South>") if f.name == "ore_South" else f for f in case.system.flows)
    named = replace(case, system=replace(case.system, flows=flows), glossary={"Ton <t>": "a thousand kilograms"})
    dt = toy.copy(deep=False)
    dt.attrs = {**toy.attrs, "case_json": case_to_json(named)}
    page = render(_findings(dt))
    assert "<td>ore &lt;South&gt;</td>" in page
    assert "<dt>Ton &lt;t&gt;</dt><dd>a thousand kilograms</dd>" in page
    assert "<dt>prior</dt>" in page
    assert case_from_json(case_to_json(case)) == case
    assert '"label"' not in case_to_json(case)


def test_trade_of_many_regions_none_of_which_refines_is_that_of_all_products(monkeypatch):
    dt, case = toy_posterior(draws=20, years=2), toy_case(2)
    flows = (replace(f, quantity="making" if f.quantity == "production" else f.quantity) for f in case.system.flows)
    dt.attrs["case_json"] = case_to_json(replace(case, system=replace(case.system, flows=tuple(flows))))
    monkeypatch.setattr(trade, "MANY", len(case.regions))
    found = trade.between_regions(Result(dt))
    assert {product for product, _ in found["chords"]} == {"all"}
    assert not any(one.error for one in (*found["exports"], *found["figures"]))


def test_a_result_without_its_command_names_all_that_makes_it_again(small_result):
    dt = small_result.copy()
    dt.attrs |= {"command": "", "seed": 3, "draws": 40, "thin": 5, "sampler": "nutpie"}
    command = method(Result(dt))["command"]
    assert all(option in command for option in ("--seed 3", "--draws 40", "--thin 5", "--sampler nutpie"))
    dt.attrs["approximate"] = "yes"
    assert method(Result(dt))["command"].endswith("--seed 3 --preview")


def test_a_flow_may_have_a_minus_sign_in_its_name():
    system = (case := toy_case(2)).system
    flows = tuple(replace(flow, name=flow.name.replace("trade_", "trade−")) for flow in system.flows)
    case = replace(case, system=replace(system, flows=flows))
    mass = toy_flows(case.system, 0.2, np.random.default_rng(0), 20).reshape(2, 10, len(flows), -1)
    dt = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, mass)})
    dt.attrs["case_json"] = case_to_json(case)
    (view,) = sankey_spec(Result(dt))["views"]
    assert {"concentrate", "powder"} <= {product for link in view["links"] for product in link["products"]}


def test_a_source_without_a_publisher_is_named_by_its_title(small_result):
    case = Result(small_result).case
    sources = {name: replace(source, publisher="") for name, source in case.sources.items()}
    dt = small_result.copy()
    dt.attrs["case_json"] = case_to_json(replace(case, sources=sources))
    told = providers(Result(dt))
    assert all(source.title in told for source in sources.values())


def test_every_heading_has_an_id_of_its_own(toy):
    page = render(_findings(toy, PASSED, FAILED))
    ids = re.findall(r'<[a-z][^>]* id="([^"]+)"', page.split("<script>")[0])
    assert len(ids) == len(set(ids))
    assert re.findall(r"(?<!<figcaption>)<h3(?![^>]*id=)", page.split("<script>")[0]) == []


@pytest.mark.parametrize(
    ("name", "quantities"),
    [
        ("import_dependence", ("trade", "declared")),
        ("import_dependence_with_unrecorded", ("trade", "declared", "undeclared")),
    ],
)
def test_masses_of_trade_are_the_parts_of_the_whole_that_the_shares_are_of(toy, name, quantities):
    result = Result(with_indicators(toy).dt)
    table = FlowTable.from_dataset(result.dt["posterior"].to_dataset(), result.case)
    share, found = result.dt["derived"][name], arrivals(result, name)
    assert found
    for one in found:
        region, partner, product = one["at"]
        part = share.sel(region=region, partner=partner, product=product).transpose("chain", "draw", "year").values
        mass = np.nan_to_num(part * imports_of(table, region, product, quantities=quantities))
        np.testing.assert_allclose(one["m"], np.median(mass, axis=(0, 1)), rtol=1e-10)
