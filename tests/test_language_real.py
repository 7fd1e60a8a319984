"""The language check on real texts; skipped where the corpora are absent. See also benchmarks/language.py."""

import ast
import csv
import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quality.language import LanguageSettings, detect_foreign

pytestmark = pytest.mark.slow

CORPORA = Path(os.environ.get("ECINSTRUCT_REAL_CORPORA", Path(__file__).parents[2] / "shared" / "corpora"))


def esci_titles() -> list[str]:
    path = CORPORA / "esci/shopping_queries_dataset_products.parquet"
    table = pq.read_table(path, columns=["product_title", "product_locale"])
    return [row["product_title"] for row in table.to_pylist() if row["product_locale"] == "us"]


def magazine_titles() -> list[str]:
    with gzip.open(CORPORA / "amazon_reviews_2018/meta_Magazine_Subscriptions.json.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line).get("title", "") for line in file]


def music_titles() -> list[str]:
    with gzip.open(CORPORA / "amazon_reviews_2014/meta_Digital_Music.json.gz", "rt", encoding="utf-8") as file:
        return [ast.literal_eval(line).get("title", "") for line in file]


def software_titles() -> list[str]:
    with (CORPORA / "amazon_google/Amazon.csv").open(encoding="latin-1", newline="") as file:
        return [row["title"] for row in csv.DictReader(file)]


def electronics_titles() -> list[str]:
    with (CORPORA / "abt_buy/Abt.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]


def magazine_reviews() -> list[str]:
    with gzip.open(CORPORA / "amazon_reviews_2018/Magazine_Subscriptions_5.json.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line).get("reviewText", "") for line in file]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora are not here")
@pytest.mark.parametrize(
    "read", [esci_titles, magazine_titles, music_titles, software_titles, electronics_titles, magazine_reviews]
)
def test_fewer_than_one_in_fifty_english_texts_are_rejected(read: Callable[[], list[str]]) -> None:
    texts = sorted({text for text in read() if text and "<span" not in text})
    rejected = [text for text in texts if detect_foreign(text, "en", LanguageSettings())]
    assert len(texts) > 100
    assert len(rejected) < 0.02 * len(texts)


def tagged_titles(language: str) -> list[str]:
    """Offers' titles of 20 letters or more, from pages that state their language."""
    quoted = re.compile(rf'"([^"]{{8,300}})"@{language}\b')
    lines = (line for path in sorted((CORPORA / "wdc_products").glob("*/*")) for line in path.open(encoding="utf-8"))
    titles = {title.strip() for line in lines for title in quoted.findall(line)}
    plain = {title: " ".join(word for word in title.split() if not re.search(r"\d", word)) for title in titles}
    return sorted(title for title in titles if sum(map(str.isalpha, plain[title])) >= 20)


def words(title: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", title.casefold()))


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora are not here")
@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "nl", "pl"])
def test_hardly_a_title_with_a_word_of_foreign_shops_is_missed(language: str) -> None:
    """Many a title there is a name and a number and of no language; some of the words are names of shops."""
    there, here = tagged_titles(language), tagged_titles("en")
    common = Counter(word for title in there for word in words(title))
    english = Counter(word for title in here for word in words(title))
    own = {word for word in common if common[word] >= 5 and common[word] * len(here) >= 20 * english[word] * len(there)}
    titles = [title for title in there if words(title) & own]
    missed = [title for title in titles if not detect_foreign(title, "en", LanguageSettings())]
    assert len(titles) > 100
    assert len(missed) < 0.09 * len(titles)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the real corpora are not here")
def test_titles_of_english_shops_pass() -> None:
    titles = tagged_titles("en")
    rejected = [title for title in titles if detect_foreign(title, "en", LanguageSettings())]
    assert len(titles) > 2000
    assert len(rejected) < 0.02 * len(titles)
