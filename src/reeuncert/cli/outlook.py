"""`reeuncert outlook`: the future of a stored result in sentences, and the files that the report shows."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from reeuncert.cli.terminal import console, plain_table
from reeuncert.errors import ArgumentError, OutputError
from reeuncert.files import explained, write_whole
from reeuncert.indicators.stored import read_results
from reeuncert.outlook.answers import answer_table, answers, chance, compare_scenarios, told, warning_of
from reeuncert.outlook.hindcast import hindcast as scored
from reeuncert.outlook.hindcast import hindcast_verdict
from reeuncert.outlook.reading import plans_of, read_plans
from reeuncert.outlook.run import outlook
from reeuncert.outlook.stored import FILE, HINDCAST, hindcast_of, signed
from reeuncert.reading.bundled import bundled_cases
from reeuncert.result.io import POSTERIOR, csv_text
from reeuncert.result.result import Result
from reeuncert.words.estimates import estimate, printed

TABLE, SCENARIOS = "outlook.csv", "outlook_scenarios.csv"
SHOWN = 3  # answers in the table of scenarios
NEEDED = {"posterior": ["mass_flow", "z", "log_offset"]}


def show_outlook(
    results: str,
    *,
    to: int | None,
    scenario: str,
    plans: Path | None,
    out: Path | None,
    seed: int,
    compare: bool,
    hindcast: str,
) -> None:
    """Look ahead from a result, print what it says, and write it into the folder."""
    years = _years(hindcast)
    place = _folder(results)
    folder = place if os.path.isdir(place) else place.parent
    dt = read_results(place, variables=NEEDED)
    case = Result(dt).case
    tables = plans_of(case) if plans is None else read_plans(plans, case)
    tables.scenario(scenario)
    world = outlook(dt, tables, to=to, scenario=scenario, seed=seed)
    found = answers(world, tables)
    last = Result(world).years[-1]
    beside = compare_scenarios(dt, tables, to=last, seed=seed) if compare and len(tables.scenarios) > 1 else None
    content = told(world, tables, found, beside, warning_of(folder, dt))
    _print(content)
    target = folder if out is None else out
    files = {TABLE: csv_text(answer_table(found))} | ({} if beside is None else {SCENARIOS: csv_text(beside)})
    files[FILE] = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    with explained(f"cannot write the outlook to '{target}'"):
        target.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(target / name, text.encode())
    page, names = console(), list(files)
    if years:
        table = scored(dt, years, folder=plans, seed=seed, quiet=False)
        page.print("\n".join(hindcast_verdict(table)))
        with explained(f"cannot write the hindcast to '{target}'"):
            write_whole(target / HINDCAST, csv_text(signed(table, Result(dt), seed)).encode())
        names.append(HINDCAST)
    else:
        page.print(" ".join(hindcast_of(folder, Result(dt))[0][:2]))
    page.print(f"Files in {target}: {', '.join(names)}", soft_wrap=True)
    if target == folder:
        page.print(f"In the report: reeuncert report {place}", soft_wrap=True)


def _years(text: str) -> list[int]:
    """Years of a hindcast, separated by commas.

    >>> _years("2012, 2018")
    [2012, 2018]
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if not part.isdecimal()]
    if wrong:
        raise ArgumentError(f"--hindcast {text}: '{wrong[0]}' is no year; give years, e.g. --hindcast 2012,2018")
    return sorted({int(part) for part in parts})


def _folder(given: str) -> Path:
    """Folder or file of a result; of a bundled case, that of its run here."""
    if given not in bundled_cases() or os.path.exists(given):
        return Path(given)
    folder = Path("results") / given
    if not (folder / POSTERIOR).is_file():
        raise OutputError(
            f"there is no result of case '{given}' in '{folder}'; run `reeuncert run {given}` first, or give the "
            "folder of a run"
        )
    return folder


def _print(content: Mapping[str, Any]) -> None:
    page = console()
    page.print()
    page.print(f"Outlook {content['from']} to {content['to']}: {content['scenario']}", style="bold")
    page.print(content["why"])
    if content["warning"]:
        page.print(content["warning"], style="bold red")
    page.print()
    for k, question in enumerate(content["questions"], start=1):
        page.print(f"{k}. {' '.join(question['sentences'])}")
        causes = [f"{d['cause']} ({printed(d['explained'], '.0%')} of the variance)" for d in question["drivers"][:2]]
        if causes:
            page.print(f"   Moved most by: {'; '.join(causes)}.", style="dim")
    last = content["shortage"][-1]
    page.print(f"Of final demand in {last['year']}, {_told(last)} is not served.")
    for row in content["elements"]:
        if row["year"] == content["to"]:
            what = f"the need for {row['element']} has outgrown supply since {content['from']} by over a twentieth"
            chances = f"{what} with a probability of {chance(row['probability'])}"
            page.print(f"In {row['year']}, {chances}; {_told(row)} of it is missing.")
    if content["scenarios"]:
        page.print()
        page.print(_scenarios(content))
    page.print()


def _told(row: Mapping[Any, Any]) -> str:
    return estimate(row["median"], row["eti90_lb"], row["eti90_ub"], unit="1")


def _scenarios(content: Mapping[str, Any]) -> Table:
    """A row for each scenario, a column for the first questions."""
    shown = [k for k, question in enumerate(content["questions"]) if question["lines"]][:SHOWN]
    table = plain_table(f"scenario, in {content['to']}", figures=(f"answer {k + 1}" for k in shown))
    asked = {content["questions"][k]["says"] for k in shown}
    rows: dict[str, list[str]] = {}
    for row in content["scenarios"]:
        if row["says"] in asked:
            rows.setdefault(row["scenario"], []).append(_told(row))
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table
