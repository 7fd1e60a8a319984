"""Privacy: planted private data is found and masked, numbers of products are left alone."""

import csv
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecinstruct_build.check import Evidence
from ecinstruct_build.example import Example, Item, Option
from quality import privacy
from quality.lexicon.phones import region_of
from quality.lexicon.private_data import KINDS, Kind, find
from quality.privacy import PrivacySettings, masked, repair

SETTINGS = PrivacySettings()
COUNT = 300

Maker = Callable[[random.Random], str]


def digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))


def checked(body: str, weights: tuple[int, int]) -> str:
    """Add the check digit of UPC and EAN (weights 3, 1) or of a card (2, 1)."""
    products = [int(digit) * weights[place % 2] for place, digit in enumerate(reversed(body))]
    total = sum(sum(divmod(one, 10)) if weights == (2, 1) else one for one in products)
    return f"{body}{-total % 10}"


def email(dice: random.Random) -> str:
    name = dice.choice(["mara.lind", "t_oakes", "Jo-Ellen", "kettle.fan+shop", "o"]) + dice.choice(
        ["", digits(dice, 2)]
    )
    host = dice.choice(["example.com", "mail.example.org", "post.example.co.uk", "EXAMPLE.NET"])
    at = dice.choice(["@", "@", "@", " [at] ", "(at)"])
    around = dice.choice(["write to {} please", "<{}>", "My address:{}.", "({})", "mail {}, or not", "{}"])
    return around.format(f"{name}{at}{host}")


def phone(dice: random.Random) -> str:
    area, line = dice.choice(["212", "312", "415", "206"]), f"01{digits(dice, 2)}"
    certain = [f"({area}) 555-{line}", f"{area}-555-{line}", f"1-{area}-555-{line}", f"+1 {area} 555 {line}"]
    told = [*certain, f"{area}555{line}", f"{area} 555 {line}", f"555-{line}", f"{area}.555.{line}"]
    if dice.random() < 0.4:
        around = ["I got nowhere with {} on Monday.", "{}", "Their line ({}) was busy", "Mrs Lind, {}, was kind"]
        return dice.choice(around).format(dice.choice(certain))
    around = ["call me at {} after six", "my cell is {}.", "Tel: {}", "phone number {}", "please contact us on {}"]
    return dice.choice(around).format(dice.choice(told))


def link(dice: random.Random) -> str:
    code = "".join(dice.choices("abcdefXYZ0123456789", k=24)) + "a1B2c3D4e5"
    links = [
        f"https://shop.example/reset?token={digits(dice, 6)}",
        f"http://www.shop.example/a/b?x=1&session_id=s{digits(dice, 5)}",
        f"https://mara:pw{digits(dice, 3)}@files.example/list",
        f"www.shop.example/login/{code}",
        f"shop.example/view?item=12&api_key=K{digits(dice, 8)}",
        f"https://shop.example/dp/B00TESTXYZ?tag=mara{digits(dice, 2)}-20",
        f"https://shop.example/cart;jsessionid=A{digits(dice, 6)}?x=1",
        f"https://shop.example/go?u={code}",
    ]
    return dice.choice(["see {} for mine", "({})", "Here:{}.", "{}"]).format(dice.choice(links))


def order(dice: random.Random) -> str:
    amazon = f"{digits(dice, 3)}-{digits(dice, 7)}-{digits(dice, 7)}"
    if dice.random() < 0.4:
        return dice.choice(["{} never came", "It was {}.", "(order {})"]).format(amazon)
    number = dice.choice([digits(dice, 8), f"W{digits(dice, 9)}", f"AB-{digits(dice, 7)}", digits(dice, 5), amazon])
    around = ["order # {} never came", "Order number: {}.", "my order no. {} was late", "invoice #{}", "RMA number {}"]
    return dice.choice([*around, "order number is {}", "Order ID {}", "account number {}"]).format(number)


def card(dice: random.Random) -> str:
    body = dice.choice(["4", "51", "54", "6011", "37"])
    number = checked(body + digits(dice, (14 if body == "37" else 15) - len(body)), (2, 1))
    cuts = (0, 4, 10, 15) if body == "37" else (0, 4, 8, 12, 16)
    groups = [number[begin:end] for begin, end in pairwise(cuts)]
    if sum(group.endswith("0") for group in groups) > 1:
        return card(dice)
    number = dice.choice(["", " ", "-"]).join(groups)
    return dice.choice(["they charged my card {} twice", "Visa {}", "{}", "it was {}, I think"]).format(number)


def tracking(dice: random.Random) -> str:
    certain = [f"1Z{digits(dice, 3)}A{digits(dice, 12)}", f"9400{digits(dice, 18)}", f"TBA{digits(dice, 12)}"]
    if dice.random() < 0.5:
        return dice.choice(["{} says delivered", "it is {}."]).format(dice.choice(certain))
    return dice.choice(["tracking number {}", "Tracking #: {}."]).format(dice.choice([*certain, digits(dice, 12)]))


