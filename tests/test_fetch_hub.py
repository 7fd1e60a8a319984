"""Files of the Hugging Face Hub: found through huggingface_hub, and fetched as all others are."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hub_server
import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import HURRIED, fetch, left_over, noise, sha256, wanted
from hub_repository import Blob, Repository
from hub_server import READER, HubServer

from ecinstruct_build.errors import UserError

DATA, SMALL = noise(200_000), b"id,name\n1,mug\n"
URL = "hf://datasets/shop/corpus/raw/data one.parquet"
RESOLVE = r"^(HEAD|GET) /datasets/shop/corpus/resolve/"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub with one dataset, of which the environment tells."""
    with hub_server.serving() as server:
        repository = server.repositories["shop/corpus"] = Repository()
        files = {"raw/data one.parquet": Blob(DATA, large=True), "small.csv": Blob(SMALL, large=False)}
        repository.commit("main", files, [], "Add files", "")
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "")
        monkeypatch.setenv("HF_TOKEN", READER)
        yield server


@pytest.fixture
def network() -> Iterator[FaultServer]:
    """The content network that large files of the Hub come from."""
    with serving() as server:
        yield server


def redirect(hub: HubServer, to: str, data: bytes = DATA) -> None:
    """Let the Hub point to a content network, as it does for large files."""
    headers = {
        "Location": to,
        "X-Linked-ETag": f'"{sha256(data)}"',
        "X-Linked-Size": str(len(data)),
        "X-Repo-Commit": next(iter(hub.repositories["shop/corpus"].branches.values())),
    }
    hub.plant(RESOLVE, status=302, headers=headers, body=b"", times=1000)


def test_a_file_comes_under_its_own_name_and_once(hub: HubServer, tmp_path: Path) -> None:
    url = "hf://datasets/shop/corpus/small.csv"
    fetched = fetch(wanted(tmp_path, URL, file="data.parquet"), wanted(tmp_path, url, file="deep/small.csv", of=SMALL))
    assert {one.url: (one.size, one.sha256) for one in fetched} == {
        URL: (len(DATA), sha256(DATA)),
        url: (len(SMALL), sha256(SMALL)),
    }
    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(found) == ["data.parquet", "deep/small.csv"]


def test_a_revision_is_heeded_and_the_commit_is_asked_for(hub: HubServer, tmp_path: Path) -> None:
    repository = hub.repositories["shop/corpus"]
    first = repository.branches["main"]
    repository.tags["v1"] = first
    repository.commit("main", {"small.csv": Blob(b"newer", large=False)}, [], "Change", "")
    fetch(wanted(tmp_path, "hf://datasets/shop/corpus@v1/small.csv"))
    assert (tmp_path / "data.json.gz").read_bytes() == SMALL
    assert [one.method for one in hub.seen(r"/resolve/v1/")] == ["HEAD"]
    assert [one.method for one in hub.seen(rf"/resolve/{first}/")] == ["GET"]


def test_the_content_network_gets_no_token(hub: HubServer, network: FaultServer, tmp_path: Path) -> None:
    redirect(hub, network.plan("/blob", Reply(DATA)) + "?signature=secret")
    fetch(wanted(tmp_path, URL))
    assert (tmp_path / "data.json.gz").read_bytes() == DATA
    assert "authorization" not in network.log[0].headers


def test_a_broken_file_goes_on(hub: HubServer, network: FaultServer, tmp_path: Path) -> None:
    redirect(hub, network.plan("/blob", Reply(DATA, cut=100_000), Reply(status=403)) + "?signature=secret")
    with pytest.raises(UserError, match="status 403") as raised:
        fetch(wanted(tmp_path, URL))
    assert "secret" not in str(raised.value)
    hub.faults.clear()
    network.sent.clear()
    redirect(hub, network.plan("/blob", Reply(DATA)) + "?signature=other")
    fetch(wanted(tmp_path, URL))
    assert network.sent["/blob"] == 100_000
    assert left_over(tmp_path) == []


def test_what_the_hub_states_is_verified(hub: HubServer, network: FaultServer, tmp_path: Path) -> None:
    redirect(hub, network.plan("/blob", Reply(DATA[::-1])))
    with pytest.raises(UserError, match=f"SHA-256 {sha256(DATA)} is expected"):
        fetch(wanted(tmp_path, URL))


def test_another_file_than_the_lock_names_is_not_fetched(hub: HubServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"a file of SHA-256 {sha256(DATA)}, and {sha256(SMALL)} is expected"):
        fetch(wanted(tmp_path, URL, of=SMALL))
    assert hub.seen("^GET") == []


REFUSALS = {
    "gated": (403, {"X-Error-Code": "GatedRepo"}, r"log in at http.*/datasets/shop/corpus, agree .* HF_TOKEN"),
    "no revision": (404, {"X-Error-Code": "RevisionNotFound"}, "no such revision"),
    "no file": (404, {"X-Error-Code": "EntryNotFound"}, "no such file in that revision"),
    "no repository": (401, {"X-Error-Code": "RepoNotFound"}, "no such repository, or it is private"),
    "no rights": (403, {}, "status 403"),
    "disabled": (403, {"X-Error-Message": "Access to this resource is disabled."}, "status 403"),
    "out of order": (503, {"Retry-After": "5"}, "status 503, 4 times running"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_to_do(hub: HubServer, tmp_path: Path, name: str) -> None:
    status, headers, error = REFUSALS[name]
    hub.plant(RESOLVE, status=status, headers=headers, times=1000)
    with pytest.raises(UserError, match=error) as raised:
        fetch(wanted(tmp_path, URL))
    assert READER not in str(raised.value)


def test_a_hub_that_is_busy_for_a_moment_is_asked_again(hub: HubServer, tmp_path: Path) -> None:
    waits: list[float] = []
    hub.plant(RESOLVE, status=429, headers={"Retry-After": "9"}, times=1)
    hub.plant(RESOLVE, kind="lose", times=2, after=1)
    settings = replace(HURRIED, longest_wait=60.0, wait=lambda _stop, seconds: waits.append(seconds))
    fetch(wanted(tmp_path, URL), settings=settings)
    assert waits[0] == 9.0
    assert (tmp_path / "data.json.gz").read_bytes() == DATA


def test_no_hub_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.origin)
    with pytest.raises(UserError, match="no answer from 127"):
        fetch(wanted(tmp_path, URL))


@pytest.mark.parametrize("url", ["hf://datasets/shop", "hf://datasets/shop/corpus", "hf://", "hf://buckets/a/b/c"])
def test_an_address_that_names_no_file(hub: HubServer, tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match="the form is hf://datasets/"):
        fetch(wanted(tmp_path, url))
    assert hub.log == []
