"""Snippets for questions that come without: the passages of the product's reviews that say most on the question.

AmazonQA's snippets were made by retrieving from the product's reviews. The same is done here for corpora that have
questions and answers only: a product's reviews, of whichever source, are cut into passages of a few sentences, which
are ranked by BM25. Rarity of words is counted within the one product, in whole numbers, and the reviews to look
through are chosen by a key that does not move with the recipe's seed: so a question has the same snippets in every
draw, on every machine, as long as the reviews are the same.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from ecinstruct_build.chance import digest_column
from ecinstruct_build.drawing.draw import origin_of
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Origin
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.text import clean

_SEED = 0
_PRODUCT = ["product_id", "locale"]
_PLACE = ["source", "file", "line"]
_PRODUCTS_AT_ONCE = 2000  # whose reviews are held in memory together
_WORD_CHARACTERS = 20  # a passage with longer words on the average is no running text
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"\d+(?:\.\d+)+|\w+")
_SMALL = (
    "a about after all also am an and any anyone anybody are aren as at be because been before but by can cannot could "
    "d did didn do does doesn doing don else ever for from had has hasn have haven having he her here him his how i if "
    "in into is isn it its itself just let ll m many may me might more most much must my need no nor not of off on one "
    "only or other our out over own please re s same shall she should so some someone somebody still such t tell than "
    "thank thanks that the their them then there these they this those to too u up us ve very was wasn we were weren "
    "what whats when where which while who whom whose why will with won would wouldn yes you your yours"
)
_SMALL_WORDS = frozenset(_SMALL.split())  # they say nothing of what is asked


class RetrievalSettings(BaseModel):
    """How snippets are made for questions that have none.

    Attributes
    ----------
    enabled
        Whether they are made at all; questions without snippets are left out otherwise.
    max_reviews
        Reviews of a product that are looked through, at most; which, is a keyed hash's choice.
    max_words
        Words of a snippet, at most. It is made of whole sentences as far as they fit.
    min_words
        Words of a snippet, at least.
    min_shared
        Share of the question's telling words (not ``how``, ``the`` and the like) that its snippets must hold together;
        the question is left out otherwise.
    min_supported
        Share of the answer's telling words that the snippets must hold; the question is left out otherwise. It keeps
        out answers of which the reviews show nothing, and proves of no other that they do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    max_reviews: int = Field(default=50, ge=1)
    max_words: int = Field(default=60, ge=5)
    min_words: int = Field(default=3, ge=1)
    min_shared: float = Field(default=0.3, ge=0.0, le=1.0)
    min_supported: float = Field(default=0.1, ge=0.0, le=1.0)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage of a review.

    Attributes
    ----------
    text
        Its words, readable: a passage is cut from the cleaned review, lest it begin in the middle of a tag.
    user
        Who wrote the review.
    origin
        The review's raw record.
    """

    text: str
    user: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Passage:
    """A snippet with its words counted."""

    snippet: Snippet
    words: Mapping[str, int]
    length: int


def reviewed(questions: ir.Table, tables: Tables) -> ir.Table:
    """Keep the rows, with columns ``product_id`` and ``locale``, whose product has a review with words."""
    return questions.semi_join(_worded(tables).select(*_PRODUCT).distinct(), _PRODUCT)


def find_snippets(
    tables: Tables, questions: Sequence[Mapping[str, Any]], settings: RetrievalSettings, most: int
) -> list[tuple[Snippet, ...]]:
    """Find, for each question, what the reviews of its product say on it.

    Parameters
    ----------
    tables
        The canonical tables.
    questions
        Rows with ``question``, ``product_id`` and ``locale``.
    settings
        See `RetrievalSettings`.
    most
        Snippets of a question, at most.

    Returns
    -------
    list of tuple of Snippet
        Best first; none where too little is said on the question. Ties go by the key that chose the reviews.
    """
    found: list[tuple[Snippet, ...]] = [()] * len(questions)
    places: dict[tuple[str, str], list[int]] = {}
    for place, question in enumerate(questions):
        places.setdefault((question["product_id"], question["locale"]), []).append(place)
    for product, passages in _passages_by_product(tables, sorted(places), settings):
        for place in places[product]:
            found[place] = _best(questions[place]["question"], passages, settings, most)
    return found


def support(answer: str, snippets: Sequence[str]) -> float:
    """Return the share of an answer's telling words that stand in its snippets; 1 if it has no such word."""
    said = _telling_words(answer)
    shown = {word for snippet in snippets for word in _words(snippet)}
    return sum(word in shown for word in said) / len(said) if said else 1.0


def _worded(tables: Tables) -> ir.Table:
    review = tables["review"]
    return review.filter(review.text.notnull())


