"""Figures of questions to a result: what moves a value, what its variance comes from, what to measure next."""

from typing import Any

import pandas as pd
import xarray as xr

from reeuncert.case.labels import Labels
from reeuncert.indicators.printing import value_title
from reeuncert.plots.access import Coords
from reeuncert.plots.panels import scale_of
from reeuncert.plots.render import Chart, Row, Span, figure_of, render_chart
from reeuncert.plots.style import axis_label, colours_of, hue, interval_name
from reeuncert.questions.information import value_of_information
from reeuncert.questions.powerscale import CLASS, FACTOR, SOURCE, power_scaling, tornado
from reeuncert.questions.sobol import sobol
from reeuncert.questions.targets import ValueName
from reeuncert.result.result import Result
from reeuncert.result.verdicts import SENSITIVE
from reeuncert.words.cells import as_words
from reeuncert.words.estimates import with_unit

COLOURS = {CLASS: hue(1), SOURCE: hue(0), "rest": hue(7)}  # colour of a kind of component
LESS, MORE = hue(3), hue(1)
MOST = 12  # bars of a figure


def tornado_data(dt: xr.DataTree, name: ValueName, *, coords: Coords = None) -> pd.DataFrame:
    """Medians of an indicator with one thing changed at a time: `reeuncert.questions.tornado`.

    Parameters
    ----------
    dt
        Result with ``log_prior`` and ``log_likelihood``.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    """
    return tornado(dt, name, **dict(coords or {}))


