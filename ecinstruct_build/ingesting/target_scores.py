"""Attributes of product titles: values located in the title, and the JSON-lines form that several corpora were put in.

In that form a line is ``{"input": title, "category": ..., "target_scores": {attribute: {value: 1, ...}}}``, the value
``n/a`` standing for an attribute that the title does not show.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting import locating
from ecinstruct_build.ingesting.fields import Text, category_name, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind
from ecinstruct_build.tables import arrow_table, repeated

ABSENT = "n/a"
"""The value that says that an attribute is absent."""

_DIGITS = 16


class ScoredTitle(Struct, gc=False):
    """A line of the JSON-lines form."""

    input: Text
    target_scores: dict[Text, dict[str, float]]
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Title:
    """A product as its title has it.

    Attributes
    ----------
    row
        Position in the batch of the record that it is from.
    product_id, text, category
        Its key, the title as upstream writes it, and its category, if known.
    """

    row: int
    product_id: str
    text: str
    category: str | None


@dataclass(frozen=True, slots=True)
class Label:
    """An attribute of a title.

    Attributes
    ----------
    title, attribute
        Of what, and its name.
    value
        None = absent.
    places
        Where values stand in the title: [begin, end) in characters. None although there is a value: it does not stand
        in the title.
    """

    title: Title
    attribute: str
    value: str | None
    places: tuple[tuple[int, int], ...] = ()


def title_key(source: str, title: str) -> str:
    """Return the key of a product that has no id: by its title, white space aside."""
    words = " ".join(title.split()).encode("utf-8", "surrogatepass")
    return f"{source}:{hashlib.md5(words, usedforsecurity=False).hexdigest()[:_DIGITS]}"


def locate(title: str, value: str) -> tuple[tuple[int, int], ...]:
    """Return where ``value`` stands in ``title``, within longer words only if nowhere else."""
    return locating.locate(title, value, within_words=True)


def label_of(title: Title, attribute: str, values: Sequence[str]) -> Label:
    """Return the label that says that ``attribute`` has these values; none = absent."""
    places = sorted({place for value in values for place in locate(title.text, value)})
    return Label(title, attribute, values[0] if values else None, tuple(places))


def label_tables(source: str, titles: Sequence[Title], labels: Sequence[Label], batch: Batch) -> Mapping[str, pa.Table]:
    """Return the rows of ``attribute`` and ``product``; the titles are the products' only text.

    An evidence's value is what stands in the title. A value that does not stand there has a row without evidences.
    """
    columns = {
        "product_id": [label.title.product_id for label in labels],
        "attribute": [label.attribute for label in labels],
        "value": [_value(label) for label in labels],
        "evidences": [[_evidence(label.title.text, *place) for place in label.places] for label in labels],
        "paragraphs": [[{"source": "title", "text": label.title.text}] for label in labels],
        "category": [category_name(label.title.category) for label in labels],
        "catalogue": repeated(source, len(labels)),
        "locale": repeated("us", len(labels)),
        **batch.origin_of([label.title.row for label in labels]),
    }
    described = {
        "product_id": [title.product_id for title in titles],
        "title": [title_or_none(title.text) for title in titles],
        "category": [category_name(title.category) for title in titles],
        "locale": repeated("us", len(titles)),
        **batch.origin_of([title.row for title in titles]),
    }
    return {"attribute": arrow_table("attribute", columns), "product": arrow_table("product", described)}


def _value(label: Label) -> str | None:
    if not label.places:
        return label.value
    begin, end = label.places[0]
    return label.title.text[begin:end]


def _evidence(title: str, begin: int, end: int) -> dict[str, Any]:
    return {"value": title[begin:end], "pid": 0, "begin": begin, "end": end}


def convert_scored(source: str, batch: Batch) -> Mapping[str, pa.Table]:
    """Turn `ScoredTitle` records into rows; a product's key is its title.

    ``n/a`` beside another value counts for nothing, as does a value with a score of 0; an attribute of which nothing
    is left has no row.
    """
    titles = []
    labels = []
    for row, record in enumerate(batch.records):
        title = Title(row, title_key(source, record.input), record.input, text_or_none(record.category))
        titles.append(title)
        for attribute, scores in record.target_scores.items():
            said = [value for value, score in scores.items() if score > 0 and value.strip()]
            if said:
                labels.append(label_of(title, attribute, [value for value in said if value != ABSENT]))
    return label_tables(source, titles, labels, batch)


def scored_kind(source: str) -> FileKind:
    """Return the kind of file that holds `ScoredTitle` records of a source."""
    return FileKind(
        pattern=r"(?:.*/)?(?:train|test)\.jsonl(?:\.gz)?",
        format="jsonl",
        record=ScoredTitle,
        tables=("attribute", "product"),
        convert=partial(convert_scored, source),
        example="train.jsonl",
    )
