"""The page of an audit in a real browser: from disk, offline, on a desk and on a telephone, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from audit_rows import ROLES, clean_dataset, write_shards

from ecinstruct_build.audit.page import write_audit
from ecinstruct_build.audit.run import audit_dataset

pytestmark = pytest.mark.browser

SHAPES = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
WIDER_THAN_THEIR_BOX = """() => [...document.querySelectorAll('.scroll')]
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.getAttribute('aria-label'))"""
HEIGHTS = "[...document.querySelectorAll('.matrix tbody tr')].map((row) => row.getBoundingClientRect().height)"
NAME_HEIGHTS = """() => [...document.querySelectorAll('.splits tbody th[scope=row]')].map((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getBoundingClientRect().height;
})"""
# Lines of a name that neither end nor begin at an underscore or a space: a word was broken.
BROKEN_NAMES = """() => [...document.querySelectorAll('th')].flatMap((cell) => {
  const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    for (const word of node.data.matchAll(/[^\\s_]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
})"""


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a dataset with all splits, a leak of each of two kinds, and an empty answer."""
    folder = tmp_path_factory.mktemp("audited")
    made = clean_dataset(dict.fromkeys(ROLES, 8))
    for held_out in ("test", "test_ood_unseen_instructions"):
        here, there = made.rows["Sentiment_Analysis", "train"][0], made.rows["Sentiment_Analysis", held_out][0]
        here["groups"] = sorted({*here["groups"], *there["groups"]})
    made.rows["Sentiment_Analysis", "test"][1]["input"] = made.rows["Sentiment_Analysis", "train"][1]["input"]
    made.rows["Answerability_Prediction", "train"][0]["output"] = ""
    write_audit(audit_dataset(write_shards(made, folder / "dataset")), folder)
    return folder / "audit.html"


def opened(browser: Any, page: Path, width: int, scheme: str = "light") -> tuple[Any, list[str]]:
    """The page, and what the browser complains of."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    tab, complaints = context.new_page(), []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("requestfailed", lambda request: complaints.append(request.url))
    tab.goto(page.as_uri())
    return tab, complaints


@pytest.mark.parametrize(("width", "scheme"), SHAPES)
def test_it_fits_and_is_accessible(browser: Any, audited: Path, width: int, scheme: str) -> None:
    tab, complaints = opened(browser, audited, width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    found = pytest.importorskip("axe_playwright_python.sync_playwright").Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
    assert complaints == []


def test_the_matrix_stands_whole_on_a_desk_each_kind_on_one_line(browser: Any, audited: Path) -> None:
    tab, _ = opened(browser, audited, 1280)
    assert tab.locator(".matrix thead tr:last-child th").count() == 9
    assert tab.evaluate(WIDER_THAN_THEIR_BOX) == []
    heights = tab.evaluate(HEIGHTS)
    assert len(heights) >= 12
    assert max(heights) < 32
    assert max(tab.evaluate(NAME_HEIGHTS)) < 25
    assert not tab.locator(".hint").first.is_visible()


def test_a_telephone_says_that_the_matrix_scrolls_and_keeps_the_kinds_in_view(browser: Any, audited: Path) -> None:
    tab, _ = opened(browser, audited, 390)
    assert "What splits share" in tab.evaluate(WIDER_THAN_THEIR_BOX)
    assert tab.locator(".hint").first.is_visible()
    tab.evaluate("document.querySelector('.scroll').scrollLeft = 10000")
    assert tab.locator(".matrix tbody th").first.bounding_box()["x"] >= 0


@pytest.mark.parametrize("width", [1280, 390])
def test_no_name_is_broken_within_a_word(browser: Any, audited: Path, width: int) -> None:
    tab, _ = opened(browser, audited, width)
    assert tab.evaluate(BROKEN_NAMES) == []
    assert tab.locator(".splits tbody").count() == 4, "the balance of each task stands together"
