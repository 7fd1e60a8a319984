"""Sentiment analysis: which reviews are used, and what is asked of them."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from handmade import Row, opened, table_rows

from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.sentiment_analysis import TASK, SentimentSettings

LONG = "this kettle boils fast and pours well for the price asked"


def review(number: int, **changes: Any) -> Row:
    return {
        "review_id": f"review-{number}",
        "product_id": f"asin:{number % 7}",
        "user_id": f"user-{number % 11}",
        "rating": float(number % 5 + 1),
        "text": f"{LONG} number {number}",
        "timestamp": 1_000_000 + number,
        "category": "Kitchen",
        **changes,
    }


def draw(folder: Path, rows: list[Row], wanted: int = 1000, wanted_ood: int = 0, **said: Any) -> Drawn:
    with opened(folder, {"review": table_rows("review", rows)}) as tables:
        return TASK.draw(tables, SentimentSettings(**said), Request(seed=7, ind=wanted, ood=wanted_ood))


def ids(drawn: Drawn) -> set[str]:
    return {example.identity for example in drawn.examples}


def test_stars_become_the_five_feelings_in_letter_order(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [review(stars, review_id=str(stars), rating=float(stars)) for stars in range(1, 6)])
    letters = {e.identity: TASK.answer.format(e.answer, [option.key for option in e.options]) for e in drawn.examples}
    assert letters == {"5": "A", "4": "B", "3": "C", "2": "D", "1": "E"}
    assert [option.text for option in drawn.examples[0].options] == [
        "very positive",
        "positive",
        "neutral",
        "negative",
        "very negative",
    ]


def test_words_are_counted_after_cleaning(tmp_path: Path) -> None:
    rows = [
        review(1, text="nine words are not enough for us to use"),
        review(2, text="ten words are enough\nfor us to use in full"),
        review(3, text="<b> five </b> <i> words </i> &nbsp; &nbsp; in <br> heavy <br> markup"),
        review(4, text=None),
        review(5, text="  "),
    ]
    drawn = draw(tmp_path, rows)
    assert ids(drawn) == {"review-2"}
    assert drawn.examples[0].fields == {"review": "ten words are enough for us to use in full"}
    assert drawn.funnel["too short after cleaning"] == 1
    assert drawn.funnel["drawn"] == drawn.funnel["too short after cleaning"] + drawn.funnel["examples"]


def test_a_review_told_twice_is_used_once_with_its_first_record(tmp_path: Path) -> None:
    rows = [review(1, file="b.json", line=1), review(1, file="a.json", line=9), review(1, file="a.json", line=3)]
    drawn = draw(tmp_path, [*rows, review(1, text=None, file="a.json", line=1)])
    assert [(origin.file, origin.line) for origin in drawn.examples[0].origins] == [("a.json", 3)]
    assert len(drawn.examples) == 1


def test_the_user_and_the_product_may_not_straddle_splits(tmp_path: Path) -> None:
    (example,) = draw(tmp_path, [review(3)]).examples
    assert example.groups == ("user:user-3",)
    assert example.all_products == ("asin:3",)


def test_ratings_that_are_no_whole_stars_are_counted_and_not_used(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [review(1, rating=4.5), review(2, rating=0.0), review(3, rating=4.0)])
    assert ids(drawn) == {"review-3"}
    assert drawn.funnel["reviews and ratings that are not of one to five whole stars"] == 2


def test_domains_follow_the_category(tmp_path: Path) -> None:
    rows = [review(n, category=["Kitchen", "Tools", "Garden", None][n % 4]) for n in range(40)]
    drawn = draw(tmp_path, rows, 4, 3, ind=("Kitchen",), ood=("Tools",))
    assert Counter((e.domain, e.category) for e in drawn.examples) == {("ind", "Kitchen"): 4, ("ood", "Tools"): 3}
    everything_else = draw(tmp_path, rows, ood=("Tools",))
    assert Counter(e.category for e in everything_else.examples) == {"Kitchen": 10, "Garden": 10, "": 10}


def test_uniform_balance_draws_each_feeling_equally_while_it_lasts(tmp_path: Path) -> None:
    rows = [review(n, rating=5.0 if n % 10 else float(n // 10 % 4 + 1)) for n in range(200)]
    uniform = draw(tmp_path, rows, 50, balance="uniform")
    assert Counter(e.answer for e in uniform.examples) == {
        "very positive": 30,
        "positive": 5,
        "neutral": 5,
        "negative": 5,
        "very negative": 5,
    }
    natural = draw(tmp_path, rows, 50)
    assert Counter(e.answer for e in natural.examples)["very positive"] > 38


def test_a_small_uniform_draw_is_part_of_every_larger_one(tmp_path: Path) -> None:
    rows = [review(n, rating=float(n % 3 + 1)) for n in range(60)]
    draws = [ids(draw(tmp_path, rows, n, balance="uniform")) for n in (1, 5, 20, 59)]
    assert [len(drawn) for drawn in draws] == [1, 5, 20, 59]
    assert all(small < large for small, large in pairwise(draws))
