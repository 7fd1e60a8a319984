"""Amazon Reviews 2023: 571.5 million reviews and the metadata of 48 million products, up to September 2023.

Collected by Yupeng Hou, Jiacheng Li, Julian McAuley and colleagues (UC San Diego), by category: 33 of them, and
``Unknown``. Reviews (``raw/review_categories/<C>.jsonl``) and metadata (``raw/meta_categories/meta_<C>.jsonl``) are
JSON lines, plain on the Hugging Face Hub and gzipped at UC San Diego. ``benchmark/`` holds the same interactions
without text as CSV: all (``0core``) or the dense ones (``5core``), whole (``rating_only``) or split for benchmarks,
with or without the user's ``history``. No licence is stated; the authors ask for citation.

Which id a product goes by: reviews name ``asin``, the variant (a colour, a size) that was bought, and ``parent_asin``,
what all variants are sold under; metadata, and the benchmark files, know parents only. So the **parent is the
product**: reviews are of it, and tasks find its title. A variant becomes a row of ``product`` with nothing but its
``parent_id``, so that records of other corpora on the variant are of the parent's family. (What the corpora of 2014 and
2018 call ``asin`` is mostly the parent already, say the authors.)

Quirks, and what becomes of them:

- Times are in milliseconds: whole seconds are kept.
- ``review10.json``, an early sample, spells ``sortTimestamp``, ``helpfulVotes`` and ``verifiedPurchase`` where later
  files have ``timestamp``, ``helpful_vote`` and ``verified_purchase``: both are read, in any file.
- ``price`` is a number in US dollars, null, or text such as ``from 12.99``, ``None`` or a dash: kept where it holds a
  digit.
- ``features``, ``description`` and ``categories`` are lists, empty in many rows; some products have no metadata at all.
- The brand is ``details.Brand``, else ``store`` (for books, the author). The other details, ``images``, ``videos``,
  ``subtitle``, ``author``, ``average_rating`` and ``rating_number`` feed nothing, and ``bought_together`` is null
  throughout.
- ``main_category`` often differs from the category of the file, which is what counts here.
- A benchmark row's ``history`` names products that stand in rows of their own: it feeds nothing. Rows of a review and
  of its bare rating have the same ``review_id``.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from ecinstruct_build.fetching.remotes import known_files, remote_table
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
from ecinstruct_build.ingesting.reviews import asins_of, domain, keys_of, review_table, texts_of
from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table

NAME = "amazon_reviews_2023"

HUB = ("hf://datasets/McAuley-Lab/Amazon-Reviews-2023/",)
MIRRORS = (
    "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/",
    "https://datarepo.eng.ucsd.edu/mcauley_group/data/amazon_2023/",
)
"""UC San Diego holds the same files gzipped, which is a third of the bytes; nobody states digests of these."""
RAW = tuple(file for file in known_files(NAME) if file.startswith("raw/"))
BENCHMARK = tuple(file for file in known_files(NAME) if file.startswith("benchmark/"))
RATINGS = tuple(file for file in BENCHMARK if "/rating_only/" in file)

Milliseconds = Seconds
"""A time since 1970, within the same limits."""


class Review(Struct, gc=False):
    """A line of a review file, in either spelling."""

    rating: Stars
    user_id: FastKey
    parent_asin: FastKey
    asin: FastKey
    timestamp: Milliseconds | None = None
    title: str | None = None
    text: str | None = None
    helpful_vote: int | None = None
    verified_purchase: bool | None = None
    early_timestamp: Milliseconds | None = field(default=None, name="sortTimestamp")
    early_helpful_vote: int | None = field(default=None, name="helpfulVotes")
    early_verified_purchase: bool | None = field(default=None, name="verifiedPurchase")

    def __post_init__(self) -> None:
        refuse_blank(self.user_id, self.parent_asin)
        if self.timestamp is None:
            if self.early_timestamp is None:
                raise ValueError("Object missing required field `timestamp`")
            self.timestamp = self.early_timestamp
            self.helpful_vote = self.early_helpful_vote
            self.verified_purchase = self.early_verified_purchase


class Rating(Struct, gc=False):
    """A row of a benchmark file."""

    user_id: FastKey
    parent_asin: FastKey
    rating: Stars
    timestamp: Milliseconds

    def __post_init__(self) -> None:
        refuse_blank(self.user_id, self.parent_asin)


class Details(Struct):
    """What is read of a product's details."""

    brand: Any = field(default=None, name="Brand")


class Metadata(Struct):
    """A line of a metadata file."""

    parent_asin: Key
    title: str | None = None
    description: Texts = None
    features: Texts = None
    store: str | None = None
    categories: Texts = None
    price: str | int | float | None = None
    main_category: str | None = None
    details: Details | str | None = None


