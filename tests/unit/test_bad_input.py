"""What a person is told who makes one mistake: every message word for word, every problem at once, nothing written."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from case_files import FILES, changed, problems_after, problems_in, write_case
from reeuncert.errors import CaseError, EvidenceError
from reeuncert.validation.reader import read_case

CHANGES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "bad_input.toml").read_text("utf-8"))["change"]


def test_the_minimal_case_has_no_problem(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    assert [f.name for f in case.system.flows] == ["ore", "output", "tailings", "opening", "stock", "imports", "use"]
    assert len(case.evidence) == 5


@pytest.mark.parametrize("change", CHANGES, ids=[f"{c['file']}: {c['new'][:40]!r}" for c in CHANGES])
def test_one_mistake_gives_these_words(tmp_path: Path, change: dict[str, Any]) -> None:
    assert problems_after(tmp_path, change["file"], change["old"], change["new"]) == change["says"]


@pytest.mark.parametrize(
    ("file", "column", "absent"),
    [
        ("evidence.csv", "value", True),
        ("evidence.csv", "low", True),
        ("evidence.csv", "relation", True),
        ("evidence.csv", "relation", False),
        ("evidence.csv", "qualifier", False),
        ("evidence.csv", "note", True),
        ("priors.csv", "median", True),
        ("processes.csv", "reference_outflow", True),
        ("flows.csv", "product", True),
        ("offsets.csv", "offset", True),
    ],
)
def test_a_column_that_is_missing_or_misspelt_is_named_once(
    tmp_path: Path, file: str, column: str, absent: bool
) -> None:
    rows = [line.split(",") for line in FILES[file].splitlines()]
    at = rows[0].index(column)
    rows[0][at] = f"{column}x"
    text = "".join(",".join(row[:at] + row[at + absent :]) + "\n" for row in rows)
    write_case(tmp_path, **{file.replace(".", "_"): text})
    if column == "note":
        assert len(read_case(tmp_path).evidence) == 5
        return
    (said,) = problems_in(tmp_path)
    missing = f"{file} line 1, column '{column}': the column '{column}' is missing; add it to the header"
    assert said == missing if absent else said.startswith(f"{file} line 1, column '{column}x'")


def test_all_problems_of_all_files_come_together_in_order(tmp_path: Path) -> None:
    write_case(
        tmp_path,
        flows_csv=changed("flows.csv", "tailings,mine,outside", "tailings,mien,outside"),
        priors_csv=changed("priors.csv", "each,20,30,", "each,x,30,"),
        classes_csv=changed("classes.csv", "customs,0.2", "customs,-0.2"),
        evidence_csv=FILES["evidence.csv"].replace("14,,,kt", "-14,,,oz").replace("code 2846", 'code, 2846"', 1),
    )
    assert problems_in(tmp_path) == [
        "flows.csv line 4, column 'from_process': process 'mien' is not known; use one of: mine, market, outside; did "
        "you mean 'mine'? (processes are named in processes.csv)",
        "priors.csv line 2, column 'median': 'x' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3",
        "classes.csv line 3, column 'width': -0.2 is not above 0; a width is the half-width of the central 68 %, "
        "which is more than zero",
        "evidence.csv line 2, column 'unit': the unit 'oz' is not known for a level; use one of: "
        "t, kt, Mt, kg, g, Mg, Gg, Tg, lb, klb, Mlb, st",
        "evidence.csv line 2, column 'value': -14 is negative; a mass is zero or more",
        "evidence.csv line 4: the row has 31 cells where the header has 30; is a comma inside a text not quoted, or a "
        "cell left out?",
    ]


def test_the_error_says_how_many_and_of_which_kind(tmp_path: Path) -> None:
    write_case(tmp_path / "a", evidence_csv=changed("evidence.csv", "14,,,kt", "-14,,,oz"))
    with pytest.raises(EvidenceError) as evidence:
        read_case(tmp_path / "a")
    assert str(evidence.value).splitlines()[0] == "2 problems found:"
    write_case(tmp_path / "b", flows_csv=changed("flows.csv", "stock,market,market", "=stock,market,market"))
    with pytest.raises(CaseError):
        read_case(tmp_path / "b")


def test_more_than_a_hundred_problems_of_a_file_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"c{i},North,,2001,x,kt,,,\n" for i in range(130))
    write_case(tmp_path, constants_csv=FILES["constants.csv"] + rows)
    said = problems_in(tmp_path)
    assert len(said) == 101
    assert said[-1] == "constants.csv line 103: 30 more problems from here on are not listed; mend those above first"


@pytest.mark.parametrize(
    ("dropped", "says"),
    [
        (
            ["use,market,outside,end_use,oxide,North,North,registered,magnets,,,\n", "stock,market,market,"],
            "processes.csv line 3, column 'process': process 'market' has an inflow (output, opening, imports) but no "
            "outflow in 2000-2002; add an outflow or end the inflow",
        ),
        (
            ["ore,outside,mine,ore,ore,North,North,registered,,,,\n"],
            "processes.csv line 2, column 'process': process 'mine' has an outflow (output, tailings) but no inflow in "
            "2000-2002; add an inflow or end the outflow",
        ),
    ],
    ids=["an inflow and no outflow", "a flow from nowhere"],
)
def test_a_system_that_cannot_balance_is_refused(tmp_path: Path, dropped: list[str], says: str) -> None:
    lines = [line for line in FILES["flows.csv"].splitlines(keepends=True) if not line.startswith(tuple(dropped))]
    processes = FILES["processes.csv"].replace("market,use,", "market,,")
    write_case(tmp_path, flows_csv="".join(lines), processes_csv=processes, evidence_csv=None)
    assert says in problems_in(tmp_path)


def test_evidence_against_a_hard_bound_is_refused(tmp_path: Path) -> None:
    rows = (
        "A,trade,oxide,South,North,,,2001,,,,,,N,,,,kt,REO,at_least,,,,,survey,office a,p. 1,class,,\n"
        "B,trade,oxide,South,North,,,2001,,,,,,N,,,,kt,REO,up_to,,,,,survey,office b,p. 2,class,,\n"
    )
    rows = rows.replace(",N,,,", ",N,40,,", 1).replace("N,,,,kt,REO,up_to", "N,0.5,,,kt,REO,up_to")
    write_case(tmp_path, evidence_csv=FILES["evidence.csv"] + rows)
    assert problems_in(tmp_path) == [
        "evidence.csv line 8, column 'value': 'B' says up to 0.5 kt, but 'A' (evidence.csv line 7) says at least 40 kt "
        "of the same flows; the gap is more than their widths can bridge: correct one of them, or give one "
        "a larger width"
    ]


@pytest.mark.parametrize(
    "file", ["processes.csv", "flows.csv", "priors.csv", "evidence.csv", "sources.csv", "case.toml"]
)
def test_an_empty_file_is_named(tmp_path: Path, file: str) -> None:
    write_case(tmp_path)
    (tmp_path / file).write_text(" \n")
    said = problems_in(tmp_path)
    needs = {
        "processes.csv": "process",
        "flows.csv": "flow,from_process,to_process,quantity",
        "priors.csv": "prior,kind",
        "evidence.csv": "id,year_from,unit,source_id",
        "sources.csv": "source_id,class",
    }
    if file == "case.toml":
        assert said == ["case.toml: the file is empty; it must give at least: name, unit, years"]
    else:
        assert said == [f"{file}: the file is empty; its first line must be a header with at least: {needs[file]}"]


def test_a_header_without_rows_is_refused_where_rows_are_needed(tmp_path: Path) -> None:
    header = FILES["priors.csv"].splitlines()[0]
    write_case(tmp_path, priors_csv=header + "\n")
    assert problems_in(tmp_path)[0] == "priors.csv: the file has a header and no rows; add at least one row"


@pytest.mark.parametrize("file", ["case.toml", "processes.csv", "flows.csv", "priors.csv"])
def test_a_missing_file_is_named_with_its_place(tmp_path: Path, file: str) -> None:
    write_case(tmp_path)
    (tmp_path / file).unlink()
    assert problems_in(tmp_path)[0] == f"{file}: the file is missing; it was looked for at '{tmp_path / file}'"


def test_evidence_needs_its_sources(tmp_path: Path) -> None:
    write_case(tmp_path, sources_csv=None)
    assert problems_in(tmp_path) == [
        "sources.csv: the file is missing, but rows cite sources such as 'customs'; add it to the data folder '.'"
    ]


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    write_case(tmp_path)
    (tmp_path / "flows.csv").write_bytes(FILES["flows.csv"].replace("magnets", "aimants frittés").encode("latin-1"))
    (tmp_path / "priors.csv").write_bytes(FILES["priors.csv"].encode("utf-16"))
    said = problems_in(tmp_path)
    assert said == [
        "flows.csv line 8: byte 0xE9 is not UTF-8; save the file with the encoding UTF-8",
        "priors.csv line 1: the file is UTF-16, not UTF-8; save it as 'CSV UTF-8'",
    ]


def test_toml_that_is_not_utf8_or_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    write_case(tmp_path)
    (tmp_path / "case.toml").write_bytes(b'name = "x"\ntitle = "\xff"\n')
    assert problems_in(tmp_path) == ["case.toml line 2: byte 0xFF is not UTF-8; save the file with the encoding UTF-8"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    write_case(tmp_path)
    with (tmp_path / "flows.csv").open("ab") as stream:
        stream.truncate(20_000_001)
    assert problems_in(tmp_path) == ["flows.csv: the file has 20,000,001 bytes; at most 20,000,000 are read: split it"]


def test_a_cell_of_a_hundred_thousand_characters_is_refused(tmp_path: Path) -> None:
    write_case(tmp_path, sources_csv=changed("sources.csv", "Mineral survey", "x" * 100_000))
    assert problems_in(tmp_path) == [
        "sources.csv line 2, column 'title': the cell has 100,000 characters; at most 5,000 are read: shorten it"
    ]


def test_a_quotation_mark_left_open_is_found_where_it_opens(tmp_path: Path) -> None:
    write_case(tmp_path, sources_csv=changed("sources.csv", "Mineral survey", '"Mineral survey'))
    assert problems_in(tmp_path) == [
        "sources.csv line 2: the rest of the file cannot be read as CSV (unexpected end of data); a cell with a comma "
        'or a quotation mark stands in quotes, with the mark inside doubled: "a ""b"""'
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_named(tmp_path: Path, separator: str) -> None:
    write_case(tmp_path, covariates_csv=FILES["covariates.csv"].replace(",", separator))
    name = "semicolons" if separator == ";" else "tabs"
    (said,) = problems_in(tmp_path)
    assert said.startswith(f"covariates.csv line 1: the columns are separated by {name}; save the file with commas")


