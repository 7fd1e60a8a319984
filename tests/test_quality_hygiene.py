"""The hygiene check: what it finds, what it mends, and what it leaves alone."""

import unicodedata
from dataclasses import replace
from itertools import product

import foreign_titles
import pytest
from ftfy.badness import MOJIBAKE_CATEGORIES, is_bad
from hypothesis import given
from hypothesis import strategies as st
from made_examples import MAKERS, make_example

from ecinstruct_build import chance
from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.example import Example, Item, Option, examples_to_table, table_to_examples
from ecinstruct_build.text import clean, mend, plain
from quality.hygiene import HygieneSettings, faults, judge, repair, repaired

SETTINGS = HygieneSettings()

PROSE = """
kettle steel boils quickly quiet lamp warm light oak shelf sturdy screws included carpet soft wool rug thick holds
(twelve) books 3.5" wide; 40% off! isn't A/C & R2-D2 size: <M> only, x > 3 $19.99 #1 e.g. function (see manual)
caf\u00e9 \u201cfine\u201d it\u2019s 20\u00b0C Nestl\u00e9\u00ae na\u00efve \u2013 5\u00bd \u2605\u2605
\u65e5\u672c the window. document list of {two} var. x = 2 test unknown
"""
MARKUP = ("<br />", "<b>new</b>", '<a class="x" href="/p/1">here</a>', "&lt;i&gt;very&lt;/i&gt;", "<!-- note -->")
ENTITIES = ("&amp;", "&#34;", "&quot;", "&eacute;t&eacute;", "&#x27;", "&amp;nbsp;", "&#8211;")
HIDDEN = ("\u200b", "\ufeff", "\u2060", "\x07", "\x1f", "\u200e", "\u00ad", "\x7f")
ACCENTED = (
    "cr\u00e8me br\u00fbl\u00e9e",
    "don\u2019t",
    "\u201cquoted\u201d",
    "Z\u00fcrich \u2013 Gen\u00e8ve",
    "5\u00a0\u20ac",
)
CODE = (
    ".a-box-inner{background-color:#fff}#buyBox .selected{border-color:#bbb}",
    "#zoomWindow { display: block; width: 40px }",
    "@media (max-width: 600px) { .wide { display: none } }",
    "var timer = new Date().getTime(); if (timer) { go(timer) }",
    "(function(w) { w.start = w.start || []; })(window);",
    "document.getElementById('title').innerHTML = '';",
    "font-family: Arial; font-size: 12px; color: red;",
    "P.when('ready').execute(function(page){ page.show(); });",
)
TITLES = ("Untitled", "N/A", "title", "Test Product", "null", "UNDEFINED", " - ", "[No title]", "404 Not Found", "none")


def sentence(number: int, length: int = 25) -> str:
    words = PROSE.split()
    return " ".join(chance.choose(words, 1, "word", f"{number}|{place}") for place in range(length))


def with_piece(number: int, piece: str) -> str:
    words = sentence(number).split()
    place = int(chance.uniform(1, "place", str(number)) * len(words))
    return " ".join([*words[:place], piece, *words[place:]])


def misread(text: str, encoding: str) -> str:
    return "".join(
        bytes([byte]).decode(encoding if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else "latin-1")
        for byte in text.encode()
    )


def review(text: str, identity: str = "1") -> Example:
    return replace(make_example("sentiment_analysis", 1), identity=identity, fields={"review": text})


def verdicts_on(example: Example, settings: HygieneSettings = SETTINGS) -> list[Verdict]:
    return list(judge([example], settings, Evidence()))


def remedies(example: Example, settings: HygieneSettings = SETTINGS) -> dict[str, str]:
    return {verdict.reason: verdict.remedy for verdict in verdicts_on(example, settings)}


