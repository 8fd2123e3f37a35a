"""The pages in a real browser, on a real world: what a person sees, live, by keyboard, on a phone, dark and light."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tandem.book import Capital, Mark
from tandem.market import WorldKind
from tandem.operations.dashboard.acts import RecyclerTold
from tandem.risk import Standing, Switch
from tandem.store import Record

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt install chromium")
PAGES = ["/", "/pairs", "/pairs/AAPL/NVDA", "/models", "/orders", "/recycler", "/runs", "/alerts"]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AT = datetime(2023, 1, 27, 21, 0, tzinfo=UTC)
SOON = 5000
# What a page asked for and no longer waits for: it was left.
LEFT = ("net::ERR_ABORTED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING")


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Opens a page; whatever is wrong with it is known at the end."""

    @contextmanager
    def opened(url: str, size=WIDE, scheme: str = "dark", javascript: bool = True) -> Iterator[playwright.Page]:
        context = chromium.new_context(viewport=size, color_scheme=scheme, java_script_enabled=javascript)
        page, wrong, abroad = context.new_page(), [], []
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda sent: None if sent.failure in LEFT else wrong.append(f"{sent.url} failed"))
        page.on("request", lambda sent: abroad.append(sent.url) if _is_abroad(sent.url) else None)
        page.goto(url)
        yield page
        context.close()
        assert (wrong, abroad) == ([], [])

    return opened


