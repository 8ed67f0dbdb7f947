"""The customs gap of a pair of regions: the records of both offices, the true flow, and unrecorded trade."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from reeuncert.case.records import Case
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.printing import check_dims
from reeuncert.likelihood.compile import EvidenceModel
from reeuncert.plots.access import (
    ALL_YEARS,
    Coords,
    both,
    led_by,
    refined_products,
    rows_of,
    sum_of,
    take,
    tidy,
)
from reeuncert.plots.panels import Board, Fan, Points, fan_panel
from reeuncert.plots.render import figure_of, render
from reeuncert.plots.style import HUES, OFFICES, PROBABILITIES, UNRECORDED
from reeuncert.result.result import Result

EXPORTER, IMPORTER, TRUE = "exporter's record", "importer's record", "true flow"
UNSEEN, DECLARED = "unrecorded", "declared on arrival"
SERIES = {
    EXPORTER: ("trade",),
    IMPORTER: ("trade", "declared"),
    TRUE: ("trade", "declared", "undeclared"),
    UNSEEN: ("declared", "undeclared"),
    DECLARED: ("declared",),
}
"""Series of the figure → quantities of flows that it sums."""

BOUNDS = {"at_least": "as a lower bound", "up_to": "as an upper bound"}
"""Kind of a reported figure that is no value → how its hollow points are named."""

SAID = ("unit", "basis", "qualifier", "product", "reporter", "id", "source_id")
COLOURS = {EXPORTER: OFFICES[0], IMPORTER: OFFICES[1], TRUE: "ink", UNSEEN: UNRECORDED, DECLARED: HUES[3]}


def customs_gap_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """What crossed from a partner to a region in refined products, by who saw it.

    Parameters
    ----------
    dt
        Result with draws of mass_flow.
    coords
        ``region`` (importer), ``partner`` (exporter); by default every pair with unrecorded flows.

    Returns
    -------
    DataFrame
        ``region``, ``partner``, ``series`` (``exporter's record``, ``importer's record``, ``true flow``,
        ``unrecorded``, ``declared on arrival``, the two last also with ``, cumulative``), ``year``, ``unit``, and
        quantiles as in `indicator_data`. Records are without the offices' errors and biases.

    Raises
    ------
    ReeUncertError
        If no flow between the pair can go unrecorded.

    Examples
    --------
    >>> from reeuncert.testing import toy_posterior
    >>> table = customs_gap_data(toy_posterior(draws=20, years=2), coords={"region": "South"})
    >>> list(dict.fromkeys(table["series"]))[:3]
    ["exporter's record", "importer's record", 'true flow']
    """
    mass, before = both(dt)
    refined = refined_products(mass)
    tables = []
    for region, partner in _pairs(mass, coords):
        ends = {"origin": partner, "destination": region, "product": refined}
        series = _series(mass, ends)
        priors = {} if before is None else _series(before, ends)
        for name, draws in series.items():
            table = tidy(draws, priors.get(name)).assign(unit=str(mass.attrs.get("units", "")))
            tables.append(table.assign(region=region, partner=partner, series=name))
    return led_by(pd.concat(tables, ignore_index=True), "region", "partner", "series", "year", "unit")


def customs_records_data(dt: xr.DataTree, *, coords: Coords = None) -> pd.DataFrame:
    """Reported values of trade in refined products between a pair, in the unit of the case.

    A figure in gross weight is converted by the contents of the products that it sums, at their posterior median mix;
    biases and errors stay in it. Figures of a part of the refined products are kept, and say which.

    Parameters
    ----------
    dt
        Result of `reeuncert.sample`.
    coords
        As in `customs_gap_data`.

    Returns
    -------
    DataFrame
        ``region``, ``partner``, ``series`` (whose record), ``year``,
        ``value``, ``reported``, ``unit``, ``basis``, ``qualifier``, ``product``, ``reporter``, ``id``, ``source_id``.
        Empty where nothing was reported.
    """
    mass, result = both(dt)[0], Result.holding(dt)
    pairs, model = _pairs(mass, coords), result.evidence
    rows = [] if model is None else _records(result.case, model, mass, pairs, set(refined_products(mass)))
    return pd.DataFrame(rows, columns=["region", "partner", "series", "year", "value", "reported", *SAID])


@figure_of(customs_gap_data)
def plot_customs_gap(dt: xr.DataTree, *, coords: Coords = None, backend: str = "matplotlib") -> Any:
    """Draw the records of both offices, and the unrecorded mass per year and cumulative."""
    table = customs_gap_data(dt, coords=coords)
    records = customs_records_data(dt, coords=coords) if "case_json" in dt.attrs else None
    years = sorted(set(table["year"]))
    panels = []
    for region, partner, unit, held, said in _by_pair(table, records):
        way = f"{partner} to {region}"
        recorded = _fans(held, years, IMPORTER, EXPORTER)
        yearly, summed = (_fans(held, years, UNSEEN, DECLARED, suffix=end) for end in ("", f", {ALL_YEARS}"))
        panels += [
            fan_panel(f"{way}: records", unit, recorded, _printed(said)),
            fan_panel(f"{way}: unrecorded a year", unit, yearly),
            fan_panel(f"{way}: unrecorded since {years[0]}", unit, summed),
        ]
    return render(Board("Customs gap, refined products", tuple(panels), 3, 2.6, 4.2), backend)


def _fans(held: dict[str, pd.DataFrame], years: list[int], *names: str, suffix: str = "") -> tuple[Fan, ...]:
    """Fans of the series that are there; records are drawn without their prior."""
    there = [n for n in names if n + suffix in held]
    records = (IMPORTER, EXPORTER)
    return tuple(Fan(held[n + suffix], n, COLOURS[n], years=years, with_prior=n not in records) for n in there)


def customs_records_board(dt: xr.DataTree, coords: Coords) -> Board:
    """The records of both offices, the true flow and the reported values of each pair, a panel a pair."""
    records, panels = customs_records_data(dt, coords=coords), []
    for region, partner, unit, held, said in _by_pair(customs_gap_data(dt, coords=coords), records):
        fans = [
            Fan(held[n], n, COLOURS[n], with_prior=False, probs=PROBABILITIES[-1:], dashed=n == TRUE)
            for n in (IMPORTER, EXPORTER, TRUE)
            if n in held
        ]
        panels.append(fan_panel(f"{partner} to {region}", unit, fans, _printed(said)))
    return Board("Records of trade, refined products", tuple(panels), 2, 2.6, 4.7)


def _by_pair(
    table: pd.DataFrame, records: pd.DataFrame | None
) -> Iterator[tuple[str, str, str, dict[str, pd.DataFrame], pd.DataFrame | None]]:
    """Region, partner, unit of masses, rows of each series, and reported values."""
    unit = str(table.loc[table["series"] == TRUE, "unit"].iloc[0])
    for (region, partner), rows in table.groupby(["region", "partner"], sort=False):
        held = {str(name): part for name, part in rows.groupby("series", sort=False)}
        said = None if records is None else records[(records["region"] == region) & (records["partner"] == partner)]
        yield str(region), str(partner), unit, held, said


def _pairs(mass: xr.DataArray, coords: Coords) -> list[tuple[str, str]]:
    ends = ("region", "partner")
    check_dims("the customs gap", ends, coords or ())
    names = zip(mass["quantity"].values, mass["destination"].values, mass["origin"].values, strict=True)
    pairs = list(dict.fromkeys((str(d), str(o)) for q, d, o in names if str(q) in ("declared", "undeclared")))
    if not pairs:
        raise ReeUncertError("no flow of this case can go unrecorded (no flow of quantity 'declared' or 'undeclared')")
    known = dict(zip(ends, map(dict.fromkeys, zip(*pairs, strict=True)), strict=True))
    wanted = take(coords, known, "the customs gap")
    kept = [pair for pair in pairs if pair[0] in wanted["region"] and pair[1] in wanted["partner"]]
    if not kept:
        raise ReeUncertError(f"between {wanted['partner']} and {wanted['region']} no flow can go unrecorded")
    return kept


def _series(mass: xr.DataArray, ends: dict[str, Any]) -> dict[str, xr.DataArray]:
    found = {name: sum_of(mass, quantity=quantities, **ends) for name, quantities in SERIES.items()}
    out = {name: draws for name, draws in found.items() if draws is not None}
    for name in (UNSEEN, DECLARED):
        if name in out:
            out[f"{name}, {ALL_YEARS}"] = out[name].cumsum("year").assign_coords(year=out[name]["year"])
    return out


def _records(
    case: Case, model: EvidenceModel, mass: xr.DataArray, pairs: list[tuple[str, str]], refined: set[str]
) -> list[dict[str, Any]]:
    """Figures on refined products between some pairs: masses in the unit of the case."""
    draws = mass.values.reshape(-1, *mass.shape[2:])
    out = []
    for r, row in enumerate(model.rows):
        fields = row.selector.fields
        places = [fields.get(name, ()) for name in ("destination", "origin")]
        if row.relation != "level" or "trade" not in fields.get("quantity", ()):
            continue
        if any(len(p) != 1 for p in places) or len(row.years) != 1:
            continue
        products = fields.get("product", case.products)
        if not np.isfinite(row.value) or (places[0][0], places[1][0]) not in pairs or not refined.issuperset(products):
            continue
        said = {name: "+".join(products) if name == "product" else getattr(row, name) for name in SAID}
        said |= {"region": places[0][0], "partner": places[1][0], "year": row.years[0], "reported": row.value}
        chosen = slice(model.numerator.pointer[r], model.numerator.pointer[r + 1])
        edge = model.numerator.edge[chosen]
        masses = np.median(draws[:, model.edge_flow[edge], model.edge_year[edge]], axis=0)
        printed = float((model.numerator.coefficient[chosen] * masses).sum())
        said["value"] = row.value * model.unit_factor[r] * float(masses.sum()) / printed
        said["series"] = IMPORTER if "declared" in fields["quantity"] else EXPORTER
        out.append(said)
    return out


def _printed(said: pd.DataFrame | None) -> tuple[Points, ...]:
    if said is None:
        return ()
    out = []
    for name, bound in itertools.product((IMPORTER, EXPORTER), ("", *BOUNDS)):
        of_kind = said["qualifier"] == bound if bound else ~said["qualifier"].isin(BOUNDS)
        rows = said[(said["series"] == name) & of_kind]
        if len(rows):
            hover = tuple(
                f"{r.id}, {r.source_id} ({r.reporter}): {r.reported:g} {r.unit}, {r.basis}, {r.qualifier}, {r.product}"
                for r in rows_of(rows)
            )
            symbol = "triangle-down" if name == IMPORTER else "triangle-up"
            label = f"{name}, {BOUNDS.get(bound, 'as reported')}"
            where = rows["year"].to_numpy(), rows["value"].to_numpy(float)
            out.append(Points(label, *where, COLOURS[name], symbol, hover=hover, hollow=bool(bound)))
    return tuple(out)
