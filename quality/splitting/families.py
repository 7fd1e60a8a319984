"""Product families: what is one product for the split, by id and by text.

By text two products are one where, all of them,

- their brands agree: one begins with the other, legal forms left out, or one is unknown; a brand counts among the
  words of its title whether it stands there or not;
- the marks of their titles (see `quality.lexicon.title_words`) are the same: models, years, volumes, ratings;
- their colours, sizes and quantities are the same too, unless variants are one family;
- the plain words of the one are all among those of the other, and as large a share of them as is asked for. Two titles
  that have a word each of their own are two products, however long they are;
- what the longer title has more is no word that names another product, such as an edition or an accessory.

Titles that say little (fewer than four words or twenty letters, variants left out) must be equal, their brands known,
and placeholders and pieces of a page's code are no titles. A pair depends on its two products alone, so that further
products never split a family (save in a crowd of hundreds of titles with the same marks and the same rarest word).
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quality.lexicon.placeholders import CODE, PLACEHOLDERS
from quality.lexicon.title_words import name_words, read_title, vocabulary

_Name = tuple[str, ...]
_Pair = tuple[str, str]

PAIRS = pa.schema([("product_id", pa.string()), ("parent_id", pa.string())])
"""Products of one family, two by two."""

_TELLING_WORDS = 4
_TELLING_LETTERS = 20
_SHORT = 40  # characters that a placeholder may have
_CROWD = 256  # titles with equal numbers and one rarest word: no more of them are compared with a longer title
_ROUNDING = 1e-9
_MADE_BY = "by"  # "Steel Kettle by Halden" is a title with its brand, too
_LEGAL_FORMS = frozenset({"co", "company", "corp", "corporation", "gmbh", "inc", "limited", "llc", "ltd", "plc", "the"})


def families_of(pairs: pa.Table) -> pa.Table:
    """Join products to families.

    Parameters
    ----------
    pairs
        Columns ``product_id`` and ``parent_id``: two ids of one family; null and equal ones say nothing.

    Returns
    -------
    pa.Table
        Columns ``product_id`` and ``family_id``, ordered by product: every id that is in a family of two or more,
        and its family, named by its smallest id.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 (most commands can do without SciPy)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    telling = pc.and_(pc.is_valid(pairs["parent_id"]), pc.not_equal(pairs["product_id"], pairs["parent_id"]))
    joined = pairs.filter(telling).filter(pc.not_equal(pc.binary_length(pc.field("parent_id")), 0))
    ids = pc.unique(pa.chunked_array([*joined["product_id"].chunks, *joined["parent_id"].chunks], pa.string()))
    ids = ids.take(pc.sort_indices(ids))
    left, right = (pc.index_in(joined[name], ids).to_numpy() for name in ("product_id", "parent_id"))
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(ids), len(ids)))
    _, family = connected_components(graph, directed=False)
    _, first = np.unique(family, return_index=True)  # ids ascend: the first is the smallest
    return pa.table({"product_id": ids, "family_id": ids.take(pa.array(first[family]))})


def equal_titles(products: pa.Table) -> pa.Table:
    """Find products of one title, whatever its case, punctuation, markup and hidden characters, and whatever brand.

    Parameters
    ----------
    products
        Columns ``product_id`` and ``title``; a product may stand in several rows.

    Returns
    -------
    pa.Table
        `PAIRS`, ordered; ``parent_id`` is the smallest id of the title. Short titles and placeholders say nothing.
    """
    rows = products.select(["product_id", "title"]).filter(pc.is_valid(products["title"])).sort_by("product_id")
    first: dict[str, str] = {}
    pairs = []
    for product_id, title in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        words = " ".join(name_words(title))
        if len(words) >= _TELLING_LETTERS and words not in PLACEHOLDERS and not any(code in title for code in CODE):
            smallest = first.setdefault(words, product_id)
            if smallest != product_id:
                pairs.append((product_id, smallest))
    columns = list(zip(*sorted(set(pairs)), strict=True)) or [(), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=PAIRS)


def near_identical(products: pa.Table, *, similarity: float, variants: bool) -> pa.Table:
    """Find products whose titles are near-identical and whose brands agree.

    Parameters
    ----------
    products
        Columns ``product_id``, ``title`` and ``brand``; a product may stand in several rows.
    similarity
        Least Jaccard similarity of the words of two titles, brand included.
    variants
        Whether colours, sizes and quantities are left out of the comparison. If not, they must agree.

    Returns
    -------
    pa.Table
        `PAIRS`, ordered; ``parent_id`` is the smaller id. Of three products that are all alike, two pairs may
        be left to say so.
    """
    cores, pairs = _cores(products, variants=variants)
    for core in cores:
        if len(core.brands) > 1:
            pairs.extend(_agreeing(core, core))
    for left, right in _similar(cores, similarity):
        pairs.extend(_agreeing(cores[left], cores[right]))
    ordered = sorted({(max(pair), min(pair)) for pair in pairs if pair[0] != pair[1]})
    columns = list(zip(*ordered, strict=True)) or [(), ()]
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=PAIRS)


