"""Amazon Review Data (2018): 233 million reviews and the metadata of 15 million products.

Collected by Jianmo Ni, Jiacheng Li and Julian McAuley (UC San Diego), by category, from May 1996 to October 2018.
Files are JSON lines, gzipped: all reviews (``<C>.json.gz``), the dense 5-core (``<C>_5.json.gz``) and metadata
(``meta_<C>.json.gz``, in two forms: ``metaFiles`` with ``image``, ``metaFiles2`` with ``imageURL``); bare ratings are
a CSV without a header. No licence is stated; the authors ask for citation.

Quirks, and what becomes of them:

- Exact duplicate lines are common, up to 90% of a file: ingest collapses them.
- ``vote`` is text with thousands separators. ``reviewText`` and ``summary`` may be absent. ``style`` (its values begin
  with a space) and ``image`` feed nothing.
- Some titles are the beginning of a ``<span`` or a script with ``getTime``: null.
- Prices are text, now and then a dumped style sheet or script: null unless they hold a number and no markup.
- ``main_cat`` may be an image of the department's name: its ``alt`` text is taken.
- ``similar_item`` is a piece of HTML: the ASINs in it become relations.
- ``rank`` is text or a list and feeds nothing. ``category`` and ``feature`` hold markup at times; it is left for later.
"""

import re
from collections.abc import Mapping

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.fields import (
    FastKey,
    Key,
    Seconds,
    Stars,
    Texts,
    asin_key,
    listed,
    price_or_none,
    refuse_blank,
    text_or_none,
    title_or_none,
)
from ecinstruct_build.ingesting.reviews import asins_of, domain, links, relation_table, review_table, texts_of
from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table

NAME = "amazon_reviews_2018"

MIRRORS = (
    "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_v2/",
    "https://datarepo.eng.ucsd.edu/mcauley_group/data/amazon_v2/",
    "https://jmcauley.ucsd.edu/data/amazon_v2/",
)
CATEGORIES = (
    "AMAZON_FASHION",
    "All_Beauty",
    "Appliances",
    "Arts_Crafts_and_Sewing",
    "Automotive",
    "Books",
    "CDs_and_Vinyl",
    "Cell_Phones_and_Accessories",
    "Clothing_Shoes_and_Jewelry",
    "Digital_Music",
    "Electronics",
    "Gift_Cards",
    "Grocery_and_Gourmet_Food",
    "Home_and_Kitchen",
    "Industrial_and_Scientific",
    "Kindle_Store",
    "Luxury_Beauty",
    "Magazine_Subscriptions",
    "Movies_and_TV",
    "Musical_Instruments",
    "Office_Products",
    "Patio_Lawn_and_Garden",
    "Pet_Supplies",
    "Prime_Pantry",
    "Software",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Toys_and_Games",
    "Video_Games",
)
OLDER_METADATA = (
    "This older form of the metadata is handed out through the request form on https://nijianmo.github.io/amazon/. "
    "Fill it in, follow the link that you are sent and take the file of the category. metaFiles2 describes the same "
    "category and is fetched without a form."
)

_ASIN = re.compile(
    r"(?:asin(?:[^0-9A-Za-z]|&quot;|&#34;|%[0-9A-F]{2})*|/dp/)(B[0-9A-Z]{9}|[0-9]{9}[0-9X])(?![0-9A-Za-z])"
)
_IMAGE_TEXT = re.compile(r"""<img\b[^<>]{0,1000}?\balt=["']([^"'<>]{0,200})["']""")


class Review(Struct, gc=False):
    """A line of a review file."""

    overall: Stars
    reviewerID: FastKey  # noqa: N815 - upstream's names
    asin: FastKey
    unixReviewTime: Seconds  # noqa: N815
    verified: bool | None = None
    reviewText: str | None = None  # noqa: N815
    summary: str | None = None
    vote: str | int | None = None

    def __post_init__(self) -> None:
        refuse_blank(self.reviewerID, self.asin)


class Rating(Struct, gc=False):
    """A row of a ratings file."""

    item: FastKey
    user: FastKey
    rating: Stars
    timestamp: Seconds

    def __post_init__(self) -> None:
        refuse_blank(self.user, self.item)


class Metadata(Struct, gc=False):
    """A line of a metadata file, of either form."""

    asin: Key
    title: str | None = None
    description: Texts = None
    feature: Texts = None
    brand: str | None = None
    category: Texts = None
    price: str | float | None = None
    main_cat: str | None = None
    also_buy: Texts = None
    also_view: Texts = None
    similar_item: str | None = None