def _passages_by_product(
    tables: Tables, products: Sequence[tuple[str, str]], settings: RetrievalSettings
) -> Iterator[tuple[tuple[str, str], list[_Passage]]]:
    for start in range(0, len(products), _PRODUCTS_AT_ONCE):
        part = products[start : start + _PRODUCTS_AT_ONCE]
        chosen = tables.fetch(_chosen_reviews(tables, part, settings.max_reviews), by=[*_PRODUCT, "place"])
        keys = tables.lend(chosen.select(_PLACE))
        review = tables["review"].semi_join(keys, _PLACE).select(*_PLACE, "user_id", "text")
        texts = {_place(row): row for row in tables.fetch(review, by=_PLACE).to_pylist()}
        rows = chosen.to_pylist()
        for product, group in groupby(rows, key=lambda row: (row["product_id"], row["locale"])):
            yield product, _passages([texts[_place(row)] for row in group], settings)


def _place(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return (row["source"], row["file"], row["line"])


def _chosen_reviews(tables: Tables, products: Sequence[tuple[str, str]], most: int) -> ir.Table:
    """Return which reviews of each product to look through, in the order of their column ``place``.

    Two corpora that hold the same review hold it under the same id: it counts once.
    """
    columns = [pa.array(values, pa.string()) for values in zip(*products, strict=True)]
    wanted = tables.lend(pa.Table.from_arrays(columns, names=_PRODUCT))
    rows = _worded(tables).select(*_PRODUCT, *_PLACE, "review_id").semi_join(wanted, _PRODUCT)
    key = digest_column(_SEED, "reviews to answer from", rows.review_id)
    rows = rows.mutate(
        key=key, copy=ibis.row_number().over(ibis.window(group_by=[*_PRODUCT, "review_id"], order_by=_PLACE))
    )
    rows = rows.filter(rows.copy == 0)
    order = ibis.window(group_by=_PRODUCT, order_by=["key", "review_id"])
    placed = rows.mutate(place=ibis.row_number().over(order))
    return placed.filter(placed.place < most).select(*_PRODUCT, *_PLACE, "place")


def _passages(reviews: Sequence[Mapping[str, Any]], settings: RetrievalSettings) -> list[_Passage]:
    """Cut reviews into passages, each wording once."""
    passages: dict[str, _Passage] = {}
    for review in reviews:
        for text in cut_into_passages(clean(review["text"]), settings.max_words):
            words = _words(text)
            if len(words) >= settings.min_words and text not in passages:
                snippet = Snippet(text, review["user_id"], origin_of(review))
                passages[text] = _Passage(snippet, Counter(words), len(words))
    return list(passages.values())


def cut_into_passages(text: str, max_words: int) -> list[str]:
    """Cut a text into runs of whole sentences of at most ``max_words`` words; a longer sentence is cut into pieces."""
    passages: list[list[str]] = [[]]
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split()
        for start in range(0, len(words), max_words):
            piece = words[start : start + max_words]
            if len(passages[-1]) + len(piece) > max_words:
                passages.append([])
            passages[-1] += piece
    joined = (" ".join(words) for words in passages)
    return [passage for passage in joined if 0 < len(passage) <= max_words * _WORD_CHARACTERS]


def _best(question: str, passages: Sequence[_Passage], settings: RetrievalSettings, most: int) -> tuple[Snippet, ...]:
    """Return the best passages by BM25, if together they hold enough of the question's words."""
    asked = _telling_words(question)
    weights = {word: _weight(len(passages), sum(word in each.words for each in passages)) for word in asked}
    total = sum(each.length for each in passages)
    scores = [_score(each, weights, total, len(passages)) for each in passages]
    order = sorted((place for place, score in enumerate(scores) if score), key=lambda place: (-scores[place], place))
    best = [passages[place] for place in order[:most]]
    shared = sum(any(word in each.words for each in best) for word in asked)
    if not best or shared < settings.min_shared * len(asked):
        return ()
    return tuple(each.snippet for each in best)


def _score(passage: _Passage, weights: Mapping[str, int], total: int, number: int) -> int:
    """Return the passage's BM25 score (k1 = 1.2, b = 0.75) in whole numbers, of millionths.

    ``total`` is the length of all passages, ``number`` how many there are; the fraction is multiplied out by them.
    """
    score = 0
    for word, weight in weights.items():
        count = passage.words.get(word, 0)
        if count:
            rest = 3 * total + 9 * passage.length * number
            score += weight * 1000 * 22 * total * count // (10 * total * count + rest)
    return score


def _weight(number: int, holding: int) -> int:
    """Return in thousandths how much a word says that ``holding`` of ``number`` passages hold."""
    return round(1000 * math.log1p((2 * (number - holding) + 1) / (2 * holding + 1)))


def _words(text: str) -> list[str]:
    return [_folded(word) for word in _WORD.findall(text.casefold())]


def _telling_words(text: str) -> list[str]:
    words = _WORD.findall(clean(text).casefold())
    return sorted({_folded(word) for word in words if word not in _SMALL_WORDS})


@lru_cache(maxsize=1 << 16)
def _folded(word: str) -> str:
    """Return a word without its plural ``s``."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