@dataclass(frozen=True, slots=True)
class _Core:
    """What equal titles have in common.

    Attributes
    ----------
    words
        Plain words, sorted, once each.
    marks
        What must agree exactly: marks, and the variants too where they count.
    telling
        Whether the words say enough to be compared; if not, only equal titles of a known brand are joined.
    brands
        The smallest product id of each brand, a tuple of words (empty: unknown).
    """

    words: tuple[str, ...]
    marks: tuple[str, ...]
    telling: bool
    brands: dict[_Name, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Words and marks."""
        return len(self.words) + len(self.marks)


def _cores(products: pa.Table, *, variants: bool) -> tuple[list[_Core], list[_Pair]]:
    """Read all titles; return those that differ, in order of their words, and pairs of products whose do not."""
    rows = products.select(["product_id", "title", "brand"]).filter(pc.is_valid(products["title"]))
    rows = rows.sort_by([("product_id", "ascending")])
    products_of: dict[tuple[str, str | None], list[str]] = {}
    for product_id, title, brand in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        products_of.setdefault((title, brand), []).append(product_id)
    pairs: list[_Pair] = []
    cores: dict[tuple[_Name, _Name, bool], _Core] = {}
    for (title, brand), product_ids in products_of.items():
        name = _brand_words(brand or "")
        for key in _readings(title, name, variants=variants):
            core = cores.get(key) or cores.setdefault(key, _Core(*key))
            first = core.brands.setdefault(name, product_ids[0])
            if len(product_ids) > 1 or first != product_ids[0]:
                pairs.extend([(first, product_id) for product_id in product_ids])
    return [cores[key] for key in sorted(cores)], pairs


def _readings(title: str, brand: _Name, *, variants: bool) -> Iterator[tuple[_Name, _Name, bool]]:
    """Yield words, marks and whether they are telling: once with the brand's words added, once without them."""
    if any(code in title for code in CODE) or (len(title) <= _SHORT and " ".join(name_words(title)) in PLACEHOLDERS):
        return
    read = read_title(title)
    named = set(brand)
    bare = named.symmetric_difference(named.union(read.words)) - {_MADE_BY}
    marks = tuple([mark for mark in read.marks if mark not in named]) if brand else read.marks
    whole = marks + tuple([f"{variant} " for variant in read.variants])  # the space: no mark is spelled like it
    for words in (named | bare, bare) if brand else (bare,):
        told = len(words) + len(marks)
        telling = told >= _TELLING_WORDS and sum(map(len, words)) + sum(map(len, marks)) >= _TELLING_LETTERS
        if telling:
            yield tuple(sorted(words)), marks if variants else whole, True
        elif words is not bare and len(bare) + len(whole) > 1:
            yield tuple(sorted(words)), whole, False


@lru_cache(maxsize=1 << 14)
def _brand_words(brand: str) -> _Name:
    """Return a brand's words without the legal form of the company."""
    return tuple(word for word in name_words(brand) if word not in _LEGAL_FORMS)


def _agreeing(one: _Core, other: _Core) -> Iterator[_Pair]:
    """Yield products of both whose brands agree: one begins with the other, or is unknown."""
    for left, right in ((one, other), (other, one)):
        for brand, product_id in left.brands.items():
            for words in range(len(brand) + 1):
                peer = right.brands.get(brand[:words])
                if peer is not None:
                    yield product_id, peer


def _similar(cores: Sequence[_Core], similarity: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of telling cores with equal marks where the one's words are most of the other's.

    Both may not have words of their own: those are what tells two products of one maker apart. So the smaller set's
    rarest word is among the rarest of the larger, as many as it may have more and one (a prefix filter).
    """
    sets = {
        place: frozenset(core.words)
        for place, core in enumerate(cores)
        if core.telling and core.words and _surplus(core.size + 1, similarity)  # else too short for a word more or less
    }
    frequency = Counter(word for words in sets.values() for word in words)
    rarest: dict[int, list[str]] = {}
    smaller: dict[tuple[_Name, str], list[int]] = {}
    for place, words in sets.items():
        ranked = sorted(words, key=lambda word: (frequency[word], word))
        rarest[place] = ranked[: _surplus(cores[place].size, similarity) + 1]
        smaller.setdefault((cores[place].marks, ranked[0]), []).append(place)
    apart = vocabulary().apart
    for place, few in rarest.items():
        size = cores[place].size
        least = size - _surplus(size, similarity)
        found = (other for word in few for other in smaller.get((cores[place].marks, word), ())[:_CROWD])
        for other in found:
            fits = least <= cores[other].size < size and sets[other] < sets[place]
            if fits and apart.isdisjoint(sets[place] - sets[other]):
                yield other, place


def _surplus(size: int, similarity: float) -> int:
    """Return how many of ``size`` words may be missing in a title that is as similar as asked for."""
    return size - math.ceil(similarity * size - _ROUNDING)
