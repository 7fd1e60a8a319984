"""One product in many corpora: every adapter knows it by the same key, and its variants are of its family."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fixture_corpora.forms import json_lines, literal_lines, parquet, zipped
from ingesting import ingest

from ecinstruct_build.engine import Engine, EngineSettings
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.stages.families import known_pairs
from ecinstruct_build.tables import TABLES, arrow_table
from quality.splitting.families import families_of

KETTLE, VARIANT, OTHER = "B0KETTLE01", "B0KETTLER2", "B0TEAPOT09"
TITLE = "Brackwater Whistling Steel Kettle, 3 l"
GOOGLE = "http://www.google.com/base/feeds/snippets/1000000000000000001"
REST = ',"description","manufacturer","price"'
STEEL = {"key": "Material", "evidences": [{"value": "Steel", "pid": 0, "begin": 21, "end": 26}]}

# The kettle, in the spelling that each corpus might have it in: some write ids in small letters.
CORPORA: Mapping[str, Mapping[str, bytes]] = {
    "mave": {
        "labels/mave_positives_labels.jsonl": json_lines(
            {
                "id": KETTLE,
                "category": "Kettles",
                "attributes": [STEEL],
            }
        )
    },
    "amazon_reviews_2014": {
        "meta_Home_and_Kitchen.json.gz": zipped(literal_lines({"asin": KETTLE, "title": TITLE, "categories": []}))
    },
    "amazon_reviews_2018": {
        "Home_and_Kitchen_5.json.gz": zipped(
            json_lines(
                {
                    "overall": 5.0,
                    "reviewerID": "A1",
                    "asin": KETTLE.lower(),
                    "unixReviewTime": 1457481600,
                }
            )
        ),
        "meta_Home_and_Kitchen.json.gz": zipped(
            json_lines({"asin": KETTLE, "title": TITLE, "also_buy": [OTHER], "also_view": [], "similar_item": ""})
        ),
    },
    "amazon_reviews_2023": {
        "raw/review_categories/Home_and_Kitchen.jsonl": json_lines(
            {"rating": 4.0, "user_id": "A2", "parent_asin": KETTLE, "asin": VARIANT, "timestamp": 1588687728923}
        ),
        "raw/meta_categories/meta_Home_and_Kitchen.jsonl": json_lines({"parent_asin": KETTLE, "title": TITLE}),
    },
    "esci": {
        "shopping_queries_dataset_examples.parquet": parquet(
            [
                {
                    "example_id": 1,
                    "query": "steel kettle",
                    "query_id": 1,
                    "product_id": KETTLE,
                    "product_locale": "us",
                    "esci_label": "E",
                    "small_version": 1,
                    "large_version": 1,
                    "split": "train",
                }
            ]
        ),
    },
    "amazonqa": {
        "train-qar.jsonl": json_lines(
            {
                "asin": KETTLE,
                "category": "Home_and_Kitchen",
                "questionText": "Does it whistle?",
                "questionType": "yesno",
                "review_snippets": ["It whistles."],
                "answers": [],
                "is_answerable": 1,
                "qid": 7,
            }
        )
    },
    "mcauley_qa": {
        "qa_Home_and_Kitchen.json.gz": zipped(
            literal_lines(
                {
                    "asin": KETTLE.lower(),
                    "question": "How big?",
                    "questionType": "open-ended",
                    "answer": "3 l.",
                }
            )
        )
    },
    "oa_mine": {
        "annotations/kettle.jsonl": json_lines(
            {
                "asin": KETTLE,
                "title": TITLE,
                "entities": [{"label": "Material", "value": "Steel", "startOffset": 21, "endOffset": 26}],
            }
        )
    },
    "amazon_m2": {
        "products_train.csv": f"id,locale,title,price,brand,color,size,model,material,author,desc\n{KETTLE},UK,Steel "
        f"kettle of our own,9.9,,,,,,,\n".encode(),
        "sessions_train.csv": f"prev_items,next_item,locale\n['{OTHER}' '{VARIANT}'],{KETTLE},UK\n".encode(),
    },
    "amazon_google": {
        "Amazon.csv": f'"id","title"{REST}\r\n"{KETTLE.lower()}","kettle","","",1\r\n'.encode(),
        "GoogleProducts.csv": f'"id","name"{REST}\r\n"{GOOGLE}","kettle 3l","","",1\r\n'.encode(),
        "Amzon_GoogleProducts_perfectMapping.csv": (
            f'"idAmazon","idGoogleBase"\r\n"{KETTLE.lower()}","{GOOGLE}"\r\n'.encode()
        ),
    },
}


def product_keys(rows: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    for table in rows.keys() & TABLES.keys():
        for row in rows[table]:
            named = (row.get(name) for name in ("product_id", "parent_id", "other_id", "left_id", "right_id"))
            yield from (key for key in (*named, *(row.get("product_ids") or ())) if key)


@pytest.fixture(scope="module")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The canonical rows of every corpus, by source and table."""
    folder = tmp_path_factory.mktemp("raw")
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for source, files in CORPORA.items():
        for file, content in files.items():
            path = folder / source / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            read = ingest(path, SOURCES.get(source), file)
            assert read.quarantine == [], file
            for table, rows in read.tables.items():
                found.setdefault(source, {}).setdefault(table, []).extend(rows)
    return found


def test_every_adapter_knows_the_product_by_one_key(canonical: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
    for source, rows in canonical.items():
        keys = set(product_keys(rows))
        assert f"asin:{KETTLE}" in keys, source
        assert keys <= {f"asin:{asin}" for asin in (KETTLE, VARIANT, OTHER)} | {key for key in keys if "google" in key}
    assert any("google" in key for key in product_keys(canonical["amazon_google"]))


def test_its_variants_and_its_matched_listings_are_of_its_family(
    canonical: dict[str, dict[str, list[dict[str, Any]]]], tmp_path: Path
) -> None:
    files = {}
    for table in ("product", "match"):
        rows = [row for found in canonical.values() for row in found.get(table, [])]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        pq.write_table(arrow_table(table, columns), tmp_path / f"{table}.parquet")
        files[table] = [tmp_path / f"{table}.parquet"]
    with Engine(EngineSettings(threads=1)) as connected:
        pairs = known_pairs(connected.tables(files))
    joined = families_of(pa.concat_tables(pairs.values())).to_pydict()
    family = dict(zip(joined["product_id"], joined["family_id"], strict=True))
    google = next(key for key in product_keys(canonical["amazon_google"]) if "google" in key)
    assert family[f"asin:{KETTLE}"] == family[f"asin:{VARIANT}"] == family[google]
    assert f"asin:{OTHER}" not in family
