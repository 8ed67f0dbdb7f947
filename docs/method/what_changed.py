"""The tables of `what_changed.md` from a run of the case: `python docs/method/what_changed.py RESULTS`.

Intervals of earlier versions stand in `what_changed_before.csv`; those of the run are of the structure that it was
sampled under. With `--refits` also the tables of the case with other options and without some figures, each from a fit
of its own (`SETTINGS`; six fits, about ten minutes).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import reeuncert as ree
from reeuncert.case.records import Case
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.registry import lookup
from reeuncert.result.result import Result
from reeuncert.studies.refits import convergence
from reeuncert.words.estimates import numbers

HERE = Path(__file__).parent
SHARES = {  # row: indicator and labels; under each region stands its share, as a partner where the labels have a region
    "rare earths mined": ("share_of_mining_with_unregistered", {}),
    "Nd + Pr mined": ("element_share_of_mining", {"product": "NdPr"}),
    "Dy + Tb mined": ("element_share_of_mining", {"product": "DyTb"}),
    "supply of Nd + Pr to China, by origin": ("element_dependence", {"region": "China", "product": "NdPr"}),
    "supply of Dy + Tb to China, by origin": ("element_dependence", {"region": "China", "product": "DyTb"}),
    "magnets in American goods, by maker of the magnet": ("goods_by_fabrication", {"region": "United States"}),
    "the same, by maker of the metal": ("goods_by_reduction", {"region": "United States"}),
    "magnets in goods of RoW, by maker of the magnet": ("goods_by_fabrication", {"region": "RoW"}),
    "magnets in goods of RoW, by maker of the metal": ("goods_by_reduction", {"region": "RoW"}),
}
REGIONS, SHARES_IN = ("China", "United States", "RoW"), 2024
BOUNDS, ELEMENT, MAGNETS = "element-balance", "NdPr", "end_use_metal_permanent_magnets_cn"
ENDS = ("median", "eti90_lb", "eti90_ub")
CONTROLS = {
    "refined imports of the United States from China": ("import_dependence", "United States", "China", "refined"),
    "its imports of rare-earth magnets from China": ("import_dependence", "United States", "China", "magnets"),
    "concentrate of China from the United States": ("import_dependence", "China", "United States", "concentrate"),
    "net import reliance of the United States": ("net_import_reliance", "United States", "", ""),
    "unregistered mines of RoW, kt": ("unregistered_mining", "RoW", "", ""),
}

SETTINGS: dict[str, Any] = {"chains": 4, "draws": 500, "tune": 200, "seed": 1, "likelihood_terms": False, "quiet": True}
OPTIONS = {
    "relabelled ore on": {"relabelled_ore": "on"},
    "USGS registered in all years": {"usgs_scope": "registered_all_years"},
}
BY_OPTION = {  # row: indicator, region, partner, product, year
    "unregistered mining in China, 2000–2025": ("unregistered_mining_cumulated", "China", "", "", 2025),
    "its share in Chinese mining, 2012": ("unregistered_mining_share", "China", "", "", 2012),
    "unregistered mines of RoW, 2024": ("unregistered_mining", "RoW", "", "", 2024),
    "China's share of mining, 2022": ("share_of_mining_with_unregistered", "China", "", "", 2022),
    "unrecorded exports to the United States, 2000–2025": (
        *("smuggled_mass_cumulated", "United States", "China", "", 2025),
    ),
    "unrecorded over recorded trade to the United States, 2011": ("customs_gap", "United States", "China", "", 2011),
    "concentrate of China from the United States, 2022": (
        *("import_dependence", "China", "United States", "concentrate", 2022),
    ),
}
RELABELLED, UNREGISTERED, OF_YEARS = "relabelled_ore", "mine_production_rowu", ((2024, 2024), (2011, 2025))
WITHOUT = {  # left out: what rows of evidence have, and what is told
    "the bounds on Nd + Pr and Dy + Tb": ({"lineage": ("element-balance",)}, "magnets"),
    "these bounds and the survey of recycling": ({"lineage": ("element-balance", "argus-recycling")}, "magnets"),
    "Nd + Pr oxide of the American company": ({"source_id": ("mp-ndpr-2024", "mp-ndpr-2025")}, "reliance"),
    "the American share of Chinese exports, 2014": ({"id": ("G0001",)}, "gap"),
}
BROKEN_IN = 2022
ND_PR = (
    f"draws in which magnets of {BROKEN_IN} hold more Nd + Pr than was supplied, %",
    "the same in some year, %",
    f"share of Nd + Pr in the rare earths of magnets, {SHARES_IN}, %",
)
TOLD_OF = {  # row: indicator, region, partner, product, year
    "magnets": {"China's share in the world's magnets, 2024": ("share_of_fabrication", "China", "", "", 2024)},
    "reliance": {
        f"net import reliance of the United States, {year}": ("net_import_reliance", "United States", "", "", year)
        for year in (2024, 2025)
    },
    "gap": {
        "unrecorded over recorded trade to the United States, 2014": (
            *("customs_gap", "United States", "China", "", 2014),
        )
    },
}


def told(row: pd.Series, prefix: str = "") -> str:
    """Median and interval of a row of `reeuncert.summary`, or of earlier versions (already in per cent)."""
    return printed(*(row[prefix + end] for end in ENDS), percent=bool(lookup(row["indicator"]).percent))


def printed(median: float, low: float, high: float, *, percent: bool = False) -> str:
    """As in the table; what is less than a thousandth of the whole in nearly every draw needs no digits."""
    if percent and 0 <= high < 0.001:
        return "below 0.1"
    middle, low_end, high_end = numbers(median, low, high, percent=percent)
    return f"{middle} ({low_end} to {high_end})".replace("-", "−")


def one(dt: xr.DataTree, indicator: str, year: int, **labels: str) -> pd.Series | None:
    """The row of one value; None where the system has no such flow."""
    table = ree.summary(dt, indicator, year=year, **{name: label for name, label in labels.items() if label})
    table = table.dropna(subset="median")
    return None if table.empty else table.iloc[0]


def versions(dt: xr.DataTree) -> pd.DataFrame:
    """Each headline in the first version, the second and now; its moves in half-widths of the earlier interval."""
    rows = []
    for before in pd.read_csv(HERE / "what_changed_before.csv").fillna("").to_dict("records"):
        labels = {name: str(before[name]) for name in ("region", "partner", "product")}
        now = one(dt, before["indicator"], before["year"], **labels)
        if now is None:
            raise SystemExit(f"{before['headline']}: the results hold no {before['indicator']} of {labels}")
        median = now["median"] * (100 if lookup(before["indicator"]).percent else 1)
        row = {"headline": before["headline"]}
        for version in ("first", "second"):
            middle, low, high = before[version], before[f"{version}_lb"], before[f"{version}_ub"]
            row[version] = f"{middle:,.10g} ({low:,.10g} to {high:,.10g})".replace("-", "−")
            before[f"{version} moved"] = f"{abs(median - middle) / ((high - low) / 2):.1f}"
        row |= {"present": told(now), "prior, present": told(now, "prior_")}
        row |= {"from first": before["first moved"], "from second": before["second moved"]}
        rows.append(row)
    return pd.DataFrame(rows)


def shares(dt: xr.DataTree) -> pd.DataFrame:
    """Shares of the regions in rare earths, elements and magnets."""
    rows = []
    for name, (indicator, labels) in SHARES.items():
        by = "partner" if "region" in labels else "region"
        found = [one(dt, indicator, SHARES_IN, **labels, **{by: region}) for region in REGIONS]
        rows.append([name, *("rest" if row is None else told(row) for row in found)])
    return pd.DataFrame(rows, columns=[f"share, {SHARES_IN}, %", *REGIONS])


def controls(dt: xr.DataTree) -> pd.DataFrame:
    """Headlines in the years before and after the controls of 2025."""
    rows = []
    for name, (indicator, region, partner, product) in CONTROLS.items():
        found = [one(dt, indicator, year, region=region, partner=partner, product=product) for year in (2024, 2025)]
        rows.append([name, *("" if row is None else told(row) for row in found)])
    return pd.DataFrame(rows, columns=["", "2024", "2025"])


def of_bounds(
    dt: xr.DataTree, case: Case
) -> tuple[list[int], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Years of the yearly bounds of a case on Nd + Pr; their two sides (chain, draw, year), supply and what magnets
    hold; content of magnets in `SHARES_IN` (chain, draw).
    """
    flows = FlowTable.from_dataset(dt["posterior"].to_dataset(), Result(dt).case)
    bounds = [row for row in case.evidence if row.lineage == BOUNDS and row.element == ELEMENT and len(row.years) == 1]
    supply, held = (np.empty((*flows.shape[:2], len(bounds))) for _ in range(2))
    for k, row in enumerate(bounds):
        for values, selector in ((supply, row.selector), (held, row.of)):
            chosen = np.isin(np.arange(len(case.system.flows)), case.system.select(selector))
            values[..., k] = flows.element(ELEMENT, chosen)[..., flows.years.index(row.years[0])]
    content = flows.contents[ELEMENT][case.system.flow_index[MAGNETS]][..., flows.years.index(SHARES_IN)]
    return [row.years[0] for row in bounds], supply, held, content


