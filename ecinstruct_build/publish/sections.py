"""Bring a card up to date without touching what people wrote in it.

A card is split into parts: each key of its front matter, what stands before the first ``## `` heading, and each
section from such a heading to the next. The manifest keeps a digest of every part as it was generated. A part that
is still so is ours, and is replaced; any other is somebody's, and stays.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import yaml

_KEY = re.compile(r"([^\s#:\-\[\]{}'\"][^:#]*):(?=\s|$)")
_HEADING = re.compile(r" {0,3}##(?!#)(.*)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_RULE = "---"
_BLANK = " \t\n"
_PARTS = 1 << 7  # that are kept in mind: a card is merged, and digested for the manifest

Edit = Literal["edited", "added", "removed"]


@dataclass(frozen=True)
class Kept:
    """A part of a card that stayed as somebody made it.

    Attributes
    ----------
    part
        The part in words: ``the key 'license'``, ``the section 'Loading'``.
    edit
        What was done to it.
    """

    part: str
    edit: Edit

    def __str__(self) -> str:
        return f"{self.part} ({self.edit})"


@dataclass(frozen=True)
class Merged:
    r"""A card brought up to date.

    Attributes
    ----------
    text
        The card, with ``\n`` at the ends of its lines.
    kept
        What stayed somebody's, in the order of the card, removed parts last.
    problem
        Why its front matter cannot be read; "" if it can.
    """

    text: str
    kept: list[Kept]
    problem: str


@dataclass(frozen=True)
class _Part:
    """A named piece of a card: ``yaml/<key>`` or ``text/<heading>``; a name that recurs is numbered."""

    name: str
    text: str

    @property
    def in_words(self) -> str:
        kind, _, name = self.name.partition("/")
        if kind == "yaml":
            return f"the comment '{name}'" if name.startswith("#") else f"the key '{name}'"
        return f"the section '{name}'" if name else "what stands before the first section"


def section_digests(text: str) -> dict[str, str]:
    """Return a digest of each part of a card by the part's name, for the manifest."""
    return {part.name: _digest(part) for part in _split(text)}


