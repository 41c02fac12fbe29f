"""The site as a reader meets it: every page in a browser, every link, no other host."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import often
from pypdf import PdfReader

from analysis.dataset.model import ROOT, load
from analysis.page.contents import places
from analysis.page.provenance import named
from analysis.site.build import SHELF, notebooks
from benchmarks.pages import DRAWN, measure, serving

BOOK = ROOT / "book"
VENDOR = BOOK / "_extra" / "vendor"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# Each width and each theme once.
VIEWS = ((PHONE, "dark"), (DESK, "light"))
# In which views axe sees a book: the other books have the same parts and other numbers. It takes
# seconds for the colours of a page, so it sees the pages that have a part of a new kind.
BY_AXE = {"": ("dark", "light"), "bmt": ("dark",), "myeloid": ("light",)}
# The kinds of parts of a page that are not among those known: tags with classes and role, within
# which others, told by what. The letters of formulas, drawings and code are not parts. The parts
# themselves stay with the page, for axe.
KINDS = """known => {
  const kind = tag => tag && [tag.localName, ...[...tag.classList].sort(), tag.role].join(" ");
  const telling = /^aria|^(href|title|type)$/;
  const told = tag => tag.getAttributeNames().filter(name => telling.test(name));
  const parts = {};
  for (const tag of document.querySelectorAll("body *")) {
    if (tag.closest("svg, math, pre")) continue;
    (parts[[kind(tag), kind(tag.parentElement), ...told(tag)].join(" | ")] ??= []).push(tag);
  }
  for (const kind of known) delete parts[kind];
  window.newParts = Object.values(parts).flat();
  return Object.keys(parts);
}"""
NEW = "{ include: window.newParts }"
COLOURS = "runOnly: ['color-contrast']"
OTHERS = "rules: { 'color-contrast': { enabled: false } }"
THEME = "theme => { document.documentElement.dataset.theme = theme }"
SLUGS = ("", "bmt", "myeloid")
CHART = b'<div class="chart"'  # on a page that has one


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """Address of the site on a local web server."""
    with serving(site) as address:
        yield address


@pytest.fixture
def visit(browser, site: Path, axe: str) -> Iterator:
    """Opens pages where no other host can be reached; `visit.errors` has what went wrong."""
    # Without motion a theme is there at once, and no colour is read on its way to another.
    context = browser.new_context(viewport=PHONE, color_scheme="dark", reduced_motion="reduce")
    page = context.new_page()
    page.errors, page.axe = [], axe

    def refuse(route) -> None:
        page.errors.append(f"asked another host: {route.request.url}")
        route.abort()

    local = ("http://127.0.0.1:", "file://", "data:", "blob:")
    context.route(lambda url: not url.startswith(local), refuse)
    page.on("console", lambda m: m.type == "error" and page.errors.append(f"console: {m.text}"))
    page.on("pageerror", lambda error: page.errors.append(f"script: {error}"))
    yield page
    context.close()


@pytest.fixture(scope="module", params=often((SLUGS, SLUGS[:2]), SLUGS[:2]), ids=len)
def soups(site: Path, request: pytest.FixtureRequest) -> dict[str, BeautifulSoup]:
    """Every page of two books with lessons by its name, read without a browser.

    Where all is run, of the third too. The other books have the same parts: their links are in
    test_shelf, their first pages below.
    """
    names = [name for slug in request.param for name in of_book(pages_of(site), slug)]
    return {name: BeautifulSoup((site / name).read_bytes(), "lxml") for name in names}


def pages_of(site: Path) -> list[str]:
    names = (path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return sorted(name for name in names if "_static" not in name)


def wider_than_the_screen(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def barriers(page, where: str = "document", rules: str = "") -> list[str]:
    """What axe finds wrong on a page or a part as it stands, by its own default rules or some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(page.axe)
    # What is right it need not list, which takes it most of the time on a long table.
    asked = f"{{ resultTypes: ['violations'], {rules} }}"
    found = page.evaluate(f"axe.run({where}, {asked})")["violations"]
    return [f"{rule['id']} at {node['target']}" for rule in found for node in rule["nodes"]]


