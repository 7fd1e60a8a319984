"""A person who judges in a real browser, and six rows to be judged, one of each layout."""

import json
from typing import Any

from review_samples import review_item, review_sample
from web_server import WebServer

from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.verdicts import VERDICTS

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


def one_item_of_each_task() -> ReviewSample:
    """Return a review of six tasks."""
    return review_sample([review_item(number, task=task, **ROWS[number - 1]) for number, task in enumerate(TASKS, 1)])


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