def elements(dt: xr.DataTree) -> pd.DataFrame:
    """Nd + Pr in China: supply against what its magnets hold, by the yearly bounds of the evidence."""
    years, supply, held, content = of_bounds(dt, Result(dt).case)
    ratio = supply / held
    tightest = int(np.median(ratio, axis=(0, 1)).argmin())
    year = years[tightest]
    rows = [
        ("supply over what magnets hold, the smallest of all draws and years", f"{ratio.min():.2f}"),
        (f"supply in {year}, when it was tightest, kt", quantiles(supply[..., tightest])),
        (f"in magnets of {year}, kt", quantiles(held[..., tightest])),
        ("share of Nd + Pr in the rare earths of magnets, %", quantiles(content, percent=True)),
        (
            f"share of China in the world's magnets, {SHARES_IN}, %",
            told(one(dt, "share_of_fabrication", SHARES_IN, region="China")),
        ),
    ]
    return pd.DataFrame(rows, columns=["Nd + Pr in China", "median (90 % interval)"])


def quantiles(draws: NDArray[np.float64], *, percent: bool = False) -> str:
    """Median and interval of draws."""
    return printed(*map(float, np.quantile(draws, [0.5, 0.05, 0.95])), percent=percent)


def place(dt: xr.DataTree, indicator: str, region: str, partner: str, product: str, year: int) -> str:
    """Median and interval of one value."""
    row = one(dt, indicator, year, region=region, partner=partner, product=product)
    return "" if row is None else told(row)


