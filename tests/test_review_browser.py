"""People judge in a real browser: by keyboard, two at once, on a phone, and through a server that is killed."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from review_samples import review_item, review_sample
from review_world import published
from web_server import DESK, WebServer

from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.report import ReviewReport, review_report
from ecinstruct_build.review.sample import ReviewSample, draw_sample
from ecinstruct_build.review.settings import ReviewSettings
from ecinstruct_build.review.verdicts import VERDICTS

pytestmark = pytest.mark.browser

playwright = pytest.importorskip("playwright.sync_api")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
LONG_TITLE = "Extraordinarily" + "long" * 60
ROWS = [
    {
        "input": json.dumps({"product 1": {"title": "kettle", "price": "9"}, "product 2": {"title": LONG_TITLE}}),
        "options": "",
        "output": "yes",
    },
    {"input": "1. kettle\n2. pot\n3. pan", "options": "A: lid\nB: spoon\nC: ladle", "output": "B"},
    {"input": "Query: small kettle", "options": "A: kettle\nB: pot\nC: pan", "output": "B,A,C"},
    {
        "input": json.dumps({"paragraphs": [{"source": "title", "text": "kettle"}], "attributes": ["Color"]}),
        "options": "",
        "output": '[{"attribute": "Color", "value": "None", "source": "None"}]',
    },
    {"input": "\u202e<script>alert(1)</script> " * 2_000},
    {"input": "Question: Does it whistle?\nReview snippets:\n1. It does.\n2. Never.", "options": "", "output": "no"},
]
TASKS = (
    "product_matching",
    "sequential_recommendation",
    "query_product_ranking",
    "attribute_value_extraction",
    "sentiment_analysis",
    "answerability_prediction",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as run:
        chromium = run.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    """A review of six tasks, one item of each."""
    items = [review_item(number, task=task, **ROWS[number - 1]) for number, task in enumerate(TASKS, 1)]
    with WebServer(tmp_path, review_sample(items)) as server:
        yield server


class Judge:
    """A person with a browser of their own and a keyboard, but no mouse."""

    def __init__(self, browser: Any, server: WebServer, name: str, **settings: Any) -> None:
        self.name = name
        self.server = server
        self.context = browser.new_context(**settings)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._listen)
        self.page.goto(f"{server.url}/review")
        self.page.wait_for_selector("#name:focus")
        self.press(*name, "Enter")
        self.page.wait_for_selector("#heading")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def number(self) -> int:
        """The item in view; 0 if there is none."""
        return int(self.page.evaluate("document.querySelector('.item')?.dataset.number ?? 0"))

    def wait(self) -> None:
        """Wait until the page takes an answer."""
        self.page.wait_for_selector("#desk[data-ready]:not([aria-busy=true])")

    def judge(self, key: str, note: str = "") -> int:
        """Judge the item in view and wait for what comes next; return its number."""
        self.wait()
        number = self.number
        if note:
            self.press("n")
            self.page.keyboard.type(note)
            self.press("Escape")
        self.press(key)
        self.gone(number)
        return number

    def judge_in_vain(self, key: str) -> str:
        """Judge while the server is away, with a note; return the verdict."""
        self.wait()
        number = self.number
        self.press("n")
        self.page.keyboard.type("while it was away")
        self.press("Escape", key)
        self.page.get_by_text("The server does not answer").wait_for()
        assert self.number == number, "the item stays in view"
        assert self.page.locator("#offline").bounding_box()["y"] >= 0, "and what is wrong is, however far one scrolled"
        return VERDICTS[int(key) - 1].name

    def gone(self, number: int) -> None:
        self.page.wait_for_selector(f'body:not(:has(.item[data-number="{number}"])):has(#offline[hidden])')

    def _listen(self, message: Any) -> None:
        # A server that is away is said by the browser, too.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)


def judge_together(ada: Judge, ben: Judge, doubled: set[int]) -> dict[str, dict[int, str]]:
    """Judge until nothing is left, six items each before the server is killed; return who said what of which item."""
    server = ada.server
    said: dict[str, dict[int, str]] = {"Ada": {}, "Ben": {}}

    def judge(who: Judge, turn: int) -> None:
        # Both see the same faults, but that Ben finds doubled items of even numbers unclear.
        number = who.number
        key = "2" if number % 7 == 0 else "6" if number % 11 == 0 else "1"
        if who is ben and number in doubled and number % 2 == 0:
            key = "3"
        who.judge(key, note=f"turn {turn}: 1u?" if key == "6" else "")
        said[who.name][number] = VERDICTS[int(key) - 1].name

    for turn in range(6):
        judge(ada, turn)
        judge(ben, turn)

    server.stop()
    for who, key in ((ada, "1"), (ben, "4")):
        said[who.name][who.number] = who.judge_in_vain(key)
    assert len(server.desk.answers()) == 12
    server.start()
    for who in (ada, ben):
        who.gone(list(said[who.name])[-1])

    while ada.number or ben.number:
        for who in (ada, ben):
            if not who.number:  # what the other one holds is handed out when it is free again
                who.page.goto(f"{server.url}/review")
                who.page.wait_for_selector("#heading")
            if who.number:
                judge(who, 7)
    assert ada.faults == ben.faults == []
    return said


def test_two_people_judge_by_keyboard_through_a_killed_server(browser: Any, tmp_path: Path) -> None:
    dataset = published(tmp_path / "dataset", {"product_matching": 30, "sentiment_analysis": 30})
    sample = draw_sample(dataset, ReviewSettings(double_share=0.2), seed=3, items=20)
    doubled = {item.number for item in sample.items if item.doubled}
    assert len(sample.items) == 20
    with WebServer(tmp_path, sample) as server:
        said = judge_together(Judge(browser, server, "Ada"), Judge(browser, server, "Ben"), doubled)

    answers = Desk.open(tmp_path / DESK).answers()
    assert {(one.annotator, one.number): one.verdict for one in answers} == {
        (name, number): verdict for name, ones in said.items() for number, verdict in ones.items()
    }
    assert len(answers) == sum(len(ones) for ones in said.values())
    assert [one.note for one in answers].count("while it was away") == 2
    assert set(said["Ada"]) & set(said["Ben"]) == doubled, "doubled items went to both, all others to one"
    assert set(said["Ada"]) | set(said["Ben"]) == set(range(1, 21))
    compare(review_report(sample, answers), sample, said["Ada"], said["Ben"])


def compare(report: ReviewReport, sample: ReviewSample, ada: dict[int, str], ben: dict[int, str]) -> None:
    """Hold a report against what two people said: an item is defective if one of its judges says so."""
    defective = {number for ones in (ada, ben) for number, verdict in ones.items() if verdict != "good"}
    overall = report.overall
    rate, z = len(defective) / 20, 1.959964
    assert (overall.judged, overall.defects, overall.rate) == (20, len(defective), rate)
    middle, half = rate + z * z / 40, z * math.sqrt(rate * (1 - rate) / 20 + (z / 40) ** 2)
    bounds = [(middle - half) / (1 + z * z / 20), (middle + half) / (1 + z * z / 20)]
    assert [overall.wilson.low, overall.wilson.high] == pytest.approx(bounds, abs=1e-5)
    for figures in report.tasks:
        own = {item.number for item in sample.items if item.task == figures.task}
        assert (figures.judged, figures.defects) == (len(own), len(own & defective))
    doubled = ada.keys() & ben.keys()
    agreed = {number for number in doubled if ada[number] == ben[number]}
    assert overall.agreement.doubles == len(doubled)
    assert overall.agreement.share == pytest.approx(len(agreed) / len(doubled))
    assert {one.number for one in report.disagreements} == doubled - agreed != set()


def test_undo_brings_back_the_item_and_its_note(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    first = ada.judge("2", note="odd")
    ada.wait()
    ada.press("u")
    ada.page.wait_for_selector("#notice")
    assert ada.number == first
    assert "wrong answer" in ada.page.inner_text("#notice")
    assert ada.page.input_value("#note") == "odd"
    assert server.desk.answers() == []
    assert ada.judge("1") == first
    assert [(one.verdict, one.note) for one in server.desk.answers()] == [("good", "odd")]


def test_keys_do_not_steal_typing_and_a_held_key_judges_once(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    ada.press("n")
    ada.page.keyboard.type("1 2 u g r ? p")
    assert ada.page.input_value("#note") == "1 2 u g r ? p"
    ada.press("Escape")
    assert ada.page.evaluate("document.activeElement.id") == "heading"
    ada.page.keyboard.down("1")
    ada.gone(1)
    ada.wait()
    ada.page.keyboard.down("1")  # without its release this is a repeat
    ada.page.keyboard.up("1")
    ada.press("Control+1", "Alt+2")
    ada.press("r")
    assert ada.page.evaluate("document.getElementById('raw').open")
    assert ada.number == 2
    assert len(server.desk.answers()) == 1


def test_a_key_pressed_twice_does_not_judge_the_next_item_unseen(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    ada.page.evaluate(
        """new MutationObserver((_, watch) => {
          watch.disconnect();
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
        }).observe(document.getElementById("desk"), { childList: true })"""
    )
    ada.press("1")
    ada.gone(1)
    ada.wait()
    assert ada.number == 2
    assert len(server.desk.answers()) == 1


def test_other_asks_for_its_note(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    ada.press("6")
    assert ada.page.evaluate("document.activeElement.id") == "note"
    assert "Say in a note" in ada.page.inner_text("#note-fault")
    assert server.desk.answers() == []
    ada.page.keyboard.type("smells")
    ada.press("Control+Enter", "6")
    ada.gone(1)
    assert [(one.verdict, one.note) for one in server.desk.answers()] == [("other", "smells")]


def test_a_reload_while_the_server_is_away_loses_nothing(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    server.stop()
    ada.press("n")
    ada.page.keyboard.type("kept")
    ada.press("Escape", "4")
    ada.page.wait_for_selector("#offline:not([hidden])")
    with pytest.raises(playwright.Error):
        ada.page.reload()
    server.start()
    ada.page.goto(f"{server.url}/review")
    ada.gone(1)
    assert [(one.number, one.verdict, one.note) for one in server.desk.answers()] == [(1, "bad_instruction", "kept")]


def test_a_draft_outlives_a_reload_and_the_keys_can_be_switched_off(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    ada.press("n")
    ada.page.keyboard.type("half a thou")
    ada.page.reload()
    ada.wait()
    assert ada.page.input_value("#note") == "half a thou"
    ada.press("?", "Tab", "Space", "Escape", "1", "r")
    assert not ada.page.evaluate("document.getElementById('raw').open")
    assert server.desk.answers() == []


def test_what_happens_is_announced_and_focus_goes_to_the_item(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.judge("1")
    assert ada.page.evaluate("document.activeElement.id") == "heading"
    assert ada.page.inner_text("#said") == "Saved: good. Sequential recommendation, item 2."
    assert ada.page.title() == "Sequential recommendation, item 2 · ecinstruct"


def test_a_lost_item_is_told_with_the_note(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    server.desk.next_item("Ada", TASKS[3])  # in another window: item 1 is let go ...
    server.desk.next_item("Ben")  # ... and goes to someone else
    ada.press("n")
    ada.page.keyboard.type("my thought")
    ada.press("Escape", "3")
    ada.page.wait_for_selector("#notice.bad")
    assert "Item 1" in ada.page.inner_text("#notice")
    assert ada.page.input_value("#notice textarea") == "my thought"
    assert ada.number != 1
    assert server.desk.answers() == []


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


def test_the_policy_of_the_pages_holds_in_a_browser(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    for _ in ROWS:
        ada.judge("1")
    assert ada.faults == [], "neither an error nor a refused style or script"


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


def test_the_page_works_without_a_script(browser: Any, server: WebServer) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{server.url}/review")
    page.fill("#name", "Ada")
    page.keyboard.press("Enter")
    page.locator(".verdict").nth(4).click()
    page.locator("article[data-number='2']").wait_for()
    assert [one.verdict for one in server.desk.answers()] == ["unsafe_or_private"]
    page.locator("#undo").click()
    page.locator("article[data-number='1']").wait_for()
    assert server.desk.answers() == []


def test_the_link_lets_a_browser_in_even_from_elsewhere(browser: Any, tmp_path: Path) -> None:
    with WebServer(tmp_path, review_sample([review_item(1)]), token=True) as server:
        page = browser.new_context().new_page()
        page.goto(f"data:text/html,<a href='{server.url}/?token={server.token}'>judge</a>")
        page.click("a")
        page.wait_for_url(f"{server.url}/review")
        page.fill("#name", "Ada")
        page.keyboard.press("Enter")
        page.wait_for_selector(".item")
