"""What the figures draw, in both libraries: their panels, lines, bands, labels and hover texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import reeuncert.plots as plots
from reeuncert.case.serial import case_to_json
from reeuncert.errors import ArgumentError, ReeUncertError
from reeuncert.plots.draw_plotly import escaped
from reeuncert.plots.panels import Board, Fan, Points, fan_panel
from reeuncert.plots.render import render
from reeuncert.plots.style import BACKENDS, GROUND
from reeuncert.reference import Published
from reeuncert.report.figures import fans
from reeuncert.result.result import Result
from reeuncert.testing import flow_dataset, toy_flows, toy_posterior
from reeuncert.validation.reader import read_case

SMALL_METAL = Path(__file__).parents[2] / "models" / "small_metal"

CALLS: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "indicator": (plots.plot_indicator, ("net_import_reliance",), {}),
    "consumption": (plots.plot_consumption, (), {"coords": {"region": "South"}}),
    "customs_gap": (plots.plot_customs_gap, (), {"coords": {"region": "South"}}),
    "triangle": (plots.plot_triangle, (), {"coords": {"year": 2002, "product": ["concentrate", "refined"]}}),
    "trade_matrix": (plots.plot_trade_matrix, (), {"coords": {"year": [2001, 2002]}}),
    "net_exports": (plots.plot_net_exports, (), {"coords": {"exporter": "North", "year": [2001, 2002]}}),
    "learning": (plots.plot_learning, (), {}),
    "prior_posterior": (plots.plot_prior_posterior, ("net_import_reliance",), {}),
    "sankey": (plots.plot_sankey, (), {"coords": {"year": 2002}}),
}


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_posterior(chains=2, draws=40, years=3)


@pytest.fixture(scope="module")
def with_evidence() -> xr.DataTree:
    """Random balanced flows of a case that has figures."""
    case = read_case(SMALL_METAL)
    rng = np.random.default_rng(0)
    mass = toy_flows(case.system, 0.2, rng, 60).reshape(2, 30, len(case.system.flows), -1)
    out = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, mass)})
    out.attrs["case_json"] = case_to_json(case)
    return out


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_figure_is_drawn_by_both_libraries(dt: xr.DataTree, name: str, backend: str) -> None:
    function, args, more = CALLS[name]
    figure = function(dt, *args, backend=backend, **more)
    assert isinstance(figure, Figure if backend == "matplotlib" else go.Figure)
    if backend == "matplotlib":
        figure.canvas.draw()


def test_both_libraries_draw_on_one_ground(dt: xr.DataTree) -> None:
    figure = plots.plot_indicator(dt, "net_import_reliance", backend="plotly")
    assert figure.layout.paper_bgcolor == GROUND
    assert plots.plot_indicator(dt, "net_import_reliance").get_facecolor()[:3] == to_rgb(GROUND)


def test_a_notebook_shows_a_figure_without_pyplot(dt: xr.DataTree) -> None:
    figure = plots.plot_indicator(dt, "net_import_reliance")
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_an_unknown_library_is_refused(dt: xr.DataTree) -> None:
    with pytest.raises(ArgumentError, match=r"^backend is 'bokeh'; there are: matplotlib, plotly$"):
        plots.plot_indicator(dt, "net_import_reliance", backend="bokeh")


@pytest.mark.parametrize(
    ("plot", "coords"),
    [
        (plots.plot_consumption, {"year": []}),
        (plots.plot_triangle, {"year": []}),
        (plots.plot_trade_matrix, {"importer": "South", "exporter": "South"}),
        (plots.plot_learning, {"flow": "mine_production_South", "year": 2003}),  # there is none in that year
    ],
)
def test_a_choice_of_nothing_is_told_as_such(dt: xr.DataTree, plot: Any, coords: dict[str, Any]) -> None:
    with pytest.raises(ReeUncertError):
        plot(dt, coords=coords)


def test_a_table_is_no_switch(dt: xr.DataTree) -> None:
    table = pd.DataFrame({"value": [1.0]})
    with pytest.raises(ReeUncertError, match=r"^plot_indicator: published is of type DataFrame; give True or False$"):
        plots.plot_indicator(dt, "net_import_reliance", published=table)
    with pytest.raises(ReeUncertError, match=r"^plot_indicator: published is of type str; give True or False$"):
        plots.plot_indicator(dt, "net_import_reliance", published="no")


def test_a_fan_shows_median_and_bands_in_per_cent(dt: xr.DataTree) -> None:
    table = plots.indicator_data(dt, "net_import_reliance", coords={"region": "South"})
    figure = plots.plot_indicator(dt, "net_import_reliance", coords={"region": "South"}, backend="plotly")
    median = next(t for t in figure.data if t.name == "posterior, median")
    np.testing.assert_allclose(median.y, 100 * table["median"])
    filled = [t for t in figure.data if t.fill == "toself" and t.legendgroup == "posterior"]
    highest = [max(t.y) for t in filled]
    np.testing.assert_allclose(highest, [100 * table[f"eti{p}_ub"].max() for p in (90, 80, 50)])
    names = {t.name for t in figure.data if t.name}
    assert "50, 80 and 90 % equal-tailed interval" in names
    assert "prior, 90 % equal-tailed interval (dotted: median)" in names
    assert figure.layout.yaxis.title.text == "%"
    assert "90 % equal-tailed interval" in median.text[0]


def test_the_legend_in_matplotlib_names_the_intervals_and_is_not_cut(dt: xr.DataTree) -> None:
    figure = plots.plot_indicator(dt, "net_import_reliance", coords={"region": "South"})
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == [
        "posterior, median",
        "50, 80 and 90 % equal-tailed interval",
        "prior, 90 % equal-tailed interval (dotted: median)",
    ]
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_gap_in_the_years_stays_a_gap(backend: str) -> None:
    years = [2001, 2002, 2004]
    table = pd.DataFrame(
        {"year": years, "median": [1.0, 2.0, 3.0], "eti90_lb": [0.5, 1.0, 2.0], "eti90_ub": [2.0, 3.0, 4.0]}
    )
    fan = Fan(table, "posterior", "#0072B2", probs=(0.9,))
    figure = render(Board("A gap", (fan_panel("p", "kt", (fan,)),)), backend)
    if backend == "plotly":
        bands = [t for t in figure.data if t.fill == "toself"]
        # Two years beside each other make a band, a year alone a narrow box.
        assert [sorted(set(b.x)) for b in bands] == [[2001.0, 2002.0], [2003.8, 2004.2]]
    else:
        line = figure.axes[0].lines[0]
        assert np.isnan(line.get_ydata()).tolist() == [False, False, True, False]
        bands = [sorted(set(patch.get_xy()[:, 0])) for patch in figure.axes[0].patches]
        assert bands == [[2001.0, 2002.0], [2003.8, 2004.2]]


def test_points_of_a_ratio_are_per_cent() -> None:
    one = Points("survey", np.array([2001]), np.array([0.9]))
    panel = fan_panel("p", "1", (), (one,))
    (drawn,) = panel.marks
    assert drawn.y == 90.0
    assert drawn.hover[0].startswith("survey\n90")
    assert panel.y.limits[1] > 90.0


def test_one_region_of_the_sankey_diagram_may_be_a_text(dt: xr.DataTree) -> None:
    pd.testing.assert_frame_equal(plots.sankey_data(dt, regions="South"), plots.sankey_data(dt, regions=["South"]))


def test_published_values_are_points_with_their_source(dt: xr.DataTree, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        ("net_import_reliance", "", 2002, 2002, 0.5, False, "half of <it>"),
        ("smuggled_mass", "North", 2001, 2003, 8.0, False, "all years"),
        ("smuggled_mass", "North", 2002, 2003, 4.0, True, "a year"),
        ("smuggled_mass", "North", 2002, 2003, 6.0, False, "two years, not from the first"),
        ("smuggled_mass", "North", 2003, 2003, 3.0, False, "one year"),
    )
    values = tuple(
        Published("", "", "paper", "", told, name, "South", partner, "", first, last, value, per_year, hedge="~")
        for name, partner, first, last, value, per_year, told in rows
    )
    monkeypatch.setattr("reeuncert.reference.published_values", lambda _: values)

    def shown(figure: go.Figure) -> list[tuple[list[int], list[float]]]:
        return [(list(p.x), list(p.y)) for p in figure.data if p.name == "published: paper"]

    figure = plots.plot_indicator(dt, "net_import_reliance", backend="plotly", published=True)
    assert shown(figure) == [([2002], [50.0])]
    assert any("half of &lt;it&gt; ~" in text for trace in figure.data for text in trace.text or ())
    in_years, in_all = ([2002, 2003, 2003], [4.0, 4.0, 3.0]), ([2003], [8.0])
    for name, drawn in (("smuggled_mass", in_years), ("smuggled_mass_cumulated", in_all)):
        assert shown(plots.plot_indicator(dt, name, backend="plotly", published=True)) == [drawn]
    # The page has the same values: a rate from its first year to its last.
    (of_pair,) = (one["series"] for one in fans(Result(dt))["indicators"] if one["name"] == "smuggled_mass")
    points = [(p["from"], p["to"], p["value"]) for one in of_pair for p in one.get("points", ())]
    assert points == [(2002, 2003, 4.0), (2003, 2003, 3.0)]


def test_the_sankey_slider_shows_one_year_at_a_time(dt: xr.DataTree) -> None:
    figure = plots.plot_sankey(dt, backend="plotly")
    shown = [t for t in figure.data if isinstance(t, go.Sankey)]
    assert [t.visible for t in shown] == [False, False, True, False]
    steps = figure.layout.sliders[0].steps
    assert [s.label for s in steps] == ["2001", "2002", "2003", "cumulative"]
    diagrams = [[t for t, v in zip(figure.data, s.args[0]["visible"], strict=True) if v] for s in steps]
    assert [next(t for t in traces if isinstance(t, go.Sankey)) for traces in diagrams] == shown
    assert figure.layout.sliders[0].active == 2


def test_sankey_ribbons_carry_interval_prior_and_route(dt: xr.DataTree) -> None:
    table = plots.sankey_data(dt, coords={"year": 2002})
    trace = plots.plot_sankey(dt, coords={"year": 2002}, backend="plotly").data[0]
    np.testing.assert_allclose(trace.link.value, table["mean"])
    smuggled = int(np.flatnonzero(table["route"] == "unrecorded")[0])
    assert trace.link.color[smuggled] != "rgba(178,24,107,1)"  # paler, since less certain
    text = trace.link.customdata[smuggled]
    assert "unrecorded" in text
    assert "90 % equal-tailed interval: " in text
    assert "prior: " in text
    assert "no data measure this flow alone" in text


def test_what_is_less_certain_is_fainter(dt: xr.DataTree) -> None:
    from reeuncert.plots.sankey_board import opacity_of

    opacities = [opacity_of(f) for f in (1.1, 1.8, 4.0, 50.0, float("nan"))]
    assert opacities == sorted(opacities, reverse=True)
    assert len(set(opacities)) == 4


def test_matplotlib_hatches_what_is_unregistered_or_unrecorded(dt: xr.DataTree) -> None:
    figure = plots.plot_sankey(dt, coords={"year": 2002})
    table = plots.sankey_data(dt, coords={"year": 2002})
    hatches = [p.get_hatch() for p in figure.axes[0].patches]
    assert hatches.count("////") == (table["route"] == "unregistered").sum()
    assert hatches.count("xxxx") == (table["route"] == "unrecorded").sum()


def test_matplotlib_shows_one_year_of_flows(dt: xr.DataTree) -> None:
    for function in (plots.plot_sankey, plots.plot_triangle):
        with pytest.raises(ReeUncertError) as error:
            function(dt, coords={"year": [2001, 2002]})
        assert str(error.value) == ("a matplotlib figure shows one year: give one by coords, or use backend='plotly'")


def test_too_many_panels_are_refused(dt: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError, match=r"panels \(at most 40\); choose fewer labels by coords$"):
        plots.plot_indicator(dt, "embodied_dependence_mined")


def test_html_in_names_is_shown_as_text() -> None:
    assert escaped("<script>alert(1)</script> & co") == "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"


def test_figures_lie_where_their_predictions_say(with_evidence: xr.DataTree) -> None:
    table = plots.evidence_data(with_evidence)
    assert table["id"].tolist() == [row.id for row in read_case(SMALL_METAL).evidence]
    exact = table.set_index("id").loc["M1"]
    # The prediction is the flow with a 5 % error: its median is near the flow's.
    flow = with_evidence["posterior"].to_dataset()["mass_flow"].sel(flow="south_mine_production", year=2016)
    assert exact["predicted"] == pytest.approx(float(flow.median()), rel=0.15)
    assert exact["predicted_eti90_lb"] < exact["predicted"] < exact["predicted_eti90_ub"]
    bounds = table[table["qualifier"].isin(["up_to", "range"])]
    assert bounds["position"].isna().all()
    assert bounds["agrees"].between(0, 1).all()
    tonnes = table.set_index("id").loc["X1"]
    trade = with_evidence["posterior"].to_dataset()["mass_flow"].sel(flow="salt_to_north", year=2016)
    assert tonnes["unit"] == "t"
    assert tonnes["predicted"] == pytest.approx(1000 * float(trade.median()), rel=0.3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_evidence_tells_figures_inside_from_outside(with_evidence: xr.DataTree, backend: str) -> None:
    table = plots.evidence_data(with_evidence)
    known = table[table["position"].notna()]
    figure = plots.plot_evidence(with_evidence, backend=backend)
    if backend == "plotly":
        points = [t for t in figure.data if t.mode == "markers"]
        assert sum(len(t.x) for t in points) == len(known)
        assert any("reported (exact): 14 kt" in text for t in points for text in t.text)
    else:
        drawn = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
        assert sum(len(line.get_xdata()) for line in drawn) == len(known)


def test_evidence_can_be_chosen(with_evidence: xr.DataTree) -> None:
    assert plots.evidence_data(with_evidence, coords={"lineage": "survey", "year": 2017})["id"].tolist() == ["M2", "M6"]
    with pytest.raises(ReeUncertError) as error:
        plots.evidence_data(with_evidence, coords={"lineage": "x"})
    assert str(error.value) == (
        "'x' is no lineage of the evidence; there are: association, customs-north, customs-south, survey"
    )


def test_a_system_without_smuggling_says_so(with_evidence: xr.DataTree) -> None:
    with pytest.raises(ReeUncertError) as error:
        plots.plot_customs_gap(with_evidence)
    assert str(error.value) == (
        "no flow of this case can go unrecorded (no flow of quantity 'declared' or 'undeclared')"
    )
    with pytest.raises(ReeUncertError, match=r"^the customs gap has no dim 'regoin'; its dims: region, partner; "):
        plots.customs_gap_data(with_evidence, coords={"regoin": "South"})


@pytest.mark.parametrize("backend", BACKENDS)
def test_another_case_without_prior_has_its_sankey(with_evidence: xr.DataTree, backend: str) -> None:
    figure = plots.plot_sankey(with_evidence, backend=backend)
    if backend == "plotly":
        texts = [t for t in figure.data if isinstance(t, go.Sankey)][-2].link.customdata
        assert any("evidence: X3, N2" in text for text in texts)
        assert not any("prior:" in text for text in texts)
