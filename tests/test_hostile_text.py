"""Hostile text: cleaning, judging and ingesting it ends, soon, and without an exception."""

import subprocess
import sys
import unicodedata
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.drawing.paragraphs import product_paragraphs
from ecinstruct_build.ingesting.decoding import decode_block, general_reason
from ecinstruct_build.ingesting.readers import Block, Limits
from ecinstruct_build.source import FileKind
from ecinstruct_build.text import BoundedParser, UnparsableError, clean, mend, without_long_references

pytestmark = pytest.mark.slow

HANG_SECONDS = 60  # a guard, far above what linear work takes; quadratic work takes longer
CLEAN = "from ecinstruct_build.text import clean as run"
PARAGRAPHS = """
from ecinstruct_build.drawing.paragraphs import product_paragraphs
def run(text):
    product_paragraphs("Kettle", text, [text], None, None)
"""
LANGUAGE = """
from quality.language import LanguageSettings, detect_foreign
def run(text):
    detect_foreign(text, "en", LanguageSettings(min_letters=10**9))
"""
METADATA = """
import numpy as np
from ecinstruct_build.source import Batch
from sources.amazon_reviews_2018 import SOURCE
def run(text):
    kind = SOURCE.files[0]
    record = kind.record(asin="B000000001", title=text, main_cat=text, similar_item="asin" + text)
    one = np.array([1])
    kind.convert(Batch(SOURCE.name, ["meta_Toys.json"], [{"category": "Toys"}], [record], one, one - 1))
"""
OPEN = (
    "<a ",
    "<a '",
    "<a b='>' ",
    "<!--",
    "<!-->",
    "<![CDATA[ >",
    "</a",
    "<?",
    "<script",
    "<script>",
    "<br a='",
    "<M ",
)
REFERENCES = ("&", "&a;", "&b;;", "&#", "&#1;", "&amp;", "&lt;", "&#x")
MARKS = "\u0301\u0316"
GARBLED = (
    "\u00c3",
    "\u00c3 ",
    "\u00c3\u0192",
    "\u00c3\u0192\u00c2",
    "\u00e2\u20ac\u2122 ",
    "a \u00c2 ",
    "\u00c2\u00a0",
    "\x92",
    "\u0153 ",
    "\u200d",
    "\u200d\u05d0",
)


def run_on(program: str, *pieces: str, length: int = 100_000) -> None:
    """Run a program's ``run`` on each piece, repeated; in a process of its own, which can be stopped."""
    code = f"{program}\nfor piece in {pieces!r}:\n    run((piece * {length})[:{length}])\nprint('done')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=HANG_SECONDS, check=False
    )
    assert done.stdout == "done\n", done.stderr[-2000:]


@pytest.mark.parametrize("program", [CLEAN, PARAGRAPHS], ids=["clean", "paragraphs"])
def test_markup_without_an_end_takes_time_in_proportion_to_its_length(program: str) -> None:
    run_on(program, *OPEN)


@pytest.mark.parametrize("program", [CLEAN, PARAGRAPHS], ids=["clean", "paragraphs"])
def test_heaps_of_references_and_marks_take_time_in_proportion_to_their_length(program: str) -> None:
    run_on(program, *REFERENCES, MARKS, length=400_000)


def test_heaps_of_garbled_and_invisible_letters_take_time_in_proportion_to_their_length() -> None:
    run_on(CLEAN, *GARBLED)


def test_a_word_of_any_length_is_looked_through_once_for_digits() -> None:
    run_on(LANGUAGE, "x", "\u3042")


def test_metadata_of_open_images_is_read_in_proportion_to_its_length() -> None:
    run_on(METADATA, "<img ", "<img alt=", "<img alt='", "&quot;", "%41", "asin", "<", "/dp/")


def test_a_heap_of_open_tags_is_given_up_after_a_few() -> None:
    class Counting(BoundedParser):
        looks = 0

        def check_for_whole_start_tag(self, i: int) -> int:
            self.looks += 1
            return int(super().check_for_whole_start_tag(i))  # type: ignore[misc]

    parser = Counting()
    parser.feed("<a " * 1000)
    with pytest.raises(UnparsableError):
        parser.close()
    assert parser.looks < 40


def test_a_heap_of_open_tags_costs_no_other_text() -> None:
    heap = "<a " * 1000
    assert clean(f"Kettle {heap}> boils <b>fast</b>").startswith("Kettle ")
    assert clean(f"<b>Kettle</b> {heap}").startswith("Kettle ")
    found = product_paragraphs("Kettle", f"{heap}\nBoils <b>fast</b>.", None, None, None)
    assert [paragraph.text for paragraph in found] == ["Kettle", "Boils fast ."]


