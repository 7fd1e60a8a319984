"""Abt-Buy: electronics listings of two shops and the pairs that are the same product.

A benchmark of entity resolution by Hanna Köpcke, Andreas Thor and Erhard Rahm (Leipzig University): 1,081 listings of
abt.com, 1,092 of buy.com, and 1,097 matching pairs. Licence: CC-BY-4.0. The download is a zip of three CSV files; they
are read unpacked. DeepMatcher's authors (SIGMOD 2018) made 9,575 labelled pairs of it, 1,028 of them matches: tableA,
tableB, train, valid and test, read from a folder ``deepmatcher``.

Quirks, and what becomes of them:

- Abt.csv is in Windows' encoding, and copies of it are in UTF-8: a cell that is well-formed UTF-8 is read as that.
- Only Buy has a manufacturer. More than half of Abt's prices are missing: null. Others stay as they are: ``$1,399.00``.
- The mapping names matches only, and all of them.
- DeepMatcher's tables are the same listings in small letters without punctuation. Their ids count rows and are not the
  shops', so they are products of their own: ``abt_buy_a:<id>`` and ``abt_buy_b:<id>``. Its train, valid and test
  splits are not kept; its non-matches are.
- ``pyjedai_gt.csv`` (pyJedAI's ground truth, ``D1|D2``) pairs the rows of two tables of 1,076 listings of pyJedAI's
  own, which are not these: its rows are read and counted, and fill no table.
"""

from collections.abc import Mapping

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.common_rows import match_rows, no_rows
from ecinstruct_build.ingesting.deepmatcher import Keys, folder_kinds
from ecinstruct_build.ingesting.fields import Count, Key, price_or_none, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "abt_buy"
_BYTES = "latin-1"  # every byte is a character of it, so that none is lost before its encoding is known
_DEEPMATCHER = (
    "https://pages.cs.wisc.edu/~anhai/data1/deepmatcher_data/Textual/Abt-Buy/exp_data/",
    "hf://datasets/matchbench/Abt-Buy/",
)


class Listing(Struct, gc=False):
    """A row of Abt.csv or Buy.csv; only Buy has a manufacturer."""

    id: Key
    name: str | None = None
    description: str | None = None
    manufacturer: str | None = None
    price: str | None = None


class Pair(Struct, gc=False):
    """A row of the mapping."""

    idAbt: Key  # noqa: N815 - upstream's names
    idBuy: Key  # noqa: N815


class RowPair(Struct, gc=False):
    """A row of pyJedAI's ground truth: places in pyJedAI's own tables."""

    D1: Count
    D2: Count


def _decoded(text: str | None) -> str | None:
    """Decode a cell whose bytes stand as characters."""
    if text is None or text.isascii():
        return text
    data = text.encode(_BYTES)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _listings(batch: Batch, namespace: str) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "product_id": [f"{namespace}:{record.id}" for record in records],
        "title": [title_or_none(_decoded(record.name)) for record in records],
        "description": [text_or_none(_decoded(record.description)) for record in records],
        "brand": [text_or_none(_decoded(record.manufacturer)) for record in records],
        "price": [price_or_none(record.price) for record in records],
        "locale": ["us"] * len(records),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def _convert_abt(batch: Batch) -> Mapping[str, pa.Table]:
    return _listings(batch, "abt")


def _convert_buy(batch: Batch) -> Mapping[str, pa.Table]:
    return _listings(batch, "buy")


def _convert_pairs(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    lefts, rights = [f"abt:{record.idAbt}" for record in records], [f"buy:{record.idBuy}" for record in records]
    return match_rows(batch, lefts, rights, [True] * len(records))


def _deepmatcher_keys(batch: Batch) -> Keys:  # noqa: ARG001 - the same for all files
    return Keys("abt_buy_a", "abt_buy_b")


SOURCE = Source(
    name=NAME,
    title="Abt-Buy",
    summary="Electronics listings of abt.com and buy.com, with the pairs that match and pairs that do not.",
    homepage="https://dbs.uni-leipzig.de/research/projects/benchmark-datasets-for-entity-resolution",
    licence="CC-BY-4.0",
    redistributable=True,
    citation=(
        "Hanna Köpcke, Andreas Thor, Erhard Rahm. Evaluation of entity resolution approaches on real-world match "
        "problems. PVLDB 3(1), 2010. Labelled pairs: Sidharth Mudgal et al. Deep Learning for Entity Matching: A "
        "Design Space Exploration. SIGMOD 2018."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?Abt\.csv",
            format="csv",
            record=Listing,
            tables=("product",),
            convert=_convert_abt,
            example="Abt.csv",
            encoding=_BYTES,
            needed=("id", "name"),
        ),
        FileKind(
            pattern=r"(?:.*/)?Buy\.csv",
            format="csv",
            record=Listing,
            tables=("product",),
            convert=_convert_buy,
            example="Buy.csv",
            encoding=_BYTES,
            needed=("id", "name"),
        ),
        FileKind(
            pattern=r"(?:.*/)?abt_buy_perfectMapping\.csv",
            format="csv",
            record=Pair,
            tables=("match",),
            convert=_convert_pairs,
            example="abt_buy_perfectMapping.csv",
            encoding=_BYTES,
        ),
        *folder_kinds(r"(?:.*/)?", _deepmatcher_keys, "deepmatcher/"),
        FileKind(
            pattern=r"(?:.*/)?pyjedai_gt\.csv",
            format="csv",
            record=RowPair,
            tables=(),
            convert=no_rows,
            example="pyjedai_gt.csv",
            delimiter="|",
        ),
    ),
    remotes=(
        Remote(
            file="Abt-Buy.zip",
            urls=("https://dbs.uni-leipzig.de/files/datasets/Abt-Buy.zip",),
            sha256="b9ff2937d97371b7a00b0a97033213bfbdee24e8f1a0718a41ea8364472a8ff8",
            holds=tuple((name, name) for name in ("Abt.csv", "Buy.csv", "abt_buy_perfectMapping.csv")),
        ),
        *(
            Remote(file=f"deepmatcher/{name}.csv", urls=tuple(f"{mirror}{name}.csv" for mirror in _DEEPMATCHER))
            for name in ("tableA", "tableB", "train", "valid", "test")
        ),
    ),
)
