"""The language check on real texts; skipped where the corpora are absent."""

import ast
import csv
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quality.language import LanguageSettings, detect_foreign

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
