"""Privacy: e-mail addresses, phone numbers, links with tokens, and numbers of orders, cards and parcels.

Every text of an example is looked at: fields, context, options, spare options, and the answer where it is no
option's. What is masked in one field or in the answer is masked in all of them, so that an answer still stands in the
text that it was taken from. Verdicts tell of what was found its first character and its length only.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, TypeVar

from pydantic import Field

from ecinstruct_build.check import Action, Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example, Item, Option
from quality.content import strings
from quality.lexicon.phones import region_of
from quality.lexicon.private_data import KINDS, LATIN, Found, Kind, find

T = TypeVar("T", Item, Option)

REASONS: Mapping[Kind, str] = {
    "card": "card number",
    "email": "e-mail address",
    "link": "link with a token",
    "order": "order number",
    "phone": "phone number",
    "tracking": "tracking number",
}

# No mask can be taken for private data, nor for words that announce some.
Mask = Annotated[str, Field(pattern=r"^\[[^\W\d_]+( [^\W\d_]+)*\]$")]

_ROUNDS = 8  # masking one datum may uncover the next
_SHARED = 64  # data of one example that are also looked for where no words announce them
_TOLD = 5  # data that a verdict tells of
_REMEMBERED = 1 << 16


class PrivacySettings(CheckSettings):
    """Settings of the privacy check.

    Attributes
    ----------
    kinds
        What to look for.
    email_mask
        Words in square brackets that stand for an e-mail address.
    phone_mask
        Words that stand for a phone number.
    link_mask
        Words that stand for a link with a token, a session, a password or an affiliate's tag.
    order_mask
        Words that stand for the number of an order, invoice or account.
    card_mask
        Words that stand for the number of a payment card.
    tracking_mask
        Words that stand for the number of a parcel.
    """

    action: Action = "repair"
    kinds: tuple[Kind, ...] = KINDS
    email_mask: Mask = "[email]"
    phone_mask: Mask = "[phone]"
    link_mask: Mask = "[link]"
    order_mask: Mask = "[order number]"
    card_mask: Mask = "[card number]"
    tracking_mask: Mask = "[tracking number]"

    def mask(self, kind: Kind) -> str:
        """Return the words that stand for private data of a kind."""
        return str(getattr(self, f"{kind}_mask"))


class _Finder:
    """Finds private data, looking at equal texts once."""

    def __init__(self, settings: PrivacySettings, region: str | None) -> None:
        self._kinds = frozenset(settings.kinds)
        self._region = region
        self._known: dict[str, list[Found]] = {}

    def __call__(self, text: str) -> list[Found]:
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = find(text, self._kinds, self._region)
        return found


def judge(examples: Sequence[Example], settings: PrivacySettings, _evidence: Evidence) -> list[Verdict]:
    """Find examples with private data: one verdict for each kind, whose score is the number of data found."""
    by_locale: dict[str, list[Example]] = {}
    for example in examples:
        by_locale.setdefault(example.locale, []).append(example)
    verdicts = []
    for locale, group in by_locale.items():
        finder = _Finder(settings, region_of(locale))
        listed = _private_parts(group, finder)
        verdicts += [verdict for example in group for verdict in _verdicts(example, finder, listed)]
    return sorted(verdicts, key=lambda verdict: (verdict.example_id, verdict.reason))


def repair(example: Example, settings: PrivacySettings) -> Example:
    """Return the example with mask words for all private data; options and items without any are the same objects."""
    finder = _Finder(settings, region_of(example.locale))
    fields: Any = dict(example.fields)
    answer = example.answer
    for _ in range(_ROUNDS):
        own = [fields] if example.options else [fields, answer]
        private: dict[str, Kind] = {}
        for text in strings(own):
            for one in finder(text):
                private.setdefault(text[one.start : one.end], one.kind)
        if not private:
            break
        change = _masking(private, finder, settings)
        fields = _mapped(fields, change)
        answer = answer if example.options else _mapped(answer, change)
    return replace(
        example,
        fields=fields,
        answer=answer,
        context=tuple(_masked(item, settings, example.locale) for item in example.context),
        options=tuple(_masked(option, settings, example.locale) for option in example.options),
        spare_options=tuple(_masked(option, settings, example.locale) for option in example.spare_options),
    )


def masked(text: str, settings: PrivacySettings, locale: str) -> str:
    """Return a text with mask words for its private data."""
    region = region_of(locale)
    for _ in range(_ROUNDS):
        found = find(text, frozenset(settings.kinds), region)
        if not found:
            break
        text = _with_masks(text, found, settings)
    return text


def _private_parts(examples: Sequence[Example], finder: _Finder) -> dict[int, Item | Option]:
    """Return items and options that hold private data, by identity: few objects stand in many examples."""
    distinct: dict[int, Item | Option] = {}
    for example in examples:
        for part in (example.context, example.options, example.spare_options):
            distinct.update(zip(map(id, part), part, strict=True))
    return {key: one for key, one in distinct.items() if finder(one.text)}


def _verdicts(example: Example, finder: _Finder, listed: Mapping[int, Item | Option]) -> Iterator[Verdict]:
    seen: dict[Kind, list[str]] = {}
    for place, text in _places(example, listed):
        for one in finder(text):
            told = f"{place}: {text[one.start]}\u2026 ({one.end - one.start} characters)"
            seen.setdefault(one.kind, []).append(told)
    for kind, data in seen.items():
        more = f"; and {len(data) - _TOLD} more" if len(data) > _TOLD else ""
        detail = "; ".join(data[:_TOLD]) + more
        yield Verdict(example.example_id, REASONS[kind], float(len(data)), detail=detail, remedy="repair")


def _places(example: Example, listed: Mapping[int, Item | Option]) -> Iterator[tuple[str, str]]:
    """Yield the texts of an example with where they stand; of items and options only those ``listed``."""
    for name in sorted(example.fields):
        yield from ((name, text) for text in strings(example.fields[name]))
    if not example.options:
        yield from (("answer", text) for text in strings(example.answer))
    if listed:
        parts = (("context", example.context), ("options", example.options), ("spare options", example.spare_options))
        for place, part in parts:
            yield from ((place, one.text) for one in part if id(one) in listed)


def _masking(private: Mapping[str, Kind], finder: _Finder, settings: PrivacySettings) -> Callable[[str], str]:
    """Return what masks a text: what is found in it, and what was found in another text of the example."""
    shared = sorted(islice(private, _SHARED), key=lambda datum: (-len(datum), datum))
    anywhere = re.compile(rf"(?<![{LATIN}])(?:{'|'.join(map(re.escape, shared))})(?![{LATIN}])")

    def change(text: str) -> str:
        text = _with_masks(text, finder(text), settings)
        return anywhere.sub(lambda datum: settings.mask(private[datum[0]]), text)

    return change


def _with_masks(text: str, found: Sequence[Found], settings: PrivacySettings) -> str:
    pieces, end = [], 0
    for one in found:
        pieces += [text[end : one.start], settings.mask(one.kind)]
        end = one.end
    return "".join([*pieces, text[end:]])


@lru_cache(maxsize=_REMEMBERED)
def _masked(one: T, settings: PrivacySettings, locale: str) -> T:
    """Return an item or option masked: the same object for all examples that share it."""
    text = masked(one.text, settings, locale)
    return one if text == one.text else replace(one, text=text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _mapped(part, change) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(part, change) for part in value)
    return value


CHECK = Check(
    name="privacy",
    summary="Mask e-mail addresses, phone numbers, links with tokens, and numbers of orders, cards and parcels.",
    settings=PrivacySettings,
    judge=judge,
    repair=repair,
)
