"""The steps of the how-to pages, taken: their blocks are the files and rows that are tried here."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pytest

import reeuncert as ree
from reeuncert.errors import CaseError
from reeuncert.importers import import_files
from reeuncert.outlook.delays import learn_delays
from reeuncert.outlook.future import openings
from reeuncert.outlook.reading import read_plans

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "howto"
BLOCK = re.compile(r"^```\{code-block\} \w+\n:caption: ([^\n]+)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> dict[str, str]:
    """Caption → text of every captioned block of a page."""
    return dict(BLOCK.findall((PAGES / f"{page}.md").read_text(encoding="utf-8")))


@pytest.fixture
def my_case(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "models" / "small_metal", tmp_path / "my_case"))


def add_rows(my_case: Path, rows: dict[str, str], *names: str) -> None:
    for name in names:
        with (my_case / name).open("a", encoding="utf-8", newline="") as file:
            file.write(rows[f"my_case/{name}"])


def test_a_region_is_added_by_its_rows(my_case: Path) -> None:
    said = blocks("region")
    settings = my_case / "case.toml"
    text = settings.read_text(encoding="utf-8")
    line = said["my_case/case.toml"].strip()
    assert len(re.findall(r"^regions = .*$", text, re.MULTILINE)) == 1
    settings.write_text(re.sub(r"^regions = .*$", line, text, flags=re.MULTILINE), encoding="utf-8")
    add_rows(my_case, said, "processes.csv", "flows.csv")
    before = ree.check_case(my_case)
    assert [problem.message for problem in before.errors] == [said["reeuncert check ./my_case, before step 4"].strip()]
    add_rows(my_case, said, "priors.csv", "evidence.csv")
    after = ree.check_case(my_case)
    assert after.passed, str(after)
    case = ree.read_case(my_case)
    assert case.regions == ("South", "North", "East")
    assert {"E1", "E2"} <= {row.id for row in case.evidence}


def test_a_source_is_added_by_its_rows(my_case: Path) -> None:
    said = blocks("source")
    known = ree.read_case(my_case)
    add_rows(my_case, said, "classes.csv", "sources.csv", "evidence.csv")
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    case = ree.read_case(my_case)
    assert len(case.evidence) == len(known.evidence) + 2
    assert case.sources["port"].error_class == "weighed"


def test_a_misspelt_unit_is_answered_as_the_page_says(my_case: Path) -> None:
    said = blocks("source")
    said["my_case/evidence.csv"] = said["my_case/evidence.csv"].replace(",kt,Li,", ",ktons,Li,", 1)
    add_rows(my_case, said, "classes.csv", "sources.csv", "evidence.csv")
    report = ree.check_case(my_case)
    assert [str(problem) for problem in report.errors] == [said['message for the unit "ktons"'].strip()]


def test_errors_are_shared_as_the_page_says(my_case: Path) -> None:
    said = blocks("shared")
    add_rows(my_case, said, "sources.csv")
    (my_case / "evidence").mkdir()
    for name in ("classes.csv", "offsets.csv", "evidence/yearbook.csv"):
        (my_case / name).write_text(said[f"my_case/{name}"], encoding="utf-8")
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    assert dict(report.information)["prints in more than one row"] == "yearbook 2018 (2)"
    labels = ree.build_model(ree.read_case(my_case)).coords["offset_value"]
    assert {"yearbook 2017", "print yearbook 2018", "yearbook (customs) persistent"} < set(labels)


def test_elements_are_spoken_of_as_the_page_says(my_case: Path) -> None:
    said = blocks("elements")
    (my_case / "evidence").mkdir()
    for name in ("contents.csv", "evidence/elements.csv"):
        (my_case / name).write_text(said[f"my_case/{name}"], encoding="utf-8")
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    assert not report.warnings, str(report)
    labels = ree.build_model(ree.read_case(my_case)).coords["offset_value"]
    glass = [f"content glass {year}" for year in (2016, 2017, 2018)]
    assert list(labels) == ["content ore of South", "content brine of North", *glass]


def test_a_published_case_is_written_as_the_page_says(my_case: Path) -> None:
    said = blocks("published")
    flows = my_case / "flows.csv"
    renewed = {line.split(",")[0] for line in said["my_case/flows.csv"].splitlines()}
    kept = [line for line in flows.read_text("utf-8").splitlines() if line.split(",")[0] not in renewed]
    flows.write_text("\n".join(kept) + "\n", encoding="utf-8")
    add_rows(my_case, said, "flows.csv", "priors.csv", "classes.csv", "sources.csv")
    (my_case / "evidence").mkdir()
    (my_case / "evidence" / "stocks.csv").write_text(said["my_case/evidence/stocks.csv"], encoding="utf-8")
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    assert not report.warnings, str(report)


def test_a_ratio_is_an_expression_as_the_page_says(my_case: Path) -> None:
    said, settings = blocks("ratio"), my_case / "case.toml"
    text = settings.read_text(encoding="utf-8") + "\n" + said["my_case/case.toml"]
    settings.write_text(text, encoding="utf-8")
    case = ree.read_case(my_case)
    assert case.headlines[-1].indicator == case.indicators[0].name == "loss_rate"
    settings.write_text(text.replace('quantity = "ore"', 'quantity = "oer"'), encoding="utf-8")
    found = ree.check_case(my_case).errors
    assert [str(problem) for problem in found] == [said['with quantity = "oer" in the denominator'].strip()]


@pytest.mark.slow
def test_the_tutorial_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands and lines of Python, with short chains."""
    from typer.testing import CliRunner

    from reeuncert.cli.app import app

    page = (PAGES.parent / "tutorial.md").read_text(encoding="utf-8")
    said = dict(BLOCK.findall(page))
    monkeypatch.chdir(tmp_path)
    row = said["my_metal/evidence.csv, with a mistake"].strip()
    commands = re.findall(r"^\$ reeuncert (.*)$", page, re.MULTILINE)
    assert [line.split()[0] for line in commands] == ["cases", "new", "check", "run", "run", "compare"]
    for line in commands:
        short = ["--draws", "20", "--tune", "60", "--chains", "2", "--quiet"] if line.startswith("run") else []
        if line.startswith("run") and "second" in line:
            table = tmp_path / "my_metal" / "evidence.csv"
            text = table.read_text(encoding="utf-8")
            table.write_text(f"{text}{row}\n", encoding="utf-8")
            (problem,) = ree.check_case("my_metal").errors
            assert str(problem) == said["what the check says"].strip()
            table.write_text(f"{text}{row.replace('ktons', 'kt')}\n", encoding="utf-8")
        done = CliRunner().invoke(app, [*line.split(), *short])
        assert done.exit_code == 0, done.output
    assert "evidence N4" in done.output
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(compile(code, "tutorial.md", "exec"), {})


