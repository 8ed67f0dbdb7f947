"""The report: one self-contained page made of sections, verdict before results."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined

from reeuncert.errors import ReeUncertError
from reeuncert.posterior.folder import explained
from reeuncert.report.findings import Findings
from reeuncert.report.plain.sections import SECTIONS


def write_report(dt: xr.DataTree, path: str | Path) -> Path:
    """Write the report of a result as one HTML page that needs no other file.

    Parameters
    ----------
    dt
        From `reeuncert.sample` or `reeuncert.read_results`.
    path
        File to write; replaced only when the page is complete.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    text = render(Findings(dt))
    target = Path(path).expanduser()
    with explained(f"cannot write '{path}'"):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".reeuncert-writing-", dir=target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, 0o644)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return target


def render(findings: Findings) -> str:
    """The page as text. A section that cannot be made says why in its place."""
    environment = Environment(
        loader=PackageLoader("reeuncert.report.plain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = []
    for section in SECTIONS:
        template = environment.get_template(f"{section.name}.html")
        try:
            parts.append({"section": section, "body": template.render(section.content(findings)), "problem": ""})
        except ReeUncertError as error:
            parts.append({"section": section, "body": "", "problem": str(error)})
    page = environment.get_template("page.html")
    return page.render(parts=parts, title=findings.case.title, findings=findings)
