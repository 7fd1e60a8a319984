"""What language the texts of a marketplace are in."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("us", "uk", "gb", "ca", "au", "in", "ie", "sg"), "en"),
    **dict.fromkeys(("es", "mx"), "es"),
    "br": "pt",
    "cn": "zh",
    "de": "de",
    "fr": "fr",
    "it": "it",
    "jp": "ja",
    "nl": "nl",
    "pl": "pl",
    "se": "sv",
}
"""Language (ISO 639-1) by marketplace (ISO 3166 in lower case, and ``uk``)."""


def language_of(locale: str) -> str | None:
    """Return the language (ISO 639-1) that texts of a marketplace are expected in, or None if it is not known."""
    return LANGUAGES.get(locale.casefold())
