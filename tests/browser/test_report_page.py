"""The report in a real browser: complete, quick, quiet, and usable without a mouse."""

from __future__ import annotations

import base64
import re

import pytest
from selenium.webdriver.common.keys import Keys

from pages import HOSTILE, Page

SECTIONS = [
    *("answers", "flows", "verdict", "dependence", "triangle", "net-trade", "customs-gap", "unregistered"),
    *("consumption", "no-trade", "learned", "next", "method"),
]


def test_every_section_is_there_and_every_figure_is_drawn(page):
    assert page.run("return report.all('main > section').map((s) => s.id)") == SECTIONS
    assert page.run("return report.all('main > section > h2').length") == len(SECTIONS)
    page.draw_all()
    assert page.run("return report.all('.failed').map((e) => e.textContent)") == []
    empty = "return report.all('.plot').filter((p) => !p.querySelector('svg')).map((p) => p.parentElement.id)"
    assert page.run(empty) == []
    assert page.run("return report.all('figure.fig').length") > 20
    assert page.errors() == []


def test_numbers_of_a_download_are_no_coarser_than_those_of_the_page(page):
    values = [2026.7, 12345.67, 0.123456, 73.6412, 5]
    assert page.run("return arguments[0].map(report.cell)", values) == ["2026.7", "12345.7", "0.1235", "73.64", "5"]


def test_nothing_is_loaded_from_anywhere(page):
    page.draw_all()
    assert page.run("return performance.getEntriesByType('resource').map((r) => r.name)") == []


def test_first_paint_waits_for_no_figure(page):
    seen = "(done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))"
    paint = page.run(f"return new Promise((done) => ({seen})(done).observe({{type: 'paint', buffered: true}}))")
    assert paint < 2000
    assert page.run("return report.drawn.size < report.all('figure.fig').length / 2")


def test_failed_checks_stand_above_the_fold(page):
    strip = page.run("const r = report.one('.strip').getBoundingClientRect(); return [r.top, r.bottom]")
    assert 0 <= strip[0] < strip[1] < 900
    told = page.run("return report.one('.strip').textContent")
    assert re.search(r"\d of \d+ checks failed\.", told)
    assert "bulk ESS of flows" in told
    assert page.run("return report.one('.strip').className") == "strip red"
    first = page.run("return report.one('details.check').textContent")
    assert "failed" in first


def test_a_check_opens_to_its_figures(page):
    page.press("details.check summary", Keys.ENTER)
    assert page.run("return report.one('details.check').open")
    assert page.run("return report.one('details.check tbody').rows.length") > 0


def test_the_slider_of_the_flows_works_by_keyboard(page):
    page.draw_all()
    shape = "return report.all('#fig-sankey .ribbon').map((p) => p.getAttribute('d')).join()"
    year = "return report.one('#sankey-step-shown').textContent"
    flow = "return report.one('#fig-flow .detail').textContent"
    assert page.run(year) == "2004"
    before, told = page.run(shape), page.run(flow)
    assert "2004: " in told
    page.press("#sankey-step", Keys.ARROW_LEFT)
    page.run("await new Promise((go) => setTimeout(go, 300))")
    assert page.run(year) == "2003"
    assert page.run("return report.one('#sankey-step').getAttribute('aria-valuetext')") == "2003"
    assert page.run(shape) != before
    assert "2003: " in page.run(flow)
    page.press("#sankey-step", Keys.END)
    assert page.run(year) == "cumulative"
    assert "2001 to 2004: " in page.run(flow)


@pytest.mark.parametrize("width", [1280, 390])
def test_regions_that_share_a_row_are_shown_one_by_one_on_demand(browser, folded_report, width):
    page = Page(browser, folded_report, width=width)
    page.draw_all()
    rows = "return report.all('#fig-sankey .name.halo').map((t) => t.textContent.replace(/^[^\\w]+/, ''))"
    folds = "return report.all('#fig-sankey .folds')"
    ribbons = "return report.all('#fig-sankey .ribbon').length"
    few, count = page.run(rows), page.run(ribbons)
    assert "other regions" in few
    # By keyboard, in the list; by a touch or click, on the name of the row.
    page.press("#sankey-rows", Keys.ARROW_DOWN)
    every = page.run(rows)
    assert "other regions" not in every
    assert {"North", "South", "East"} <= set(every)
    assert page.run(ribbons) > count
    assert "sankey-rows=1" in page.run("return location.hash")
    page.run(folds)[0].click()
    assert page.run(rows) == few
    page.run(folds)[0].click()
    assert page.run(rows) == every
    page.run("const rows = report.one('#sankey-rows'); rows.value = ''; rows.dispatchEvent(new Event('change'))")
    # A region that has no row of its own gets one when it is asked for.
    smaller = next(name for name in ("North", "South", "East") if name not in few)
    ask = "const r = report.one('#sankey-region'); r.value = given[0]; r.dispatchEvent(new Event('change'))"
    page.run(ask, smaller)
    assert page.run(rows) == every
    assert page.run("return report.all('#fig-sankey .ribbon.dimmed').length") > 0
    assert page.errors() == []


