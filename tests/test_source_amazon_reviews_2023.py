"""Amazon Reviews 2023: the parent is the product, variants join its family, times lose their milliseconds."""

import json
from pathlib import Path
from typing import Any

import pytest
import source_fixtures
from handmade import opened
from ingesting import Ingested, ingest, ingest_bytes

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import SourceSettings
from ecinstruct_build.stages.families import known_pairs
from ecinstruct_build.stages.raw_files import takes

NAME = "amazon_reviews_2023"
SOURCE = SOURCES.get(NAME)
REVIEWS = "raw/review_categories/Home_and_Kitchen.jsonl.gz"
METADATA = "raw/meta_categories/meta_Home_and_Kitchen.jsonl.gz"
RATINGS = "benchmark/5core/rating_only/Home_and_Kitchen.csv"


def ingested(file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / NAME / file, SOURCE, file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its corpus, its file and its nulls."""
    return {key: value for key, value in row.items() if value is not None and key not in {"source", "file"}}


def column(done: Ingested, table: str, name: str) -> list[Any]:
    return [row[name] for row in done.tables[table]]


def test_golden_reviews() -> None:
    done = ingested(REVIEWS)
    first, _, middle, _, last = map(stated, done.tables["review"])
    assert first == {
        "review_id": "AFCOLDHALL|B0HEATER00|1588687728",
        "product_id": "asin:B0HEATER00",
        "user_id": "AFCOLDHALL",
        "rating": 4.0,
        "title": "Warm & quiet",
        "text": "Heats the hall in ten minutes.<br />The cord could be longer.",
        "timestamp": 1588687728,
        "helpful": 3,
        "verified": True,
        "category": "Home_and_Kitchen",
        "catalogue": NAME,
        "locale": "us",
        "line": 1,
    }
    assert middle == {
        **{key: value for key, value in first.items() if key not in {"title", "text"}},
        "review_id": "AFSAMERED|B0HEATER00|1588687729",
        "user_id": "AFSAMERED",
        "timestamp": 1588687729,
        "line": 3,
    }
    assert last == {
        **first,
        "review_id": "AFEARLIER|B0HEATER00|1677939664",
        "user_id": "AFEARLIER",
        "timestamp": 1677939664,
        "helpful": 2,
        "verified": False,
        "line": 11,
    }


def test_golden_metadata() -> None:
    first, _, _, untitled, _, last = map(stated, ingested(METADATA).tables["product"])
    assert first == {
        "product_id": "asin:B0HEATER00",
        "title": "Brackwater Fan Heater, 2 kW",
        "description": "A heater for halls.\nWeighs 2 kg.",
        "features": ["Two speeds", "Tips over without harm"],
        "brand": "Brackwater",
        "categories": ["Home & Kitchen", "Heating"],
        "price": "39.5",
        "main_category": "Amazon Home",
        "category": "Home_and_Kitchen",
        "locale": "us",
        "line": 1,
    }
    kept = {key: value for key, value in first.items() if key not in {"title", "price", "categories"}}
    assert untitled == {**kept, "product_id": "asin:B0HEATER03", "brand": "Brackwater Shop", "line": 4}
    assert last == {**first, "product_id": "asin:B0HEATER05", "price": "12", "line": 6}


def test_golden_ratings() -> None:
    done = ingested(RATINGS)
    assert [stated(row) for row in done.tables["review"]] == [
        {
            "review_id": f"{user}|{asin}|{seconds}",
            "product_id": f"asin:{asin}",
            "user_id": user,
            "rating": stars,
            "timestamp": seconds,
            "category": "Home_and_Kitchen",
            "catalogue": NAME,
            "locale": "us",
            "line": line,
        }
        for user, asin, stars, seconds, line in (
            ("AFCOLDHALL", "B0HEATER00", 4.0, 1588687728, 2),
            ("AFRATER", "B0HEATER01", 2.0, 1588687730, 3),
        )
    ]
    assert done.quarantine == [
        (4, "Expected `float` <= 5.0 - at `$.rating`"),
        (5, "Object missing required field `parent_asin`"),
        (6, "expected 4 cells, got 3"),
    ]


def test_a_review_and_its_bare_rating_have_one_id() -> None:
    ratings, reviews = ingested(RATINGS), ingested(REVIEWS)
    assert column(ratings, "review", "review_id")[0] == column(reviews, "review", "review_id")[0]


def test_a_history_adds_no_rows() -> None:
    done = ingested("benchmark/5core/last_out_w_his/Home_and_Kitchen.train.csv.gz")
    assert column(done, "review", "product_id") == ["asin:B0HEATER01", "asin:B0HEATER02"]
    assert set(column(done, "review", "category")) == {"Home_and_Kitchen"}
    assert column(done, "review", "timestamp") == [1588687730, 1588687731]


def test_what_is_wrong_with_a_review_is_said() -> None:
    done = ingested(REVIEWS)
    assert done.quarantine == [
        (7, "Expected `float` >= 1.0 - at `$.rating`"),
        (8, "Object missing required field `timestamp`"),
        (9, "Object missing required field `parent_asin`"),
        (10, "an id is blank"),
        (12, "Input data was truncated"),
    ]
    assert done.collapsed == [(5, 1)]


def test_what_is_wrong_with_metadata_is_said() -> None:
    done = ingested(METADATA)
    assert done.quarantine == [
        (8, "Object missing required field `parent_asin`"),
        (9, "Expected `str | null`, got `array` - at `$.title`"),
    ]
    assert done.collapsed == [(7, 1)]


def test_prices_are_numbers_or_texts_that_hold_one() -> None:
    assert column(ingested(METADATA), "product", "price") == ["39.5", "from 12.99", None, None, None, "12"]


def test_the_brand_stands_in_the_details_or_else_is_the_shop() -> None:
    brands = column(ingested(METADATA), "product", "brand")
    assert brands == ["Brackwater", "Brackwater Shop", None, "Brackwater Shop", "Brackwater", "Brackwater"]


def test_votes_that_cannot_be_are_unknown() -> None:
    assert column(ingested(REVIEWS), "review", "helpful") == [3, 0, 3, None, 2]


@pytest.mark.parametrize("file", ["Home_and_Kitchen.jsonl", "review10.json"])
def test_both_spellings_of_the_same_review_give_the_same_row(file: str) -> None:
    plain = b'{"rating":5.0,"title":"a","text":"b","asin":"B1","parent_asin":"B1","user_id":"U",%s}\n'
    early = b'"sortTimestamp":1500000000999,"helpfulVotes":7,"verifiedPurchase":false'
    later = b'"timestamp":1500000000999,"helpful_vote":7,"verified_purchase":false'
    done = ingest_bytes(plain % early + plain % later, SOURCE, file)
    one, other = done.tables["review"]
    assert {**one, "line": 0} == {**other, "line": 0}
    assert (one["timestamp"], one["helpful"], one["verified"]) == (1500000000, 7, False)


def test_the_early_sample_names_no_category() -> None:
    done = ingested("review10.json")
    assert column(done, "review", "category") == [None, None]
    assert takes(SOURCE, SourceSettings(categories=("Gift_Cards",)), "review10.json", ["*"])


@pytest.mark.parametrize(
    ("file", "category"),
    [
        ("raw/review_categories/Gift_Cards.jsonl", "Gift_Cards"),
        ("raw/meta_categories/meta_Gift_Cards.jsonl.gz", "Gift_Cards"),
        ("benchmark/0core/timestamp_w_his/Gift_Cards.valid.csv", "Gift_Cards"),
        ("benchmark/5core/rating_only/Gift_Cards.csv.gz", "Gift_Cards"),
    ],
)
def test_every_form_of_a_file_says_its_category(file: str, category: str) -> None:
    found = SOURCE.kind_of(file)
    assert found is not None
    assert found[1] == {"category": category}


def test_variants_are_named_once_with_their_parent_and_nothing_else() -> None:
    assert [stated(row) for row in ingested(REVIEWS).tables["product"]] == [
        {"product_id": product, "parent_id": "asin:B0HEATER00", "category": "Home_and_Kitchen", "locale": "us"} | line
        for product, line in (("asin:B0HEATER1R", {"line": 1}), ("asin:B0HEATER2B", {"line": 4}))
    ]


def test_a_product_sold_without_variants_adds_no_row() -> None:
    line = b'{"rating":5.0,"asin":"%s","parent_asin":"B1","user_id":"U","timestamp":1}\n'
    done = ingest_bytes(line % b"b1" + line % b"  ", SOURCE, "Gift_Cards.jsonl")
    assert done.counts.rows == {"product": 0, "review": 2}


def test_variants_join_the_family_of_their_parent(tmp_path: Path) -> None:
    world = {"product": [*ingested(METADATA).tables["product"], *ingested(REVIEWS).tables["product"]]}
    with opened(tmp_path, world) as tables:
        joined = known_pairs(tables)["parent"].to_pylist()
    assert joined == [
        {"product_id": f"asin:B0HEATER{variant}", "parent_id": "asin:B0HEATER00"} for variant in ("1R", "2B")
    ]


def test_the_real_sample_is_read_in_full(real_corpora: Path) -> None:
    path = real_corpora / NAME / "review10.json"
    done = ingest(path, SOURCE, "review10.json")
    lines = path.read_bytes().count(b"\n")
    assert (done.counts.records, done.counts.ingested, done.counts.quarantined) == (lines, lines, 0)
    assert lines == 10
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    variants = {
        (record["asin"], record["parent_asin"]) for record in records if record["asin"] != record["parent_asin"]
    }
    assert done.counts.rows == {"product": len(variants), "review": 10}
    assert all(2010 < 1970 + row["timestamp"] / 31_556_952 < 2024 for row in done.tables["review"])


def test_every_category_can_be_fetched_with_its_digest() -> None:
    first = [remote for remote in SOURCE.remotes if not remote.alternative]
    assert len(first) == 2 * 34
    for remote in first:
        assert remote.urls == (f"hf://datasets/McAuley-Lab/Amazon-Reviews-2023/{remote.file}",)
        assert remote.size
        assert remote.sha256
        assert SOURCE.kind_of(remote.file)


def test_gzipped_files_are_never_judged_by_the_digest_of_the_plain_ones() -> None:
    for remote in SOURCE.remotes:
        assert SOURCE.kind_of(remote.file), remote.file
        assert remote.file.endswith(".gz") == (remote.sha256 is None)
        assert all(url.endswith(remote.file) for url in remote.urls)


def test_the_digests_are_those_of_upstreams_own_list(real_corpora: Path) -> None:
    listed = (real_corpora / NAME / "hf_lfs_sha256_size_path.tsv").read_text(encoding="utf-8").splitlines()
    stated = {file: (sha256, int(size)) for sha256, size, file in (line.split("\t") for line in listed)}
    known = {remote.file: (remote.sha256, remote.size) for remote in SOURCE.remotes if remote.sha256}
    assert known == {file: told for file, told in stated.items() if file != "asin2category.json"}
    categories = (real_corpora / NAME / "all_categories.txt").read_text(encoding="utf-8").split()
    assert sorted(f"raw/review_categories/{category}.jsonl" for category in categories) == sorted(
        remote.file for remote in SOURCE.remotes if remote.file in stated and "/review_" in remote.file
    )