def problems(page, address: str, known: dict[str, set[str]], every: bool = False) -> list[str]:
    """What is wrong with a page in a view: errors, charts, width, and barriers by axe.

    `known` has the kinds of parts that axe has seen, by view; a page with others is shown to it.
    After the first view a page is seen in those alone in which it has a part of a new kind, or in
    `every` one.
    """
    page.errors.clear()
    page.set_viewport_size(VIEWS[0][0])
    page.goto(address)
    found = []
    for size, theme in VIEWS:
        again = every or page.evaluate(KINDS, [*known.get(theme, [])])
        if (size, theme) != VIEWS[0] and not again:
            continue
        page.set_viewport_size(size)
        page.evaluate(THEME, theme)
        try:
            page.wait_for_function(DRAWN, timeout=15_000)
        except Exception as error:
            page.errors.append(f"a chart is not drawn: {error}".splitlines()[0])
        found += [f"{theme}: {error}" for error in page.errors]
        found += [f"{theme}: scrolls sideways"] if wider_than_the_screen(page) else []
        if theme in known and (kinds := page.evaluate(KINDS, [*known[theme]])):
            # Colours take axe half of its time, and only they are others in another theme.
            first = theme == next(iter(known))
            known[theme].update(kinds)
            seen = [*barriers(page, NEW, COLOURS), *(barriers(page, rules=OTHERS) if first else [])]
            found += [f"{theme}: {barrier}" for barrier in seen]
        page.errors.clear()  # axe asks for files that no page asks for
    return found


def of_book(names: Iterable[str], slug: str) -> list[str]:
    """Those of the pages that are of one book."""
    return [name for name in names if name.rpartition("/")[0] == slug]


# The other books have the same pages: what only they show is seldom broken.
@pytest.mark.parametrize(
    "slug, every",
    [("", False), *(pytest.param(slug, True, marks=pytest.mark.wide) for slug in SLUGS)],
)
def test_every_page_works(site: Path, served: str, visit, slug: str, every: bool) -> None:
    names = of_book(pages_of(site), slug)
    known = {theme: set() for theme in BY_AXE[slug]}
    wrong = {name: problems(visit, f"{served}/{name}", known, every) for name in names}
    assert {name: found for name, found in wrong.items() if found} == {}
    assert len(names) > len(notebooks())


def test_the_first_pages_of_the_other_books_work(site: Path, served: str, visit) -> None:
    known = {theme: set() for _, theme in VIEWS}
    for slug in SHELF[len(SLUGS) :]:
        assert problems(visit, f"{served}/{slug}/index.html", known) == [], slug


