"""Attribute value extraction: find the values of named attributes in a product's text, and where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from ecinstruct_build import chance
from ecinstruct_build.answers import ATTRIBUTE_LIST
from ecinstruct_build.drawing.draw import ProductKey, fetch_products, of_sources, origin_of
from ecinstruct_build.drawing.paragraphs import Paragraph, product_paragraphs
from ecinstruct_build.drawing.pools import Stretch, in_pool, take_share
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Domain, Example, Origin
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Drawn, Request, Task, TaskSettings
from ecinstruct_build.text import clean, plain

NAME = "attribute_value_extraction"
ABSENT = "None"
"""What the answer says for the value and the source of an attribute that the text does not give."""

_PRODUCT = ["source", "product_id", "locale"]
_PRODUCT_TEXT = ("title", "description", "features", "price", "brand")


class AttributeValueExtractionSettings(TaskSettings):
    """Settings of attribute value extraction; the domain column is the attribute's name.

    Attributes
    ----------
    held_out_share
        Share of attributes that are out of domain besides those that ``ood`` names: those whose name falls there
        by a keyed hash, whatever the seed and the corpus.
    max_attributes
        Attributes asked for in one example, at most; how many is chance's, from one up.
    positive_share
        Share of examples whose leading attribute has a value, and chance for each further one; None leaves both
        to how the corpus is labelled.
    """

    domain_column: ClassVar[str] = "attribute"

    held_out_share: float = Field(default=0.0, ge=0.0, le=1.0)
    max_attributes: int = Field(default=3, ge=1)
    positive_share: float | None = Field(default=None, ge=0.0, le=1.0)


@dataclass(frozen=True)
class _Text:
    """The paragraphs that evidences count in, and the product row that they were made from, if any."""

    paragraphs: tuple[Paragraph, ...]
    origins: tuple[Origin, ...] = ()


def _rows(tables: Tables, settings: AttributeValueExtractionSettings) -> ir.Table:
    """Return the short columns of the labels: ``held`` (a held-out attribute) and ``present`` (it has a value)."""
    rows = of_sources(tables["attribute"], settings)
    held = in_pool(rows.attribute, "held-out attribute", Stretch(stop=settings.held_out_share))
    outside = settings.out_of_domain(rows.attribute)
    held = held if outside is None else held | outside
    rows = rows.select(*_PRODUCT, "attribute", held=held, present=rows.value.notnull())
    return rows.filter(rows.held | settings.in_domain(rows.attribute))


def _labels(rows: ir.Table) -> ir.Table:
    """Return one row for each product and attribute; both ``positive`` and ``negative`` is a contradiction."""
    return rows.group_by([*_PRODUCT, "attribute", "held"]).agg(
        positive=rows.present.any(), negative=(~rows.present).any()
    )


def _products(labels: ir.Table) -> ir.Table:
    """Return the labelled products with their ``domain``: whether it has a ``positive`` and a ``negative`` label in it.

    A product that is labelled for a held-out attribute belongs to the out-of-domain examples alone, and only with its
    held-out attributes; so no held-out attribute, nor a product that shows one, reaches an in-domain example.
    """
    clear = labels.positive != labels.negative
    products = labels.group_by(_PRODUCT).agg(
        ood=labels.held.any(),
        ind_positive=(clear & labels.positive & ~labels.held).any(),
        ind_negative=(clear & labels.negative & ~labels.held).any(),
        ood_positive=(clear & labels.positive & labels.held).any(),
        ood_negative=(clear & labels.negative & labels.held).any(),
        labels=labels.count(),
        contradicted=(~clear).sum(),
    )
    return products.select(
        *_PRODUCT,
        "labels",
        "contradicted",
        domain=ibis.ifelse(products.ood, "ood", "ind"),
        positive=ibis.ifelse(products.ood, products.ood_positive, products.ind_positive),
        negative=ibis.ifelse(products.ood, products.ood_negative, products.ind_negative),
    )


def _drawn(products: ir.Table, settings: AttributeValueExtractionSettings, request: Request) -> ir.Table:
    """Draw products, with ``lead``: whether the first attribute to ask for is to have a value."""
    products = products.filter(products.positive | products.negative)
    lead = products.positive
    if settings.positive_share is not None:
        identity = products.source + "|" + products.product_id + "|" + products.locale
        coin = chance.digest_column(request.seed, f"{NAME} lead", identity)
        lead = products.positive & (Stretch(stop=settings.positive_share).holds(coin) | ~products.negative)
    able = products.select(*_PRODUCT, "domain", lead=lead)
    return take_share(able, request, NAME, ["product_id", "locale"], flag="lead", share=settings.positive_share)


def _labels_of(tables: Tables, rows: ir.Table, drawn: pa.Table) -> list[list[dict[str, Any]]]:
    """Fetch the labels to choose from: for each drawn product, those of its domain that nothing contradicts."""
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    labels = _labels(rows.semi_join(tables.lend(drawn.select(_PRODUCT)), _PRODUCT))
    for label in tables.fetch(labels, by=[*_PRODUCT, "attribute"]).to_pylist():
        found.setdefault(_key(label), []).append(label)
    return [
        [
            label
            for label in found[_key(product)]
            if label["positive"] != label["negative"] and label["held"] == (product["domain"] == "ood")
        ]
        for product in drawn.to_pylist()
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in _PRODUCT)


def _choose(
    product: Mapping[str, Any],
    labels: Sequence[Mapping[str, Any]],
    settings: AttributeValueExtractionSettings,
    seed: int,
) -> list[str]:
    """Choose the attributes to ask for, in the order to ask for them."""
    identity = "|".join(_key(product))
    number = 1 + int(chance.uniform(seed, f"{NAME} number", identity) * settings.max_attributes)
    left = chance.shuffle(labels, seed, f"{NAME} attribute", identity, key=lambda label: str(label["attribute"]))
    chosen: list[str] = []
    while left and len(chosen) < number:
        position = 0
        if settings.positive_share is not None:
            slot = f"{identity}|{len(chosen)}"
            coin = chance.uniform(seed, f"{NAME} kind", slot) < settings.positive_share
            wanted = coin if chosen else product["lead"]
            position = next((n for n, label in enumerate(left) if label["positive"] == wanted), 0)
        chosen.append(left.pop(position)["attribute"])
    return chance.shuffle(chosen, seed, f"{NAME} order", identity)


def _rows_of(tables: Tables, drawn: pa.Table, targets: Sequence[Sequence[str]]) -> dict[tuple[str, ...], list[Any]]:
    """Fetch the label rows, text included, of every target, by product and attribute."""
    keys = [
        {**{name: product[name] for name in _PRODUCT}, "attribute": attribute}
        for product, attributes in zip(drawn.to_pylist(), targets, strict=True)
        for attribute in attributes
    ]
    key = [*_PRODUCT, "attribute"]
    wanted = tables.lend(pa.Table.from_pylist(keys, schema=pa.schema([(name, pa.string()) for name in key])))
    order = [*key, "file", "line", "value"]
    rows = tables["attribute"].semi_join(wanted, key).select(*order, "evidences", "paragraphs", "category", "catalogue")
    found: dict[tuple[str, ...], list[Any]] = {}
    for row in tables.fetch(rows, by=order).to_pylist():
        found.setdefault(tuple(row[name] for name in key), []).append(row)
    return found


def _product_key(row: Mapping[str, Any]) -> ProductKey:
    return ProductKey(row["catalogue"], row["product_id"], row["locale"])


def _text_of(row: Mapping[str, Any], products: Mapping[ProductKey, Mapping[str, Any]]) -> _Text:
    """Return the text that a label row counts in: its own paragraphs, or else the product's."""
    if row["paragraphs"] is not None:
        return _Text(tuple(Paragraph(each["source"] or "", each["text"] or "") for each in row["paragraphs"]))
    product = products.get(_product_key(row))
    if product is None:
        return _Text(())
    return _Text(product_paragraphs(*(product[name] for name in _PRODUCT_TEXT)), (origin_of(product),))