@figure_of(tornado_data)
def plot_tornado(dt: xr.DataTree, name: ValueName, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw bars from the median with less to that with more weight on each component, the longest on top."""
    table = tornado_data(dt, name, coords=coords)
    first = table.iloc[0]
    unit, scale = str(first["unit"]), scale_of(str(first["unit"]))
    less, more = f"counts 1/{FACTOR:g} as much", f"counts {FACTOR:g} times as much"
    # Components that are not reliable are below the others.
    table = table.sort_values(["reliable", "swing"], ascending=False, kind="stable").head(MOST)
    rows = []
    for record in table.to_dict("records"):
        base = scale * record["base"]
        spans = (Span(base, scale * record["less"], LESS, less), Span(base, scale * record["more"], MORE, more))
        told = [f"median {with_unit(record['base'], unit)}", f"{more}: {with_unit(record['more'], unit)}"]
        told += [f"{less}: {with_unit(record['less'], unit)}", f"Pareto k {record['pareto_k']:.2f}"]
        label = f"{as_words(str(record['component']))} ({record['kind']})"
        rows.append(Row(label, spans, hover=tuple(told), faint=not record["reliable"]))
    chart = Chart(
        "Components that move the median",
        axis_label("Median", unit),
        tuple(rows),
        subtitle=value_title(table.iloc[0]),
        line=(scale * float(first["base"]), "median as it is"),
        from_zero=False,
    )
    return render_chart(chart, backend)


def power_scaling_data(dt: xr.DataTree, name: ValueName, *, coords: Coords = None) -> pd.DataFrame:
    """Power-scaling sensitivity of one value: `reeuncert.power_scaling`.

    Parameters
    ----------
    dt
        Result with indicators, ``log_prior`` and ``log_likelihood``.
    name, coords
        As in `tornado_data`.
    """
    wanted: ValueName = {"indicator": name, **dict(coords or {})} if isinstance(name, str) else name
    return power_scaling(dt, [wanted])


@figure_of(power_scaling_data)
def plot_power_scaling(dt: xr.DataTree, name: ValueName, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the sensitivity of one value to each class of priors and each source, with the noise of the computation."""
    table = power_scaling_data(dt, name, coords=coords)
    # Components within the noise are paler, below the others.
    table = table.sort_values(["sensitive", "psense"], ascending=False, kind="stable").head(MOST)
    rows = []
    for record in table.to_dict("records"):
        kind, unit = str(record["kind"]), str(record["unit"])
        told = (
            f"sensitivity {record['psense']:.3f}, noise {record['noise']:.3f}",
            f"slope in its weight: {with_unit(record['moves_by'], unit)} (counted twice, it moves it less as a rule)",
        )
        sign = "rises" if record["moves"] > 0 else "falls"
        label = as_words(str(record["component"])) + (f" ({sign})" if record["sensitive"] else "")
        span = Span(0.0, record["psense"], COLOURS[kind], kind)
        rows.append(Row(label, (span,), tick=record["noise"], hover=told, faint=not record["sensitive"]))
    chart = Chart(
        "What the value is sensitive to",
        "Power-scaling sensitivity (distance per doubling of the component's weight)",
        tuple(rows),
        subtitle=f"{value_title(table.iloc[0])}\nrises / falls: when the component counts more",
        line=(SENSITIVE, f"sensitive from {SENSITIVE:g}"),
        tick_name="noise of the computation",
        faint_name="within the noise",
    )
    return render_chart(chart, backend)


TITLES = {
    "posterior": "Components of the remaining uncertainty",
    "prior": "What would drive the uncertainty without evidence",
}


def sobol_data(dt: xr.DataTree, name: ValueName, *, coords: Coords = None, under: str = "posterior") -> pd.DataFrame:
    """Sobol' indices of an indicator by class of input: `reeuncert.sobol`.

    Parameters
    ----------
    dt
        Result with indicators and coordinates ``z``.
    name, coords
        As in `tornado_data`.
    under
        ``"posterior"`` or ``"prior"``.
    """
    return sobol(dt, name, under=under, **dict(coords or {}))


@figure_of(sobol_data)
def plot_sobol(
    dt: xr.DataTree, name: ValueName, *, coords: Coords = None, backend: str = "matplotlib", under: str = "posterior"
) -> Any:
    """Draw the part of an indicator's variance that comes from each class of priors and each source."""
    table = sobol_data(dt, name, coords=coords, under=under)
    rest = table[table["kind"] == "rest"]
    table = pd.concat([table[table["kind"] != "rest"].head(MOST), rest])
    rows = []
    for record in table.to_dict("records"):
        first, half, kind = 100 * record["first"], 100 * record["first_ci"], str(record["kind"])
        told = [f"{first:.1f} % of the variance", f"Monte Carlo error ± {half:.1f} % (90 %)"]
        whole = 100 * record["total"] if under == "prior" else None
        told += [] if whole is None else [f"with interactions {whole:.1f} %"]
        span = Span(0.0, first, COLOURS[kind], "rest: not linear" if kind == "rest" else kind)
        label, ends = as_words(str(record["component"])), (first - half, first + half)
        rows.append(Row(label, (span,), whisker=ends, point=whole, hover=tuple(told)))
    chart = Chart(
        TITLES[under],
        "Share of the variance (%)",
        tuple(rows),
        subtitle=value_title(table.iloc[0]),
        point_name="with interactions" if under == "prior" else "",
        whisker_name="Monte Carlo error, 90 %",
    )
    return render_chart(chart, backend)


def value_of_information_data(
    dt: xr.DataTree, name: ValueName, *, coords: Coords = None, of: str = "flows", error: float = 0.1
) -> pd.DataFrame:
    """Expected narrowing for everything that could be measured: `reeuncert.value_of_information`.

    Parameters
    ----------
    dt
        Result with indicators.
    name, coords
        Name of an indicator and a label for each of its dims, or the number of a headline.
    of
        ``"flows"``, ``"series"`` or ``"sources"``.
    error
        Relative error of the measurement.
    """
    return value_of_information(dt, name, of=of, error=error, **dict(coords or {}))


@figure_of(value_of_information_data, most="Number of candidates.")
def plot_value_of_information(
    dt: xr.DataTree,
    name: ValueName,
    *,
    coords: Coords = None,
    backend: str = "matplotlib",
    of: str = "flows",
    error: float = 0.1,
    most: int = 15,
) -> Any:
    """Draw by how much an interval is expected to shrink for each of the best candidates."""
    table = value_of_information_data(dt, name, coords=coords, of=of, error=error)
    return render_chart(chart_of(table.head(most), error, Labels(Result.holding(dt).case)), backend)


def chart_of(table: pd.DataFrame, error: float, labels: Labels) -> Chart:
    """A ranking as a chart; a candidate's colour is the quantity of its flow."""
    kinds = table["flow_quantity"] if "flow" in table else pd.Series("source", index=table.index)
    colours = colours_of(list(dict.fromkeys(kinds.astype(str))))
    rows = []
    for record, kind in zip(table.to_dict("records"), kinds.astype(str), strict=True):
        label, told = _words(record, labels)
        narrower = 100.0 * record["narrowing"]
        tick = 100.0 * float(record["noise"]) if "noise" in record else None
        hover = (f"the interval is expected to be {narrower:.1f} % narrower", told)
        rows.append(Row(label, (Span(0.0, narrower, colours[kind], as_words(kind)),), tick=tick, hover=hover))
    return Chart(
        f"What to measure next, with an error of {100 * error:g} %",
        f"Expected narrowing of the interval (%); {interval_name()}",
        tuple(rows),
        subtitle=value_title(table.iloc[0]),
        tick_name="noise of the computation" if "noise" in table else "",
    )


def _words(record: dict[Any, Any], labels: Labels) -> tuple[str, str]:
    if "flow" not in record:
        return labels.told(record["source"]), f"{record['figures']} figures, each once more with the error given"
    known = f"known to {100 * record['known_to']:.0f} % today"
    if "measured_year" in record:
        return f"{labels.told(record['flow'])} {record['measured_year']}", known
    return f"{labels.told(record['flow'])}, {record['figures']} years", f"sum over years {known}"
