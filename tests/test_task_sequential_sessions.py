"""Sequential recommendation from visits: each stands alone, and the last product that is new in it is asked for."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from handmade import Row, opened, table_rows
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing.sessions import visits
from ecinstruct_build.example import Example
from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.sequential_recommendation import TASK, SequentialSettings

USUAL = {"negatives": 3, "spares": 2, "core": 1, "min_history": 2}
REQUEST = Request(9, 100, 100)


def visit(name: str, products: str | list[str], **changes: Any) -> Row:
    return {"session_id": name, "product_ids": list(products), "source": "m2", "locale": "de", **changes}


def product(name: str, **changes: Any) -> Row:
    return {"product_id": name, "title": f"Ding {name}", "source": "m2", "locale": "de", **changes}


def shelf(*names: str, **changes: Any) -> list[Row]:
    return [product(name, **changes) for name in (*names, *(f"other{n:02}" for n in range(12)))]


def draw(folder: Path, sessions: list[Row], products: list[Row], request: Request = REQUEST, **said: Any) -> Drawn:
    world = {"session": table_rows("session", sessions), "product": table_rows("product", products)}
    with opened(folder, world) as tables:
        return TASK.draw(tables, SequentialSettings(**{**USUAL, **said}), request)


def of_visit(drawn: Drawn, name: str) -> Example:
    (found,) = (example for example in drawn.examples if example.groups == (f"session:{name}",))
    return found


def history(example: Example) -> str:
    return "".join(item.product_id for item in example.context)


def test_the_last_product_of_a_visit_is_asked_for(tmp_path: Path) -> None:
    example = of_visit(draw(tmp_path, [visit("v", "abcd")], shelf(*"abcd")), "v")
    assert (history(example), example.answer, example.options[0].key) == ("abc", "d", "d")
    assert (example.locale, example.category, example.domain, example.source) == ("de", "", "ind", "m2")
    assert example.fields == {"category": ""}
    assert example.context[0].text == "Ding a"


@pytest.mark.parametrize(
    ("seen", "before", "asked"),
    [
        ("aabbbcc", "ab", "c"),
        ("abac", "aba", "c"),
        ("abca", "ab", "c"),
        ("abcbab", "ab", "c"),
        ("aabcca", "ab", "c"),
    ],
)
def test_what_is_looked_at_again_is_neither_listed_twice_in_a_row_nor_asked_for(
    tmp_path: Path, seen: str, before: str, asked: str
) -> None:
    example = of_visit(draw(tmp_path, [visit("v", seen)], shelf(*"abc")), "v")
    assert (history(example), example.answer) == (before, asked)


def test_short_visits_are_counted_and_not_asked(tmp_path: Path) -> None:
    sessions = [visit("two", "ab"), visit("again", "aaab"), visit("back", "abab"), visit("three", "abc")]
    drawn = draw(tmp_path, sessions, shelf(*"abc"))
    assert [example.groups for example in drawn.examples] == [("session:three",)]
    assert drawn.funnel["visits to more than 2 products (ind)"] == 3
    assert drawn.funnel["of them with 2 titled products or more before the last new one (ind)"] == 1
    least = draw(tmp_path, sessions, shelf(*"abc"), session_min_history=1)
    assert len(least.examples) == 4


def test_the_core_and_the_history_of_users_do_not_apply(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [visit("v", "abc")], shelf(*"abc"), core=5, min_history=4)
    assert len(drawn.examples) == 1


def test_the_latest_of_a_long_visit_are_kept(tmp_path: Path) -> None:
    example = of_visit(draw(tmp_path, [visit("v", "abcdefgh")], shelf(*"abcdefgh"), max_history=3), "v")
    assert (history(example), example.answer) == ("efg", "h")


def test_products_without_title_are_as_if_they_had_not_been_looked_at(tmp_path: Path) -> None:
    products = [*shelf(*"abc"), product("x", title=None), product("y", title="  ")]
    example = of_visit(draw(tmp_path, [visit("v", "axbyaxcxz")], products), "v")
    assert (history(example), example.answer) == ("aba", "c")
    foreign = [*shelf(*"abc"), product("x", locale="fr"), product("z", source="elsewhere")]
    example = of_visit(draw(tmp_path, [visit("v", "axbczx")], foreign), "v")
    assert (history(example), example.answer) == ("ab", "c")


def test_wrong_options_are_of_the_marketplace_and_not_of_the_visit(tmp_path: Path) -> None:
    products = [*shelf(*"abcd"), *(product(f"fr{n:02}", locale="fr") for n in range(30))]
    example = of_visit(draw(tmp_path, [visit("v", "abdcda")], products, spares=50), "v")
    assert (history(example), example.answer) == ("abd", "c")
    offered = Counter(option.key for option in (*example.options, *example.spare_options))
    assert offered == Counter(["c", *(f"other{n:02}" for n in range(12))])


def test_what_was_looked_at_before_the_history_is_no_wrong_option_either(tmp_path: Path) -> None:
    example = of_visit(draw(tmp_path, [visit("v", "abcdef")], shelf(*"abcdef"), spares=50, max_history=2), "v")
    assert history(example) == "de"
    assert not {"a", "b", "c"} & {option.key for option in (*example.options, *example.spare_options)}


def test_half_of_the_wrong_options_were_looked_at_by_others(tmp_path: Path) -> None:
    seen = [f"seen{n:03}" for n in range(60)]
    crowd = [visit(f"c{n}", seen[3 * n : 3 * n + 3]) for n in range(20)]
    products = [product(name) for name in [*seen, *(f"never{n:04}" for n in range(2000))]]
    drawn = draw(tmp_path, crowd, products, negatives=19)
    for example in drawn.examples:
        assert 8 <= sum(option.key.startswith("seen") for option in example.options[1:]) <= 13


def test_a_visit_in_two_files_counts_once_and_names_the_first(tmp_path: Path) -> None:
    sessions = [visit("v", "abc", file=file) for file in ("train.csv", "test.csv")]
    drawn = draw(tmp_path, sessions, shelf(*"abc"))
    (example,) = drawn.examples
    assert [(origin.source, origin.file, origin.line) for origin in example.origins] == [("m2", "test.csv", 2)]
    assert drawn.funnel["visits to more than 2 products (ind)"] == 1
    assert Counter(origin.file for origin in example.all_origins) == {"test.csv": 1, "product.jsonl": 6}


def test_marketplaces_are_apart_and_can_be_named(tmp_path: Path) -> None:
    sessions = [visit("v", "abc"), visit("w", "abc", locale="fr"), visit("x", "abc", source="other", catalogue="m2")]
    products = [*shelf(*"abc"), *shelf(*"abc", locale="fr")]
    every = draw(tmp_path, sessions, products)
    assert sorted((example.source, example.locale) for example in every.examples) == [
        ("m2", "de"),
        ("m2", "fr"),
        ("other", "de"),
    ]
    assert len({example.example_id for example in every.examples}) == 3
    french = draw(tmp_path, sessions, products, locales=("fr",))
    assert [example.locale for example in french.examples] == ["fr"]
    other = draw(tmp_path, sessions, products, sources=("other",))
    assert [example.source for example in other.examples] == ["other"]


def test_visits_are_in_domain_whatever_the_categories(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [visit("v", "abc")], shelf(*"abc"), ind=("Kitchen",), ood=("Garden",))
    assert [example.domain for example in drawn.examples] == ["ind"]
    assert not draw(tmp_path, [visit("v", "abc")], shelf(*"abc"), request=Request(9, 0, 5)).examples


def test_titles_that_give_the_answer_away_are_left_out(tmp_path: Path) -> None:
    products = [*shelf("a", "b"), product("c", title="DING A"), product("d", title="Ding <b>e</b>")]
    products += [product("e", title="ding E"), product("f", title="<br>")]
    drawn = draw(tmp_path, [visit("v", "abc"), visit("w", "abd"), visit("x", "abf")], products, spares=50)
    assert drawn.funnel["history holds the title to find"] == 1
    assert drawn.funnel["titles empty after cleaning"] == 1
    titles = [option.text.casefold() for option in of_visit(drawn, "w").options]
    assert "ding e" not in titles[1:]


def test_too_small_a_marketplace_is_counted(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [visit("v", "abc")], [product(name) for name in "abcde"])
    assert not drawn.examples
    assert drawn.funnel["too few other products in the marketplace"] == 1


def test_a_smaller_draw_is_part_of_a_larger_one(tmp_path: Path) -> None:
    sessions = [visit(f"v{n}", f"{'abcd'[n % 4]}{'efgh'[n // 4]}i") for n in range(16)]
    few, all_of_them = (
        draw(tmp_path, sessions, shelf(*"abcdefghi"), request=Request(9, wanted, 0)).examples for wanted in (5, 100)
    )
    assert len(few) == 5
    assert len(all_of_them) == 16
    assert {example.example_id: example for example in few}.items() <= {
        example.example_id: example for example in all_of_them
    }.items()


def test_reviews_are_drawn_alike_whether_or_not_there_are_visits(tmp_path: Path) -> None:
    reviews = [
        {
            "review_id": f"{user}{n}",
            "product_id": f"p{(user * 3 + n) % 30}",
            "user_id": f"u{user}",
            "rating": 4.0,
            "timestamp": n,
            "category": "Kitchen",
        }
        for user in range(12)
        for n in range(6)
    ]
    products = [{"product_id": f"p{n}", "title": f"Thing {n}"} for n in range(30)]
    without = {"review": table_rows("review", reviews), "product": table_rows("product", products)}
    more = table_rows("product", shelf(*"abcd"))
    added = {**without, "product": without["product"] + more, "session": table_rows("session", [visit("v", "abcd")])}
    settings = SequentialSettings(**USUAL)
    drawn = []
    for number, world in enumerate((without, added)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with opened(folder, world) as tables:
            drawn.append(TASK.draw(tables, settings, Request(9, 8, 8)))
    assert [example for example in drawn[1].examples if example.source == "corpus"] == drawn[0].examples
    assert len(drawn[0].examples) == 8
    assert [example.source for example in drawn[1].examples].count("m2") == 1
    assert not any("visit" in step for step in drawn[0].funnel)


def test_row_order_does_not_matter(tmp_path: Path) -> None:
    sessions = [visit(f"v{n}", f"{'abcd'[n % 4]}{'efgh'[n // 4]}i") for n in range(16)]
    world = {"session": table_rows("session", sessions), "product": table_rows("product", shelf(*"abcdefghi"))}
    drawn = []
    for shuffle in (None, 1, 2):
        with opened(tmp_path, world, shuffle) as tables:
            drawn.append(TASK.draw(tables, SequentialSettings(**USUAL), REQUEST))
    assert drawn[0] == drawn[1] == drawn[2]
    assert drawn[0].examples


SEEN = st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=6)


@given(seen=SEEN, titled=st.sets(st.integers(0, 6)))
def test_every_visit_is_cut_before_what_is_not_new(seen: list[list[int]], titled: set[int]) -> None:
    rows = [
        {"session_id": f"v{n}", "product_ids": [f"p{item}" for item in items], "file": "f", "line": n}
        for n, items in enumerate(seen)
    ]
    names = pa.schema(
        [
            ("session_id", pa.string()),
            ("product_ids", pa.list_(pa.string())),
            ("file", pa.string()),
            ("line", pa.int64()),
        ]
    )
    pool = pa.array(sorted(f"p{item}" for item in titled), pa.string())
    found = visits("m2", pa.Table.from_pylist(rows, schema=names), pool)
    assert found.ids.to_pylist() == [f"v{n}" for n in range(len(seen))]
    for number, items in enumerate(seen):
        told: list[int] = []
        for item in items:
            if item in titled and told[-1:] != [item]:
                told.append(item)
        while told and told[-1] in told[:-1]:
            told.pop()
        assert found.history_lengths[number] == len(told) - 1
        if told:
            products = pool.take(pa.array(found.products_of(number, 99))).to_pylist()
            assert products == [f"p{item}" for item in told]
        known = pool.take(pa.array(found.visit(number).products.astype(np.int32))).to_pylist()
        assert known == sorted(f"p{item}" for item in set(items) & titled)
