"""What is needed after sampling is tried before: a slip in a headline or a constant does not cost a run."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from pathlib import Path

import pytest

from case_files import FILES, changed, problems_in, write_case
from reeuncert.case.records import Constant, Headline, Prior
from reeuncert.errors import InputError
from reeuncert.inference.provenance import model_sha256
from reeuncert.system.definition import Selector
from reeuncert.validation.reader import problems_of, read_case
from reeuncert.validation.report import check_case

HEADLINE = FILES["case.toml"].partition("[[headline]]")[2]


def with_headline(old: str, new: str) -> str:
    assert HEADLINE.count(old) == 1
    return FILES["case.toml"].replace(HEADLINE, HEADLINE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("import_dependence", "import_dependance", "did you mean 'import_dependence'"),
        ('region = "North"', 'region = "Nroth"', "did you mean 'North'?"),
        ('partner = "South"', 'partner = "Sout"', "did you mean 'South'?"),
        ('product = "oxide"', 'product = "oxid"', "did you mean 'oxide'?"),
        ('product = "oxide"', 'product = "ore"', "flows that the system does not have"),
        ('product = "oxide"', 'product = "refined"', "flows that the system does not have"),
        ('product = "oxide"\n', "", "must also name its product"),
        ("year = 2001", "year = 2000", "flows that the system does not have"),
        ("year = 2001", "year = 0", "it has no cumulative variant"),
        ('"import_dependence"', '"mine_production"', "has no dim 'partner'"),
        ("{median}", "{median:d}", "write {median}"),
        ("{median}", "{0}", "is not known"),
    ],
)
def test_a_headline_that_could_not_be_filled_in_is_an_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    write_case(tmp_path, case_toml=with_headline(old, new))
    (problem,) = problems_in(tmp_path)
    assert problem.startswith("case.toml line ")
    assert said in problem
    assert not check_case(tmp_path).passed


def test_all_headlines_are_told_of_at_once(tmp_path: Path) -> None:
    text = FILES["case.toml"].replace('region = "North"\nyear', 'region = "Nort"\nyear')
    write_case(tmp_path, case_toml=text + "\n[[headline]]" + HEADLINE.replace("import_dependence", "gdp"))
    assert [problem.partition(",")[0] for problem in problems_in(tmp_path)] == [
        "case.toml line 15",
        "case.toml line 22",
    ]


def test_a_headline_of_a_case_in_memory_is_tried_too() -> None:
    case = read_case("small_metal")
    year = case.system.years[0]
    good = Headline("mine_production", region=case.regions[0], year=year, sentence="{median}")
    assert not problems_of(dataclasses.replace(case, headlines=(good,)))
    for bad in (dataclasses.replace(good, sentence="{median:d}"), dataclasses.replace(good, year=1900)):
        (problem,) = problems_of(dataclasses.replace(case, headlines=(good, bad)))
        assert problem.column in ("headline.2", "headline.2.year")


def problems_with(*priors: Prior, drop: str = "") -> str:
    """Problems of a case with further rows of priors, and without one."""
    case = read_case("small_metal")
    kept = (dataclasses.replace(row, line=0) for row in case.priors if row.name != drop)
    return "\n".join(map(str, problems_of(dataclasses.replace(case, priors=(*kept, *priors)))))


def stated(name: str, kind: str, flow: str, *years: int, group: str = "mining") -> Prior:
    return Prior(name, group, kind, Selector.of(flow=flow), years, mode="each", median=0.3, level_sd=0.3)


def test_rows_made_in_memory_are_called_by_their_names() -> None:
    said = problems_with(stated("more", "share", "south_tailings", 2016))
    assert "prior 'more': the share of flow 'south_tailings'" in said
    assert "covered by 'tailings of South' already" in said
    assert "(line 0)" not in said


def test_an_input_that_is_stated_by_two_flows_is_told_so() -> None:
    rows = stated("mined", "input", "south_mine_production", 2016, 2017, 2018, 2019, 2020)
    said = problems_with(rows)
    assert "a row of kind input can state nothing of flow 'south_ore' in 2016-2020: " in said
    late = stated("lost", "input", "south_tailings", 2018, 2019, 2020)
    said = problems_with(dataclasses.replace(rows, years=(2016, 2017)), late, drop="ore of South")
    assert "nothing of flow 'south_mine_production' in 2016-2017: " in said


def test_classes_of_priors_that_a_file_of_results_would_mix_up_are_refused() -> None:
    assert "one name in files" in problems_with(
        stated("a", "share", "south_tailings", 2016, group="end_uses"), drop="tailings of South"
    )


def test_a_constant_in_a_unit_that_is_no_mass_is_an_error(tmp_path: Path) -> None:
    text = FILES["constants.csv"] + "separation_quota,North,oxide,2001,12,Tonnen,,,\n"
    text += "separation_quota,North,oxide,2002,12,,,,\nseparation_quota,South,oxide,2002,12,t,,,\n"
    write_case(tmp_path, constants_csv=text)
    assert [p.partition(":")[0] for p in problems_in(tmp_path)] == [
        "constants.csv line 3, column 'unit'",
        "constants.csv line 4, column 'unit'",
    ]
    case = read_case("small_metal")
    quota = Constant("separation_quota", case.regions[0], "", case.system.years[0], 1.0, "tonnes")
    assert [p.column for p in problems_of(dataclasses.replace(case, constants=(quota,)))] == ["unit"]


@pytest.mark.parametrize(
    ("right", "wrong"), [("import_dependence", "import_dependance"), ("North", "Nroth"), ("oxide", "oxyde")]
)
def test_a_slip_in_a_published_value_is_an_error(tmp_path: Path, right: str, wrong: str) -> None:
    write_case(tmp_path)
    (tmp_path / "reference").mkdir()
    head = "id,source_id,statement,indicator,region,partner,product,year_from,year_to,value,unit\n"
    row = "P1,study,40 %,import_dependence,North,South,oxide,2001,2001,40,%\n".replace(right, wrong)
    (tmp_path / "reference" / "published_reference.csv").write_text(head + row)
    (problem,) = problems_in(tmp_path)
    assert f"did you mean '{right}'?" in problem


@pytest.mark.parametrize("cited", [True, False])
def test_sources_without_a_row(tmp_path: Path, cited: bool) -> None:
    header = FILES["sources.csv"].splitlines()[0] + "\n"
    if cited:
        write_case(tmp_path, sources_csv=header)
        assert [p.partition(":")[0] for p in problems_in(tmp_path)] == ["sources.csv"]
    else:
        other = {"evidence_csv": None, "factors_csv": None, "covariates_csv": None, "constants_csv": None}
        priors = FILES["priors.csv"].replace("tightness,0.5,0.2", ",,")
        write_case(tmp_path, sources_csv=header, priors_csv=priors, **other)
        assert check_case(tmp_path).passed


def test_names_are_composed_in_every_file(tmp_path: Path) -> None:
    """Café of one file, typed as one letter, is the Café of another, typed as e and an accent."""
    one, other = (unicodedata.normalize(form, "Café") for form in ("NFC", "NFD"))
    files = {name.replace(".", "_"): text.replace("North", one) for name, text in FILES.items()}
    write_case(tmp_path, **{**files, "case_toml": FILES["case.toml"].replace("North", other)})
    assert read_case(tmp_path).regions[0] == one


@pytest.mark.parametrize(
    "case_toml",
    [
        "name = tiny\n",
        "",
        FILES["case.toml"].replace("unit =", "unti ="),
        FILES["case.toml"].replace("[2000, 2002]", "2000"),
        FILES["case.toml"].replace("[options.scope]", "[optoins.scope]"),
        FILES["case.toml"].replace('["North", "South"]', '"North"'),
        FILES["case.toml"].replace('title = "', 'titel = "'),
    ],
    ids=["no TOML", "empty", "unit", "years", "options", "regions", "title"],
)
def test_the_tables_are_read_when_the_case_file_has_a_problem(tmp_path: Path, case_toml: str) -> None:
    """And only what is wrong in them is told, not what hangs on the key that cannot be read."""
    flows = changed("flows.csv", "imports,outside", "imports,outsid").replace(",2000,,\n", ",2000,scope=narrow,\n")
    priors = changed("priors.csv", "each,20,30,", "each,x,30,")
    write_case(tmp_path, case_toml=case_toml, flows_csv=flows, priors_csv=priors)
    found = {re.split("[ ,:]", problem)[0] for problem in problems_in(tmp_path)}
    others = [p for p in problems_in(tmp_path) if not p.startswith("case.toml")]
    assert found == {"case.toml", "flows.csv", "priors.csv"}
    assert len(others) == 2


def test_draws_depend_on_the_model_and_not_on_what_is_said_of_it(tmp_path: Path) -> None:
    def key(**files: str) -> str:
        return model_sha256(read_case(write_case(tmp_path, **files)))

    before = key()
    texts = FILES["case.toml"].replace("A mine and a market", "Another title").replace("Imports were", "It was")
    assert key(case_toml=texts) == before
    assert key(constants_csv=FILES["constants.csv"].replace(",12,", ",13,")) == before
    assert key(priors_csv=FILES["priors.csv"].replace("textbooks", "a better book")) == before
    assert key(evidence_csv="\n" + FILES["evidence.csv"].replace("table 1", "table 2")) == before
    different = [
        key(priors_csv=FILES["priors.csv"].replace("each,20", "each,21")),
        key(evidence_csv=FILES["evidence.csv"].replace(",14,,,kt", ",15,,,kt")),
        key(covariates_csv=FILES["covariates.csv"].replace(",0.5,", ",0.6,")),
        key(classes_csv=FILES["classes.csv"].replace(",0.2,", ",0.3,")),
        key(offsets_csv=FILES["offsets.csv"].replace(",0.1,", ",0.2,")),
        key(factors_csv=FILES["factors.csv"].replace(",0.9,", ",0.85,")),
        key(
            processes_csv=FILES["processes.csv"].replace("mining,output", "mining,tailings"),
            priors_csv=FILES["priors.csv"].replace(",,loss,", ",output,,"),
        ),
    ]
    assert len({before, *different}) == 1 + len(different)


def test_what_is_not_an_input_error_is_not_taken_for_one(tmp_path: Path) -> None:
    write_case(tmp_path)
    with pytest.raises(InputError):
        read_case(tmp_path, scope="wid")
