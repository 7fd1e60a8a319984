"""A row laid out for a reader: products as cards, histories as lists, JSON as tables; what is not understood, as text.

Nothing of the row is left out or changed, and nothing here fails: the layout is read out of the text, and
text that follows none stays one block.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from ecinstruct_build.answers import LETTERS

BlockKind = Literal["text", "fields", "list", "products", "table"]

_NUMBERED = re.compile(r"([0-9]{1,4})[.)] (.*)", re.DOTALL)
_LABELLED = re.compile(r"([A-Z][\w '/-]{0,27}):(?: (.*)|)", re.DOTALL)
_LETTERED = re.compile(r"\(?([A-Z])[:.)] ?(.*)", re.DOTALL)
_PRODUCT = re.compile(r"\b(?:product|item|listing)\b", re.IGNORECASE)
_TITLES = ("title", "name")
_MOST_COLUMNS = 40  # of a table: rows that have no keys in common would make it as wide as it is long


@dataclass(frozen=True)
class Fact:
    """A short piece of text under a name; the name is "" where the row gives none."""

    name: str
    value: str


@dataclass(frozen=True)
class Product:
    """A product: what the row calls it (``product 1``, ``First product``), its title, and its other facts."""

    label: str
    title: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Block:
    """A part of an input or an answer.

    Attributes
    ----------
    kind
        Which of the attributes below it fills: ``text``: text; ``fields``: facts; ``list``: items; ``products``:
        products; ``table``: columns and rows.
    title
        Its heading; "" if it has none.
    numbered
        Whether a list's items are numbered from 1 in the row.
    """

    kind: BlockKind
    title: str = ""
    text: str = ""
    facts: tuple[Fact, ...] = ()
    items: tuple[str, ...] = ()
    numbered: bool = False
    products: tuple[Product, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Option:
    """A lettered option; ``place`` is its place in the answer, from 1, or None if the answer does not name it."""

    letter: str
    text: str
    place: int | None = None


@dataclass(frozen=True)
class Card:
    """A row for a reader.

    Attributes
    ----------
    instruction
        What the model is told to do.
    input
        What it is to be done with.
    options
        The lettered options; where their text follows no lettering, a block of the input holds it.
    answer
        The answer as blocks; empty if it names options.
    ranking
        Whether the answer names several options in order.
    example
        The worked example that is shown first; "" if there is none.
    """

    instruction: str
    input: tuple[Block, ...]
    options: tuple[Option, ...]
    answer: tuple[Block, ...]
    ranking: bool
    example: str

    @property
    def named(self) -> tuple[Option, ...]:
        """The options that the answer names, in the answer's order."""
        places = [(option.place, option) for option in self.options if option.place is not None]
        return tuple(option for _, option in sorted(places, key=lambda one: one[0]))


def card_of(content: Mapping[str, str]) -> Card:
    """Lay out a row.

    Parameters
    ----------
    content
        ``instruction``, ``input``, ``options``, ``output`` and ``few_shot_example``; missing ones count as empty.
    """
    text = {name: content.get(name) or "" for name in ("input", "options", "output")}
    blocks = blocks_of(text["input"])
    lettered = _options(text["options"])
    if text["options"].strip() and not lettered:
        blocks = (*blocks, Block("text", "Options", text=text["options"]))
    places = _places(text["output"], [letter for letter, _ in lettered])
    return Card(
        instruction=content.get("instruction") or "",
        input=blocks,
        options=tuple(Option(letter, said, places.get(letter)) for letter, said in lettered),
        answer=() if places else blocks_of(text["output"], labels=False),
        ranking=len(places) > 1,
        example=content.get("few_shot_example") or "",
    )


def blocks_of(text: str, *, labels: bool = True) -> tuple[Block, ...]:
    """Lay out a text: JSON objects and lists, numbered lines, and (if ``labels``) ``Label: text`` lines."""
    if not text.strip():
        return ()
    if text.lstrip()[0] in "{[":
        found = _json(text)
        if found:
            return tuple(_joined(_json_blocks(found)))
    if labels and (structured := _structured(text)):
        return tuple(_joined(structured))
    return (Block("text", text=text),)


