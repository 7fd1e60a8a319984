"""Amazon-M2: millions of anonymous shopping sessions from six marketplaces, with 1.4 million products.

Released by Wei Jin, Haitao Mao, Zheng Li, Xianfeng Tang and colleagues (Amazon and universities) for the KDD Cup 2023.
``sessions_train.csv`` and ``sessions_test_*.csv`` list the products of a visit in order; ``products_train.csv``
describes products, each in the language of its marketplace. The organisers hand the files out at AIcrowd, to people who
have an account; some test sessions are public in the authors' repository, as Parquet. No licence is stated.

Quirks, and what becomes of them:

- ``prev_items`` is what numpy prints of an array (``['B0...' 'B0...']``, without commas, with line breaks where it is
  long) in the CSV files and a list in Parquet. ``next_item``, which the test files lack, is the visit's last product.
- Sessions have no id: theirs is made of the marketplace and the products in order, so that a visit keeps its id in
  every file and form. Visits of the same products in the same order are thus one visit; in one file, ingest collapses
  them.
- Marketplaces are spelled UK, DE, JP, ES, FR, IT; UK becomes ``gb``. A product has a row for each of its marketplaces.
- Prices are plain numbers in the marketplace's currency; 40000000.07 stands for none.
- ``desc`` is the description. ``color``, ``size``, ``model``, ``material`` and ``author`` feed nothing.
- Products name no category. Products of some test sessions are not described at all.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.fields import Key, asin_key, price_or_none, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind, Inadmissible, Remote, Source
from ecinstruct_build.tables import arrow_table, repeated

NAME = "amazon_m2"

Locale = Literal["UK", "DE", "JP", "ES", "FR", "IT"]
LOCALES: Mapping[str, str] = {"UK": "gb", "DE": "de", "JP": "jp", "ES": "es", "FR": "fr", "IT": "it"}
"""Upstream's marketplaces, as locales."""

AICROWD = "https://www.aicrowd.com/challenges/amazon-kdd-cup-23-multilingual-recommendation-challenge"
STEPS = (
    f"Sign in to AIcrowd, accept the rules of the challenge at {AICROWD}, open the resources of its first task "
    "(problems/task-1-next-product-recommendation/dataset_files below that address; tasks 2 and 3 hold the test "
    "sessions of their own) and put the file here under its name."
)
REPOSITORY = ("https://raw.githubusercontent.com/HaitaoMao/Amazon-M2/c160efeb77533776fb8e731d9ba5247c458600ad/",)
TRAINING = ("products_train.csv", "sessions_train.csv")
TESTS = tuple(f"sessions_test_task{task}_phase{phase}.csv" for task in (1, 2, 3) for phase in (1, 2))
PUBLIC = (
    "task2/private_test/sessions_test.parquet",
    "task2/public_test/sessions_test.parquet",
    "task3/test/phrase1_sessions_test.parquet",
    "task3/test/phrase2_sessions_test.parquet",
)

_PRINTED = re.compile(r"'([^'\s]{1,64})'")
_NO_PRICE = "40000000.07"


class Session(Struct, gc=False):
    """A row of a Parquet file of sessions, and what a row of a CSV becomes."""

    prev_items: list[Key]
    locale: Locale
    next_item: Key | None = None


class PrintedSession(Struct, gc=False):
    """A row of a CSV of sessions."""

    prev_items: str
    locale: Locale
    next_item: Key | None = None


class Product(Struct, gc=False):
    """A row of the products."""

    id: Key
    locale: Locale
    title: str | None = None
    price: str | None = None
    brand: str | None = None
    desc: str | None = None


def read_printed(record: PrintedSession) -> Session:
    """Read the array that numpy printed.

    Raises
    ------
    Inadmissible
        If the text holds no product.
    """
    items = _PRINTED.findall(record.prev_items)
    if not items:
        raise Inadmissible("prev_items names no product")
    return Session(items, record.locale, record.next_item)


def _refuse_empty(record: Session) -> Session:
    if not record.prev_items:
        raise Inadmissible("prev_items names no product")
    return record


def _convert_sessions(batch: Batch) -> Mapping[str, pa.Table]:
    visits = [_products(record) for record in batch.records]
    locales = [LOCALES[record.locale] for record in batch.records]
    columns: dict[str, Any] = {
        "session_id": [_key(locale, products) for locale, products in zip(locales, visits, strict=True)],
        "product_ids": visits,
        "locale": locales,
        "catalogue": repeated(NAME, len(visits)),
        **batch.origin(),
    }
    return {"session": arrow_table("session", columns)}


def _products(record: Session) -> list[str]:
    items = record.prev_items if record.next_item is None else [*record.prev_items, record.next_item]
    return list(map(asin_key, items))


def _key(locale: str, products: list[str]) -> str:
    return f"{locale}-{hashlib.md5(' '.join(products).encode(), usedforsecurity=False).hexdigest()}"


def _convert_products(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.id) for record in records],
        "title": [title_or_none(record.title) for record in records],
        "description": [text_or_none(record.desc) for record in records],
        "brand": [text_or_none(record.brand) for record in records],
        "price": [None if record.price == _NO_PRICE else price_or_none(record.price) for record in records],
        "locale": [LOCALES[record.locale] for record in records],
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


SOURCE = Source(
    name=NAME,
    title="Amazon-M2 (KDD Cup 2023)",
    summary="Shopping sessions of six marketplaces and languages, with the titles of their products.",
    homepage=AICROWD,
    licence="none stated; handed out to participants of the KDD Cup 2023",
    redistributable=False,
    citation=(
        "Wei Jin, Haitao Mao, Zheng Li, et al. Amazon-M2: A Multilingual Multi-locale Shopping Session Dataset for "
        "Recommendation and Text Generation. NeurIPS 2023 Datasets and Benchmarks."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?products\w*\.csv(?:\.gz)?",
            format="csv",
            record=Product,
            tables=("product",),
            convert=_convert_products,
            example="products_train.csv",
            needed=("id", "locale", "title"),
        ),
        FileKind(
            pattern=r"(?:.*/)?\w*sessions\w*\.csv(?:\.gz)?",
            format="csv",
            record=PrintedSession,
            tables=("session",),
            convert=_convert_sessions,
            example="sessions_train.csv",
            admit=read_printed,
        ),
        FileKind(
            pattern=r"(?:.*/)?\w*sessions\w*\.parquet",
            format="parquet",
            record=Session,
            tables=("session",),
            convert=_convert_sessions,
            example="task2/public_test/sessions_test.parquet",
            admit=_refuse_empty,
        ),
    ),
    remotes=(
        *(Remote(file, steps=STEPS) for file in TRAINING),
        *(Remote(file, steps=STEPS, alternative=True) for file in TESTS),
        *remote_table(NAME, PUBLIC, REPOSITORY, alternative=True),
    ),
)
