"""Find phone numbers in a text full of numbers that are none.

libphonenumber says which digits are a phone number of a region. That is not enough: many part numbers would be,
too. So a number counts without further ado only where it is written as people write phone numbers; other forms need
words before them that speak of calling; and words that speak of a product code rule any form out.
"""

import re
from collections.abc import Iterator

from ecinstruct_build.patterns import compiled_later

_REGIONS = {"uk": "GB"}  # marketplaces that are not called by their country's code
_DOLLAR_REGIONS = ("US", "CA")
_BEFORE = 48  # characters before a number whose words tell what it is

_CANDIDATE = compiled_later(
    r"(?<![A-Za-z\u00c0-\u024f\d_$€£¥/])(?<!\d[.,])(?<!\w-)"
    r"[+(]{0,2}\d(?:(?:[ ()\-\u2010-\u2015]|\.(?! )){0,3}\d){6,40}(?![A-Za-z\u00c0-\u024f\d_%])(?!-\w)(?!\.\d)"
)
_CERTAIN_FORM = compiled_later(
    r"\+\d{1,3}[ ().-]{0,3}\d.{6,}"
    r"|(?:1[ .-]?)?\(\d{3}\) ?\d{3}[ .-]\d{4}"
    r"|(?:1[.-])?\d{3}([.-])\d{3}\1\d{4}"
    r"|\(?0\d{1,4}(?:[) -]{1,2}\d{2,6}){1,3}"
    r"|[679]\d\d([ .-])\d{3}\2\d{3}"
)
_LOCAL_FORM = compiled_later(r"(?<!\d)(?:1[ .-])?(?:\(?\d{3}\)?[ .-]{1,2})?\d{3}[.-]\d{4}(?!\d)")
_CALLING = compiled_later(
    r"(?:\b(?:call(?:ed|ing)?|dial(?:ed|ing)?|phoned|ring|text(?:ed)? (?:me|us|him|her|them)|whatsapp|reach(?:ed)?"
    r"|contact(?:ed)?|hotline|helpline|customer (?:service|support|care)|toll[ -]?free|ll[aá]m[ae]\w{0,5})\b|電話|連絡)"
    r"[^\d\[\]<>{}|]{0,30}$",
    re.IGNORECASE,
)
_TELEPHONE = compiled_later(
    r"(?:\b(?:phone|telephone|cell|mobile|tels?|ph|fax|tel[eé]fono|tlfn?o?|m[oó]vil)\b|TEL|FAX|携帯|電話)"
    r"(?:\s?(?:(?:number|num|no|nr)\b|#|番号))?\.?\s{0,2}(?:(?:is|was|at|es)\b|は)?[\s.:#(+\uff1a]{0,4}$",
    re.IGNORECASE,
)
_PRODUCT_CODE = compiled_later(
    r"(?:\b(?:upc|ean|gtin|jan|isbn(?:-?1[03])?|issn|asin|sku|mpn|mfg|mfr|models?|parts?|p/n|pn|serial|s/n|sn|items?"
    r"|articles?|art|ref|reference|oem|imei|ndc|cas|catalog|cat|style|series|version|modelo|referencia|replaces|fits"
    r"|patent|pat|lot|batch)|型番|品番)"
    r"(?:\s?(?:numbers?|num|nos?|codes?|id)\b)?[\s.:#(=-]{0,4}$",
    re.IGNORECASE,
)


def region_of(locale: str) -> str | None:
    """Return the region of a marketplace, whose phone numbers need no country code, or None if it is not known."""
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 (most commands look for no numbers)

    region = _REGIONS.get(locale.lower(), locale.upper())
    return region if region in SUPPORTED_REGIONS else None


def follows_product_code(text: str, position: int) -> bool:
    """Tell whether the words right before a position announce a product code, such as ``Part No.``."""
    return _PRODUCT_CODE.search(text, max(0, position - _BEFORE), position) is not None


def find_phones(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """Yield where phone numbers begin and end, in order.

    Parameters
    ----------
    text
        The text.
    region
        Whose phone numbers need no country code (`region_of`); without it only those with one are found.
    """
    from phonenumbers import Leniency, PhoneNumberMatcher  # noqa: PLC0415

    for candidate in _CANDIDATE.finditer(text):
        digits, start = candidate[0], candidate.start()
        if digits[0] == "(" and digits.count("(") > digits.count(")"):
            digits, start = digits[1:], start + 1
        begin = max(0, start - _BEFORE)
        announced = _CALLING.search(text, begin, start) or _TELEPHONE.search(text, begin, start)
        if not announced and (not _CERTAIN_FORM.search(digits) or follows_product_code(text, start)):
            continue
        leniency = Leniency.VALID if announced else Leniency.STRICT_GROUPING
        matches = [(match.start, match.end) for match in PhoneNumberMatcher(digits, region, leniency=leniency)]
        if announced and not matches and region in _DOLLAR_REGIONS:
            # A number without its area code is none to the library, nor are those kept for films.
            matches = [match.span() for match in _LOCAL_FORM.finditer(digits)][:1]
        for first, last in matches:
            if announced or _CERTAIN_FORM.fullmatch(digits[first:last]):
                yield start + first, start + last
