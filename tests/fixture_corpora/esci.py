"""The Shopping Queries Data Set, in upstream's files and as others hand it on, joined."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from fixture_corpora.forms import parquet

_EXAMPLE = {
    "example_id": 11,
    "query": "copper kettle without whistle",
    "query_id": 7,
    "product_id": "B00KETTLE1",
    "product_locale": "us",
    "esci_label": "E",
    "small_version": 1,
    "large_version": 1,
    "split": "train",
}
_PRODUCT = {
    "product_id": "B00KETTLE1",
    "product_title": "Copper kettle",
    "product_description": "<p>Heavy copper.</p>\nTin lined.",
    "product_bullet_point": "Heavy base\nCool handle\n\nNo whistle",
    "product_brand": "Brackwater",
    "product_color": "Copper",
    "product_locale": "us",
}

_JOINED = {
    **{key: value for key, value in _EXAMPLE.items() if key != "split"},
    "esci_label": "Exact",
    **{key: value for key, value in _PRODUCT.items() if key not in ("product_id", "product_locale")},
    "product_text": "Copper kettle\nBrackwater\nCopper",
    "language": "en",
}


def _csv(*rows: Mapping[str, Any]) -> bytes:
    sink = io.StringIO(newline="")
    table = csv.DictWriter(sink, list(_JOINED), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return sink.getvalue().encode()


FILES = {
    "shopping_queries_dataset_examples.parquet": parquet(
        [
            _EXAMPLE,
            _EXAMPLE | {"example_id": 12, "product_id": "B00TEAPOT2", "esci_label": "I", "small_version": 0},
            _EXAMPLE | {"example_id": 13, "query": "tetera de cobre", "query_id": 8, "product_locale": "es"},
            _EXAMPLE | {"example_id": 14, "query": "銅のやかん", "query_id": 9, "product_locale": "jp"},
            _EXAMPLE,
            _EXAMPLE | {"example_id": 15, "esci_label": "Exact"},
            _EXAMPLE | {"example_id": 16, "query": None},
        ]
    ),
    "shopping_queries_dataset_products.parquet": parquet(
        [
            _PRODUCT,
            _PRODUCT | {"product_title": "Tetera de cobre", "product_locale": "es", "product_brand": None},
            _PRODUCT | {"product_id": "B00TEAPOT2", "product_description": None, "product_bullet_point": None},
            _PRODUCT | {"product_id": None},
        ]
    ),
    "shopping_queries_dataset_sources.csv": b"query_id,source\n7,negations\n8,other\n9,behavioral\n",
    "tasksource_sample.csv": _csv(
        _JOINED,
        _JOINED | {"query": "tetera, de cobre", "query_id": 8, "product_locale": "es", "esci_label": "Substitute"},
        _JOINED | {"query": "銅のやかん", "query_id": 9, "product_locale": "jp", "esci_label": "Complement"},
        _JOINED | {"product_id": "B00TEAPOT2", "esci_label": "Irrelevant", "small_version": 0, "product_brand": None},
        _JOINED | {"esci_label": "E"},
        _JOINED | {"query": None},
        _JOINED,
        _JOINED | {"query": "kettle", "query_id": 10},
    ),
    "data/test-00000-of-00001-0f0e.parquet": parquet(
        [
            {**_JOINED, "query_id": 7, "small_version": 1},
            {**_JOINED, "query_id": 7, "small_version": 1, "product_locale": "uk"},
        ]
    ),
}
