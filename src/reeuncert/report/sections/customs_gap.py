"""The customs gap: mirror trade statistics, actual trade, unrecorded trade and reporting error."""

from dataclasses import replace
from typing import Any

from reeuncert.indicators.summary import summary
from reeuncert.plots.customs_gap import plot_customs_records
from reeuncert.plots.sankey_graph import CROSSING
from reeuncert.reference import all_published
from reeuncert.report.fans import fans_of, series_of
from reeuncert.report.figures import Figure, figure
from reeuncert.result.result import Result

TITLES = {
    "customs_gap": "Customs gap: by how much the importer's record exceeds the exporter's",
    "smuggled_mass": "Unrecorded exports (smuggling)",
    "smuggled_mass_declared": "Unrecorded exports declared on arrival",
    "smuggled_mass_cumulated": "Unrecorded exports (smuggling), cumulative",
}


def content(result: Result) -> dict[str, Any] | None:
    """Figures for each pair of regions with unrecorded trade, and cumulative masses."""
    pairs = series_of(result, "smuggled_mass")
    others = fans_of(result, "customs_gap", id="gap", but=pairs, short=True)
    if not pairs and not others:
        return None
    return {
        "pairs": [
            {"title": f"{at['partner']} to {at['region']}", "figures": _figures(result, at), **_sums(result, at)}
            for at in pairs
        ],
        "others": others,
        "span": (result.years[0], result.years[-1]),
        "published": [p for p in result.once(all_published).to_dict("records") if p["indicator"] == "smuggled_mass"],
    }


def _figures(result: Result, at: dict[str, str]) -> list[Figure]:
    region, partner = at["region"], at["partner"]
    slug = f"{result.case.regions.index(region)}-{result.case.regions.index(partner)}"
    about = f"refined products from {partner} to {region}"
    out = []
    # Whether unrecorded trade of the pair is split into what is declared on arrival and what is not.
    if any(f.quantity in CROSSING and (f.destination, f.origin) == (region, partner) for f in result.case.system.flows):
        out.append(
            figure(
                f"offices-{slug}",
                "Mirror trade statistics and actual trade",
                lambda: plot_customs_records(result.dt, coords=at, backend="board"),
                alt=f"Fans of both offices' records and of the true flow of {about}; reported values as points.",
                caption="Bands: 90 % intervals of the records without reporting errors. Points: reported values, "
                "converted to the unit of the case.",
                height=440,
            )
        )
    for name, title in TITLES.items():
        out += [replace(one, title=title) for one in fans_of(result, name, id=f"{name}-{slug}", only=at)]
    return out


def _sums(result: Result, at: dict[str, str]) -> dict[str, Any]:
    """Unrecorded exports, the part declared on arrival, and the customs gap, over all years."""
    region, partner = at["region"], at["partner"]
    rows: dict[str, Any] = dict.fromkeys(("smuggled_mass", "smuggled_mass_declared", "customs_gap"))
    for name in rows:
        if at in series_of(result, f"{name}_cumulated"):
            found = summary(result.dt, f"{name}_cumulated", region=region, partner=partner, year=result.years[-1])
            rows[name] = found.to_dict("records")[0]
    return {"sums": rows, **at}
