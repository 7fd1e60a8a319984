"""The page of a judge in a real browser, on a desk and on a telephone: what is in view, and who can use it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_judge import PHONE, ROWS, Judge, one_item_of_each_task
from web_server import WebServer

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    """A review of six tasks, one item of each."""
    with WebServer(tmp_path, one_item_of_each_task()) as server:
        yield server


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_every_page_is_accessible_and_fits(
    browser: Any, server: WebServer, scheme: str, viewport: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def look(page: Any) -> None:
        found = axe.run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        small = "[...document.querySelectorAll('button, .button, summary, input')].filter((one) => one.offsetParent"
        small += " && one.type !== 'checkbox' && one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"
        assert page.evaluate(small) == []

    visitor = browser.new_context(color_scheme=scheme, viewport=viewport, bypass_csp=True).new_page()
    for path in ("/review", "/review/help", "/nowhere"):
        visitor.goto(f"{server.url}{path}")
        look(visitor)
    ada = Judge(browser, server, "Ada", color_scheme=scheme, viewport=viewport, bypass_csp=True)
    for _ in ROWS:
        ada.wait()
        ada.press("r", "p")
        look(ada.page)
        ada.press("p")
        ada.judge("1")
    look(ada.page)
    assert "All judged" in ada.page.inner_text("h1")
    ada.press("?")
    look(ada.page)
    assert ada.faults == []


def test_verdicts_stay_in_reach_on_a_phone(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada", viewport=PHONE, has_touch=True)
    for _ in range(4):
        ada.judge("1")
    ada.wait()
    assert ada.page.evaluate("document.documentElement.scrollHeight") > 2 * PHONE["height"]
    for top in (0, 1_000, 10**7):
        ada.page.evaluate(f"window.scrollTo(0, {top})")
        box = ada.page.locator(".verdict").last.bounding_box()
        assert 0 < box["y"] < PHONE["height"] - box["height"] + 1


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desktop"])
def test_verdicts_end_at_the_window_s_bottom(browser: Any, server: WebServer, viewport: dict[str, int]) -> None:
    ada = Judge(browser, server, "Ada", viewport=viewport)
    ada.wait()
    ada.press("r")
    for top in (0, 10**7):
        ada.page.evaluate(f"window.scrollTo(0, {top})")
        box = ada.page.locator(".verdicts").bounding_box()
        assert box["y"] + box["height"] == pytest.approx(viewport["height"], abs=1)


def test_the_guideline_waits_to_be_opened_on_a_phone(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada", viewport=PHONE, has_touch=True)
    ada.wait()
    assert ada.page.locator(".card").bounding_box()["y"] < PHONE["height"] / 2
    ada.page.locator("#guideline > summary").tap()
    assert ada.page.locator("#guideline .panel").is_visible()
    ada.judge("1")
    assert not ada.page.locator("#guideline .panel").is_visible(), "the next item stands at the top again"
    desk = Judge(browser, server, "Ben", viewport={"width": 1280, "height": 900})
    desk.wait()
    assert desk.page.locator("#guideline .panel").is_visible()


def test_a_short_answer_stands_beside_the_verdicts_on_one_line(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada", viewport=PHONE)
    expected = ["Answer: yes", "Answer: B: spoon", "Answer: B, A, C", "Answer: A: very positive", "Answer: no"]
    seen = []
    for _ in ROWS:
        ada.wait()
        for line in ada.page.locator(".given").all():
            seen.append(line.inner_text())
            assert line.bounding_box()["height"] < 25
        ada.judge("1")
    assert [one for one in seen if "attribute" not in one] == expected
    assert ada.page.locator(".given").count() == 0
