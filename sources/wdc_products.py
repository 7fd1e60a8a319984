"""WDC Products: offers of thousands of web shops, and pairs of them labelled as match or not.

By Ralph Peeters, Reng Chiz Der, Anna Primpeli and Christian Bizer (Web Data Commons, University of Mannheim), from
schema.org annotations in the Common Crawl. Three forms are read, two crawls:

- *WDC Products* (crawl of 2020, EDBT 2024): 11,715 offers of 2,162 products in pairs, JSON lines, by the share of hard
  cases: ``wdcproducts80cc20rnd000un_train_small.json.gz`` and so on, from ``80pair.zip``, ``50pair.zip`` and
  ``20pair.zip``. Test files hold 4,500 pairs each.
- The *training and test sets of the corpus's version 2.0* (crawl of 2017): pairs of ``cameras``, ``computers``,
  ``shoes`` and ``watches``, JSON lines, as ``<category>/train_small.json.gz``.
- The titles of the latter as *Ditto*'s authors serialised them, ``COL title VAL ...``, tab, ``COL title VAL ...``, tab,
  label, in ``<category>/train.txt.small``; a folder may also be called ``ditto_<category>``.

No licence of the data is stated upstream; Ditto's repository is under Apache-2.0.

Quirks, and what becomes of them:

- Ditto's listings have no ids. Their key is a digest of the serialised listing, so that one listing is one product in
  however many pairs and files it stands: ``wdc_ditto:<digest>``. Offers of the other forms are ``wdc2020:<id>`` and
  ``wdc2017:<id>``; their parents are upstream's clusters, which share an identifier such as a GTIN.
- Titles of 2017 are literals with the language that the web page claims: ``"Desk lamp"@en "Desk lamp | Shop"@en``, the
  second being the page's title; Ditto's summary left out its repeated words, quotes among them. The first literal is
  the title, what remains of the second the description, both without tag. A title that is a tag only is null. Where a
  page had none, the literal is ``"Null"``: it is left out.
- The language claimed is often wrong (English text ``@nl``), and a quarter of the pairs claim two. There is no
  marketplace: all is kept as ``us``, and the check of language judges the text itself.
- The category is the folder's; offers of 2020 have none. A folder ``all`` is the other four together: no category.
- The price of 2020 gets its currency: ``12.99 EUR``.
- A few listings are paired with themselves, a few pairs stand twice, some of them the other way round: all are kept.
- The splits (train, validation, test), their sizes and ``is_hard_negative`` are not kept. Labels come from identifiers;
  only those of the test sets of 2017 were checked by hand. Upstream estimates some 4 % of those of 2020 to be wrong.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from xxhash import xxh3_128_hexdigest

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.common_rows import match_rows
from ecinstruct_build.ingesting.deepmatcher import described
from ecinstruct_build.ingesting.fields import Key
from ecinstruct_build.source import Batch, FileKind, Inadmissible, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "wdc_products"
_MANNHEIM = "https://data.dws.informatik.uni-mannheim.de/largescaleproductcorpus/data/wdc-products/"
_HUB = "hf://datasets/wdc/products-2017@33ef954da64c230d66d7ef1cf696b8460a420911/"
_DITTO = "https://raw.githubusercontent.com/megagonlabs/ditto/master/data/wdc/"
_CATEGORIES = ("cameras", "computers", "shoes", "watches")
_SIZES = ("small", "medium", "large", "xlarge")

_COLUMN = re.compile(r"(?:^|\s)COL (\S+) VAL(?=\s|$)")
_TAG = re.compile(r'"@[A-Za-z]+(?:-[A-Za-z0-9]+)*')
_LANGUAGE = r"(?:@[A-Za-z]+(?:-[A-Za-z0-9]+)*)?"
_NULL = re.compile(rf'(^|"{_LANGUAGE}[\s,]+)"Null"{_LANGUAGE}(?=[\s,]|$)')
_EDGE = re.compile(r'(?<=\s)"|"(?=[\s,]|$)')  # a quote at the edge of a literal
_INCHES = re.compile(r"(?:^|[^\w.-])\d{1,2}(?:[.,]\d{1,3})?$")


class Listing(NamedTuple):
    """An offer: its product key, and its columns of the table ``product`` but for those that all have."""

    key: str
    said: Mapping[str, Any]


class Pair(NamedTuple):
    """Two offers and whether they match."""

    left: Listing
    right: Listing
    is_match: bool


class OfferPair(Struct, gc=False):
    """A line of the JSON forms; only that of 2020 states currencies, only that of 2017 tables of specifications."""

    id_left: int | Key
    id_right: int | Key
    label: Literal[0, 1]
    cluster_id_left: int | Key | None = None
    cluster_id_right: int | Key | None = None
    title_left: str | None = None
    title_right: str | None = None
    description_left: str | None = None
    description_right: str | None = None
    brand_left: str | None = None
    brand_right: str | None = None
    price_left: str | float | None = None
    price_right: str | float | None = None
    priceCurrency_left: str | None = None  # noqa: N815 - upstream's names
    priceCurrency_right: str | None = None  # noqa: N815
    specTableContent_left: str | None = None  # noqa: N815
    specTableContent_right: str | None = None  # noqa: N815


_TEXTS = ("title", "description", "brand", "price", "priceCurrency", "specTableContent")


def _first_literal(text: str) -> tuple[str, str]:
    """Split what is serialised as ``"..."@en "..."@en`` into the first literal and the rest, both without tags.

    A literal that stands for none counts as none.
    """
    text, nulls = _NULL.subn(r"\1", text.strip())
    text = text.strip(" ,") if nulls else text
    if tag := _TAG.search(text):
        begin, end = tag.span()
    elif text.startswith('"'):
        begin, end = _edge(text), _edge(text) + 1
    else:
        return text, ""
    return text[:begin].removeprefix('"'), _TAG.sub('"', text[end:]).strip(' ",')


def _edge(text: str) -> int:
    """Return where the first literal of a text without tags ends; a quote after a small number stands for inches."""
    for quote in _EDGE.finditer(text, 1):
        if quote.end() == len(text) or not _INCHES.search(text[max(0, quote.start() - 8) : quote.start()]):
            return quote.start()
    return len(text)


def _offer(cells: Mapping[str, str], *, literals: bool) -> dict[str, Any]:
    """Return what an offer's cells say as columns of the table ``product``."""
    said, rest = dict(cells), ""
    if literals:
        said = {name: _first_literal(text)[0] for name, text in cells.items()}
        rest = _first_literal(cells.get("title", ""))[1]
    currency = said.pop("priceCurrency", "")
    if "price" in said and currency:
        said["price"] = f"{said['price']} {currency}"
    if not said.get("description", "").strip():
        said["description"] = rest
    return described(said)


