"""Families by text against people's labels of real listings: what is joined is the same product."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pytest

from quality.splitting.families import families_of, near_identical

Pair = tuple[str, str]
Listings = dict[str, tuple[str, str | None]]


def rows(path: Path, encoding: str = "utf-8") -> Iterable[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.DictReader(file)


def abt_buy(folder: Path) -> tuple[Listings, set[Pair], set[Pair]]:
    """Listings of two shops, and pairs of them that people judged."""
    place = folder / "abt_buy" / "deepmatcher"
    listings: Listings = {}
    for side in "AB":
        listings |= {f"{side}{row['id']}": (row["name"], None) for row in rows(place / f"table{side}.csv")}
    judged: dict[str, set[Pair]] = {"0": set(), "1": set()}
    for name in ("train", "valid", "test"):
        for row in rows(place / f"{name}.csv"):
            judged[row["label"]].add((f"A{row['ltable_id']}", f"B{row['rtable_id']}"))
    return listings, judged["1"], judged["0"]


def wdc(folder: Path, kind: str) -> tuple[Listings, set[Pair], set[Pair]]:
    """Offers of many shops, and hard pairs of them that are labelled."""
    keys: dict[str, str] = {}
    judged: dict[str, set[Pair]] = {"0": set(), "1": set()}
    for path in sorted((folder / "wdc_products" / f"ditto_{kind}").iterdir()):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            left, right, label = line.split("\t")
            pair = [keys.setdefault(side.removeprefix("COL title VAL "), f"p{len(keys)}") for side in (left, right)]
            judged[label].add((min(pair), max(pair)))
    return {key: (title, None) for title, key in keys.items()}, judged["1"], judged["0"]


def amazon_google(folder: Path) -> tuple[Listings, set[Pair], None]:
    """Listings of two shops; every pair across the shops that is not mapped counts as two products."""
    place = folder / "amazon_google"
    listings: Listings = {
        f"a:{row['id']}": (row["title"], row["manufacturer"] or None) for row in rows(place / "Amazon.csv", "latin-1")
    }
    for row in rows(place / "GoogleProducts.csv", "latin-1"):
        listings[f"g:{row['id']}"] = (row["name"], row["manufacturer"] or None)
    mapping = rows(place / "Amzon_GoogleProducts_perfectMapping.csv")
    return listings, {(f"a:{row['idAmazon']}", f"g:{row['idGoogleBase']}") for row in mapping}, None


def word_set(title: str) -> frozenset[str]:
    """The words of a title, whole numbers written without a point."""
    return frozenset(re.findall(r"\w+", re.sub(r"\.0\b", "", title.casefold())))


@pytest.mark.parametrize(
    ("corpus", "least_found"),
    [("abt_buy", 25), ("amazon_google", 35), ("cameras", 1), ("computers", 8), ("shoes", 4), ("watches", 3)],
)
def test_what_text_joins_people_call_one_product(real_corpora: Path, corpus: str, least_found: int) -> None:
    read = {"abt_buy": abt_buy, "amazon_google": amazon_google}.get(corpus)
    listings, same, other = read(real_corpora) if read else wdc(real_corpora, corpus)
    columns = [list(listings), *(list(column) for column in zip(*listings.values(), strict=True))]
    products = pa.table([pa.array(column, pa.string()) for column in columns], ["product_id", "title", "brand"])
    members = defaultdict(list)
    for row in families_of(near_identical(products, similarity=0.9, variants=False)).to_pylist():
        members[row["family_id"]].append(row["product_id"])
    claimed = {pair for family in members.values() for pair in combinations(family, 2)}
    judged = {pair for pair in claimed if pair[0][0] != pair[1][0]} if other is None else claimed & other
    # Labels call some listings of one and the same title two products, or leave them out: those count neither way.
    wrong = {(one, two) for one, two in judged - same if word_set(listings[one][0]) != word_set(listings[two][0])}
    right = claimed & same
    print(f"{corpus}: recall {len(right) / len(same):.3f}, {len(wrong)} of {len(right) + len(wrong)} wrong")
    assert len(wrong) <= 0.02 * len(right)
    assert len(right) >= least_found
