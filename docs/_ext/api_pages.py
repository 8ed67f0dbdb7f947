"""The reference of the Python interface, from the names that the package promises."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType

import reeuncert

PACKAGES = {
    "case": "Read a case",
    "system": "What a system is made of",
    "running": "Run a case",
    "model": "Build the model",
    "inference": "Sample",
    "result": "Read a result back",
    "checks": "Check a result",
    "indicators": "Indicators",
    "report": "Report",
    "questions": "Questions to a result",
    "studies": "Studies",
    "counterfactuals": "Counterfactuals",
    "calibration": "Calibration",
    "errors": "Errors",
}
"""Where a public name lives → heading, in the order of the page; other places follow under their own name."""

MODULES = ("plots", "indicators", "checks", "case.records", "system.definition", "studies", "errors", "testing")
"""Modules whose own names are documented too."""


def pages() -> dict[str, str]:
    """One page that lists everything, with a page for each name behind it."""
    text = [
        "# Python interface",
        "",
        "`import reeuncert as ree` gives the names of the first sections. Figures, records, errors and formulas of "
        "indicators are in modules, which `ree.plots`, `ree.errors`, `ree.testing` … load when they are used.",
        "",
    ]
    for place, names in _by_place().items():
        text += [f"## {PACKAGES.get(place, place.replace('_', ' ').capitalize())}", "", *_summary("reeuncert", names)]
    for name in MODULES:
        module = importlib.import_module(f"reeuncert.{name}")
        text += [f"## `reeuncert.{name}`", "", *_module_text(module), *_summary(module.__name__, _names_of(module))]
    return {"api.md": "\n".join(text)}


def _by_place() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {place: [] for place in PACKAGES}
    for name, home in reeuncert._HOME.items():
        found.setdefault(home.split(".")[1], []).append(name)
    return {place: sorted(names) for place, names in found.items() if names}


def _names_of(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    held = ((name, getattr(module, name)) for name in sorted(names))
    promised = set(reeuncert._HOME)
    return [
        name for name, value in held if (inspect.isfunction(value) or inspect.isclass(value)) and name not in promised
    ]


def _module_text(module: ModuleType) -> list[str]:
    first = inspect.getdoc(module).split("\n\n")[0]  # type: ignore[union-attr]  # a module without words is an error
    return [first.replace("\n", " "), ""]


def _summary(module: str, names: list[str]) -> list[str]:
    lines = [
        "```{eval-rst}",
        f".. currentmodule:: {module}",
        "",
        ".. autosummary::",
        "   :toctree: api",
        "   :nosignatures:",
        "",
    ]
    return [*lines, *(f"   {name}" for name in names), "```", ""]
