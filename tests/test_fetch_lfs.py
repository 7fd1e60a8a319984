"""Files of Git LFS: a pointer is told from its file, and the repository is asked for that."""

import json
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer, Reply
from fetch_world import fetch, noise, sha256, wanted

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.lfs import repository_of

DATA = noise(200_000)
HALF = 100_000
RAW = "/shop/corpus/raw/main/data.json.gz"
BATCH = "/shop/corpus.git/info/lfs/objects/batch"


def pointer(data: bytes, size: int | None = None) -> bytes:
    stated = len(data) if size is None else size
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {stated}\n".encode()


def plan(server: FaultServer, *replies: Reply, action: dict[str, Any] | None = None) -> str:
    """Serve a pointer, the answer of the batch call, and the object; return the address of the pointer."""
    href = server.plan("/object", *replies)
    download = {"href": f"{href}?signature=secret", "header": {"X-Key": "secret"}}
    told = {"oid": sha256(DATA), "size": len(DATA), **(action or {"actions": {"download": download}})}
    server.plan(BATCH, Reply(json.dumps({"transfer": "basic", "objects": [told]}).encode()))
    return server.plan(RAW, Reply(pointer(DATA)))


@pytest.mark.parametrize("known", [True, False])
def test_the_file_comes_in_place_of_its_pointer(server: FaultServer, tmp_path: Path, *, known: bool) -> None:
    url = plan(server, Reply(DATA))
    (fetched,) = fetch(wanted(tmp_path, url, of=DATA if known else None))
    assert (fetched.url, fetched.sha256) == (url, sha256(DATA))
    assert (tmp_path / "data.json.gz").read_bytes() == DATA
    (asked,) = server.requests(BATCH)
    assert json.loads(asked.body) == {
        "operation": "download",
        "transfers": ["basic"],
        "objects": [{"oid": sha256(DATA), "size": len(DATA)}],
        "hash_algo": "sha256",
    }
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/vnd.git-lfs+json"
    assert server.requests("/object?signature=secret")[0].headers["x-key"] == "secret"


def test_a_broken_object_goes_on_in_a_later_run(server: FaultServer, tmp_path: Path) -> None:
    url = plan(server, Reply(DATA, cut=HALF), Reply(status=403))
    with pytest.raises(UserError, match="status 403") as raised:
        fetch(wanted(tmp_path, url))
    assert "secret" not in str(raised.value)
    server.sent.clear()
    plan(server, Reply(DATA))
    fetch(wanted(tmp_path, url))
    assert server.sent["/object"] == HALF
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_a_pointer_that_changed_since_is_met_anew(server: FaultServer, tmp_path: Path) -> None:
    """The repository no longer has the object of which a part came."""
    url = plan(server, Reply(DATA, cut=HALF), Reply(status=403))
    with pytest.raises(UserError, match="status 403"):
        fetch(wanted(tmp_path, url))
    newer = noise(200_000, seed=2)
    href = server.plan("/newer", Reply(newer))
    gone = {"oid": sha256(DATA), "error": {"code": 404, "message": "gone"}}
    there = {"oid": sha256(newer), "actions": {"download": {"href": href}}}
    server.plan(BATCH, *(Reply(json.dumps({"objects": [told]}).encode()) for told in (gone, there)))
    server.plan(RAW, Reply(pointer(newer)))
    fetch(wanted(tmp_path, url))
    assert (tmp_path / "data.json.gz").read_bytes() == newer


def test_the_object_must_be_what_the_pointer_says(server: FaultServer, tmp_path: Path) -> None:
    url = plan(server, Reply(DATA[::-1]))
    with pytest.raises(UserError, match=f"SHA-256 {sha256(DATA)} is expected, and {sha256(DATA[::-1])} came"):
        fetch(wanted(tmp_path, url))