ROWS = {
    "ratio": "import loss_rate",
    "plot": "import reeuncert.plots as p, losses as l; p.losses_data, p.plot_losses = l.losses_data, l.plot_losses",
    "check": "import stocks; from reeuncert.checks import CHECKS; CHECKS['stocks'] = stocks.check",
}
"""Page → what stands for the row that it asks for: the package itself is not written to."""


def test_pages_with_code_give_code_that_passes_its_tests(tmp_path: Path) -> None:
    # In a process of their own: what a page registers must not be there for other tests.
    (tmp_path / "conftest.py").write_text("\n".join(ROWS.values()) + "\n", encoding="utf-8")
    for page in ROWS:
        files = {name: text for name, text in blocks(page).items() if name.endswith(".py")}
        assert any(name.startswith("src/") for name in files)
        for name, text in files.items():
            (tmp_path / Path(name).name).write_text(text, encoding="utf-8")
        others = [text for name, text in blocks(page).items() if name == "in a notebook"]
        (tmp_path / f"test_notebook_{page}.py").write_text(
            "def test_lines() -> None:\n    pass\n" + "".join(f"\n\n{text}" for text in others), encoding="utf-8"
        )
    command = [sys.executable, "-m", "pytest", "-q", "--doctest-modules", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", ROWS)
def test_code_of_a_page_is_clean(page: str, tmp_path: Path) -> None:
    for name, text in blocks(page).items():
        if name.startswith("src/"):
            file = tmp_path / Path(name).name
            file.write_text(text, encoding="utf-8")
            settings = ["--config", str(ROOT / "pyproject.toml")]
            for arguments in (["check", *settings], ["format", "--check", *settings]):
                done = subprocess.run(
                    [sys.executable, "-m", "ruff", *arguments, str(file)], capture_output=True, text=True, timeout=60
                )
                assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_is_in_the_index() -> None:
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    named = index.split("```{toctree}")[1].split("```")[0].split()[2:]
    assert sorted(named) == sorted(path.stem for path in PAGES.glob("*.md") if path.stem != "index")


def test_a_study_is_asked_by_its_file(my_case: Path) -> None:
    from reeuncert.edits import EDITS
    from reeuncert.errors import CaseError
    from reeuncert.studies.jobs import FitSettings
    from reeuncert.studies.sensitivity import plan_study, scenarios_asked

    said = blocks("study")
    text = said["my_case/scenarios.toml"]
    file = my_case / "scenarios.toml"
    case = ree.read_case(my_case)
    file.write_text(text, encoding="utf-8")
    jobs = plan_study(case, scenarios_asked(None, file), FitSettings())
    assert len(jobs) == 6
    assert len({job.shape for job in jobs}) == 2
    page = (PAGES / "study.md").read_text(encoding="utf-8")
    kinds = re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE)
    assert [kind for kind, _ in kinds] == list(EDITS)
    for kind, told in kinds:
        known = EDITS[kind].__dataclass_fields__  # type: ignore[attr-defined]  # every kind is a dataclass
        assert set(re.findall(r"`(\w+)`", told)) <= set(known), kind
    file.write_text(text.replace("group=recoveries", "group=recovery"), encoding="utf-8")
    with pytest.raises(CaseError) as caught:
        plan_study(case, scenarios_asked(None, file), FitSettings())
    assert str(caught.value.problems[0]) == said["with group=recovery"].strip()


