"""Ask an HTTP server for a file: redirections, and what each answer means for the attempt."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx2

from ecinstruct_build import __version__
from ecinstruct_build.fetching.failures import Broken, Refused, shown
from ecinstruct_build.fetching.settings import FetchSettings

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Statuses that may be another the next time; those above 511 are a content network's words for its own trouble."""

_MEANINGS = {
    401: "it asks for a login",
    403: "access is forbidden",
    404: "there is no such file",
    410: "the file is gone",
    429: "too many requests",
    451: "it is withheld for legal reasons",
}

_LONGEST_JSON = 1 << 20

_CONNECT_RETRIES = 2
"""A host that is out of reach is seldom back within the minutes that all tries take: the next mirror is nearer."""


@dataclass(frozen=True)
class Address:
    """Where a file can be asked for.

    Attributes
    ----------
    url
        An ``http`` or ``https`` address.
    headers
        Sent to this origin alone, such as credentials.
    size, sha256
        Bytes and digest that the keeper of the file states; None = it states none.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    size: int | None = None
    sha256: str | None = None


def open_client(settings: FetchSettings) -> httpx2.Client:
    """Return a client that asks for files as they are, and heeds the proxies that the environment names."""
    timeout = httpx2.Timeout(settings.stall_timeout, connect=settings.connect_timeout)
    headers = {"User-Agent": f"ecinstruct-build/{__version__}", "Accept-Encoding": "identity"}
    return httpx2.Client(timeout=timeout, headers=headers, follow_redirects=False, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom we trust to vouch for hosts; reading the list takes longer than many a file."""
    return httpx2.create_ssl_context()


@contextmanager
def answer(
    client: httpx2.Client, address: Address, headers: Mapping[str, str], settings: FetchSettings
) -> Iterator[httpx2.Response]:
    """Ask for a file, follow redirections, and offer the answer with its body unread.

    The answer has the status 200, 206 or 416. Errors while its body is read are told in the same way.

    Raises
    ------
    Refused
        If this address cannot give the file.
    Broken
        If it may give it another time.
    """
    with _told_in_our_words(settings):
        response = _follow(client, address, headers, settings)
        try:
            yield response
        finally:
            response.close()


@contextmanager
def _told_in_our_words(settings: FetchSettings) -> Iterator[None]:
    try:
        yield
    except httpx2.ConnectTimeout as error:
        raise Broken(f"no connection within {settings.connect_timeout:g} s", retries=_CONNECT_RETRIES) from error
    except httpx2.ConnectError as error:
        raise Broken(f"no connection ({error})", retries=_CONNECT_RETRIES) from error
    except httpx2.TimeoutException as error:
        raise Broken(f"it sent nothing for {settings.stall_timeout:g} s") from error
    except httpx2.ProxyError as error:
        raise Broken("the proxy would not connect to it", retries=_CONNECT_RETRIES) from error
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise Refused("it is no address of HTTP") from error
    except httpx2.TransportError as error:
        raise Broken("the connection broke") from error


def post(
    client: httpx2.Client, url: str, headers: Mapping[str, str], body: Mapping[str, Any], settings: FetchSettings
) -> Any:
    """Send JSON and return the JSON that is answered; None if the answer is none.

    Raises
    ------
    Refused, Broken
        As for `answer`.
    """
    with _told_in_our_words(settings):
        response = _follow(client, Address(url), headers, settings, body)
        try:
            answered = b""
            for data in response.iter_bytes():
                answered += data
                if len(answered) > _LONGEST_JSON:
                    return None
        finally:
            response.close()
    try:
        return json.loads(answered)
    except (ValueError, RecursionError):
        return None


def _follow(
    client: httpx2.Client,
    address: Address,
    headers: Mapping[str, str],
    settings: FetchSettings,
    body: Mapping[str, Any] | None = None,
) -> httpx2.Response:
    """Return the first answer that is no redirection; the address's own headers go to its origin alone."""
    first = url = httpx2.URL(address.url)
    for _ in range(settings.redirects + 1):
        own = address.headers if url.origin == first.origin else {}
        method = "GET" if body is None else "POST"
        request = client.build_request(method, url, headers={**headers, **own}, json=body)
        response = client.send(request, stream=True)
        if response.next_request is None:
            _refuse_status(response, settings)
            return response
        response.close()
        before, url = url, response.next_request.url
        if before.scheme == "https" and url.scheme != "https":
            raise Refused(f"it redirects to {shown(str(url))}, which is not encrypted")
    raise Refused(f"it redirects more than {settings.redirects} times")


def _refuse_status(response: httpx2.Response, settings: FetchSettings) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    response.close()
    meaning = _MEANINGS.get(status, response.reason_phrase)
    reason = f"status {status}" + (f", {meaning}" if meaning else "")
    if status in PASSING:
        raise Broken(reason, wait=retry_after(response.headers.get("Retry-After"), settings))
    raise Refused(reason)


def retry_after(value: str | None, settings: FetchSettings) -> float | None:
    """Return the seconds that a ``Retry-After`` names, at most those of the settings."""
    if value is None:
        return None
    if value.strip().isdecimal():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), settings.longest_wait)
