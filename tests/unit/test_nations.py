"""The case of ten regions: its tables come from its script, and its priors agree with the case of three regions."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from reeuncert.case.restriction import restrict
from reeuncert.plots import trade_matrix_data
from reeuncert.priors.implied import implied_flows
from reeuncert.report import SECTIONS
from reeuncert.report.page import render
from reeuncert.report.sections.trade import WIDEST
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior
from reeuncert.validation.reader import read_case

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nations_make", MODELS / "make" / "nations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_that_the_script_writes(script: ModuleType, tmp_path: Path, monkeypatch) -> None:
    again = shutil.copytree(MODELS / "nations", tmp_path / "nations")
    monkeypatch.setattr(script, "CASE", again)
    script.main()
    tables = sorted(path.relative_to(again) for path in again.rglob("*.csv"))
    assert len(tables) > 10
    assert [t for t in tables if (again / t).read_bytes() != (MODELS / "nations" / t).read_bytes()] == []


def test_sums_over_the_members_of_the_rest_of_the_world_have_the_same_prior(script: ModuleType) -> None:
    """Medians and spreads within a half, in the first year. What is not modelled sets them apart."""
    others = script.OTHERS.split("+")
    regions = {"China": ["China"], "United States": ["United States"], "RoW": others}
    products = {"salt": "compounds", "oxide": "compounds"}
    drawn = []
    for name in ("nations", "china_us_row"):
        case = restrict(read_case(name), [2000])
        network, log_mass = implied_flows(case, draws=600)
        of = {
            case.system.flows[i].name: column for i, column in zip(network.edge_flow, np.exp(log_mass).T, strict=True)
        }
        drawn.append((case.system.flows, of))

    def total(case: int, quantity: str, origin: str, destination: str, product: str) -> np.ndarray:
        flows, of = drawn[case]
        found = [
            of[f.name]
            for f in flows
            if f.quantity == quantity
            and f.origin in (regions[origin] if case == 0 else [origin])
            and f.destination in (regions[destination] if case == 0 else [destination])
            and product == products.get(f.product, f.product)
        ]
        return np.sum(found, axis=0)

    asked = [
        *(("apparent_consumption", r, r, p) for r in regions for p in ("compounds", "metal")),
        *(("mine_production", r, r, "concentrate") for r in regions),
        *(("trade", "China", r, p) for r in ("United States", "RoW") for p in ("compounds", "metal")),
        *(("unrecorded_trade", "China", r, p) for r in ("United States", "RoW") for p in ("compounds", "metal")),
    ]
    apart = {}
    for what in asked:
        here, there = (np.log(total(case, *what)) for case in (0, 1))
        apart[what] = np.median(here) - np.median(there), here.std() / there.std()
    assert {k: v for k, v in apart.items() if abs(v[0]) > np.log(1.5) or not 0.66 < v[1] < 1.5} == {}


def test_the_report_has_matrices_where_regions_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reeuncert.report.sections.trade.MANY", 3)
    section = next(s for s in SECTIONS if s.id == "triangle")
    dt = toy_posterior(chains=2, draws=30, years=2)
    page = render(Result(dt), sections=(section,))
    assert 'id="fig-matrix-2002"' in page
    assert 'id="fig-exports-2"' in page
    refined = page.split('class="chords"')[1]
    assert "North → South: " in refined
    widths = [float(width) for width in re.findall(r"stroke-width:([\d.]+)", refined)]
    assert max(widths) == pytest.approx(WIDEST)
    table = page.split("Net exports of every pair</h3>")[1]
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>\s*<td[^>]*data-v=\"(.*?)\"", table)
    found = {row[:3]: float(row[3]) for row in rows}
    expected = trade_matrix_data(dt, coords={"year": 2002, "product": "powder"}).set_index(["exporter", "importer"])
    assert found["North", "South", "powder"] == pytest.approx(expected.loc[("North", "South"), "net_median"])
    assert ("South", "North", "powder") not in found


def test_every_sentence_stands_alone() -> None:
    sentences = [headline.sentence for headline in read_case("nations").headlines]
    assert [s for s in sentences if not re.match(r"[A-Z]", s) or not s.endswith(".") or re.search(r"\bits?\b", s)] == []
