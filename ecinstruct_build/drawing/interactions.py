"""Who bought what and when, as integer arrays: the k-core, and each user's products in order of time.

Millions of interactions stay a few numpy arrays; ids are strings again only for the users that are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ecinstruct_build.example import Origin

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Histories:
    """The interactions of a k-core, grouped by user, oldest first.

    Attributes
    ----------
    users
        Ids of the users of the core, sorted by their bytes.
    products
        Ids of all products, in the core or not, sorted by their bytes.
    starts
        The user at position i has the interactions ``starts[i]`` to ``starts[i + 1]``.
    sequence
        Position in ``products`` of each interaction, in order of user, then time, then product id.
    later
        Whether the user's last interaction came later than all others; upstream's times are often whole days.
    """

    users: pa.Array
    products: pa.Array
    starts: NDArray[np.int64]
    sequence: Codes
    later: NDArray[np.bool_]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of interactions of each user."""
        return np.diff(self.starts)

    def products_of(self, user: int, most: int) -> Codes:
        """Return positions in ``products`` of the last ``most`` products of the user at a position, oldest first."""
        start, stop = self.starts[user], self.starts[user + 1]
        return self.sequence[max(start, stop - most) : stop].copy()


class Past:
    """All that some users ever reviewed, as far as it is in a pool of products.

    Parameters
    ----------
    reviews
        Columns ``user_id, product_id, timestamp, inside, source, file, line``, in order of file and line. ``inside``
        says whether a review belongs to the part of the corpus that the pool is of.
    users
        The users, who are then known by their position here.
    pool
        Ids of the products, who are then known by their position here.
    """

    def __init__(self, reviews: pa.Table, users: Sequence[str], pool: pa.Array) -> None:
        who = pc.index_in(reviews.column("user_id"), pa.array(users, pa.string()))
        what = pc.fill_null(pc.index_in(reviews.column("product_id"), pool), -1).to_numpy()
        pairs = who.to_numpy().astype(np.int64) * len(pool) + what
        self._reviews = reviews
        self._size = len(pool)
        self._known = np.unique(pairs[what >= 0])
        order = np.argsort(reviews.column("timestamp").to_numpy(), kind="stable")
        order = order[reviews.column("inside").to_numpy()[order] & (what[order] >= 0)]
        self._reviewed, firsts = np.unique(pairs[order], return_index=True)
        self._rows = order[firsts]

    def known(self, user: int) -> Codes:
        """Return the products that a user reviewed, inside or not."""
        start, stop = np.searchsorted(self._known, [user * self._size, (user + 1) * self._size])
        return (self._known[start:stop] - user * self._size).astype(np.int32)

    def reviews(self, user: int, products: Codes) -> list[Origin]:
        """Return the raw record of a user's first review inside, for each of some products."""
        rows = self._rows[np.searchsorted(self._reviewed, user * self._size + products.astype(np.int64))]
        found = self._reviews.select(["source", "file", "line"]).take(pa.array(rows)).to_pylist()
        return [Origin(**row) for row in found]


def histories(interactions: pa.Table, core: int) -> Histories:
    """Find the k-core of interactions and put each user's in order.

    Parameters
    ----------
    interactions
        Columns ``user_id``, ``product_id``, ``timestamp``: one row for each user and product, in any order.
    core
        Interactions that each user and each product has at least, within the core.
    """
    users, user_ids = _number(interactions.column("user_id"))
    products, product_ids = _number(interactions.column("product_id"))
    kept = k_core(users, products, core)
    users, products = users[kept], products[kept]
    timestamps = interactions.column("timestamp").to_numpy()[kept]
    order = np.lexsort((products, timestamps, users))
    users, user_ids = _renumber(users[order], user_ids)
    starts = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(user_ids)))]).astype(np.int64)
    times, last = timestamps[order], starts[1:] - 1
    later = (np.diff(starts) == 1) | (times[last] > times[last - 1])
    return Histories(user_ids, product_ids, starts, products[order], later)


def k_core(users: Codes, products: Codes, core: int) -> NDArray[np.int64]:
    """Return the positions of the largest set of interactions in which every user and product has ``core`` of them."""
    kept = np.arange(len(users), dtype=np.int64)
    while len(kept):
        enough = (np.bincount(users[kept]) >= core)[users[kept]] & (np.bincount(products[kept]) >= core)[products[kept]]
        if enough.all():
            break
        kept = kept[enough]
    return kept


def _number(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Give each distinct id its number in the order of their bytes, which no row order can change."""
    encoded: Any = pa.concat_arrays(column.cast(pa.string()).chunks or [pa.array([], pa.string())]).dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[encoded.indices.to_numpy()], encoded.dictionary.take(pa.array(order))


def _renumber(codes: Codes, ids: pa.Array) -> tuple[Codes, pa.Array]:
    """Drop the ids that no code uses any more."""
    used, renumbered = np.unique(codes, return_inverse=True)
    return renumbered.astype(np.int32), ids.take(pa.array(used))
