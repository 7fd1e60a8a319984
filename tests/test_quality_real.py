"""The check of validity on real texts; skipped where the corpora are absent."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from quality.lexicon.contradiction import Extreme, contradiction

pytestmark = pytest.mark.slow

CORPORA = Path(os.environ.get("ECINSTRUCT_REAL_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))


def extreme_reviews() -> Iterator[tuple[float, str]]:
    for path in sorted(CORPORA.glob("amazon_reviews_201[48]/*_5.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        yield from sorted(
            {(row["overall"], row.get("reviewText") or "") for row in rows if row["overall"] in (1.0, 5.0)}
        )


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora are not here")
def test_reviews_hardly_ever_contradict_their_stars_and_often_enough_those_of_others() -> None:
    reviews = [(stars, text) for stars, text in extreme_reviews() if len(text.split()) >= 10]
    said: dict[float, Extreme] = {5.0: "very positive", 1.0: "very negative"}
    wrong = [text for stars, text in reviews if contradiction(text, said[stars])]
    swapped = [text for stars, text in reviews if contradiction(text, said[6.0 - stars])]
    assert len(reviews) > 3000
    assert len(wrong) < 0.001 * len(reviews)
    assert len(swapped) > 0.05 * len(reviews)