def _options(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        match = _LETTERED.fullmatch(line)
        if match and len(found) < len(LETTERS) and match[1] == LETTERS[len(found)]:
            found.append((match[1], [match[2]]))
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            return []
    return [(letter, "\n".join(lines).strip("\n")) for letter, lines in found]


def _places(output: str, letters: Sequence[str]) -> dict[str, int]:
    """Return the places of the letters that an output consists of; nothing if it is anything else."""
    if len(output) > 4 * len(letters):
        return {}
    named = [part.strip() for part in output.split(",")]
    if len(set(named)) != len(named) or not set(named) <= set(letters):
        return {}
    return {letter: place for place, letter in enumerate(named, 1)}


@dataclass
class _Part:
    """A labelled line or a numbered list while its lines are read: the lines of each item."""

    heading: str
    numbered: bool
    items: list[list[str]]


def _structured(text: str) -> list[Block]:
    """Return labelled lines and numbered lists as blocks; nothing if the text begins otherwise."""
    parts: list[_Part] = []
    for line in text.rstrip("\n").split("\n"):
        if not _take(line, parts):
            return []
    return [_block(part) for part in parts]


def _take(line: str, parts: list[_Part]) -> bool:
    """Add a line to the parts; False if it belongs to none."""
    last = parts[-1] if parts else None
    if (number := _NUMBERED.fullmatch(line)) and _next_number(last) == int(number[1]):
        if last is None:
            parts.append(last := _Part("", numbered=True, items=[]))
        last.numbered = True
        last.items.append([number[2]])
    elif label := _LABELLED.fullmatch(line):
        parts.append(_Part(label[1], numbered=False, items=[[label[2]]] if label[2] else []))
    elif last is None:
        return not line.strip()
    elif last.items:
        last.items[-1].append(line)
    else:
        last.items.append([line])
    return True


def _next_number(part: _Part | None) -> int:
    """Return the number that a list's next item would have; 0 where no list can begin or go on."""
    if part is None or not part.items:
        return 1
    return len(part.items) + 1 if part.numbered else 0


def _block(part: _Part) -> Block:
    said = tuple("\n".join(lines) for lines in part.items)
    if part.numbered:
        return Block("list", part.heading, items=said, numbered=True)
    text = "".join(said)
    if _PRODUCT.search(part.heading):
        return Block("products", products=(Product(part.heading, text),))
    return Block("fields", facts=(Fact(part.heading, text),))


class _RepeatedKeyError(ValueError):
    """A JSON object that gives one key twice: a dict would hide the first."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {_whole(name): value for name, value in pairs}
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _json(text: str) -> Any:
    """Return a JSON object or list, its numbers as they are written; None if it is none."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _json_blocks(value: Any, title: str = "") -> Iterator[Block]:
    if isinstance(value, list):
        columns = _columns(value)
        if columns:
            rows = tuple(tuple(_shown(row[name]) if name in row else "" for name in columns) for row in value)
            yield Block("table", title, columns=columns, rows=rows)
        else:
            yield Block("list", title, items=tuple(_shown(item) for item in value))
    elif isinstance(value, dict):
        if _is_product(value, title):
            yield Block("products", products=(_product(value, title),))
        elif title:
            yield Block("fields", title, facts=tuple(Fact(name, _shown(item)) for name, item in value.items()))
        else:
            for name, item in value.items():
                yield from _json_blocks(item, name)
    else:
        yield Block("fields", facts=(Fact(title, _shown(value)),))


def _columns(rows: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys of a list of objects; nothing if it is none, or they are too many for a table."""
    if not all(isinstance(row, dict) and row for row in rows):
        return ()
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return names if len(names) <= _MOST_COLUMNS else ()


def _is_product(value: Mapping[str, Any], title: str) -> bool:
    named = any(isinstance(value.get(name), str) for name in _TITLES)
    plain = not any(isinstance(item, dict | list) for item in value.values())
    return plain and (named or bool(value and _PRODUCT.search(title)))


def _product(value: Mapping[str, Any], label: str) -> Product:
    title = next((name for name in _TITLES if isinstance(value.get(name), str)), "")
    facts = tuple(Fact(name, _shown(item)) for name, item in value.items() if name != title)
    return Product(label, _shown(value[title]) if title else "", facts)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return _whole(value)
    try:
        return _whole(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "…"


def _whole(text: str) -> str:
    """Return a text without the half characters that JSON can escape, which cannot be written out."""
    return text.encode("utf-8", "replace").decode()


def _joined(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks with neighbouring products, and neighbouring facts without a heading, made one block."""
    for (kind, alone), run in groupby(blocks, key=lambda block: (block.kind, bool(block.title))):
        if kind == "products":
            yield Block("products", products=tuple(product for block in run for product in block.products))
        elif kind == "fields" and not alone:
            yield Block("fields", facts=tuple(fact for block in run for fact in block.facts))
        else:
            yield from run