@pytest.mark.parametrize("digits", ["9" * 4400, "0" * 4400, "x" + "f" * 4400, "99999999"])
@pytest.mark.parametrize("before", ["&", "&amp;", "<b>&amp;amp;", "<b title='&", "&amp;amp;amp;"])
def test_a_reference_beyond_unicode_stops_nothing(before: str, digits: str) -> None:
    text = f"Kettle {before}#{digits}; '>boils"
    assert clean(text).startswith("Kettle")
    assert product_paragraphs(text, text, [text], text, text)


def test_a_reference_beyond_unicode_reads_as_the_replacement_character() -> None:
    assert clean(f"a &#{'9' * 4400}; b") == clean("a &#99999999 b") == "a \ufffd b"
    assert product_paragraphs("a &#99999999; b", None, None, None, None)[0].text == "a \ufffd b"


def test_a_reference_with_leading_zeros_keeps_its_meaning() -> None:
    assert without_long_references("&#0000000065; &#x000000041;&#65;") == "&#65; &#x41;&#65;"
    assert clean(f"&#{'0' * 5000}65;") == "A"


def test_words_in_angle_brackets_that_are_no_tags_stay() -> None:
    for text in ("size &lt;M&gt; only", "size <M> only", "size &amp;lt;M&amp;gt; <b>only</b>"):
        assert clean(text) == "size <M> only"
    assert clean("mail <shop@example.org> or call") == "mail <shop@example.org> or call"
    assert clean(clean("size &lt;M&gt; only")) == "size <M> only"


def test_tags_go_whether_they_are_escaped_or_not() -> None:
    assert clean("a&lt;br /&gt;b &lt;b&gt;c&lt;/b&gt; &amp;lt;P&amp;gt;d") == "a b c d"
    assert clean("a<BR>b <font size='2'>c</font> <o:p>d</o:p><!-- e --> <?x f?>g") == "a b c d g"
    assert clean("&lt;script&gt;go()&lt;/script&gt;done <h1>now") == "done now"


def test_entities_are_resolved_however_often_they_were_escaped_but_not_for_ever() -> None:
    assert clean("&amp;amp;lt; 3") == "< 3"
    assert clean("&amp;amp;amp;lt; <b>3</b>") == clean("&amp;amp;amp;lt; 3") == "< 3"
    assert not mend(f"&{'amp;' * 30}lt; 3").settled


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("an R&B; singer at A&amp;P;, K&TG;'s", "an R&B singer at A&P, K&TG's"),
        ("R&amp;amp;B;; <b>and soul</b>", "R&B and soul"),
        ("shop/?a=1&rlz;=2&q;=3", "shop/?a=1&rlz=2&q=3"),
        ("AT&T; caf&eacute; &copy; 2014; &lt; 5", "AT&T caf\u00e9 \u00a9 2014; < 5"),
        ("R&B and soul; bongos&latin;gourd", "R&B and soul; bongos&latin;gourd"),
    ],
)
def test_what_follows_an_ampersand_without_being_a_reference_loses_its_semicolon(text: str, meant: str) -> None:
    mended = mend(text)
    assert (mended.text, mended.settled, clean(meant)) == (meant, True, meant)
    assert bool(mended.found) == (text != meant)


def test_marks_on_a_letter_are_kept_up_to_thirty() -> None:
    assert clean("e\u0301") == "\u00e9"
    assert clean("x" + "\u0323" * 30 + "y") == "x" + "\u0323" * 30 + "y"
    assert clean("x" + "\u0323" * 1000 + "y") == "x" + "\u0323" * 30 + "y"
    assert clean("\u2605" * 100) == "\u2605" * 100


PIECES = st.lists(st.sampled_from([*OPEN, *REFERENCES, *"<>&#;x19!-[]'\"=/ ab\n\u0301", "</script>", "<b>", "-->"]))


@given(PIECES.map("".join))
def test_pieces_of_markup_in_any_order_give_clean_text(text: str) -> None:
    once = clean(text)
    assert once == " ".join(once.split())
    assert unicodedata.is_normalized("NFC", once)
    product_paragraphs("Kettle", text, [text], text, text)


def test_a_reason_that_quotes_the_record_is_kept_short_and_can_be_counted() -> None:
    record = msgspec.defstruct("Item", [("colour", Literal["red", "blue"])])
    kind = FileKind(".*", "jsonl", record, (), dict, "items")
    reasons = []
    for value in ("x" * 100_000, "y - at `$.b`\u2028" * 10_000, "green"):
        data = msgspec.json.encode({"colour": value}) + b"\n"
        (reject,) = decode_block(kind, Block(0, 1, data, 0), Limits()).rejects
        reasons.append(reject.reason)
    assert max(map(len, reasons)) <= 200
    assert all(reason.isprintable() for reason in reasons)
    assert len({general_reason(reason) for reason in reasons}) == 1
    assert reasons[0].endswith("- at `$.colour`")
