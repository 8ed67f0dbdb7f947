"""Writes the tables of this case from the lists below and from the evidence of the case of three regions.

``python models/nations/make.py`` writes processes, flows, priors, covariates, constants, sources, classes, offsets,
factors and ``evidence/shared.csv``. Figures that only this case has are in ``evidence/countries.csv`` and
``evidence/partners.csv``, edited by hand, and in ``evidence/dataweb.csv``, written by ``reeuncert import dataweb``.
"""

from __future__ import annotations

import csv
from pathlib import Path

HERE = Path(__file__).parent
DATA, THREE = HERE.parents[1] / "data", HERE.parent / "china_us_row"
FIRST, LAST = 2000, 2025

REGIONS = {
    "cn": "China",
    "us": "United States",
    "jp": "Japan",
    "kr": "South Korea",
    "eu": "Europe",
    "in": "India",
    "sea": "Southeast Asia",
    "au": "Australia",
    "af": "Africa",
    "row": "Rest of world",
}
OTHERS = "+".join(name for code, name in REGIONS.items() if code not in ("cn", "us"))
"""What the case of three regions calls the rest of the world."""

ALL = ""
US_PLANT = "2000-2002;2007-2015;2021-2025"
# Chains: the registered one of each region, and the unregistered ones of China and of Southeast Asia.
MINES = {
    "cn": ALL, "us": "2000-2002;2012-2015;2018-2025", "in": ALL, "sea": ALL, "au": "2011-2025", "af": "2017-2025",
    "row": ALL, "cnu": ALL, "seau": "2011-2025",
}  # fmt: skip
PLANTS = {"cn": ALL, "us": US_PLANT, "eu": "2012-2015", "in": ALL, "sea": ALL, "au": "2024-2025", "row": ALL, "cnu": ALL}
SMELTERS = {"cn": ALL, "us": "2000-2015;2025", "jp": ALL, "eu": ALL, "sea": ALL, "cnu": ALL}
USERS = {"compounds": ("cn", "us", "jp", "kr", "eu", "in", "sea", "af", "row"),
         "metal": ("cn", "us", "jp", "kr", "eu", "sea", "row")}  # fmt: skip
UNREGISTERED = {"cnu": "cn", "seau": "sea"}

