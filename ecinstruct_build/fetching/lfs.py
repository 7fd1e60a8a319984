"""Git LFS: tell a pointer from the file that it stands for, and ask the repository where that file is."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import httpx2

from ecinstruct_build.fetching.failures import Broken, Pointer, Refused, shown
from ecinstruct_build.fetching.http import Address, post
from ecinstruct_build.fetching.settings import FetchSettings

_LONGEST = 1024
_VERSION = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)
_MEDIA_TYPE = "application/vnd.git-lfs+json"
_GITHUB_FILES = ("raw.githubusercontent.com", "media.githubusercontent.com")
_IN_REPOSITORY = re.compile(r"(/.+?)(?:/-)?/(?:raw|resolve|media|blob)/.+")


def refuse_pointer(body: Iterator[bytes], total: int | None) -> Iterator[bytes]:
    """Return a body as it is, unless it is a pointer.

    Raises
    ------
    Pointer
        If it is one.
    """
    if total is not None and total > _LONGEST:
        return body
    start = b""
    for data in body:
        start += data
        if len(start) > _LONGEST or not start.startswith(_VERSION[: len(start)]):
            return chain([start], body)
    if found := _POINTER.fullmatch(start):
        raise Pointer(found[1].decode(), int(found[2]))
    return iter([start] if start else [])


def repository_of(url: str) -> str | None:
    """Return the address of the Git repository whose file has an address, or None if it is not that of one."""
    parts = urlsplit(url)
    if parts.hostname in _GITHUB_FILES:
        folders = [part for part in parts.path.split("/") if part]
        if parts.hostname.startswith("media") and folders[:1] == ["media"]:
            folders = folders[1:]
        return f"https://github.com/{folders[0]}/{folders[1]}.git" if len(folders) > 3 else None
    found = _IN_REPOSITORY.fullmatch(parts.path)
    return f"{parts.scheme}://{parts.netloc}{found[1]}.git" if found else None


def address_of(client: httpx2.Client, repository: str, pointer: Pointer, settings: FetchSettings) -> Address:
    """Ask a repository where the file of a pointer is.

    Raises
    ------
    Refused
        If it does not give it.
    Broken
        If it may give it another time.
    """
    asked = {"operation": "download", "transfers": ["basic"], "objects": [{"oid": pointer.oid, "size": pointer.size}]}
    url = f"{repository}/info/lfs/objects/batch"
    headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
    told = post(client, url, headers, {**asked, "hash_algo": "sha256"}, settings)
    try:
        return _address(told, pointer)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Refused(f"a Git LFS pointer came, and {shown(url)} does not tell where its file is") from error


def _address(told: Any, pointer: Pointer) -> Address:
    found: dict[str, Any] = next((one for one in told["objects"] if one["oid"] == pointer.oid), {})
    if "error" in found:
        code, message = int(found["error"].get("code", 0)), str(found["error"].get("message", ""))[:200]
        reason = f"the repository does not give the Git LFS file {pointer.oid[:12]}: {message} ({code})"
        raise Broken(reason) if code in (429, 500, 502, 503, 504) else Refused(reason)
    action = found["actions"]["download"]
    headers = {str(name): str(value) for name, value in (action.get("header") or {}).items()}
    return Address(str(action["href"]), headers, pointer.size, pointer.oid)
