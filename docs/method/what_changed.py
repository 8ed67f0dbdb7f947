"""The tables of `what_changed.md` from a run of the case: `python docs/method/what_changed.py RESULTS`.

Intervals of earlier versions stand in `what_changed_before.csv`; those of the run are of the structure that it was
sampled under.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import reeuncert as ree
from reeuncert.indicators.flows import FlowTable
from reeuncert.indicators.registry import lookup
from reeuncert.result.result import Result
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


def elements(dt: xr.DataTree) -> pd.DataFrame:
    """Nd + Pr in China: supply against what its magnets hold, by the yearly bounds of the evidence."""
    case = Result(dt).case
    flows = FlowTable.from_dataset(dt["posterior"].to_dataset(), case)
    bounds = [row for row in case.evidence if row.lineage == BOUNDS and row.element == ELEMENT and len(row.years) == 1]
    supply, held = (np.empty((*flows.shape[:2], len(bounds))) for _ in range(2))
    for k, row in enumerate(bounds):
        for values, selector in ((supply, row.selector), (held, row.of)):
            chosen = np.isin(np.arange(len(case.system.flows)), case.system.select(selector))
            values[..., k] = flows.element(ELEMENT, chosen)[..., flows.years.index(row.years[0])]
    ratio = supply / held
    tightest = int(np.median(ratio, axis=(0, 1)).argmin())
    year = bounds[tightest].years[0]
    content = flows.contents[ELEMENT][case.system.flow_index[MAGNETS]][..., flows.years.index(SHARES_IN)]
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


def main(folder: str) -> None:
    """Write the tables beside the page."""
    dt = ree.read_results(folder)
    tables = {"versions": versions, "shares": shares, "elements": elements, "controls": controls}
    for name, make in tables.items():
        make(dt).to_csv(HERE / f"what_changed_{name}.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
