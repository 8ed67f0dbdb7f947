"""Write the tables of the case ``nations``: ``python models/make/nations.py``.

Regions and what each of them does are listed here; trade by pair, priors and what only this case has in the tables of
the folder ``nations`` beside this file. Evidence and priors on the same quantities come from the case of three regions.
Figures that only this case has are ``nations/evidence/countries.csv`` and ``partners.csv``, edited by hand, and
``dataweb.csv``, written by ``reeuncert import dataweb``. The projects and the growth of its outlook come from that of
the case of three regions; ``nations/outlook/scenarios.toml`` is edited by hand.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

MODELS = Path(__file__).parents[1]
MAKE, CASE, THREE, DATA = (
    MODELS / "make" / "nations",
    MODELS / "nations",
    MODELS / "china_us_row",
    MODELS.parent / "data",
)
Cells = dict[str, str]

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

UNREGISTERED = {"cnu": "cn", "seau": "sea"}
"""Unregistered chains, beside the registered one of each region."""

# What exists in which years; empty: all.
MINES = {
    "cn": "",
    "us": "2000-2002;2012-2015;2018-2025",
    "in": "",
    "sea": "",
    "au": "2011-2025",
    "af": "2017-2025",
    "row": "",
    "cnu": "",
    "seau": "2011-2025",
}
PLANTS = {
    "cn": "",
    "us": "2000-2002;2007-2015;2021-2025",
    "eu": "2012-2015",
    "in": "",
    "sea": "",
    "au": "2024-2025",
    "row": "",
    "cnu": "",
}
SMELTERS = {"cn": "", "us": "2000-2015;2025", "jp": "", "eu": "", "sea": "", "cnu": ""}
USERS = {
    "compounds": ("cn", "us", "jp", "kr", "eu", "in", "sea", "af", "row"),
    "metal": ("cn", "us", "jp", "kr", "eu", "sea", "row"),
}
STOCKS = {"concentrate": ("cn", "us", "sea"), "compounds": ("cn", "us", "jp", "eu", "cnu"), "metal": ("jp",)}
SMUGGLED = {"compounds": ("us", "jp", "kr", "eu", "sea", "row"), "metal": ("us", "jp", "row")}
REFERENCE = {
    "us_concentrate_market": "trade_concentrate_us_cn|feed_refining_us|stock_concentrate_us",
    "au_concentrate_market": "trade_concentrate_au_sea",
    "af_concentrate_market": "trade_concentrate_af_cn",
    "seau_concentrate_market": "trade_concentrate_seau_cn",
    "au_compounds_market": "trade_compounds_au_sea",
}
"""Outflows that take the remainder where it is not the feed of a plant, the product of a process, or consumption."""

NAMES = {
    "production_oxide_cn+production_salt_cn+trade_mixed_cn_row": "production_compounds_cn",
    "production_mixed_us": "production_compounds_us",
    "production_oxide_us+production_salt_us": "production_compounds_us",
    "production_oxide_row+production_salt_row": "production_compounds_sea",
    "recycled_oxide_cn": "recycled_cn",
}
"""Flows that evidence of the case of three regions names → flows here."""


def market(product: str, chain: str) -> str:
    """The market of a product in a chain."""
    return f"{chain}_{product}_market"


def row_of(name: str, ends: tuple[str, str], role: str, product: str, chains: tuple[str, str], **more: str) -> Cells:
    """One row of the table of flows."""
    origin, destination = (REGIONS[UNREGISTERED.get(chain, chain)] for chain in chains)
    cells = {"flow": name, "from_process": ends[0], "to_process": ends[1], "quantity": role, "product": product}
    route = "unregistered" if chains[0] in UNREGISTERED else "registered"
    return {**cells, "origin": origin, "destination": destination, "route": route, **more}


def stage(chain: str, kind: str, before: str, after: str, years: str) -> list[Cells]:
    """Feed, product and loss of a plant or a smelter."""
    here, both = f"{chain}_{kind}", (chain, chain)
    return [
        row_of(f"feed_{kind}_{chain}", (market(before, chain), here), "feed", before, both, years=years),
        row_of(f"production_{after}_{chain}", (here, market(after, chain)), "production", after, both, years=years),
        row_of(f"loss_{kind}_{chain}", (here, "outside"), "loss", after, both, years=years),
    ]


def unrecorded(product: str, to: str) -> list[Cells]:
    """What leaves China without a record for a region, and the part of it that is declared on arrival."""
    border, chains = f"border_{product}_{to}", ("cnu", to)
    start, end = (market(product, "cnu"), border), (border, market(product, to))
    seen, unseen = "declared on arrival: the importer's customs see it", "seen by neither office"
    return [
        row_of(f"unrecorded_{product}_{to}", start, "unrecorded_trade", product, chains),
        row_of(f"declared_{product}_{to}", end, "declared", product, chains, note=seen),
        row_of(f"undeclared_{product}_{to}", end, "undeclared", product, chains, note=unseen),
    ]


def flows(pairs: Iterable[Cells]) -> list[Cells]:
    """All flows of the case."""
    rows = [
        row_of(f"use_{product}_{c}", (market(product, c), "outside"), "apparent_consumption", product, (c, c))
        for product, chains in USERS.items()
        for c in chains
    ]
    for chain, y in MINES.items():
        ore, both = "concentrate", (chain, chain)
        mine, mined = ("outside", f"{chain}_mining"), (f"{chain}_mining", market(ore, chain))
        rows.append(row_of(f"ore_{chain}", mine, "ore", ore, both, years=y))
        rows.append(row_of(f"mine_production_{chain}", mined, "mine_production", ore, both, years=y))
    rows += [row for chain, y in PLANTS.items() for row in stage(chain, "refining", "concentrate", "compounds", y)]
    rows += [row for chain, y in SMELTERS.items() for row in stage(chain, "electrolysis", "compounds", "metal", y)]
    for product, chains in STOCKS.items():
        for chain in chains:
            here, name = market(product, chain), f"stock_{product}_{chain}"
            opening = row_of(
                f"opening_{name}", ("outside", here), "opening_stock", product, (chain, chain), years="2000"
            )
            rows += [opening, row_of(name, (here, here), "stock", product, (chain, chain))]
    ends, note = (
        ("outside", market("compounds", "cn")),
        "from magnet swarf and scrap; the loop through magnets is left out",
    )
    rows.append(row_of("recycled_cn", ends, "recycling", "compounds", ("cn", "cn"), note=note))
    for product, sold, bought in (*((p, "cnu", "cn") for p in ("concentrate", *USERS)), ("concentrate", "seau", "sea")):
        ends = (market(product, sold), market(product, bought))
        rows.append(row_of(f"sale_{product}_{sold}", ends, "sale", product, (sold, bought), years=MINES[sold]))
    for pair in pairs:
        product, chains = pair["product"], (pair["exporter"], pair["importer"])
        ends, name = (market(product, chains[0]), market(product, chains[1])), f"trade_{product}_{'_'.join(chains)}"
        rows.append(row_of(name, ends, "trade", product, chains, years=pair["years"], note=pair["note"]))
    rows += [row for product, partners in SMUGGLED.items() for to in partners for row in unrecorded(product, to)]
    return rows


def processes(rows: Iterable[Cells]) -> list[Cells]:
    """The processes that the flows join, each with the outflow that takes the remainder."""
    found: dict[str, Cells] = {}
    for name in dict.fromkeys(row["from_process"] for row in rows if row["from_process"] != "outside"):
        chain, *rest = name.split("_")
        kind = "border" if chain == "border" else rest[-1]
        region = REGIONS["cn" if kind == "border" else UNREGISTERED.get(chain, chain)]
        last = "sale" if chain in UNREGISTERED else "use"
        reference = {
            "border": f"undeclared_{'_'.join(rest)}",
            "mining": f"mine_production_{chain}",
            "refining": f"production_compounds_{chain}",
            "electrolysis": f"production_metal_{chain}",
            "market": f"feed_refining_{chain}" if rest[0] == "concentrate" else f"{last}_{rest[0]}_{chain}",
        }[kind]
        cells = {"process": name, "region": region, "stage": {"refining": "separation"}.get(kind, kind)}
        found[name] = {**cells, "reference_outflow": REFERENCE.get(name, reference)}
    return list(found.values())


def priors(pairs: Iterable[Cells]) -> list[Cells]:
    """Priors of the table in the folder; what ``like`` names is that of the case of three regions. Then pairs."""
    three = {row["prior"]: row for row in read(THREE / "priors.csv")}
    rows = []
    for row in read(MAKE / "priors.csv"):
        like = three.get(row.pop("like"), {}) if row["like"] else {}
        there = {name: "" if name in ("quantity", "product", "route", "when") else text for name, text in like.items()}
        rows.append({**there, **{name: text for name, text in row.items() if text}})
    for pair in pairs:
        if pair["kind"]:
            name = f"trade_{pair['product']}_{pair['exporter']}_{pair['importer']}"
            ore, split = pair["product"] == "concentrate", pair["kind"] == "split"
            spreads = ("0.7", "0.3", "0.75") if split else ("0.9", "0.4", "0.8") if ore else ("0.8", "0.35", "0.75")
            cells = {"prior": name, "group": "trade", "kind": pair["kind"], "flow": name, "mode": "each"}
            cells |= {"median": pair["median"], "median_to": pair["median_to"], "reason": pair["reason"]}
            rows.append(cells | dict(zip(("level_sd", "year_sd", "correlation"), spreads, strict=True)))
    return rows


def shared_evidence() -> list[Cells]:
    """Rows of the case of three regions that speak of a quantity of this case, in its words."""
    tables = ("mine_production", "unregistered", "refining", "trade_cn", "trade_us", "mirror", "consumption", "magnets")
    rows = [row for name in tables for row in read(DATA / "evidence" / f"{name}.csv")]
    return [in_words_of_here(row) for row in rows if is_here(row)]


def is_here(row: Cells) -> bool:
    """Whether a row of the case of three regions counts here: no finer figures take its place."""
    product, reporter, quantity = row.get("product", ""), row.get("reporter", ""), row["quantity"]
    ends, year = (row.get("origin", ""), row.get("destination", "")), int(row["year_from"])
    of_rest, refined = "RoW" in ends, {"salt", "oxide"} & {*product.split("+")}
    registered = row.get("route", "") != "unregistered"
    by_country = ends[0] == "RoW" and quantity == "mine_production" and year not in (*range(2000, 2009), 2016, 2017)
    elsewhere = (
        row.get("when", "") not in ("", "usgs_scope=as_documented"),
        "magnets" in product + row.get("flow", "") or row["source_id"] in ("smm-magnets", "dataweb-8505"),
        bool(row.get("flow", "")) and row["flow"] not in NAMES,
        row["relation"] != "level" and product in ("salt", "oxide"),
        by_country or (ends[0] == "RoW" and reporter == "BGS"),  # evidence/countries.csv
        of_rest and reporter == "US customs" and bool(refined),  # evidence/dataweb.csv
        of_rest and reporter.startswith(("Japanese", "EU27")),  # evidence/partners.csv
        ends == ("RoW", "China") and row["source_id"] == "cn-imports-by-kind" and registered,  # evidence/partners.csv
    )
    return not any(elsewhere)


def in_words_of_here(row: Cells) -> Cells:
    """A row of the case of three regions in the products and regions of this one."""
    row = {name: text for name, text in row.items() if name != "when"}
    if row["quantity"] == "apparent_consumption" and row["destination"] == "RoW":
        note = row["note"].replace(": a lower bound of the region", "")
        return {**row, "destination": "Japan", "qualifier": "about", "note": note}
    ends, registered = (row.get("origin", ""), row.get("destination", "")), row.get("route", "") != "unregistered"
    for column in ("product", "of_product"):
        words = (row.get(column) or "").split("+")
        row[column] = "+".join(dict.fromkeys({"salt": "compounds", "oxide": "compounds"}.get(w, w) for w in words))
    row |= {column: NAMES.get(row.get(column, ""), row.get(column, "")) for column in ("flow", "of_flow")}
    rest = "Rest of world" if ends == ("RoW", "United States") else OTHERS if registered else "Southeast Asia"
    for column in ("origin", "destination", "of_origin", "of_destination"):
        row[column] = rest if row.get(column) == "RoW" else row.get(column, "")
    part = {"mine_production": "usgs-countries", "trade+declared": "cn-ores"}.get(row["quantity"], "")
    if ends in (("RoW", ""), ("RoW", "China")) and row["product"] == "concentrate" and registered:
        row["offsets"] = ";".join(filter(None, (row.get("offsets", ""), part)))
    return row


def dataweb() -> list[Cells]:
    """Rows of the importer with the errors that they share, and the products that the code held in some years."""
    rows = read(CASE / "evidence" / "dataweb.csv")
    code = {name: code for code, name in REGIONS.items()}
    ores = {"Europe": (2012, 2015), "Southeast Asia": (2024, 2025), "Rest of world": (2024, 2025)}
    for row in rows:
        year, imports, value = int(row["year_from"]), row["destination"] == "United States", float(row["value"])
        side = "us-imports" if imports else "us-exports"
        era = "-from-2018" if not imports and year >= 2018 else ""
        row["source_id"] = f"dataweb-2846-{side.removeprefix('us-')}"
        row["offsets"] = f"{side}{era};{side}-all-years{era}"
        if imports:
            row["offsets"] += f";grade-us-from-{code[row['origin']]}"
            if value < 10 and row["qualifier"] != "up_to":
                row |= {"note": f"{row['value']} t is printed", "value": "10", "qualifier": "up_to", "resolution": ""}
            row["width"] = next(
                w for least, w in ((1000, "0.1"), (300, "0.2"), (50, "0.4"), (0, "1")) if value >= least
            )
            row["reason"] = (
                "parcels of a few firms: 0.1 above 1,000 t, 0.2 above 300 t, 0.4 above 50 t, 1 below; less than 10 t "
                "is read as at most 10 t"
            )
        elif row["destination"] in ores and ores[row["destination"]][0] <= year <= ores[row["destination"]][1]:
            row["product"] = "concentrate+compounds"
    return rows


def projects(made: Iterable[Cells]) -> list[Cells]:
    """Projects of the case of three regions that act on a process of this case, in the region where they are.

    Mixed and separated salts are one product here: a plant is counted where it takes ore (cracking), and one that
    separates bought salts changes nothing.
    """
    stages = {"mining": "mining", "cracking": "separation", "electrolysis": "electrolysis"}
    there = {(row["region"], row["stage"]) for row in made}
    place = {row["project"]: row["region"] for row in read(MAKE / "projects.csv")}
    rows = [
        row | {"region": place.get(row["project"], row["region"]), "stage": stages[row["stage"]]}
        for row in read(THREE / "outlook" / "projects.csv")
        if row["stage"] in stages
    ]
    lost = sorted({row["project"] for row in rows if row["region"] == "RoW"})
    if lost:
        raise SystemExit(f"nations/projects.csv lacks the region of {', '.join(lost)}")
    return [row for row in rows if (row["region"], row["stage"]) in there]


def growth() -> list[Cells]:
    """Projections of the case of three regions; those of magnets hold for metal, of which most become magnets."""
    rows = [row for row in read(THREE / "outlook" / "growth.csv") if row["name"] != "cracking"]
    return [row | {"name": {"magnets": "metal"}.get(row["name"], row["name"])} for row in rows]


def read(path: Path) -> list[Cells]:
    """Rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: Sequence[Cells]) -> None:
    """Write a table with the columns that have a value."""
    columns = dict.fromkeys(key for row in rows for key in row)
    used = [key for key in columns if any(row.get(key) for row in rows)]
    with (CASE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def own_first(name: str, key: str) -> dict[str, Cells]:
    """Rows of a table of the case of three regions and of the one beside this file; the latter replace."""
    return {row[key]: row for row in (*read(DATA / name), *read(MAKE / name))}


def main() -> None:
    """Write all tables."""
    pairs = read(MAKE / "trade.csv")
    rows = flows(pairs)
    write("flows.csv", rows)
    made = processes(rows)
    write("processes.csv", made)
    write("outlook/projects.csv", projects(made))
    write("outlook/growth.csv", growth())
    write("priors.csv", priors(pairs))
    write("covariates.csv", read(THREE / "covariates.csv"))
    write("constants.csv", [row for row in read(THREE / "constants.csv") if row["region"] == "China"])
    write("evidence/shared.csv", shared_evidence())
    write("evidence/dataweb.csv", dataweb())
    evidence = [row for path in sorted((CASE / "evidence").glob("*.csv")) for row in read(path)]
    factors = [row for row in own_first("factors.csv", "product").values() if row["product"] in ("concentrate", *USERS)]
    tables = (*evidence, *factors, *read(CASE / "covariates.csv"), *read(CASE / "constants.csv"))
    cited = {source for row in tables for source in row["source_id"].split(";")}
    sources = [row for name, row in own_first("sources.csv", "source_id").items() if name in cited]
    named = {name for row in evidence for at in ("offsets", "of_offsets") for name in row.get(at, "").split(";")}
    classes = {row["class"] for row in sources}
    published = read(DATA / "reference" / "published_reference.csv")
    write(
        "reference/published_reference.csv",
        [r for r in published if r["indicator"] and "end_use" not in r["indicator"]],
    )
    write("reference/sources.csv", read(DATA / "reference" / "sources.csv"))
    write("factors.csv", factors)
    write("sources.csv", sources)
    write("classes.csv", [row for row in read(DATA / "classes.csv") if row["class"] in classes])
    write("offsets.csv", [row for name, row in own_first("offsets.csv", "offset").items() if name in named])


if __name__ == "__main__":
    main()
