"""Names of people who judge."""

import unicodedata

from ecinstruct_build.errors import UserError

LONGEST_NAME = 60


def checked_name(annotator: str) -> str:
    """Return a name as it is kept: trimmed, in Unicode's composed form.

    Raises
    ------
    UserError
        If it is empty, longer than `LONGEST_NAME` characters, or holds control characters.
    """
    name = unicodedata.normalize("NFC", annotator).strip()
    if not name:
        raise UserError("A name is needed, so that answers can be told apart.")
    if len(name) > LONGEST_NAME:
        raise UserError(f"A name has at most {LONGEST_NAME} characters; this one has {len(name)}.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise UserError("A name holds no line breaks or other control characters.")
    return name


def name_key(annotator: str) -> str:
    """Return what is the same for two spellings of a name that differ in case only.

    Raises
    ------
    UserError
        As `checked_name`.
    """
    return unicodedata.normalize("NFC", checked_name(annotator).casefold())