# Median shares of a market's outflows in the first and last year; years where they are not all.
# Those of China and the United States to the other eight regions are a total and its split (below).
TRADE: dict[str, dict[str, list[tuple[str, str, str, float, float]]]] = {
    "concentrate": {
        "us": [("cn", "2017-2025", "", 0, 0), ("eu", "2012-2015", "", 0, 0), ("sea", "2024-2025", "", 0, 0),
               ("row", "2024-2025", "", 0, 0)],
        "au": [("cn", "2011-2025", "monazite and mixed ores of mineral sands", 0.15, 0.15),
               ("sea", "2011-2025", "feed of the Malaysian plant", 0, 0)],
        "af": [("cn", "2017-2025", "monazite and other ores", 0, 0)],
        "sea": [("cn", ALL, "ores of Thailand and Vietnam, monazite", 0.3, 0.6)],
        "row": [("cn", ALL, "monazite, mixed ores", 0.1, 0.2), ("us", ALL, "tens of tonnes of monazite a year", 0.01, 0.01)],
        "seau": [("cn", "2011-2025", "mined without licence in Myanmar and Laos, yet recorded by Chinese customs", 0, 0)],
    },
    "compounds": {
        "jp": [("cn", ALL, "", 0.03, 0.03), ("us", ALL, "", 0.03, 0.03), ("kr", ALL, "", 0.04, 0.06),
               ("eu", ALL, "", 0.01, 0.01), ("sea", ALL, "", 0.03, 0.06)],
        "kr": [("us", ALL, "", 0.01, 0.01)],
        "eu": [("cn", ALL, "", 0.01, 0.02), ("us", ALL, "", 0.15, 0.08), ("jp", ALL, "", 0.03, 0.03),
               ("af", ALL, "", 0.01, 0.01), ("row", ALL, "", 0.05, 0.08)],
        "in": [("cn", ALL, "", 0.02, 0.1), ("us", ALL, "", 0.1, 0.05), ("jp", ALL, "", 0.15, 0.25),
               ("eu", ALL, "", 0.2, 0.1)],
        "sea": [("cn", ALL, "", 0.15, 0.25), ("us", ALL, "", 0.04, 0.05), ("jp", ALL, "", 0.15, 0.25),
                ("kr", ALL, "", 0.01, 0.02), ("eu", ALL, "", 0.05, 0.1)],
        "au": [("sea", "2024-2025", "mixed carbonate of the plant at Kalgoorlie", 0, 0)],
        "af": [("us", ALL, "", 0.05, 0.05)],
        "row": [("cn", ALL, "", 0.03, 0.06), ("us", ALL, "", 0.06, 0.02), ("jp", ALL, "", 0.04, 0.06),
                ("eu", ALL, "", 0.25, 0.25)],
    },
    "metal": {
        "jp": [("cn", ALL, "", 0.02, 0.02), ("us", ALL, "", 0.01, 0.01), ("kr", ALL, "", 0.04, 0.04)],
        "eu": [("us", ALL, "", 0.01, 0.01)],
        "sea": [("cn", ALL, "", 0.05, 0.05), ("jp", ALL, "", 0.5, 0.45), ("kr", ALL, "", 0.05, 0.05)],
    },
}  # fmt: skip
# Exports to the eight other regions together: product, exporter, years, first and last median; the split in percent.
TOTALS = [
    ("compounds", "cn", 0.29, 0.08, "A third of salts and more than a quarter of oxides in 2000, when China lived from exports, "
     "an eighth and a sixteenth now.", {"jp": (45, 40), "kr": (8, 9), "eu": (30, 26), "in": (2, 4), "sea": (4, 9), "af": (2, 2), "row": (9, 10)}),
    ("metal", "cn", 0.35, 0.10, "A third of metal in 2000, mostly to Japan, a tenth now.",
     {"jp": (75, 55), "kr": (5, 8), "eu": (10, 10), "sea": (5, 20), "row": (5, 7)}),
    ("compounds", "us", 0.18, 0.07, "Exports of catalysts' raw materials, intermediates and separated oxides; falls with separation.",
     {"jp": (12, 12), "kr": (15, 10), "eu": (38, 30), "in": (8, 5), "sea": (4, 18), "row": (23, 25)}),
    ("metal", "us", 0.12, 0.12, "Re-exports of metal; nothing known before 2006.", {"jp": (35, 30), "eu": (35, 35), "row": (30, 35)}),
]  # fmt: skip
UNRECORDED = {
    "compounds": {"us": 30, "jp": 35, "kr": 6, "eu": 16, "sea": 6, "row": 7},
    "metal": {"us": 10, "jp": 60, "row": 30},
}
STOCKS = {"concentrate": ("cn", "us", "sea"), "compounds": ("cn", "us", "jp", "eu", "cnu"), "metal": ("jp",)}

NAMES = {
    "production_oxide_cn+production_salt_cn+trade_mixed_cn_row": "production_compounds_cn",
    "production_mixed_us": "production_compounds_us",
    "production_oxide_us+production_salt_us": "production_compounds_us",
    "production_oxide_row+production_salt_row": "production_compounds_sea",
    "recycled_oxide_cn": "recycled_cn",
}
"""Flows that evidence of the case of three regions names → flows here."""


def region_of(chain: str) -> str:
    """The region of a chain."""
    return REGIONS[UNREGISTERED.get(chain, chain)]


def market(product: str, chain: str) -> str:
    """The market of a product in a chain."""
    return f"{chain}_{product}_market"


def flow(name: str, start: str, end: str, role: str, product: str, regions: tuple[str, str], **more: str) -> dict[str, str]:
    """One row of the table of flows."""
    route = "unregistered" if regions[0] in UNREGISTERED else "registered"
    ends = {"origin": region_of(regions[0]), "destination": region_of(regions[1])}
    return {"flow": name, "from_process": start, "to_process": end, "quantity": role, "product": product, **ends,
            "route": route, **more}  # fmt: skip


