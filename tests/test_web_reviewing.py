"""Judging over a real server: by plain forms and as the page's script does, with people in each other's way."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from review_samples import review_item, review_sample
from review_world import drawn
from web_server import DESK, Client, ThreadServer, WebServer, place

from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.ledger import LEASE_SECONDS
from ecinstruct_build.review.verdicts import VERDICTS
from ecinstruct_build.web.reviewing import said_time

pytestmark = pytest.mark.slow

ITEMS = [
    review_item(1),
    review_item(2, task="product_matching"),
    review_item(3),
    review_item(4, task="product_matching"),
    review_item(5, doubled=True),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with ThreadServer(tmp_path, review_sample(ITEMS)) as server:
        yield server


def said(server: WebServer) -> list[tuple[int, str, str, str]]:
    return [(one.number, one.annotator, one.verdict, one.note) for one in server.desk.answers()]


def test_everything_can_be_done_by_plain_forms(server: WebServer) -> None:
    client = Client(server)
    assert "Your name" in client.get("/review").text
    refused = client.post("/review/enter", {"name": "  "})
    assert (refused.status, "A name is needed" in refused.text) == (422, True)
    assert place(client.post("/review/enter", {"name": " Ada "}).headers["location"]) == "/review"
    for one in VERDICTS[:2]:
        page = client.get("/review")
        fields = {name: page.field(name) for name in ("number", "sample", "task")}
        reply = client.post("/review/answer", {**fields, "verdict": one.name, "note": "two\r\nlines"})
        assert (reply.status, place(reply.headers["location"])) == (303, "/review")
    assert said(server) == [(1, "Ada", "good", "two\nlines"), (2, "Ada", "wrong_answer", "two\nlines")]
    back = place(client.post("/review/undo", {}).headers["location"])
    assert "Taken back" in client.get(back).text
    assert client.get(back).field("number") == "2"
    assert said(server) == [(1, "Ada", "good", "two\nlines")]
    client.post("/review/leave", {})
    assert "Your name" in client.get("/review").text


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(2, "2 minutes"), (89, "89 minutes"), (90, "1.5 hours"), (115, "2 hours"), (513, "8.5 hours")],
)
def test_a_long_time_is_told_in_hours(minutes: float, expected: str) -> None:
    assert said_time(minutes) == expected


def test_the_time_and_what_follows_stand_apart(tmp_path: Path) -> None:
    sample = drawn(tmp_path)
    (tmp_path / "desk").mkdir()
    with ThreadServer(tmp_path / "desk", sample) as server:
        text = " ".join(Client(server).get("/review").text.split())
    assert f"take about {said_time(sum(one.minutes for one in sample.plans))}. Stop whenever" in text


def test_other_needs_a_note_and_says_so(server: WebServer) -> None:
    client = Client(server, "Ada")
    page = client.get("/review")
    fields = {name: page.field(name) for name in ("number", "sample", "task")}
    reply = client.post("/review/answer", {**fields, "verdict": "other", "note": " "})
    assert (reply.status, reply.field("number")) == (422, "1")
    assert "Say in a note what is wrong" in reply.text
    assert client.judge(1, "other").json()["error"] == "note"
    assert client.judge(1, "other", note="odd").status == 200
    assert said(server) == [(1, "Ada", "other", "odd")]


def test_the_script_gets_the_next_item_with_what_was_said(server: WebServer) -> None:
    client = Client(server, "Ada")
    reply = client.judge(1, "unclear_input", seconds="12.5").json()
    assert reply["said"] == "Saved: unclear input."
    assert reply["title"] == "Product matching, item 2"
    assert 'data-number="2"' in reply["html"]
    assert [answer.seconds for answer in server.desk.answers()] == [12.5]
    undone = client.send("/review/undo", {}).json()
    assert "“unclear input”" in undone["said"]
    assert 'data-number="1"' in undone["html"]
    assert "no answer of yours" in client.send("/review/undo", {}).json()["said"]


def test_an_undone_note_comes_back_for_mending(server: WebServer) -> None:
    client = Client(server, "Ada")
    client.judge(1, "other", note="<b>odd</b>")
    assert "&lt;b&gt;odd&lt;/b&gt;</textarea>" in client.send("/review/undo", {}).json()["html"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"verdict": "fine"}, 400), ({"number": "-1"}, 409), ({"number": "9" * 30}, 409), ({"seconds": "nan"}, 200)],
)
def test_odd_answers_are_refused_and_odd_times_forgotten(
    server: WebServer, fields: dict[str, str], status: int
) -> None:
    client = Client(server, "Ada")
    sent = {"number": "1", "verdict": "good", "sample": server.desk.sample.sample_id, **fields}
    assert client.send("/review/answer", sent).status == status
    assert [answer.seconds for answer in server.desk.answers()] == ([0.0] if status == 200 else [])


def test_one_task_can_be_judged_alone(server: WebServer) -> None:
    client = Client(server, "Ada")
    numbers = []
    for _ in range(2):
        page = client.get("/review?task=product_matching")
        numbers.append(int(page.field("number")))
        client.judge(numbers[-1], "good", task="product_matching")
    assert numbers == [2, 4]
    page = client.get("/review?task=product_matching")
    assert "Nothing left of this task" in page.text
    assert client.get("/review?task=nonsense").field("number") == "1"


def test_the_end_thanks_and_says_what_is_left_for_others(server: WebServer) -> None:
    client = Client(server, "Ada")
    for number in range(1, 6):
        reply = client.judge(number, "good")
    assert "All judged: thank you" in reply.json()["html"]
    assert "For others there is 1 left" in reply.json()["html"]
    Client(server, "Ben").judge(5, "good")
    assert "The review is complete" in client.get("/review").text


def test_items_in_front_of_others_are_waited_for(server: WebServer) -> None:
    ada, ben = Client(server, "Ada"), Client(server, "Ben")
    for number in (2, 3, 4, 5):
        ben.judge(number, "good")
    assert "Nothing to hand out right now" in ben.get("/review").text
    ada.judge(1, "good")
    assert "All judged" in ben.get("/review").text


def test_a_late_answer_is_told_and_its_note_given_back(server: WebServer) -> None:
    before = Desk(server.folder / DESK, clock=lambda: time.time() - LEASE_SECONDS - 60)
    assert before.next_item("Ada").number == server.desk.next_item("Ben").number == 1
    client = Client(server, "Ada")
    reply = client.judge(1, "other", note="my long thought")
    assert reply.status == 409
    assert "someone else" in reply.json()["said"]
    assert "my long thought</textarea>" in reply.json()["html"]
    assert 'data-number="2"' in reply.json()["html"]
    page = client.get("/review")
    form = {"number": "1", "sample": page.field("sample"), "verdict": "other", "note": "my long thought"}
    assert "my long thought</textarea>" in client.post("/review/answer", form).text
    assert said(server) == []


def test_an_answer_of_another_sample_is_not_taken_for_this_one(server: WebServer) -> None:
    client = Client(server, "Ada")
    assert client.judge(1, "good", sample="0000").status == 409
    assert said(server) == []


def test_a_database_in_use_is_told_so_that_the_page_can_try_again(tmp_path: Path) -> None:
    Desk.create(tmp_path / DESK, review_sample(ITEMS))
    server = ThreadServer(tmp_path, review_sample(ITEMS))
    server.desk = Desk.open(tmp_path / DESK, patience=0.5)
    with server:
        client = Client(server, "Ada")
        lock = sqlite3.connect(tmp_path / DESK, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        reply = client.judge(1, "good")
        assert (reply.status, reply.json()["error"]) == (503, "desk")
        assert "in use" in reply.json()["message"]
        page = client.get("/review")
        assert (page.status, "in use" in page.text) == (503, True)
        lock.execute("ROLLBACK")
        lock.close()
        assert client.judge(1, "good").status == 200


def test_what_was_confirmed_outlives_a_kill_and_the_session_too(tmp_path: Path) -> None:
    with WebServer(tmp_path, review_sample(ITEMS)) as server:
        client = Client(server, "Ada")
        client.judge(1, "good")
        server.stop()
        server.start()
        assert client.judge(1, "good").status == 200, "the page sends it again where the reply was lost"
        assert client.judge(2, "good").status == 200
        assert [one[0] for one in said(server)] == [1, 2]


def test_many_at_once_never_get_the_same_single_item(tmp_path: Path) -> None:
    items = [review_item(number) for number in range(1, 41)]
    with ThreadServer(tmp_path, review_sample(items)) as server:
        judged: dict[str, list[int]] = {name: [] for name in ("Ada", "Ben", "Cleo", "Dee")}

        def judge(name: str) -> None:
            client = Client(server, name)
            page = client.get("/review")
            while 'name="number"' in page.text:
                judged[name].append(int(page.field("number")))
                assert client.judge(judged[name][-1], "good").status == 200
                page = client.get("/review")

        threads = [Thread(target=judge, args=(name,)) for name in judged]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(number for numbers in judged.values() for number in numbers) == list(range(1, 41))
    assert sum(bool(numbers) for numbers in judged.values()) > 1, "they worked side by side"
