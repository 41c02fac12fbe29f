"""The site as a reader meets it: every page in a browser, every link, no other host."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

from analysis.build import ROOT, notebooks

BOOK = ROOT / "book"
VENDOR = BOOK / "_extra" / "vendor"
DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.dataset.drawn === 'true')"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


class Links(HTMLParser):
    """Collects what a page points to and the places within it that can be pointed to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places = {""}
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note targets and ids of one tag."""
        given = dict(attributes)
        self.places.update(filter(None, (given.get("id"), given.get("name"))))
        if target := given.get("href") or given.get("src"):
            self.targets.append(target)


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """Address of the site on a local web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def visit(browser, site: Path) -> Iterator:
    """Opens pages where no other host can be reached; `visit.errors` has what went wrong."""
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    page = context.new_page()
    page.errors = []

    def refuse(route) -> None:
        page.errors.append(f"asked another host: {route.request.url}")
        route.abort()

    local = ("http://127.0.0.1:", "file://", "data:", "blob:")
    context.route(lambda url: not url.startswith(local), refuse)
    page.on("console", lambda m: m.type == "error" and page.errors.append(f"console: {m.text}"))
    page.on("pageerror", lambda error: page.errors.append(f"script: {error}"))
    yield page
    context.close()


def pages_of(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def wider_than_the_screen(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_every_page_works_on_a_phone_and_a_desk(site: Path, served: str, visit) -> None:
    wrong, charts = [], 0
    names = [name for name in pages_of(site) if "_static" not in name]
    for name in names:
        visit.errors.clear()
        visit.set_viewport_size(PHONE)
        visit.goto(f"{served}/{name}")
        try:
            visit.wait_for_function(DRAWN, timeout=15_000)
        except Exception as error:
            visit.errors.append(f"a chart is not drawn: {error}".splitlines()[0])
        charts += visit.locator(".chart").count()
        if wider_than_the_screen(visit):
            visit.errors.append("scrolls sideways at 390 px")
        visit.set_viewport_size(DESK)
        if wider_than_the_screen(visit):
            visit.errors.append("scrolls sideways at 1280 px")
        wrong += [f"{name}: {error}" for error in visit.errors]
    assert wrong == []
    assert charts >= 4  # Figures 1A to 1D at the least, or the loop above proves nothing
    assert len(names) > len(notebooks())


def test_a_page_works_from_the_disk(site: Path, visit) -> None:
    visit.goto((site / "bmt" / "figure_1a.html").as_uri())
    visit.wait_for_function(DRAWN, timeout=15_000)
    assert visit.locator(".chart-live svg").count() >= 1
    visit.locator(".plateau-books a").first.evaluate("link => link.click()")
    visit.wait_for_url((site / "index.html").as_uri())
    assert visit.errors == []


def test_hovering_reads_the_curve(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/figure_1a.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    chart = visit.locator(".chart-live svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    visit.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    tooltip = visit.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=5_000)
    words = tooltip.inner_text()
    assert "Overall survival" in words
    assert "At risk" in words and "95% CI" in words


def test_the_drawing_stays_where_scripts_fail(served: str, visit) -> None:
    visit.route("**/vendor/vega-lite.min.js", lambda route: route.abort())
    with visit.expect_console_message(lambda message: "Charts stay still" in message.text):
        visit.goto(f"{served}/figure_1a.html")
    assert visit.locator(".chart-static svg").first.is_visible()
    assert visit.locator(".chart-live").count() == 0


def test_the_page_does_not_jump_when_charts_come_alive(served: str, visit) -> None:
    for size in (PHONE, DESK):
        visit.set_viewport_size(size)
        visit.goto(f"{served}/figure_1a.html", wait_until="commit")
        visit.wait_for_selector(".chart-static svg")
        before = visit.locator(".chart").first.bounding_box()["height"]
        visit.wait_for_function(DRAWN)
        after = visit.locator(".chart").first.bounding_box()["height"]
        assert after == pytest.approx(before, abs=6)


def test_dark_mode_has_no_light_cards(served: str, visit) -> None:
    visit.goto(f"{served}/figure_1a.html")
    colours = visit.evaluate(
        "[...document.querySelectorAll('.cell_output .text_html')]"
        ".map(output => getComputedStyle(output).backgroundColor)"
    )
    assert set(colours) == {"rgba(0, 0, 0, 0)"}
    assert visit.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_list_of_printed_numbers_is_filtered(served: str, visit) -> None:
    visit.goto(f"{served}/scorecard.html")
    rows, count = visit.locator(".ledger tbody tr"), visit.locator(".ledger-count")
    visible = visit.locator(".ledger tbody tr:visible")
    whole = rows.count()
    assert whole > 400
    assert count.inner_text() == f"Showing {whole} of {whole}"
    visit.get_by_label("Kind", exact=True).select_option("contradiction")
    assert visible.count() == 1
    assert "56.2" in visible.first.inner_text()
    assert count.inner_text() == f"Showing 1 of {whole}"
    visit.get_by_label("Kind", exact=True).select_option("")
    visit.get_by_label("Print and run").select_option("same")
    assert 0 < visible.count() < whole
    visit.get_by_label("Find a number or a word").fill("23.4  ABSTRACT")
    assert visible.count() == 1
    assert "Relapse-free survival" in visible.first.inner_text()
    visit.get_by_label("Find a number or a word").fill("<b>nothing</b>")
    assert visible.count() == 0
    assert count.inner_text() == f"Showing 0 of {whole}"
    assert visit.errors == []


def test_without_scripts_the_list_is_whole(served: str, browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}/scorecard.html")
    rows = page.locator(".ledger tbody tr")
    assert rows.count() == page.locator(".ledger tbody tr:visible").count() > 400
    assert not page.locator(".ledger-controls").is_visible()
    context.close()


def test_a_drawing_is_saved_to_be_seen_anywhere(site: Path, visit) -> None:
    """From the disk: plain colours on white, and the same as a picture of twice the size."""
    visit.goto((site / "table_3.html").as_uri())
    visit.wait_for_function(DRAWN, timeout=15_000)
    figure = visit.locator(".chart-figure").first
    saved = {}
    for kind in ("SVG", "PNG"):
        with visit.expect_download() as download:
            figure.get_by_role("button", name=kind).click()
        assert download.value.suggested_filename == f"table_3-forest-os.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    text = saved["SVG"].decode("utf-8")
    drawing = ElementTree.fromstring(text)
    assert "var(" not in text and "currentColor" not in text
    assert 'width="100%" height="100%" fill="#fff"' in text
    assert "#0072b2" in text and "#d55e00" in text
    assert "Forest plot. Overall survival" in drawing[0].text
    assert saved["PNG"].startswith(b"\x89PNG")
    width, height = struct.unpack(">II", saved["PNG"][16:24])
    assert width == pytest.approx(2 * float(drawing.get("width")), abs=1)
    assert height == pytest.approx(2 * float(drawing.get("height")), abs=1)
    assert visit.errors == []


def test_the_files_of_a_chart_are_reached_by_keyboard(served: str, visit) -> None:
    visit.goto(f"{served}/bmt/figure_1a.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    look = """() => {
        const { innerText, ariaLabel } = document.activeElement;
        return [innerText, ariaLabel, getComputedStyle(document.activeElement).outlineStyle];
    }"""
    names = []
    visit.locator(".chart-files button").first.focus()
    for _ in range(4):
        names.append(visit.evaluate(look))
        visit.keyboard.press("Tab")
    assert [words for words, *_ in names] == ["SVG", "PNG", "Numbers (CSV)", "Notebook"]
    assert all(label == f"{words}: Figure 1A" for words, label, _ in names)
    assert {outline for *_, outline in names} == {"solid"}


def test_without_scripts_a_chart_offers_its_numbers_and_notebook(served: str, browser) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}/figure_1d.html")
    files = page.locator(".chart-files")
    assert files.locator("a:visible").all_inner_texts() == ["Numbers (CSV)", "Notebook"]
    assert not page.locator(".chart-figure button:visible").count()
    for link in files.locator("a").all():
        answer = context.request.get(f"{served}/{link.get_attribute('href')}")
        assert answer.ok and len(answer.body()) > 1000
    context.close()


def test_a_curve_stands_out_until_its_name_is_pressed_again(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/figure_1d.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    strength = """[...document.querySelectorAll('.chart-live .mark-line path')]
        .map(line => Number(line.getAttribute('opacity') ?? 1))"""
    relapse, death = visit.locator(".chart-curves button").all()
    whole = visit.evaluate(strength)
    assert len(whole) == 2 and min(whole) == 1
    relapse.focus()
    visit.keyboard.press("Enter")
    assert visit.evaluate(strength) == [1, 0.15]
    assert relapse.get_attribute("aria-pressed") == "true"
    death.click()
    assert visit.evaluate(strength) == [0.15, 1]
    assert relapse.get_attribute("aria-pressed") == "false"
    visit.locator(".chart-live text", has_text="━ Death").click(force=True)  # in the drawing
    assert visit.evaluate(strength) == whole
    assert death.get_attribute("aria-pressed") == "false"
    assert visit.errors == []


def test_no_text_of_the_diagrams_is_cut_or_outside(served: str, visit) -> None:
    """On a phone and a desk; an ellipsis would say that a label had no room."""
    outside = """[...document.querySelectorAll('.chart-live svg text')].filter(text => {
        const box = text.getBoundingClientRect();
        return text.textContent.includes('…') || box.left < 0 || box.right > window.innerWidth;
    }).map(text => text.textContent)"""
    for name in ("table_3", "patients", "bmt/table_3", "myeloid/patients"):
        for size in (PHONE, DESK):
            visit.set_viewport_size(size)
            visit.goto(f"{served}/{name}.html")
            visit.wait_for_function(DRAWN, timeout=15_000)
            assert visit.evaluate(outside) == [], f"{name} at {size['width']} px"


def test_a_page_with_charts_stays_light(site: Path, served: str, visit) -> None:
    """Under 500 kB with all of ours that it loads, compressed; the theme's own files aside."""
    ours = {path.name for path in [*BOOK.glob("_static/*"), *VENDOR.glob("*.js")]}
    for name in ("table_3", "patients", "figure_1d"):
        loaded = {}

        def note(response, loaded=loaded) -> None:
            loaded[urlsplit(response.url).path] = response

        visit.on("response", note)
        visit.goto(f"{served}/{name}.html")
        visit.wait_for_function(DRAWN, timeout=15_000)
        visit.remove_listener("response", note)
        files = [site / unquote(path).lstrip("/") for path in loaded]
        sizes = {
            file.name: len(gzip.compress(file.read_bytes()))
            for file in files
            if file.name in {f"{name}.html", *ours}
        }
        assert {"vega.min.js", "controls.js", f"{name}.html"} <= set(sizes)
        assert sum(sizes.values()) < 500_000, sizes


def test_formulas_are_mathml(site: Path) -> None:
    page = (site / "figure_1a.html").read_text("utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML"' in page
    assert "mathjax" not in re.sub(r"class=\"[^\"]*\"", "", page).lower()


def test_internal_links_resolve(site: Path) -> None:
    pages = {path: Links(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    broken = []
    for page, links in pages.items():
        for target in links.targets:
            url = urlsplit(target)
            if url.scheme or url.netloc:
                continue
            found = (page.parent / unquote(url.path)).resolve() if url.path else page
            there = found.exists() and found.is_relative_to(site.resolve())
            if there and url.fragment and found in pages:
                there = unquote(url.fragment) in pages[found].places
            if not there:
                broken.append(f"{page.relative_to(site)}: {target}")
    assert broken == []


def test_pages_ask_no_other_host(site: Path) -> None:
    """Links may lead elsewhere; what a page loads may not."""
    loaded = re.compile(r"""<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=["'](?:https?:)?//""")
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert [path.name for path in pages if loaded.search(path.read_text("utf-8"))] == []


def test_every_page_of_synthetic_data_says_so(site: Path) -> None:
    names = [f"{path.stem}.html" for path in notebooks()]
    for name in names:
        assert "Synthetic cohort: no patient data." in (site / name).read_text("utf-8")
        assert "Synthetic cohort" not in (site / "bmt" / name).read_text("utf-8")


def test_each_page_with_results_offers_them(site: Path) -> None:
    for slug in ("", "bmt", "myeloid"):
        offered = {path.name for path in (site / slug / "_downloads").rglob("*.csv")}
        results = {path.name for path in (site.parent / "results" / slug).glob("*.csv")}
        assert results and results <= offered


def test_vendored_scripts_are_those_of_the_table() -> None:
    table = (VENDOR / "README.md").read_text("utf-8")
    scripts = sorted(VENDOR.glob("*.js"))
    assert len(scripts) == 3
    for script in scripts:
        assert hashlib.sha256(script.read_bytes()).hexdigest() in table
        assert script.with_name(script.name.replace(".min.js", ".LICENSE")).exists()
