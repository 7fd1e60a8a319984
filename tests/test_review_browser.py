"""People judge in a real browser: by keyboard, two at once, on a phone, and through a server that is killed."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_judge import ROWS, TASKS, Judge, one_item_of_each_task
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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    """A review of six tasks, one item of each."""
    with WebServer(tmp_path, one_item_of_each_task()) as server:
        yield server


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
    ada.press("Escape", "6")
    ada.gone(1)
    assert [(one.verdict, one.note) for one in server.desk.answers()] == [("other", "smells")]


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_other_is_given_from_within_its_note(browser: Any, server: WebServer, keys: str) -> None:
    ada = Judge(browser, server, "Ada")
    ada.wait()
    ada.press("n", keys)
    assert ada.page.evaluate("document.activeElement.id") == "heading", "a note of no verdict is only left"
    ada.press("6", keys)
    assert server.desk.answers() == [], "the note is still empty"
    ada.page.keyboard.type("smells")
    ada.press("Enter")
    ada.page.keyboard.type("of tar")
    assert "Ctrl+Enter" in ada.page.inner_text("#note-fault"), "how to go on stays in view"
    assert ada.page.get_attribute(".verdict[value=other]", "aria-pressed") == "true"
    ada.press(keys)
    ada.gone(1)
    assert [(one.verdict, one.note) for one in server.desk.answers()] == [("other", "smells\nof tar")]
    ada.wait()
    ada.press("n")
    ada.page.keyboard.type("fine")
    ada.press(keys)
    assert (ada.number, len(server.desk.answers())) == (2, 1), "what waited for the last note is over"


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


def test_the_policy_of_the_pages_holds_in_a_browser(browser: Any, server: WebServer) -> None:
    ada = Judge(browser, server, "Ada")
    for _ in ROWS:
        ada.judge("1")
    assert ada.faults == [], "neither an error nor a refused style or script"


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