def test_the_slider_of_trade_changes_arrows_and_table(page):
    page.draw_all()
    assert "2004" in page.run("return report.one('#triangle-values').tHead.textContent")
    rows = page.run("return report.one('#triangle-values').tBodies[0].textContent")
    page.press("#triangle-year", Keys.HOME)
    assert "2001" in page.run("return report.one('#triangle-values').tHead.textContent")
    assert page.run("return report.one('#triangle-values').tBodies[0].textContent") != rows


def test_trade_that_is_not_recorded_adds_to_the_masses_of_trade(page):
    page.draw_all()
    masses = (
        "const list = report.one('#triangle-share'); list.value = given[0]; list.dispatchEvent(new Event('input'));"
        "const { rows } = report.one('#fig-triangle .plot').table();"
        "return Object.fromEntries(rows.map((row) => [`${row[2]} ${row[3]}`, row.at(-1)]))"
    )
    recorded, every = (page.run(masses, name) for name in ("import_dependence", "import_dependence_with_unrecorded"))
    assert recorded.keys() == every.keys()
    assert all(every[pair] >= recorded[pair] > 0 for pair in recorded)
    assert any(every[pair] > recorded[pair] for pair in recorded)
    assert page.errors() == []


def test_any_indicator_can_be_chosen(page):
    page.draw_all()
    page.run(
        "const list = report.one('#explorer-indicator'); list.value = 'mine_production';"
        "list.dispatchEvent(new Event('change'))"
    )
    regions = "return report.all('#explorer-region option').map((o) => o.value)"
    assert page.run(regions) == ["North", "South", "East"]
    assert page.run("return report.all('#fig-explorer .values tbody tr').length") == 4
    assert page.errors() == []


def test_tables_sort_and_filter(page):
    names = "return report.all('#flow-table tbody tr').filter((r) => !r.hidden).map((r) => r.cells[0].textContent)"
    every = page.run(names)
    page.press("#flow-search", "mine production")
    found = page.run(names)
    assert 0 < len(found) < len(every)
    assert all("mine production" in name for name in found)
    assert page.run("return report.one('#flow-count').textContent") == f"{len(found)} of {len(every)} rows"
    page.press("#flow-search", *[Keys.BACKSPACE] * len("mine production"))
    assert page.run(names) == every
    header = "#flow-table th:nth-child(3)"
    numbers = "return report.all('#flow-table tbody tr').map((r) => Number(r.cells[2].dataset.v))"
    page.press(f"{header} button", Keys.ENTER)
    assert page.run(numbers) == sorted(page.run(numbers))
    assert page.run(f"return report.one('{header}').getAttribute('aria-sort')") == "ascending"
    page.press(f"{header} button", Keys.ENTER)
    assert page.run(numbers) == sorted(page.run(numbers), reverse=True)


def test_the_keyboard_reaches_everything_and_leaves_again(page):
    page.draw_all()
    page.run("document.activeElement.blur(); scrollTo(0, 0)")
    wanted = page.run(
        "const seen = 'a[href], button, input, select, summary, [tabindex=\"0\"]';"
        "window.left = new Set(report.all(seen).filter((e) => e.checkVisibility())); return window.left.size"
    )
    body = page.browser.switch_to.active_element
    for _ in range(wanted + 5):
        body.send_keys(Keys.TAB)
        body = page.browser.switch_to.active_element
        page.run("window.left.delete(document.activeElement)")
    assert page.run("return [...window.left].map((e) => e.outerHTML.slice(0, 120))") == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(browser, toy_report, width):
    page = Page(browser, toy_report, width=width)
    page.draw_all()
    assert page.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_accessibility_issue(browser, toy_report, dark):
    from axe_core_python.base import AXE_SCRIPT

    page = Page(browser, toy_report)
    page.run("report.setTheme(given[0])", dark)
    page.draw_all()
    page.run("report.all('details').forEach((d) => { d.open = true; })")
    # The hundredth row of a table is like its tenth.
    page.run("report.all('tbody').forEach((body) => [...body.rows].slice(10).forEach((row) => row.remove()))")
    browser.execute_script(AXE_SCRIPT)
    # The drawings themselves are pictures with a text in their place; looking into each of their paths takes minutes.
    # The themes differ in their colours alone.
    rules = (
        "{ resultTypes: ['violations'], ...(given[0] && { runOnly: { type: 'rule', values: ['color-contrast'] } }) }"
    )
    found = page.run(f"return (await axe.run({{ exclude: [['.plot svg']] }}, {rules})).violations", dark)
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in serious] == []


