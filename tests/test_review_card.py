"""Rows laid out for readers: the layouts of our templates, and nothing lost of any text."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.review.card import Block, Card, Fact, Product, blocks_of, card_of
from ecinstruct_build.review.visible import LONG, cut, visible


def shown(card: Card) -> list[str]:
    """Every text that a card shows, in no order."""
    texts = [card.instruction, card.example, *(f"{one.letter} {one.text}" for one in card.options)]
    for block in (*card.input, *card.answer):
        texts += [block.title, block.text, *block.items, *block.columns, *(cell for row in block.rows for cell in row)]
        texts += [text for fact in block.facts for text in (fact.name, fact.value)]
        for product in block.products:
            texts += [
                product.label,
                product.title,
                *(text for fact in product.facts for text in (fact.name, fact.value)),
            ]
    return texts


def test_a_query_and_a_product() -> None:
    assert blocks_of("Query: teal kettle\nProduct: Teal Kettle: 1.7 l") == (
        Block("fields", facts=(Fact("Query", "teal kettle"),)),
        Block("products", products=(Product("Product", "Teal Kettle: 1.7 l"),)),
    )


def test_products_in_json_are_cards_with_their_titles_first() -> None:
    first, second = {"price": "9.90", "title": "kettle"}, {"name": "pot", "price": 10.50}
    (block,) = blocks_of(json.dumps({"product 1": first, "product 2": second}))
    assert block.products == (
        Product("product 1", "kettle", (Fact("price", "9.90"),)),
        Product("product 2", "pot", (Fact("price", "10.5"),)),
    )


def test_histories_and_snippets_are_lists() -> None:
    assert blocks_of("1. kettle\n2. pot\n") == (Block("list", items=("kettle", "pot"), numbered=True),)
    question, snippets = blocks_of(
        "Question: Does it whistle?\nReview snippets:\n1. It does.\nLoudly.\n2. 3. No: never\n"
    )
    assert question.facts == (Fact("Question", "Does it whistle?"),)
    assert (snippets.title, snippets.items) == ("Review snippets", ("It does.\nLoudly.", "3. No: never"))


def test_lists_of_objects_are_tables() -> None:
    text = '[{"attribute": "Color", "value": "red"}, {"attribute": "Size", "source": ["a", 1.50]}]'
    (block,) = blocks_of(text)
    assert block.columns == ("attribute", "value", "source")
    assert block.rows == (("Color", "red", ""), ("Size", "", '["a", "1.50"]'))


@pytest.mark.parametrize(
    "text",
    [
        "I like it.\nPros: cheap\nCons: loud",
        "2. begins late\n3. goes on",
        '{"cut": "off',
        '{"twice": 1, "twice": 2}',
        "[" * 100_000,
        "{not json}",
        '"just a string"',
        "{}",
        "[ ]",
    ],
)
def test_what_follows_no_layout_is_one_text(text: str) -> None:
    assert blocks_of(text) == (Block("text", text=text),)


def test_the_answer_marks_its_option() -> None:
    card = card_of({"options": "A: very good\nB: bad: or\n   worse\nC: none", "output": "B"})
    assert [(one.letter, one.text, one.place) for one in card.options] == [
        ("A", "very good", None),
        ("B", "bad: or\n   worse", 1),
        ("C", "none", None),
    ]
    assert (card.answer, card.ranking) == ((), False)


def test_a_ranking_numbers_its_options() -> None:
    card = card_of({"options": "A: x\nB: y\nC: z", "output": "C,A,B"})
    assert card.ranking
    assert "".join(one.letter for one in card.named) == "CAB"


@pytest.mark.parametrize("output", ["D", "A,A", "A or B", "a", "", "A,B,C,D,E"])
def test_an_answer_that_names_no_option_is_shown_as_it_is(output: str) -> None:
    card = card_of({"options": "A: x\nB: y", "output": output})
    assert card.named == ()
    assert [block.text for block in card.answer] == ([output] if output else [])


def test_options_without_letters_are_shown_as_text() -> None:
    card = card_of({"input": "x", "options": "yes or no", "output": "yes"})
    assert card.options == ()
    assert card.input[-1] == Block("text", "Options", text="yes or no")


def test_half_characters_of_json_can_be_written_out() -> None:
    (block,) = blocks_of(r'{"title": "a \ud83d b", "no\udc00te": "\udc00"}')
    assert block.products == (Product("", "a ? b", (Fact("no?te", "?"),)),)


LINES = st.sampled_from(
    [
        "Query: ",
        "Product: ",
        "Question:",
        "1. ",
        "2. ",
        "3) ",
        "A: ",
        "B: ",
        "\n",
        "\n\n",
        " ",
        "{",
        "}",
        "[",
        '"k": ',
        ",",
    ]
)
TEXTS = st.lists(LINES | st.text(alphabet="abcXYZ019 .:-_\n\u202e\u0000é", max_size=12), max_size=14).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
).map(json.dumps)


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text))


@given(st.fixed_dictionaries(dict.fromkeys(("instruction", "input", "options", "output"), TEXTS | JSON)))
def test_no_word_of_a_row_is_lost_and_nothing_fails(content: dict[str, str]) -> None:
    there = set().union(*(words(text) for text in shown(card_of(content))))
    for name, text in content.items():
        wanted = words(text)
        if text.lstrip()[:1] in {"{", "["}:
            continue  # JSON escapes letters; the next test compares its values
        numbers = {number for number in wanted if number.isdecimal()}
        assert wanted - numbers <= there, name


@given(JSON.filter(lambda text: text[0] in "[{"))
def test_no_value_of_json_is_lost(text: str) -> None:
    everything = " ".join(shown(card_of({"input": text})))

    def check(value: object) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                check(name)
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)
        elif isinstance(value, str):
            # Within lists in lists, texts are shown as JSON.
            assert value in everything or json.dumps(value, ensure_ascii=False)[1:-1] in everything

    check(json.loads(text))


def test_long_rows_are_laid_out_whole() -> None:
    assert len(blocks_of("Label: x\n" * 60_000)[0].facts) == 60_000
    assert len(blocks_of("\n".join(f"{number}. item" for number in range(1, 10_000)))[0].items) == 9_999
    (option,) = card_of({"options": "A: x\n" + "more\n" * 200_000, "output": "A" * 1_000_000}).options
    assert option.text.count("more") == 200_000


def test_objects_without_common_keys_are_a_list() -> None:
    rows = [{f"key {number}": number} for number in range(2000)]
    assert blocks_of(json.dumps(rows)) == (
        Block("list", items=tuple(map(json.dumps, ({k: str(v) for k, v in row.items()} for row in rows)))),
    )


def test_hidden_characters_are_named_and_markup_escaped() -> None:
    assert visible("a<b>\u202e&\u0000") == (
        'a&lt;b&gt;<span class="mark" title="right-to-left override">U+202E</span>&amp;'
        '<span class="mark" title="control character">U+0000</span>'
    )
    assert visible("tab\tline\nfamily \U0001f468\u200d\U0001f469") == "tab\tline\nfamily \U0001f468\u200d\U0001f469"


@given(st.text(alphabet="ab <\u202e", max_size=200), st.integers(8, 64))
def test_cutting_loses_nothing(text: str, limit: int) -> None:
    shown_part, rest = cut(text, limit)
    assert shown_part + rest == text
    assert len(shown_part) <= limit + limit // 8
    assert bool(rest) == (len(text) > limit + limit // 8)


def test_a_text_of_ordinary_length_is_not_cut() -> None:
    assert cut("x" * LONG) == ("x" * LONG, "")
