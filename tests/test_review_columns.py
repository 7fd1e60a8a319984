"""Columns of reviews are made by Arrow: it must see in a text and in an id what Python sees."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.ingesting.fields import asin_key, text_or_none
from ecinstruct_build.ingesting.reviews import asins_of, keys_of, texts_of

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]

blank_or_not = st.text(st.sampled_from(" \t\n\x1c\x85\xa0\u2003\u2028\u200b\u3000aé"), max_size=4)
asins = st.from_regex(r"[A-Za-z0-9]{1,10}", fullmatch=True) | st.text(
    st.sampled_from("aB1 \t\x1f\xa0ßéǆ-"), min_size=1, max_size=6
)


def test_a_text_of_any_one_character_is_null_where_that_is_blank() -> None:
    assert texts_of(EVERY_CHARACTER).to_pylist() == [text_or_none(text) for text in EVERY_CHARACTER]


@given(st.lists(st.none() | blank_or_not | st.text(max_size=5), max_size=12))
def test_texts_are_null_where_they_are_blank(texts: list[str | None]) -> None:
    assert texts_of(texts).to_pylist() == [text_or_none(text) for text in texts]


@given(st.lists(asins, max_size=8))
def test_asins_are_the_same_one_by_one_and_by_the_column(given_asins: list[str]) -> None:
    column = asins_of(given_asins)
    assert column.to_pylist() == [asin.strip().upper() for asin in given_asins]
    assert keys_of(column).to_pylist() == [asin_key(asin) for asin in given_asins]