def test_names_of_users_are_text(browser, hostile_report):
    page = Page(browser, hostile_report)
    page.draw_all()
    assert page.run("return window.hacked === undefined")
    assert page.run("return report.all('b').filter((b) => b.textContent === 'Nord').length") == 0
    assert HOSTILE in page.run("return report.one('#answers').textContent")
    assert HOSTILE in page.run("return report.one('#triangle').textContent")
    assert HOSTILE in page.run("return report.one('#consumption').textContent")
    assert page.run("return report.all('.failed').map((e) => e.textContent)") == []
    assert page.errors() == []


def test_a_figure_that_fails_says_so_in_its_place(page):
    page.run("report.kinds.fan = () => { throw new Error('the pen broke'); }")
    page.run("report.drawn.delete(report.one('#fig-fan-0')); report.draw(report.one('#fig-fan-0'))")
    told = page.run("return report.one('#fig-fan-0 [role=alert]').textContent")
    assert told == "This figure could not be drawn. the pen broke"
    assert page.run("return report.one('#fig-fan-0 h3').checkVisibility()")


def test_dark_and_light(page):
    page.draw_all()
    page.run("report.setTheme(false)")
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(ground)
    page.press("#theme", Keys.ENTER)
    assert page.run(ground) != light
    assert page.run("return report.one('#theme').getAttribute('aria-pressed')") == "true"
    assert page.run("return getComputedStyle(report.one('#fig-sankey text')).fill") != "rgb(27, 31, 36)"
    assert page.errors() == []


def test_prints_with_every_figure(page):
    printed = page.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    pages = base64.b64decode(printed["data"]).count(b"/Type /Page\n")
    assert 2 <= pages <= 20
    page.draw_all()
    # Every picture scales with its box, so that a narrower page cuts nothing.
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    wide = page.run(
        "return report.all('.plot svg').filter((s) => s.getBoundingClientRect().right > innerWidth + 1).length"
    )
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert wide == 0
    assert page.run("return report.all('.failed').length") == 0
    legend = page.run("return report.all('#answers > .legend li').map((l) => l.className)")
    assert len(legend) == len(set(legend)) > 0


def test_a_figure_is_saved_with_unit_and_citation(page):
    page.draw_all()
    text = page.run("return report.csv(report.one('#fig-lead'))")
    assert text.startswith("\ufeff# ")
    assert text.endswith("\n")
    lines = text.splitlines()
    assert max(len(cell.replace(".", "").strip("-0")) for line in lines[4:] for cell in line.split(",")) <= 4
    assert [line.split(":")[0] for line in lines[1:3]] == ["# unit", "# citation"]  # no figure was reported
    assert lines[3].startswith("year,unit,5 %,10 %,25 %,median")
    assert len(lines) == 4 + 4
    for figure in ("sankey", "triangle", "positions", "lead"):
        there = page.run("return Boolean(report.one(`#fig-${given[0]} .plot`))", figure)
        if there:
            assert page.run("return report.csv(report.one(`#fig-${given[0]}`)).split('\\n').length", figure) > 6
    drawing = page.run("return report.picture(report.one('#fig-sankey')).text")
    assert "var(" not in drawing
    assert "A toy system" in drawing
    # Nothing that is written reaches beyond the picture.
    page.run(
        "const of = report.picture(report.one('#fig-lead')).text; document.body.insertAdjacentHTML('beforeend', of)"
    )
    texts = "return report.all('text', document.body.lastElementChild).map((t) => t.getBoundingClientRect())"
    right, bottom = page.run(
        "const b = document.body.lastElementChild.getBoundingClientRect(); return [b.right, b.bottom]"
    )
    assert all(text["right"] < right and text["bottom"] < bottom for text in page.run(texts))
    assert page.run("return (await report.png(report.one('#fig-lead'))).size") > 2000
    assert page.errors() == []


