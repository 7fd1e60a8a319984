"""The laws of drawing, for each task that draws by keyed chance, and the helpers that tasks share."""

import itertools
from pathlib import Path

import ibis
import pytest
from handmade import duckdb, opened, table_rows
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shop_world import join, shop

from ecinstruct_build import chance
from ecinstruct_build.drawing import draw
from ecinstruct_build.example import Example, examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Request, Task, TaskSettings
from quality.hygiene import HygieneSettings, repair

NAMES = ("product_matching", "product_relation_prediction", "sentiment_analysis", "sequential_recommendation")
SMALL = {"sequential_recommendation": {"core": 2, "min_history": 2, "negatives": 4, "spares": 3}}


def settings_of(task: Task, **more: object) -> TaskSettings:
    return task.settings(**{"ood": ("Tools",), **SMALL.get(task.name, {}), **more})


def examples(folder: Path, name: str, world: dict, request: Request, **more: object) -> list[Example]:
    task = TASKS.get(name)
    shuffle = more.pop("shuffle", None)
    with opened(folder, world, shuffle) as tables:
        return list(task.draw(tables, settings_of(task, **more), request).examples)


def by_domain(found: list[Example]) -> dict[str, set[str]]:
    return {domain: {e.example_id for e in found if e.domain == domain} for domain in ("ind", "ood")}


@pytest.mark.parametrize("name", NAMES)
def test_row_order_and_file_cuts_do_not_matter(tmp_path: Path, name: str) -> None:
    drawn = [
        examples_to_table(examples(tmp_path, name, shop(), Request(5, 12, 6), shuffle=shuffle)) for shuffle in (None, 1)
    ]
    assert drawn[0].num_rows >= 12
    assert drawn[0].equals(drawn[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_small_draw_is_part_of_every_larger_one_and_the_same_in_it(tmp_path: Path, name: str) -> None:
    draws = [examples(tmp_path, name, shop(), Request(5, size, size)) for size in (4, 14)]
    few, many = ({found.example_id: found for found in drawn} for drawn in draws)
    assert [len(by_domain(drawn)["ind"]) for drawn in draws] == [4, 14]
    assert few == {key: many[key] for key in few}


@pytest.mark.parametrize("name", NAMES)
def test_another_source_moves_nothing_of_the_first(tmp_path: Path, name: str) -> None:
    alone = examples(tmp_path, name, shop(), Request(5, 10, 5))
    both = examples(tmp_path, name, join(shop(), shop("other", users=90)), Request(5, 10, 5))
    own = [found for found in both if found.source == "corpus"]
    assert len(own) < len(both)
    assert examples_to_table(own).equals(examples_to_table(alone))


@pytest.mark.parametrize("name", NAMES)
def test_only_the_sources_that_the_recipe_names_are_drawn_from(tmp_path: Path, name: str) -> None:
    drawn = examples(tmp_path, name, join(shop(), shop("other")), Request(5, 10, 5), sources=("other",))
    assert {found.source for found in drawn} == {"other"}


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_moves_the_draw(tmp_path: Path, name: str) -> None:
    one, two = (by_domain(examples(tmp_path, name, shop(), Request(seed, 8, 0))) for seed in (1, 2))
    assert one["ind"] != two["ind"]
    assert len(one["ind"]) == len(two["ind"]) == 8


@pytest.mark.parametrize("name", NAMES)
def test_nothing_asked_for_is_nothing_drawn(tmp_path: Path, name: str) -> None:
    assert not examples(tmp_path, name, shop(), Request(5, 0, 0))


@pytest.mark.parametrize("name", NAMES)
def test_empty_tables_give_no_examples_and_no_error(tmp_path: Path, name: str) -> None:
    assert not examples(tmp_path, name, {}, Request(5, 3, 3))


@pytest.mark.parametrize("name", NAMES)
def test_every_example_says_where_it_comes_from_and_what_is_in_it(tmp_path: Path, name: str) -> None:
    task = TASKS.get(name)
    world = shop()
    lines = {(row["source"], row["file"], row["line"]) for rows in world.values() for row in rows}
    for found in examples(tmp_path, name, world, Request(5, 20, 10)):
        assert {(origin.source, origin.file, origin.line) for origin in found.origins} <= lines
        assert len(set(found.origins)) == len(found.origins) > 0
        assert found.all_products
        assert set(found.fields) == set(task.fields)
        assert (found.task, found.locale) == (name, "us")
        keys = [option.key for option in found.options]
        assert task.answer.parse(task.answer.format(found.answer, keys), keys) == found.answer
        assert "&amp;" not in str(repair(found, HygieneSettings()))


@pytest.mark.parametrize("name", NAMES)
def test_the_funnel_ends_with_the_examples(tmp_path: Path, name: str) -> None:
    task = TASKS.get(name)
    with opened(tmp_path, shop()) as tables:
        drawn = task.draw(tables, settings_of(task), Request(5, 10, 5))
    assert list(drawn.funnel)[-1] == "examples"
    assert drawn.funnel["examples"] == len(drawn.examples)
    assert all(isinstance(count, int) for count in drawn.funnel.values())


ROWS = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(["ind", "ood"]), st.sampled_from("abc")),
    min_size=1,
    max_size=40,
)


