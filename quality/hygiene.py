"""Hygiene: texts with remains of markup, garbled letters or hidden characters, and texts that are no text.

What a person reads is mended for certain: tags go, entities become the characters that they stand for, letters that
were decoded by the wrong encoding are decoded anew. What cannot be mended is left out: styles and scripts in place of
words, titles that name nothing, letters that are lost. Wrong options count too, for they are published with the rest;
where one cannot be mended, a spare option takes its place, and a context does without the item.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, TypeVar

from pydantic import Field

from ecinstruct_build.check import Action, Check, CheckSettings, Evidence, Remedy, Verdict
from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.patterns import compiled_later
from ecinstruct_build.text import MARKUP, Mended, clean, mend
from quality.lexicon.placeholders import PLACEHOLDERS
from quality.splitting.ties import replaceable_options

T = TypeVar("T")
Listed = TypeVar("Listed", Item, Option)

CODE = "style or script"
PLACEHOLDER = "placeholder title"
UNDECODABLE = "undecodable"

TITLES = frozenset({"title", "product", "product_1", "product_2"})
"""Fields that hold a product's title."""

_SEEN = 40  # characters of a fault that are shown
_GRAVITY: Sequence[Remedy] = ("keep", "flag", "repair", "reject")
_REMEMBERED = 2**18  # texts of options that are not looked at again
_NOT_WORDS = re.compile(r"[\W_]+")
_PROPERTY = (
    r"(?:background(?:-color|-image)?|border(?:-[a-z]{3,6})?|font-(?:size|family|weight)|(?:margin|padding)-[a-z]{3,6}|"
    r"text-(?:align|decoration)|white-space|z-index)"
)
_STYLE = compiled_later(
    r"\{ ?-?[a-z]{2,20}(?:-[a-z]{2,20}){1,3} ?:"  # .box{font-size:
    r"|\{ ?[a-z]{3,20} ?:[^{};:]{1,60}[;}]"  # .box{color:red}
    rf"|{_PROPERTY} ?:[^{{}};:]{{1,60}}; ?[a-z-]{{3,30}} ?:[^{{}};:]{{1,60}}[;}}]"
    r"|@(?:media|import|font-face|keyframes)\b[^{};]{0,60}[{;]"
)
_SCRIPT = compiled_later(
    r"\bfunction\s?\w{0,30}\([^()]{0,80}\)\s?\{"
    r"|\.getTime\(|\bgetTime\(\)|\b(?:set|clear)(?:Timeout|Interval)\(|\bjQuery\(|\$\((?:document|['\"][.#])"
    r"|\bdocument\.(?:getElement|write|cookie|createElement|querySelector|location|body|ready)"
    r"|\bwindow\.(?:location|onload|ue|open\(|addEventListener|AmazonUI)"
    r"|\.(?:addEventListener|appendChild|innerHTML|getElementById)\b|\bP\.when\(|\bJSON\.(?:parse|stringify)\("
    r"|\bvar [A-Za-z_$][\w$]{0,40} ?= ?(?:new |\{|\[|['\"(]|[\w$.]{1,40}[;(])|\bjavascript:\S"
)
_SCRIPT_WORDS = (
    "getTime(", "Timeout(", "Interval(", "function", "jQuery(", "$(", "document.", "window.", "var ", "P.when(",
    "addEventListener", "appendChild", "innerHTML", "getElementById", "JSON.", "javascript:",
)  # fmt: skip
"""Words that a script holds: quicker to look for than the script."""