def test_the_address_keeps_what_was_chosen(browser, toy_report):
    page = Page(browser, toy_report)
    page.draw_all()
    page.press("#sankey-step", Keys.HOME)
    address = page.run("return location.hash")
    assert "sankey-step=0" in address
    browser.get("about:blank")
    browser.get(toy_report.as_uri() + address)
    page.draw_all()
    assert page.run("return report.one('#sankey-step-shown').textContent") == "2001"


def test_the_pointer_is_answered_anywhere_on_a_band(page):
    page.draw_all()
    told = page.run(
        "const svg = report.one('#fig-lead svg'), box = svg.getBoundingClientRect();"
        "svg.dispatchEvent(new PointerEvent('pointermove', { clientX: box.right - 40, clientY: box.top + 30 }));"
        "return report.one('#tip').textContent"
    )
    assert told.startswith("2004median")


def test_no_identifier_stands_in_visible_text(page):
    """Outside Method and the ids of evidence."""
    page.draw_all()
    page.run("report.all('details').forEach((d) => { d.open = true; })")
    text = page.run(
        "report.all('#method, #evidence, script, style').forEach((e) => e.remove());"
        "return document.body.innerText + report.all('option').map((o) => o.textContent).join(' ')"
    )
    assert re.findall(r"\w+_\w+", text) == []


def test_terms_are_explained_once_a_section(page):
    terms = page.run("return report.all('#answers abbr').map((a) => [a.textContent.toLowerCase(), a.title])")
    assert terms
    assert len({term for term, _ in terms}) == len(terms)
    assert all(meaning for _, meaning in terms)


def test_panels_of_one_product_have_one_axis(page):
    page.draw_all()
    ticks = page.run(
        "const grid = report.one('#net-trade .grid');"
        "return report.all('svg.panel', grid).slice(0, 2).map((s) => report.all('text', s).map((t) => t.textContent)"
        ".filter((t) => /^-?[\\d.,]+$/.test(t) && !/^20/.test(t)).join(' '))"
    )
    assert len(ticks) > 1
    assert len(set(ticks)) == 1


def test_figures_of_different_units_are_sorted_apart(page):
    found = page.run(
        "const row = (g, v) => { const cell = report.make('td'); cell.dataset.g = g; cell.dataset.v = v;"
        "  return report.make('tr', {}, cell); };"
        "const head = report.make('th');"
        "const body = report.make('tbody', {}, row('t', 5), row('kt', 9), row('t', 1), row('kt', 2));"
        "const table = report.make('table', {}, report.make('thead', {}, report.make('tr', {}, head)), body);"
        "report.sort(table, 0, head);"
        "return [...body.rows].map((r) => r.cells[0].dataset.g + r.cells[0].dataset.v).join(' ')"
    )
    assert found == "kt2 kt9 t1 t5"


def test_paper_is_light_whatever_the_screen(page):
    page.run("report.setTheme(true)")
    page.draw_all()
    theme = "return document.documentElement.dataset.theme"
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(theme) == "light"
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(theme) == "dark"


def test_a_panel_of_a_grid_is_drawn_for_a_third_of_the_paper(page):
    page.draw_all()
    wide = (
        "return Number(report.one('#dependence .grid .fig:not(.wide) svg.panel').getAttribute('viewBox').split(' ')[2])"
    )
    before = page.run(wide)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(wide) < before
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(wide) == before


def test_the_first_screen_names_verdict_and_download(page):
    page.draw_all()
    bottom = page.run("return Math.max(...report.all('.tile').map((t) => t.getBoundingClientRect().bottom))")
    assert bottom < 900
    assert page.run("return report.one('.tile .ground').textContent.trim()")
    titles = page.run("return report.all('.tile h3').map((t) => t.textContent)")
    assert len(titles) == len(set(titles)) > 2
    assert "CSV" in page.run("return report.one('#fig-lead summary').textContent")


@pytest.mark.parametrize("of", ["customs-gap", "learned"])
def test_a_legend_shows_the_signs_as_drawn(page, of):
    page.draw_all()
    signs = (
        "return report.all('#' + given[0] + ' .legend .sign > *').map((s) => s.tagName + (s.getAttribute('d') ?? ''))"
    )
    assert len(set(page.run(signs, of))) > 1
