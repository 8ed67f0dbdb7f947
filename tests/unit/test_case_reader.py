"""Reading of whole cases: what the records hold, options, where cases are found, and what a report says."""

from __future__ import annotations

import contextlib
import hashlib
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from case_files import FILES, changed, every_digit, problems_in, write_case
from reeuncert.case.records import Constant, ErrorClass, ErrorTails, Factor, Headline, Offset, Source
from reeuncert.errors import CaseError, InputError
from reeuncert.reading.case_file import read_case_file
from reeuncert.reading.toml import line_of
from reeuncert.system.definition import Flow, Process, Selector
from reeuncert.validation.reader import read_case


def test_the_records_hold_what_the_tables_say(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    assert (case.name, case.system.unit, case.system.years) == ("tiny", "kt REO", (2000, 2001, 2002))
    assert case.system.processes[1] == Process("market", "North", "market", ("use",))
    assert case.system.flows[5] == Flow(
        "imports", "outside", "market", "trade", "oxide", "South", "North", "registered", "", (2001, 2002)
    )
    stock = case.priors[3]
    assert (stock.name, stock.kind, stock.selector, stock.line) == (
        "carried over",
        "share",
        Selector.of(flow="stock"),
        5,
    )
    assert (stock.median, stock.level_sd, stock.year_sd, stock.correlation) == (0.2, 0.5, 0.3, 0.5)
    assert (stock.slope_on, stock.slope, stock.slope_sd, stock.split_sd) == ("tightness", 0.5, 0.2, 0.0)
    assert math.isnan(stock.median_to)
    assert case.priors[0].median_to == 30
    assert case.sources["customs"] == Source(
        "customs", "Foreign trade", "Office", "2003", "p. 2", "free", "customs", "record"
    )
    assert case.classes["record"] == ErrorClass("record", "customs", 0.2, 0.05, True, "less so")
    assert case.factors == {"oxide": Factor("oxide", 0.9, 0.8, 0.95, "survey")}
    assert case.offsets == {"bias": Offset("bias", 0.0, 0.1, "year", "normal", "headings", line=2)}
    assert case.covariates == {"tightness": {2000: 0.0, 2001: 0.5, 2002: 1.0}}
    assert case.constants == (Constant("quota", "North", "oxide", 2001, 12.0, "kt REO", "survey"),)
    assert case.headlines == (
        Headline(
            "import_dependence",
            "North",
            "South",
            "oxide",
            2001,
            "Imports were {median} ({lower} to {upper}) {unit}.",
        ),
    )
    assert (case.options, case.option_choices) == ({"scope": "narrow"}, {"scope": ("narrow", "wide")})


def test_evidence_rows_keep_their_own_units_and_say_where_they_stand(tmp_path: Path) -> None:
    exact, about, gross, span, share = read_case(write_case(tmp_path)).evidence
    assert (exact.value, exact.unit, exact.basis, exact.resolution, exact.line) == (14.0, "kt", "REO", 1.0, 2)
    assert (exact.relation, exact.span, exact.years, exact.lineage, exact.of) == (
        "level",
        "sum",
        (2000,),
        "survey",
        None,
    )
    assert (about.value, about.unit, about.alternative, about.alternative_weight) == (15000.0, "t", 16000.0, 0.3)
    assert (gross.basis, gross.offsets, gross.lineage, gross.file) == ("gross", ("bias",), "customs", "evidence.csv")
    assert math.isnan(span.value)
    assert (span.low, span.high, span.qualifier) == (3.0, 6.0, "range")
    assert (share.relation, share.span, share.years, share.of) == (
        "share",
        "mean",
        (2000, 2001, 2002),
        Selector.of(quantity="stock+end_use"),
    )


def test_every_file_that_was_read_is_hashed(tmp_path: Path) -> None:
    case = read_case(write_case(tmp_path))
    assert sorted(case.hashes) == sorted(FILES)
    assert case.hashes["flows.csv"] == hashlib.sha256(FILES["flows.csv"].encode()).hexdigest()


def test_evidence_may_lie_in_a_folder_beside_the_case(tmp_path: Path) -> None:
    text = changed("case.toml", "regions =", 'data = "../../data"\nregions =')
    data = ("sources.csv", "classes.csv", "factors.csv", "offsets.csv", "evidence.csv")
    write_case(tmp_path / "models" / "tiny", case_toml=text, **{d.replace(".", "_"): None for d in data})
    for name in data:
        place = tmp_path / "data" / ("evidence/first.csv" if name == "evidence.csv" else name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(FILES[name])
    case = read_case(tmp_path / "models" / "tiny")
    assert {row.file for row in case.evidence} == {"evidence/first.csv"}
    (tmp_path / "data" / "evidence.csv").write_text(FILES["evidence.csv"].replace("14,,,kt", "y,,,kt"))
    said = problems_in(tmp_path / "models" / "tiny")
    assert said[0] == (
        "evidence.csv line 2, column 'value': 'y' is no number; write digits with a decimal point, e.g. 12.5 or 1e-3"
    )
    assert said[1] == (
        "evidence/first.csv line 2, column 'id': the id 'M0' is given at evidence.csv line 2 already; delete one of "
        "the rows, or rename it"
    )


def test_a_case_with_priors_only_needs_no_data(tmp_path: Path) -> None:
    data = ("sources", "classes", "factors", "offsets", "evidence", "constants", "covariates")
    priors = FILES["priors.csv"].replace("tightness,0.5,0.2", ",,")
    case = read_case(write_case(tmp_path, priors_csv=priors, **{f"{d}_csv": None for d in data}))
    assert (case.evidence, case.sources) == ((), {})


def test_options_choose_rows_and_the_default_is_what_the_case_says(tmp_path: Path) -> None:
    rows = FILES["flows.csv"].replace("2001-2002,,\n", "2001-2002,scope=narrow,\n")
    rows += "imports,outside,market,trade,oxide,South,North,registered,,2000-2002,scope=wide,\n"
    priors = changed("priors.csv", "input,imports,,2001-2002", "input,imports,,")
    write_case(tmp_path, flows_csv=rows, priors_csv=priors)
    assert read_case(tmp_path).system.flows[-2].years == (2001, 2002)
    wide = read_case(tmp_path, scope="wide")
    assert [f.years for f in wide.system.flows if f.name == "imports"] == [(2000, 2001, 2002)]
    assert wide.options == {"scope": "wide"}
    assert every_digit(read_case(str(tmp_path), scope="narrow")) == every_digit(read_case(tmp_path))


def test_a_reference_may_name_flows_of_other_options(tmp_path: Path) -> None:
    rows = FILES["flows.csv"] + "sale,market,outside,end_use,oxide,North,North,registered,,,scope=wide,\n"
    processes = changed("processes.csv", "market,use,", "market,sale|use,")
    write_case(tmp_path, flows_csv=rows, processes_csv=processes)
    assert read_case(tmp_path).system.processes[1].reference_outflow == ("use",)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"scoope": "wide"},
            "case.toml, column 'options': option 'scoope' is not known; use one of: scope; did you mean 'scope'? "
            "(options of this case)",
        ),
        (
            {"scope": "whide"},
            "case.toml, column 'options.scope': for option 'scope' the choice 'whide' is not known; use one of: "
            "narrow, wide; did you mean 'wide'?",
        ),
        (
            {"scope": True},
            "case.toml, column 'options.scope': for option 'scope' the choice 'True' is not known; use one of: "
            "narrow, wide",
        ),
    ],
)
def test_unknown_options_and_choices_are_refused(tmp_path: Path, options: dict[str, str], says: str) -> None:
    write_case(tmp_path)
    with pytest.raises(CaseError) as error:
        read_case(tmp_path, **options)
    assert [str(p) for p in error.value.problems] == [says]


