"""The streams of the process, made fit for whatever a command prints to them."""

import codecs
import io
import json
import os
import sys

_REPLACEABLE = ("strict", "surrogateescape")  # what Python chooses; another handler is the user's own choice


def settle_streams() -> None:
    r"""Let no command fail, or spoil a file, because of where its output goes.

    A character that the encoding of a stream lacks is written as ``\uXXXX``. A stream that was closed leads nowhere:
    else the next file that is opened would get its number, and with it all that is meant for the stream.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - it gets the lowest free number
    codecs.register_error("as-json-does", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _REPLACEABLE:
            stream.reconfigure(errors="as-json-does")
    if not os.environ.get("COLUMNS", "").strip("0"):
        os.environ.pop("COLUMNS", None)  # Rich would print nothing at a width of 0


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that cannot be encoded: also where JSON is printed, it stays the same JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
