"""Sequential recommendation: true histories, and wrong options that are fair."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from handmade import Row, opened, table_rows
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing.interactions import histories, k_core
from ecinstruct_build.drawing.shelf import Mix, candidates, draw_positions
from ecinstruct_build.example import Example
from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.sequential_recommendation import TASK, SequentialSettings, able_users

USUAL = {"core": 1, "min_history": 2, "negatives": 3, "spares": 2}


def review(user: str, product: str, day: int, **changes: Any) -> Row:
    return {
        "review_id": f"{user}-{product}-{day}",
        "product_id": product,
        "user_id": user,
        "rating": 4.0,
        "timestamp": day,
        "category": "Kitchen",
        **changes,
    }


def product(name: str, **changes: Any) -> Row:
    return {"product_id": name, "title": f"Thing {name}", **changes}


def draw(folder: Path, reviews: list[Row], products: list[Row] | None = None, **said: Any) -> Drawn:
    if products is None:
        products = [product(name) for name in sorted({row["product_id"] for row in reviews})]
    world = {"review": table_rows("review", reviews), "product": table_rows("product", products)}
    with opened(folder, world) as tables:
        return TASK.draw(tables, SequentialSettings(**{**USUAL, **said}), Request(9, 100, 100))


def others(count: int = 12, category: str = "Kitchen") -> list[Row]:
    """Reviews by a bystander of many products, one each day."""
    return [review("bystander", f"{category}{n:02}", n, category=category) for n in range(count)]


def of_user(drawn: Drawn, user: str) -> Example:
    (found,) = (example for example in drawn.examples if example.groups == (f"user:{user}",))
    return found


def test_the_history_is_in_order_and_the_last_product_is_asked_for(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for name, day in (("c", 5), ("a", 9), ("z", 7), ("b", 7), ("d", 1))]
    example = of_user(draw(tmp_path, reviews + others()), "u")
    assert [item.product_id for item in example.context] == ["d", "c", "b", "z"]
    assert example.answer == "a"
    assert example.options[0].key == "a"
    assert example.context[0].text == "Thing d"


def test_a_product_bought_again_counts_the_first_time(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for day, name in enumerate("abcab")]
    example = of_user(draw(tmp_path, reviews + others()), "u")
    assert [item.product_id for item in example.context] == ["a", "b"]
    assert example.answer == "c"
    lines = {origin.line for origin in example.origins if origin.file == "review.jsonl"}
    assert lines == {1, 2, 3}


def test_the_latest_of_a_long_history_are_kept(tmp_path: Path) -> None:
    reviews = [review("u", f"p{n}", n) for n in range(9)]
    example = of_user(draw(tmp_path, reviews + others(), max_history=4), "u")
    assert [item.product_id for item in example.context] == ["p4", "p5", "p6", "p7"]
    assert example.answer == "p8"


def test_users_with_a_short_history_are_not_asked(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for day, name in enumerate("abc")]
    drawn = draw(tmp_path, reviews + others(), min_history=3)
    assert [example.groups for example in drawn.examples] == [("user:bystander",)][: len(drawn.examples)]
    assert of_user(draw(tmp_path, reviews + others(), min_history=2), "u")


def test_wrong_options_are_of_the_category_and_new_to_the_user(tmp_path: Path) -> None:
    kitchen, garden = others(30), others(30, "Garden")
    user = [review("u", name, day) for day, name in enumerate(("Kitchen03", "Kitchen07", "Kitchen11"))]
    gone = [
        review("u", "Kitchen15", 1, category="Garden"),
        review("u", "Kitchen16", 1, category="Tools"),
        review("u", "Kitchen17", 1, locale="fr"),
    ]
    drawn = draw(tmp_path, kitchen + garden + user + gone, negatives=15, spares=50, min_history=2)
    example = of_user(drawn, "u")
    offered = [option.product_id for option in (*example.options, *example.spare_options)]
    known = {row["product_id"] for row in user + gone}
    assert len(example.options) == 16
    assert Counter(offered) == Counter({f"Kitchen{n:02}" for n in range(30)} - known | {"Kitchen11"})
    assert all(option.key == option.product_id and option.text == f"Thing {option.key}" for option in example.options)


def test_origins_are_the_reviews_of_the_category_itself(tmp_path: Path) -> None:
    own = [review("u", f"Kitchen0{n}", n + 5, file="kitchen.json") for n in range(3)]
    elsewhere = [
        review("u", "Kitchen01", 1, category="Garden", file="garden.json"),
        review("u", "Kitchen02", 2, locale="fr", file="french.json"),
    ]
    example = of_user(draw(tmp_path, own + elsewhere + others()), "u")
    assert Counter(origin.file for origin in example.origins) == {"kitchen.json": 3}
    assert Counter(origin.file for origin in example.all_origins) == {"kitchen.json": 3, "product.jsonl": 6}


def test_every_product_offered_or_held_as_a_spare_names_its_raw_record(tmp_path: Path) -> None:
    products = [product(row["product_id"]) for row in others()]
    example = of_user(draw(tmp_path, [review("u", f"Kitchen0{n}", n + 5) for n in range(3)] + others(), products), "u")
    lines = {row["product_id"]: line for line, row in enumerate(products, start=1)}
    listed = (*example.context, *example.options, *example.spare_options)
    assert len(listed) == 2 + 4 + 2
    for one in listed:
        assert (one.file, one.line) == ("product.jsonl", lines[one.product_id])


def test_the_same_person_in_two_categories_is_asked_in_each(tmp_path: Path) -> None:
    both = [
        review("u", f"{category}0{n}", n, category=category) for category in ("Kitchen", "Garden") for n in range(3)
    ]
    drawn = draw(tmp_path, others() + others(12, "Garden") + both)
    found = [example for example in drawn.examples if example.groups == ("user:u",)]
    assert sorted(example.category for example in found) == ["Garden", "Kitchen"]
    for example in found:
        assert {option.key[:-2] for option in example.options} == {example.category}


def test_products_without_title_cannot_appear(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for day, name in enumerate("abcde")]
    products = [product(row["product_id"]) for row in others()]
    products += [product("a"), product("b", title=None), product("c"), product("e", title="<br>"), product("d")]
    drawn = draw(tmp_path, reviews + others(), products)
    assert drawn.funnel["titles empty after cleaning"] == 1
    reviews = [row for row in reviews if row["product_id"] != "e"]
    example = of_user(draw(tmp_path, reviews + others(), products), "u")
    assert [item.product_id for item in example.context] == ["a", "c"]
    assert example.answer == "d"


def test_no_option_gives_the_answer_away_by_its_title(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for day, name in enumerate("abc")]
    twins = {"Kitchen00": "thing C", "Kitchen01": "THING &#97;", "Kitchen02": "Cup", "Kitchen03": "cup"}
    products = [product(row["product_id"]) for row in reviews]
    products += [
        product(name, title=twins.get(name, f"Thing {name}")) for name in (f"Kitchen{n:02}" for n in range(12))
    ]
    example = of_user(draw(tmp_path, reviews + others(), products, spares=50), "u")
    titles = [option.text.casefold() for option in (*example.options, *example.spare_options)]
    assert titles.count("thing c") == 1
    assert titles.count("cup") == 1
    assert "thing a" not in titles
    assert len(titles) == 1 + 9


def test_a_product_whose_title_is_in_the_history_is_not_asked_for(tmp_path: Path) -> None:
    reviews = [review("u", name, day) for day, name in enumerate("abc")]
    products = [product(row["product_id"]) for row in others()]
    products += [product("a", title="Cup"), product("b"), product("c", title="cup ")]
    drawn = draw(tmp_path, reviews + others(), products)
    assert drawn.funnel["history holds the title to find"] == 1
    assert "user:u" not in {group for example in drawn.examples for group in example.groups}


def test_too_small_a_category_is_counted(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [review("u", name, day) for day, name in enumerate("abc")])
    assert not drawn.examples
    assert drawn.funnel["too few other products in the category"] == 1


def test_only_the_core_is_used(tmp_path: Path) -> None:
    crowd = [review(f"u{user}", f"{'pq'[user % 2]}{n}", n) for user in range(8) for n in range(6)]
    fringe = [review("u0", "rare", 99), *(review("guest", f"p{n}", n) for n in range(2))]
    drawn = draw(tmp_path, crowd + fringe, core=3, min_history=3, negatives=5, spares=9)
    assert drawn.funnel["of them in the 3-core (ind)"] == 48
    assert {example.answer for example in drawn.examples} == {"p5", "q5"}
    assert len(drawn.examples) == 8
    for example in drawn.examples:
        assert "rare" not in {example.answer, *(item.product_id for item in example.context)}
        offered = {option.key for option in (*example.options, *example.spare_options)}
        assert ("rare" in offered) == (example.groups != ("user:u0",))


def test_domains_are_apart(tmp_path: Path) -> None:
    reviews = [
        review("u", f"{category}0{n}", n, category=category) for category in ("Kitchen", "Tools") for n in range(3)
    ]
    world = others() + others(12, "Tools") + others(12, "Garden") + reviews
    drawn = draw(tmp_path, world, ind=("Kitchen",), ood=("Tools",))
    assert {(example.domain, example.category) for example in drawn.examples} == {("ind", "Kitchen"), ("ood", "Tools")}


def test_the_defaults_let_a_split_trim_the_history() -> None:
    settings = SequentialSettings()
    assert (settings.leakage, settings.min_context, settings.negatives, settings.spares) == ("trim", 2, 19, 281)


EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), unique=True, max_size=50)


@given(edges=EDGES, core=st.integers(1, 4))
def test_the_core_is_what_removing_one_at_a_time_leaves(edges: list[tuple[int, int]], core: int) -> None:
    left = list(edges)
    while True:
        users, products = Counter(user for user, _ in left), Counter(item for _, item in left)
        poor = [edge for edge in left if users[edge[0]] < core or products[edge[1]] < core]
        if not poor:
            break
        left.remove(poor[0])
    users, products = (np.array([edge[side] for edge in edges], dtype=np.int32) for side in (0, 1))
    assert [edges[position] for position in k_core(users, products, core)] == left


@given(edges=EDGES, core=st.integers(1, 3), data=st.data())
def test_histories_do_not_depend_on_row_order(edges: list[tuple[int, int]], core: int, data: st.DataObject) -> None:
    rows = [{"user_id": f"u{u}", "product_id": f"p{p}", "timestamp": (u * p) % 3} for u, p in edges]
    names = pa.schema([("user_id", pa.string()), ("product_id", pa.string()), ("timestamp", pa.int64())])
    one, two = (
        histories(pa.Table.from_pylist(order, schema=names), core) for order in (rows, data.draw(st.permutations(rows)))
    )
    told = [one.products.take(one.products_of(user, 99)).to_pylist() for user in range(len(one.users))]
    assert told == [two.products.take(two.products_of(user, 99)).to_pylist() for user in range(len(two.users))]
    times = {(row["user_id"], row["product_id"]): row["timestamp"] for row in rows}
    for user, items in zip(one.users.to_pylist(), told, strict=True):
        assert items == sorted(items, key=lambda item: (times[user, item], item))


@pytest.mark.parametrize(("size", "count"), [(1, 5), (40, 10), (41, 10), (1000, 10), (200_000, 375)])
def test_positions_are_distinct_and_enough(size: int, count: int) -> None:
    positions = draw_positions(size, count, 1, "test", "someone").tolist()
    assert len(set(positions)) == len(positions) >= min(size, count)
    assert set(positions) <= set(range(size))
    assert size == 1 or positions != draw_positions(size, count, 1, "test", "someone else").tolist()


def test_every_product_is_offered_about_equally_often() -> None:
    for size in (60, 500):
        firsts = np.concatenate([draw_positions(size, 20, 1, "test", f"user {n}")[:20] for n in range(3000)])
        counts = np.bincount(firsts, minlength=size)
        expected = 3000 * 20 / size
        assert np.abs(counts - expected).max() < 5 * expected**0.5


def test_the_last_product_must_have_come_later_unless_the_recipe_says_otherwise() -> None:
    rows = [
        {"user_id": f"u{user}", "product_id": f"p{product}", "timestamp": 10 if user == 0 else 10 + product}
        for user in range(6)
        for product in range(6)
    ]
    found = histories(pa.Table.from_pylist(rows), 5)
    assert [user for user, later in zip(found.users.to_pylist(), found.later, strict=True) if not later] == ["u0"]
    assert able_users(found, SequentialSettings()).tolist() == [False, True, True, True, True, True]
    assert able_users(found, SequentialSettings(strictly_later=False)).all()


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 4), (0.5, 9, 12), (1.0, 19, 19)])
def test_wrong_options_come_from_the_core_in_their_share(share: float, least: int, most: int) -> None:
    core = np.arange(100, dtype=np.int32)
    known = np.array([3], dtype=np.int32)
    for user in range(20):
        chosen = candidates(5000, core, known, Mix(300, share), seed=0, purpose="test", identity=f"u{user}")
        assert least <= int((chosen[:19] < 100).sum()) <= most
        assert 3 not in chosen
        assert len(set(chosen.tolist())) == len(chosen)
