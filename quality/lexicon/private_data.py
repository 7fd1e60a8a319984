"""Find private data in a text: addresses, numbers and links that lead to a person, an order or an account.

Product text is full of look-alikes (model and part numbers, UPC and EAN, dimensions, dates), so a number counts
where its form leaves no doubt, check digits included, or where the words before it say what it is. All patterns
are bounded: the work is in proportion to the text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from ecinstruct_build.patterns import compiled_later
from quality.lexicon.phones import find_phones, follows_product_code

Kind = Literal["email", "phone", "link", "order", "card", "tracking"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Span = tuple[int, int]

LATIN = r"A-Za-z0-9\u00c0-\u024f_"
"""The characters, within a regular expression's brackets, that private data do not begin or end between.

Letters of other scripts are none of them: Japanese writes numbers and words without spaces.
"""

_START = rf"(?<![{LATIN}-])"
_END = rf"(?![{LATIN}-])"
_FIVE_DIGITS = compiled_later(r"\d(?:[^\w\n]{0,3}[A-Za-z]{0,3}\d){4}")
_LINK = compiled_later(
    r"(?:(?<![a-z0-9+])[a-z][a-z0-9+]{1,9}://|(?<![\w@.-])(?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,10}(?=[/?]))"
    r"[^\s<>\"'\u3000-\u30ff\u4e00-\u9fff]{1,2000}",
    re.IGNORECASE,
)
_LINK_MARK = compiled_later(r"\.[a-z]{2,10}[/?]\S", re.IGNORECASE)
_LINK_END = ".,;:!?)]}>*"
_SECRET_NAME = compiled_later(
    r"(?:.*[_-])?(?:token|key|apikey|secret|signature|sig|sign|session|sessionid|sess|sid|phpsessid|jsessionid|auth"
    r"|authkey|password|passwd|pwd|pass|credentials?|ticket|otp|e?mail|phone|tag|affid|uid)"
    r"|(?:asc|associate)_?(?:sub)?tag|link(?:id|code)|(?:aff|affiliate|user|client|customer|account|order|session|login)_?id"
    r"|(?:access|auth|refresh|id|csrf|api|session|login|user|reset)(?:token|key)",
    re.IGNORECASE,
)
_RANDOM = compiled_later(r"[A-Za-z0-9_=~+-]{20,}")
_UNLIKE_WORDS = compiled_later(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d|(?<=[a-z])[A-Z]")
_FEWEST_CHANGES = 5  # between letters and digits or cases, in what is no word or name

_EMAIL = compiled_later(
    rf"(?<![{LATIN}.+%-])[{LATIN}.+%-]{{1,64}}(?:@|\s?[(\[]\s?at\s?[)\]]\s?)"
    r"(?:[a-z0-9-]{1,63}(?:\.|\s?[(\[]\s?dot\s?[)\]]\s?)){1,6}([a-z]{2,24})" + _END,
    re.IGNORECASE,
)
_AT_MARK = compiled_later(r"[(\[]\s?at\s?[)\]]", re.IGNORECASE)
_FILE_ENDINGS = frozenset(
    ("png", "jpg", "jpeg", "gif", "webp", "svg", "bmp", "tif", "css", "js", "html", "htm", "pdf", "mp")
)

_CARD = compiled_later(rf"(?<!\.){_START}\d(?:[ -]?\d){{13,18}}{_END}(?!\.\d)")
_CARD_GROUPS = compiled_later(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5}")
_CARD_ISSUERS = compiled_later(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
)
_GROUPED_ONLY = 14  # digits of cards that are as long as the codes of cartons
_ROUND_GROUPS = 3  # so many groups that end in 0 are sizes or models in a row

_AMAZON_ORDER = compiled_later(rf"{_START}(?:\d{{3}}([- ])\d{{7}}\1\d{{7}}|D\d{{2}}-\d{{7}}-\d{{7}}){_END}")
_ORDER = compiled_later(
    r"(?:\b(?:orders?|invoice|confirmation|booking|rma|ticket|account|acct|membership|customer|pedido|factura)"
    r"(?:\s?(?:(?:number|num|nr|id|n[uú]mero|no)\b|n\.?\s?[ºo°]|[#№])){1,2}"
    r"|\b(?:n[uú]mero|n\.?\s?[ºo°]) de (?:pedido|factura)\b"
    r"|(?:注文|オーダー|受注)(?:番号|ID|No))"
    r"\.?\s{0,2}(?:(?:is|was|es|era)\b|は)?[\s:=#(\uff1a]{0,4}((?:[A-Z]{1,4}-?)?\d(?:-?[A-Z\d]){3,29})" + _END,
    re.IGNORECASE,
)
_BARE_ORDER = compiled_later(r"\b(?:order|pedido)\s{1,2}(\d{8,18})" + _END, re.IGNORECASE)
_FEWEST_ORDER_DIGITS = 5

_PARCELS = (
    compiled_later(_START + r"1Z ?(?:[0-9A-Z] ?){15}\d" + _END),
    compiled_later(_START + r"9[1-5]\d\d(?: ?\d{4}){4}(?: ?\d\d)?" + _END),
    compiled_later(_START + r"TB[ACM]\d{12}" + _END),
)
_TRACKING = compiled_later(
    r"\btracking(?:\s?(?:(?:number|num|nr|no|id|code)\b|#)){1,2}\.?\s{0,2}(?:(?:is|was)\b)?[\s:=#(]{0,4}"
    r"([A-Z0-9]{8,34})" + _END,
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One private datum: its kind, and where it begins and ends."""

    kind: Kind
    start: int
    end: int


