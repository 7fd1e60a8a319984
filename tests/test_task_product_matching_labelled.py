"""Product matching where upstream says of pairs that they do not match, and where a source holds several mappings."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from handmade import Row, opened, table_rows

from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.product_matching import TASK, MatchingSettings


def listing(name: str, title: str | None, **changes: Any) -> Row:
    return {"product_id": name, "title": title, **changes}


def pair(left: str, right: str, *, same: bool, **changes: Any) -> Row:
    return {"left_id": left, "right_id": right, "is_match": same, **changes}


def shops(count: int = 40, labels: int = 2) -> tuple[list[Row], list[Row]]:
    """Listings in lines of eight, matched one to one; each left one is labelled no match of the next right ones."""
    products, rows = [], []
    for number in range(count):
        name = f"maker{number // 8} kettle line{number // 8}"
        products.append(listing(f"l:{number:02}", f"{name} n{number}"))
        products.append(listing(f"r:{number:02}", f"boxed {name} no n{number}"))
        rows.append(pair(f"l:{number:02}", f"r:{number:02}", same=True))
        rows += [
            pair(f"l:{number:02}", f"r:{number // 8 * 8 + (number + step) % 8:02}", same=False)
            for step in range(1, labels + 1)
        ]
    return products, rows


def draw(
    folder: Path, products: list[Row], rows: list[Row], wanted: int = 1000, shuffle: int | None = None, **said: Any
) -> Drawn:
    world = {"product": table_rows("product", products), "match": table_rows("match", rows)}
    with opened(folder, world, shuffle) as tables:
        return TASK.draw(tables, MatchingSettings(**said), Request(4, wanted, 0))


def drawn_pairs(drawn: Drawn, answer: str) -> set[tuple[str, ...]]:
    return {example.products for example in drawn.examples if example.answer == answer}


def stated(rows: list[Row], *, same: bool) -> set[tuple[str, str]]:
    return {(row["left_id"], row["right_id"]) for row in rows if row["is_match"] == same}


def test_what_upstream_calls_a_non_match_comes_first(tmp_path: Path) -> None:
    products, rows = shops()
    drawn = draw(tmp_path, products, rows)
    assert drawn_pairs(drawn, "yes") == stated(rows, same=True)
    assert drawn_pairs(drawn, "no") <= stated(rows, same=False)
    assert (drawn.funnel["labelled non-matches"], drawn.funnel["similar non-matches"]) == (40, 0)
    for yes, no in zip(drawn.examples[::2], drawn.examples[1::2], strict=True):
        assert (yes.answer, no.answer) == ("yes", "no")
        assert {*yes.products} & {*no.products}
        assert len({origin.line for origin in no.origins if origin.file == "match.jsonl"}) == 1


def test_labels_can_be_left_aside(tmp_path: Path) -> None:
    products, rows = shops()
    drawn = draw(tmp_path, products, rows, labelled_first=False)
    assert drawn.funnel["labelled non-matches"] == 0
    assert drawn.funnel["similar non-matches"] > 35


def test_a_draw_is_the_beginning_of_a_larger_one_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    products, rows = shops()
    full = draw(tmp_path, products, rows)
    assert draw(tmp_path, products, rows, wanted=30).examples == full.examples[:30]
    assert [example.products for example in draw(tmp_path, products, rows, shuffle=3).examples] == [
        example.products for example in full.examples
    ]


@pytest.mark.parametrize(("said", "similar", "random"), [({}, 0, 80), ({"similar_beside_labelled": True}, 80, 0)])
def test_pairs_without_a_label_are_unknown_where_there_are_labels(
    tmp_path: Path, said: dict[str, Any], similar: int, random: int
) -> None:
    products, rows = shops(labels=1)
    drawn = draw(tmp_path, products, rows, negatives_per_match=3, negatives_per_product=20, **said)
    assert drawn.funnel["labelled non-matches"] == 40
    assert drawn.funnel["similar non-matches"] == similar
    assert drawn.funnel["random non-matches"] == random


def test_no_listing_is_used_too_often(tmp_path: Path) -> None:
    products, rows = shops()
    rows += [pair("l:00", f"r:{number:02}", same=False) for number in range(1, 40)]
    drawn = draw(tmp_path, products, rows, negatives_per_match=2, negatives_per_product=3)
    uses = Counter(name for names in drawn_pairs(drawn, "no") for name in names)
    assert max(uses.values()) == 3
    assert (
        len(drawn_pairs(drawn, "no")) == drawn.funnel["matches"] * 2 - drawn.funnel["matches left without a non-match"]
    )


def test_pairs_that_anyone_can_tell_apart_come_last(tmp_path: Path) -> None:
    products, rows = shops(labels=1)
    products.append(listing("r:odd", "garden hose"))
    rows += [pair(f"l:{number:02}", "r:odd", same=False) for number in range(3)]
    drawn = draw(tmp_path, products, rows)
    assert not any("r:odd" in names for names in drawn_pairs(drawn, "no"))
    more = draw(tmp_path, products, rows, negatives_per_match=1.05)
    assert sum("r:odd" in names for names in drawn_pairs(more, "no")) == 2


def test_non_matches_of_other_listings_serve_before_those_of_a_later_match(tmp_path: Path) -> None:
    products, rows = shops(16, labels=0)
    for number in range(8):
        products += [listing(f"{side}:x{number}", f"maker0 kettle {side} x{number}") for side in ("l", "r", "r:other")]
        rows.append(pair(f"l:{number:02}", f"r:other:x{number}", same=False))
        rows.append(pair(f"l:x{number}", f"r:x{number}", same=False))
    drawn = draw(tmp_path, products, rows)
    assert drawn_pairs(drawn, "no") == stated(rows, same=False)
    for yes, no in zip(drawn.examples[::2], drawn.examples[1::2], strict=True):
        assert bool({*yes.products} & {*no.products}) == (yes.products[0] < "l:08")


def test_a_non_match_within_a_chain_of_matches_or_a_family_is_no_non_match(tmp_path: Path) -> None:
    products, rows = shops(8, labels=0)
    rows += [pair("l:00", "r:01", same=True), pair("l:01", "r:00", same=False)]
    products[4]["parent_id"] = products[7]["parent_id"] = "cluster:1"  # l:02 and r:03
    rows.append(pair("l:02", "r:03", same=False))
    drawn = draw(tmp_path, products, rows, negatives_per_match=3)
    assert not {("l:01", "r:00"), ("l:02", "r:03")} & drawn_pairs(drawn, "no")


def test_titles_of_the_same_words_are_no_non_match_even_if_upstream_says_so(tmp_path: Path) -> None:
    products, rows = shops(8)
    products += [listing("l:x", "teal vase"), listing("r:x", "Vase, TEAL")]
    drawn = draw(tmp_path, products, [*rows, pair("l:x", "r:x", same=False)], negatives_per_match=3)
    assert ("l:x", "r:x") not in drawn_pairs(drawn, "no")


def test_a_pair_stated_both_ways_round_is_one(tmp_path: Path) -> None:
    products = [listing(f"w:{number}", f"oak lamp n{number} {'tall' * (number % 2)}") for number in range(8)]
    rows = [pair("w:0", "w:1", same=True), pair("w:1", "w:0", same=True), pair("w:2", "w:2", same=True)]
    rows += [pair("w:3", "w:4", same=True), pair("w:4", "w:3", same=False)]
    rows += [pair("w:1", "w:5", same=False), pair("w:5", "w:1", same=False)]
    drawn = draw(tmp_path, products, rows)
    assert [example.products for example in drawn.examples] == [("w:0", "w:1"), ("w:1", "w:5")]
    assert len(drawn.examples[0].origins) == 4  # both rows of the mapping and both listings


def test_listings_of_two_mappings_of_a_source_never_meet(tmp_path: Path) -> None:
    products, rows = shops(8, labels=0)
    again = [{**row, "product_id": f"copy_{row['product_id']}"} for row in products]
    copies = [{**row, "left_id": f"copy_{row['left_id']}", "right_id": f"copy_{row['right_id']}"} for row in rows]
    drawn = draw(tmp_path, [*products, *again], [*rows, *copies], random_share=0.5)
    assert len(drawn.examples) == 32
    for left, right in drawn_pairs(drawn, "no"):
        assert left.startswith("copy_") == right.startswith("copy_")


def test_listings_without_readable_title_or_of_another_locale_are_not_paired(tmp_path: Path) -> None:
    products, rows = shops(8)
    products[0]["title"] = None  # a title that was nothing but a language's tag
    products[3]["locale"] = "es"  # r:01 is described in another marketplace than the match's
    drawn = draw(tmp_path, products, rows)
    used = {name for example in drawn.examples for name in example.products}
    assert not {"l:00", "r:01"} & used
    assert drawn.funnel["matches with titles"] == 6


def test_features_are_part_of_what_a_listing_says(tmp_path: Path) -> None:
    products = [
        listing("l:1", "Oak lamp", features=["modelno: dl&amp;1", " ", "<b></b>"]),
        listing("r:1", "lamp of oak", features=[]),
    ]
    (example,) = draw(tmp_path, products, [pair("l:1", "r:1", same=True)]).examples
    assert example.fields["left"] == {"title": "Oak lamp", "features": ["modelno: dl&amp;1"]}
    assert example.fields["right"] == {"title": "lamp of oak"}


def test_tens_of_thousands_of_labelled_pairs_are_no_trouble(tmp_path: Path) -> None:
    count = 6000
    products = [listing(f"w:{number}", f"lamp{number // 40} n{number}") for number in range(count)]
    rows = [pair(f"w:{number}", f"w:{number + 1}", same=True) for number in range(0, count, 2)]
    rows += [
        pair(f"w:{number}", f"w:{number // 40 * 40 + (number + step) % 40}", same=False)
        for number in range(0, count, 2)
        for step in (3, 5, 7, 9, 11)
    ]
    drawn = draw(tmp_path, products, rows, wanted=10**6)
    assert drawn.funnel["labelled non-matches"] == drawn.funnel["matches"] == count // 2
