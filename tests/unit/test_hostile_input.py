"""Input made to harm: escaped or refused in readers, tables, terminal, report and plots."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console
from typer.testing import CliRunner

from case_files import FILES, changed, problems_after, problems_in, write_case
from pages import HOSTILE, hostile_result
from reeuncert.case.serial import case_from_json, case_to_json
from reeuncert.checks import all_checks, check
from reeuncert.checks.result import CheckTable, judged
from reeuncert.cli.app import app
from reeuncert.cli.show import show_checks, show_result
from reeuncert.errors import CaseError
from reeuncert.indicators.compute import add_indicators
from reeuncert.reading.bundled import find_case
from reeuncert.result.io import csv_text
from reeuncert.result.result import Result
from reeuncert.result.tables import flow_table, mass_flow
from reeuncert.testing import toy_posterior
from reeuncert.validation.reader import read_case
from reeuncert.words.cells import number_cell

FORMULAS = ("=cmd|' /C calc'!A0", "+SUM(1)", "-2+3", "@SUM(A1)", "\t=1+1")
TURN = "\u202e"
"""Right-to-left override: what follows is shown backwards."""


# Readers


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+SUM(1)", "-2+3", "@SUM(A1)"])
def test_a_name_that_is_a_formula_is_refused(tmp_path, text):
    said = problems_after(tmp_path, "flows.csv", "stock,market,market,stock", f"{text},market,market,stock")
    assert said[0] == (
        f"flows.csv line 6, column 'flow': the name '{text}' starts with '{text[0]}', which spreadsheets run as a "
        "formula; begin it with a letter or a digit"
    )


@pytest.mark.parametrize("mark", ["\u202e", "\u200f", "\u2066", "\u061c"])
def test_direction_marks_are_refused_in_names_and_notes_and_shown_by_their_number(tmp_path, mark):
    wanted = f"the text holds the character U+{ord(mark):04X}, which cannot be seen; delete it"
    name = problems_after(tmp_path / "a", "processes.csv", "mine,North,mining", f"mi{mark}ne,North,mining")
    assert [text for text in name if text.startswith("processes.csv line 2")] == [
        f"processes.csv line 2, column 'process': {wanted}"
    ]
    note = problems_after(tmp_path / "b", "sources.csv", "Mineral survey", f"Mineral {mark}survey")
    assert note == [f"sources.csv line 2, column 'title': {wanted}"]
    title = problems_after(tmp_path / "c", "case.toml", "A mine and a market", f"A {mark}mine")
    assert title == [f"case.toml line 2, column 'title': {wanted}"]
    assert not any(mark in text for text in (*name, *note, *title))


@pytest.mark.parametrize("control", ["\x00", "\x1b[31m", "\x07", "\x7f"])
def test_control_characters_reach_no_terminal(tmp_path, control):
    said = problems_after(tmp_path, "sources.csv", "Mineral survey", f"Mineral {control}survey")
    assert len(said) == 1
    assert f"U+{ord(control[0]):04X}" in said[0] or "cannot be read as CSV" in said[0]
    assert said[0].isprintable()


@pytest.mark.parametrize("name", ["../../x", "..", "a/b", "a\\b", ".hidden", "C:x", "con\x00", "~root", "x" * 101, ""])
def test_a_name_of_a_case_that_is_a_path_is_refused(tmp_path, name):
    escaped = json.dumps(name)
    said = problems_after(tmp_path, "case.toml", 'name = "tiny"', f"name = {escaped}")
    assert len(said) == 1
    assert said[0].startswith("case.toml line 1, column 'name': ")
    assert said[0].endswith("is no plain word; use letters, digits, '_' and '-', and no device of Windows (nul)")


@pytest.mark.parametrize("place", ["/etc", "~/secret", "C:/data", "\\\\server\\share", "../../\u202ex", ""])
def test_a_data_folder_elsewhere_on_the_machine_is_refused(tmp_path, place):
    said = problems_after(tmp_path, "case.toml", 'unit = "kt REO"', f'unit = "kt REO"\ndata = {json.dumps(place)}')
    assert len(said) == 1
    assert "is absolute, which no other machine has" in said[0] or "is no folder; write it relative" in said[0]


@pytest.mark.parametrize("name", ["../../x", "..\\x", "nowhere\x00", "a" * 5000])
def test_a_case_that_is_asked_for_by_a_path_must_be_a_folder(name):
    with pytest.raises(CaseError) as caught:
        find_case(name)
    assert re.search(r"the folder does not exist|this is no path", str(caught.value))
    assert len(str(caught.value)) < 1000


def test_a_thousand_brackets_are_refused(tmp_path):
    for bomb in (f"x = {'[' * 1500}{']' * 1500}", f"x = {'{a=' * 900}1{'}' * 900}", f"{'.'.join('a' * 900)} = 1"):
        text = FILES["case.toml"] + "\n" + bomb + "\n"
        said = problems_in(write_case(tmp_path, case_toml=text))
        assert said == ["case.toml: tables or lists are nested too deeply; at most 6 levels are read"], bomb[:20]


def test_a_line_or_a_file_without_end_is_refused(tmp_path):
    said = problems_in(write_case(tmp_path / "a", case_toml=FILES["case.toml"].replace("A mine", "A " * 3000)))
    assert said == ["case.toml line 2: the line has more than 4,000 characters; break the text over lines"]
    said = problems_in(write_case(tmp_path / "b", case_toml=FILES["case.toml"] + "# comment\n" * 30_000))
    assert said == [f"case.toml: the file has {len(FILES['case.toml']) + 300_000:,} bytes; at most 200,000 are read: "
                    "split it"]  # fmt: skip
    many = "".join(f'[options.o{i}]\ndefault = "a"\nchoices = ["a"]\n' for i in range(4000))
    assert len(read_case(write_case(tmp_path / "c", case_toml=FILES["case.toml"] + many)).options) == 4001


def test_a_cell_of_a_hundred_thousand_characters_is_refused(tmp_path):
    said = problems_after(tmp_path / "a", "sources.csv", "Mineral survey", "M" * 100_000)
    assert said == [
        "sources.csv line 2, column 'title': the cell has 100,000 characters; at most 5,000 are read: shorten it"
    ]
    said = problems_after(tmp_path / "b", "sources.csv", "Mineral survey", "M" * 200_000)
    assert len(said) == 1
    assert "the rest of the file cannot be read as CSV (field larger than field limit (131072))" in said[0]


def test_a_table_of_many_bytes_or_columns_is_refused(tmp_path):
    said = problems_in(write_case(tmp_path / "a", sources_csv=FILES["sources.csv"] + ",\n" * 10_000_000))
    size = len(FILES["sources.csv"]) + 20_000_000
    assert f"sources.csv: the file has {size:,} bytes; at most 20,000,000 are read: split it" in said
    head = ",".join(f"c{i}" for i in range(5000))
    said = problems_in(write_case(tmp_path / "b", covariates_csv=f"{head}\n{head}\n"))
    assert said[0] == "covariates.csv line 1: the header has 5000 columns; at most 200 are read"


@pytest.mark.parametrize("text", ["1e400", "-1e999999", "1e-320", "5e-324", "1e31", "9" * 400, "0." + "0" * 400 + "1"])
def test_huge_and_subnormal_numbers_are_refused(tmp_path, text):
    said = problems_after(tmp_path, "constants.csv", "2001,12,", f"2001,{text},")
    assert len(said) == 1
    assert "is out of range; numbers are 0 or between 1e-30 and 1e+30 in size: check the exponent" in said[0]
    assert len(said[0]) < 250


def test_numbers_of_any_length_cost_no_time():
    assert number_cell("0." + "3" * 4000) == pytest.approx(1 / 3)
    assert number_cell("0" * 4000 + "7") == 7.0


def test_a_case_that_results_carry_may_be_hostile_too():
    case = read_case("small_metal")
    text = case_to_json(case)
    assert case_from_json(text).name == "small_metal"
    deep = '{"format":"reeuncert case","version":1,"case":' + "[" * 100_000 + "]" * 100_000 + "}"
    for bad in (deep, text.replace('"small_metal"', "1"), text.replace('"years":[', '"years":[1e999,'), text[:-2]):
        with pytest.raises(CaseError):
            case_from_json(bad)
    odd = json.loads(text)
    odd["case"][f"<script>{TURN}"] = 1
    with pytest.raises(CaseError) as caught:
        case_from_json(json.dumps(odd))
    assert TURN not in str(caught.value)


def test_a_problem_shown_in_a_terminal_is_text(tmp_path):
    name = "[red]mi[/red]ne[link=http://x]"
    write_case(tmp_path, flows_csv=changed("flows.csv", "tailings,mine,outside", f"tailings,{name},outside"))
    shown = CliRunner().invoke(app, ["check", str(tmp_path)]).stdout
    assert name in shown


# What is written


@pytest.mark.parametrize("text", FORMULAS)
def test_no_table_that_we_write_holds_a_formula(text):
    table = pd.DataFrame({text: [text, "fine"], "value": [-1.0, 2.0]})
    lines = csv_text(table).splitlines()
    back = pd.read_csv(io.StringIO("\n".join(lines)))
    assert back.columns[0] == f"'{text}"
    assert back.iloc[0, 0] == f"'{text}"
    assert back["value"].tolist() == [-1.0, 2.0]


@pytest.fixture(scope="module")
def hostile() -> xr.DataTree:
    """A result in which the name of a region is HTML; not from a case folder, whose reader refuses part of it."""
    return hostile_result()


def test_names_of_flows_that_are_formulas_are_quoted_in_flows_csv(hostile):
    mass = mass_flow(hostile).to_dataset(name="mass_flow")
    names = np.array([f"=cmd|{name}" for name in mass["flow"].values], dtype=object)
    tree = xr.DataTree.from_dict({"posterior": mass.assign_coords(flow=names)})
    rows = csv_text(flow_table(tree)).splitlines()[1:]
    assert rows
    assert all(row.lstrip('"').startswith("'=cmd|") for row in rows)


def test_thresholds_of_checks_are_no_formulas(hostile):
    text = csv_text(check(hostile, ["balance", "convergence"]).to_frame())
    assert "'=" not in text
    sources = Path(find_case.__code__.co_filename).parent.parent / "checks"
    assert not [p.name for p in sources.glob("*.py") if re.search(r'"=\s*0"', p.read_text(encoding="utf-8"))]


def test_a_page_shows_names_as_text(hostile):
    from reeuncert.report.page import render

    derived = add_indicators(hostile)
    result = Result(derived)
    result.keep(all_checks, check(derived, ["balance"]))
    page = render(result)
    assert "<script>window.hacked" not in page
    assert "<b>Nord</b>" not in page
    assert "&lt;b&gt;Nord&lt;/b&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_a_terminal_shows_names_as_text(hostile, capsys, tmp_path):
    table = CheckTable([judged("[bold]x[/bold]", 1.0, "<=", 0, "[link=http://x]y[/link]", "[red]z")])
    result = Result(add_indicators(hostile))
    result.keep(all_checks, table)
    show_result(result, tmp_path)
    shown = capsys.readouterr().out
    assert "[bold]x[/bold]" in shown
    assert "[link=http://x]y[/link]" in shown
    page = Console(file=io.StringIO(), width=120)
    show_checks(table, page)
    assert "[red]z" in page.file.getvalue()


def test_plots_take_names_for_text(hostile):
    """The HTML that Plotly knows (<b>, <a href>) is not read out of a name."""
    from reeuncert.plots.indicator import plot_indicator

    assert HOSTILE in mass_flow(hostile)["origin"].values
    dt = add_indicators(hostile)
    figure = plot_indicator(dt, "net_import_reliance", backend="plotly")
    text = json.dumps(figure.to_plotly_json(), default=str)
    assert "<script>" not in text
    assert "<b>Nord</b>" not in text


@pytest.mark.parametrize("name", ["indicator", "triangle", "sankey", "prior_posterior", "learning"])
def test_matplotlib_reads_no_formula_out_of_a_name(name):
    """Two dollar signs begin and end mathematics, which fails to parse here when the figure is drawn."""
    from reeuncert import plots

    dt = toy_posterior(chains=2, draws=20, years=2)
    groups = {}
    for group in ("posterior", "prior", "sample_stats"):
        data = dt[group].to_dataset()
        texts = {n: (c.dims, [str(v).replace("North", "$_{$") for v in c.values])
                 for n, c in data.coords.items() if c.dtype.kind in "OU"}  # fmt: skip
        groups[group] = data.assign_coords(texts)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {**dt.attrs, "case_json": dt.attrs["case_json"].replace("North", "$_{$")}
    tree = add_indicators(tree)
    more = {
        "indicator": ("net_import_reliance",), "prior_posterior": ("net_import_reliance",),
    }.get(name, ())  # fmt: skip
    where = {"triangle": {"year": 2002, "product": ["concentrate", "refined"]}, "sankey": {"year": 2002}}.get(name)
    figure = getattr(plots, f"plot_{name}")(tree, *more, backend="matplotlib", **({"coords": where} if where else {}))
    figure.savefig(io.BytesIO(), format="svg")


def test_a_message_of_any_length_is_cut():
    with pytest.raises(CaseError) as caught:
        read_case("small_metal", **{"o" * 100_000: "x"})
    assert len(str(caught.value)) < 500