PRIVATE: Mapping[Kind, Maker] = {
    "email": email,
    "phone": phone,
    "link": link,
    "order": order,
    "card": card,
    "tracking": tracking,
}


def trap(dice: random.Random) -> str:
    """Make a piece of product text full of digits that are nobody's."""
    year = dice.randrange(1950, 2024)
    part = f"{digits(dice, 3)}-{digits(dice, 4)}"
    upc, ean = checked(digits(dice, 11), (3, 1)), checked(f"4{digits(dice, 11)}", (3, 1))
    isbn = f"978-{digits(dice, 1)}-{digits(dice, 4)}-{digits(dice, 4)}-{digits(dice, 1)}"
    amount = f"${dice.randrange(1, 9)},{digits(dice, 3)},{digits(dice, 3)}.99"
    sizes = " x ".join(f"{dice.randrange(1, 99)}.{digits(dice, 1)}" for _ in range(3))
    return dice.choice(
        [
            f"Halden kettle KX-{digits(dice, 4)}-{digits(dice, 4)}, black",
            f"Brixholm pump, part {part}, grey",
            f"Replacement belt {part} for mowers",
            f"Part No. {digits(dice, 3)}-{digits(dice, 3)}-{digits(dice, 4)}",
            f"replaces 212-555-{digits(dice, 4)} and 312-{digits(dice, 3)}-{digits(dice, 4)}X",
            f"Vornell drill 010-{digits(dice, 5)}-00 with case",
            f"UPC {upc}",
            f"EAN: {ean} (pack of 6)",
            f"{upc} {ean}",
            f"ISBN {isbn}, paperback",
            f"{isbn}",
            f"ISBN-10: {digits(dice, 9)}X",
            f"Desk, {sizes} inches, {dice.randrange(100, 900)} lbs",
            f"was {amount} now $1,299.00",
            f"Fits {year}-{year + 9} Tessaro and {year}/{year + 3} Odelle",
            f"The hits 19{digits(dice, 2)}-20{digits(dice, 2)}, called by many the best of {year}-{year + 30}",
            f"made on {year}-11-{dice.randrange(10, 28)} at 10:30:{dice.randrange(10, 59)}",
            f"12/{dice.randrange(10, 28)}/{year} and 3.{dice.randrange(10, 28)}.{year}",
            f"serial number {digits(dice, 10)}",
            f"S/N {digits(dice, 16)}",
            f"model # {digits(dice, 8)}, item number {digits(dice, 9)}",
            f"Kinder lamp {digits(dice, 3)} {digits(dice, 3)} {digits(dice, 4)} lumen",
            f"for phones 5800, 6300, 7100 and {digits(dice, 4)}",
            f"Cordless phone KX-TG{digits(dice, 4)} {digits(dice, 3)} hours",
            f"0{digits(dice, 9)} - charger",
            "Pumps of 5200 5600 6000 6400 litres",
            f"120-240V, 50/60Hz, {digits(dice, 4)}mAh, 1920x1080@60 4K@30fps logo@2x.png",
            f"order 2 or 3 of size {digits(dice, 3)}, order number two came, in order no. 1",
            f"https://shop.example/Steel-Kettle-And-Lid-2-Quarts/dp/B0{digits(dice, 8)}/ref=sr_1_2",
            f"http://shop.example/s?page=2&qid={digits(dice, 10)}&keywords=steel+kettle",
            f"Sinusite 1{digits(dice, 3)} x 2{digits(dice, 3)} +/- 0.{digits(dice, 7)}",
            f"1-{digits(dice, 2)} of 100-200-3000 beads, 800-1000 coins",
        ]
    )


def found(text: str, locale: str = "us") -> list[tuple[Kind, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text, frozenset(KINDS), region_of(locale))]


@pytest.mark.parametrize("kind", KINDS)
def test_planted_data_is_found_as_what_it_is(kind: Kind) -> None:
    dice = random.Random(f"planted {kind}")
    planted = [f"{trap(dice)}. {PRIVATE[kind](dice)}" for _ in range(COUNT)]
    kinds = [[one for one, _ in found(text)] for text in planted]
    missed = [text for text, each in zip(planted, kinds, strict=True) if kind not in each]
    wrong = [text for text, each in zip(planted, kinds, strict=True) if set(each) - {kind}]
    print(f"{kind}: recall {1 - len(missed) / COUNT:.3f}, called another kind too {len(wrong) / COUNT:.3f}")
    assert (missed[:5], wrong[:5]) == ([], [])