def _admit_serialised(line: str) -> Pair:
    """Read a line of Ditto's form."""
    try:
        left, right, label = line.split("\t")
    except ValueError as error:
        raise Inadmissible("expected two listings and a label, with tabs between them") from error
    if label.strip() not in {"0", "1"}:
        raise Inadmissible("the label is neither 0 nor 1")
    return Pair(_serialised(left), _serialised(right), label.strip() == "1")


def _serialised(text: str) -> Listing:
    before, *parts = _COLUMN.split(text.strip())
    if before.strip() or not parts:
        raise Inadmissible("a listing does not begin with COL and VAL")
    cells: dict[str, str] = {}
    for column, value in zip(parts[::2], parts[1::2], strict=True):
        cells.setdefault(column, value.strip())
    return Listing(f"wdc_ditto:{xxh3_128_hexdigest(text.strip().encode())}", _offer(cells, literals=True))


def _admit_offers(record: OfferPair, crawl: str) -> Pair:
    """Take a line of the JSON forms apart."""

    def side(name: str) -> Listing:
        cells = {column: str(text) for column in _TEXTS if (text := getattr(record, f"{column}_{name}")) is not None}
        said = _offer(cells, literals=crawl == "2017")
        cluster = getattr(record, f"cluster_id_{name}")
        if cluster is not None:
            said["parent_id"] = f"wdc{crawl}_cluster:{cluster}"
        return Listing(f"wdc{crawl}:{getattr(record, f'id_{name}')}", said)

    return Pair(side("left"), side("right"), record.label == 1)


