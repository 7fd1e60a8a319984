"""Examples survive being stored, whatever they hold."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.example import Example, Item, Option, Origin, examples_to_table, table_to_examples

text = st.text(max_size=8)
record = (text, text, st.integers(0, 9))
items = st.lists(st.builds(Item, text, text, *record), max_size=4).map(tuple)
options = st.lists(st.builds(Option, text, text, text, st.sampled_from(["", "E"]), *record), max_size=4).map(tuple)
example = st.builds(
    Example,
    task=st.sampled_from(["one", "two"]),
    source=st.sampled_from(["a", "b"]),
    identity=st.text(max_size=12),
    domain=st.sampled_from(["ind", "ood"]),
    locale=st.just("us"),
    products=st.lists(text, max_size=3).map(tuple),
    fields=st.dictionaries(text, st.one_of(text, st.integers(0, 9), st.lists(text, max_size=2)), max_size=2),
    answer=st.one_of(text, st.lists(text, max_size=3)),
    context=items,
    options=options,
    spare_options=options,
    origins=st.lists(st.builds(Origin, text, text, st.integers(1, 9)), max_size=2).map(tuple),
)


@given(st.lists(example, max_size=6, unique_by=lambda one: one.example_id))
def test_examples_come_back_as_they_were(examples: list[Example]) -> None:
    ordered = sorted(examples, key=lambda one: one.example_id)
    assert table_to_examples(examples_to_table(examples)) == ordered


@given(st.lists(example, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_change_the_table(examples: list[Example], chance: object) -> None:
    distinct = list({one.example_id: one for one in examples}.values())
    shuffled = distinct + distinct[:1]
    chance.shuffle(shuffled)
    assert examples_to_table(shuffled).equals(examples_to_table(distinct))


def test_an_example_names_every_product_it_shows() -> None:
    one = Example(
        "t",
        "s",
        "i",
        "ind",
        "us",
        ("asin:B",),
        {},
        "x",
        context=(Item("asin:C", "c"),),
        options=(Option("x", "x", "asin:A"), Option("y", "y")),
        spare_options=(Option("z", "z", "asin:Z"),),
    )
    assert one.all_products == ("asin:A", "asin:B", "asin:C")


def test_an_example_names_every_record_it_shows_once() -> None:
    spare = Option("z", "z", "asin:Z", "", "s", "products", 7)
    one = Example(
        "t",
        "s",
        "i",
        "ind",
        "us",
        (),
        {},
        "x",
        context=(Item("asin:C", "c", "s", "products", 3),),
        options=(Option("x", "x", "asin:A", "", "s", "products", 5), Option("y", "y")),
        spare_options=(spare,),
        origins=(Origin("s", "reviews", 1), Origin("s", "products", 3)),
    )
    assert one.all_origins == (Origin("s", "reviews", 1), Origin("s", "products", 3), Origin("s", "products", 5))
    settled = replace(one, options=(spare,), context=())
    assert settled.all_origins == (*one.origins, Origin("s", "products", 7))


def test_values_apart_in_a_single_column_stay_apart() -> None:
    """So many values that codes for all columns together would not fit into 64 bits."""
    many = [Option(f"k{n}", f"t{n}", f"p{n}", f"g{n}", f"s{n}", f"f{n}", n + 1) for n in range(700)]
    one = Example("t", "s", "i", "ind", "us", (), {}, "x", options=tuple(many * 2))
    assert table_to_examples(examples_to_table([one])) == [one]