class HygieneSettings(CheckSettings):
    """Settings of the hygiene check.

    Attributes
    ----------
    action
        As for every check; here ``repair`` unless the recipe says otherwise.
    max_undecodable
        Share of a text's characters that are lost or still garbled after repair, at most.
    min_context
        Items that a context keeps at least when those beyond repair are left out of it; with fewer the example goes.
    """

    action: Action = "repair"
    max_undecodable: float = Field(default=0.02, ge=0, le=1)
    min_context: int = Field(default=2, ge=1)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one text.

    Attributes
    ----------
    reason, remedy, score
        As in `Verdict`.
    seen
        The first of it, shortened.
    """

    reason: str
    remedy: Remedy
    seen: str
    score: float = 0.0


def repaired(text: str) -> str:
    """Return a text mended as far as that is certain; see `ecinstruct_build.text.clean`."""
    return clean(text)


def faults(text: str, *, is_title: bool = False, max_undecodable: float = 0.02) -> tuple[Fault, ...]:
    """Return what is wrong with a text.

    Parameters
    ----------
    text
        The text, as a task has it.
    is_title
        Whether it is to name a product.
    max_undecodable
        As in `HygieneSettings`.

    Returns
    -------
    tuple of Fault
        One for each reason, sorted by it. After `repaired` no fault of the remedy ``repair`` is found.
    """
    mended = mend(text)
    found = [Fault(reason, "repair", _short(seen)) for reason, seen in mended.found.items()]
    if (text and not mended.text) or not mended.settled:
        # Nothing is left of a broken tag, or there is no end to what is escaped.
        found = [Fault(next(iter(mended.found), MARKUP), "reject", _short(text))]
    found += _beyond_repair(mended, is_title=is_title, max_undecodable=max_undecodable)
    return tuple(sorted(found, key=lambda fault: fault.reason))


def _beyond_repair(mended: Mended, *, is_title: bool, max_undecodable: float) -> Iterator[Fault]:
    text = mended.text
    code = _code_in(text)
    if code:
        yield Fault(CODE, "reject", _short(text[max(0, code.start() - _SEEN // 2) : code.end()]))
    if is_title and text and _names_nothing(text):
        yield Fault(PLACEHOLDER, "reject", _short(text))
    if mended.garbled:
        share = round(mended.garbled, 6)
        lost = max(0, text.find("\ufffd") - _SEEN // 2)
        yield Fault(UNDECODABLE, "reject" if share > max_undecodable else "keep", _short(text[lost:]), share)


def _code_in(text: str) -> re.Match[str] | None:
    styled = "{" in text or (":" in text and ";" in text)
    found = _STYLE.search(text) if styled else None
    called = "(" in text or "=" in text or "javascript:" in text
    if found is None and called and any(word in text for word in _SCRIPT_WORDS):
        found = _SCRIPT.search(text)
    return found


def _names_nothing(title: str) -> bool:
    return len(title) <= _SEEN and _NOT_WORDS.sub(" ", title).strip().casefold() in {"", *PLACEHOLDERS}


def _short(text: str) -> str:
    return text if len(text) <= _SEEN else text[: _SEEN - 1] + "\u2026"


def judge(examples: Sequence[Example], settings: HygieneSettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples with a text that is to be mended, or cannot be."""
    verdicts = [verdict for example in examples for verdict in _verdicts(example, settings)]
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def _verdicts(example: Example, settings: HygieneSettings) -> Iterator[Verdict]:
    """Yield one verdict for each reason, with the gravest of its faults."""
    by_reason: dict[str, list[tuple[str, Fault]]] = {}
    for place, fault in _example_faults(example, settings):
        by_reason.setdefault(fault.reason, []).append((place, fault))
    for reason, found in by_reason.items():
        place, worst = max(found, key=lambda each: (_GRAVITY.index(each[1].remedy), each[1].score))
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        detail = f"{place}: {worst.seen}{more}"
        yield Verdict(example.example_id, reason, worst.score, detail=detail, remedy=worst.remedy)


def _example_faults(example: Example, settings: HygieneSettings) -> Iterator[tuple[str, Fault]]:
    """Yield every fault of an example with the place where it is."""
    share = settings.max_undecodable
    titles, others = _title_faults(share), _text_faults(share)
    parts = (
        [("", dict(example.fields))] if example.options else [("", dict(example.fields)), ("answer", example.answer)]
    )
    for name, value in parts:
        for place, text, is_title in _texts(value, name):
            if is_title:
                found = titles[text]
            else:  # short ones recur: yes, a brand, the name of an attribute
                found = others[text] if len(text) <= _SEEN else faults(text, max_undecodable=share)
            yield from ((place, fault) for fault in found)
    lessened = bool(_context_left(example, settings))
    for item in example.context:
        for fault in titles[item.text]:
            yield "context", _mended_by_leaving_out(fault) if lessened else fault
    yield from _option_faults(example, share)


def _option_faults(example: Example, share: float) -> Iterator[tuple[str, Fault]]:
    """Yield the faults of options; one that a spare takes the place of is as good as mended."""
    stand_ins = _stand_ins(example, share)
    for option in example.options:
        for fault in _faults_of(option, share):
            yield "option", _mended_by_leaving_out(fault) if option.key in stand_ins else fault
    titles = _title_faults(share)
    for found in [found for option in example.spare_options if (found := titles[option.text])]:
        yield from (("spare option", _mended_by_leaving_out(fault)) for fault in found)