def stage(chain: str, kind: str, years: str) -> list[dict[str, str]]:
    """Feed, product and loss of a plant (ore to compounds) or of a smelter (compounds to metal)."""
    before, after = ("concentrate", "compounds") if kind == "refining" else ("compounds", "metal")
    here, both = f"{chain}_{kind}", (chain, chain)
    return [
        flow(f"feed_{kind}_{chain}", market(before, chain), here, "feed", before, both, years=years),
        flow(f"production_{after}_{chain}", here, market(after, chain), "production", after, both, years=years),
        flow(f"loss_{kind}_{chain}", here, "outside", "loss", after, both, years=years),
    ]


def trade(product: str, start: str, end: str, years: str = ALL, note: str = "") -> dict[str, str]:
    """A recorded flow between two regions."""
    ends = (market(product, start), market(product, end))
    return flow(f"trade_{product}_{start}_{end}", *ends, "trade", product, (start, end), years=years, note=note)


def unrecorded(product: str, to: str) -> list[dict[str, str]]:
    """What leaves the unregistered chain of China for a region without a record, and what is declared on arrival."""
    border, both = f"border_{product}_{to}", ("cnu", to)
    parts = [("declared", "declared on arrival: the importer's customs see it"), ("undeclared", "seen by neither office")]
    leaves = flow(f"unrecorded_{product}_{to}", market(product, "cnu"), border, "unrecorded_trade", product, both)
    return [leaves, *(flow(f"{p}_{product}_{to}", border, market(product, to), p, product, both, note=n) for p, n in parts)]


def flows() -> list[dict[str, str]]:
    """All flows of the case."""
    rows = []
    for chain, years in MINES.items():
        name, both = f"mine_production_{chain}", (chain, chain)
        rows.append(flow(name, "outside", market("concentrate", chain), "mine_production", "concentrate", both, years=years))
    for chain, years in PLANTS.items():
        rows += stage(chain, "refining", years)
    for chain, years in SMELTERS.items():
        rows += stage(chain, "electrolysis", years)
    for product, chains in STOCKS.items():
        for chain in chains:
            here, both = market(product, chain), (chain, chain)
            rows.append(flow(f"opening_stock_{product}_{chain}", "outside", here, "opening_stock", product, both, years=str(FIRST)))
            rows.append(flow(f"stock_{product}_{chain}", here, here, "stock", product, both))
    note = "oxide recovered from magnet swarf and scrap; the loop through magnets is not modelled here"
    rows.append(flow("recycled_cn", "outside", market("compounds", "cn"), "recycling", "compounds", ("cn", "cn"), note=note))
    for product in ("concentrate", "compounds", "metal"):
        ends = (market(product, "cnu"), market(product, "cn"))
        rows.append(flow(f"sale_{product}_cnu", *ends, "sale", product, ("cnu", "cn"), note="enters the registered chain"))
    ends = (market("concentrate", "seau"), market("concentrate", "sea"))
    rows.append(flow("sale_concentrate_seau", *ends, "sale", "concentrate", ("seau", "sea"), years=MINES["seau"]))
    for product, exporters in TRADE.items():
        rows += [trade(product, start, *to[:3]) for start, partners in exporters.items() for to in partners]
    for product, start, _, _, _, split in TOTALS:
        rows.append(trade(product, start, "us" if start == "cn" else "cn"))
        rows += [trade(product, start, to) for to in split]
    for product, partners in UNRECORDED.items():
        rows += [row for to in partners for row in unrecorded(product, to)]
    for product, chains in USERS.items():
        for chain in chains:
            ends, both = (market(product, chain), "outside"), (chain, chain)
            rows.append(flow(f"use_{product}_{chain}", *ends, "apparent_consumption", product, both))
    return rows


REFERENCE = {
    "us_concentrate_market": "trade_concentrate_us_cn|feed_refining_us|stock_concentrate_us",
    "au_concentrate_market": "trade_concentrate_au_sea",
    "af_concentrate_market": "trade_concentrate_af_cn",
    "seau_concentrate_market": "trade_concentrate_seau_cn",
    "au_compounds_market": "trade_compounds_au_sea",
}
"""Outflows that take the remainder, where it is not the feed of a plant, the product of a process or consumption."""


