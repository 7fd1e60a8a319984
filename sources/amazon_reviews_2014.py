"""Amazon product data (2014): 143 million reviews and the metadata of 9 million products, 1996 to July 2014.

Collected by Julian McAuley and colleagues (UC San Diego), by category. Reviews (``reviews_<C>.json.gz``, and the dense
5-core ``reviews_<C>_5.json.gz``) are JSON lines. No licence is stated; the authors ask for citation.

Quirks, and what becomes of them:

- Metadata (``meta_<C>.json.gz``) are lines of Python literals, not JSON: read by ``ast.literal_eval``, never ``eval``.
- ``helpful`` is [votes for, votes in all]: the first number is kept. There is no word on verified purchases: null.
- ``related`` names other products: ``also_bought`` becomes ``also_buy``, ``also_viewed`` ``also_view``, and
  ``bought_together`` keeps its name. ``buy_after_viewing`` is left out: it is neither what was bought as well nor what
  was looked at as well, and no canonical kind means the same.
- ``categories`` is a list of paths: the first is kept. The file name says the domain.
- Whatever followed an ampersand got a semicolon, as if it were an entity: ``R&B;``. Mended with the entities, late.
- ``price`` is a number, some titles, brands and descriptions are missing; ``salesRank`` and ``imUrl`` feed nothing.
"""

from collections.abc import Mapping

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.fields import (
    Count,
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

NAME = "amazon_reviews_2014"

MIRRORS = ("https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/",)
CATEGORIES = (
    "Amazon_Instant_Video",
    "Apps_for_Android",
    "Automotive",
    "Baby",
    "Beauty",
    "Books",
    "CDs_and_Vinyl",
    "Cell_Phones_and_Accessories",
    "Clothing_Shoes_and_Jewelry",
    "Digital_Music",
    "Electronics",
    "Grocery_and_Gourmet_Food",
    "Health_and_Personal_Care",
    "Home_and_Kitchen",
    "Kindle_Store",
    "Movies_and_TV",
    "Musical_Instruments",
    "Office_Products",
    "Patio_Lawn_and_Garden",
    "Pet_Supplies",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Toys_and_Games",
    "Video_Games",
)
KINDS = {"also_bought": "also_buy", "also_viewed": "also_view", "bought_together": "bought_together"}


class Review(Struct, gc=False):
    """A line of a review file."""

    reviewerID: FastKey  # noqa: N815 - upstream's names
    asin: FastKey
    overall: Stars
    unixReviewTime: Seconds  # noqa: N815
    helpful: tuple[Count, Count] | None = None
    reviewText: str | None = None  # noqa: N815
    summary: str | None = None

    def __post_init__(self) -> None:
        refuse_blank(self.reviewerID, self.asin)


class Metadata(Struct, gc=False):
    """A line of a metadata file."""

    asin: Key
    title: str | None = None
    description: Texts = None
    brand: str | None = None
    price: int | float | str | None = None
    categories: list[list[str]] | None = None
    related: dict[str, list[str]] | None = None


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
        helpful=[record.helpful and record.helpful[0] for record in records],
    )
    return {"review": reviews}


def _convert_metadata(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.asin) for record in records],
        "title": [title_or_none(record.title) for record in records],
        "description": ["\n".join(listed(record.description)) or None for record in records],
        "brand": [text_or_none(record.brand) for record in records],
        "categories": [listed(record.categories[0]) or None if record.categories else None for record in records],
        "price": [price_or_none(record.price) for record in records],
        **domain(batch),
        **batch.origin(),
    }
    found = [
        link
        for row, record in enumerate(records)
        for name, kind in KINDS.items()
        for link in links(row, record.asin, kind, (record.related or {}).get(name))
    ]
    return {"product": arrow_table("product", columns), "relation": relation_table(batch, found)}


SOURCE = Source(
    name=NAME,
    title="Amazon product data (2014)",
    summary="Reviews of amazon.com up to July 2014, by category, with product metadata and links between products.",
    homepage="https://jmcauley.ucsd.edu/data/amazon/",
    licence="none stated; offered for research, citation asked for",
    redistributable=False,
    citation=(
        "Ruining He, Julian McAuley. Ups and Downs: Modeling the Visual Evolution of Fashion Trends with One-Class "
        "Collaborative Filtering. WWW 2016. "
        "Julian McAuley, Christopher Targett, Qinfeng Shi, Anton van den Hengel. Image-Based Recommendations on Styles "
        "and Substitutes. SIGIR 2015."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?reviews_(?P<category>\w+?)(?:_5)?\.json(?:\.gz)?",
            format="jsonl",
            record=Review,
            tables=("review",),
            convert=_convert_reviews,
            example="reviews_Digital_Music_5.json.gz",
        ),
        FileKind(
            pattern=r"(?:.*/)?meta_(?P<category>\w+)\.json(?:\.gz)?",
            format="python",
            record=Metadata,
            tables=("product", "relation"),
            convert=_convert_metadata,
            example="meta_Digital_Music.json.gz",
        ),
    ),
    remotes=(
        *remote_table(NAME, [f"reviews_{name}_5.json.gz" for name in CATEGORIES], MIRRORS),
        *remote_table(NAME, [f"meta_{name}.json.gz" for name in CATEGORIES], MIRRORS),
        *remote_table(NAME, [f"reviews_{name}.json.gz" for name in CATEGORIES], MIRRORS, alternative=True),
    ),
)