def test_a_pointer_to_another_file_is_refused(server: FaultServer, tmp_path: Path) -> None:
    url = plan(server, Reply(DATA))
    with pytest.raises(UserError, match="its Git LFS pointer has a file of SHA-256"):
        fetch(wanted(tmp_path, url, of=DATA[::-1]))
    assert server.requests(BATCH) == []


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ({"error": {"code": 404, "message": "Object does not exist"}}, r"Object does not exist \(404\)"),
        ({"error": {"code": 503, "message": "later"}}, r"later \(503\), 4 times running"),
        ({"error": "odd"}, "does not tell where its file is"),
        ({"actions": {}}, "does not tell where its file is"),
        ({"oid": "0" * 64}, "does not tell where its file is"),
    ],
)
def test_an_object_that_is_not_given(server: FaultServer, tmp_path: Path, action: dict[str, Any], error: str) -> None:
    with pytest.raises(UserError, match=error):
        fetch(wanted(tmp_path, plan(server, Reply(DATA), action=action)))


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"null", b'{"objects": [1]}', b'{"objects": {}}', b"[" * 100_000])
def test_a_batch_call_that_is_answered_oddly(server: FaultServer, tmp_path: Path, answer: bytes) -> None:
    url = plan(server, Reply(DATA))
    server.plan(BATCH, Reply(answer))
    with pytest.raises(UserError, match="does not tell where its file is"):
        fetch(wanted(tmp_path, url))


def test_a_moved_repository_is_followed(server: FaultServer, tmp_path: Path) -> None:
    url = plan(server, Reply(DATA))
    told = server.scripts[BATCH][0]
    server.plan(BATCH, Reply(status=301, headers={"Location": "/new/home"}))
    server.plan("/new/home", told)
    fetch(wanted(tmp_path, url))
    assert server.requests("/new/home")[0].method == "POST"


def test_an_object_that_is_a_pointer_is_a_file(server: FaultServer, tmp_path: Path) -> None:
    """Whoever keeps pointers as large files gets pointers; they are not followed for ever."""
    data = pointer(b"another")
    server.plan("/object", Reply(data))
    told = {"oid": sha256(data), "actions": {"download": {"href": f"{server.origin}/object"}}}
    server.plan(BATCH, Reply(json.dumps({"objects": [told]}).encode()))
    fetch(wanted(tmp_path, server.plan(RAW, Reply(pointer(data)))))
    assert (tmp_path / "data.json.gz").read_bytes() == data


def test_a_pointer_from_nowhere(server: FaultServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not tell of which repository it is"):
        fetch(wanted(tmp_path, server.plan("/file", Reply(pointer(DATA)))))


@pytest.mark.parametrize(
    "data",
    [
        b"version https://git-lfs.github.com/spec/v1\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n",
        b"version",
        pointer(DATA) + b"x" * 1000,
        b"x",
    ],
)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_what_only_begins_like_a_pointer_is_a_file(
    server: FaultServer, tmp_path: Path, data: bytes, framing: Any
) -> None:
    fetch(wanted(tmp_path, server.plan(RAW, Reply(data, framing=framing))))
    assert (tmp_path / "data.json.gz").read_bytes() == data


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/o/n/raw/main/a/b.parquet", "https://github.com/o/n.git"),
        ("https://raw.githubusercontent.com/o/n/main/a/b.parquet", "https://github.com/o/n.git"),
        ("https://media.githubusercontent.com/media/o/n/main/b.parquet", "https://github.com/o/n.git"),
        ("https://gitlab.com/group/sub/n/-/raw/main/b.parquet", "https://gitlab.com/group/sub/n.git"),
        ("https://huggingface.co/datasets/o/n/raw/main/b.parquet", "https://huggingface.co/datasets/o/n.git"),
        ("https://raw.githubusercontent.com/o/n", None),
        ("https://example.org/files/b.parquet", None),
    ],
)
def test_an_address_tells_of_its_repository(url: str, repository: str | None) -> None:
    assert repository_of(url) == repository