def _values(rows: Sequence[Mapping[str, Any]], paragraphs: Sequence[Paragraph]) -> list[tuple[str, str]]:
    """Return the distinct (value, source) that really stand where the evidences say, in reading order.

    They stand there both as upstream writes them and cleaned; two that are the same when cleaned are one.
    """
    evidences = [evidence for row in rows for evidence in row["evidences"] or () if None not in evidence.values()]
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for evidence in sorted(evidences, key=lambda each: (each["pid"], each["begin"], each["end"], each["value"])):
        if not 0 <= evidence["pid"] < len(paragraphs) or evidence["begin"] < 0:
            continue
        paragraph = paragraphs[evidence["pid"]]
        value, text = plain(evidence["value"]), plain(paragraph.text)
        words = clean(value)
        stands = paragraph.text[evidence["begin"] : evidence["end"]] == evidence["value"] and value in text
        if stands and words and words in clean(text):
            found.setdefault((words, paragraph.source), (value, paragraph.source))
    return list(found.values())


def _example(
    product: Mapping[str, Any],
    labels: Sequence[tuple[str, Sequence[Any]]],
    products: Mapping[ProductKey, Mapping[str, Any]],
    lost: Counter[str],
) -> Example | None:
    """Make an example of a product's chosen attributes with their label rows; count what is left out in ``lost``."""
    text = _text_of(labels[0][1][0], products)
    shown = [{"source": each.source, "text": plain(each.text)} for each in text.paragraphs]
    shown = [paragraph for paragraph in shown if clean(paragraph["text"])]
    if not shown:
        lost["products without text"] += 1
        return None
    answer: list[dict[str, str]] = []
    asked: list[str] = []
    origins: dict[Origin, None] = dict.fromkeys(text.origins)
    for attribute, label_rows in labels:
        rows = [row for row in label_rows if _text_of(row, products).paragraphs == text.paragraphs]
        found = _values(rows, text.paragraphs)
        if not rows:
            lost["labels on another text of the product"] += 1
            continue
        if any(row["value"] is not None for row in rows) and not found:
            lost["labels whose value does not stand in its paragraph"] += 1
            continue
        asked.append(attribute)
        origins.update(dict.fromkeys(origin_of(row) for row in rows))
        values = found or [(ABSENT, ABSENT)]
        answer += [{"attribute": attribute, "value": value, "source": source} for value, source in values]
    if not asked:
        lost["products without a label that holds"] += 1
        return None
    domain: Domain = product["domain"]
    return Example(
        task=NAME,
        source=product["source"],
        identity="|".join([product["product_id"], product["locale"], *sorted(asked)]),
        domain=domain,
        locale=product["locale"],
        products=(product["product_id"],),
        fields={"paragraphs": shown, "attributes": asked},
        answer=answer,
        category=labels[0][1][0]["category"] or "",
        groups=tuple(f"attribute:{name}" for name in sorted(asked)),
        origins=tuple(origins),
    )


