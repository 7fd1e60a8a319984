"""Products to choose from: the titled ones of a pool, and keyed draws of wrong options among them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ecinstruct_build.chance import digest
from ecinstruct_build.drawing.draw import ProductKey, fetch_products
from ecinstruct_build.drawing.interactions import Codes
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Item, Option
from ecinstruct_build.text import clean, plain

Objects = NDArray[np.object_]


@dataclass(frozen=True)
class Shelf:
    """The products of a pool that were fetched, by position in the pool.

    Attributes
    ----------
    titles
        A number for each title, whatever its case; -1 where there is none.
    items, options
        The product as an item of a history and as an option; None where there is no title.
    """

    titles: Codes
    items: Objects
    options: Objects


@dataclass(frozen=True)
class Mix:
    """How many wrong options are wanted, and what from.

    Attributes
    ----------
    wanted
        How many are needed, stand-ins included.
    core_share
        The share of them that comes from the core; the others come from the whole pool.
    """

    wanted: int
    core_share: float


def fetch_shelf(tables: Tables, catalogue: str, locale: str, pool: pa.Array, positions: Codes) -> Shelf:
    """Fetch the products at some positions of a pool; titles empty after cleaning count as none."""
    ids = pool.take(pa.array(positions)).to_pylist()
    rows = fetch_products(tables, (ProductKey(catalogue, product_id, locale) for product_id in ids))
    shelf = Shelf(np.full(len(pool), -1, dtype=np.int32), *(np.empty(len(pool), dtype=object) for _ in range(2)))
    numbers: dict[str, int] = {}
    for position, product_id in zip(positions.tolist(), ids, strict=True):
        row = rows[ProductKey(catalogue, product_id, locale)]
        title = plain(row["title"])
        if words := clean(title):
            shelf.titles[position] = numbers.setdefault(words.casefold(), len(numbers))
            record = {name: row[name] for name in ("source", "file", "line")}
            shelf.items[position] = Item(product_id, title, **record)
            shelf.options[position] = Option(key=product_id, text=title, product_id=product_id, **record)
    return shelf


def candidates(size: int, core: Codes, known: Codes, mix: Mix, *, seed: int, purpose: str, identity: str) -> Codes:
    """Return positions in a pool that may be wrong options for someone, in keyed order.

    The cost depends on the options wanted and on what they know, not on the size of the pool. There are a few more
    than needed, since some may turn out to have no title, or one that is taken.

    Parameters
    ----------
    size, core
        Size of the pool, and positions of the products that right answers come from.
    known
        Positions that may not be drawn.
    mix
        How many are wanted of what.
    seed, purpose, identity
        The chance by which they are drawn.
    """
    count = mix.wanted + mix.wanted // 4 + len(known)
    anywhere = draw_positions(size, count, seed, purpose, identity)
    popular = core[draw_positions(len(core), count, seed, purpose, f"{identity}|core")]
    # Each is put where its share of the options before it is kept, so that the first n hold the shares too.
    places = [np.arange(1, len(popular) + 1) / max(mix.core_share, 1e-9)]
    places.append(np.arange(1, len(anywhere) + 1) / max(1 - mix.core_share, 1e-9))
    merged = np.concatenate([popular, anywhere])[np.argsort(np.concatenate(places), kind="stable")]
    _, firsts = np.unique(merged, return_index=True)
    positions = merged[np.sort(firsts)]
    return positions[~np.isin(positions, known)]


def draw_positions(size: int, count: int, seed: int, purpose: str, identity: str) -> Codes:
    """Return about ``count`` or more distinct positions below ``size`` in keyed order; all of a small ``size``."""
    # A generator of its own, keyed by the digest: numpy promises that its raw stream never changes.
    stream = np.random.Philox(key=int(digest(seed, purpose, identity), 16))
    if size <= 4 * count:
        return np.argsort(stream.random_raw(size), kind="stable").astype(np.int32)
    high = stream.random_raw(count + count // 2) >> np.uint64(32)
    positions = ((high * np.uint64(size)) >> np.uint64(32)).astype(np.int32)
    _, firsts = np.unique(positions, return_index=True)
    return positions[np.sort(firsts)]


def wrong_options(wrong: Codes, shown: Codes, shelf: Shelf) -> Codes:
    """Keep the candidates that have a title, no two the same, and none that of a product shown already.

    Such an option could be told from the others without any knowledge of shopping.
    """
    fresh = wrong[(shelf.titles[wrong] >= 0) & ~np.isin(shelf.titles[wrong], shelf.titles[shown])]
    _, firsts = np.unique(shelf.titles[fresh], return_index=True)
    return fresh[np.sort(firsts)]