@pytest.mark.parametrize("measure", ["mass", "shares"])
def test_priors_as_densities_are_read_and_checked(tmp_path: Path, measure: str) -> None:
    toml = changed("case.toml", "regions =", f'prior_measure = "{measure}"\nregions =')
    head = "prior,kind,flow,mode,family,a,b\n"
    if measure == "mass":
        rows = "all,flow,ore+output+tailings+opening+stock+imports+use,each,lognormal,5,0.5\n"
        last = "all,flow,ore+output+tailings+opening+stock+imports,each,lognormal,5,0.5\n"
        says = "priors.csv: no row covers use in 2000; write family = flat if nothing is known"
    else:
        rows = "inputs,input,ore+opening+imports,each,lognormal,5,0.5\n"
        last = rows + "parts,share,output+tailings,each,dirichlet,2,\n"
        rows = last + "rest,share,use+stock,each,dirichlet,1,\n"
        says = (
            "priors.csv: the shares of 'market' in 2000 need one row each: dirichlet for all, or for all but the "
            "reference logistic_normal, or one of beta, triangular, uniform"
        )
    case = read_case(write_case(tmp_path, case_toml=toml, priors_csv=head + rows))
    assert case.prior_measure == measure
    (tmp_path / "priors.csv").write_text(head + last)
    assert problems_in(tmp_path)[0] == says


def test_the_tails_of_errors_are_numbers_of_the_case(tmp_path: Path) -> None:
    toml = FILES["case.toml"]
    folder = write_case(tmp_path, case_toml=toml + "\n[errors]\ndegrees_of_freedom = 2\noutlier_share = 0.2\n")
    assert read_case(folder).errors == ErrorTails(2.0, 0.2, 2.0)
    (tmp_path / "case.toml").write_text(toml + "\n[errors]\ndegrees_of_freedom = 0.5\noutlier_sd = nan\n")
    line = toml.count("\n") + 3
    assert problems_in(tmp_path) == [
        f"case.toml line {line}, column 'errors.degrees_of_freedom': 0.5 is not between 1 and 100",
        f"case.toml line {line + 1}, column 'errors.outlier_sd': nan is not between 0.01 and 10",
    ]


