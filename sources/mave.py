"""MAVE: attribute values of Amazon products, each with the span of text that shows it.

By Li Yang and colleagues (Google Research), WSDM 2022: 3 million annotations of 2.2 million products, as JSON lines of
labels: ``mave_positives`` (an attribute with its evidences) and ``mave_negatives`` (an attribute that the text does not
show: no evidences), whole (``..._labels.jsonl``) or by split and category (``splits/PRODUCT/<split>/<category>/``).
Licence of the labels: CC-BY-NC-4.0 (attribution, no commercial use).

Quirks, and what becomes of them:

- Labels carry no text. ``pid`` counts the product's cleaned paragraphs in the 2018 Amazon metadata (title,
  description, feature, price, brand): ``paragraphs`` is null then, and the task joins the text late. So the labels are
  of use only beside the 2018 metadata of the categories that are wanted.
- Records that do carry their paragraphs (as upstream's join script writes them) keep them.
- Ids are ASINs, described by the 2018 metadata. Other data sets use the same record form with ids of their own: those
  become ``mave:<id>``, described by their own paragraphs. Of paragraphs a product row is made in either case.
- An evidence at a negative place (a value that could not be found in the text) makes its record malformed.
- One record may hold several attributes: one row each. The small ``..._sample.jsonl`` files repeat the beginning of
  the label files, so they are not read.
"""

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.fields import Count, Key, Text, asin_key, category_name, text_or_none
from ecinstruct_build.source import Batch, FileKind, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "mave"
AMAZON_CATALOGUE = "amazon_reviews_2018"
UPSTREAM = "google-research-datasets/MAVE"

_ASIN = re.compile(r"B[0-9A-Z]{9}|[0-9]{9}[0-9X]")


class Paragraph(Struct, gc=False):
    """A piece of the product's text."""

    source: str
    text: str


class Evidence(Struct, gc=False):
    """A value and where it stands: paragraph, and [begin, end) in characters."""

    value: str
    pid: Count
    begin: Count
    end: Count


class Attribute(Struct, gc=False):
    """An attribute; without evidences the text does not show it."""

    key: Text
    evidences: list[Evidence]


class Label(Struct, gc=False):
    """A line of a label file."""

    id: Key
    attributes: list[Attribute]
    category: str | None = None
    paragraphs: list[Paragraph] | None = None


def _is_asin(record: Label) -> bool:
    return _ASIN.fullmatch(record.id) is not None


def _key(record: Label) -> str:
    return asin_key(record.id) if _is_asin(record) else f"mave:{record.id}"


def _convert(batch: Batch) -> Mapping[str, pa.Table]:
    return {"attribute": _attributes(batch), "product": _products(batch)}


def _attributes(batch: Batch) -> pa.Table:
    found = [(row, record, attribute) for row, record in enumerate(batch.records) for attribute in record.attributes]
    columns = {
        "product_id": [_key(record) for _, record, _ in found],
        "attribute": [attribute.key for _, _, attribute in found],
        "value": [attribute.evidences[0].value if attribute.evidences else None for _, _, attribute in found],
        "evidences": [
            [
                {"value": evidence.value, "pid": evidence.pid, "begin": evidence.begin, "end": evidence.end}
                for evidence in attribute.evidences
            ]
            for _, _, attribute in found
        ],
        "paragraphs": [
            [{"source": paragraph.source, "text": paragraph.text} for paragraph in record.paragraphs]
            if record.paragraphs
            else None
            for _, record, _ in found
        ],
        "category": [category_name(record.category) for _, record, _ in found],
        "catalogue": [AMAZON_CATALOGUE if _is_asin(record) else NAME for _, record, _ in found],
        "locale": ["us"] * len(found),
        **batch.origin_of([row for row, _, _ in found]),
    }
    return arrow_table("attribute", columns)


def _products(batch: Batch) -> pa.Table:
    """Say what the paragraphs say of their product, whoever else describes it: families go by every title shown."""
    found = [(row, record) for row, record in enumerate(batch.records) if record.paragraphs]
    columns = {
        "product_id": [_key(record) for _, record in found],
        "title": [_first(_texts(record, "title")) for _, record in found],
        "description": ["\n".join(_texts(record, "description")) or None for _, record in found],
        "features": [_texts(record, "feature") or None for _, record in found],
        "brand": [_first(_texts(record, "brand")) for _, record in found],
        "price": [_first(_texts(record, "price")) for _, record in found],
        "category": [category_name(record.category) for _, record in found],
        "locale": ["us"] * len(found),
        **batch.origin_of([row for row, _ in found]),
    }
    return arrow_table("product", columns)


def _texts(record: Label, source: str) -> list[str]:
    return [paragraph.text for paragraph in record.paragraphs or () if paragraph.source == source and paragraph.text]


def _first(texts: Sequence[str]) -> str | None:
    return text_or_none(texts[0]) if texts else None


def _labels(file: str, size: int, sha256: str) -> Remote:
    """Return a file of labels, which upstream keeps in Git LFS."""
    mirrors = (
        f"https://media.githubusercontent.com/media/{UPSTREAM}/main/labels/{file}",
        f"https://github.com/{UPSTREAM}/raw/main/labels/{file}",
    )
    return Remote(f"labels/{file}", mirrors, size, sha256)


SOURCE = Source(
    name=NAME,
    title="MAVE",
    summary="Attributes of Amazon products with their values' places in the text, and attributes that are absent.",
    homepage="https://github.com/google-research-datasets/MAVE",
    licence="CC-BY-NC-4.0",
    redistributable=True,
    citation=("Li Yang et al. MAVE: A Product Dataset for Multi-source Attribute Value Extraction. WSDM 2022."),
    files=(
        FileKind(
            pattern=r"(?:.*/)?mave_(?:positives|negatives)(?:_labels)?\.jsonl(?:\.gz)?",
            format="jsonl",
            record=Label,
            tables=("attribute", "product"),
            convert=_convert,
            example="splits/PRODUCT/train/00_All/mave_positives.jsonl",
        ),
    ),
    remotes=(
        _labels(
            "mave_positives_labels.jsonl",
            744_855_753,
            "2338610c0d6cbbd7247786d942a3e13c0938b903f3cc75ffa77cd98d0d4b2187",
        ),
        _labels(
            "mave_negatives_labels.jsonl",
            154_939_405,
            "9b20f4448b6301a5fb4885d6d1436983258b22c4e6de6dab86a748e366fd1ed1",
        ),
    ),
)
