"""How text is spoiled on purpose: words changed, languages swapped, markup and private details added, lines broken."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import MOJIBAKE, PRIVATE
from ecinstruct_build.sample_corpora.vocabulary import words

_LINKS = (
    "https://www.example.com/orders/view?id=83&token={token}",
    "https://photos.example.org/share?access_token={token}",
    "http://returns.example.net/label.pdf?sig={token}&expires=1511",
)
_TEST_CARDS = (
    "4111 1111 1111 1111", "4242424242424242", "5555-5555-5555-4444", "378282246310005", "6011 1111 1111 1117",
    "4012888888881881",
)  # fmt: skip
# The lines 0100 to 0199 of the exchange 555 are kept for fiction in every area.
_PHONES = (
    "({area}) 555-01{line:02d}",
    "{area}-555-01{line:02d}",
    "+1 {area} 555 01{line:02d}",
    "{area}.555.01{line:02d}",
)
_AREAS = (206, 212, 303, 312, 415, 512, 617, 702)
_NO_CP1252 = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_HIDDEN = "\u200b\ufeff\u200e\u00ad\u2060\u0007\u001f"
LANGUAGES = ("es", "fr", "de", "it", "ja")
NEAR_DUPLICATE_WORDS = 30  # shorter texts would differ too much after two changed words

_SWAPS = {
    "the": "this", "a": "one", "and": "plus", "very": "really", "bought": "purchased", "use": "need", "good": "nice",
    "great": "fine", "it": "this", "my": "our", "was": "seemed", "after": "following", "have": "own", "is": "remains",
    "than": "then", "that": "which", "small": "little", "with": "using", "still": "yet", "had": "got",
}  # fmt: skip
_FIRST = ("anna", "tom", "maria", "sam", "lee", "nora", "felix", "ida", "omar", "jane")
_LAST = ("miller", "castle", "rivers", "stone", "weber", "lane", "brook", "hill", "vega", "moss")


@cache
def languages() -> dict[str, Any]:
    """Return the texts of ``words/languages.toml``."""
    return words("languages")


@cache
def defects() -> dict[str, Any]:
    """Return the texts of ``words/defects.toml``."""
    return words("defects")


def foreign_review(dice: Dice, *, pleased: bool) -> tuple[str, str]:
    """Return a language and a whole review in it."""
    language = dice.pick(LANGUAGES)
    parts = [dice.pick(bank) for bank in languages()[language]["good" if pleased else "bad"]]
    return language, ("" if language == "ja" else " ").join(parts)


def foreign_question(dice: Dice) -> tuple[str, str]:
    """Return a language and a question in it."""
    language = dice.pick(LANGUAGES)
    return language, dice.pick(languages()[language]["question"])


def extreme_review(dice: Dice, slots: Mapping[str, str], *, pleased: bool) -> str:
    """Return a review that leaves no doubt."""
    bank = defects()["extreme"]["good" if pleased else "bad"]
    return " ".join(dice.sample(bank, dice.between(3, 4))).format_map(slots)


def change_words(text: str, dice: Dice) -> tuple[str, str]:
    """Return ``text`` with one or two words changed, and a note of the changes."""
    tokens = text.split(" ")
    places = [place for place, token in enumerate(tokens) if token in _SWAPS]
    chosen = sorted(dice.sample(places or range(1, len(tokens)), dice.between(1, 2)))
    notes = []
    for place in chosen:
        old = tokens[place]
        tokens[place] = _SWAPS.get(old, "indeed")
        notes.append(f"{old}->{tokens[place]}")
    return " ".join(tokens), ", ".join(notes)


def add_markup(text: str, dice: Dice) -> tuple[str, str]:
    """Return ``text`` with tags or entities in it, and the markup that was added."""
    sentences = text.split(". ")
    choice = dice.below(5)
    if choice == 0 and len(sentences) > 1:
        return ".<br /><br />".join(sentences), "<br />"
    if choice == 1:
        first, _, rest = text.partition(" ")
        return f"<b>{first}</b> {rest}", "<b>"
    if choice == 2:
        return re.sub(r"\band\b", "&amp;", text, count=1) + " &#34;As described&#34; is right.", "&#34;"
    if choice == 3:
        link = '<a data-hook="product-link-linked" class="a-link-normal" href="/dp/B0EXAMPLE0">this page</a>'
        return f"{text} See {link}.", "<a"
    return f"{text} It isn&#x27;t for everyone &gt; read the label.", "&#x27;"


def add_private(text: str, dice: Dice) -> tuple[str, str, str]:
    """Return ``text`` with something private in it, that detail, and which of ``ledger.PRIVATE`` it is.

    Everything is invented: reserved domains and telephone numbers, order numbers of no shop, the card numbers that
    payment services publish for tests.
    """
    form = dice.pick(PRIVATE)
    if form == "e-mail address":
        detail = (
            f"{dice.pick(_FIRST)}.{dice.pick(_LAST)}{dice.between(1, 99)}@example.{dice.pick(('com', 'org', 'net'))}"
        )
        return f"{text} Write to me at {detail} if you want more pictures.", detail, form
    if form == "phone number":
        detail = dice.pick(_PHONES).format(area=dice.pick(_AREAS), line=dice.below(100))
        return f"{text} Call me on {detail} with any questions.", detail, form
    if form == "order number":
        detail = f"{dice.between(100, 119)}-{dice.below(10**7):07d}-{dice.below(10**7):07d}"
        said = "order"
    elif form == "link with a token":
        token = "".join(dice.pick("0123456789abcdef") for _ in range(32))
        detail = dice.pick(_LINKS).format(token=token)
        said = "link"
    else:
        detail = dice.pick(_TEST_CARDS)
        said = "card"
    sentence = dice.pick(defects()["private"][said]).format(detail=detail)
    return f"{text} {sentence}", detail, form


def garble(text: str, dice: Dice) -> tuple[str, str, str]:
    """Return ``text`` as a program shows it that takes UTF-8 for another encoding, a garbled piece of it, and how.

    A sentence that has letters outside ASCII is added first, as only those come out wrong.
    """
    return _garbled(text, dice.pick(defects()["accented"]), dice)


def garble_title(title: str, dice: Dice) -> tuple[str, str, str]:
    """Return a title garbled like the text of `garble`."""
    return _garbled(title, dice.pick(defects()["accented_title"]), dice)


def hide_characters(text: str, dice: Dice) -> tuple[str, str]:
    """Return ``text`` with characters in it that nobody sees, and the code point that was put in."""
    hidden = dice.pick(_HIDDEN)
    tokens = text.split(" ")
    for place in sorted(dice.sample(range(len(tokens)), dice.between(1, 3))):
        middle = len(tokens[place]) // 2
        tokens[place] = tokens[place][:middle] + hidden + tokens[place][middle:]
    return " ".join(tokens), f"U+{ord(hidden):04X}"


def dump_code(text: str, dice: Dice) -> tuple[str, str]:
    """Return ``text`` with a style sheet or a script that stood on its page, and that."""
    dump = dice.pick([*defects()["style"], *defects()["script"]])
    return (f"{dump} {text}" if dice.chance(0.5) else f"{text} {dump}"), dump


def break_line(line: bytes, reason: str, *, number: bytes, key: bytes, text: bytes) -> bytes:
    """Return a JSON line that cannot be read, for ``reason``.

    Parameters
    ----------
    number
        The member that gets the wrong type, such as ``"overall": 5.0``.
    key
        The member that goes missing, with its comma, such as ``"asin": "B0..", ``.
    text
        The start of a text value, up to and with its opening quote, behind which broken UTF-8 is put.
    """
    if reason == "truncated":
        return line[: len(line) * 3 // 5]
    if reason == "wrong_type":
        name = number.partition(b":")[0]
        return line.replace(number, name + b': {"value": "none"}', 1)
    if reason == "missing_id":
        return line.replace(key, b"", 1)
    return line.replace(text, text + b"\xff\xfe\xc3\x28", 1)


def _garbled(text: str, addition: str, dice: Dice) -> tuple[str, str, str]:
    how = dice.pick(MOJIBAKE)
    encoding = "latin-1" if how.startswith("latin-1") else "cp1252"
    wrong = addition
    for _ in range(2 if how.endswith("twice") else 1):
        wrong = _misread(wrong, encoding)
    return f"{text} {wrong}", max(wrong.split(), key=lambda word: (sum(map(_is_foreign, word)), word)), how


def _misread(text: str, encoding: str) -> str:
    """Read UTF-8 as ``encoding``; bytes that stand for nothing in it become control characters, as in browsers."""
    raw = text.encode()
    return "".join(bytes([byte]).decode(encoding if byte not in _NO_CP1252 else "latin-1") for byte in raw)


def _is_foreign(character: str) -> bool:
    return not character.isascii()
