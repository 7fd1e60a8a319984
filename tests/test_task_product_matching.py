"""Product matching: true matches, and non-matches that are hard and really are none."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from handmade import Row, opened, table_rows
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing import markets
from ecinstruct_build.drawing.blocking import most_similar
from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.product_matching import TASK, MatchingSettings

WORDS = ("red", "blue", "oak", "steel", "mini", "grand", "travel", "garden")


def listing(name: str, title: str | None, **changes: Any) -> Row:
    return {"product_id": name, "title": title, **changes}


def match(left: str, right: str, **changes: Any) -> Row:
    return {"left_id": left, "right_id": right, "is_match": True, **changes}


def shops(count: int = 48) -> tuple[list[Row], list[Row]]:
    """Listings in families of four that share two words, matched one to one."""
    products, matches = [], []
    for number in range(count):
        family = f"{WORDS[number // 4 % 8]} brand{number // 4} kettle"
        products.append(listing(f"l:{number:02}", f"{family} n{number}"))
        products.append(listing(f"r:{number:02}", f"kettle n{number} {family} boxed"))
        matches.append(match(f"l:{number:02}", f"r:{number:02}"))
    return products, matches


def draw(folder: Path, products: list[Row], matches: list[Row], wanted: int = 1000, **said: Any) -> Drawn:
    world = {"product": table_rows("product", products), "match": table_rows("match", matches)}
    with opened(folder, world) as tables:
        return TASK.draw(tables, MatchingSettings(**said), Request(4, wanted, 0))


def pairs(drawn: Drawn, answer: str) -> set[tuple[str, ...]]:
    return {example.products for example in drawn.examples if example.answer == answer}


def alike(drawn: Drawn) -> float:
    """Mean share of common words of the non-matches."""
    shares = []
    for example in drawn.examples:
        if example.answer == "no":
            left, right = (set(example.fields[side]["title"].split()) for side in ("left", "right"))
            shares.append(len(left & right) / len(left | right))
    return sum(shares) / len(shares)


def test_all_matches_and_as_many_non_matches(tmp_path: Path) -> None:
    products, matches = shops()
    drawn = draw(tmp_path, products, matches)
    assert pairs(drawn, "yes") == {(row["left_id"], row["right_id"]) for row in matches}
    assert len(pairs(drawn, "no")) == len(matches)
    assert drawn.funnel["similar non-matches"] == len(matches)


def test_every_beginning_of_the_draw_is_balanced(tmp_path: Path) -> None:
    products, matches = shops()
    drawn = draw(tmp_path, products, matches)
    for end in range(0, len(drawn.examples), 2):
        assert Counter(example.answer for example in drawn.examples[:end]) == (
            {"yes": end // 2, "no": end // 2} if end else {}
        )


def test_non_matches_read_more_alike_than_random_ones(tmp_path: Path) -> None:
    products, matches = shops()
    hard, half, random = (alike(draw(tmp_path, products, matches, random_share=share)) for share in (0.0, 0.5, 1.0))
    assert hard > 0.4
    assert hard > half > random
    assert random < 0.25


def test_the_random_share_is_counted(tmp_path: Path) -> None:
    products, matches = shops()
    funnel = draw(tmp_path, products, matches, random_share=0.5).funnel
    assert funnel["similar non-matches"] + funnel["random non-matches"] == 48
    assert 12 < funnel["random non-matches"] < 36


def test_listings_linked_by_a_chain_of_matches_are_no_non_match(tmp_path: Path) -> None:
    titles = ("oak desk lamp", "oak desk lamp tall", "desk lamp of oak", "tall oak lamp")
    products = [listing(name, title) for name, title in zip(("l:1", "l:2", "r:1", "r:2"), titles, strict=True)]
    chain = [match("l:1", "r:1"), match("l:2", "r:1"), match("l:2", "r:2")]
    linked = draw(tmp_path, products, chain)
    assert not pairs(linked, "no")
    assert linked.funnel["matches left without a non-match"] == 3
    broken = draw(tmp_path, products, [chain[0], chain[2]])
    assert pairs(broken, "no") == {("l:1", "r:2"), ("l:2", "r:1")}


def test_no_listing_is_used_too_often(tmp_path: Path) -> None:
    products, matches = shops()
    hub = listing("r:hub", "red blue oak steel mini grand travel garden kettle boxed")
    other = listing("l:hub", "spare lid")
    drawn = draw(tmp_path, [*products, hub, other], [*matches, match("l:hub", "r:hub")], negatives_per_product=2)
    uses = Counter(listing for pair in pairs(drawn, "no") for listing in pair)
    assert max(uses.values()) == 2


@pytest.mark.parametrize(("ratio", "expected"), [(0.0, 0), (0.1, 4), (0.5, 24), (2.0, 96)])
def test_the_share_of_non_matches_is_a_setting(tmp_path: Path, ratio: float, expected: int) -> None:
    products, matches = shops()
    drawn = draw(tmp_path, products, matches, negatives_per_match=ratio, negatives_per_product=5)
    assert len(pairs(drawn, "no")) == expected
    assert len(pairs(drawn, "yes")) == 48


def test_what_a_listing_does_not_say_is_not_in_it(tmp_path: Path) -> None:
    products = [
        listing("l:1", "Oak&nbsp;lamp", description="<b>tall</b>", brand="Lumen &amp; Co", price="$12.00"),
        listing("r:1", "lamp of oak", description="<p></p>", brand=None, price="0"),
    ]
    (example,) = draw(tmp_path, products, [match("l:1", "r:1")]).examples
    assert example.fields == {
        "left": {
            "title": "Oak&nbsp;lamp",
            "description": "<b>tall</b>",
            "manufacturer": "Lumen &amp; Co",
            "price": "$12.00",
        },
        "right": {"title": "lamp of oak"},
    }
    assert {origin.file for origin in example.origins} == {"match.jsonl", "product.jsonl"}


def test_listings_without_a_title_are_not_used(tmp_path: Path) -> None:
    products, matches = shops(8)
    products[0]["title"] = None
    products[3]["title"] = "<i></i>"
    drawn = draw(tmp_path, products, matches)
    assert not {"l:00", "r:01"} & {name for example in drawn.examples for name in example.products}
    assert drawn.funnel["matches with titles"] == 6
    assert drawn.funnel["pairs in the mapping"] == 8


def test_a_mapping_that_contradicts_itself_is_not_used(tmp_path: Path) -> None:
    products, matches = shops(8)
    drawn = draw(tmp_path, products, [*matches, match("l:00", "r:00", is_match=False)])
    assert ("l:00", "r:00") not in {example.products for example in drawn.examples}


def test_the_same_words_without_a_match_are_not_called_a_non_match(tmp_path: Path) -> None:
    products, matches = shops(8)
    products += [listing("l:x", "teal vase"), listing("r:x", "vase teal"), listing("r:y", "Teal VASE")]
    products.append(listing("l:y", "vase, teal, second choice"))
    drawn = draw(tmp_path, products, [*matches, match("l:x", "r:x"), match("l:y", "r:y")])
    assert ("l:x", "r:y") not in pairs(drawn, "no")
    assert ("l:y", "r:x") not in pairs(drawn, "no")  # all words of the one title stand in the other
    assert any("l:y" in pair or "r:x" in pair for pair in pairs(drawn, "no"))


def test_random_non_matches_never_have_the_same_title(tmp_path: Path) -> None:
    products = [listing(name, "Oak lamp") for name in ("l:1", "r:1", "l:2", "r:2")]
    drawn = draw(tmp_path, products, [match("l:1", "r:1"), match("l:2", "r:2")], random_share=1.0)
    assert not pairs(drawn, "no")
    assert drawn.funnel["matches left without a non-match"] == 2


def test_non_matches_cross_the_two_sides_of_one_source(tmp_path: Path) -> None:
    products, matches = shops(8)
    others = [{**row, "source": "other"} for row in products]
    other_matches = [{**row, "source": "other"} for row in matches]
    drawn = draw(tmp_path, [*products, *others], [*matches, *other_matches])
    assert all(left.startswith("l:") and right.startswith("r:") for left, right in pairs(drawn, "no"))
    assert Counter(example.source for example in drawn.examples) == {"corpus": 16, "other": 16}
    for example in drawn.examples:
        assert {origin.source for origin in example.origins} == {example.source}


def test_chains_join_and_nothing_else_does() -> None:
    group = markets.linked(["a", "b", "c", "d", "e"], [("a", "b"), ("c", "b"), ("d", "d")])
    assert group["a"] == group["b"] == group["c"]
    assert len({group["a"], group["d"], group["e"]}) == 3


TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=12)


@given(texts=TEXTS, others=TEXTS, most=st.integers(1, 4), seed=st.integers(0, 3))
def test_blocking_finds_what_comparing_all_with_all_finds(
    texts: list[str], others: list[str], most: int, seed: int
) -> None:
    groups, other_groups = [n % (seed + 1) for n in range(len(texts))], [n % 2 for n in range(len(others))]
    found = most_similar(texts, others, most, groups, other_groups)
    assert len(found) == len(texts)
    everything = most_similar(texts, others, len(others) or 1, groups, other_groups)
    for text, group, best, full in zip(texts, groups, found, everything, strict=True):
        near = {
            position
            for position, (other, other_group) in enumerate(zip(others, other_groups, strict=True))
            if group != other_group
            and set(text.split()) & set(other.split())
            and set(text.split()) != set(other.split())
        }
        assert set(full) == near
        assert best == full[:most]


def test_rare_words_weigh_more_than_common_ones() -> None:
    common = ["plain cup"] * 30
    others = [*common, "zaffre jug", "plain jug"]
    assert most_similar(["plain zaffre"], others, 1, [0], range(1, len(others) + 1)) == [[30]]


def test_blocking_scales_beyond_one_batch() -> None:
    texts = [f"kettle n{number}" for number in range(1200)]
    others = [f"n{number} boxed" for number in range(1200)]
    found = most_similar(texts, others, 3, range(1200), range(5000, 6200))
    assert list(itertools.chain.from_iterable(found)) == list(range(1200))