def test_numbers_of_products_are_left_alone() -> None:
    dice = random.Random("traps")
    texts = [trap(dice) for _ in range(3000)]
    wrong = [(text, found(text)) for text in texts if found(text)]
    print(f"false positives: {len(wrong)} of {len(texts)}")
    assert wrong == []


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("uk", "ring them on 020 7946 0123", "020 7946 0123"),
        ("uk", "Halden Ltd, 0117 496 0123", "0117 496 0123"),
        ("es", "llámame al 600123456 por favor", "600123456"),
        ("es", "Tel. 912 345 678", "912 345 678"),
        ("jp", "電話は0120-123-456です", "0120-123-456"),
        ("jp", "03-1234-5678", "03-1234-5678"),
        ("de", "Rückruf: +49 30 123456", "+49 30 123456"),
        ("nowhere", "from abroad +44 20 7946 0123", "+44 20 7946 0123"),
    ],
)
def test_phone_numbers_are_those_of_the_marketplace(locale: str, text: str, expected: str) -> None:
    assert found(text, locale) == [("phone", expected)]


@pytest.mark.parametrize(
    ("locale", "text", "expected"),
    [
        ("es", "nº de pedido 4031234567", "4031234567"),
        ("es", "pedido número: AB12345", "AB12345"),
        ("jp", "注文番号は12345678です", "12345678"),
    ],
)
def test_orders_are_found_in_other_languages(locale: str, text: str, expected: str) -> None:
    assert found(text, locale) == [("order", expected)]


@pytest.mark.parametrize(
    "text",
    [
        "it says 4111 1111 1111 1112 on the back",
        "see https://shop.example/item/212-555-0123 for the lid",
        "https://shop.example/order/114-1234567-7654321",
    ],
)
def test_wrong_check_digits_and_numbers_in_plain_links_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_examples_are_judged_by_their_own_marketplace() -> None:
    examples = [example({"text": "0117 496 0123"}, locale=locale) for locale in ("us", "uk")]
    apart = [replace(one, identity=one.locale) for one in examples]
    (verdict,) = privacy.judge(apart, SETTINGS, Evidence())
    assert verdict.example_id == apart[1].example_id


def example(fields: Mapping[str, Any], answer: Any = "yes", locale: str = "us", **more: Any) -> Example:
    return Example("t", "corpus", "one", "ind", locale, (), fields, answer, **more)


def test_a_verdict_tells_of_the_datum_its_first_letter_and_its_length() -> None:
    one = example(
        {"review": "Write to mara@example.com or t@example.com, order # 12345678."}, answer="mara@example.com"
    )
    verdicts = privacy.judge([one], SETTINGS, Evidence())
    assert [(each.reason, each.score, each.remedy) for each in verdicts] == [
        ("e-mail address", 3.0, "repair"),
        ("order number", 1.0, "repair"),
    ]
    assert verdicts[0].detail == (
        "review: m\u2026 (16 characters); review: t\u2026 (13 characters); answer: m\u2026 (16 characters)"
    )
    assert verdicts[1].detail == "review: 1\u2026 (8 characters)"


def test_every_text_of_an_example_is_masked_and_nothing_else_changes() -> None:
    address = "mara@example.com"
    one = example(
        {"question": f"Ask {address}?", "snippets": ["Fine.", {"by": address, "stars": 5, "null": None}]},
        answer="a",
        context=(Item("p", f"item {address}"),),
        options=(Option("a", f"right {address}", "p1"), Option("b", "wrong", "p2")),
        spare_options=(Option("c", f"spare {address}", "p3"),),
    )
    (verdict,) = privacy.judge([one], SETTINGS, Evidence())
    assert verdict.score == 5
    expected = replace(
        one,
        fields={"question": "Ask [email]?", "snippets": ["Fine.", {"by": "[email]", "stars": 5, "null": None}]},
        context=(Item("p", "item [email]"),),
        options=(Option("a", "right [email]", "p1"), Option("b", "wrong", "p2")),
        spare_options=(Option("c", "spare [email]", "p3"),),
    )
    assert repair(one, SETTINGS) == expected
    assert privacy.judge([expected], SETTINGS, Evidence()) == []


def test_an_answer_still_stands_in_the_text_it_was_taken_from() -> None:
    paragraphs = [{"source": "description", "text": "Questions? Call 2125550123, or see the box."}]
    answer = [{"attribute": "Phone", "value": "2125550123", "source": "description"}]
    mended = repair(example({"paragraphs": paragraphs}, answer), SETTINGS)
    assert mended.fields["paragraphs"][0]["text"] == "Questions? Call [phone], or see the box."
    assert mended.answer == [{"attribute": "Phone", "value": "[phone]", "source": "description"}]


def test_what_an_answer_announces_is_masked_in_the_fields_too() -> None:
    mended = repair(example({"snippets": ["2125550123 helped, 21255501234 did not"]}, "Call 2125550123."), SETTINGS)
    assert (mended.fields["snippets"], mended.answer) == (["[phone] helped, 21255501234 did not"], "Call [phone].")


