"""Figures of sensitivity: what they draw, in both libraries, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import xarray as xr
from matplotlib.figure import Figure

import reeuncert as ree
import reeuncert.plots as plots
from reeuncert.case.labels import Labels
from reeuncert.case.serial import case_to_json
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.printing import value_title
from reeuncert.plots.render import Chart, Row, Span, render_chart
from reeuncert.plots.style import BACKENDS
from reeuncert.result.result import Result
from reeuncert.studies.study import Study
from reeuncert.testing import flow_dataset, toy_flows, toy_posterior, toy_terms
from reeuncert.words.estimates import with_unit

WHERE = {"region": "South", "partner": "North", "product": "refined", "year": 2003}


@pytest.fixture(scope="module")
def dt() -> xr.DataTree:
    return toy_terms(toy_posterior(chains=2, draws=100, years=3))


@pytest.fixture(scope="module")
def small() -> xr.DataTree:
    """Any draws of a case with priors: under the prior, indices are computed on the case."""
    case = ree.read_case("small_metal")
    mass = toy_flows(case.system, 0.2, np.random.default_rng(0), 20).reshape(1, 20, -1, len(case.system.years))
    out = xr.DataTree.from_dict({"posterior": flow_dataset(case.system, mass)})
    out.attrs["case_json"] = case_to_json(case)
    return ree.add_indicators(out, ["apparent_consumption"])


@pytest.fixture(scope="module")
def study() -> Study:
    parts = [toy_posterior(draws=50, years=3, seed=s)["derived"].to_dataset()[["import_dependence"]] for s in (0, 1)]
    draws = xr.concat(parts, xr.Variable("scenario", ["base", "no stocks"]))
    quantiles = draws.quantile([0.05, 0.25, 0.5, 0.75, 0.95], ("chain", "draw"), skipna=False, keep_attrs=True)
    return Study(quantiles, draws, *3 * [pd.DataFrame()])


CALLS: dict[str, Any] = {
    "tornado": lambda dt, small, study, **named: plots.plot_tornado(dt, 0, **named),
    "value of information": lambda dt, small, study, **named: plots.plot_value_of_information(dt, 0, **named),
    "power-scaling": lambda dt, small, study, **named: plots.plot_power_scaling(
        dt, "import_dependence", coords=WHERE, **named
    ),
    "sobol": lambda dt, small, study, **named: plots.plot_sobol(
        small,
        "apparent_consumption",
        coords={"region": "North", "product": "refined", "year": 2020},
        under="prior",
        **named,
    ),
    "scenarios": lambda dt, small, study, **named: plots.plot_scenarios(
        study, "import_dependence", coords=WHERE, **named
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_both_libraries_draw_it(dt: xr.DataTree, small: xr.DataTree, study: Study, name: str, backend: str) -> None:
    figure = CALLS[name](dt, small, study, backend=backend)
    if backend == "matplotlib":
        assert isinstance(figure, Figure)
        figure.canvas.draw()
    else:
        assert isinstance(figure, go.Figure)
    with pytest.raises(ReeUncertError, match=r"^backend is 'bokeh'; there are: matplotlib, plotly$"):
        CALLS[name](dt, small, study, backend="bokeh")


def test_bars_are_as_long_as_the_table_says(dt: xr.DataTree) -> None:
    table = plots.value_of_information_data(dt, 0, error=0.05).head(5)
    figure = plots.plot_value_of_information(dt, 0, backend="plotly", error=0.05, most=5)
    bars = _bars(figure)
    np.testing.assert_allclose([max(bar.x) for bar in bars], 100 * table["narrowing"])
    labels = Labels(Result(dt).case).flows
    assert list(figure.layout.yaxis.ticktext) == [
        f"{labels[flow]} {year}" for flow, year in zip(table["flow"], table["measured_year"], strict=True)
    ]
    assert "narrower" in bars[0].text


def _bars(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.fill == "toself"]


def test_a_tornado_runs_from_less_to_more(dt: xr.DataTree) -> None:
    table = plots.tornado_data(dt, "import_dependence", coords=WHERE)
    first = table.sort_values(["reliable", "swing"], ascending=False, kind="stable").iloc[0]
    figure = plots.plot_tornado(dt, "import_dependence", coords=WHERE)
    ends = {round(x, 6) for patch in figure.axes[0].patches[:2] for x in patch.get_xy()[:, 0]}
    assert {round(100 * first[c], 6) for c in ("less", "more", "base")} <= ends
    legend = [t.get_text() for t in figure.legends[0].get_texts()]
    assert legend[:2] == ["counts 1/1.25 as much", "counts 1.25 times as much"]


def test_intervals_by_scenario_are_those_of_the_draws(study: Study) -> None:
    table = plots.scenarios_data(study, "import_dependence", coords=WHERE).set_index("scenario")
    for name in ("base", "no stocks"):
        draws = study.draws["import_dependence"].sel({**WHERE, "scenario": name}).values.ravel()
        low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
        found = table.loc[name, ["eti90_lb", "median", "eti90_ub"]].astype(float)
        np.testing.assert_allclose(found, [low, middle, high], rtol=1e-6)
    figure = plots.plot_scenarios(study, "import_dependence", coords=WHERE)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["base", "no stocks"]


@pytest.fixture(scope="module")
def of_studies() -> Study:
    """A study of two scenarios beside the base, one value of one indicator, and one headline."""
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    middle = np.array([0.5, 0.6, 0.3])
    values = middle[:, None] + np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    dims = ("scenario", "quantile", "region", "year")
    names = ["base", "loose yields", "no stocks"]
    data = xr.Dataset(
        {"net_import_reliance": (dims, values[:, :, None, None], {"units": "1"})},
        coords={"scenario": names, "quantile": quantiles, "region": ["South"], "year": [2003]},
    )
    headlines = pd.DataFrame(
        {
            "scenario": names,
            "indicator": "net_import_reliance",
            "region": "South",
            "partner": "",
            "product": "",
            "year": 2003,
            "unit": "1",
            "median": middle,
            "eti90_lb": middle - 0.2,
            "eti90_ub": middle + 0.2,
            "mcse_median": 0.01,
            "ess_bulk": 400.0,
            "r_hat": 1.0,
        }
    )
    scenarios = pd.DataFrame({"scenario": names, "what": "", "why": "", "status": "fitted"})
    return Study(data, xr.Dataset(), scenarios, headlines, pd.DataFrame({"status": []}))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_study_is_a_row_of_intervals(of_studies: Study, backend: str) -> None:
    where = {"region": "South", "year": 2003}
    figure = plots.plot_scenarios(of_studies, "net_import_reliance", coords=where, backend=backend)
    if backend == "matplotlib":
        assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["base", "loose yields", "no stocks"]


def test_scenarios_that_cannot_be_drawn_say_why(study: Study) -> None:
    with pytest.raises(ReeUncertError) as error:
        plots.plot_scenarios(study, "import_dependence", coords={"region": "South", "product": "refined"})
    assert (
        str(error.value) == "'import_dependence' has more than one value a scenario: choose partner and year by coords"
    )
    with pytest.raises(ReeUncertError, match=r"^indicator 'customs_gap' is not known; use one of: import_dep"):
        plots.plot_scenarios(study, "customs_gap")


def test_text_of_a_user_is_shown_as_text() -> None:
    row = Row("<b>flow</b>", (Span(0.0, 1.0, "#0072B2", "<i>kind</i>"),), hover=("<script>",))
    figure = render_chart(Chart("<title>", "x", (row,)), "plotly")
    text = figure.to_json()
    assert "\\u003cscript" not in text.replace("&lt;", "")
    assert "<b>flow" not in figure.layout.yaxis.ticktext[0]
    with pytest.raises(ReeUncertError, match=r"^'nothing' has nothing to draw$"):
        render_chart(Chart("nothing", "x", ()), "matplotlib")


def test_values_have_their_words() -> None:
    row = {"indicator": "smuggled_mass_cumulated", "region": "South", "partner": "North", "product": "", "year": 2003}
    assert value_title(row) == "Unrecorded exports (smuggling) · North → South · all years"
    assert with_unit(0.5, "1") == "50 %"
