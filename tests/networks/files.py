"""A case of any size as files: regions that mine, refine, use and trade with each other, every trade reported."""

from __future__ import annotations

from pathlib import Path

CASE = """\
name = "large"
title = "Regions that trade with each other"
unit = "kt REO"
years = [{first}, {last}]
prior_measure = "coordinates"
regions = [{regions}]
products = ["oxide"]
"""
SOURCES = """\
source_id,title,publisher,edition,reference,terms,lineage,class,note
customs,Foreign trade,Office,2024,p. 1,free,customs,record,
survey,Mineral survey,Office,2024,p. 1,free,survey,statistics,
"""
CLASSES = """\
class,family,width,floor,learn,reason
statistics,student_t,0.05,0.02,no,careful
record,customs,0.2,0.05,no,less so
"""
PRIORS = """\
prior,group,kind,flow,quantity,years,mode,median,level_sd,year_sd,correlation,reason
mining,mining,input,,ore,,each,20,0.5,0.2,0.6,a round number
losses,recoveries,share,,loss,,each,0.3,0.4,0.1,0.5,textbooks
opening,stocks,input,,opening_stock,{first},each,3,0.6,,,two months
carried over,stocks,share,,stock,,each,0.2,0.5,0.3,0.5,two months
traded,trade,share,,trade,,each,{trade:.6f},0.7,0.3,0.5,as much to each
lamps,use,share,,loss_in_use,,each,0.3,0.5,0.2,0.5,a guess
"""


def write_trade_case(folder: Path, n_regions: int, n_years: int = 23) -> Path:
    """Write a case in which each region trades with each other region in all years.

    It has ``n_regions * (n_regions + 8)`` flows, and a row of evidence for every trade and mine in every year.
    """
    first, last = 2000, 1999 + n_years
    names = [f"R{k:02d}" for k in range(n_regions)]
    processes = ["process,region,stage,reference_outflow,note"]
    flows = ["flow,from_process,to_process,quantity,product,origin,destination,route,end_use,years,note"]
    rows = [
        "id,quantity,product,origin,destination,year_from,relation,reporter,value,unit,basis,source_id,locator,reason"
    ]
    for a in names:
        processes += [f"mine {a},{a},mining,output {a},", f"market {a},{a},market,bought {a},"]
        processes += [f"use {a},{a},use,magnets {a},"]
        for name, source, target, quantity, use, when in (
            ("ore", "outside", f"mine {a}", "ore", "", ""),
            ("output", f"mine {a}", f"market {a}", "mine_production", "", ""),
            ("tailings", f"mine {a}", "outside", "loss", "", ""),
            ("opening", "outside", f"market {a}", "opening_stock", "", str(first)),
            ("stock", f"market {a}", f"market {a}", "stock", "", ""),
            ("bought", f"market {a}", f"use {a}", "apparent_consumption", "", ""),
            ("magnets", f"use {a}", "outside", "end_use", "magnets", ""),
            ("other", f"use {a}", "outside", "loss_in_use", "", ""),
        ):
            flows.append(f"{name} {a},{source},{target},{quantity},oxide,{a},{a},registered,{use},{when},")
        flows += [f"{a} to {b},market {a},market {b},trade,oxide,{a},{b},registered,,," for b in names if b != a]
        for year in range(first, last + 1):
            rows.append(f"{a} {year},mine_production,oxide,{a},,{year},level,{a},14,kt,REO,survey,table 1,class")
            rows += [
                f"{a} {b} {year},trade,oxide,{a},{b},{year},level,{b},{14 / n_regions:.4g},kt,REO,customs,table 2,class"
                for b in names
                if b != a
            ]
    files = {
        "case.toml": CASE.format(first=first, last=last, regions=", ".join(f'"{name}"' for name in names)),
        "processes.csv": "\n".join(processes) + "\n",
        "flows.csv": "\n".join(flows) + "\n",
        "priors.csv": PRIORS.format(first=first, trade=0.5 / n_regions),
        "sources.csv": SOURCES,
        "classes.csv": CLASSES,
        "evidence.csv": "\n".join(rows) + "\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
