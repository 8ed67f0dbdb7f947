"""Mineral Commodity Summaries of the USGS: world, salient and long tables of any release."""

import re
from pathlib import Path

from reeuncert.errors import CaseError, Problem
from reeuncert.importers.printed import basis_of, plain_name
from reeuncert.importers.record import EVERYONE, THE_REPORTER, Direction, Download, Place, Quality, Record
from reeuncert.importers.sheets import header_of, read_rows
from reeuncert.words.cells import quoted

_WORLD = re.compile(r"(prod|cap|reserves)(?:_(?!est)([a-z]+))?(?:_(est))?(?:_(\d{4}))?", re.IGNORECASE)
_WORDS: dict[str, Direction] = {"usprod": "output", "prod": "output", "import": "import", "export": "export"}
_WORDS |= {"consump": "use"}
"""Beginnings of a statistic that is a flow."""


def read(paths: list[Path], download: Download) -> None:
    """Read world, salient and long tables."""
    for path in paths:
        names = {name.casefold(): name for name in header_of(path)}
        if "statistics_detail" in names:
            _long(path, download)
        elif "country" in names and any(name.startswith("prod") for name in names):
            _world(path, names, download)
        elif {"datasource", "commodity", "year"} <= set(names):
            _salient(path, names, download)
        else:
            message = "this is no table of the Mineral Commodity Summaries: it has neither the column "
            message += "Statistics_detail, nor Country and PROD_YEAR, nor DataSource, Commodity and Year"
            raise CaseError([Problem(path.name, 1, "", message)])
    download.settle(divided=True)


def _release(text: str) -> str:
    found = re.search(r"mcs ?(\d{4})", text, re.IGNORECASE)
    return found[1] if found else ""


def _direction(statistic: str) -> Direction:
    # Import sources are shares of earlier years.
    word = statistic.casefold()
    return next((way for start, way in _WORDS.items() if word.startswith(start) and "source" not in word), "")


def _quality(note: str, estimated: bool = False) -> Quality:
    """A quota that is printed as output is neither a report nor an estimate of it."""
    if "quota" in note.casefold():
        return "quota"
    return "estimated" if estimated or note.casefold().startswith("estimated") else "reported"


def _partner(direction: Direction) -> str:
    return EVERYONE if direction in ("import", "export") else ""


def _long(path: Path, download: Download) -> None:
    needed = ("Commodity", "Country", "Statistics", "Unit", "Year", "Value", "Notes")
    rows = list(read_rows(path, needed, download.kind))
    # A release of one year prints figures up to the year before.
    years = [int(row["Year"]) for _, row in rows if re.fullmatch(r"\d{4}", row["Year"])]
    release = _release(path.name) or str(max(years, default=-1) + 1)
    for line, row in rows:
        statistic, direction = row["Statistics"].split(" 2")[0], _direction(row["Statistics"])
        detail = row["Statistics_detail"].removesuffix(": rounded")
        basis = basis_of(detail, row.get("Other notes", "").removeprefix("(Data in "))
        place, product = Place(path.name, line, "Value"), f"{row['Commodity']}: {detail}"
        span = re.fullmatch(r"\d{4}[-–]\d{2,4}", row["Year"])
        year = download.year(row["Year"], place, "Year") if direction and not span else 0
        reporter, partner, note = plain_name(row["Country"]), _partner(direction), row["Notes"]
        like = Record((place,), year, direction, product, reporter, partner, basis, _quality(note), release, note)
        why_not = "a mean of several years" if span else ""
        why_not = why_not if direction else f"{statistic or 'no statistic'} ({row['Unit'] or 'no unit'}): no flow"
        download.take(like, row["Value"], row["Unit"], why_not)


def _world(path: Path, names: dict[str, str], download: Download) -> None:
    commodity = re.sub(r"(?i)^mcs\d{4}-|[_-]world.*$", "", path.stem)
    columns = {name: found for name in names if (found := _WORLD.fullmatch(name.replace(" ", "")))}
    for name, printed in names.items():
        if name.startswith("prod") and not name.endswith("notes") and not (name in columns and columns[name][4]):
            message = f"the column {quoted(printed)} names no year; give the file as it was downloaded"
            download.problems.append(Problem(path.name, 1, printed, message))
    for line, row in read_rows(path, (), download.kind):
        cells = {name: row[printed] for name, printed in names.items() if name}
        note, kind = cells.get("prod_notes", ""), cells.get("type", "")
        release = _release(cells.get("source", "") or path.name)
        for name, found in columns.items():
            what, suffix, estimate, year = found.groups()
            if suffix == "notes" or not cells["country"]:
                continue
            # The note on how a figure was estimated is printed once, for the years of both columns.
            place, reporter = Place(path.name, line, names[name]), plain_name(cells["country"])
            product = f"{cells.get('commodity', commodity)}: {kind.split(',')[0]}"
            quality, basis = _quality(note, estimate is not None), basis_of(kind)
            like = Record((place,), int(year or 0), "output", product, reporter, "", basis, quality, release, note)
            why_not = "" if what == "prod" else f"{'capacity' if what == 'cap' else 'reserves'}: no flow"
            download.take(like, cells[name], suffix or cells.get("unit_meas", ""), why_not)


def _salient(path: Path, names: dict[str, str], download: Download) -> None:
    columns = [name for key, name in names.items() if name and key not in ("datasource", "commodity", "year")]
    for line, row in read_rows(path, (), download.kind):
        source, commodity, said = (row[names[key]] for key in ("datasource", "commodity", "year"))
        release = _release(source or path.name)
        for column in columns if said else ():
            stem, _, suffix = column.rpartition("_")
            direction, product = _direction(stem), f"{commodity}: {stem}"
            place, partner = Place(path.name, line, column), _partner(direction)
            year = download.year(said, place, names["year"])
            like = Record((place,), year, direction, product, THE_REPORTER, partner, release=release)
            download.take(like, row[column], suffix, "" if direction else f"{stem or suffix} ({suffix}): no flow")
