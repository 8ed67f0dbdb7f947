"""Data flow one way: the contracts of pyproject.toml hold and catch what breaks them; no import goes in a circle."""

import copy
from pathlib import Path

import grimp
import pytest
from importlinter.application import use_cases
from importlinter.cli import lint_imports
from importlinter.domain.contract import Contract, registry

from contract.imports import cycles, import_graph, rooms

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
BREACHES = {
    "case records → TOML reader": ("reeuncert.case.records", "reeuncert.reading.toml"),
    "indicators → reference": ("reeuncert.indicators.consumption", "reeuncert.reference"),
    "report → testing": ("reeuncert.report.page", "reeuncert.testing"),
    "report → likelihood kernels": ("reeuncert.report.page", "reeuncert.likelihood.kernels"),
    "indicators → pymc": ("reeuncert.indicators.consumption", "pymc"),
    "plots → pymc": ("reeuncert.plots.sankey", "pymc"),
    "case → report": ("reeuncert.case.serial", "reeuncert.report.page"),
    "rules of tables → likelihood": ("reeuncert.reading.tables", "reeuncert.likelihood.compile"),
    "reader → priors": ("reeuncert.reading.case_tables", "reeuncert.priors.paths"),
    "reader → inference": ("reeuncert.validation.reader", "reeuncert.inference.sample"),
    "bundled cases → plots": ("reeuncert.reading.bundled", "reeuncert.plots.style"),
    "reference → cli": ("reeuncert.reference", "reeuncert.cli.app"),
    "model → testing": ("reeuncert.model", "reeuncert.testing"),
}


def contracts() -> list[Contract]:
    options = use_cases.read_user_options(str(PYPROJECT))
    return [
        registry.get_contract_class(given["type"])(given["name"], options.session_options, given)
        for given in options.contracts_options
    ]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "reeuncert", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def broken(graph: grimp.ImportGraph) -> list[str]:
    return [contract.name for contract in contracts() if not contract.check(copy.deepcopy(graph), verbose=False).kept]


def test_every_module_imports_only_from_its_left(capsys):
    status = lint_imports(config_filename=str(PYPROJECT), no_cache=True)
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize(("importer", "imported"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_caught(graph, importer, imported):
    assert {importer, imported} <= graph.modules, "the breach names a module that is not there"
    assert not graph.direct_import_exists(importer=importer, imported=imported)
    assert not broken(graph)
    changed = copy.deepcopy(graph)
    changed.add_import(importer=importer, imported=imported, line_number=1, line_contents="import …")
    assert broken(changed)


def test_no_module_imports_itself_by_a_detour():
    assert not cycles(import_graph())


def test_no_two_rooms_import_each_other():
    assert not cycles(rooms(import_graph()))


def test_a_cycle_is_found():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