def test_what_only_a_desk_shows_is_legible_in_the_dark(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    beside = [".bd-sidebar-primary", ".bd-sidebar-secondary"]
    for name in ("index.html", "bmt/figure_1a.html"):
        visit.goto(f"{served}/{name}")
        assert all(visit.locator(place).is_visible() for place in beside)
        assert barriers(visit, f"{{ include: {beside} }}") == []


# How far down the screen the lowest part of some element reaches, in pixels.
FOOT = "element => element.getBoundingClientRect().bottom"
FIRST_SCREENS = ({"width": 1280, "height": 800}, PHONE)


@pytest.mark.parametrize("slug", often(SLUGS, ""))
def test_the_first_screen_says_what_was_found(served: str, visit, slug: str) -> None:
    """On the first page, and on the first and the last curve: survival, and incidence.

    The answer is there, and at least half of the curve.
    """
    dataset = load(ROOT / "data" / (slug or "blinatumomab"))
    curves = [place.name for place in places(dataset) if place.endpoint]
    for name in ("index", curves[0], curves[-1]):
        visit.goto(f"{served}/{slug and slug + '/'}{name}.html")
        for size in FIRST_SCREENS:
            visit.set_viewport_size(size)
            visit.wait_for_function(DRAWN, timeout=15_000)
            assert lowest(visit, name) <= size["height"], (name, size)
    assert visit.errors == []


def lowest(page, name: str) -> float:
    """How far down the answer, half of the curve and, of a first page, a button reach."""
    curve = page.locator(".chart:visible").first
    parts = [page.locator(".tag_answer p:visible").first]
    parts += [page.locator(".tag_buttons a").first] if name == "index" else []
    half = curve.evaluate(FOOT) - curve.bounding_box()["height"] / 2
    return max(half, *(part.evaluate(FOOT) for part in parts))


def test_axe_sees_what_it_should(served: str, visit) -> None:
    """Or no barrier found would prove nothing."""
    visit.goto(f"{served}/figure_1a.html")
    visit.evaluate("document.querySelector('.chart').removeAttribute('aria-label')")
    visit.evaluate("document.querySelector('article h1').style.color = '#444'")
    found = " ".join(barriers(visit))
    assert "role-img-alt" in found and "color-contrast" in found
    assert visit.evaluate(KINDS, [])  # here all parts are new
    (found,) = barriers(visit, NEW, COLOURS)
    assert "h1" in found


def test_a_page_works_from_the_disk(site: Path, visit) -> None:
    visit.goto((site / "bmt" / "figure_1a.html").as_uri())
    visit.wait_for_function(DRAWN, timeout=15_000)
    assert visit.locator(".chart-live svg").count() >= 1
    visit.locator(".plateau-books a").first.evaluate("link => link.click()")
    visit.wait_for_url((site / "figure_1a.html").as_uri())  # the same page of the other book
    assert visit.errors == []


def test_a_search_from_any_page_finds_pages(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/figure_1a.html")
    assert visit.evaluate("typeof MiniSearch + typeof SEARCHED") == "undefined" * 2  # not yet
    visit.locator(".bd-sidebar-primary .search-button__button").click()
    visit.locator("#pst-search-dialog input[name=q]").fill("immortal time")
    visit.keyboard.press("Enter")
    visit.wait_for_url("**/search.html?q=immortal*")
    visit.locator("#search-results a", has_text="Methods").wait_for()
    assert visit.locator("#search-results h2").first.inner_text() == "Lesson 6. Immortal time"
    assert visit.errors == []


def test_another_book_opens_on_the_same_page(soups: dict[str, BeautifulSoup]) -> None:
    for name in ("search.html", "table_3.html", "index.html"):
        links = {link["href"] for link in soups[name].select(".plateau-books a")}
        assert links == {f"{slug}/{name}" for slug in SHELF[1:]}
    only_here = {link["href"] for link in soups["cohort.html"].select(".plateau-books a")}
    assert only_here == {f"{slug}/index.html" for slug in SHELF[1:]}


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
    visit.route("**/vendor/vega.min.js", lambda route: route.abort())
    with visit.expect_console_message(lambda message: "Charts stay still" in message.text):
        visit.goto(f"{served}/figure_1a.html")
    assert visit.locator(".chart-static svg").first.is_visible()
    assert visit.locator(".chart-live").count() == 0


def test_the_page_does_not_jump_when_charts_come_alive(served: str, visit) -> None:
    """While the libraries are on their way, the still picture keeps the room of the living one."""
    for size in (PHONE, DESK):
        visit.set_viewport_size(size)
        visit.route("**/vendor/**", lambda route: route.abort())
        visit.goto(f"{served}/figure_1a.html")
        before = visit.locator(".chart").first.bounding_box()["height"]
        visit.unroute("**/vendor/**")
        visit.goto(f"{served}/figure_1a.html")
        visit.wait_for_function(DRAWN)
        after = visit.locator(".chart").first.bounding_box()["height"]
        assert after == pytest.approx(before, abs=6)


# A control that comes alive later, with the script that shows it and a page that has it.
LATER = (("views.js", "bmt/figure_1a"), ("controls.js", "lesson_06_immortal_time"))


@pytest.mark.parametrize(("script", "name"), LATER)
def test_what_comes_alive_has_its_room_before(served: str, visit, script: str, name: str) -> None:
    places = """[...document.querySelectorAll("article :is(figure, h2, .chart-answer)")]
        .filter(part => part.checkVisibility())
        .map(part => Math.round(part.getBoundingClientRect().top))"""
    visit.route(f"**/{script}*", lambda route: route.abort())
    visit.goto(f"{served}/{name}.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    before = visit.evaluate(places)
    visit.unroute(f"**/{script}*")
    visit.goto(f"{served}/{name}.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    assert visit.evaluate(places) == before


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


def test_what_is_folded_says_what_it_is(soups: dict[str, BeautifulSoup]) -> None:
    """It names the code or the exercise, and no two of a page have one name."""
    found = 0
    for name, soup in soups.items():
        summaries = soup.select("details.hide > summary")
        assert not any(summary.get("aria-label") for summary in summaries), name
        said = [summary.get_text().strip() for summary in summaries]
        assert len({*said}) == len(said), name
        assert all(re.match(r"(Code|Solution): \S|Is it right\? \S", words) for words in said), name
        found += len(summaries)
    assert found > 300


# Numbers of a table's cells that something lies upon: their own cell is not what is on top.
COVERED = """() => [...document.querySelectorAll('article table td')].flatMap(cell => {
    if (!cell.checkVisibility()) return []; // in a list that the reader left folded
    cell.scrollIntoView({ block: 'center', behavior: 'instant' });
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
    for (let node; (node = walk.nextNode());) {
        const range = document.createRange();
        range.selectNodeContents(node);
        const { left, right, top, bottom } = range.getBoundingClientRect();
        if (!node.data.trim() || right === left) continue;
        for (const x of [left + 1, right - 1]) {
            const above = document.elementFromPoint(x, (top + bottom) / 2);
            if (!above || !cell.contains(above)) found.push(node.data);
        }
    }
    return found;
})"""
SCROLLED = """() => [...document.querySelectorAll('article *')].filter(part =>
    part.clientWidth && part.scrollWidth > part.clientWidth + 1
    && getComputedStyle(part).overflowX !== 'visible').map(part => part.className)"""
PAPER = {"width": 680, "height": 1_000}  # an A4 sheet without its margins


@pytest.mark.parametrize("name", ["table_3", "lesson_06_immortal_time", "bmt/data", "bmt/table_s2"])
def test_paper_shows_every_number_of_a_table(served: str, visit, name: str) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/{name}.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    pages = PdfReader(io.BytesIO(visit.pdf(format="A4"))).pages
    printed = re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))
    visit.emulate_media(media="print")
    visit.set_viewport_size(PAPER)
    assert visit.evaluate(COVERED) == []
    assert visit.evaluate(SCROLLED) == []
    assert not wider_than_the_screen(visit)
    cells = visit.locator("article table:visible td").all_inner_texts()
    numbers = [number for cell in cells for number in re.findall(r"[\d.,]*\d", cell)]
    assert len(numbers) > 20
    assert [number for number in numbers if number not in printed] == []


def test_the_files_of_a_chart_are_reached_by_keyboard(served: str, visit) -> None:
    visit.goto(f"{served}/figure_1a.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    look = """() => {
        const { innerText, ariaLabel } = document.activeElement;
        return [innerText, ariaLabel, getComputedStyle(document.activeElement).outlineStyle];
    }"""
    names = []
    visit.locator(".chart-files summary").first.focus()
    visit.keyboard.press("Enter")
    for _ in range(12):
        names.append(visit.evaluate(look))
        visit.keyboard.press("Tab")
    kinds = ["PNG", "PDF", "SVG"]
    assert [words for words, *_ in names] == ["Download", *kinds * 3, "Numbers (CSV)", "Notebook"]
    assert all(label.startswith(words) for words, label, _ in names)
    assert all(label.endswith(": Figure 1A") for _, label, _ in names)
    assert len({label for _, label, _ in names}) == len(names)
    assert {outline for *_, outline in names} == {"solid"}


@pytest.mark.parametrize(("size", "theme"), VIEWS)
def test_the_menus_of_files_are_for_all(served: str, visit, size: dict, theme: str) -> None:
    visit.set_viewport_size(size)
    visit.goto(f"{served}/figure_1a.html")
    visit.evaluate(THEME, theme)
    visit.wait_for_function(DRAWN, timeout=15_000)
    visit.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    assert visit.locator(".chart-files dd button:visible").count() == 9
    assert visit.locator(".table-files dd a:visible").count() >= 10
    assert barriers(visit, "{ include: ['details'] }") == []
    assert not wider_than_the_screen(visit)
    visit.emulate_media(media="print")
    assert not visit.locator(":is(.chart-files, .table-files):visible").count()


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
    # Of each curve, by its colour; its faint tail is a line of its own.
    strength = """Object.values(Object.fromEntries(
        [...document.querySelectorAll('.chart-live .mark-line path')]
        .map(line => [line.getAttribute('stroke'), Number(line.getAttribute('opacity') ?? 1)])))"""
    relapse, death = visit.locator(".chart-curves button").all()
    whole = visit.evaluate(strength)
    assert len(whole) == 2 and min(whole) == 1
    relapse.focus()
    visit.keyboard.press("Enter")
    assert visit.evaluate(strength) == [1, 0.15]
    assert relapse.get_attribute("aria-pressed") == "true"
    assert relapse.bounding_box()["width"] > 50  # seen while the keyboard is there
    death.focus()
    visit.keyboard.press("Enter")
    assert visit.evaluate(strength) == [0.15, 1]
    assert relapse.get_attribute("aria-pressed") == "false"
    visit.locator(".chart-live text", has_text="━ Death").click(force=True)  # in the drawing
    assert visit.evaluate(strength) == whole
    assert death.get_attribute("aria-pressed") == "false"
    assert visit.errors == []


def test_groups_or_all_patients_at_a_press(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/bmt/figure_1a.html")
    visit.wait_for_function(DRAWN, timeout=15_000)
    groups = visit.locator("#figure_1a-by-0 .chart-live svg")
    everybody = visit.locator("#figure_1a .chart-live svg")
    by, whole = visit.locator(".chart-views button").all()
    assert groups.is_visible() and not everybody.is_visible()
    assert by.get_attribute("aria-pressed") == "true"
    whole.focus()
    visit.keyboard.press("Enter")
    assert everybody.is_visible() and not groups.is_visible()
    assert whole.get_attribute("aria-pressed") == "true"
    assert everybody.bounding_box()["width"] > 500
    visit.goto(f"{served}/bmt/figure_1a.html#figure_1a-groups")  # a link shows what it leads to
    assert groups.is_visible()
    visit.emulate_media(media="print")  # paper has both
    assert visit.locator("#figure_1a-landmarks").is_visible()
    assert visit.errors == []


def test_a_table_says_that_it_goes_on_until_its_end_is_seen(served: str, visit) -> None:
    """On a phone, and nothing moves when the words come or go."""
    visit.goto(f"{served}/table_s1.html")
    table, words = visit.locator(".table-wrap").first, visit.locator(".more-columns span").first
    place = "element => element.getBoundingClientRect().top"
    assert words.is_visible() and "more columns" in words.inner_text()
    caption = visit.locator(".table-caption").first.bounding_box()
    assert words.bounding_box()["y"] >= caption["y"] + caption["height"] - 1
    top = table.evaluate(place)
    table.evaluate("table => { table.scrollLeft = table.scrollWidth }")
    words.wait_for(state="hidden")
    assert table.evaluate(place) == top
    visit.set_viewport_size(DESK)
    assert not visit.locator(".more-columns span").locator("visible=true").count()


def test_the_code_of_a_lesson_is_all_there_and_no_toggle_follows_another(
    soups: dict[str, BeautifulSoup],
) -> None:
    """But that of the parameters, which a reader may look for."""
    folded = "details.hide > summary"
    for path in (path for path in notebooks() if path.stem.startswith("lesson_")):
        article = soups[f"{path.stem}.html"].select_one("article")
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        shown = [cell.source for cell in code if "remove-input" not in cell.metadata["tags"]]
        found = [part.get_text() for part in article.select("div.cell div.cell_input pre")]
        assert [text.strip() for text in found] == [source.strip() for source in shown], path.stem
        for cell in article.select("div.cell:not(.tag_parameters, .tag_solution, .tag_hide-cell)"):
            after = cell.find_next_sibling()
            if cell.select(folded) and not cell.select("div.cell_output") and after is not None:
                assert not ("cell" in after.get("class", []) and after.select(folded)), path.stem


DIAGRAMS = ("table_3", "patients", "bmt/table_3", "myeloid/patients")


@pytest.mark.parametrize("name", often(DIAGRAMS, "table_3", "patients"))
def test_no_text_of_the_diagrams_is_cut_or_outside(served: str, visit, name: str) -> None:
    """On a phone and a desk; an ellipsis would say that a label had no room."""
    outside = """[...document.querySelectorAll('.chart-live svg text')].filter(text => {
        const box = text.getBoundingClientRect();
        return text.textContent.includes('…') || box.left < 0 || box.right > window.innerWidth;
    }).map(text => text.textContent)"""
    for size in (PHONE, DESK):
        visit.set_viewport_size(size)
        visit.goto(f"{served}/{name}.html")
        visit.wait_for_function(DRAWN, timeout=15_000)
        assert visit.evaluate(outside) == [], f"{size['width']} px"


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


def test_internal_links_resolve(site: Path, soups: dict[str, BeautifulSoup]) -> None:
    places = {
        (site / name).resolve(): {
            "",
            *(tag.get("id") or tag.get("name") for tag in soup.find_all()),
        }
        for name, soup in soups.items()
    }
    broken = []
    for name, soup in soups.items():
        page = site / name
        for tag in soup.select("[href], [src]"):
            target = tag.get("href") or tag.get("src")
            url = urlsplit(target)
            if url.scheme or url.netloc or tag.name == "base":
                continue
            found = (page.parent / unquote(url.path)).resolve() if url.path else page.resolve()
            there = found.exists() and found.is_relative_to(site.resolve())
            if there and url.fragment and found in places:
                there = unquote(url.fragment) in places[found]
            if not there:
                broken.append(f"{name}: {target}")
    assert broken == []


def test_no_two_things_of_a_page_share_an_id(soups: dict[str, BeautifulSoup]) -> None:
    for name, soup in soups.items():
        places = [tag["id"] for tag in soup.select("article [id]")]
        assert sorted(set(places)) == sorted(places), name


def test_every_picture_has_words(soups: dict[str, BeautifulSoup]) -> None:
    silent, charts = [], 0
    for name, soup in soups.items():
        pictures = soup.select("img, [role=img]")
        charts += len(soup.select(".chart[role=img]"))
        words = [tag.get("alt") or tag.get("aria-label") or "" for tag in pictures]
        silent += [name for text in words if not text.strip()]
    assert silent == []
    assert charts >= 4 + 2 * len(SLUGS)  # Figures 1A to 1D where the data have them


@pytest.mark.parametrize("slug", often(SLUGS, ""))
def test_without_scripts_every_chart_is_there(site: Path, served: str, browser, slug: str) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    names = [name for name in of_book(pages_of(site), slug) if CHART in (site / name).read_bytes()]
    assert len(names) > 10
    for name in names:
        page.goto(f"{served}/{name}")
        drawings = page.locator(".chart-static svg:visible")
        assert drawings.count() == page.locator(".chart").count() > 0, name
        assert not wider_than_the_screen(page), name
    context.close()


@pytest.mark.parametrize("slug", often(SLUGS, "bmt"))  # by groups
def test_a_page_with_charts_is_light(site: Path, served: str, browser, slug: str) -> None:
    page = measure(browser, site, served, f"{slug}/figure_1a.html".lstrip("/"))
    assert page.first_chart is not None
    assert 200_000 < page.size < 500_000  # less than Vega alone would be a page without it


def test_an_address_that_leads_nowhere_leads_home(site: Path, tmp_path: Path, visit) -> None:
    """At any depth, and where the site lives under a path of its host."""
    (tmp_path / "plateau").symlink_to(site)
    for folder, root in ((site, "/"), (tmp_path, "/plateau/")):
        with serving(folder) as address:
            for lost in ("nowhere.html", "bmt/nowhere", "a/b/c/"):
                answer = visit.goto(f"{address}{root}{lost}")
                visit.wait_for_function(
                    "root => document.querySelector('base').href.endsWith(root)",
                    arg=f"{address.rsplit(':', 1)[1]}{root}",
                )
                assert answer.status == 404
                assert visit.locator("main li a").count() > len(notebooks())
                visit.locator("main a").first.click()
                visit.wait_for_url(f"{address}{root}index.html")


def test_the_keyboard_shows_where_it_is(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    for name in ("index.html", "figure_1a.html", "scorecard.html"):
        visit.goto(f"{served}/{name}")
        visit.keyboard.press("Tab")
        skip = visit.locator(".skip-link a")
        assert skip.evaluate("link => link === document.activeElement"), name
        assert skip.bounding_box()["y"] >= 0
        for theme in ("light", "dark"):
            visit.evaluate(THEME, theme)
            assert visit.evaluate(WITHOUT_A_RING) == [], (name, theme)
        skip.focus()
        visit.keyboard.press("Enter")
        visit.wait_for_function("location.hash === '#main-content'")


# Links that lie under something else when they have the focus, as they come from below.
UNDER_OTHERS = """() => [...document.querySelectorAll(".bd-sidebar-primary nav a")].reverse()
    .filter(link => link.checkVisibility())
    .filter(link => {
      link.focus();
      const { left, top } = link.getClientRects()[0];
      return !link.contains(document.elementFromPoint(left + 6, top + 6));
    })
    .map(link => link.textContent)"""


def test_the_keyboard_goes_back_through_the_sidebar(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/figure_1a.html")
    assert visit.evaluate(UNDER_OTHERS) == []


@pytest.mark.parametrize("button", ["primary-toggle", "secondary-toggle", "search-button"])
def test_what_a_key_opens_gives_the_focus_back(served: str, visit, button: str) -> None:
    visit.goto(f"{served}/figure_1a.html")
    opener = visit.locator(f"button.{button}:visible").first
    opener.focus()
    visit.keyboard.press("Enter")
    visit.locator("dialog[open]").wait_for()
    assert visit.evaluate("document.activeElement.closest('dialog') !== null")
    visit.keyboard.press("Escape")
    visit.locator("dialog[open]").wait_for(state="detached")
    assert opener.evaluate("button => button === document.activeElement")


WITHOUT_A_RING = """() =>
  [...document.querySelectorAll("a, button, summary, input, select, [tabindex='0']")]
    .filter(item => item.checkVisibility({ visibilityProperty: true }))
    .filter(item => {
      item.focus();
      if (document.activeElement !== item) return false;
      const style = getComputedStyle(item);
      return style.outlineStyle !== "solid" || parseFloat(style.outlineWidth) < 2;
    })
    .map(item => item.outerHTML.slice(0, 100))"""


def test_paper_has_the_page_and_nothing_around_it(served: str, visit) -> None:
    visit.set_viewport_size(DESK)
    visit.goto(f"{served}/figure_1a.html")  # in the dark theme
    visit.wait_for_function(DRAWN, timeout=15_000)
    visit.emulate_media(media="print")
    gone = "nav, button, dialog, details.hide, .bd-sidebar-primary, .bd-sidebar-secondary"
    assert visit.locator(gone).locator("visible=true").count() == 0
    assert visit.get_by_text("Synthetic cohort: no patient data.").is_visible()
    assert visit.locator(".plateau-provenance").is_visible()
    colours = "place => { const s = getComputedStyle(place); return [s.color, s.backgroundColor] }"
    assert visit.locator("body").evaluate(colours)[1] == "rgb(255, 255, 255)"
    assert visit.locator(".chart").first.evaluate(colours)[0] == "rgb(0, 0, 0)"


def test_every_page_says_what_made_it(soups: dict[str, BeautifulSoup]) -> None:
    folders = {"": "blinatumomab", "bmt": "bmt", "myeloid": "myeloid"}
    data = {slug: ROOT / "data" / folder for slug, folder in folders.items()}
    whose = {slug: named(load(folder)) for slug, folder in data.items()}
    digests = {
        slug: hashlib.sha256((folder / "patients.csv").read_bytes()).hexdigest()[:12]
        for slug, folder in data.items()
    }
    for name, soup in soups.items():
        if name == "404.html":
            continue
        slug = name.rpartition("/")[0]
        lines = soup.select_one(".plateau-provenance").get_text(" ", strip=True)
        assert whose[slug] in lines and digests[slug] in lines
        assert "Parameters defaults" in lines
        assert all(
            word in lines for word in ("Plateau", "Python", "numpy", "pandas", "scipy", "altair")
        )


def test_a_link_to_a_page_has_a_preview(site: Path, soups: dict[str, BeautifulSoup]) -> None:
    for name, soup in soups.items():
        if name == "404.html":
            continue
        said = {
            tag.get("property") or tag.get("name"): tag.get("content")
            for tag in soup.select("meta")
        }
        assert said["og:title"] == said["twitter:title"] != ""
        assert said["og:description"] == said["twitter:description"] != ""
        assert said["og:type"] == "article" and said["og:site_name"].startswith("Plateau")
        assert said["og:image"] == said["twitter:image"]
        assert ("Synthetic cohort" in said["og:image:alt"]) == ("/" not in name)
        picture = (site / name).parent.joinpath(said["og:image"]).read_bytes()
        assert picture.startswith(b"\x89PNG") and len(picture) < 150_000
        assert [int.from_bytes(picture[i : i + 4]) for i in (16, 20)] == [1200, 630]
    said = soups["figure_1a.html"].select_one("meta[property='og:description']")["content"]
    assert said == "Of all patients, how many are still alive as time passes?"


def test_pages_ask_no_other_host(site: Path) -> None:
    """Links may lead elsewhere; what a page loads may not."""
    loaded = re.compile(r"""<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=["'](?:https?:)?//""")
    pages = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    assert [path.name for path in pages if loaded.search(path.read_text("utf-8"))] == []


def test_every_page_of_synthetic_data_says_so(site: Path) -> None:
    for place in places(load(ROOT / "data" / "blinatumomab")):
        name = f"{place.name}.html"
        assert "Synthetic cohort: no patient data." in (site / name).read_text("utf-8")
        if (site / "bmt" / name).exists():
            text = (site / "bmt" / name).read_text("utf-8")
            assert "Synthetic cohort" not in text and "<strong>Real patients.</strong>" in text
            assert "Data from Klein and Moeschberger, Springer 1997." in text


def test_each_page_with_results_offers_them(site: Path) -> None:
    for slug in SLUGS:
        offered = {path.name for path in (site / slug / "_downloads").rglob("*.csv")}
        results = {path.name for path in (site.parent / "results" / slug).glob("*.csv")}
        assert results and results <= offered


def test_buttons_open_the_notebook_of_their_page(site: Path, soups: dict[str, BeautifulSoup]):
    for slug in SLUGS:
        for page in places(load(ROOT / "data" / (slug or "blinatumomab"))):
            soup = soups.get(Path(slug, f"{page.name}.html").as_posix())
            if soup is None or page.path.suffix == ".md":  # what a dataset cannot fill is not there
                continue
            buttons = soup.select(".article-header-buttons a[href]")
            opened = {urlsplit(button["href"]).netloc: button["href"] for button in buttons}
            lesson = page.name.startswith("lesson_")  # its exercises, without solutions
            assert opened[""] == f"{'exercises' if lesson else '_sources'}/{page.name}.ipynb"
            assert (site / slug / opened[""]).exists()
            exercises = f"exercises/{slug or 'blinatumomab'}"
            own = f"{exercises if lesson else 'book'}/{page.path.name}"
            if slug and not lesson:  # the repository's notebook is of the paper's patients
                assert set(opened) == {""}
                continue
            assert opened["mybinder.org"].endswith(f"urlpath=lab/tree/{own}")
            assert opened["colab.research.google.com"].endswith(f"/blob/main/{own}")
            assert (ROOT / own).exists()


def test_vendored_scripts_are_those_of_the_table() -> None:
    table = (VENDOR / "README.md").read_text("utf-8")
    scripts = sorted(VENDOR.glob("*.js"))
    assert len(scripts) == 6
    for script in scripts:
        assert hashlib.sha256(script.read_bytes()).hexdigest() in table
        assert script.with_name(f"{script.name.partition('.')[0]}.LICENSE").exists()
