"""Laws of fetching: whatever a server does, no wrong bytes are taken for the file."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fault_server import FaultServer, Reply, serving
from fetch_world import fetch, left_over, noise, wanted
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.errors import UserError

SIZE = 40_000
VERSIONS = [noise(SIZE, seed) for seed in range(3)]
DATA = VERSIONS[0]
RANGES = (None, "bytes 0-39999/40000", "bytes 100-39999/40000", "bytes 7-9/*", "")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


def replies(versions: st.SearchStrategy[bytes], etags: st.SearchStrategy[str] | None) -> st.SearchStrategy[Reply]:
    """Return answers; without ``etags`` each version has an ETag of its own."""
    faults = {
        "ranges": st.booleans(),
        "framing": st.sampled_from(["length", "chunked"]),
        "cut": st.none() | st.integers(0, SIZE),
        "content_range": st.sampled_from(RANGES),
        "status": st.sampled_from([200] * 8 + [206, 416, 429, 503]),
    }
    if etags is not None:
        return st.builds(Reply, data=versions, etag=etags, **faults)
    return versions.flatmap(
        lambda data: st.builds(Reply, data=st.just(data), etag=st.just(f'"{data[:4].hex()}"'), **faults)
    )


HONEST = st.lists(replies(st.sampled_from(VERSIONS), None), min_size=1, max_size=6)
LYING = st.lists(replies(st.sampled_from(VERSIONS), st.sampled_from(["", '"one"', 'W/"one"'])), min_size=1, max_size=6)


@settings(max_examples=50)
@given(first=LYING, second=LYING)
def test_a_known_digest_is_never_missed(server: FaultServer, first: list[Reply], second: list[Reply]) -> None:
    """However the servers lie: the right bytes or an error; and the next run, of a sound server, gets them."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "data.json.gz"
        urls = [server.plan("/first", *first), server.plan("/second", *second)]
        try:
            fetch(wanted(Path(folder), *urls, of=DATA))
        except UserError:
            assert not place.exists()
            server.plan("/first", Reply(DATA))
            fetch(wanted(Path(folder), *urls, of=DATA))
        assert place.read_bytes() == DATA
        assert left_over(Path(folder)) == []


@settings(max_examples=50)
@given(script=HONEST)
def test_versions_are_never_mixed(server: FaultServer, script: list[Reply]) -> None:
    """Of a server that names its versions: one of them whole, or an error, though nothing is known of the file."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / "data.json.gz"
        url = server.plan("/file", *script)
        try:
            fetch(wanted(Path(folder), url))
        except UserError:
            server.plan("/file", Reply(VERSIONS[1], etag=f'"{VERSIONS[1][:4].hex()}"'))
            fetch(wanted(Path(folder), url))
        assert place.read_bytes() in VERSIONS
