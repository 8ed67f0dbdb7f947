"""The tables of `nations.md`, computed from a run of the case: `python docs/method/nations.py RESULTS`."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import xarray as xr

import reeuncert as ree
from reeuncert.indicators.registry import lookup
from reeuncert.plots import trade_matrix_data
from reeuncert.result.result import Result
from reeuncert.result.verdicts import ON_PRIOR, PARTLY_PRIOR
from reeuncert.words.estimates import numbers

YEARS = (2005, 2010, 2015, 2022)
EXPORTERS = ("China", "United States")
KINDS = {"destination": "imports", "origin": "exports"}


def verdicts(dt: xr.DataTree) -> pd.DataFrame:
    """What shares in imports and consumption of all regions rest on in the four years."""
    asked = []
    for indicator in ("import_dependence", "apparent_consumption"):
        known = pd.concat([ree.summary(dt, indicator, product="refined", year=year) for year in YEARS])
        known = known.dropna(subset="median")
        labels = [name for name in ("region", "partner", "product", "year") if (known[name] != "").all()]
        asked += [{"indicator": indicator, **row} for row in known[labels].to_dict("records")]
    return ree.verdicts(dt, asked)


def trade_map(dt: xr.DataTree, known: pd.DataFrame) -> pd.DataFrame:
    """Net exports of compounds and metal in the four years of the figure; in italics where the share of the exporter in
    the imports of the other rests on the prior (the other way round where the exporter sends nothing).
    """
    of = known[known["partner"] != ""].set_index(["region", "partner", "year"])["verdict"]
    table = trade_matrix_data(dt, coords={"exporter": EXPORTERS, "year": YEARS})
    told = []
    for row in table.to_dict("records"):
        ends = row["importer"], row["exporter"]
        found = next((of[*pair, row["year"]] for pair in (ends, ends[::-1]) if (*pair, row["year"]) in of.index), "")
        middle, low, high = numbers(*(row[f"net_{end}"] for end in ("median", "eti90_lb", "eti90_ub")))
        mark = "*" if found in (ON_PRIOR, PARTLY_PRIOR) else ""
        told.append(f"{mark}{middle} ({low} to {high}){mark}".replace("-", "−"))
    wide = table.assign(told=told).pivot(index=["exporter", "importer"], columns="year", values="told").reset_index()
    order = {region: i for i, region in enumerate(Result(dt).case.regions)}
    wide = wide.sort_values(["exporter", "importer"], key=lambda column: column.map(order))
    return wide.rename(columns={"exporter": "from", "importer": "to"})


def headlines(table: pd.DataFrame) -> pd.DataFrame:
    """What each headline rests on, from `reeuncert.headlines`."""
    rows = []
    for row in table.fillna({"partner": "", "product": ""}).to_dict("records"):
        ratio = row["unit"] == "1"
        middle, low, high = numbers(*(row[end] for end in ("median", "eti90_lb", "eti90_ub")), percent=ratio)
        of = ", ".join(str(row[name]) for name in ("region", "partner", "product", "year") if row[name])
        told = f"{middle} ({low} to {high}) {'%' if ratio else row['unit']}"
        rows.append((f"{lookup(row['indicator']).title}: {of}", told, row["verdict"], row["why"]))
    return pd.DataFrame(rows, columns=["headline", "median (90 % interval)", "verdict", "reason"])


def by_year(dt: xr.DataTree, known: pd.DataFrame) -> pd.DataFrame:
    """The verdict on each share and each consumption, year by year."""
    names = [
        f"{row['partner']} in the imports of {row['region']}" if row["partner"] else f"consumption of {row['region']}"
        for row in known.to_dict("records")
    ]
    wide = known.assign(of=names).pivot(index="of", columns="year", values="verdict").fillna("no trade")
    return wide.loc[list(dict.fromkeys(names))].reset_index()


def most_useful(dt: xr.DataTree) -> pd.DataFrame:
    """Which customs tables would narrow the headlines most: of one importer, or of one exporter."""
    parts = []
    for by in ("destination", "origin"):
        table = ree.value_of_tables(dt, by=by, flows={"quantity": "trade"})
        table.insert(0, "table", f"{KINDS[by]} of " + table.pop(by))
        parts.append(table)
    found = pd.concat(parts, ignore_index=True)
    found["best_answer"] = found["best_answer"].str.replace("_", " ")
    for column in ("narrowing", "best_narrowing", "together"):
        found[column] = [f"{100 * value:.0f} %" for value in found[column]]
    return found.drop(columns="figures").rename(columns=lambda name: name.replace("_", " "))


def main(folder: str) -> None:
    """Write the tables beside the page."""
    dt = ree.read_results(folder)
    asked = {"import_dependence", "apparent_consumption", *(h.indicator for h in Result(dt).case.headlines)}
    # A variable that is not in memory is read from the file again for every value.
    dt["derived"] = xr.DataTree(dt["derived"].to_dataset()[sorted(asked)].load())
    known = verdicts(dt)
    tables = {"map": trade_map(dt, known), "headlines": headlines(ree.headlines(dt)), "by_year": by_year(dt, known)}
    for name, table in (tables | {"most_useful": most_useful(dt)}).items():
        table.to_csv(Path(__file__).parent / f"nations_{name}.csv", index=False)


if __name__ == "__main__":
    main(sys.argv[1])
