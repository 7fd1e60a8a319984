"""What people looked at in one visit, as integer arrays: the product to find, and what they looked at before it.

Where a product is looked at twice in a row it counts once. A product that stood in the visit before is nothing new to
find: the one to find is the last that is new, and what comes after it is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecinstruct_build.drawing.draw import first_product_rows, of_sources
from ecinstruct_build.drawing.interactions import Codes
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Origin
from ecinstruct_build.task import TaskSettings

PLACE = ("source", "locale", "catalogue")
"""Columns that tell one marketplace's visits from another's."""

Place = tuple[str, str, str]


@dataclass(frozen=True)
class Visits:
    """The visits to a marketplace, as far as its products have titles.

    Attributes
    ----------
    ids
        Ids of the visits, sorted by their bytes; a visit that stands in several records counts once.
    records
        Columns ``file`` and ``line``: the first raw record of each.
    source
        The corpus.
    sequence
        Position of each product in the marketplace's pool of titled products, visit by visit, in order.
    starts, ends
        The visit at position i looked at ``sequence[starts[i]:ends[i]]``.
    targets
        Position in ``sequence`` of the product to find in each; meaningless where it saw none.
    """

    ids: pa.Array
    records: pa.Table
    source: str
    sequence: Codes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    targets: NDArray[np.int64]

    @property
    def history_lengths(self) -> NDArray[np.int64]:
        """Number of products before the one to find, in each visit."""
        return np.where(self.ends > self.starts, self.targets - self.starts, -1)

    def products_of(self, visit: int, most: int) -> Codes:
        """Return the last ``most`` products before the one to find, in order, and then that one."""
        target = self.targets[visit]
        return self.sequence[max(self.starts[visit], target - most) : target + 1].copy()

    def visit(self, visit: int) -> "Visit":
        """Return what is known of a visit."""
        (record,) = self.records.slice(visit, 1).to_pylist()
        origin = Origin(self.source, record["file"], record["line"])
        return Visit(np.unique(self.sequence[self.starts[visit] : self.ends[visit]]), origin)


@dataclass(frozen=True)
class Visit:
    """What is known of one visit: all its products, ascending, and its raw record."""

    products: Codes
    origin: Origin


class Visited:
    """Drawn visits, asked as `ecinstruct_build.drawing.interactions.Past` is."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        self._visits = visits

    def known(self, visit: int) -> Codes:
        """Return all products of a visit."""
        return self._visits[visit].products

    def reviews(self, visit: int, products: Codes) -> list[Origin]:
        """Return the visit's raw record for each of some products."""
        return [self._visits[visit].origin] * len(products)


def places(tables: Tables, settings: TaskSettings) -> list[Place]:
    """Return source, locale and catalogue of every marketplace whose visits the settings want, sorted."""
    found = of_sources(tables["session"], settings).select(*PLACE).distinct()
    return [(row["source"], row["locale"], row["catalogue"]) for row in tables.fetch(found, by=PLACE).to_pylist()]


def fetch_pool(tables: Tables, catalogue: str, locale: str) -> pa.Array:
    """Return the ids of the products of a marketplace that have a title, sorted by their bytes."""
    rows = first_product_rows(tables)
    titled = rows.filter(rows.titled, rows.catalogue == catalogue, rows.locale == locale).select("product_id")
    return _array(tables.fetch(titled, by=["product_id"]).column("product_id"), pa.string())


def fetch_visits(tables: Tables, place: Place, pool: pa.Array, least: int) -> Visits:
    """Fetch the visits to a marketplace that name more than ``least`` products."""
    session, (source, locale, catalogue) = tables["session"], place
    rows = session.filter(
        session.source == source,
        session.locale == locale,
        session.catalogue == catalogue,
        session.product_ids.length() > least,
    ).select("session_id", "product_ids", "file", "line")
    return visits(source, tables.fetch(rows, by=["session_id", "file", "line"]), pool)


def visits(source: str, sessions: pa.Table, pool: pa.Array) -> Visits:
    """Find in each visit the product to find.

    Parameters
    ----------
    source
        The corpus.
    sessions
        Columns ``session_id``, ``product_ids``, ``file`` and ``line``, in order of the first, third and fourth.
    pool
        Ids of the products that count; others are left out.
    """
    ids = _array(sessions.column("session_id"), pa.string())
    first = np.ones(len(ids), dtype=np.bool_)
    first[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    sessions = sessions.filter(pa.array(first))
    lists = _array(sessions.column("product_ids"), pa.list_(pa.string()))
    codes = pc.fill_null(pc.index_in(lists.flatten(), pool), -1).to_numpy(zero_copy_only=False).astype(np.int32)
    owner = np.repeat(np.arange(len(lists)), pc.fill_null(pc.list_value_length(lists), 0).to_numpy())
    titled = codes >= 0
    codes, owner = codes[titled], owner[titled]
    fresh = np.ones(len(codes), dtype=np.bool_)
    fresh[1:] = (codes[1:] != codes[:-1]) | (owner[1:] != owner[:-1])
    codes, owner = codes[fresh], owner[fresh]
    # The first time that each product stands in its visit; the last of these is the one to find.
    _, new = np.unique(owner.astype(np.int64) * max(1, len(pool)) + codes, return_index=True)
    new.sort()
    numbers = np.arange(len(lists))
    last = np.searchsorted(owner[new], numbers, side="right") - 1
    targets = new[last] if len(new) else np.zeros(len(lists), dtype=np.int64)
    return Visits(
        ids=_array(sessions.column("session_id"), pa.string()),
        records=sessions.select(["file", "line"]),
        source=source,
        sequence=codes,
        starts=np.searchsorted(owner, numbers, side="left"),
        ends=np.searchsorted(owner, numbers, side="right"),
        targets=targets,
    )


def _array(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    return pa.concat_arrays(column.cast(kind).chunks or [pa.array([], kind)])
