"""OA-Mine: titles of Amazon products whose every attribute value was marked by people.

By Xinyang Zhang and colleagues (University of Illinois, Amazon), WWW 2022: products of 100 categories, collected in
2021, those of 10 categories annotated by five crowd workers and settled by an expert. One archive, ``amazon.zip``, with
JSON lines by category: ``raw/`` (product texts) and ``annotations/`` (the marked titles); its other folders hold
segmented titles and lists of values, which feed nothing. Licence: Apache-2.0.

No program can fetch the archive: its address, on Dropbox, stands in ``data/README.md`` of the homepage. Unpack its
folders ``annotations`` and ``raw`` into the corpus's folder. What is fetched is the form that others hand on.

Quirks, and what becomes of them:

- An annotation is a title with entities: label (the attribute), value, ``startOffset`` and ``endOffset`` in the title.
  Several entities of one label are one attribute with several evidences. Where a value does not stand at its
  offsets it is sought in the title; one that is not there even so has no evidence.
- Nothing is said of absent attributes: all labels are positive.
- Ids are ASINs. Texts are later than those of other Amazon corpora, so the products are described by this corpus.
- A product's title stands in both folders; the annotation comes first in order of file.
- Other works hand the annotations on as JSON lines (``train.jsonl``, ``test.jsonl``) without ASINs and offsets, with
  one value an attribute; see `ecinstruct_build.ingesting.target_scores`. There the title makes the key,
  ``oa_mine:<digest>``. Use one form or the other. Smaller samples (``train_0.2.jsonl``) are not read.
"""

from collections.abc import Mapping

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.fields import Count, Key, Text, Texts, asin_key, listed, title_or_none
from ecinstruct_build.ingesting.target_scores import Label, Title, label_tables, locate, scored_kind
from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table, repeated

NAME = "oa_mine"
HANDED_ON = (
    "https://raw.githubusercontent.com/wbsg-uni-mannheim/ExtractGPT/922fdaebccb985f91b96ae3495969fdd57af0b29/"
    "data/processed_datasets/oa-mine/"
)


class Entity(Struct, gc=False):
    """A marked piece of a title."""

    label: Text
    value: Text
    startOffset: Count  # noqa: N815 - upstream's names
    endOffset: Count  # noqa: N815


class Annotation(Struct, gc=False):
    """A line of an annotation file."""

    asin: Key
    title: Text
    entities: list[Entity]


class Product(Struct, gc=False):
    """A line of a file of product texts."""

    asin: Key
    title: str | None = None
    bullet_point: Texts = None
    description: Texts = None


def _convert_annotations(batch: Batch) -> Mapping[str, pa.Table]:
    categories = batch.named("category").to_pylist()
    titles = [
        Title(row, asin_key(record.asin), record.title, category)
        for row, (record, category) in enumerate(zip(batch.records, categories, strict=True))
    ]
    labels = [label for title in titles for label in _labels(title, batch.records[title.row].entities)]
    return label_tables(NAME, titles, labels, batch)


def _labels(title: Title, entities: list[Entity]) -> list[Label]:
    """Return one label for each attribute."""
    by_attribute: dict[str, list[Entity]] = {}
    for entity in entities:
        by_attribute.setdefault(entity.label, []).append(entity)
    return [
        Label(
            title,
            attribute,
            same[0].value,
            tuple(sorted({place for entity in same for place in _places(title.text, entity)})),
        )
        for attribute, same in by_attribute.items()
    ]


def _places(title: str, entity: Entity) -> tuple[tuple[int, int], ...]:
    if title[entity.startOffset : entity.endOffset] == entity.value:
        return ((entity.startOffset, entity.endOffset),)
    return locate(title, entity.value)


def _convert_products(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [asin_key(record.asin) for record in records],
        "title": [title_or_none(record.title) for record in records],
        "description": ["\n".join(listed(record.description)) or None for record in records],
        "features": [listed(record.bullet_point) or None for record in records],
        "category": batch.named("category"),
        "locale": repeated("us", len(records)),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


SOURCE = Source(
    name=NAME,
    title="OA-Mine",
    summary="Titles of Amazon products of ten categories with every attribute value marked by people.",
    homepage="https://github.com/xinyangz/OAMine",
    licence="Apache-2.0",
    redistributable=True,
    citation=(
        "Xinyang Zhang, Chenwei Zhang, Xian Li, Xin Luna Dong, Jingbo Shang, Christos Faloutsos, Jiawei Han. OA-Mine: "
        "Open-World Attribute Mining for E-Commerce Products with Weak Supervision. WWW 2022."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?annotations/(?P<category>[\w-]+)\.jsonl?(?:\.gz)?",
            format="jsonl",
            record=Annotation,
            tables=("attribute", "product"),
            convert=_convert_annotations,
            example="annotations/coffee.jsonl",
        ),
        FileKind(
            pattern=r"(?:.*/)?raw/(?P<category>[\w-]+)\.jsonl?(?:\.gz)?",
            format="jsonl",
            record=Product,
            tables=("product",),
            convert=_convert_products,
            example="raw/coffee.jsonl",
        ),
        scored_kind(NAME),
    ),
    remotes=remote_table(NAME, ["train.jsonl", "test.jsonl"], [HANDED_ON]),
)