def _is_abroad(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme != "data" and parts.hostname not in ("localhost", "127.0.0.1")


def drawn(page) -> None:
    """Waits until the page is live and every chart has been drawn."""
    page.wait_for_selector("body[data-live]")
    for chart in page.locator("[data-chart]").all():
        playwright.expect(chart).to_have_attribute("data-drawn", re.compile(r"\d+"), timeout=4 * SOON)


# What has less than 4.5 times the contrast to what is behind it (WCAG AA).
FAINT = """() => {
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const numbers = text => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    const words = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    const hidden = element.closest("svg, .chart, .vh, option, dialog") || !element.getClientRects().length;
    if (!words || hidden) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.add(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...found];
}"""


@pytest.mark.parametrize(("scheme", "size"), [("dark", WIDE), ("light", WIDE), ("light", PHONE)])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_legible_wherever_it_is_looked_at(desk, look, tmp_path, path, scheme, size):
    with look(desk.url + path, size, scheme) as page:
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert page.locator("h1").count() == 1
        assert page.evaluate(FAINT) == []
        shot = tmp_path / "page.png"
        page.screenshot(path=shot, full_page=True)
        assert shot.stat().st_size > 10_000


@pytest.mark.parametrize("path", PAGES)
def test_pages_say_what_they_know_without_scripts_too(desk, look, path):
    with look(desk.url + path, javascript=False) as page:
        assert page.locator("main .panel").count() > 0


@pytest.mark.parametrize("path", ["/", "/pairs", "/models", "/orders", "/recycler", "/runs", "/alerts"])
def test_every_page_is_whole_with_nothing_on_record(empty, look, path):
    with look(empty.url + path, PHONE) as page:
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.fixture
def world(store):
    made = store.new_world(WorldKind.RECYCLER)
    store.facts(made).append(Record(Capital(Decimal(100_000)), AT.date(), AT, "capital"))
    return made


def mark(equity: str, count: int) -> Record[Mark]:
    at = AT + timedelta(minutes=5 * count)
    body = Mark(Decimal(equity), Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    return Record(body, AT.date(), at, f"mark.{count}")


def test_a_fact_is_seen_at_once_and_the_chart_goes_on(store, serve, look, world):
    facts = store.facts(world)
    facts.append(mark("100000", 0))
    with serve(store) as site, look(site.url) as page:
        drawn(page)
        facts.append(mark("100321.09", 1))
        playwright.expect(page.locator("#part-strip")).to_contain_text("$100,321.09", timeout=SOON)
        playwright.expect(page.locator("[data-chart]")).to_have_attribute("data-drawn", "2", timeout=SOON)


# Every word that a chart writes.
WRITTEN = """
globalThis.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (words, ...where) {
  globalThis.written.push([words, Math.round(where[1])]);
  return write.call(this, words, ...where);
};
"""


@pytest.mark.parametrize(
    ("others", "form"),
    [
        (("100000", "100000"), r"\d+,\d{3}"),
        (("100000.40", "99999.85"), r"\d+,\d{3}\.\d{2}"),
        (("100321.09", "99000"), r"\d+,\d{3}"),
    ],
)
def test_the_equity_axis_says_no_figure_twice(store, serve, chromium, world, others, form):
    store.facts(world).append(*(mark(equity, count) for count, equity in enumerate(("100000", *others))))
    with serve(store) as site:
        page = chromium.new_page()
        page.add_init_script(WRITTEN)
        page.goto(site.url)
        drawn(page)
        page.wait_for_timeout(300)
        figures = {tuple(each) for each in page.evaluate("written") if "," in each[0]}
        page.close()
    # The newest value has a label of its own beside the axis.
    axis = [words for words, height in figures if [words] != [others[-1]]]
    assert len(set(axis)) > 2
    assert all(re.fullmatch(form, words) for words in axis)
    assert len(axis) - len(set(axis)) <= 1


def test_no_tile_is_cut_where_the_window_is_narrow(desk, look):
    with look(desk.url, {"width": 1280, "height": 800}) as page:
        drawn(page)
        cut = "[...document.querySelectorAll('.tile > *')].filter(each => each.scrollWidth > each.clientWidth).length"
        assert page.evaluate(cut) == 0
        assert "limit 10%" in page.locator("#part-strip").inner_text()


def test_what_is_typed_and_scrolled_survives_a_fact(store, serve, look, world, ask):
    ask.status["world"] = str(world)
    with serve(store, ask) as site, look(site.url + "/recycler") as page:
        drawn(page)
        page.fill("input[name=to]", "2023-01-2")
        ask.status = {**ask.status, "bars": 4321}
        playwright.expect(page.locator("#part-playing")).to_contain_text("4,321", timeout=SOON)
        assert page.input_value("input[name=to]") == "2023-01-2"


def test_halting_asks_and_can_be_done_by_keyboard(store, serve, look, world):
    with serve(store) as site, look(site.url) as page:
        drawn(page)
        dialog = page.locator("#dialog-halt")
        page.get_by_role("link", name="Halt", exact=True).focus()
        page.keyboard.press("Enter")
        playwright.expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        playwright.expect(dialog).to_be_hidden()
        assert store.facts(world).read(Switch) == []
        page.keyboard.press("Enter")
        dialog.get_by_label("Your name").fill("Ada")
        dialog.get_by_label("Reason").fill("a feeling")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#part-standing")).to_contain_text("Halted", timeout=SOON)
        playwright.expect(page.locator(".said.good")).to_contain_text("takes no entries")
        (record,) = store.facts(world).read(Switch)
        assert record.body == Switch(Standing.HALTED, "a feeling", "Ada")
        page.get_by_role("link", name="Resume", exact=True).click()
        playwright.expect(page.locator("#dialog-resume").get_by_label("Your name")).to_have_value("Ada")
        page.locator("#dialog-resume").get_by_role("button").click()
        playwright.expect(page.locator("#part-standing")).to_contain_text("Armed", timeout=SOON)


def test_halting_works_without_scripts_too(store, serve, look, world):
    with serve(store) as site, look(site.url, javascript=False) as page:
        page.get_by_role("link", name="Halt", exact=True).click()
        page.locator("main input[name=by]").fill("Ada")
        page.locator("main").get_by_role("button", name=re.compile("^Halt")).click()
        playwright.expect(page.locator("#part-standing")).to_contain_text("Halted")
    assert [record.body.by for record in store.facts(world).read(Switch)] == ["Ada"]


def test_the_recycler_is_paused_and_broken_from_the_page(store, serve, look, world, ask):
    ask.status["world"] = str(world)
    with serve(store, ask) as site, look(site.url + "/recycler") as page:
        drawn(page)
        page.fill("#person", "Ada")
        page.get_by_role("button", name="Pause").click()
        playwright.expect(page.locator("#part-playing")).to_contain_text("paused", timeout=SOON)
        page.select_option("form:has(input[value=fault]) select", "halt")
        page.locator("form:has(input[value=fault]) input[name=symbol]").fill("AAPL")
        page.get_by_role("button", name="Inject").click()
        playwright.expect(page.locator("#part-faults")).to_contain_text("halt", timeout=SOON)
        page.get_by_role("button", name="Take back fault 1").click()
        playwright.expect(page.locator("#part-faults")).to_contain_text("No fault is in force", timeout=SOON)
    assert [record.body.by for record in store.facts(world).read(RecyclerTold)] == ["Ada"] * 3


def test_names_and_figures_tell_their_definition_to_mouse_and_keyboard(desk, look):
    with look(desk.url) as page:
        drawn(page)
        tip = page.locator("#tip")
        page.locator("#part-strip dd").first.hover()
        playwright.expect(tip).to_contain_text("Cash plus all positions")
        page.mouse.move(0, 500)
        playwright.expect(tip).to_be_hidden()
        page.locator("#part-strip [data-def=drawdown].term").focus()
        playwright.expect(tip).to_contain_text("below its best")
        assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip"
        page.keyboard.press("Escape")
        playwright.expect(tip).to_be_hidden()
        page.locator("#part-decisions td.num").first.hover()
        playwright.expect(tip).to_contain_text("standard deviations")


def test_every_column_of_rows_in_two_halves_has_its_own_definition(desk, look):
    with look(desk.url + "/orders") as page:
        drawn(page)
        page.locator("#part-orders tr.second td.num").nth(2).hover()
        playwright.expect(page.locator("#tip")).to_contain_text("Mean price of the leg's executions")
        page.locator("#part-orders tr.first td.num").last.hover()
        playwright.expect(page.locator("#tip")).to_contain_text("hundredths of a percent")


def test_dark_and_light_are_chosen_and_remembered(desk, look):
    with look(desk.url, scheme="light") as page:
        drawn(page)
        paper = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(paper)
        page.get_by_role("button", name="Dark or light").click()
        after = page.evaluate(paper)
        assert before != after
        page.reload()
        assert page.evaluate(paper) == after


def test_keys_reach_everything_and_the_focus_is_seen(desk, look):
    with look(desk.url) as page:
        drawn(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = []
        for _ in range(14):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.textContent.trim()"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert {"Desk", "Pairs", "Alerts", "Halt", "Flatten"} <= set(seen)


def test_another_session_and_another_world_are_chosen_on_the_page(demo, serve, look):
    other = str(demo[0].new_world(WorldKind.BACKTEST))
    with serve(demo[0], named=str(demo[1])) as site, look(site.url + "/pairs/AAPL/NVDA") as page:
        drawn(page)
        page.select_option("#day", "all")
        page.wait_for_url("**day=all*")
        drawn(page)
        page.goto(site.url)
        page.select_option("#world", other)
        page.wait_for_url(f"**world={other}*")
        drawn(page)
        assert f"world={other}" in (page.locator("nav a").first.get_attribute("href") or "")


def test_a_server_that_is_gone_is_said_and_found_again(store, serve, chromium, world):
    page = chromium.new_page()
    with serve(store) as site:
        page.goto(site.url)
        page.wait_for_selector("body[data-live]")
        playwright.expect(page.locator("#away")).to_be_hidden()
    playwright.expect(page.locator("#away")).to_be_visible(timeout=10_000)
    page.close()


def test_pictures_of_the_page_in_the_middle_of_a_session(midday, serve, look, tmp_path):
    """With PAGE_PICTURES=docs they are those of the documentation."""
    store, world, ask = midday
    folder = Path(os.environ.get("PAGE_PICTURES", tmp_path))
    with serve(store, ask, named=str(world)) as site:
        for path, name in (("/", "page-desk.png"), ("/pairs/AAPL/NVDA", "page-pairs.png")):
            with look(site.url + path, {"width": 1360, "height": 1000}) as page:
                drawn(page)
                page.mouse.move(0, 0)
                page.screenshot(path=folder / name)
                assert (folder / name).stat().st_size < 300_000


def test_what_is_held_in_the_middle_of_a_session_is_seen(midday, serve, look):
    store, world, ask = midday
    with serve(store, ask, named=str(world)) as site, look(site.url) as page:
        drawn(page)
        positions = page.locator("#part-positions")
        playwright.expect(positions).to_contain_text("AAPL/NVDA")
        playwright.expect(positions).to_contain_text("short")
        playwright.expect(page.locator("#part-health")).to_contain_text("fresh")
        playwright.expect(page.locator("#part-clock")).to_contain_text("Fri 27 Jan 13:02")
