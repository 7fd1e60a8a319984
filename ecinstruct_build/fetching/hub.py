"""Files of the Hugging Face Hub: where they are, and what the Hub states of them."""

import os
import re
from urllib.parse import urlsplit

import httpx2

from ecinstruct_build import __version__
from ecinstruct_build.fetching.failures import Broken, Refused
from ecinstruct_build.fetching.http import PASSING, Address, retry_after
from ecinstruct_build.fetching.settings import FetchSettings

PREFIX = "hf://"

_DEFAULT = "https://huggingface.co"
_FORM = "it names no file of the Hub; the form is hf://datasets/<owner>/<name>[@<revision>]/<path>"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def endpoint() -> str:
    """Return the address of the Hub that the environment names (``HF_ENDPOINT``)."""
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT).rstrip("/")


def address_of(url: str, settings: FetchSettings) -> Address:
    """Ask the Hub where a file is.

    The address is that of the commit that the revision names now, so that the file does not change while it is
    fetched. The token is the one that huggingface_hub finds (``HF_TOKEN``, or a login on this machine).

    Raises
    ------
    Refused
        If the Hub has no such file, or does not give it to us.
    Broken
        If it may answer another time.
    """
    from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url  # noqa: PLC0415 - few files need it
    from huggingface_hub.utils import build_hf_headers, parse_hf_uri  # type: ignore[attr-defined]  # noqa: PLC0415

    try:
        uri = parse_hf_uri(url)
    except ValueError as error:
        raise Refused(_FORM) from error
    if not uri.is_repo or not uri.path_in_repo:
        raise Refused(_FORM)

    def place(revision: str | None) -> str:
        return hf_hub_url(uri.id, uri.path_in_repo, repo_type=uri.type, revision=revision, endpoint=endpoint())

    token: str | bool = get_token() or False
    headers = build_hf_headers(token=token, library_name="ecinstruct-build", library_version=__version__)
    try:
        found = get_hf_file_metadata(place(uri.revision), token=token, timeout=settings.stall_timeout, headers=headers)
    except (httpx2.HTTPError, OSError) as error:
        raise _in_our_words(
            error, f"{endpoint()}/{'datasets/' if uri.type == 'dataset' else ''}{uri.id}", settings
        ) from error
    headers = {name: value for name, value in headers.items() if name.lower() in ("authorization", "user-agent")}
    sha256 = found.etag if found.etag and _DIGEST.fullmatch(found.etag) else None
    return Address(place(found.commit_hash or uri.revision), headers, found.size, sha256)


def _in_our_words(error: Exception, page: str, settings: FetchSettings) -> Refused | Broken:
    from huggingface_hub import errors  # noqa: PLC0415

    known: tuple[tuple[type[Exception], str], ...] = (
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE keeps huggingface_hub from asking the Hub"),
        (
            errors.GatedRepoError,
            f"its owner must let you in: log in at {page}, agree to the terms there, and set HF_TOKEN to a token of "
            "that account (or run 'hf auth login')",
        ),
        (errors.RevisionNotFoundError, "the Hub has no such revision"),
        (errors.EntryNotFoundError, "the Hub has no such file in that revision"),
        (
            errors.RepositoryNotFoundError,
            "the Hub has no such repository, or it is private and HF_TOKEN is not of an account that sees it",
        ),
    )
    for kind, words in known:
        if isinstance(error, kind):
            return Refused(words)
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        if status in PASSING:
            return Broken(f"status {status}", wait=retry_after(error.response.headers.get("Retry-After"), settings))
        return Refused(f"status {status}")
    if isinstance(error, httpx2.TransportError):
        return Broken(f"no answer from {urlsplit(endpoint()).netloc}")
    return Refused(f"the Hub's answer is not understood ({type(error).__name__})")
