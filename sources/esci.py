"""Shopping Queries Data Set (ESCI): products graded for real shopping queries, in three marketplaces.

By Chandan K. Reddy and colleagues (Amazon Science), 2022: about 130,000 queries in English (us), Spanish (es) and
Japanese (jp), 2.6 million grades (Exact, Substitute, Complement, Irrelevant) and the products' texts, as Parquet in
Git LFS. Licence: Apache-2.0.

Quirks, and what becomes of them:

- An example names its product by (locale, id): product rows carry the locale, and one ASIN may have several rows.
- ``small_version`` 1 marks the reduced, harder part: subset ``small``; all else is ``large``. Upstream's own train and
  test split is not kept, since splits are made afresh.
- Bullet points are one text with a newline between them: split into features.
- Texts hold newlines and HTML: left for later. ``product_color`` feeds nothing.
- ``shopping_queries_dataset_sources.csv`` says how a query was found. It is read and counted, and fills no table.
- ``tasksource/esci`` on the Hugging Face Hub has examples and products joined and the grades spelled out, as Parquet
  (``data/train-00000-of-...``); CSV files of that form are called ``tasksource_<what>.csv`` here. The product of each
  row becomes a product row, as often as it is graded.
"""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.common_rows import no_rows
from ecinstruct_build.ingesting.fields import Key, Text, asin_key, listed, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "esci"
UPSTREAM = "amazon-science/esci-data"
FOLDER = "main/shopping_queries_dataset"


class Example(Struct, gc=False):
    """A row of the examples."""

    query: Text
    query_id: int
    product_id: Key
    product_locale: Literal["us", "es", "jp"]
    esci_label: Literal["E", "S", "C", "I"]
    small_version: Literal[0, 1]


class Product(Struct, gc=False):
    """A row of the products."""

    product_id: Key
    product_locale: Literal["us", "es", "jp"]
    product_title: str | None = None
    product_description: str | None = None
    product_bullet_point: str | None = None
    product_brand: str | None = None


class JoinedExample(Struct, gc=False):
    """A row of the form that has the product's columns beside the example's."""

    query: Text
    query_id: int
    product_id: Key
    product_locale: Literal["us", "es", "jp"]
    esci_label: Literal["Exact", "Substitute", "Complement", "Irrelevant"]
    small_version: Literal[0, 1]
    product_title: str | None = None
    product_description: str | None = None
    product_bullet_point: str | None = None
    product_brand: str | None = None


class QuerySource(Struct, gc=False):
    """A row of the sources."""

    query_id: int
    source: str


def _convert_examples(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "query_id": [str(record.query_id) for record in records],
        "query": [record.query for record in records],
        "product_id": [asin_key(record.product_id) for record in records],
        "label": [record.esci_label[0] for record in records],
        "subset": ["small" if record.small_version else "large" for record in records],
        "catalogue": [NAME] * len(records),
        "locale": [record.product_locale for record in records],
        **batch.origin(),
    }
    return {"judgement": arrow_table("judgement", columns)}


def _convert_products(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.product_id) for record in records],
        "title": [title_or_none(record.product_title) for record in records],
        "description": [text_or_none(record.product_description) for record in records],
        "features": [listed((record.product_bullet_point or "").split("\n")) or None for record in records],
        "brand": [text_or_none(record.product_brand) for record in records],
        "locale": [record.product_locale for record in records],
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def _convert_joined(batch: Batch) -> Mapping[str, pa.Table]:
    return {**_convert_examples(batch), **_convert_products(batch)}


def _in_large_storage(file: str, size: int, sha256: str) -> Remote:
    """Return a file that upstream keeps in Git LFS."""
    mirrors = (
        f"https://media.githubusercontent.com/media/{UPSTREAM}/{FOLDER}/{file}",
        f"https://github.com/{UPSTREAM}/raw/{FOLDER}/{file}",
    )
    return Remote(file, mirrors, size, sha256)


SOURCE = Source(
    name=NAME,
    title="Shopping Queries Data Set (ESCI)",
    summary="Shopping queries with products graded exact, substitute, complement or irrelevant; us, es and jp.",
    homepage="https://github.com/amazon-science/esci-data",
    licence="Apache-2.0",
    redistributable=True,
    citation=(
        "Chandan K. Reddy et al. Shopping Queries Dataset: A Large-Scale ESCI Benchmark for Improving Product Search. "
        "arXiv:2206.06588, 2022."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?shopping_queries_dataset_examples\.parquet",
            format="parquet",
            record=Example,
            tables=("judgement",),
            convert=_convert_examples,
            example="shopping_queries_dataset_examples.parquet",
        ),
        FileKind(
            pattern=r"(?:.*/)?shopping_queries_dataset_products\.parquet",
            format="parquet",
            record=Product,
            tables=("product",),
            convert=_convert_products,
            example="shopping_queries_dataset_products.parquet",
        ),
        FileKind(
            pattern=r"(?:.*/)?shopping_queries_dataset_sources\.csv",
            format="csv",
            record=QuerySource,
            tables=(),
            convert=no_rows,
            example="shopping_queries_dataset_sources.csv",
        ),
        FileKind(
            pattern=r"(?:.*/)?tasksource(?:_\w+)?\.csv(?:\.gz)?",
            format="csv",
            record=JoinedExample,
            tables=("judgement", "product"),
            convert=_convert_joined,
            example="tasksource_test.csv",
        ),
        FileKind(
            pattern=r"(?:.*/)?(?:train|test)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.parquet",
            format="parquet",
            record=JoinedExample,
            tables=("judgement", "product"),
            convert=_convert_joined,
            example="data/test-00000-of-00002.parquet",
        ),
    ),
    remotes=(
        _in_large_storage(
            "shopping_queries_dataset_examples.parquet",
            51_286_808,
            "4a735b693b4a424a6fc67f5be6e4c811495c488bbf66d02a602d308b2744263a",
        ),
        _in_large_storage(
            "shopping_queries_dataset_products.parquet",
            1_108_857_465,
            "25124442d064d64b26f74082d6fa09438d679efc0c183cf28d19064a2b65a265",
        ),
        Remote(
            "shopping_queries_dataset_sources.csv",
            (
                f"https://raw.githubusercontent.com/{UPSTREAM}/{FOLDER}/shopping_queries_dataset_sources.csv",
                f"https://github.com/{UPSTREAM}/raw/{FOLDER}/shopping_queries_dataset_sources.csv",
            ),
        ),
    ),
)