def _mended_by_leaving_out(fault: Fault) -> Fault:
    return replace(fault, remedy="repair") if fault.remedy == "reject" else fault


def _texts(value: Any, place: str) -> Iterator[tuple[str, str, bool]]:
    """Yield every text of a JSON value, where it stands, and whether it is a product's title."""
    if isinstance(value, str):
        if value:
            yield place, value, place.rpartition(".")[2] in TITLES
    elif isinstance(value, dict):
        for name in sorted(value):
            inner = f"{place}.{name}" if place else name
            titled = name == "text" and value.get("source") == "title"
            yield from ((at, text, titled or is_title) for at, text, is_title in _texts(value[name], inner))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, place)


def repair(example: Example, settings: HygieneSettings) -> Example:
    """Return an example with every text mended and, in place of wrong options beyond repair, spare ones.

    Option keys, identity, products and groups stay. Options that examples share are still shared.
    """
    share = settings.max_undecodable
    stand_ins = _stand_ins(example, share)
    used = {option.key for option in stand_ins.values()}
    options = (stand_ins.get(option.key, option) for option in example.options)
    spares = [option for option in _fit_spares(example, share) if option.key not in used]
    return replace(
        example,
        fields={name: _repaired_value(value) for name, value in example.fields.items()},
        answer=example.answer if example.options else _repaired_value(example.answer),
        context=_repaired_list(_context_left(example, settings) or example.context),
        options=_repaired_list(options),
        spare_options=_repaired_list(spares),
    )


def _context_left(example: Example, settings: HygieneSettings) -> list[Item]:
    """Return the items of the context that can be mended; none if those are too few."""
    titles = _title_faults(settings.max_undecodable)
    left = [item for item in example.context if not _is_beyond_repair(titles[item.text])]
    return left if len(left) >= settings.min_context else []


def _stand_ins(example: Example, share: float) -> dict[str, Option]:
    """Return the spare options that take the place of wrong options beyond repair, by the key of those."""
    faulty = [option.key for option in example.options if _is_beyond_repair(_faults_of(option, share))]
    if not faulty:
        return {}
    replaceable = replaceable_options(example)
    return dict(zip((key for key in faulty if key in replaceable), _fit_spares(example, share), strict=False))


def _fit_spares(example: Example, share: float) -> list[Option]:
    titles = _title_faults(share)
    return [
        option for option in example.spare_options if not (found := titles[option.text]) or not _is_beyond_repair(found)
    ]


def _is_beyond_repair(found: Sequence[Fault]) -> bool:
    return bool(found) and any(fault.remedy == "reject" for fault in found)


def _faults_of(option: Option, share: float) -> tuple[Fault, ...]:
    return (_title_faults(share) if option.product_id else _text_faults(share))[option.text]


def _repaired_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {name: _repaired_value(part) for name, part in value.items()}
    return [_repaired_value(part) for part in value] if isinstance(value, list | tuple) else value


def _repaired_list(listed: Iterable[Listed]) -> tuple[Listed, ...]:
    """Return items or options with their texts mended; the same objects for the same objects."""
    changes = _changes()
    return tuple([_with_repaired_text(one) if changes[one.text] else one for one in listed])


class _Memory(dict[str, T]):
    """What was found for texts that recur in many examples: a look-up costs next to nothing."""

    def __init__(self, find: Callable[[str], T]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, text: str) -> T:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[text] = self._find(text)
        return found


@lru_cache(maxsize=2)
def _title_faults(share: float) -> _Memory[tuple[Fault, ...]]:
    return _Memory(lambda text: faults(text, is_title=True, max_undecodable=share))


@lru_cache(maxsize=2)
def _text_faults(share: float) -> _Memory[tuple[Fault, ...]]:
    return _Memory(lambda text: faults(text, max_undecodable=share))


@cache
def _changes() -> _Memory[bool]:
    return _Memory(lambda text: clean(text) != text)


@lru_cache(maxsize=_REMEMBERED)
def _with_repaired_text(listed: Any) -> Any:
    return replace(listed, text=clean(listed.text))


CHECK = Check(
    name="hygiene",
    summary="Mend markup, entities, garbled and hidden characters; reject style sheets, scripts and empty titles.",
    settings=HygieneSettings,
    judge=judge,
    repair=repair,
)
