"""The page: sections rendered into a single HTML file without external resources."""

import base64
import hashlib
import importlib.resources
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jinja2
import xarray as xr
from markupsafe import Markup

from reeuncert.errors import OutputError
from reeuncert.files import expanded, explained, write_whole
from reeuncert.indicators.compute import with_indicators
from reeuncert.parts import Failed, attempt, collecting
from reeuncert.report import words
from reeuncert.report.figures import DIGITS
from reeuncert.report.sections import SECTIONS, Section
from reeuncert.report.sections.method import check_list
from reeuncert.report.words import citation, labels_of, providers
from reeuncert.result.io import provenance
from reeuncert.result.result import Result
from reeuncert.words.cells import as_words, condensed
from reeuncert.words.estimates import estimate, interval, printed, with_unit

SCRIPTS = ("base.js", "draw.js", "fans.js", "flows.js", "triangle.js", "tables.js", "terms.js", "share.js", "start.js")
"""Scripts of the page; `start.js` comes last."""


def write_report(dt: xr.DataTree, path: str | Path) -> Path:
    """Write the report of a result as one self-contained HTML page.

    Parameters
    ----------
    dt
        From `reeuncert.sample` or `reeuncert.read_results`; indicators are added if it has none.
    path
        File to write; replaced only when the page is complete.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the result holds no flows or no case, or the file cannot be written.
    """
    return write_page(with_indicators(dt), path)


def write_page(result: Result, path: str | Path) -> Path:
    """The same for a result, which then names the sections and figures that failed."""
    text = render(result)
    target = expanded(path)
    with explained(f"cannot write '{path}'"):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, text.encode("utf-8"))
    return target


def render(result: Result, *, sections: Sequence[Section] = SECTIONS) -> str:
    """The page, without external resources, as text; what the result has computed already is not computed again. A
    section or figure that cannot be made shows its error.
    """
    if "posterior" not in result.dt.children or "case_json" not in result.dt.attrs:
        raise OutputError(
            "a report needs the group 'posterior' and the attribute 'case_json'; give a result of reeuncert.sample"
        )
    environment = _environment()
    environment.filters["told"] = result.once(labels_of).told
    structure = words.structure_of_figures(result)
    js = "\n".join(_asset(name) for name in SCRIPTS)
    with collecting(result.failed), result.shared():
        # The verdict is rendered last: it also reports parts of the page that failed.
        made = {
            s.id: attempt(f"section '{s.title}'", partial(_html, environment, s, result))
            for s in sorted(sections, key=lambda s: s.id == "verdict")
        }
    return environment.get_template("page.html.j2").render(
        case=result.case,
        approximate=result.approximate,
        interrupted=not result.complete,
        sections=[(s, html) for s in sections if (html := made[s.id]) is not None],
        left_out=[s for s in sections if made[s.id] is None],
        verdict=check_list(result),
        provenance=provenance(result.dt),
        css=_asset("report.css"),
        js=Markup(js),
        script_hash=Markup(f"'sha256-{base64.b64encode(hashlib.sha256(js.encode()).digest()).decode()}'"),
        citation=citation(result),
        digits=DIGITS,
        structure=structure,
        structure_note=f"Numbers here are those of the structure {structure}." if structure else "",
        source=result.once(providers),
    )


def _html(environment: jinja2.Environment, section: Section, result: Result) -> Markup | None:
    """A section as HTML; None where the result lacks what it needs."""
    content = result.once(section.content)
    if content is None:
        return None
    text = environment.get_template(f"{section.id}.html.j2").render(content, result=result, case=result.case)
    # Ten times as fast as (?<=\d) %.
    spaced = re.sub(r" %(?<=\d %)", "\N{NO-BREAK SPACE}%", with_ids(text, section.id))
    return Markup(spaced)  # rendered with autoescape


def with_ids(html: str, section: str) -> str:
    """Give every heading of a section an id, made of its text; a figure has one already.

    >>> print(with_ids("<h3>A flow</h3><h3 class='a'>A <b>flow</b></h3>", "learned"))
    <h3 id="learned-a-flow">A flow</h3><h3 id="learned-a-flow-2" class='a'>A <b>flow</b></h3>
    """
    count: dict[str, int] = {}

    def named(match: re.Match[str]) -> str:
        words = re.sub(r"<[^>]*>|&#?\w+;", " ", match["text"]).lower()
        slug = "-".join((section, *re.findall(r"[a-z0-9]+", words)))
        count[slug] = count.get(slug, 0) + 1
        number = f"-{count[slug]}" if count[slug] > 1 else ""
        return f'<h3 id="{slug}{number}"{match["more"]}>{match["text"]}</h3>'

    return re.sub(r"(?<!<figcaption>)<h3(?![^>]*\bid=)(?P<more>[^>]*)>(?P<text>.*?)</h3>", named, html, flags=re.DOTALL)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reeuncert.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["failed"] = lambda part: isinstance(part, Failed)
    environment.filters |= {
        "value": with_unit,
        "printed": printed,
        "interval": interval,
        "median": lambda median, low, high, unit: estimate(median, low, high, unit=unit).partition(" (")[0],
        "num": lambda heading: {"num": heading},  # of a column of numbers
        "as_words": as_words,
        "condensed": partial(condensed, dash="\N{EN DASH}"),
        "selector_text": words.selector_text,
        "column": words.column,
        "cell": words.cell,
        "linked": words.linked,
    }
    return environment


def _asset(name: str) -> Markup:
    text = (importlib.resources.files("reeuncert.report") / "assets" / name).read_text(encoding="utf-8")
    return Markup(text)  # a file of this package
