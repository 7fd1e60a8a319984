"""The pages of a dataset, over HTTP and in a browser."""

import html
import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from browse_data import REJECTED, ROWS, TWIN, findings, row, served, write_dataset

from ecinstruct_build.browsing.shelf import Asked, Shelf
from ecinstruct_build.web.browse import address, asked_of

MANY = [*ROWS, *(row(number, input=f"Review: a long word {'y' * 300} {number}") for number in range(100, 130))]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = write_dataset(tmp_path_factory.mktemp("pages") / "kettles", MANY)
    with served(Shelf(folder, findings())) as base:
        yield base


def get(url: str, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def test_a_page_tells_what_it_shows_and_where_it_goes_on(url: str) -> None:
    status, page = get(url, "/browse?size=10&page=2&task=sentiment_analysis")
    assert status == 200
    assert "Samples 11 to 20 of 62" in text_of(page)
    links = {html.unescape(link) for link in re.findall(r'href="(/browse\?[^"]*)"', page)}
    assert "/browse?task=sentiment_analysis&page=3&size=10" in links
    assert "/browse?task=sentiment_analysis&size=10" in links
    assert page.count("<article") == 10


def test_a_folder_whose_name_looks_like_a_value_adds_no_column(tmp_path: Path) -> None:
    page = Shelf(write_dataset(tmp_path / "task=x" / "seed=7")).page(size=10)
    assert set(page.choices["task"]) == {"query_product_ranking", "sentiment_analysis"}
    assert "seed" not in page.samples[0].row


def test_test_rows_say_that_they_are(url: str) -> None:
    assert "test not for training" in text_of(get(url, "/browse?words=teapot+wool")[1])
    assert "not for training" not in get(url, "/browse?split=train")[1]


def test_words_are_marked_and_hostile_text_stays_text(url: str) -> None:
    page = get(url, "/browse?words=%3Cscript%3E+%22window.hacked+%3D%22")[1]
    assert "<mark>&lt;script&gt;</mark><mark>window.hacked =</mark> 1&lt;/script&gt;" in page
    assert "<script>window" not in page
    assert not re.search(r"<b[^>]*onmouseover", page)
    assert 'value="&lt;script&gt; &#34;window.hacked =&#34;"' in page
    assert "U+202E" in page  # a mark that turns text around is named, not obeyed


def test_a_sample_has_its_story_and_its_own_link(url: str) -> None:
    page = get(url, "/browse?words=samovar&check=any")[1]
    story = f"ecinstruct explain {REJECTED.example_id}"
    assert f'data-copy="{story}"' in page
    link = re.search(r'class="button quiet" href="([^"]*example=[^"]*)"', page)[1]
    alone = get(url, html.unescape(link))[1]
    assert alone.count("<article") == 1
    assert f"<code>{TWIN.example_id}</code>" in alone or f"<code>{REJECTED.example_id}</code>" in alone


def test_what_checks_said_stands_on_the_example(url: str) -> None:
    page = get(url, f"/browse?example={REJECTED.example_id}")[1]
    assert "not published" in text_of(page)
    assert "Rejected by duplicates: near duplicate score 0.93 with" in text_of(page)
    assert f"/browse?example={TWIN.example_id.replace(':', '%3A')}" in page
    assert "&lt;i&gt;alike&lt;/i&gt;" in page
    assert "The Samovar leaks." in text_of(page)


@pytest.mark.parametrize(
    "query",
    ["page=-1", "page=x", "page=" + "9" * 30, "size=3", "size=%00", "task=%27", "words=%00%ff", "words=" + "x" * 5000],
)
def test_an_odd_address_is_no_fault(url: str, query: str) -> None:
    assert get(url, f"/browse?{query}")[0] == 200


def test_nothing_can_be_posted(url: str) -> None:
    assert get(url, "/browse", "POST")[0] in (401, 403, 405)


def test_what_was_not_found_is_told_and_leads_back(url: str) -> None:
    page = get(url, "/browse?words=zebra")[1]
    assert "No sample is like that." in page
    assert 'href="/browse"' in page


def test_an_address_and_what_it_asks_for_are_one() -> None:
    asked = Asked(task="a b", split="test", words='"x & y" ü', check="any", page=3, size=50)
    assert asked_of(dict(parse_qsl(urlsplit(address(asked)).query))) == asked
    assert address(Asked()) == "/browse"
    assert address(asked, page=1, words="", check="", task="", split="", size=25) == "/browse"


@pytest.mark.browser
def test_a_dataset_is_browsed_by_keyboard(browser: Any, url: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{url}/browse")
    page.keyboard.press("/")
    page.keyboard.type("kettle boils")
    page.keyboard.press("Enter")
    page.wait_for_url("**/browse?words=kettle+boils")
    assert page.inner_text("#told") == "Samples 1 to 25 of 30"
    assert page.locator("mark").first.inner_text() == "Kettle"

    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=2")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "sample-27"
    page.keyboard.press("r")
    assert page.locator("#sample-27 details.raw").get_attribute("open") is not None
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/browse?words=kettle+boils")

    page.select_option("select[name=check]", "any")
    page.wait_for_url("**check=any**")
    page.fill("#words", "")
    page.keyboard.press("Enter")
    page.wait_for_url("**/browse?check=any")
    assert page.inner_text("#told") == "3 examples"
    page.select_option("select[name=action]", "reject")
    page.wait_for_url("**action=reject")
    assert page.inner_text("#told") == "2 examples"
    page.select_option("select[name=check]", "")
    page.wait_for_url("**/browse")

    for path in ("/browse", "/browse?words=onmouseover", "/browse?check=any", "/browse?split=train&size=100"):
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            view = context.new_page()
            view.goto(url + path)
            assert view.evaluate("document.documentElement.scrollWidth") <= width
            assert axe.run(view).response["violations"] == []
            assert view.evaluate("window.hacked") is None
            context.close()
    assert faults == []
