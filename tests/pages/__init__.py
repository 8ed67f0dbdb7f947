"""Reports in a headless Chromium: results to report on, and what a test asks of a page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from reeuncert.checks import all_checks, check
from reeuncert.indicators.compute import with_indicators
from reeuncert.report.page import render
from reeuncert.result.result import Result
from reeuncert.testing import toy_posterior

HOSTILE = "<b>Nord</b><script>window.hacked=1</script>&'"
"""A region's name that a page must show as it is, and never run."""


def failing_result() -> xr.DataTree:
    """A synthetic result of few draws: its effective sample sizes fail the checks."""
    return toy_posterior(chains=2, draws=60, years=4)


def hostile_result() -> xr.DataTree:
    """A synthetic result in which the name of a region is HTML, wherever names stand."""
    dt = toy_posterior(chains=2, draws=30, years=3)
    attrs = {**dt.attrs, "case_json": _renamed(dt.attrs["case_json"], json.dumps(HOSTILE)[1:-1])}
    groups = {name: _with_names(dt[name].to_dataset()) for name in dt.children if not name.startswith("derived")}
    out = xr.DataTree.from_dict(groups)
    out.attrs = attrs
    return out


def write_page(dt: xr.DataTree, path: Path) -> Path:
    """Write the report of a result with its quick checks alone."""
    derived = with_indicators(dt).dt
    result = Result(derived)
    result.keep(all_checks, check(derived, ["balance", "convergence"]))
    path.write_text(render(result), encoding="utf-8")
    return path


def start_browser(profile: Path) -> Any:
    """A headless Chromium that asks nothing of the network."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
    flags += "disable-component-update disable-sync disable-dev-shm-usage hide-scrollbars"
    for flag in (*flags.split(), f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.binary_location = str(shutil.which("chromium"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))


class Page:
    """One report in the browser.

    Parameters
    ----------
    width
        Of the window, in CSS pixels; below 600 it is a phone's.
    """

    def __init__(self, browser: Any, path: Path, *, width: int = 1280, height: int = 900):
        self.browser, self.path = browser, path
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get_log("browser")
        browser.set_script_timeout(180)
        browser.get(path.as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript in the page and return its value; promises are waited for."""
        wrapped = (
            "const done = arguments[arguments.length - 1];"
            f"(async (...given) => {{ {script} }})(...[...arguments].slice(0, -1))"
            ".then(done, (error) => done(`error: ${error}`));"
        )
        return self.browser.execute_async_script(wrapped, *arguments)

    def draw_all(self) -> None:
        """Draw every figure, as printing does, and wait until the last has been drawn."""
        self.run(
            "report.all('figure.fig').forEach((f) => report.draw(f));"
            "for (let i = 0; i < 300; i++) {"
            "  const open = report.all('figure.fig').filter((f) => report.one('.plot', f));"
            "  const left = open.filter((f) => !f.classList.contains('drawn'));"
            "  if (!left.length) return; await new Promise((go) => setTimeout(go, 100)); }"
            "throw new Error('some figures were not drawn in 30 s');"
        )

    def errors(self) -> list[str]:
        """What the console says at level warning or above."""
        return [line["message"] for line in self.browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]

    def press(self, selector: str, *keys: str) -> None:
        """Focus an element and press keys."""
        from selenium.webdriver.common.by import By

        element = self.browser.find_element(By.CSS_SELECTOR, selector)
        self.run("given[0].focus()", element)
        element.send_keys(*keys)


def _renamed(text: str, name: str = HOSTILE) -> str:
    return text.replace("North", name)


def _with_names(data: xr.Dataset) -> xr.Dataset:
    named = {}
    for name, values in data.coords.items():
        if values.dtype.kind in "OU":
            changed = np.array([_renamed(str(v)) for v in values.values], dtype=object)
            named[name] = (values.dims, changed)
    return data.assign_coords(named)
