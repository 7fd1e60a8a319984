"""Hygiene on real titles; skipped where the corpora are absent."""

import ast
import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ecinstruct_build.text import clean, plain
from quality.hygiene import faults

REAL_TITLES = {
    "amazon_reviews_2018": lambda folder: _json_lines(folder / "meta_Magazine_Subscriptions.json.gz", "title"),
    "amazon_reviews_2014": lambda folder: _literals(folder / "meta_Digital_Music.json.gz", "title"),
    "esci": lambda folder: _parquet(folder / "shopping_queries_dataset_products.parquet", "product_title"),
    "amazon_google": lambda folder: _csv(folder / "Amazon.csv", "title"),
    "abt_buy": lambda folder: _csv(folder / "Abt.csv", "name"),
}


def _json_lines(path: Path, name: str) -> list[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line).get(name) for line in file]


def _literals(path: Path, name: str) -> list[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [ast.literal_eval(line).get(name) for line in file]


def _parquet(path: Path, name: str) -> list[Any]:
    return list(pq.read_table(path, columns=[name]).column(name).to_pylist())


def _csv(path: Path, name: str) -> list[Any]:
    with path.open(encoding="latin-1", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


@pytest.mark.parametrize("corpus", REAL_TITLES)
def test_few_real_titles_are_beyond_repair_and_all_others_are_mended(real_corpora: Path, corpus: str) -> None:
    folder = real_corpora / corpus
    if not folder.is_dir():
        pytest.skip(f"no pieces of {corpus} here")
    titles = sorted({plain(title) for title in REAL_TITLES[corpus](folder)} - {""})
    found = {title: faults(title, is_title=True) for title in titles}
    rejected = [title for title, each in found.items() if "reject" in {fault.remedy for fault in each}]
    assert len(titles) > 100
    assert len(rejected) <= max(1, 0.005 * len(titles))
    assert all(title.startswith("<span") for title in rejected)
    assert not any(faults(clean(title), is_title=True) for title in titles if title not in rejected)
    assert all(clean(title) == title for title, each in found.items() if not each)
