"""The customs gap: what each office recorded, what really crossed, what was smuggled and what was misreported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reeuncert.indicators.summary import summary
from reeuncert.plots.customs_gap import EXPORTER, IMPORTER, TRUE, customs_gap_data, customs_records_data
from reeuncert.report.context import Context
from reeuncert.report.figures import Figure, figure
from reeuncert.report.grounding import grounding
from reeuncert.report.sections.panels import fans_of, series_of

TITLES = {
    "customs_gap": "Customs gap: importer's record over exporter's, less one",
    "smuggled_mass": "Unrecorded by the exporter (smuggled mass)",
    "smuggled_mass_declared": "Of it, declared on arrival",
    "smuggled_mass_cumulated": "Smuggled mass, cumulated",
}


def content(context: Context) -> dict[str, Any]:
    """A group of figures for each pair of regions with unrecorded trade, and the sums of all years."""
    pairs = [(at["region"], at["partner"]) for at in series_of(context, "smuggled_mass")]
    return {
        "pairs": [
            {"title": f"{b} to {a}", "figures": _figures(context, a, b), **_sums(context, a, b)} for a, b in pairs
        ],
        "others": fans_of(
            context, "customs_gap", id="gap", keep=lambda at: (at["region"], at["partner"]) not in pairs, short=True
        ),
        "span": (context.years[0], context.years[-1]),
        "compare": context.case.compare,
        "options": context.case.options,
        "published": [p for p in context.reference.to_dict("records") if p["indicator"] == "smuggled_mass"],
    }


def _figures(context: Context, region: str, partner: str) -> list[Figure]:
    def wanted(at: dict[str, str]) -> bool:
        return at["region"] == region and at["partner"] == partner

    slug = f"{context.case.regions.index(region)}-{context.case.regions.index(partner)}"
    about = f"refined products from {partner} to {region}"
    out = [
        figure(
            f"offices-{slug}",
            "What each office recorded, and what crossed",
            lambda: _offices(context, region, partner),
            alt=f"Fans of both offices' records and of the true flow of {about}; printed figures as points.",
            caption="Bands are the records as they should be, without the offices' errors; points are what they "
            "printed, in the unit of the case.",
            height=440,
        )
    ]
    for name, title in TITLES.items():
        found = fans_of(context, name, id=f"{name}-{slug}", keep=wanted)
        out.extend(replace(fig, title=title) for fig in found)
    return out


def _offices(context: Context, region: str, partner: str) -> dict[str, Any]:
    """Fans of both records and of the true flow, and the printed figures."""
    coords = {"region": region, "partner": partner}
    table = customs_gap_data(context.dt, coords=coords)
    printed = customs_records_data(context.dt, coords=coords)
    series, points = [], []
    for n, name in enumerate((IMPORTER, EXPORTER, TRUE)):
        rows = table[table["series"] == name].set_index("year").reindex(list(context.years))
        if rows["median"].notna().any():
            columns = ("eti90_lb", "median", "eti90_ub")
            series.append({"name": name, "hue": n, "q": [rows[c].to_numpy(float) for c in columns]})
        said = printed[printed["series"] == name]
        if len(said):
            texts = [
                f"{r.id}: {r.reported:,.6g} {r.unit}, {r.basis} ({r.product}; {r.source_id})" for r in said.itertuples()
            ]
            point = {"name": f"{name}, printed", "hue": n, "text": texts}
            points.append(point | {"x": said["year"].to_numpy(), "y": said["value"].to_numpy(float)})
    return {"kind": "lines", "unit": context.unit, "years": list(context.years), "series": series, "points": points}


def _sums(context: Context, region: str, partner: str) -> dict[str, Any]:
    """Smuggled and declared mass of all years, and what the rest of the gap then is."""
    rows = {}
    for name in ("smuggled_mass_cumulated", "smuggled_mass_declared_cumulated", "customs_gap_cumulated"):
        if any((at["region"], at["partner"]) == (region, partner) for at in series_of(context, name)):
            found = summary(context.dt, name, region=region, partner=partner, year=context.years[-1]).to_dict(
                "records"
            )[0]
            at = {"region": region, "partner": partner, "year": context.years[-1]}
            rows[name.removesuffix("_cumulated")] = found | {"words": grounding(context.dt, name, at).words}
    return {"sums": rows, "region": region, "partner": partner}