def sheet_or_text(caption: str, text: str) -> None:
    """Write a file of a page; a caption with a sheet is one of a workbook."""
    name, _, sheet = caption.partition(", sheet ")
    if not sheet:
        Path(name).write_text(text, encoding="utf-8")
        return
    book = openpyxl.load_workbook(name) if Path(name).exists() else openpyxl.Workbook()
    if book.sheetnames == ["Sheet"]:
        book.remove(book.active)
    page = book.create_sheet(sheet)
    for cells in csv.reader(text.splitlines()):
        page.append([int(cell) if cell.isdigit() else cell or None for cell in cells])
    book.save(name)


def test_files_of_statistical_offices_are_imported_checked_and_sampled(
    my_case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page with one command for a kind; all in one case, which is then sampled."""
    from typer.testing import CliRunner

    from reeuncert.cli.app import app
    from reeuncert.importers import IMPORTERS

    monkeypatch.chdir(my_case.parent)
    said, commands, answers = blocks("import") | blocks("import_offices"), {}, {}
    for page in ("import", "import_offices"):
        text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
        commands |= {
            line.split()[1]: line for line in re.findall(r"^\$ reeuncert (import (?!KIND).*)$", text, re.MULTILINE)
        }
    for caption, text in said.items():
        if "." in caption and not caption.startswith("my_case"):
            sheet_or_text(caption, text)

    def run(line: str) -> str:
        done = CliRunner().invoke(app, line.split())
        assert done.exit_code == 0, done.output
        return done.output

    assert set(commands) == set(IMPORTERS)
    for kind, line in commands.items():
        mapping, table = Path(f"my_case/imports/{kind}.csv"), Path(f"my_case/evidence/{kind}.csv")
        assert "fill the column 'to'" in run(line)
        draft, filled = (text.splitlines() for text in (mapping.read_text(encoding="utf-8"), said[str(mapping)]))
        words = [row.split(",")[:3] for row in filled]
        assert [row.split(",")[:3] for row in draft if row.split(",")[:3] in words] == words
        mapping.write_text(said[str(mapping)], encoding="utf-8")
        answers[kind] = run(line)
        assert "fill the column 'to'" not in answers[kind]
        if str(table) in said:
            assert table.read_text(encoding="utf-8") == said[str(table)]
    assert said["what the import names"].strip() in answers["comtrade"]
    later = commands["usgs-mcs"].replace("mcs2020-lithi_world.csv", "mcs2021-lithi_world.csv")
    assert said["what the second release is answered with"].strip() in run(later)
    report = ree.check_case(my_case)
    assert report.passed, str(report)
    case = ree.read_case(my_case)
    assert {row.id.partition("_")[0] for row in case.evidence} > set(IMPORTERS)
    posterior = ree.preview(case, seed=1)["posterior"]
    assert np.isfinite(posterior["z"]).all()


def test_a_project_is_added_to_an_outlook_by_its_rows(my_case: Path) -> None:
    said = blocks("outlook")
    folder = my_case / "outlook"
    folder.mkdir()
    for name in ("sources.csv", "projects.csv", "delays.csv", "growth.csv", "scenarios.toml"):
        (folder / name).write_text(said[f"my_case/outlook/{name}"], encoding="utf-8")
    case = ree.read_case(my_case)
    plans = read_plans(folder, case)
    assert plans.projects[0].mass(case.system.unit) == pytest.approx(25 * 0.188)
    learned, fails = plans.scenarios
    assert (learned.fails, fails.fails) == ((), ("Second refinery",))
    never = [np.isinf(openings(plans, chosen, (2021, 2026), 50, 1).start).all(axis=1) for chosen in plans.scenarios]
    assert [list(closed) for closed in never] == [[False, False], [True, False]]
    assert [q.partner for q in plans.questions] == ["South"]
    late = learn_delays(plans.delays).draw(np.random.default_rng(1), plans.projects, 500, now=2021.0)
    assert np.isinf(late[1]).mean() > np.isinf(late[0]).mean()
    with (folder / "projects.csv").open("a", encoding="utf-8") as file:
        file.write(said["my_case/outlook/projects.csv, wrong"])
    with pytest.raises(CaseError) as refused:
        read_plans(folder, case)
    told = [str(problem) for problem in refused.value.problems]
    for line in said["reeuncert outlook my_case"].strip().splitlines():
        assert any(problem.startswith(line) for problem in told), told


def test_files_of_bilateral_trade_are_added_to_the_case_of_ten_regions(tmp_path: Path, monkeypatch) -> None:
    said = blocks("nations")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "models" / "nations", tmp_path / "my_nations")
    files = ["BACI_HS22_Y2023_V202601.csv", "country_codes_V202601.csv", "comtrade.csv"]
    for name in files:
        (tmp_path / name).write_text(said[name], encoding="utf-8")
    done = import_files("baci", files[:2], "my_nations", products=["28"])
    assert str(done).startswith(said["what the import of BACI says"].strip())
    assert not done.unmapped
    trade = import_files("comtrade", files[2], "my_nations", products=["28"])
    assert (trade.unmapped, len(trade.new)) == ([], 2)
    assert len(ree.read_case("my_nations").evidence) == len(ree.read_case("nations").evidence) + 6
