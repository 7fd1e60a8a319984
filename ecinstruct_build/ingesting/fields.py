"""Types and small conversions of upstream fields that several sources share."""

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

Key = Annotated[str, Meta(min_length=1, pattern=r"^\S+\Z")]
"""An id: no blanks, not empty."""
FastKey = Annotated[str, Meta(min_length=1)]
"""An id where records come by the million and the pattern of `Key` would cost half the decoding: see `refuse_blank`."""
Text = Annotated[str, Meta(pattern=r"\S")]
"""A text that is not blank."""
Stars = Annotated[float, Meta(ge=1, le=5)]
"""A rating."""
Seconds = Annotated[int, Meta(ge=-(2**62), le=2**62)]
"""A time since 1970."""
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""A number of votes, or a place in a text."""
Texts = list[str] | str | None
"""What upstream writes as a list, one text or nothing."""

_TAG = re.compile(r"<[a-zA-Z/!][^>]*(?:>|$)")


def refuse_blank(one: str, other: str) -> None:
    """Refuse ids of blanks only; for the ``__post_init__`` of structs with two of `FastKey`.

    Raises
    ------
    ValueError
        If an id is blank; msgspec reports it as the record's fault.
    """
    if one.isspace() or other.isspace():
        raise ValueError("an id is blank")


def text_or_none(text: str | None) -> str | None:
    """Return ``text`` as it is, or None if it is blank."""
    return None if text is None or not text or text.isspace() else text


def title_or_none(title: str | None) -> str | None:
    """Return ``title`` as it is, or None if it is blank, nothing but markup (``<span class=...``), or a script."""
    if title is None or "getTime" in title or not (_TAG.sub("", title) if "<" in title else title).strip():
        return None
    return title


def price_or_none(price: str | float | None) -> str | None:
    """Return a price as upstream writes it, or None if it holds no digit, or is a dumped style sheet or script."""
    if price is None:
        return None
    text = str(price).strip()
    if len(text) > 64 or not any(map(str.isdigit, text)) or re.search(r"[{}<>]", text):
        return None
    return text


def listed(texts: str | Iterable[str] | None) -> list[str]:
    """Return the texts that are not blank, whether upstream gives a list, one text or nothing."""
    if texts is None:
        return []
    return [text for text in ([texts] if isinstance(texts, str) else texts) if text and not text.isspace()]


def asin_key(asin: str) -> str:
    """Return the product key of an ASIN, which all Amazon corpora share."""
    return "asin:" + asin.strip().upper()


def category_name(category: str | None) -> str | None:
    """Return a category as upstream's file names write it: ``Home & Kitchen`` becomes ``Home_and_Kitchen``."""
    if category is None:
        return None
    words = category.replace("&amp;", "&").replace("&", " and ").replace(",", " ").split()
    return "_".join(words) or None
