"""Errors meant for the person at the keyboard: one paragraph that says what, where and what to do."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend; the command line prints it without a traceback and exits with status 1."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known word, or "" if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def refuse_names_that_are_no_text(names: Iterable[str]) -> None:
    """Refuse paths that nothing but Python could open: the libraries that read and write tables take text alone.

    Raises
    ------
    UserError
        If a name is not UTF-8.
    """
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise UserError(
                f"The name '{name}' is not UTF-8, or the locale is none for UTF-8. Rename the file or folder, or set "
                "LC_ALL=C.UTF-8."
            ) from error