def recorded_digests(manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the digests that a card in the place of the manifest is to be held against.

    They are those of the card that was last written there by us: ``card_published`` in a manifest that was staged for
    the Hub, else ``card``. A manifest without them, or None, gives none: then every part is somebody's.
    """
    recorded = (manifest or {}).get("card_published") or (manifest or {}).get("card") or {}
    return {str(name): str(digest) for name, digest in recorded.items()} if isinstance(recorded, Mapping) else {}


def merge_card(generated: str, present: str, recorded: Mapping[str, str]) -> Merged:
    """Bring the card ``present`` up to date with ``generated``, and keep what people wrote.

    Parameters
    ----------
    generated
        The new card.
    present
        The card as it stands; blank if there is none. Any text will do: what cannot be understood stays as it is.
    recorded
        The digests of its parts when it was last generated; see `recorded_digests`.

    Returns
    -------
    Merged
        Parts that nobody touched are the new ones. Parts that were edited or added stay, where they stood; parts that
        were removed stay away. A card without front matter gets the new one whole.
    """
    new, old = _split(generated), _split(present)
    if not present.strip(_BLANK):
        return Merged(_compose(new), [], _problem(new))
    if not any(part.name.startswith("yaml/") for part in old):
        recorded = {name: digest for name, digest in recorded.items() if not name.startswith("yaml/")}
    chosen, kept = _choose(new, old, recorded)
    present_names = {part.name for part in old}
    for number, part in enumerate(new):
        if part.name in present_names:
            continue
        if part.name in recorded:
            kept.append(Kept(part.in_words, "removed"))
        else:
            chosen.insert(_place(chosen, new[:number]), part)
    merged = [*_of_kind(chosen, "yaml"), *_of_kind(chosen, "text")]
    return Merged(_compose(merged), kept, _problem(merged))


def _choose(new: Sequence[_Part], old: Sequence[_Part], recorded: Mapping[str, str]) -> tuple[list[_Part], list[Kept]]:
    """Return, for the parts that stand there, what is to stand there, and which of them are somebody's."""
    generated = {part.name: part for part in new}
    chosen, kept = [], []
    for part in old:
        ours = recorded.get(part.name) == _digest(part)
        successor = generated.get(part.name)
        if successor is not None and (ours or _digest(successor) == _digest(part)):
            chosen.append(successor)
        elif not ours:
            chosen.append(part)
            kept.append(Kept(part.in_words, "edited" if part.name in recorded or successor else "added"))
    return chosen, kept


def _place(chosen: Sequence[_Part], before: Sequence[_Part]) -> int:
    """Return where a new part goes: behind the nearest of those that stand before it in the new card."""
    places = {part.name: place for place, part in enumerate(chosen)}
    return next((places[part.name] + 1 for part in reversed(before) if part.name in places), 0)


def _of_kind(parts: Iterable[_Part], kind: str) -> list[_Part]:
    return [part for part in parts if part.name.startswith(f"{kind}/")]


def _split(text: str) -> list[_Part]:
    lines = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")).split("\n")
    header, body = _front_matter(lines)
    return [*_named("yaml", _keys(header)), *_named("text", _sections(body))]


def _front_matter(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines of the front matter and those after it; a front matter that has no end is none."""
    first = next((number for number, line in enumerate(lines) if line.strip(_BLANK)), 0)
    if lines[first].rstrip(_BLANK) != _RULE:
        return [], lines
    for number in range(first + 1, len(lines)):
        if lines[number].rstrip(_BLANK) == _RULE:
            return lines[first + 1 : number], lines[number + 1 :]
    return [], lines


def _keys(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the blocks of a front matter: a key with its value, or a comment that stands at the margin."""
    blocks: list[tuple[str, list[str]]] = []
    for line in lines:
        key = _KEY.match(line)
        if key is not None:
            blocks.append((key[1].strip(), [line]))
        elif line.startswith("#"):
            blocks.append((line.strip(), [line]))
        elif blocks:
            blocks[-1][1].append(line)
        elif line.strip(_BLANK):
            blocks.append((f"# {line.strip()}", [line]))
    return blocks


def _sections(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return the sections of Markdown; a heading within a code block is none."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in lines:
        opening = _FENCE.match(line)
        if fence:
            if opening and opening[1].startswith(fence) and not opening[2].strip():
                fence = ""
        elif opening and not (opening[1][0] == "`" and "`" in opening[2]):
            fence = opening[1]
        elif (heading := _HEADING.match(line)) and (not heading[1] or heading[1][0] in " \t"):
            sections.append((heading[1].strip().rstrip("#").rstrip(), []))
        sections[-1][1].append(line)
    return sections


def _named(kind: str, blocks: Iterable[tuple[str, list[str]]]) -> list[_Part]:
    """Return blocks as parts under names of their own, without the blank lines around them; blank ones are none."""
    parts: dict[str, _Part] = {}
    for title, lines in blocks:
        text = "\n".join(lines).strip("\n").rstrip(_BLANK)
        if not text:
            continue
        name, number = f"{kind}/{title}", 2
        while name in parts:
            name, number = f"{kind}/{title} ({number})", number + 1
        parts[name] = _Part(name, text)
    return list(parts.values())


def _compose(parts: Sequence[_Part]) -> str:
    header = "\n".join(part.text for part in _of_kind(parts, "yaml"))
    body = "\n\n".join(part.text for part in _of_kind(parts, "text"))
    return "\n\n".join(piece for piece in (f"{_RULE}\n{header}\n{_RULE}" if header else "", body) if piece) + "\n"


@lru_cache(_PARTS)
def _digest(part: _Part) -> str:
    """Return a digest of what a part says: of a key's value however it is written, of other parts' text."""
    said = part.text
    # A comment is somebody's text, too; an anchor makes a short text stand for a value without end.
    if part.name.startswith("yaml/") and not set("#&") & set(said):
        try:
            said = json.dumps(_read_yaml(said), sort_keys=True, default=repr)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            said = part.text
    return hashlib.sha256(said.encode("utf-8", "surrogateescape")).hexdigest()


def _problem(parts: Sequence[_Part]) -> str:
    """Return why the front matter of a card is no mapping in YAML; "" if it is one."""
    try:
        values = _read_yaml("\n".join(part.text for part in _of_kind(parts, "yaml")))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return " ".join(str(error).split())
    return "" if isinstance(values, dict) else "it holds no keys"


def _read_yaml(text: str) -> Any:
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 both are safe loaders
