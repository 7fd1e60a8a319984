"""Snippets found in a product's reviews: the right passages, the same ones whatever else is there, and little work."""

import random

import pyarrow as pa
import pytest
from handmade import Row, opened, table_rows
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing.retrieval import RetrievalSettings, cut_into_passages, find_snippets, reviewed

QUESTION = {"question": "How loud is the whistle?", "product_id": "asin:KETTLE", "locale": "us"}


def review(number: int, text: str | None, product: str = "asin:KETTLE", **more: object) -> Row:
    return {
        "review_id": f"R{number}",
        "product_id": product,
        "user_id": f"U{number}",
        "rating": 5.0,
        "timestamp": number,
        "text": text,
        "line": number,
        "file": "review.jsonl",
        **more,
    }


KETTLES = [
    review(1, "Boils in three minutes. Arrived on time."),
    review(2, "The whistle is loud enough to hear in the garden."),
    review(3, "A whistle, they say."),
    review(4, "Pretty colour and a steady handle."),
]


def find(folder, reviews, *questions, most=10, shuffle=None, **settings):
    with opened(folder, {"review": table_rows("review", reviews)}, shuffle) as tables:
        return find_snippets(tables, questions or [QUESTION], RetrievalSettings(**settings), most)


def texts(snippets):
    return [snippet.text for snippet in snippets]


def test_passages_that_hold_more_of_the_question_come_first_and_others_not_at_all(tmp_path):
    (found,) = find(tmp_path, KETTLES)
    assert texts(found) == ["The whistle is loud enough to hear in the garden.", "A whistle, they say."]
    assert [snippet.user for snippet in found] == ["U2", "U3"]
    assert [(snippet.origin.source, snippet.origin.line) for snippet in found] == [("corpus", 2), ("corpus", 3)]
    assert texts(find(tmp_path, KETTLES, most=1)[0]) == texts(found)[:1]


def test_a_rare_word_says_more_than_a_common_one(tmp_path):
    reviews = [*(review(n, f"Nice kettle number {n} here.") for n in range(20)), review(30, "The lid rattles a bit.")]
    (found,) = find(tmp_path, reviews, QUESTION | {"question": "kettle lid?"}, most=1)
    assert texts(found) == ["The lid rattles a bit."]


def test_plurals_and_case_make_no_difference_and_small_words_say_nothing(tmp_path):
    assert texts(find(tmp_path, KETTLES, QUESTION | {"question": "WHISTLES?"})[0])[0] == "A whistle, they say."
    assert find(tmp_path, KETTLES, QUESTION | {"question": "How is it to have this on?"}) == [()]


def test_questions_on_which_too_little_is_said_get_nothing(tmp_path):
    asked = QUESTION | {"question": "whistle pitch frequency register"}
    assert texts(find(tmp_path, KETTLES, asked, min_shared=0.25)[0])
    assert find(tmp_path, KETTLES, asked, min_shared=0.26) == [()]


def test_a_products_reviews_in_another_marketplace_or_of_another_product_are_not_looked_at(tmp_path):
    elsewhere = [KETTLES[1] | {"locale": "jp"}, KETTLES[2] | {"product_id": "asin:TRAIN"}]
    assert find(tmp_path, elsewhere) == [()]


def test_reviews_without_words_are_none(tmp_path):
    assert find(tmp_path, [review(1, None), review(2, " <br> "), review(3, "")]) == [()]
    with opened(tmp_path, {"review": table_rows("review", [review(1, None)])}) as tables:
        asked = tables.lend(pa.table({"product_id": ["asin:KETTLE"], "locale": ["us"]}))
        assert tables.count(reviewed(asked, tables)) == 0


def test_markup_is_gone_before_a_review_is_cut(tmp_path):
    text = "Loud " + "so " * 10 + '<a data-hook="link" class="a b c" href="/dp/B00">whistle. And</a> a lid.'
    for words in (5, 11, 12, 60):
        (found,) = find(tmp_path, [review(1, text)], max_words=words)
        assert found
        assert not any(mark in text for text in texts(found) for mark in "<>=")


def test_a_review_that_two_corpora_hold_counts_once(tmp_path):
    twice = [*KETTLES, *(row | {"source": "older"} for row in KETTLES)]
    assert find(tmp_path, twice, max_reviews=len(KETTLES)) == find(tmp_path, KETTLES)
    differently = [*KETTLES, *(row | {"source": "older", "text": f"{row['text']} Really."} for row in KETTLES)]
    assert find(tmp_path, differently) == find(tmp_path, KETTLES)


def test_snippets_depend_neither_on_row_order_nor_on_other_questions_and_products(tmp_path):
    chance = random.Random(4)
    words = ["whistle", "lid", "loud", "handle", "steam", "steel", "spout", "quiet"]
    reviews = [
        review(n, " ".join(chance.choices(words, k=9)) + ".", f"asin:P{n % 7}", source=chance.choice(["a", "b"]))
        for n in range(300)
    ]
    asked = [
        QUESTION | {"product_id": f"asin:P{n % 7}", "question": f"{words[n % 8]} {words[n % 5]}?"} for n in range(20)
    ]
    together = find(tmp_path, reviews, *asked, max_reviews=5)
    assert all(together)
    assert find(tmp_path, reviews, *asked, max_reviews=5, shuffle=1) == together
    for place in (0, 7, 19):
        alone = [row for row in reviews if row["product_id"] == asked[place]["product_id"]]
        assert find(tmp_path, alone, asked[place], max_reviews=5) == [together[place]]


def test_only_so_many_reviews_are_looked_through_and_more_of_them_include_fewer(tmp_path):
    reviews = [review(n, f"The whistle is loud, says customer {n}.") for n in range(40)]
    few, more = ({snippet.user for snippet in find(tmp_path, reviews, most=40, max_reviews=n)[0]} for n in (3, 12))
    assert (len(few), len(more)) == (3, 12)
    assert few < more
    numbers = sorted(int(user[1:]) for user in more)
    assert numbers[0] < 15
    assert numbers[-1] > 25  # chance chose them, not upstream's order


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 8))
def test_passages_hold_every_word_once_in_order_and_cut_only_sentences_that_are_too_long(lengths, most):
    sentences = [" ".join(["word"] * (length - 1) + [f"end{n}."]) for n, length in enumerate(lengths)]
    passages = cut_into_passages(" ".join(sentences), most)
    assert " ".join(passages) == " ".join(sentences)
    assert all(len(passage.split()) <= most for passage in passages)
    for length, sentence in zip(lengths, sentences, strict=True):
        assert length > most or any(sentence in passage for passage in passages)


def test_text_without_spaces_is_no_passage():
    assert cut_into_passages("x" * 5000, 60) == []
    assert len(cut_into_passages("word. " * 100_000, 60)) == 1667


@pytest.mark.spark
def test_spark_finds_the_same(tmp_path):
    rows = [*KETTLES, *(row | {"source": "older"} for row in KETTLES)]
    with opened(tmp_path, {"review": table_rows("review", rows)}, 1, "spark") as tables:
        found = find_snippets(tables, [QUESTION], RetrievalSettings(max_reviews=3), 10)
    assert found == find(tmp_path, rows, max_reviews=3)