def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    write_case(tmp_path, covariates_csv=None)
    (tmp_path / "covariates.csv").mkdir()
    assert problems_in(tmp_path)[0].startswith("covariates.csv: the file is a folder; it was looked for at ")


def test_a_data_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    write_case(tmp_path, case_toml=changed("case.toml", "regions =", 'data = "../nowhere"\nregions ='))
    assert problems_in(tmp_path) == [
        f"case.toml line 5, column 'data': the folder '../nowhere' does not exist; it was looked for at "
        f"'{tmp_path}/../nowhere': correct the path, which is relative to the case folder"
    ]


@pytest.mark.parametrize(
    "bomb",
    ["x = " + "[" * 1_500 + "]" * 1_500, "x." + ".".join("a" * 1_500) + " = 1", "[" + ".".join("a" * 1_900) + "]"],
)
def test_a_bomb_of_nested_tables_is_refused_in_words(tmp_path: Path, bomb: str) -> None:
    write_case(tmp_path, case_toml=FILES["case.toml"] + "\n" + bomb + "\n")
    assert problems_in(tmp_path) == ["case.toml: tables or lists are nested too deeply; at most 6 levels are read"]


def test_nothing_is_written_beside_a_case_that_cannot_be_read(tmp_path: Path) -> None:
    before = sorted(p.name for p in write_case(tmp_path).iterdir())
    problems_after(tmp_path, "flows.csv", "ore,outside,mine", "ore,outside,mien")
    assert sorted(p.name for p in tmp_path.iterdir()) == before