@example(rows=[("one", "ind", kind) for kind in "aaaabbbccaaab"], size=12, stratum="kind")
@given(rows=ROWS, size=st.integers(0, 12), stratum=st.sampled_from([None, "kind"]))
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_take_agrees_with_sorting_by_digest(rows: list[tuple[str, str, str]], size: int, stratum: str | None) -> None:
    listed = [
        {"source": source, "domain": domain, "kind": kind, "id": f"é{number}"}
        for number, (source, domain, kind) in enumerate(rows)
    ]
    request = Request(3, size, size // 2)
    taken = duckdb().to_pyarrow(draw.take(ibis.memtable(listed), request, "test", ["id"], stratum)).to_pylist()
    for source, (domain, wanted) in itertools.product(("one", "two"), request.domains):
        own = [row for row in listed if (row["source"], row["domain"]) == (source, domain)]
        own.sort(key=lambda row: chance.digest(3, "test", f"{row['source']}|{row['id']}"))
        if stratum:
            rounds = {row["id"]: sum(r["kind"] == row["kind"] for r in own[:n]) for n, row in enumerate(own)}
            own.sort(key=lambda row: rounds[row["id"]])
        found = sorted((r for r in taken if (r["source"], r["domain"]) == (source, domain)), key=lambda r: r["place"])
        assert [row["id"] for row in found] == [row["id"] for row in own[:wanted]]
        assert [row["place"] for row in found] == list(range(len(found)))


def test_the_first_row_of_a_product_wins_even_without_a_title(tmp_path: Path) -> None:
    rows = [
        {"product_id": "asin:1", "title": "late", "file": "b.json", "line": 1},
        {"product_id": "asin:1", "title": "first", "file": "a.json", "line": 2},
        {"product_id": "asin:1", "title": "second", "file": "a.json", "line": 10},
        {"product_id": "asin:1", "title": "premier", "file": "c.json", "line": 1, "locale": "fr"},
        {"product_id": "asin:2", "title": None, "file": "a.json", "line": 3},
        {"product_id": "asin:2", "title": "too late", "file": "a.json", "line": 4},
        {"product_id": "asin:3", "title": " \n\t", "file": "a.json", "line": 5},
        {"product_id": "asin:1", "title": "elsewhere", "source": "other"},
    ]
    with opened(tmp_path, {"product": table_rows("product", rows)}) as tables:
        keys = [draw.ProductKey("corpus", "asin:1", "us"), draw.ProductKey("corpus", "asin:2", "us")]
        found = draw.fetch_products(tables, [*keys, *keys, draw.ProductKey("corpus", "asin:9", "us")])
        titled = tables.fetch(draw.titled_products(tables), by=["catalogue", "product_id", "locale"]).to_pylist()
    assert {key: row["title"] for key, row in found.items()} == dict(zip(keys, ["first", None], strict=True))
    assert (found[keys[0]]["file"], found[keys[0]]["line"]) == ("a.json", 2)
    assert [(row["catalogue"], row["product_id"], row["locale"]) for row in titled] == [
        ("corpus", "asin:1", "fr"),
        ("corpus", "asin:1", "us"),
        ("other", "asin:1", "us"),
    ]