def processes(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The processes that the flows join, each with the outflow that takes the remainder."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        name = row["from_process"]
        if name == "outside" or name in found:
            continue
        chain, *rest = name.split("_")
        if chain == "border":
            found[name] = {"process": name, "region": "China", "stage": "border", "reference_outflow": "un" + f"declared_{'_'.join(rest)}"}
            continue
        kind = rest[-1]
        stage_name = {"refining": "separation"}.get(kind, kind)
        product = {"refining": "compounds", "electrolysis": "metal"}.get(kind, rest[0])
        if kind != "market":
            reference = f"production_{product}_{chain}"
        elif product == "concentrate":
            reference = f"feed_refining_{chain}"
        else:
            reference = f"{'sale' if chain in UNREGISTERED else 'use'}_{product}_{chain}"
        found[name] = {"process": name, "region": region_of(chain), "stage": stage_name,
                       "reference_outflow": REFERENCE.get(name, reference)}  # fmt: skip
    return list(found.values())


def prior(name: str, group: str, kind: str, select: str, median: object, spreads: tuple[float, ...], reason: str, **more: object) -> dict[str, object]:
    """One row of the table of priors; spreads: of the level, of a year, correlation."""
    level, *path = spreads
    first, last = median if isinstance(median, tuple) else (median, "")
    row = {"prior": name, "group": group, "kind": kind, "flow": select, "mode": "each", "median": first, "median_to": last}
    row |= {"level_sd": level, "reason": reason, **more}
    return row | (dict(zip(("year_sd", "correlation"), path, strict=True)) if path else {})


TIGHT = {"slope_on": "tightness", "slope": -0.5, "slope_sd": 0.6}
QUOTAS = " Quotas and duties cut recorded exports: slope on tightness, from a rise to a fifth of the level."
FACTOR = "; a factor of 3.7 either way."


def priors(three: dict[str, dict[str, str]]) -> list[dict[str, object]]:
    """All priors; rows that speak of the same quantity are taken from the case of three regions."""
    rows: list[dict[str, object]] = []

    def same(name: str, select: str, **more: object) -> None:
        rows.append({**three[name], "flow": select, **more})

    for name in ("mined in China", "mined in the United States 2000-2002", "mined in the United States 2012-2015",
                 "mined in the United States 2018-2025", "mined without licence in China"):  # fmt: skip
        same(name, three[name]["flow"])
    same("mined without licence in RoW", "mine_production_seau", prior="mined without licence in Southeast Asia")
    for chain, median, spread, reason in (
        ("in", (2.0, 2.5), 0.6, "State mines of beach sand: some kt a year of monazite, little change."),
        ("sea", (0.8, 3.0), 0.8, "By-product monazite and xenotime of tin, later small mines in Thailand and Vietnam."),
        ("au", (10.0, 18.0), 0.7, "One mine since 2011, planned for 11, then 22 kt a year, and mineral sands."),
        ("af", (3.0, 8.0), 0.9, "Monazite of mineral sands in Madagascar and Nigeria, one small mine in Burundi."),
        ("row", (2.2, 4.0), 0.7, "Loparite in Russia, monazite in Brazil, others; nobody counts by-products."),
    ):
        text = f"{reason} The five together have the median of the case of three regions."
        rows.append(prior(f"mined in {region_of(chain)}", "registered mining", "input", f"mine_production_{chain}", median,
                          (spread, 0.4, 0.85), text))  # fmt: skip
    text = "Oxide from swarf of magnet making: followed magnets, from a kt or two to a quarter of a hundred."
    rows.append(prior("oxide recycled in China", "recycling", "input", "recycled_cn", (1.7, 26.0), (0.7, 0.4, 0.8), text))
    for name, median, what in (
        ("concentrate_cn", 8, "about a tenth of the market's yearly supply"),
        ("concentrate_us", 15, "the stockpile of the old mine, some years' output"),
        ("concentrate_sea", 0.5, "some months of supply"),
        ("compounds_cn", 13, "about a sixth of the market's yearly supply"),
        ("compounds_us", 4.5, "about a fifth of the market's yearly supply"),
        ("compounds_jp", 5, "about a quarter of the market's yearly supply"),
        ("compounds_eu", 3, "about a sixth of the market's yearly supply"),
        ("compounds_cnu", 2.3, "some weeks of the market's yearly supply"),
        ("metal_jp", 1, "about a sixth of the market's yearly supply"),
    ):
        rows.append(prior(f"opening stock of {name}", "opening stocks", "input", f"opening_stock_{name}", median, (0.8,),
                          f"No figure: {what}{FACTOR}", years=str(FIRST)))  # fmt: skip

    def share(select: str, median: object, spreads: tuple[float, ...], reason: str, group: str = "trade", **more: object) -> None:
        rows.append(prior(select, group, "share", select, median, spreads, reason, **more))

    for chain in PLANTS:
        if chain == "cnu":
            share("loss_refining_cnu", 0.25, (0.45, 0.08, 0.7), "Unlicensed plants: about twice the losses of registered ones.", "recoveries")
        else:
            share(f"loss_refining_{chain}", 0.12, (0.3, 0.08, 0.7), "Recovery of 0.93 in cracking and 0.95 in separation.", "recoveries")
    for chain in SMELTERS:
        name = "loss in unregistered electrolysis" if chain == "cnu" else "loss in electrolysis"
        same(name, f"loss_electrolysis_{chain}", prior=f"loss_electrolysis_{chain}", quantity="", product="", route="")
    for name in ("carried over: concentrate cn", "carried over: concentrate us 2000-2002", "carried over: concentrate us 2007-2011",
                 "carried over: concentrate us 2012-2015", "carried over: concentrate us 2017", "carried over: concentrate us 2018-2025"):  # fmt: skip
        same(name, three[name]["flow"])
    for name, median, what in (
        ("concentrate_sea", 0.2, "Feed in transit and at the plant: two to three months."),
        ("compounds_cn", 0.16, "Producers, traders and users: about two months of supply."),
        ("compounds_us", 0.17, "About two months of supply at importers and users."),
        ("compounds_jp", 0.22, "Users in Japan hold about three months, more in the crisis."),
        ("compounds_eu", 0.18, "About two months of supply at plants and users."),
        ("compounds_cnu", 0.1, "Goods without papers are sold soon: some weeks at traders."),
        ("metal_jp", 0.15, "Two months at alloy and magnet makers."),
    ):
        share(f"stock_{name}", median, (0.5, 0.35, 0.6), what, "stocks")
    for chain, median, spread, reason in (
        ("cn", (0.15, 0.36), 0.35, "Metal for magnets: a fifth of oxides in 2000, a half now; oxides are three quarters of compounds."),
        ("us", 0.02, 0.8, "Small alloy makers, no electrolysis at scale: some tens to hundreds of tonnes."),
        ("jp", 0.2, 0.6, "Makers of magnet and battery alloys: a fifth of compounds."),
        ("eu", 0.02, 0.8, "Two small makers of metal."),
        ("sea", (0.1, 0.2), 0.7, "Smelters of Japanese firms in Thailand and Vietnam."),
        ("cnu", 0.15, 0.6, "Few unregistered smelters."),
    ):
        share(f"feed_electrolysis_{chain}", median, (spread, 0.25, 0.8), reason, "refining")
    for years in ("2021-2022", "2023-2025"):
        same(f"concentrate to cracking in the United States {years}", "feed_refining_us")
    share("sale_concentrate_cnu", 0.25, (0.6, 0.3, 0.8), "Licensed plants buy ore without papers: about a quarter.", "unregistered sales")
    share("sale_concentrate_seau", 0.03, (0.7, 0.4, 0.7), "Nearly all goes to China: no other plants take it.", "unregistered sales")

    share("feed_refining_au", 0.2, (0.7, 0.4, 0.6), "The plant at Kalgoorlie starts: a fifth of the mine's output.", "refining")
    share("trade_concentrate_us_eu", 0.1, (0.7, 0.5, 0.5), "Feed of the sister plant in Estonia: a tenth of the mine's supply.")
    for to in ("sea", "row"):
        share(f"trade_concentrate_us_{to}", 0.05, (0.7, 0.5, 0.5), "With that of the other partner, a tenth of the mine's supply.")
    for product, exporters in TRADE.items():
        for start, partners in exporters.items():
            for to, _, what, first, last in partners:
                if first:
                    spreads = (0.9, 0.4, 0.8) if product == "concentrate" else (0.8, 0.35, 0.75)
                    text = f"No figure for most pairs: {what or 'a round share of what the exporter has'}; a factor of five either way."
                    share(f"trade_{product}_{start}_{to}", (first, last) if first != last else first, spreads, text)
    for product, start, first, last, reason, split in TOTALS:
        tight, spreads = (TIGHT, (0.7, 0.35, 0.7)) if start == "cn" else ({}, (0.7, 0.45, 0.7))
        text = reason + (QUOTAS if tight else "")
        names = "+".join(f"trade_{product}_{start}_{to}" for to in split)
        rows.append(prior(f"{product} {start} to the other eight", "trade", "share", names, (first, last), spreads, text, **tight, mode="total"))
        medians = {"cn": {"compounds": (0.085, 0.023), "metal": (0.04, 0.006)}, "us": {"metal": 0.008}}
        pair = "us" if start == "cn" else "cn"
        if start == "us" and product == "compounds":
            text = "Intermediates of the reopened mine for its owner's plants in China."
            share("trade_compounds_us_cn", 0.12, (0.7, 0.5, 0.5), text, years="2012-2015")
            text = "Small parcels: about one per cent of compounds."
            share("trade_compounds_us_cn", 0.007, (0.7, 0.6, 0.5), text, years="2000-2011;2016-2025", prior="trade_compounds_us_cn in other years")
        else:
            text = "As in the case of three regions." + (QUOTAS if tight else "")
            share(f"trade_{product}_{start}_{pair}", medians[start][product], (0.7, 0.35, 0.7), text, **tight)
        for to, shares in list(split.items())[:-1]:
            text = f"Sizes of the industries that use {product}; a factor of three either way, common to all years."
            rows.append(prior(f"{product} {start} to {to}", "trade", "split", f"trade_{product}_{start}_{to}",
                              (shares[0] / 100, shares[1] / 100), (0.7, 0.3, 0.75), text))  # fmt: skip
    for product, split in UNRECORDED.items():
        names = "+".join(f"unrecorded_{product}_{to}" for to in split)
        same("propensity to smuggle salt (tightness)", names, prior=f"unrecorded exports of {product}", quantity="", product="", when="")
        for to, percent in list(split.items())[:-1]:
            text = "Nobody knows whether unrecorded exports follow recorded ones: round shares of the users outside China; wide."
            more = {"shared": "unrecorded to us"} if to == "us" else {}
            rows.append(prior(f"unrecorded {product} to {to}", "smuggling", "split", f"unrecorded_{product}_{to}", percent / 100,
                              (0.9, 0.3, 0.7), text, **more))  # fmt: skip
    name = "kappa, share of unrecorded exports declared on arrival"
    same(name, "+".join(f"declared_{p}_{to}" for p, split in UNRECORDED.items() for to in split), quantity="")
    return rows


OWN_OFFSETS = [
    *({"offset": f"grade-us-from-{code}", "mean": 0, "sd": 0.2, "per": "all", "family": "normal",
       "reason": f"Mix of oxides, carbonates and chlorides that {REGIONS[code]} sends: 0.46 to 1 t REO a tonne, over the 0.70 of factors.csv; "
       "partners that the query left out."} for code in ("jp", "kr", "eu", "in", "sea", "af", "row")),
    {"offset": "usgs-countries", "mean": 0, "sd": 0.1, "per": "year", "family": "normal",
     "reason": "What one yearly table of countries has in common: total and parts share it."},
    {"offset": "cn-ores", "mean": 0, "sd": 0.08, "per": "year", "family": "normal",
     "reason": "Record of ores of one year, shared by the code of monazite and its partners."},
    {"offset": "japan-imports", "mean": 0, "sd": 0.15, "per": "all", "family": "normal",
     "reason": "Basket of the Japanese headline and its content: one error of all its figures."},
    {"offset": "japan-imports-year", "mean": 0, "sd": 0.1, "per": "year", "family": "student_t",
     "reason": "Reporting error of one year, shared by total and partners."},
    {"offset": "eu-imports", "mean": 0, "sd": 0.15, "per": "all", "family": "normal",
     "reason": "Basket of Eurostat's headline and its content; the United Kingdom is left out from 2020."},
    {"offset": "eu-imports-year", "mean": 0, "sd": 0.1, "per": "year", "family": "student_t",
     "reason": "Reporting error of one year, shared by total and partners."},
]  # fmt: skip
OWN_SOURCES = [{"source_id": "kcs-press-2012", "title": "South Korean imports by origin 2011-2012", "publisher": "Korea Customs Service via TheStreet",
                "edition": "2012", "reference": "https://www.thestreet.com/story/11805135/1/south-korea-reduces-dependence-on-chinese-rare-earths.html",
                "terms": "single figures quoted as facts with their source; page terms not read", "lineage": "kr-customs", "class": "importer_of_region"}]
OWN_FACTORS = [{"product": "compounds", "factor": 0.70, "low": 0.46, "high": 1, "source_id": "atlas-factors;usgs-myb-2022-trade",
                "note": "Oxides 1, carbonates 0.55 to 0.69, chlorides 0.46: a mix; the mix of a pair is an offset."}]  # fmt: skip
WIDER = {"grade-us-imports-cn": "0.2"}
"""Offsets that are wider here, since the mix of salts and oxides is not modelled."""


def shared_evidence() -> list[dict[str, str]]:
    """Rows of the case of three regions that speak of a quantity of this case, in its words."""
    taken = []
    for table in ("mine_production", "unregistered", "refining", "trade_cn", "trade_us", "mirror", "consumption", "magnets"):
        for row in read(DATA / "evidence" / f"{table}.csv"):
            if (mapped := in_words_of_nations(row)) is not None:
                taken.append(mapped)
    return taken


def in_words_of_nations(row: dict[str, str]) -> dict[str, str] | None:
    """A row of evidence in the products and regions of this case; None where finer figures or none take its place."""
    when, ends = row.pop("when", ""), (row.get("origin", ""), row.get("destination", ""))
    product, customs = row.get("product", ""), row.get("reporter", "")
    unregistered = row.get("route") == "unregistered"
    if when not in ("", "usgs_scope=as_documented") or "magnets" in product + row.get("flow", ""):
        return None
    if row.get("flow", "") and row["flow"] not in NAMES:
        return None
    if row["source_id"] in ("smm-magnets", "dataweb-8505") or row["relation"] in ("ratio", "share") and product in ("salt", "oxide"):
        return None
    if ends[0] == "RoW" and row["quantity"] == "mine_production" and int(row["year_from"]) not in (*range(2000, 2009), 2016, 2017):
        return None  # by country in evidence/countries.csv
    if ends[0] == "RoW" and customs == "BGS":
        return None
    if customs == "US customs" and "RoW" in ends and "compounds" in in_products(product):
        return None  # by partner in evidence/dataweb.csv
    if "RoW" in ends and customs.split(" ")[0] in ("Japanese", "EU27"):
        return None  # evidence/partners.csv
    if row["quantity"] == "trade+declared" and ends == ("RoW", "China") and row["source_id"] == "cn-imports-by-kind" and not unregistered:
        return None  # by partner in evidence/partners.csv
    if ends[1] == "RoW" and row["quantity"] == "apparent_consumption":
        row["destination"], row["qualifier"] = "Japan", "about"
        row["note"] = row["note"].replace(": a lower bound of the region", "")
        return row
    for column in ("product", "of_product"):
        row[column] = in_products(row.get(column, ""))
    for column in ("flow", "of_flow"):
        row[column] = NAMES.get(row.get(column, ""), row.get(column, ""))
    others = {"unregistered": "Southeast Asia"}.get(row.get("route", ""), OTHERS)
    for column in ("origin", "destination", "of_origin", "of_destination"):
        row[column] = others if row.get(column) == "RoW" else row.get(column, "")
    shared = {"mine_production": "usgs-countries", "trade+declared": "cn-ores"}.get(row["quantity"], "")
    if shared and ends[0] == "RoW" and product == "concentrate" and not unregistered and ends[1] in ("", "China"):
        row["offsets"] = ";".join(filter(None, (row.get("offsets", ""), shared)))
    if ends == ("RoW", "United States"):
        row["origin"] = "Rest of world"
    return row


def in_products(words: str) -> str:
    """Products of the case of three regions in those of this one."""
    return "+".join(dict.fromkeys({"salt": "compounds", "oxide": "compounds"}.get(word, word) for word in words.split("+")))


SMALL = ("us-imports;us-imports-all-years", "us-exports;us-exports-all-years", "us-exports-from-2018;us-exports-all-years-from-2018")


def dataweb() -> list[dict[str, str]]:
    """Rows of the importer with the errors that they share, and the products that a code held in some years."""
    rows = read(HERE / "evidence" / "dataweb.csv")
    code = {name: code for code, name in REGIONS.items()}
    for row in rows:
        year, imports = int(row["year_from"]), row["destination"] == "United States"
        row["source_id"] = f"dataweb-2846-{'imports' if imports else 'exports'}"
        row["offsets"] = SMALL[0 if imports else 1 if year < 2018 else 2]
        if imports:
            row["offsets"] += f";grade-us-from-{code[row['origin']]}"
            row["width"] = next(width for least, width in ((1000, "0.1"), (300, "0.2"), (50, "0.4"), (0, "1")) if float(row["value"]) >= least)
            if row["qualifier"] != "up_to" and float(row["value"]) < 10:
                row |= {"note": f"{row['value']} t is printed", "value": "10", "qualifier": "up_to", "resolution": ""}
            row["reason"] = "parcels of a few firms: 0.1 above 1,000 t, 0.2 above 300 t, 0.4 above 50 t, 1 below; less than 10 t is read as at most 10 t"
        ore = {"Europe": (2012, 2015), "Southeast Asia": (2024, 2025), "Rest of world": (2024, 2025)}.get(row["destination"])
        if ore and ore[0] <= year <= ore[1]:
            row["product"] = "concentrate+compounds"
    return rows


def read(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: list[dict[str, object]], first: tuple[str, ...] = ()) -> None:
    """Write a table with the columns that have a value."""
    columns = list(dict.fromkeys([*first, *(key for row in rows for key in row)]))
    used = [key for key in columns if any(str(row.get(key, "")) for row in rows)]
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    if not rows:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write all tables."""
    rows, three = flows(), {row["prior"]: row for row in read(THREE / "priors.csv")}
    write("flows.csv", rows)
    write("processes.csv", processes(rows))
    columns = ("prior", "group", "kind", "flow", "years", "mode", "median", "median_to", "level_sd", "year_sd", "correlation",
               "slope_on", "slope", "slope_sd", "shared", "reason")  # fmt: skip
    write("priors.csv", priors(three), columns)
    write("covariates.csv", read(THREE / "covariates.csv"))
    write("constants.csv", [row for row in read(THREE / "constants.csv") if row["region"] == "China"])
    write("evidence/shared.csv", shared_evidence())
    write("evidence/dataweb.csv", dataweb())
    evidence = [row for name in ("shared", "dataweb", "countries", "partners") for row in read(HERE / "evidence" / f"{name}.csv")]
    factors = [row for row in read(DATA / "factors.csv") if row["product"] in ("concentrate", "metal")] + OWN_FACTORS
    cited = {row["source_id"] for row in [*evidence, *read(HERE / "covariates.csv"), *read(HERE / "constants.csv")]}
    cited |= {source for row in factors for source in str(row["source_id"]).split(";")}
    known = {row["source_id"]: row for row in [*read(DATA / "sources.csv"), *OWN_SOURCES]}
    sources = [known[name] for name in known if name in cited]
    write("sources.csv", sources)
    classes = {row["class"] for row in sources}
    write("classes.csv", [row for row in read(DATA / "classes.csv") if row["class"] in classes])
    named = {name for row in evidence for column in ("offsets", "of_offsets") for name in row.get(column, "").split(";")}
    offsets = [{**row, "sd": WIDER.get(row["offset"], row["sd"])} for row in read(DATA / "offsets.csv")] + OWN_OFFSETS
    write("offsets.csv", [row for row in offsets if row["offset"] in named])
    write("factors.csv", factors)


if __name__ == "__main__":
    main()
