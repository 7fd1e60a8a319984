"""Regular expressions that are compiled when something is first asked of them.

Long ones take a millisecond or more each, and a command that goes on from stored results asks nothing of most.
"""

import re
from typing import Any, cast


class _Later:
    """Stands for a compiled regular expression."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copies objects asks for these before there is a pattern
            raise AttributeError(name)
        value = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, value)  # here it is found from now on
        return value


def compiled_later(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, but for the time that it takes; a mistake in it is raised at first use."""
    return cast("re.Pattern[str]", _Later(pattern, flags))
