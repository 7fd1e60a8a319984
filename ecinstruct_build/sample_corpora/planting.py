"""How text is spoiled on purpose: words changed, languages swapped, markup and contact details added, lines broken."""

import re
from functools import cache
from typing import Any

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.vocabulary import words

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


def foreign_review(dice: Dice, *, pleased: bool) -> tuple[str, str]:
    """Return a language and a whole review in it."""
    language = dice.pick(LANGUAGES)
    parts = [dice.pick(bank) for bank in languages()[language]["good" if pleased else "bad"]]
    return language, ("" if language == "ja" else " ").join(parts)


def foreign_question(dice: Dice) -> tuple[str, str]:
    """Return a language and a question in it."""
    language = dice.pick(LANGUAGES)
    return language, dice.pick(languages()[language]["question"])


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


def add_contact(text: str, dice: Dice) -> tuple[str, str]:
    """Return ``text`` with an e-mail address or a telephone number in it, and that detail."""
    if dice.chance(0.5):
        detail = (
            f"{dice.pick(_FIRST)}.{dice.pick(_LAST)}{dice.between(1, 99)}@example.{dice.pick(('com', 'org', 'net'))}"
        )
        return f"{text} Write to me at {detail} if you want more pictures.", detail
    form = dice.pick(("(555) 01{0}-{1:04d}", "555-01{0}-{1:04d}", "+1 555 01{0} {1:04d}"))
    detail = form.format(dice.below(10), dice.below(10_000))
    return f"{text} Call me on {detail} with any questions.", detail


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