def _convert_reviews(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    parents = asins_of(record.parent_asin for record in records)
    reviews = review_table(
        batch,
        [record.user_id for record in records],
        parents,
        _seconds([record.timestamp for record in records]),
        rating=[record.rating for record in records],
        title=texts_of([record.title for record in records]),
        text=texts_of([record.text for record in records]),
        helpful=[_votes(record.helpful_vote) for record in records],
        verified=[record.verified_purchase for record in records],
    )
    return {"review": reviews, "product": _variants(batch, parents)}


def _variants(batch: Batch, parents: pa.Array) -> pa.Table:
    """Return the variants that a batch names, each once a file, with their parents."""
    variants = asins_of(record.asin for record in batch.records)
    rows_of = {"file": pa.array(batch.numbers), "row": pa.array(range(len(variants)), pa.int64())}
    named = pa.table({"product_id": variants, "parent_id": parents, **rows_of})
    told = named.filter(pc.and_(pc.not_equal(variants, parents), pc.not_equal(variants, "")))
    found = told.group_by(["product_id", "parent_id", "file"], use_threads=False)
    firsts = found.aggregate([("row", "min")]).sort_by("row_min").combine_chunks()
    rows = firsts["row_min"].to_pylist()
    columns = {
        **{name: keys_of(firsts[name].combine_chunks()) for name in ("product_id", "parent_id")},
        **domain(batch, rows),
        **batch.origin_of(rows),
    }
    return arrow_table("product", columns)


def _convert_ratings(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    reviews = review_table(
        batch,
        [record.user_id for record in records],
        asins_of(record.parent_asin for record in records),
        _seconds([record.timestamp for record in records]),
        rating=[record.rating for record in records],
    )
    return {"review": reviews}


def _convert_metadata(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.parent_asin) for record in records],
        "title": [title_or_none(record.title) for record in records],
        "description": ["\n".join(listed(record.description)) or None for record in records],
        "features": [listed(record.features) or None for record in records],
        "brand": [_brand(record) for record in records],
        "categories": [listed(record.categories) or None for record in records],
        "price": [price_or_none(record.price) for record in records],
        "main_category": [text_or_none(record.main_category) for record in records],
        **domain(batch),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def _seconds(milliseconds: list[int]) -> pa.Array:
    return pc.divide(pa.array(milliseconds, pa.int64()), 1000)


def _votes(votes: int | None) -> int | None:
    return votes if votes is None or 0 <= votes < 2**31 else None


def _brand(record: Metadata) -> str | None:
    brand = record.details.brand if isinstance(record.details, Details) else None
    return text_or_none(brand if isinstance(brand, str) and brand.strip() else record.store)


SOURCE = Source(
    name=NAME,
    title="Amazon Reviews 2023",
    summary="Reviews of amazon.com up to September 2023, by category, with product metadata and bare ratings.",
    homepage="https://amazon-reviews-2023.github.io/",
    licence="none stated; offered for research, citation asked for",
    redistributable=False,
    citation=(
        "Yupeng Hou, Jiacheng Li, Zhankui He, An Yan, Xiusi Chen, Julian McAuley. Bridging Language and Items for "
        "Retrieval and Recommendation. arXiv:2403.03952, 2024."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?meta_(?P<category>\w+)\.jsonl(?:\.gz)?",
            format="jsonl",
            record=Metadata,
            tables=("product",),
            convert=_convert_metadata,
            example="raw/meta_categories/meta_Gift_Cards.jsonl",
        ),
        FileKind(
            pattern=r"(?:.*/)?(?:review\d+\.json|(?P<category>\w+)\.jsonl(?:\.gz)?)",
            format="jsonl",
            record=Review,
            tables=("product", "review"),
            convert=_convert_reviews,
            example="raw/review_categories/Gift_Cards.jsonl",
        ),
        FileKind(
            pattern=r"(?:.*/)?(?P<category>\w+?)(?:\.(?:train|valid|test))?\.csv(?:\.gz)?",
            format="csv",
            record=Rating,
            tables=("review",),
            convert=_convert_ratings,
            example="benchmark/5core/rating_only/Gift_Cards.csv",
        ),
    ),
    remotes=(
        *remote_table(NAME, RAW, HUB),
        *remote_table(NAME, [f"{file}.gz" for file in RAW], MIRRORS, alternative=True),
        *remote_table(NAME, BENCHMARK, HUB, alternative=True),
        *remote_table(NAME, [f"{file}.gz" for file in RATINGS], MIRRORS, alternative=True),
    ),
)
