"""Amazon-Google Products: software listings of two shops and the pairs that are the same product.

A benchmark of entity resolution by Hanna Köpcke, Andreas Thor and Erhard Rahm (Leipzig University): 1,363 listings of
amazon.com, 3,226 of Google's product search, and 1,300 matching pairs. Licence: CC-BY-4.0. The download is a zip of
three CSV files; they are read unpacked.

Quirks, and what becomes of them:

- The tables are latin-1 with CR LF line ends. One table calls the name ``title``, the other ``name``.
- The mapping's file name is misspelt upstream (``Amzon_``). It is many-to-many and names matches only.
- Amazon ids are ASINs in lower case: they become the usual ``asin:`` keys. Google ids are URLs: the number at their
  end becomes the key.
- Price ``0`` means unknown: null. Other prices stay as they are, some with a currency (``69.71 gbp``).
- Descriptions and most Google manufacturers are missing: null. HTML entities are left for later.
"""

import re
from collections.abc import Mapping
from typing import Annotated

import pyarrow as pa
from msgspec import Meta, Struct

from ecinstruct_build.ingesting.common_rows import match_rows
from ecinstruct_build.ingesting.fields import Key, asin_key, price_or_none, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "amazon_google"
MEMBERS = ("Amazon.csv", "GoogleProducts.csv", "Amzon_GoogleProducts_perfectMapping.csv")

GoogleUrl = Annotated[str, Meta(pattern=r"[0-9]/?\s*$")]


class AmazonListing(Struct, gc=False):
    """A row of Amazon.csv."""

    id: Key
    title: str
    description: str | None = None
    manufacturer: str | None = None
    price: str | None = None


class GoogleListing(Struct, gc=False):
    """A row of GoogleProducts.csv."""

    id: GoogleUrl
    name: str
    description: str | None = None
    manufacturer: str | None = None
    price: str | None = None


class Pair(Struct, gc=False):
    """A row of the mapping."""

    idAmazon: Key  # noqa: N815 - upstream's names
    idGoogleBase: GoogleUrl  # noqa: N815


def _google_key(url: str) -> str:
    return f"google:{re.findall(r'[0-9]+', url)[-1]}"


def _price(price: str | None) -> str | None:
    text = price_or_none(price)
    return None if text is None or re.fullmatch(r"0+(\.0*)?", text) else text


def _convert_amazon(batch: Batch) -> Mapping[str, pa.Table]:
    ids = [asin_key(record.id) for record in batch.records]
    return _listings(batch, ids, [record.title for record in batch.records])


def _convert_google(batch: Batch) -> Mapping[str, pa.Table]:
    ids = [_google_key(record.id) for record in batch.records]
    return _listings(batch, ids, [record.name for record in batch.records])


def _listings(batch: Batch, ids: list[str], titles: list[str]) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": ids,
        "title": [title_or_none(title) for title in titles],
        "description": [text_or_none(record.description) for record in records],
        "brand": [text_or_none(record.manufacturer) for record in records],
        "price": [_price(record.price) for record in records],
        "locale": ["us"] * len(records),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def _convert_pairs(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    lefts = [asin_key(record.idAmazon) for record in records]
    rights = [_google_key(record.idGoogleBase) for record in records]
    return match_rows(batch, lefts, rights, [True] * len(records))


SOURCE = Source(
    name=NAME,
    title="Amazon-Google Products",
    summary="Software listings of amazon.com and of Google's product search, with the pairs that match.",
    homepage="https://dbs.uni-leipzig.de/research/projects/benchmark-datasets-for-entity-resolution",
    licence="CC-BY-4.0",
    redistributable=True,
    citation=(
        "Hanna Köpcke, Andreas Thor, Erhard Rahm. Evaluation of entity resolution approaches on real-world match "
        "problems. PVLDB 3(1), 2010."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?Amazon\.csv",
            format="csv",
            record=AmazonListing,
            tables=("product",),
            convert=_convert_amazon,
            example="Amazon.csv",
            encoding="latin-1",
        ),
        FileKind(
            pattern=r"(?:.*/)?GoogleProducts\.csv",
            format="csv",
            record=GoogleListing,
            tables=("product",),
            convert=_convert_google,
            example="GoogleProducts.csv",
            encoding="latin-1",
        ),
        FileKind(
            pattern=r"(?:.*/)?Ama?zon_GoogleProducts_perfectMapping\.csv",
            format="csv",
            record=Pair,
            tables=("match",),
            convert=_convert_pairs,
            example="Amzon_GoogleProducts_perfectMapping.csv",
            encoding="latin-1",
        ),
    ),
    remotes=(
        Remote(
            "Amazon-GoogleProducts.zip",
            ("https://dbs.uni-leipzig.de/files/datasets/Amazon-GoogleProducts.zip",),
            sha256="fcd72e223d51ce5b0d6b1d68034a438ba95cf2940431e209a57910b067cc4811",
            holds=tuple((name, name) for name in MEMBERS),
        ),
    ),
)