def test_totals_and_splits_are_covered_and_checked(tmp_path: Path) -> None:
    flows = FILES["flows.csv"] + "export,market,outside,trade,oxide,North,South,registered,,2001-2002,,\n"
    priors = changed("priors.csv", "share,stock,,,each,", "share,stock+export,,,total,")
    write_case(tmp_path, flows_csv=flows, priors_csv=priors, evidence_csv=None)
    assert problems_in(tmp_path) == [
        "priors.csv line 5, column 'split_sd': the row is of a total, and nothing says how it is split; give split_sd "
        "above 0, or rows of kind split"
    ]
    split = "part,trade,split,stock,,2001-2002,each,0.6,,0.5,,,,,,,,,,half\n"
    (tmp_path / "priors.csv").write_text(priors + split)
    assert [p.kind for p in read_case(tmp_path).priors].count("split") == 1
    (tmp_path / "priors.csv").write_text(priors + split.replace("split,stock", "split,export"))
    says = "priors.csv line 7, column 'flow': a row of kind split can state nothing of flow 'export' in 2001-2002: "
    assert [problem.partition("a reference")[0] for problem in problems_in(tmp_path)] == [says]
    (tmp_path / "priors.csv").write_text(priors + split.replace("part,trade,split", "part,trade,share"))
    assert "a row of kind share can state nothing of flow 'stock' in 2001-2002: " in "".join(problems_in(tmp_path))


def test_rows_that_share_a_level_must_agree_on_it(tmp_path: Path) -> None:
    text = FILES["priors.csv"].replace("0.5,0.2,0.6,,,,,,,,a round", "0.5,0.2,0.6,,,,,both,,,a round")
    text = text.replace("0.7,0.3,0.5,,,,,,,,small", "0.7,0.3,0.5,,,,,both,,,small")
    write_case(tmp_path, priors_csv=text)
    assert problems_in(tmp_path) == [
        "priors.csv line 6, column 'level_sd': the row shares its level ('both') with 'mining' (line 2), whose "
        "level_sd is 0.5; write the same, or another name in shared"
    ]


def test_lines_of_keys_are_found_in_lists_of_tables() -> None:
    text = 'a = 1\n[[headline]]\nyear = 1\n\n[[headline]]\nindicator = "x"\nyear = 2\n'
    assert line_of(text, ("headline", 1, "year")) == 7
    assert line_of(text, ("headline", 0, "year")) == 3
    assert line_of(text, ("headline", 1, "region")) == 5
    assert line_of(text, ("b",)) == 0
    assert line_of('[options.x]\nchoices = ["a", 1]\n', ("options", "x", "choices", 1)) == 2


WORDS = [
    *('name = "x"', "unit =", '"kt"', "years", "= [2000, 2001]", "[options.a]", "choices", "[[headline]]", "year = 1"),
    *("=", "[", "]", "{", "}", "1e999", "nan", "2020-01-01", "'", '"""', "\\", "é", "\0", "\n", "\n", "\n", "."),
]
TOML = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TOML | st.text(max_size=100))
def test_any_text_is_a_case_file_or_problems_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "case.toml").write_bytes(text.encode("utf-8", "replace"))
    found = read_case_file(tmp_path / "case.toml", {})
    assert bool(found.problems) or not found.unclear
    assert all(p.message for p in found.problems)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from(sorted(FILES)),
    where=st.floats(0, 1),
    length=st.integers(0, 12),
    new=st.text(alphabet=st.sampled_from('ab1209.,;"\n=+-|[]\u202e\0é '), max_size=6),
)
def test_any_change_of_any_file_gives_a_case_or_one_error(
    tmp_path: Path, file: str, where: float, length: int, new: str
) -> None:
    write_case(tmp_path)
    text = FILES[file]
    start = int(where * len(text))
    (tmp_path / file).write_text(text[:start] + new + text[start + length :], encoding="utf-8", newline="")
    with contextlib.suppress(InputError):
        read_case(tmp_path)


def test_tables_may_give_labels_and_the_case_a_glossary(tmp_path: Path) -> None:
    processes = (
        changed("processes.csv", "outflow,note", "outflow,note,label")
        .replace(",use,", ",use,,The shop")
        .replace("output,", "output,,")
    )
    settings = changed("case.toml", "[[headline]]", '[glossary]\nREO = "as oxides"\n\n[[headline]]')
    case = read_case(write_case(tmp_path, processes_csv=processes, case_toml=settings))
    assert [process.label for process in case.system.processes] == ["", "The shop"]
    assert case.glossary == {"REO": "as oxides"}