def _convert(batch: Batch) -> Mapping[str, pa.Table]:
    """Make a match row of each pair, and a product row of each listing where it first stands in the batch."""
    records: list[Pair] = list(batch.records)
    rows: dict[tuple[int, str], tuple[int, Mapping[str, Any]]] = {}
    for row, (number, record) in enumerate(zip(batch.numbers.tolist(), records, strict=True)):
        for listing in (record.left, record.right):
            rows.setdefault((number, listing.key), (row, listing.said))
    places = [row for row, _ in rows.values()]
    category = batch.named("category", places)
    columns = ("parent_id", "title", "description", "brand", "price", "features")
    products = {
        "product_id": [key for _, key in rows],
        **{column: [said.get(column) for _, said in rows.values()] for column in columns},
        "category": pc.if_else(pc.equal(category, "all"), None, category),
        "locale": ["us"] * len(rows),
        **batch.origin_of(places),
    }
    lefts, rights = [record.left.key for record in records], [record.right.key for record in records]
    matches = match_rows(batch, lefts, rights, [record.is_match for record in records])
    return {"product": arrow_table("product", products), **matches}


def _archive(cases: str, sha256: str | None = None) -> Remote:
    """Return the archive of the crawl of 2020 with a share of hard cases, such as ``80cc20rnd``."""
    members = [
        *(f"wdcproducts{cases}000un_{split}_{size}.json.gz" for split in ("train", "valid") for size in _SIZES[:3]),
        *(f"wdcproducts{cases}{unseen}un_gs.json.gz" for unseen in ("000", "050", "100")),
    ]
    name = f"{cases[:2]}pair.zip"
    return Remote(
        file=name,
        urls=(f"{_MANNHEIM}{name}",),
        sha256=sha256,
        holds=tuple((member, member) for member in members),
        alternative=sha256 is None,
    )


def _in_every_category(*names: str) -> tuple[str, ...]:
    return tuple(f"{category}/{name}" for category in _CATEGORIES for name in names)


_TABLES = ("match", "product")
_FOLDER = rf"(?:.*/)?(?:ditto_)?(?P<category>all|{'|'.join(_CATEGORIES)})/"

SOURCE = Source(
    name=NAME,
    title="WDC Products",
    summary="Offers of web shops, with pairs that match and pairs that do not.",
    homepage="https://webdatacommons.org/largescaleproductcorpus/wdc-products/",
    licence="none stated",
    redistributable=False,
    citation=(
        "Ralph Peeters, Reng Chiz Der, Christian Bizer. WDC Products: A Multi-Dimensional Entity Matching Benchmark. "
        "EDBT 2024. Anna Primpeli, Ralph Peeters, Christian Bizer. The WDC Training Dataset and Gold Standard for "
        "Large-Scale Product Matching. WWW 2019 Companion. Serialised: Yuliang Li et al. Deep Entity Matching with "
        "Pre-Trained Language Models. PVLDB 14(1), 2020."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?wdcproducts\d+cc\d+rnd\d+un_(?:(?:train|valid)_(?:small|medium|large)|gs)\.json(?:\.gz)?",
            format="jsonl",
            record=OfferPair,
            tables=_TABLES,
            convert=_convert,
            example="wdcproducts80cc20rnd000un_train_small.json.gz",
            admit=partial(_admit_offers, crawl="2020"),
        ),
        FileKind(
            pattern=rf"{_FOLDER}(?:(?:train|valid)_(?:small|medium|large|xlarge)|test)\.json(?:\.gz)?",
            format="jsonl",
            record=OfferPair,
            tables=_TABLES,
            convert=_convert,
            example="cameras/train_small.json.gz",
            admit=partial(_admit_offers, crawl="2017"),
        ),
        FileKind(
            pattern=rf"{_FOLDER}(?:(?:train|valid)\.txt\.(?:small|medium|large|xlarge)|test\.txt)(?:\.gz)?",
            format="lines",
            record=str,
            tables=_TABLES,
            convert=_convert,
            example="ditto_cameras/train.txt.small",
            admit=_admit_serialised,
        ),
    ),
    remotes=(
        _archive("80cc20rnd", "b2044939cee5ea6f12148a2f3551508de3cb77660dfc91767c44daaf9d8a9c4a"),
        _archive("50cc50rnd"),
        _archive("20cc80rnd"),
        *remote_table(
            NAME,
            _in_every_category(
                *(f"{split}_{size}.json.gz" for split in ("train", "valid") for size in _SIZES), "test.json.gz"
            ),
            (_HUB,),
            alternative=True,
        ),
        *remote_table(
            NAME,
            _in_every_category("train.txt.small", "valid.txt.small", "test.txt"),
            (_DITTO,),
            alternative=True,
        ),
    ),
)