def _examples(
    tables: Tables, drawn: pa.Table, targets: Sequence[Sequence[str]], lost: Counter[str]
) -> Iterator[Example]:
    rows = _rows_of(tables, drawn, targets)
    own = (_product_key(row) for group in rows.values() for row in group if row["paragraphs"] is None)
    products = fetch_products(tables, own, _PRODUCT_TEXT)
    for product, attributes in zip(drawn.to_pylist(), targets, strict=True):
        labels = [(name, rows[*_key(product), name]) for name in attributes]
        example = _example(product, labels, products, lost)
        if example is not None:
            yield example


def _counts(tables: Tables, products: ir.Table) -> dict[str, int]:
    counted = products.group_by("domain").agg(
        labels=products.labels.sum(),
        contradicted=products.contradicted.sum(),
        products=(products.positive | products.negative).sum(),
    )
    names = {
        "labels": "attribute labels of products",
        "contradicted": "attribute labels that another contradicts",
        "products": "products with a label to ask for",
    }
    rows = tables.fetch(counted, by=["domain"]).to_pylist()
    return {f"{words} ({row['domain']})": int(row[name]) for name, words in names.items() for row in rows}


def draw(tables: Tables, settings: AttributeValueExtractionSettings, request: Request) -> Drawn:
    """Draw products, choose attributes of each, then fetch and verify their text."""
    rows = _rows(tables, settings)
    products = _products(_labels(rows))
    drawn = tables.fetch(_drawn(products, settings, request), by=_PRODUCT)
    targets = [
        _choose(product, labels, settings, request.seed)
        for product, labels in zip(drawn.to_pylist(), _labels_of(tables, rows, drawn), strict=True)
    ]
    lost: Counter[str] = Counter()
    examples = list(_examples(tables, drawn, targets, lost))
    funnel = {
        **_counts(tables, products),
        "products drawn": drawn.num_rows,
        **dict(sorted(lost.items())),
        "examples": len(examples),
    }
    return Drawn(examples, funnel)


TASK = Task(
    name=NAME,
    published_name="Attribute_Value_Extraction",
    summary="Find the values of named attributes in a product's text, and the part of the text that gives each.",
    reads=("attribute", "product"),
    primary="attribute",
    settings=AttributeValueExtractionSettings,
    answer=ATTRIBUTE_LIST,
    draw=draw,
    fields={
        "paragraphs": "the product's text: a list of objects with `source` (title, description ...) and `text`",
        "attributes": "the names of the attributes asked for, in the order in which the answer gives them",
    },
)
