"""A headless Chromium, and reports to open in it; without a Chromium these tests say so and are left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import Page, failing_result, hostile_result, start_browser, write_page

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromedriver")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} not installed (Debian: chromium, chromium-driver)"
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    driver = start_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def toy_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a synthetic result whose draws are too few to pass."""
    return write_page(failing_result(), tmp_path_factory.mktemp("report") / "toy.html")


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same system, one region of which is named in HTML."""
    return write_page(hostile_result(), tmp_path_factory.mktemp("report") / "hostile.html")


@pytest.fixture(scope="session")
def folded_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same system as if it had too many regions for a row each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reeuncert.plots.sankey.MOST_REGIONS", 2)
        return write_page(failing_result(), tmp_path_factory.mktemp("report") / "folded.html")


@pytest.fixture
def page(browser, toy_report) -> Page:
    return Page(browser, toy_report)