def options(dt: xr.DataTree, case: Case) -> pd.DataFrame:
    """The run beside fits under other options of the case."""
    table = {"default": {name: place(dt, *where) for name, where in BY_OPTION.items()}}
    for title, chosen in OPTIONS.items():
        fit = fitted(ree.read_case(case.path, **chosen), prior_draws=1000)
        table[title] = {name: place(fit, *where) for name, where in BY_OPTION.items()}
        if RELABELLED in fit["posterior"]["mass_flow"]["flow"]:
            for first, last in OF_YEARS:
                years = f"{first}" if first == last else f"{first}–{last}"
                for group, name in (("posterior", "Chinese ore in unregistered ore of RoW"), ("prior", "its prior")):
                    mass = fit[group]["mass_flow"].sel(year=slice(first, last)).sum("year")
                    moved, mined = mass.sel(flow=RELABELLED), mass.sel(flow=UNREGISTERED)
                    table[title][f"{name}, {years}"] = quantiles((moved / (moved + mined)).values, percent=True)
    return pd.DataFrame(table).fillna("none").rename_axis("headline").reset_index()


def without(dt: xr.DataTree, case: Case) -> pd.DataFrame:
    """What is told without some figures, beside the run."""
    rows = []
    for title, (gone, what) in WITHOUT.items():
        (field, values), *_ = gone.items()
        kept = tuple(row for row in case.evidence if getattr(row, field) not in values)
        if len(kept) == len(case.evidence):
            raise SystemExit(f"no row of evidence has {field} in {values}")
        fit = fitted(replace(case, evidence=kept), prior_draws=0)
        rows += [(title, name, place(dt, *where), place(fit, *where)) for name, where in TOLD_OF[what].items()]
        if what == "magnets":
            rows += [(title, name, *pair) for name, *pair in zip(ND_PR, nd_pr(dt, case), nd_pr(fit, case), strict=True)]
    return pd.DataFrame(rows, columns=["left out", "headline", "the run", "without"])


def nd_pr(dt: xr.DataTree, case: Case) -> tuple[str, str, str]:
    """The values of `ND_PR`, by the bounds of a case that the result may not have seen."""
    years, supply, held, content = of_bounds(dt, case)
    broken = held > supply
    one_year, some = broken[..., years.index(BROKEN_IN)].mean(), broken.any(axis=-1).mean()
    return f"{100 * one_year:.0f}", f"{100 * some:.0f}", quantiles(content, percent=True)


def fitted(case: Case, *, prior_draws: int) -> xr.DataTree:
    """A fit with the indicators; refused where flows have not converged; prints how many of its draws diverged."""
    dt = ree.sample(ree.build_model(case), prior_draws=prior_draws, **SETTINGS)
    found = convergence(dt)
    print({name: round(value, 3) for name, value in found.items()}, flush=True)
    if found["r_hat"] > 1.02:
        raise SystemExit("a fit has not converged: raise the draws")
    return ree.add_indicators(dt)


def main(folder: str, *, refits: bool) -> None:
    """Write the tables beside the page."""
    dt = ree.read_results(folder)
    tables = {"versions": versions, "shares": shares, "elements": elements, "controls": controls}
    for name, make in tables.items():
        make(dt).to_csv(HERE / f"what_changed_{name}.csv", index=False)
    if refits:
        case = Result(dt).case
        options(dt, case).to_csv(HERE / "what_changed_options.csv", index=False)
        without(dt, case).to_csv(HERE / "what_changed_without.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1], refits="--refits" in sys.argv[2:])