def _convert_reviews(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    reviews = review_table(
        batch,
        [record.reviewerID for record in records],
        asins_of(record.asin for record in records),
        [record.unixReviewTime for record in records],
        rating=[record.overall for record in records],
        title=texts_of([record.summary for record in records]),
        text=texts_of([record.reviewText for record in records]),
        helpful=[None if record.vote is None else _votes(record.vote) for record in records],
        verified=[record.verified for record in records],
    )
    return {"review": reviews}


def _convert_ratings(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    reviews = review_table(
        batch,
        [record.user for record in records],
        asins_of(record.item for record in records),
        [record.timestamp for record in records],
        rating=[record.rating for record in records],
    )
    return {"review": reviews}


def _convert_metadata(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.asin) for record in records],
        "title": [title_or_none(record.title) for record in records],
        "description": ["\n".join(listed(record.description)) or None for record in records],
        "features": [listed(record.feature) or None for record in records],
        "brand": [text_or_none(record.brand) for record in records],
        "categories": [listed(record.category) or None for record in records],
        "price": [price_or_none(record.price) for record in records],
        "main_category": [_department(record.main_cat) for record in records],
        **domain(batch),
        **batch.origin(),
    }
    found = [
        link
        for row, record in enumerate(records)
        for kind, others in (
            ("also_buy", record.also_buy),
            ("also_view", record.also_view),
            ("similar", _ASIN.findall(record.similar_item or "")),
        )
        for link in links(row, record.asin, kind, others)
    ]
    return {"product": arrow_table("product", columns), "relation": relation_table(batch, found)}


def _votes(vote: str | int) -> int | None:
    digits = str(vote).replace(",", "")
    return int(digits) if len(digits) < 10 and digits.isdecimal() else None


def _department(name: str | None) -> str | None:
    image = _IMAGE_TEXT.search(name) if name and "<" in name else None
    return text_or_none(image[1]) if image else title_or_none(name)


SOURCE = Source(
    name=NAME,
    title="Amazon Review Data (2018)",
    summary="Reviews of 29 categories of amazon.com with product metadata and also-buy, also-view and similar links.",
    homepage="https://nijianmo.github.io/amazon/",
    licence="none stated; offered for research, citation asked for",
    redistributable=False,
    citation=(
        "Jianmo Ni, Jiacheng Li, Julian McAuley. Justifying Recommendations using Distantly-Labeled Reviews and "
        "Fine-Grained Aspects. EMNLP-IJCNLP 2019."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?meta_(?P<category>\w+)\.json(?:\.gz)?",
            format="jsonl",
            record=Metadata,
            tables=("product", "relation"),
            convert=_convert_metadata,
            example="metaFiles2/meta_Gift_Cards.json.gz",
        ),
        FileKind(
            pattern=r"(?:.*/)?(?P<category>\w+?)(?:_5)?\.json(?:\.gz)?",
            format="jsonl",
            record=Review,
            tables=("review",),
            convert=_convert_reviews,
            example="categoryFilesSmall/Gift_Cards_5.json.gz",
        ),
        FileKind(
            # A part of the file may carry a remark: Gift_Cards.first1000.csv.
            pattern=r"(?:.*/)?(?P<category>\w+)(?:\.\w+)?\.csv(?:\.gz)?",
            format="csv",
            record=Rating,
            tables=("review",),
            convert=_convert_ratings,
            example="categoryFilesSmall/Gift_Cards.csv",
            columns=("item", "user", "rating", "timestamp"),
        ),
    ),
    remotes=(
        *remote_table(NAME, [f"categoryFilesSmall/{name}_5.json.gz" for name in CATEGORIES], MIRRORS),
        *remote_table(NAME, [f"metaFiles2/meta_{name}.json.gz" for name in CATEGORIES], MIRRORS),
        *remote_table(NAME, [f"categoryFiles/{name}.json.gz" for name in CATEGORIES], MIRRORS, alternative=True),
        *remote_table(NAME, [f"categoryFilesSmall/{name}.csv" for name in CATEGORIES], MIRRORS, alternative=True),
        *remote_table(
            NAME, [f"metaFiles/meta_{name}.json.gz" for name in CATEGORIES], (), alternative=True, steps=OLDER_METADATA
        ),
    ),
)
