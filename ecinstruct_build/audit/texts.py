"""Plain forms of texts, and what can be read out of an input without any id.

Everything here takes time in proportion to the text, and nothing raises on odd text.
"""

import ast
import json
import re
import unicodedata
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

SHOWN = 200
"""Characters of a text that a report shows."""

MIN_TITLE = 20
"""Characters that a title has at least in its plain form to stand for a product."""

# Scripts that write no spaces: every character counts as a word.
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_WIDE}]|[^\W_{_WIDE}]+")
# What ASCII becomes between words, and in plain form: bytes are translated several times as quickly as text.
_SPACED = bytes(code if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256, b" ")
_PLAIN = _SPACED.lower()
_LONGEST_LABEL = 30
_LABELLED = re.compile(rf"([^:\n]{{1,{_LONGEST_LABEL}}}):[ \t]*(.*)")
_ORDINAL = re.compile(r"\s{0,8}(?:\d{1,3}(?i:st|nd|rd|th)[:.)]|\d{1,3}[:.)]|[A-Z]{1,2}[:)])\s{1,8}")
_OPTION = re.compile(r"\s{0,8}([A-Z]{1,2})\s{0,2}[:.)]\s{0,8}(.*)", re.DOTALL)
_TITLE_KEYS = re.compile(
    r"(?:(?:first|second|third|fourth)\s)?(?:product|item)(?:\s(?:\d{1,3}|[a-z]|title|name))?|title|name"
)
_LIST_KEYS = re.compile(r"(?:products?|items?|purchases?|titles)(?:\s(?:list|history))?|history")
_QUERY_KEYS = re.compile(r"(?:user\s|search\s)?query")
_QUESTION_KEYS = re.compile(r"(?:user\s|product\s)?question")
_LONGEST_LITERAL = 200_000
_DEEPEST = 50
_KEYS = 1 << 12  # that are kept in mind: most inputs of a task have the same

Piece = tuple[str, str]
"""A text of an input, after the key that says what it is."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What an input says of products, queries and questions.

    Attributes
    ----------
    titles
        Product titles in plain form, of `MIN_TITLE` characters at least.
    queries, questions
        Queries and questions in plain form.
    prose
        The input without the keys and labels around its texts.
    """

    titles: tuple[str, ...]
    queries: tuple[str, ...]
    questions: tuple[str, ...]
    prose: str


def normal(text: str) -> str:
    """Return a text without differences of case, white space and Unicode form."""
    return " ".join(_folded(text).split())


def _folded(text: str) -> str:
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()


def words(text: str) -> list[str]:
    """Return the words of a text in `normal` form: runs of letters and digits, and single ideographs."""
    return text.encode().translate(_SPACED).decode().split() if text.isascii() else _WORD.findall(text)


def plain(text: str) -> str:
    """Return the words of a text with single spaces between."""
    if text.isascii():
        return b" ".join(text.encode().translate(_PLAIN).split()).decode()
    return " ".join(words(_folded(text)))


def counted(number: int, noun: str) -> str:
    """Return a number with what it counts: ``1 file``, ``2,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(text: str, longest: int = SHOWN) -> str:
    """Return a text in one line of at most so many characters."""
    line = " ".join(text[: 4 * longest].split())
    return line if len(line) <= longest and len(text) <= 4 * longest else line[: longest - 1] + "…"


def structure(text: str) -> Any:
    """Return the value that a text is as JSON, or as a Python literal; None if it is neither."""
    begin = text.lstrip()[:1]
    if begin not in ("{", "[") or len(text) > _LONGEST_LITERAL:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def option_texts(options: str) -> dict[str, str]:
    """Return the lettered options by letter: one a line, or a list of strings."""
    listed = structure(options)
    lines = [str(one) for one in listed] if isinstance(listed, list) else options.split("\n")
    found: dict[str, str] = {}
    for line in lines:
        match = _OPTION.match(line)
        if match:
            found.setdefault(match[1], match[2].strip())
    return found


def recover(text: str) -> Recovered:
    """Read titles, queries and questions out of an input: JSON, a Python literal, labelled lines or a list."""
    found: dict[str, list[str]] = {"title": [], "query": [], "question": []}
    pieces = _pieces(text)
    for key, value in pieces:
        if kind := _kind(key):
            found[kind].append(plain(value))
    titles = [title for title in found["title"] if len(title) >= MIN_TITLE]
    prose = "\n".join([value for _, value in pieces])
    return Recovered(_once(titles), _once(found["query"]), _once(found["question"]), prose)


def _once(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _pieces(text: str) -> list[Piece]:
    """Return the texts of an input, each with the key that says what it is, or ""."""
    value = structure(text)
    if value is not None:
        found: list[Piece] = []
        _add_leaves(found, "history" if isinstance(value, list) else "", value, 0)
        return found
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if lines and all(map(_ORDINAL.match, lines)):
        return [("title", _unnumbered(line)) for line in lines]
    return [_labelled(line) for line in lines]


def _labelled(line: str) -> Piece:
    """Return the text of a line with the key before it, if that says what it is."""
    labelled = _LABELLED.fullmatch(line) if ":" in line[: _LONGEST_LABEL + 1] else None
    return (_key(labelled[1]), labelled[2]) if labelled and _kind(_key(labelled[1])) else ("", line)


def _add_leaves(found: list[Piece], key: str, value: Any, depth: int) -> None:
    """Add the strings of a JSON value with the keys that they stand under."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        found.append(("title", _unnumbered(value)) if _is_list(key) else (key, value))
    elif isinstance(value, list | tuple):
        for one in value:
            _add_leaves(found, key, one, depth + 1)
    elif isinstance(value, dict):
        # A text with its source: {"source": "title", "text": "..."}.
        source = value.get("source")
        named = {"text": source} if isinstance(source, str) and isinstance(value.get("text"), str) else {}
        for name, one in value.items():
            if not (named and name == "source"):
                _add_leaves(found, _key(str(named.get(name, name))), one, depth + 1)


def _unnumbered(text: str) -> str:
    match = _ORDINAL.match(text)
    return text[match.end() :] if match else text


@lru_cache(_KEYS)
def _key(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").replace("#", " ").split())


@lru_cache(_KEYS)
def _is_list(key: str) -> bool:
    """Say whether what stands under a key is a list of titles."""
    return _LIST_KEYS.fullmatch(key) is not None


@lru_cache(_KEYS)
def _kind(key: str) -> str:
    """Return what stands under a key: a query, a question, a title, or ""."""
    kinds = {"query": _QUERY_KEYS, "question": _QUESTION_KEYS, "title": _TITLE_KEYS}
    return next((kind for kind, known in kinds.items() if known.fullmatch(key)), "")
