"""What folders in DeepMatcher's form share: two tables of listings, and pairs of their rows with a label.

``tableA.csv`` and ``tableB.csv`` have a column ``id`` and any others; ``train.csv``, ``valid.csv`` and ``test.csv``
have ``ltable_id, rtable_id, label``. Ids count the rows of one table of one data set, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.common_rows import match_rows
from ecinstruct_build.ingesting.fields import Key, price_or_none, text_or_none, title_or_none
from ecinstruct_build.source import Batch, FileKind, Inadmissible
from ecinstruct_build.tables import arrow_table

_TITLES = ("title", "name", "product_title", "product_name", "beer_name", "song_name")
_DESCRIPTIONS = ("description", "product_description")
_BRANDS = ("brand", "manufacturer")
_PRICES = ("price",)
_CATEGORIES = ("category",)


class LabelledPair(Struct, gc=False):
    """A row of the train, valid or test table."""

    ltable_id: Key
    rtable_id: Key
    label: Literal[0, 1]


class Listing(NamedTuple):
    """A row of tableA or tableB: its id, and its other cells that are not empty by column."""

    id: str
    cells: Mapping[str, str]


class Keys(NamedTuple):
    """Product keys of the rows of both tables: ``<left>:<id>`` and ``<right>:<id>``."""

    left: str
    right: str


def admit_listing(cells: Mapping[str, str]) -> Listing:
    """Take the id from the cells of a row.

    Raises
    ------
    Inadmissible
        If there is no id.
    """
    others = dict(cells)
    try:
        return Listing(msgspec.convert(others.pop("id"), Key), others)
    except KeyError as error:
        raise Inadmissible("the row has no id") from error
    except msgspec.ValidationError as error:
        raise Inadmissible("the id is blank or holds blanks") from error


def described(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return what a listing's cells say as columns of the table ``product``.

    Columns are told by their names, whatever their case. The title stands in ``title``, ``name``, ``product_title``,
    ``product_name``, ``beer_name`` or ``song_name``; the description in ``description`` or ``product_description``; the
    brand in ``brand`` or ``manufacturer``; the price and the category in ``price`` and ``category``. Of several, the
    first that is not blank counts. All else becomes features, as ``column: value``, in the order of the columns.
    """
    left = {column: text for column, text in cells.items() if text_or_none(text)}
    category = _take(left, _CATEGORIES)
    return {
        "title": title_or_none(_take(left, _TITLES)),
        "description": _take(left, _DESCRIPTIONS),
        "brand": _take(left, _BRANDS),
        "price": price_or_none(_take(left, _PRICES)),
        "categories": [category] if category else None,
        "features": [f"{column}: {text}" for column, text in left.items()] or None,
    }


def _take(cells: dict[str, str], names: Sequence[str]) -> str | None:
    """Take out the first column of those names and return its text."""
    by_name = {column.lower(): column for column in reversed(cells)}
    for name in names:
        if (column := by_name.get(name)) is not None:
            return cells.pop(column)
    return None


def listing_table(batch: Batch, namespace: str) -> Mapping[str, pa.Table]:
    """Turn rows of tableA or tableB into products ``<namespace>:<id>``."""
    return product_table(batch, [f"{namespace}:{record.id}" for record in batch.records])


def product_table(batch: Batch, product_ids: Sequence[str]) -> Mapping[str, pa.Table]:
    """Turn records that are `Listing` into products of the given keys."""
    said = [described(record.cells) for record in batch.records]
    columns = {
        "product_id": product_ids,
        **{name: [row[name] for row in said] for name in (said[0] if said else ())},
        "locale": ["us"] * len(said),
        **batch.origin(),
    }
    return {"product": arrow_table("product", columns)}


def pair_table(batch: Batch, keys: Keys) -> Mapping[str, pa.Table]:
    """Turn rows of a train, valid or test table into matches and non-matches of the batch's source."""
    records = batch.records
    lefts = [f"{keys.left}:{record.ltable_id}" for record in records]
    rights = [f"{keys.right}:{record.rtable_id}" for record in records]
    return match_rows(batch, lefts, rights, [record.label == 1 for record in records])


def _left_listings(batch: Batch, keys: Callable[[Batch], Keys]) -> Mapping[str, pa.Table]:
    return listing_table(batch, keys(batch).left)


def _right_listings(batch: Batch, keys: Callable[[Batch], Keys]) -> Mapping[str, pa.Table]:
    return listing_table(batch, keys(batch).right)


def _pairs(batch: Batch, keys: Callable[[Batch], Keys]) -> Mapping[str, pa.Table]:
    return pair_table(batch, keys(batch))


def folder_kinds(folder: str, keys: Callable[[Batch], Keys], example: str) -> tuple[FileKind, FileKind, FileKind]:
    """Return the three kinds of file in a folder of DeepMatcher's form.

    Parameters
    ----------
    folder
        Pattern of the path up to the file's name, with its last ``/``; its named groups are the batch's.
    keys
        The product keys of a file's batches; a function of a module.
    example
        A folder, as the beginning of an upstream file name.
    """

    def listings(table: str, convert: Callable[..., Mapping[str, pa.Table]]) -> FileKind:
        return FileKind(
            pattern=rf"{folder}{table}\.csv",
            format="csv",
            record=dict[str, str],
            tables=("product",),
            convert=partial(convert, keys=keys),
            example=f"{example}{table}.csv",
            admit=admit_listing,
            needed=("id",),
        )

    pairs = FileKind(
        pattern=rf"{folder}(?:train|valid|test)\.csv",
        format="csv",
        record=LabelledPair,
        tables=("match",),
        convert=partial(_pairs, keys=keys),
        example=f"{example}train.csv",
    )
    return listings("tableA", _left_listings), listings("tableB", _right_listings), pairs
