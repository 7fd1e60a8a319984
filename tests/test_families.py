"""Product families: what is joined by id and by text, counted on made titles, and the laws that any joining obeys."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import combinations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.lexicon.title_words import read_title
from quality.splitting.families import PAIRS, equal_titles, families_of, near_identical

pytestmark = pytest.mark.slow

Product = tuple[str, str | None, str | None]


def table(products: Iterable[Product]) -> pa.Table:
    columns = list(zip(*products, strict=True)) or [(), (), ()]
    return pa.table(
        dict(zip(("product_id", "title", "brand"), (pa.array(c, pa.string()) for c in columns), strict=True))
    )


def family_map(pairs: pa.Table) -> dict[str, str]:
    families = families_of(pairs).to_pydict()
    return dict(zip(families["product_id"], families["family_id"], strict=True))


def joined(one: str, other: str, *brands: str | None, variants: bool = True, similarity: float = 0.9) -> bool:
    first, second = brands or (None, None)
    rows = table([("p1", one, first), ("p2", other, second)])
    return bool(near_identical(rows, similarity=similarity, variants=variants).num_rows)


def test_families_join_ids_over_all_their_parents() -> None:
    pairs = pa.table({"product_id": ["b", "c", "c", "e", "f", "g"], "parent_id": ["a", "a", "d", None, "f", "h"]})
    assert family_map(pairs) == {"a": "a", "b": "a", "c": "a", "d": "a", "g": "g", "h": "g"}
    assert family_map(PAIRS.empty_table()) == {}
    assert family_map(pa.table({"product_id": ["x"], "parent_id": [""]})) == {}


@given(st.lists(st.tuples(*[st.sampled_from("abcdefghij")] * 2), max_size=12), st.randoms(use_true_random=False))
def test_families_are_a_partition_that_joins_every_pair(pairs: list[tuple[str, str]], order: random.Random) -> None:
    columns = list(zip(*pairs, strict=True)) or [(), ()]
    families = families_of(pa.table([pa.array(c, pa.string()) for c in columns], schema=PAIRS))
    named = dict(zip(families["product_id"].to_pylist(), families["family_id"].to_pylist(), strict=True))
    assert families["product_id"].to_pylist() == sorted(set().union(*(pair for pair in pairs if pair[0] != pair[1])))
    assert all(named.get(one, one) == named.get(other, other) for one, other in pairs)
    assert all(family == min(key for key in named if named[key] == family) for family in named.values())
    shuffled = [pair[::-1] if order.random() < 0.5 else pair for pair in order.sample(pairs, len(pairs))]
    columns = list(zip(*shuffled, strict=True)) or [(), ()]
    assert families_of(pa.table([pa.array(c, pa.string()) for c in columns], schema=PAIRS)).equals(families)


def test_titles_that_read_the_same_are_one_product_whatever_brand_they_have() -> None:
    titles = {
        "p1": "Harbor Point Kettle 1.7 Litres",
        "p2": "harbor point kettle 1.\ufeff7 litres",
        "p3": "Harbor Point <b>Kettle</b> 1.7 Litres!",
        "p4": "Harbor Point Kettle 1.8 Litres",
        "p7": "Harbor Po\x07int Kettle 1.\x1f7 Litres",
        "p5": "Kettle",
        "p6": "Kettle",
    }
    found = equal_titles(pa.table({"product_id": list(titles), "title": list(titles.values())}))
    assert found.to_pylist() == [{"product_id": one, "parent_id": "p1"} for one in ("p2", "p3", "p7")]


@pytest.mark.parametrize(
    ("title", "variants"),
    [
        ("Trail Bottle, 12 oz", ["12oz"]),
        ("Trail Bottle 12-Ounce", ["12oz"]),
        ("Trail Bottle 1,000 ml", ["1000ml"]),
        ("Flash Drive 32GB", ["32gb"]),
        ('Wall Frame 10" Oak', ["10in"]),
        ("Wall Frame 2-1/2 inch Oak", ["2+1/2in"]),
        ("Garden Hose 6 ft", ["6ft"]),
        ("Wall Frame 8.5 x 11 in", ["8.5x11in"]),
        ("Rug 5x7", ["5x7"]),
        ("Sponges 2-Pack", ["2pack"]),
        ("Sponges (Pack of 3)", ["3pack"]),
        ("Sponges Set of Four", ["4pack"]),
        ("Trail Shoe Size 9", ["9"]),
        ("Trail Shoe 9.5 D(M) US", ["9.5"]),
        ("Trail Shoe 9.5 US", ["9.5"]),
        ("Trail Shirt, Navy Blue, X-Large", ["blue", "large", "navy", "x"]),
        ("Trail Shirt Red S", ["red", "s"]),
        ("Trail Bottle Color: Rose Gold", ["gold", "rose"]),
    ],
)
def test_sizes_colours_and_quantities_are_read_as_variants(title: str, variants: list[str]) -> None:
    assert list(read_title(title).variants) == sorted(variants)
    assert read_title(title).marks == ()


@pytest.mark.parametrize(
    ("title", "marks"),
    [
        ("Harbor Mixer KX-200", ["kx200"]),
        ("Watch 5488-STC-00300", ["5488stc00300"]),
        ("Adventure Tales Volume 2", ["2"]),
        ("Adventure Tales II", ["ii"]),
        ("Office Planner 2008", ["2008"]),
        ("Office Planner v2.0", ["2"]),
        ("Office Planner Gold Edition", ["gold"]),
        ("Heater 500 Watts", ["500w"]),
        ("Phone with 4G", ["4g"]),
        ("Cleaner 3 in 1", ["1", "3"]),
        ("Lens 50mm f/1.8", ["1.8", "50mm", "f"]),
        ("Binoculars 10x42", ["10x42"]),
        ("Vitamin C", ["c"]),
        ('Harbor Watch "25418000"', ["25418000"]),
    ],
)
def test_what_tells_products_apart_is_read_as_such(title: str, marks: list[str]) -> None:
    assert list(read_title(title).marks) == marks
    assert read_title(title).variants == ()


LONG = "Harbor Point Insulated Camping Kettle with Folding Handle and Whistle"


@pytest.mark.parametrize("variants", [True, False])
@pytest.mark.parametrize(
    ("one", "other", "brands"),
    [
        ("Harbor Point KX-200 Stand Mixer", "harbor point kx200 stand mixer!", (None, None)),
        ("Harbor Point Stand Mixer 500 W Motor", "Harbor Point Stand Mixer, 500-Watt Motor", (None, None)),
        ("Deluxe Stand Mixer with Bowl", "Harbor Point Deluxe Stand Mixer with Bowl", ("Harbor Point", None)),
        (
            "Deluxe Stand Mixer with Bowl",
            "Harbor Point Deluxe Stand Mixer with Bowl",
            ("Harbor Point Inc.", "Harbor Point"),
        ),
        ("Deluxe Stand Mixer with Bowl", "Deluxe Stand Mixer with Bowl", ("Harbor Point", "Harbor")),
        ("Deluxe Stand Mixer with Bowl", "Deluxe Stand Mixer &amp; <b>with</b> Bowl", ("Harbor Point", None)),
        (LONG, LONG + " Set", ("Harbor Point", None)),
        (
            "Deluxe Stand Mixer with Bowl",
            "Deluxe Stand Mixer with Bowl by Harbor Point",
            ("Harbor Point", "Harbor Point"),
        ),
        ("Kettle 20", "kettle 20", ("Harbor Point", "harbor point")),
        ("Men's Merino Wool Hiking Socks Grey", "Mens Merino Wool Hiking Socks (grey)", (None, None)),
    ],
)
def test_one_product_in_other_words_is_one_family(
    one: str, other: str, brands: tuple[str, str], variants: bool
) -> None:
    assert joined(one, other, *brands, variants=variants)
    assert joined(other, one, *brands[::-1], variants=variants)


@pytest.mark.parametrize("variants", [True, False])
@pytest.mark.parametrize(
    ("one", "other", "brands"),
    [
        ("Harbor EOS 5D Digital Camera Body", "Harbor EOS 7D Digital Camera Body", (None, None)),
        ("Tales of the Old Harbor Volume 1", "Tales of the Old Harbor Volume 2", (None, None)),
        ("Tales of the Old Harbor VII", "Tales of the Old Harbor VIII", (None, None)),
        ("Harbor Tax Planner Software 2007", "Harbor Tax Planner Software 2008", (None, None)),
        ("Harbor Tax Planner Home Software", "Harbor Tax Planner Business Software", (None, None)),
        (LONG, LONG.replace("Kettle", "Lantern"), ("Harbor Point", "Harbor Point")),
        (LONG, LONG + " Replacement", ("Harbor Point", "Harbor Point")),
        (LONG, LONG, ("Harbor Point", "Cedar Works")),
        ("Prime Lens 50mm for Harbor Cameras", "Prime Lens 85mm for Harbor Cameras", (None, None)),
        ("Ceramic Space Heater 500 W Oscillating", "Ceramic Space Heater 900 W Oscillating", (None, None)),
        ("Vitamin C Supplement for Daily Health", "Vitamin D Supplement for Daily Health", (None, None)),
        ("Harbor Watch Cream Dial 25418000", "Harbor Watch Cream Dial 22545000", (None, None)),
        ("Socks", "Socks", ("Harbor Point", "Harbor Point")),
        ("Product Title", "Product Title", ("Harbor Point", "Harbor Point")),
        ("Kettle 20", "Kettle 20", (None, None)),
        ("Kettle Red 20", "Kettle Blue 20", ("Harbor Point", "Harbor Point")),
        (
            "#nav{display:none} .line{font-size:11px;}",
            "#nav{display:none} .line{font-size:11px;}",
            ("Harbor", "Harbor"),
        ),
    ],
)
def test_two_products_stay_two(one: str, other: str, brands: tuple[str, str], variants: bool) -> None:
    assert not joined(one, other, *brands, variants=variants)
    assert not joined(other, one, *brands[::-1], variants=variants)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Harbor Point Trail Running Shirt Red S", "Harbor Point Trail Running Shirt Navy Blue XL"),
        ("Harbor Point Foaming Dish Soap 12 oz", "Harbor Point Foaming Dish Soap 32 oz (Pack of 2)"),
        ("Harbor Point Braided Garden Hose 6 ft", "Harbor Point Braided Garden Hose 50-Foot"),
        ('Harbor Point Maple Wall Frame 8" x 10"', "Harbor Point Maple Wall Frame 11x14"),
        ("Harbor Point Flash Drive Keyring 32GB", "Harbor Point Flash Drive Keyring 128 GB"),
        ("Harbor Point Trail Runner Shoe Size 9", "Harbor Point Trail Runner Shoe 10.5 D(M) US"),
    ],
)
def test_sizes_and_colours_join_by_recipe_choice(one: str, other: str) -> None:
    assert joined(one, other, variants=True)
    assert not joined(one, other, variants=False)


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.9])
def test_similarity_is_the_share_of_words_that_the_titles_have_in_common(similarity: float) -> None:
    words = [f"harbor{letter}" for letter in "bcdefghijklmopqrtuwyz"[:20]]
    words = ["".join(character for character in word if character.isalpha()) for word in words]
    for missing in range(1, 15):
        assert joined(" ".join(words), " ".join(words[missing:]), similarity=similarity) == (
            (20 - missing) / 20 >= similarity - 1e-9
        )


NOUNS = ("Kettle", "Lantern", "Backpack", "Blanket", "Router", "Toaster", "Stapler", "Bracelet", "Helmet", "Notebook")
KINDS = (
    "Insulated",
    "Folding",
    "Ceramic",
    "Wireless",
    "Quilted",
    "Magnetic",
    "Vintage",
    "Portable",
    "Woven",
    "Hammered",
)
USES = ("Camping", "Kitchen", "Travel", "Office", "Garden", "Workshop", "Picnic", "Classroom", "Cycling", "Nursery")
BRANDS = ("Harbor Point", "Cedar Works", "Lumen Ridge", "Oakline", "Tidewater Supply")


def made_catalogue() -> tuple[list[Product], dict[str, str], dict[str, str]]:
    """600 products: rows in several wordings and variants; which product and which variant each row is."""
    order = random.Random(11)
    kinds = order.sample([(n, k, u, b) for n in NOUNS for k in KINDS for u in USES for b in BRANDS], 200)
    rows: list[Product] = []
    product_of: dict[str, str] = {}
    variant_of: dict[str, str] = {}

    def add(product: str, variant: str, title: str, brand: str | None) -> None:
        key = f"id:{order.randrange(16**8):08x}"
        rows.append((key, title, brand))
        product_of[key], variant_of[key] = product, f"{product} {variant}"

    for number, (noun, kind, use, brand) in enumerate(kinds):
        base = f"{brand} {kind} {use} {noun} Series with Cotton Storage Pouch"
        # A model number, an edition and a year each make another product of nearly the same words.
        for model in (f"{base} KX-{100 + number}", f"{base} KX-{1100 + number}", f"{base} {2007 + number % 5}"):
            for colour, size in order.sample([(c, s) for c in ("Red", "Navy Blue") for s in ("12 oz", "32 Ounce")], 2):
                variant = f"{colour} {size.split()[0]}"
                add(model, variant, f"{model}, {colour}, {size}", brand)
                add(model, variant, f"{model.upper()} - {size} ({colour})", None)
                add(model, variant, f"{model.removeprefix(brand)} {size} {colour}", f"{brand}, Inc.")
        add(f"{base} Replacement {number}", "", f"{base} Replacement {number}", brand)
    return rows, product_of, variant_of


@pytest.mark.parametrize("variants", [True, False])
def test_variants_are_found_and_neighbours_are_not_taken_for_them(variants: bool) -> None:
    rows, product_of, variant_of = made_catalogue()
    truth = product_of if variants else variant_of
    found = family_map(near_identical(table(rows), similarity=0.9, variants=variants))
    members = Counter(truth.values())
    wanted = sum(count * (count - 1) // 2 for count in members.values())
    mixed = Counter((found.get(key, key), truth[key]) for key in truth)
    right = sum(count * (count - 1) // 2 for count in mixed.values())
    claimed = sum(count * (count - 1) // 2 for count in Counter(found.values()).values())
    assert wanted > 3000
    assert right / wanted >= 0.99
    assert right / claimed >= 0.99


TITLE_WORDS = ("alder", "birch", "cedar", "dogwood", "elder", "fern", "ginkgo", "hazel", "juniper", "larch", "maple")
worlds = st.lists(
    st.tuples(
        st.sampled_from([f"p{number}" for number in range(9)]),
        st.tuples(
            st.integers(3, 11),
            st.sets(st.sampled_from(TITLE_WORDS), max_size=2),
            st.sampled_from(["", "", "kx-20", "2007", "red", "blue", "12 oz", "32 oz", "pro", "extra"]),
        ).map(lambda parts: " ".join([w for w in TITLE_WORDS[: parts[0]] if w not in parts[1]] + [parts[2]])),
        st.sampled_from([None, "Oakline", "Oakline Inc", "Oakline Tools", "Alder", "Maple"]),
    ),
    max_size=8,
)
choices = {"similarity": st.sampled_from([0.6, 0.8, 0.9, 1.0]), "variants": st.booleans()}


@settings(max_examples=150)
@given(world=worlds, order=st.randoms(use_true_random=False), **choices)
def test_the_order_of_products_does_not_matter(
    world: list[Product], order: random.Random, similarity: float, variants: bool
) -> None:
    found = near_identical(table(world), similarity=similarity, variants=variants)
    shuffled = table(order.sample(world, len(world)))
    assert near_identical(shuffled, similarity=similarity, variants=variants).equals(found)
    assert all(pair["parent_id"] < pair["product_id"] for pair in found.to_pylist())


@settings(max_examples=150)
@given(world=worlds, **choices)
def test_two_products_are_of_one_family_where_a_chain_of_like_pairs_leads_from_one_to_the_other(
    world: list[Product], similarity: float, variants: bool
) -> None:
    alone = [PAIRS.empty_table()]
    for one, other in combinations(world, 2):
        alone.append(near_identical(table([one, other]), similarity=similarity, variants=variants))
    together = near_identical(table(world), similarity=similarity, variants=variants)
    assert families_of(together).equals(families_of(pa.concat_tables(alone)))


@settings(max_examples=100)
@given(world=worlds, more=worlds, **choices)
def test_more_products_split_no_family(
    world: list[Product], more: list[Product], similarity: float, variants: bool
) -> None:
    few = family_map(near_identical(table(world), similarity=similarity, variants=variants))
    many = family_map(near_identical(table([*world, *more]), similarity=similarity, variants=variants))
    assert all(many[product] == many[family] for product, family in few.items())


@pytest.mark.parametrize(
    "piece", ["a", "1", "a-", "1-", "1x", "1.", "1,000", "'", '1"', "9 d ", "1/2 ", "pack of ", "\u0301", "&lt;", "<"]
)
def test_a_hostile_title_is_read_in_time_and_joins_what_is_equal(piece: str) -> None:
    title = f"Harbor Point Insulated Camping Kettle {piece * 100_000}"
    assert joined(title, title + " -", "Oakline", "Oakline")


def test_many_titles_of_one_pattern_make_no_giant_family() -> None:
    names = [f"{a}{b}{c}" for a in "bdfgk" for b in ("ara", "eto", "ilo", "una") for c in ("n", "ra", "s", "lo", "mi")]
    rows = [
        (f"p{n}", f"Personalised Ceramic Coffee Mug for {name} with Gift Box and Matching Spoon", "Oakline")
        for n, name in enumerate(names)
    ]
    assert near_identical(table(rows), similarity=0.8, variants=True).num_rows == 0
