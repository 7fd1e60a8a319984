"""The report in a real browser: from disk, offline, on a desk and on a telephone, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from building import SmallBuild
from report_data import report_data, review_json
from test_report_page import report_of

from ecinstruct_build.reporting.page.page import report_page
from ecinstruct_build.reporting.page.reviewed import review_of

pytestmark = pytest.mark.browser

SHAPES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
CUT_OFF = """() => [...document.querySelectorAll('svg[width="100%"]')].flatMap((chart) => {
  const room = chart.getBoundingClientRect();
  return [...chart.querySelectorAll('text')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.left < room.left - 1 || box.right > room.right + 1;
  }).map((one) => one.textContent);
})"""
OVERLAPPING = """() => [...document.querySelectorAll('svg[role="img"]')].flatMap((chart) => {
  const boxes = [...chart.querySelectorAll('text')].map((one) => [one.textContent, one.getBoundingClientRect()]);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
  return boxes.flatMap(([said, a], place) => boxes.slice(place + 1).filter(([, b]) => meet(a, b))
    .map(([other]) => `${chart.textContent.slice(0, 30)}: ${said} / ${other}`));
})"""


@pytest.fixture(scope="module")
def reports(small_build: SmallBuild, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A report on a whole build with a review, and one in which every name is very long."""
    built = report_of(small_build, generated=True)
    reviewed = {**built.__dict__, "review": review_of(review_json())}
    pages = [report_page(type(built)(**reviewed)), report_page(report_data("extraordinarily" * 12))]
    folder = tmp_path_factory.mktemp("reports")
    paths = [folder / f"report-{number}.html" for number in range(len(pages))]
    for path, page in zip(paths, pages, strict=True):
        path.write_text(page, encoding="utf-8")
    return paths


class Reader:
    """Opens a page from disk without a network, and keeps what the browser complains of."""

    def __init__(self, browser: Any, path: Path, width: int, scheme: str) -> None:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def open_all(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_it_opens_offline_and_fits(browser: Any, reports: list[Path], width: int, scheme: str) -> None:
    for path in reports:
        reader = Reader(browser, path, width, scheme)
        assert reader.complaints == []
        assert reader.asked == [path.as_uri()]
        for _ in range(2):  # with its tables closed, and open
            assert reader.page.evaluate("document.documentElement.scrollWidth") <= width
            reader.open_all()
        assert reader.page.locator("section").count() >= 9


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_it_has_no_accessibility_faults(browser: Any, reports: list[Path], width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for path in reports:
        reader = Reader(browser, path, width, scheme)
        reader.open_all()
        found = axe.run(reader.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_text_of_a_chart_is_cut_off_or_stands_on_another(browser: Any, reports: list[Path], width: int) -> None:
    for path in reports:
        page = Reader(browser, path, width, "light").page
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate(OVERLAPPING) == []


def test_the_contents_lead_to_their_sections_by_keyboard(browser: Any, reports: list[Path]) -> None:
    page = Reader(browser, reports[0], 1280, "light").page
    page.keyboard.press("Tab")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#answers")
    assert page.evaluate("document.querySelector('#answers').getBoundingClientRect().top") < 60


def test_it_prints(browser: Any, reports: list[Path]) -> None:
    page = Reader(browser, reports[0], 1280, "dark").page
    page.emulate_media(media="print", color_scheme="light")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    page.set_viewport_size({"width": 680, "height": 900})  # what an A4 sheet leaves between its margins
    wide = "[...document.querySelectorAll('svg[role=\"img\"]')].map((one) => one.getBoundingClientRect().right)"
    assert max(page.evaluate(wide)) <= 680, "no chart is cut off at the edge of the paper"
    assert len(page.pdf(format="A4")) > 10_000


WIDE_CHARTS = """() => [...document.querySelectorAll('figure')].filter((one) => {
  const box = one.querySelector('.scroll');
  return box.scrollWidth > box.clientWidth;
}).map((one) => [one.id, one.querySelector('.hint')?.offsetParent != null])"""


def test_charts_fit_a_desk_and_a_telephone_says_which_scroll(browser: Any, reports: list[Path]) -> None:
    assert Reader(browser, reports[0], 1280, "light").page.evaluate(WIDE_CHARTS) == []
    on_a_telephone = dict(Reader(browser, reports[0], 390, "light").page.evaluate(WIDE_CHARTS))
    assert on_a_telephone.keys() == {"figure-leakage", "figure-origins"}
    assert all(on_a_telephone.values()), "each says so"