def test_options_stay_shared_masked_or_not() -> None:
    private, plain = Option("a", "mail mara@example.com"), Option("b", "a kettle")
    examples = [example({"n": str(number)}, "a", options=(private, plain)) for number in range(2)]
    one, other = (repair(each, SETTINGS) for each in examples)
    assert one.options[1] is plain
    assert one.options[0] is other.options[0]


def test_the_recipe_says_what_to_look_for_and_what_stands_for_it() -> None:
    settings = PrivacySettings(kinds=("phone",), phone_mask="[a number]")
    one = example({"review": "mara@example.com or (212) 555-0123"})
    assert [verdict.reason for verdict in privacy.judge([one], settings, Evidence())] == ["phone number"]
    assert repair(one, settings).fields == {"review": "mara@example.com or [a number]"}


@pytest.mark.parametrize("mask", ["", "email", "[call 5]", "[a@b.example]", "[]", "[one] [two]"])
def test_masks_that_could_be_taken_for_data_are_refused(mask: str) -> None:
    with pytest.raises(ValidationError):
        PrivacySettings(email_mask=mask)


SNIPPETS = (
    *("@", ".", "-", " ", "(", ")", "[", "]", "/", "x", "http://", "?token=", "a.example", "mara@example.com", "電話"),
    *("call ", "order # ", "tel. ", "Part No. ", "card ", "[phone]", "[order number]", "[email]", "+1 "),
    *("212-555-0123", "2125550123", "(212) 555-0123", "12345678", "4111 1111 1111 1111", "114-1234567-7654321"),
)
PIECES = st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=6), st.integers(0, 10**12).map(str))
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@given(TEXTS, st.sampled_from(["us", "uk", "es", "jp", "zz"]))
def test_what_is_masked_holds_nothing_more_to_mask(text: str, locale: str) -> None:
    once = masked(text, SETTINGS, locale)
    assert masked(once, SETTINGS, locale) == once
    assert found(once, locale) == []


@given(st.lists(TEXTS, max_size=4), TEXTS, st.booleans())
def test_what_is_repaired_is_repaired_for_good(fields: Sequence[str], answer: str, chosen: bool) -> None:
    options = (Option("a", answer), Option("b", "".join(fields))) if chosen else ()
    one = example(
        {"texts": list(fields), "n": {"deep": answer}},
        "a" if chosen else answer,
        options=options,
        context=(Item("p", answer),),
    )
    mended = repair(one, SETTINGS)
    assert privacy.judge([mended], SETTINGS, Evidence()) == []
    assert repair(mended, SETTINGS) == mended
    assert (mended == one) == (privacy.judge([one], SETTINGS, Evidence()) == [])


@given(st.lists(TEXTS, max_size=8), st.randoms())
def test_the_order_of_examples_does_not_matter(texts: list[str], order: random.Random) -> None:
    examples = [
        replace(example({"text": text}, locale="us" if number % 2 else "jp"), identity=str(number))
        for number, text in enumerate(texts)
    ]
    shuffled = order.sample(examples, len(examples))
    assert privacy.judge(shuffled, SETTINGS, Evidence()) == privacy.judge(examples, SETTINGS, Evidence())


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1-",
        "1 ",
        "a@",
        "a.",
        "a@b.",
        "order # ",
        "call ",
        "call 1 ",
        "http://",
        "x?token=1&",
        "(212) 555-0123 ",
        "m@a.example ",
    ],
)
def test_long_texts_are_read_to_the_end(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert found(masked(text, SETTINGS, "us")) == []


def real_titles(corpora: Path) -> Iterator[str]:
    for file, name in (("amazon_google/Amazon.csv", "title"), ("amazon_google/GoogleProducts.csv", "name")):
        with (corpora / file).open(encoding="latin-1", newline="") as lines:
            yield from (row[name] for row in csv.DictReader(lines))
    for file in ("abt_buy/Abt.csv", "abt_buy/Buy.csv"):
        with (corpora / file).open(encoding="utf-8", errors="replace", newline="") as lines:
            yield from (row["name"] for row in csv.DictReader(lines))
    products = pq.read_table(corpora / "esci/shopping_queries_dataset_products.parquet", columns=["product_title"])
    yield from filter(None, products.column(0).to_pylist())
    for path in sorted((corpora / "wdc_products").rglob("*.txt*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from line.split("\t")[:2]


def test_real_titles_survive(real_corpora: Path) -> None:
    titles = sorted(set(real_titles(real_corpora)))
    wrong = [title for title in titles if found(title)]
    print(f"titles with something masked: {len(wrong)} of {len(titles)}")
    assert len(titles) > 10_000
    assert len(wrong) <= len(titles) / 5000
