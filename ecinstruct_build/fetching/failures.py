"""How an attempt at an upstream file fails, and how addresses stand in messages."""

from urllib.parse import urlsplit


class Refused(Exception):  # noqa: N818 - it says what became of an attempt
    """An address cannot give the file; the next one is asked. The message says why."""


class Broken(Exception):  # noqa: N818
    """An attempt failed in a way that may pass; the message says how.

    Attributes
    ----------
    wait
        Seconds that the server asks to wait; None = it says nothing.
    retries
        The most tries that are worth while; None = as the settings say.
    """

    def __init__(self, reason: str, *, wait: float | None = None, retries: int | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        self.retries = retries


class Pointer(Exception):  # noqa: N818
    """A Git LFS pointer came in place of the file that it stands for.

    Attributes
    ----------
    oid, size
        SHA-256 and bytes of that file.
    """

    def __init__(self, oid: str, size: int) -> None:
        super().__init__(f"a Git LFS pointer to {oid}")
        self.oid = oid
        self.size = size


class Stopped(Exception):  # noqa: N818
    """The work was called off."""


def shown(url: str) -> str:
    """Return an address as messages name it: without user, password, query and fragment, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
