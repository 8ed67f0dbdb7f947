"""Mineral Commodity Summaries of the USGS: world, salient and long tables."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import basis_of, mass, plain_name
from reeuncert.importers.record import (
    ESTIMATED,
    EVERYONE,
    EXPORT,
    IMPORT,
    OUTPUT,
    QUOTA,
    REPORTED,
    THE_REPORTER,
    USE,
    Download,
    Place,
    Record,
)
from reeuncert.importers.sheets import header_of, read_table, rows_of

_WORLD = re.compile(r"(prod|cap|reserves)(?:_(?!est)([a-z]+))?(?:_(est))?(?:_(\d{4}))?", re.IGNORECASE)
_WORDS = {"production": OUTPUT, "import": IMPORT, "export": EXPORT, "consumption": USE}
_STEMS = {"usprod": OUTPUT, "prod": OUTPUT, "import": IMPORT, "export": EXPORT, "consump": USE}


def read(paths: list[Path], download: Download) -> None:
    """Read world, salient and long tables of any release."""
    for path in paths:
        names = {name.casefold(): name for name in header_of(path)}
        long = "statistics_detail" in names
        world = "country" in names and any(name.startswith("prod") for name in names)
        if not long and not world and not {"datasource", "commodity", "year"} <= set(names):
            message = "this is no table of the Mineral Commodity Summaries: it has neither the column "
            message += "Statistics_detail, nor Country and PROD_YEAR, nor DataSource, Commodity and Year"
            raise CaseError([Problem(path.name, 1, "", message)])
        for table in read_table(path, (), download.kind):
            if long:
                _long(path.name, table, download)
            else:
                lower = table.rename(columns={v: k for k, v in names.items()})
                (_world if world else _salient)(path.name, lower, names, download)


def _release(text: str) -> str:
    found = re.search(r"mcs ?(\d{4})", text, re.IGNORECASE)
    return found[1] if found else ""


def _quality(note: str, estimated: bool = False) -> str:
    """A quota that is printed as output is neither a report nor an estimate of it."""
    if "quota" in note.casefold():
        return QUOTA
    return ESTIMATED if estimated or note.casefold().startswith("estimated") else REPORTED


def _long(file: str, table: pd.DataFrame, download: Download) -> None:
    years = table["Year"].str.extract(r"(\d{4})$", expand=False).dropna().astype(int)
    # A release of one year prints figures up to the year before.
    release = _release(file) or (str(years.max() + 1) if len(years) else "")
    for line, row in rows_of(table):
        place = Place(file, line, "Value")
        statistic, commodity = row["Statistics"], row["Commodity"]
        if not download.wants(commodity, row["MCS chapter"]):
            download.leave("another product than those asked for", place)
            continue
        direction = _WORDS.get(statistic.casefold())
        if direction is None or mass(row["Unit"]) is None:
            download.leave(f"{statistic.split(' 2')[0] or 'no statistic'} ({row['Unit'] or 'no unit'}): no flow", place)
            continue
        if not re.fullmatch(r"\d{4}", row["Year"]):
            download.leave("not one year", place)
            continue
        found = download.figure(row["Value"], row["Unit"], place)
        if found is None:
            continue
        detail = re.sub(r": rounded$", "", row["Statistics_detail"])
        note = row["Notes"]
        download.records.append(
            Record(
                (place,),
                int(row["Year"]),
                direction,
                f"{commodity}: {detail}",
                plain_name(row["Country"]),
                EVERYONE if direction in (IMPORT, EXPORT) else "",
                found[0],
                basis_of(detail, row.get("Other notes", "").removeprefix("(Data in ")),
                _quality(note),
                release,
                note,
            )
        )


def _world(file: str, table: pd.DataFrame, names: dict[str, str], download: Download) -> None:
    commodity_of_file = re.sub(r"(?i)^mcs\d{4}-|[_-]world.*$", "", Path(file).stem)
    for column in table.columns:
        found = _WORLD.fullmatch(column.replace(" ", ""))
        if not found or found[2] == "notes":
            continue
        what, suffix, estimate, year = found.groups()
        for line, row in rows_of(table):
            place = Place(file, line, names[column])
            commodity = row.get("commodity", commodity_of_file)
            if not row["country"]:
                continue
            if not download.wants(commodity, commodity_of_file):
                download.leave("another product than those asked for", place)
                continue
            if what != "prod":
                download.leave(f"{'capacity' if what == 'cap' else 'reserves'}: no flow", place)
                continue
            figure = download.figure(row[column], suffix or row.get("unit_meas", ""), place)
            if figure is None:
                continue
            note, kind = row.get("prod_notes", ""), row.get("type", "")
            # The note on how a figure was estimated is printed once, for the years of both columns.
            download.records.append(
                Record(
                    (place,),
                    int(year),
                    OUTPUT,
                    f"{commodity}: {kind.split(',')[0]}",
                    plain_name(row["country"]),
                    "",
                    figure[0],
                    basis_of(kind),
                    _quality(note, estimate is not None),
                    _release(row.get("source", "") or file),
                    note,
                )
            )


def _salient(file: str, table: pd.DataFrame, names: dict[str, str], download: Download) -> None:
    for column in table.columns:
        if column in ("datasource", "commodity", "year"):
            continue
        stem, _, suffix = names[column].rpartition("_")
        direction = next((way for word, way in _STEMS.items() if stem.casefold().startswith(word)), None)
        for line, row in rows_of(table):
            place = Place(file, line, names[column])
            if not row["year"]:
                continue
            if not download.wants(row["commodity"]):
                download.leave("another product than those asked for", place)
            elif direction is None or mass(suffix) is None:
                download.leave(f"{stem or suffix} ({suffix}): no flow", place)
            elif (figure := download.figure(row[column], suffix, place)) is not None:
                product = f"{row['commodity']}: {stem}"
                partner = EVERYONE if direction in (IMPORT, EXPORT) else ""
                release = _release(row["datasource"] or file)
                download.records.append(
                    Record(
                        (place,),
                        int(row["year"]),
                        direction,
                        product,
                        THE_REPORTER,
                        partner,
                        figure[0],
                        release=release,
                    )
                )
