"""Product relation prediction: pairs that pages agree on, and nothing else."""

from collections import Counter
from pathlib import Path
from typing import Any

from handmade import Row, opened, table_rows

from ecinstruct_build.task import Drawn, Request
from ecinstruct_build.tasks.product_relation_prediction import TASK, RelationSettings


def stated(product: str, other: str, kind: str, **changes: Any) -> Row:
    return {"product_id": product, "other_id": other, "kind": kind, "category": "Kitchen", **changes}


def product(name: str, **changes: Any) -> Row:
    return {"product_id": name, "title": f"Kettle {name}", "category": "Kitchen", **changes}


def draw(
    folder: Path,
    relations: list[Row],
    products: list[Row] | None = None,
    wanted: int = 100,
    wanted_ood: int = 0,
    **said: Any,
) -> Drawn:
    if products is None:
        names = sorted({name for row in relations for name in (row["product_id"], row["other_id"])})
        products = [product(name) for name in names]
    world = {"relation": table_rows("relation", relations), "product": table_rows("product", products)}
    with opened(folder, world) as tables:
        return TASK.draw(tables, RelationSettings(**said), Request(3, wanted, wanted_ood))


def pairs(drawn: Drawn) -> dict[str, str]:
    return {"".join(example.products): example.answer for example in drawn.examples}


def test_each_relation_has_its_letter(tmp_path: Path) -> None:
    drawn = draw(tmp_path, [stated("a", "b", "also_buy"), stated("c", "d", "also_view"), stated("e", "f", "similar")])
    letters = {
        "".join(e.products): TASK.answer.format(e.answer, [option.key for option in e.options]) for e in drawn.examples
    }
    assert letters == {"ab": "A", "cd": "B", "ef": "C"}


def test_pages_that_contradict_each_other_leave_the_pair_out(tmp_path: Path) -> None:
    relations = [
        stated("a", "b", "also_buy"),
        stated("a", "b", "also_view"),
        stated("c", "d", "also_buy"),
        stated("d", "c", "similar"),
        stated("e", "f", "also_buy", category="Kitchen"),
        stated("f", "e", "also_view", category="Garden"),
        stated("g", "h", "also_buy"),
        stated("h", "g", "also_buy"),
        stated("i", "j", "also_view"),
        stated("i", "j", "bought_together"),
    ]
    assert pairs(draw(tmp_path, relations, ind=("Kitchen",))) == {"gh": "also_buy", "ij": "also_view"}


def test_a_product_is_not_related_to_itself(tmp_path: Path) -> None:
    assert draw(tmp_path, [stated("a", "a", "similar")]).funnel["drawn"] == 0


def test_the_page_that_names_the_other_comes_first(tmp_path: Path) -> None:
    relations = [
        stated("z", "a", "also_buy"),
        stated("b", "c", "also_buy", file="late.json"),
        stated("c", "b", "also_buy", file="early.json"),
    ]
    drawn = draw(tmp_path, relations)
    assert sorted(pairs(drawn)) == ["cb", "za"]
    example = next(example for example in drawn.examples if example.products == ("z", "a"))
    assert example.fields == {"product_1": "Kettle z", "product_2": "Kettle a"}


def test_a_pair_is_the_same_example_whichever_page_names_it(tmp_path: Path) -> None:
    one = draw(tmp_path, [stated("a", "b", "also_buy")]).examples[0]
    other = draw(tmp_path, [stated("b", "a", "also_buy")]).examples[0]
    assert one.example_id == other.example_id


def test_both_titles_are_needed_and_differ(tmp_path: Path) -> None:
    relations = [stated("a", other, "similar") for other in "bcdef"]
    products = [
        product("a", title="Kettle &amp; lid"),
        product("b", title=None),
        product("c", title="<p> </p>"),
        product("d", title="kettle  &#38; LID"),
        product("e", title="Lamp"),
    ]
    drawn = draw(tmp_path, relations, products)
    assert pairs(drawn) == {"ae": "similar"}
    assert drawn.funnel["title empty after cleaning, or the same twice"] == 2
    assert drawn.examples[0].fields["product_1"] == "Kettle &amp; lid"


def test_a_title_in_another_corpus_does_not_count(tmp_path: Path) -> None:
    products = [product("a"), product("b", source="other", title="Kettle of another corpus")]
    assert not pairs(draw(tmp_path, [stated("a", "b", "similar")], products))


def test_a_pair_across_domains_is_in_neither(tmp_path: Path) -> None:
    products = [product(name, category=category) for name, category in zip("abcdefg", "KKTTGKT", strict=True)]
    relations = [
        stated("a", "b", "similar", category="K"),
        stated("c", "d", "similar", category="T"),
        stated("a", "c", "similar", category="K"),
        stated("a", "e", "similar", category="K"),
        stated("f", "b", "similar", category="K"),
        stated("b", "f", "similar", category="T"),
        stated("c", "g", "similar", category="T"),
    ]
    drawn = draw(tmp_path, relations, products, ind=("K",), ood=("T",), wanted_ood=9)
    assert {("".join(e.products), e.domain) for e in drawn.examples} == {("ab", "ind"), ("cd", "ood"), ("cg", "ood")}


def test_relations_are_balanced_as_far_as_each_lasts(tmp_path: Path) -> None:
    kinds = ["also_buy"] * 40 + ["also_view"] * 20 + ["similar"] * 3
    relations = [stated(f"p{n}", f"q{n}", kind) for n, kind in enumerate(kinds)]
    uniform = Counter(pairs(draw(tmp_path, relations, wanted=23)).values())
    assert uniform == {"also_buy": 10, "also_view": 10, "similar": 3}
    natural = Counter(pairs(draw(tmp_path, relations, wanted=63, balance="natural")).values())
    assert natural == {"also_buy": 40, "also_view": 20, "similar": 3}


def test_every_page_and_both_products_are_told_as_origins(tmp_path: Path) -> None:
    relations = [stated("a", "b", "similar", file="m.json", line=4), stated("b", "a", "similar", file="m.json", line=7)]
    products = [product("a", file="m.json", line=4), product("b", file="m.json", line=8)]
    (example,) = draw(tmp_path, relations, products).examples
    assert sorted((origin.file, origin.line) for origin in example.origins) == [("m.json", n) for n in (4, 7, 8)]