def find(text: str, kinds: frozenset[Kind], region: str | None = None) -> list[Found]:
    """Return the private data of some kinds in a text, in order, without overlaps.

    Parameters
    ----------
    text
        The text.
    kinds
        What to look for.
    region
        Whose phone numbers need no country code; see `quality.lexicon.phones.region_of`.
    """
    found: list[Found] = []
    taken = bytearray(len(text))

    def keep(kind: Kind, spans: Iterable[Span]) -> None:
        for start, end in spans:
            if taken.find(1, start, end) < 0:
                taken[start:end] = b"\1" * (end - start)
                if kind in kinds:
                    found.append(Found(kind, start, end))

    links = list(_links(text)) if "://" in text or _LINK_MARK.search(text) else []
    keep("link", (span for span in links if _is_private(text[span[0] : span[1]])))
    if "@" in text or _AT_MARK.search(text):
        keep("email", _emails(text))
    if _FIVE_DIGITS.search(text):
        for start, end in links:  # a number in a plain link is the page's
            taken[start:end] = b"\1" * (end - start)
        keep("card", _cards(text))
        keep("tracking", _parcels(text))
        keep("order", _orders(text))
        if "phone" in kinds:
            keep("phone", find_phones(text, region))
    return sorted(found, key=lambda one: one.start)


def _links(text: str) -> Iterator[Span]:
    for link in _LINK.finditer(text):
        yield link.start(), link.start() + len(link[0].rstrip(_LINK_END))


def _is_private(link: str) -> bool:
    """Tell whether a link lets one in: by a user's name, a token, or a part that nobody could guess."""
    try:
        parts = urlsplit(link if "://" in link else f"//{link}")
    except ValueError:
        return False
    if "@" in parts.netloc:
        return True
    path, *parameters = parts.path.split(";")
    pairs = [pair for query in (parts.query, parts.fragment, *parameters) for pair in parse_qsl(query)]
    if any(_is_random(value) or (len(value) > 3 and _SECRET_NAME.fullmatch(name)) for name, value in pairs):
        return True
    return any(_is_random(segment) for segment in path.split("/"))


def _is_random(value: str) -> bool:
    return bool(_RANDOM.fullmatch(value)) and len(_UNLIKE_WORDS.findall(value)) >= _FEWEST_CHANGES


def _emails(text: str) -> Iterator[Span]:
    for address in _EMAIL.finditer(text):
        if address[1].lower() not in _FILE_ENDINGS:
            yield address.span()


def _cards(text: str) -> Iterator[Span]:
    for card in _CARD.finditer(text):
        groups = re.split("[ -]", card[0])
        digits = "".join(groups)
        written = len(digits) > _GROUPED_ONLY if len(groups) == 1 else _CARD_GROUPS.fullmatch(card[0])
        if sum(group.endswith("0") for group in groups) >= _ROUND_GROUPS:
            continue
        if not written or not _CARD_ISSUERS.fullmatch(digits) or not _passes_luhn(digits):
            continue
        if not follows_product_code(text, card.start()):
            yield card.span()


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _parcels(text: str) -> Iterator[Span]:
    for pattern in _PARCELS:
        yield from (parcel.span() for parcel in pattern.finditer(text))
    for parcel in _TRACKING.finditer(text):
        if _digits_of(parcel[1]) >= _FEWEST_ORDER_DIGITS:
            yield parcel.span(1)


def _orders(text: str) -> Iterator[Span]:
    yield from (order.span() for order in _AMAZON_ORDER.finditer(text))
    for pattern in (_ORDER, _BARE_ORDER):
        for order in pattern.finditer(text):
            if _digits_of(order[1]) >= _FEWEST_ORDER_DIGITS:
                yield order.span(1)


def _digits_of(text: str) -> int:
    return sum(map(str.isdigit, text))