PLANTED = {
    ("markup", "repair"): [with_piece(n, MARKUP[n % 5]) for n in range(200)],
    ("entities", "repair"): [with_piece(n, ENTITIES[n % 7]) for n in range(200)],
    ("invisible characters", "repair"): [with_piece(n, f"lam{HIDDEN[n % 8]}p") for n in range(200)],
    ("mojibake", "repair"): [
        with_piece(n, misread(ACCENTED[n % 5], ("cp1252", "latin-1")[n // 5 % 2])) for n in range(200)
    ],
    ("style or script", "reject"): [with_piece(n, CODE[n % 8]) for n in range(200)],
    ("undecodable", "reject"): [
        with_piece(n, "gr\ufffd\ufffdn \ufffd\ufffdber \ufffd\ufffdl caf\ufffd") for n in range(200)
    ],
}


@pytest.mark.parametrize(("reason", "remedy"), PLANTED)
def test_planted_defects_are_found_and_nothing_else_is_said_of_them(reason: str, remedy: str) -> None:
    planted = [review(text, str(number)) for number, text in enumerate(PLANTED[reason, remedy])]
    found = judge(planted, SETTINGS, Evidence())
    right = {verdict.example_id for verdict in found if (verdict.reason, verdict.remedy) == (reason, remedy)}
    assert len(right) == len(planted)
    # Escaped tags are entities too, and a reference may stand for a letter that is read wrongly.
    allowed = {reason, "entities"} if reason == "markup" else {reason}
    assert {verdict.reason for verdict in found} <= allowed


@pytest.mark.parametrize(("reason", "remedy"), [key for key in PLANTED if key[1] == "repair"])
def test_what_is_mended_reads_as_it_was_meant(reason: str, remedy: str) -> None:
    meant = {
        "markup": ["", "new", "here", "very", ""],
        "entities": ["&", '"', '"', "\u00e9t\u00e9", "'", "", "\u2013"],
        "invisible characters": ["lamp"],
        "mojibake": [text.replace("\u00a0", " ") for text in ACCENTED],
    }[reason]
    for number, text in enumerate(PLANTED[reason, remedy]):
        example = repair(review(text), SETTINGS)
        assert example.fields["review"] == " ".join(with_piece(number, meant[number % len(meant)]).split())


def test_thousands_of_good_texts_are_left_as_they_are() -> None:
    texts = [sentence(number, 5 + number % 40) for number in range(3000)]
    texts += [title for value in vars(foreign_titles).values() if isinstance(value, tuple) for title in value]
    texts += [
        "CAF\u00c9\u2122 maker by NESCAF\u00c9\u00ae",
        "\u00c0 la carte \u2013 \u00d8 20 \u00b5m \u00b12\u00b0",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "family \U0001f468\u200d\U0001f469\u200d\U0001f467 mug",
        "\u041c\u043e\u0441\u043a\u0432\u0430 \u2013 \u0433\u043e\u0440\u043e\u0434",
        "S\u00c3O PAULO MA\u00c7\u00c3 VERDE",
        "\ufb01ne \uff26\uff35\uff2c\uff2c width \u201ccurly\u201d \u2026",
    ]
    texts = [unicodedata.normalize("NFC", text) for text in texts]
    assert [text for text in texts if faults(text) or repaired(text) != text] == []


def test_good_examples_of_every_task_have_no_verdict() -> None:
    examples = [make_example(task, number) for task in MAKERS for number in range(100)]
    assert judge(examples, SETTINGS, Evidence()) == []


@pytest.mark.parametrize("title", TITLES)
def test_a_title_that_names_nothing_is_rejected_wherever_titles_stand(title: str) -> None:
    matching = make_example("product_matching", 1)
    extraction = make_example("attribute_value_extraction", 1)
    option = Option("a", title, "asin:a")
    placed = [
        replace(matching, fields={**matching.fields, "left": {"title": title}}),
        replace(make_example("product_relation_prediction", 1), fields={"product_1": title, "product_2": "Oak lamp"}),
        replace(make_example("multiclass_product_classification", 1), fields={"query": "lamp", "product": title}),
        replace(extraction, fields={**extraction.fields, "paragraphs": [{"source": "title", "text": title}]}),
        replace(make_example("query_product_ranking", 1), options=(option, Option("b", "Oak lamp", "asin:b"))),
    ]
    assert [remedies(example) for example in placed] == [{"placeholder title": "reject"}] * len(placed)


def test_such_words_are_no_fault_in_texts_that_name_no_product() -> None:
    extraction = make_example("attribute_value_extraction", 2)
    assert {row["value"] for row in extraction.answer} >= {"None"}
    assert verdicts_on(extraction) == []
    for title in TITLES:
        example = make_example("answer_generation", 3)
        assert verdicts_on(replace(example, fields={"question": title, "snippets": [title]}, answer=title)) == []
    assert not faults("Untitled album by The Nulls, test pressing", is_title=True)


def test_text_of_which_nothing_is_left_is_rejected() -> None:
    for text in (
        "<span class='price",
        '<span class="price"',
        '<div id="a">',
        "&nbsp;",
        "\u200b",
        "<style>.a{b:c}</style>",
    ):
        assert list(remedies(review(text)).values()) == ["reject"]


def test_lost_letters_are_rejected_past_a_share_and_told_below_it() -> None:
    text = with_piece(1, "caf\ufffd")
    (verdict,) = verdicts_on(review(text))
    assert (verdict.reason, verdict.remedy) == ("undecodable", "keep")
    assert verdict.score == pytest.approx(1 / len(text), abs=1e-6)
    assert "caf\ufffd" in verdict.detail
    assert remedies(review(text), HygieneSettings(max_undecodable=0.001)) == {"undecodable": "reject"}
    for lost in ("caf\ufffd lamp", "\ufffd\ufffd lamp", "caf\u00c3\ufffd lamp"):
        assert remedies(review(lost))["undecodable"] == "reject"
        assert "\ufffd" in repaired(lost)


def test_one_verdict_for_each_reason_names_the_place_and_shows_the_first_fault() -> None:
    matching = make_example("product_matching", 1)
    left = {"title": "Oak <b>lamp</b>", "description": "<i>tall</i> &amp; thin"}
    found = verdicts_on(replace(matching, fields={"left": left, "right": {"title": "Lamp"}}))
    assert [(verdict.reason, verdict.detail) for verdict in found] == [
        ("entities", "left.description: &amp;"),
        ("markup", "left.description: <i> (and 1 more)"),
    ]


def test_texts_are_mended_everywhere_and_keys_nowhere() -> None:
    option = Option("a&amp;b", "Oak &amp; steel", "asin:a")
    other = Option("c", "Lamp", "asin:c")
    example = replace(
        make_example("sequential_recommendation", 1),
        fields={"category": "Home &amp; Kitchen"},
        context=(Item("asin:x", "<b>Rug</b>"), Item("asin:y", "Tray")),
        options=(option, other),
        spare_options=(Option("d&amp;", "Stool\u200b", "asin:d"),),
        answer="a&amp;b",
    )
    mended = repair(example, SETTINGS)
    assert mended.fields == {"category": "Home & Kitchen"}
    assert [item.text for item in mended.context] == ["Rug", "Tray"]
    assert [(each.key, each.text) for each in (*mended.options, *mended.spare_options)] == [
        ("a&amp;b", "Oak & steel"),
        ("c", "Lamp"),
        ("d&amp;", "Stool"),
    ]
    assert (mended.answer, mended.example_id, mended.products) == ("a&amp;b", example.example_id, example.products)
    free = replace(make_example("answer_generation", 1), answer="Yes &amp; no")
    assert repair(free, SETTINGS).answer == "Yes & no"


def test_a_value_still_stands_in_its_paragraph() -> None:
    extraction = make_example("attribute_value_extraction", 1)
    row = {"attribute": "Use", "value": "salt &amp; pep\u200bper", "source": "feature"}
    text = f"A mill for {row['value']}, in <b>oak</b>."
    fields = {"paragraphs": [{"source": "feature", "text": text}], "attributes": ["Use"]}
    mended = repair(replace(extraction, fields=fields, answer=[row]), SETTINGS)
    assert mended.answer == [{**row, "value": "salt & pepper"}]
    assert mended.fields["paragraphs"] == [{"source": "feature", "text": "A mill for salt & pepper, in oak."}]


def test_options_that_examples_share_are_still_shared() -> None:
    shared = [Option(f"k{n}", f"Lamp &amp; shade {n}" if n % 2 else f"Lamp {n}", f"asin:{n}") for n in range(40)]
    examples = [
        replace(
            make_example("sequential_recommendation", number),
            options=tuple(shared[:20]),
            spare_options=tuple(shared[20:]),
            answer="k0",
        )
        for number in range(5)
    ]
    examples = table_to_examples(examples_to_table(examples))
    mended = [repair(example, SETTINGS) for example in examples]
    assert len({id(option) for each in mended for option in (*each.options, *each.spare_options)}) == 40
    assert all(before is after for before, after in zip(examples[0].options[::2], mended[0].options[::2], strict=True))


def recommendation(options: dict[str, str], spares: dict[str, str], context: tuple[str, ...]) -> Example:
    return replace(
        make_example("sequential_recommendation", 1),
        options=tuple(Option(key, text, f"asin:{key}") for key, text in options.items()),
        spare_options=tuple(Option(key, text, f"asin:{key}") for key, text in spares.items()),
        context=tuple(Item(f"asin:{n}", text) for n, text in enumerate(context)),
        answer="right",
    )


def test_a_spare_takes_the_place_of_a_wrong_option_beyond_repair() -> None:
    options = {"right": "Oak lamp", "w1": "null", "w2": "Rug"}
    example = recommendation(options, {"s1": CODE[0], "s2": "Tray &amp; cup", "s3": "Stool"}, ("Desk", "Clock"))
    assert remedies(example) == {"entities": "repair", "placeholder title": "repair", "style or script": "repair"}
    mended = repair(example, SETTINGS)
    assert [(option.key, option.text) for option in mended.options] == [
        ("right", "Oak lamp"),
        ("s2", "Tray & cup"),
        ("w2", "Rug"),
    ]
    assert [option.key for option in mended.spare_options] == ["s3"]
    assert verdicts_on(mended) == []


@pytest.mark.parametrize(
    ("options", "spares"),
    [
        ({"right": "null", "w1": "Rug"}, {"s1": "Tray"}),
        ({"right": "Oak lamp", "w1": "null", "w2": "n/a"}, {"s1": "Tray"}),
        ({"right": "Oak lamp", "w1": "null"}, {}),
    ],
)
def test_without_a_stand_in_the_example_is_rejected(options: dict[str, str], spares: dict[str, str]) -> None:
    assert remedies(recommendation(options, spares, ("Desk", "Clock"))) == {"placeholder title": "reject"}


def test_a_context_does_without_items_beyond_repair_as_long_as_enough_are_left() -> None:
    example = recommendation({"right": "Oak lamp", "w1": "Rug"}, {}, ("Desk", "untitled", "Clo<b>ck</b>"))
    assert remedies(example) == {"markup": "repair", "placeholder title": "repair"}
    assert [item.text for item in repair(example, SETTINGS).context] == ["Desk", "Clock"]
    strict = HygieneSettings(min_context=3)
    assert remedies(example, strict)["placeholder title"] == "reject"
    assert len(repair(example, strict).context) == 3


PIECES = st.lists(
    st.sampled_from(
        [
            *MARKUP,
            *ENTITIES,
            *HIDDEN,
            *CODE,
            *TITLES,
            *ACCENTED,
            *"<>&#;x19!-[]'\"=/ ab\n\u0301\u00c3\u00a0\u0192\ufffd",
        ]
        + [misread(text, encoding) for text in ACCENTED for encoding in ("cp1252", "latin-1")]
        + [misread(misread(text, "cp1252"), "cp1252") for text in ACCENTED]
        + ["&amp;amp;amp;", "&amp;lt;b&amp;gt;", "R&B;", "&amp;B;;", "\u05d0\u200d", "</", "<style>"]
    )
).map("".join)
TEXTS = st.one_of(PIECES, st.text())


@given(TEXTS)
def test_mending_twice_is_mending_once(text: str) -> None:
    once = mend(plain(text))
    if once.settled:
        assert clean(once.text) == once.text
        assert not [fault for fault in faults(once.text) if fault.remedy == "repair"]
    else:
        assert "reject" in {fault.remedy for fault in faults(plain(text))}


@given(st.lists(TEXTS, min_size=3, max_size=3), st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=3))
def test_after_repair_nothing_is_left_to_repair(options: list[str], spares: list[str], context: list[str]) -> None:
    keyed = {name: plain(text) for name, text in zip(("right", "w1", "w2"), options, strict=True)}
    example = recommendation(keyed, {f"s{n}": plain(text) for n, text in enumerate(spares)}, tuple(map(plain, context)))
    before = remedies(example)
    mended = repair(example, SETTINGS)
    after = remedies(mended)
    if "reject" not in before.values():
        assert set(after.values()) <= {"keep"}
    assert mended.options[0].key == "right"
    assert len(mended.options) == 3


@given(TEXTS)
def test_plain_text_differs_in_white_space_and_composition_alone(text: str) -> None:
    shown = plain(text)
    assert plain(shown) == shown
    assert "".join(unicodedata.normalize("NFD", shown).split()) == "".join(unicodedata.normalize("NFD", text).split())
    assert clean(shown) == clean(text)


def test_a_tag_that_is_cut_off_goes_and_a_comparison_stays() -> None:
    assert repaired('Oak lamp <span class="a-size-medium') == "Oak lamp"
    assert repaired("a <b or c = d") == "a <b or c = d"
    assert [fault.reason for fault in faults("Oak lamp <img src='x")] == ["markup"]


def test_letters_that_seem_garbled_are_seen_at_a_quick_look() -> None:
    letters = sorted({letter for group in MOJIBAKE_CATEGORIES.values() for letter in group if not letter.isascii()})
    around = ("", "a", " ", "\u00e2", "\u20ac", "1")
    bad = [text for parts in product(around, letters, around) if is_bad(text := "x" + "".join(parts) + "x")]
    assert len(bad) > 1000
    # Two of a kind tell by their share that they were seen, if they were not mended.
    assert [text for text in bad if not mend(f"{text} - {text}").found and not mend(f"{text} - {text}").garbled] == []
