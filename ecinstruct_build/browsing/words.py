"""The words that somebody searches for, and where they stand in a text."""

import re

MOST_WORDS = 12
LONGEST = 300
"""Characters of a search that are read."""

_WORD = re.compile(r'"([^"]*)"|(\S+)')


def words_of(search: str) -> tuple[str, ...]:
    """Return what is searched for, once each: words, and phrases where they stand in double quotes."""
    found = (match[1] if match[1] is not None else match[2] for match in _WORD.finditer(search[:LONGEST]))
    shown = dict.fromkeys(word.strip(' "') for word in found)
    return tuple(word for word in shown if word)[:MOST_WORDS]


def pieces(text: str, words: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Cut a text into pieces that are one of the words, in whatever case, and those between; none is empty."""
    if not words:
        return [(text, False)] if text else []
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    pattern = re.compile("|".join(re.escape(word) for word in longest_first), re.IGNORECASE)
    found, end = [], 0
    for match in pattern.finditer(text):
        found += [(text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [piece for piece in [*found, (text[end:], False)] if piece[0]]
