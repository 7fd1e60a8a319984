"""What was fetched once is the same ever after, and what is not so is named with all that helps."""

import io
import tomllib
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fault_server import FaultServer, Reply
from hypothesis import given, settings
from hypothesis import strategies as st
from served_sources import IMPATIENT, Bench, questions, remotes_of

from ecinstruct_build.errors import UserError
from ecinstruct_build.fetching.carry_out import carry_out, relock
from ecinstruct_build.fetching.lock import Lock, Locked
from ecinstruct_build.fetching.state import NOTES, Digests, source_states
from ecinstruct_build.progress import Silence
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Remote

TRAIN, VAL = "train-qar.jsonl", "val-qar.jsonl"
FIRST, OTHER = questions("Does it float?"), questions("Does it sink?")


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


@pytest.fixture
def bench(server: FaultServer, tmp_path: Path) -> Bench:
    source = replace(SOURCES.get("amazonqa"), remotes=remotes_of(server, "amazonqa", {TRAIN: FIRST}))
    return Bench(source, tmp_path / "raw", tmp_path / "sources.lock.toml")


def stating(bench: Bench, **said: object) -> Bench:
    """The bench, whose adapter states something of its files."""
    remotes = tuple(replace(remote, **said) for remote in bench.source.remotes)
    return replace(bench, source=replace(bench.source, remotes=remotes))


def states(bench: Bench) -> dict[str, str]:
    return {state.file: state.state for state in source_states(bench.source, bench.raw, bench.lock, read="all")}


def test_a_file_that_nobody_states_is_trusted_on_first_use(bench: Bench, server: FaultServer) -> None:
    bench.fetch()
    entry = tomllib.loads(bench.lock_path.read_text())["amazonqa"][TRAIN]
    url = f"{server.origin}/amazonqa/{TRAIN}"
    assert entry == {"size": len(FIRST), "sha256": digest(FIRST), "trust": "first use", "url": url}
    assert states(bench) == {TRAIN: "verified"}


def test_a_file_that_upstream_states_is_locked_as_such(bench: Bench) -> None:
    bench = stating(bench, size=len(FIRST), sha256=digest(FIRST))
    bench.fetch()
    assert bench.lock.get("amazonqa", TRAIN).trust == "upstream"
    bench.lock_path.unlink()
    assert states(bench) == {TRAIN: "verified"}


def test_a_locked_file_whose_digest_an_adapter_comes_to_state_is_upstreams_from_then_on(bench: Bench) -> None:
    bench.fetch()
    before = bench.lock.get("amazonqa", TRAIN)
    bench = stating(bench, sha256=digest(FIRST))
    bench.fetch()
    assert bench.lock.get("amazonqa", TRAIN) == before.model_copy(update={"trust": "upstream"})


def test_other_bytes_from_upstream_are_refused_by_the_lock_and_taken_with_relock(
    bench: Bench, server: FaultServer
) -> None:
    bench.fetch()
    bench.path(TRAIN).unlink()
    url = server.plan(f"/amazonqa/{TRAIN}", Reply(OTHER, etag='"two"'))
    with pytest.raises(UserError) as raised:
        bench.fetch()
    said = str(raised.value)
    assert all(word in said for word in (url.removeprefix("http://"), str(bench.lock_path), "--relock")), said
    assert digest(FIRST) in said or str(len(FIRST)) in said
    assert not bench.path(TRAIN).exists()
    lock = bench.lock
    plan = relock(bench.wishes(), bench.raw, lock)
    carry_out(plan, bench.raw, lock, progress=Silence(), settings=IMPATIENT)
    assert bench.lock.get("amazonqa", TRAIN).sha256 == digest(OTHER)


def test_what_the_adapter_states_holds_against_what_comes(bench: Bench) -> None:
    bench = stating(bench, sha256=digest(OTHER))
    with pytest.raises(UserError) as raised:
        bench.fetch()
    assert digest(OTHER) in str(raised.value)
    assert digest(FIRST) in str(raised.value)
    assert "relock" not in str(raised.value)
    assert not bench.lock_path.exists()


def test_a_changed_file_on_disk_is_named_with_what_was_expected_and_whence_it_came(
    bench: Bench, server: FaultServer
) -> None:
    bench.fetch()
    bench.put(TRAIN, OTHER.replace(b"sink", b"swim!"[:4]))
    assert states(bench) == {TRAIN: "wrong"}
    asked = len(server.log)
    with pytest.raises(UserError) as raised:
        bench.fetch()
    said = str(raised.value)
    expected = (str(bench.path(TRAIN)), "sources.lock.toml says", f"{len(FIRST):,}", server.origin, "--relock")
    assert all(word in said for word in expected), said
    assert len(server.log) == asked, "a file of the user's own is not overwritten"


def test_with_relock_the_file_on_disk_is_right(bench: Bench) -> None:
    bench.fetch()
    bench.put(TRAIN, OTHER)
    lock = bench.lock
    carry_out(relock(bench.wishes(), bench.raw, lock), bench.raw, lock, progress=Silence())
    assert bench.lock.get("amazonqa", TRAIN).sha256 == digest(OTHER)
    assert states(bench) == {TRAIN: "verified"}


def test_a_lock_that_contradicts_the_adapter_is_an_error(bench: Bench) -> None:
    bench.fetch()
    bench = stating(bench, sha256=digest(OTHER))
    with pytest.raises(UserError, match=r"contradict each other about train-qar\.jsonl") as raised:
        bench.plan()
    assert all(word in str(raised.value) for word in (digest(FIRST), digest(OTHER), "--relock"))
    lock = bench.lock
    with pytest.raises(UserError, match="upstream says sha256"):
        carry_out(relock(bench.wishes(), bench.raw, lock), bench.raw, lock, progress=Silence())


def test_what_came_stays_locked_when_another_file_cannot_be_had(bench: Bench, server: FaultServer) -> None:
    gone = Remote(VAL, (f"{server.origin}/gone",))
    bench = replace(bench, source=replace(bench.source, remotes=(*bench.source.remotes, gone)))
    with pytest.raises(UserError, match=VAL):
        bench.fetch()
    assert list(bench.lock.files("amazonqa")) == [TRAIN]


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>\n<title>Sign in</title>\n", b"\n\n", b"{}\n"])
def test_a_page_that_only_bears_a_files_name_is_not_locked(bench: Bench, server: FaultServer, page: bytes) -> None:
    server.plan(f"/amazonqa/{TRAIN}", Reply(page))
    with pytest.raises(UserError, match=r"does not look like amazonqa/train-qar\.jsonl"):
        bench.fetch()
    assert not bench.lock_path.exists()
    with pytest.raises(UserError, match="does not look like"):
        bench.fetch()


def packed(**members: bytes) -> bytes:
    """A zip file of JSON lines, the same bytes at any time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"data/{name}.jsonl"), data)
    return held.getvalue()


@pytest.fixture
def zipped(server: FaultServer, tmp_path: Path) -> Bench:
    """A source of two files that upstream offers in an archive."""
    url = server.plan("/qa.zip", Reply(packed(one=FIRST, two=OTHER)))
    remote = Remote("qa.zip", (url,), holds=(("data/one.jsonl", TRAIN), ("data/two.jsonl", VAL)))
    source = replace(SOURCES.get("amazonqa"), remotes=(remote,))
    return Bench(source, tmp_path / "raw", tmp_path / "sources.lock.toml")


def test_the_members_of_an_archive_are_locked_and_held_against_the_lock(zipped: Bench, server: FaultServer) -> None:
    zipped.fetch()
    assert zipped.lock.get("amazonqa", VAL).model_dump() == {
        "size": len(OTHER),
        "sha256": digest(OTHER),
        "trust": "first use",
        "url": f"{server.origin}/qa.zip",
        "archive": "qa.zip",
    }
    assert zipped.lock.get("amazonqa", "qa.zip").sha256 == digest(packed(one=FIRST, two=OTHER))
    assert states(zipped) == {TRAIN: "verified", VAL: "verified"}
    assert zipped.plan().missing == []
    zipped.put(VAL, FIRST)
    assert states(zipped)[VAL] == "wrong"
    zipped.path(VAL).unlink()
    zipped.fetch()
    assert states(zipped) == {TRAIN: "verified", VAL: "verified"}


@pytest.mark.parametrize("urls", [(), ("https://example.org/never-asked",)])
def test_an_archive_that_a_person_put_there_is_unpacked_and_stays(zipped: Bench, urls: tuple[str, ...]) -> None:
    zipped = stating(zipped, urls=urls, steps="Ask for it.")
    zipped.put("qa.zip", packed(one=FIRST, two=OTHER))
    assert zipped.fetch().to_get == ()
    assert (zipped.path(TRAIN).read_bytes(), zipped.path(VAL).read_bytes()) == (FIRST, OTHER)
    assert zipped.lock.get("amazonqa", VAL).archive == "qa.zip"
    assert zipped.path("qa.zip").exists()
    assert zipped.plan().missing == []
    assert sorted(path.name for path in zipped.path("qa.zip").parent.iterdir()) == ["qa.zip", TRAIN, VAL]


def test_an_archive_that_upstream_states_otherwise_is_not_unpacked(zipped: Bench) -> None:
    zipped = stating(zipped, sha256=digest(packed(one=FIRST, two=OTHER)))
    zipped.put("qa.zip", packed(one=FIRST, two=FIRST))
    with pytest.raises(UserError, match="upstream says sha256"):
        zipped.fetch()
    assert not zipped.path(TRAIN).exists()


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(("esci", "mave")),
        st.sampled_from(("a.csv", "deep/b.jsonl", 'odd "name".gz', "ü.csv")),
        st.builds(
            Locked,
            size=st.integers(0, 2**50),
            sha256=st.sampled_from((digest(FIRST), digest(OTHER))),
            trust=st.sampled_from(("upstream", "first use")),
            url=st.sampled_from(("", "https://example.org/a")),
        ),
    ),
    unique_by=lambda entry: entry[:2],
)


@given(ENTRIES, st.randoms())
@settings(max_examples=30)
def test_a_locks_bytes_depend_on_what_is_locked_and_on_nothing_else(entries, random) -> None:
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("one", "two")]
        for path in paths:
            for source, file, locked in entries:
                Lock(path).put(source, {file: locked})
            random.shuffle(entries)
        assert len({path.read_bytes() for path in paths if path.exists()}) == bool(entries)
        read = Lock(paths[0])
        assert all(read.get(source, file) == locked for source, file, locked in entries)


def test_the_same_bytes_from_another_mirror_leave_the_lock_as_it_was(bench: Bench, server: FaultServer) -> None:
    bench.fetch()
    before = bench.lock_path.read_bytes()
    mirror = server.plan("/mirror", Reply(FIRST))
    bench = stating(bench, urls=(f"{server.origin}/gone", mirror))
    bench.path(TRAIN).unlink()
    assert [one.url for one in bench.fetch().fetched] == [mirror]
    assert bench.lock_path.read_bytes() == before


def test_two_who_write_one_lock_lose_nothing(tmp_path: Path) -> None:
    one, two = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    entry = Locked(size=1, sha256=digest(FIRST), trust="first use")
    one.put("esci", {"a.csv": entry})
    two.put("esci", {"b.csv": entry})
    assert sorted(Lock(tmp_path / "lock").files("esci")) == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("[esci", "cannot be read"), ('[esci."a.csv"]\nsize = -1\n', "is no lock"), ("esci = 1\n", "is no lock")],
)
def test_a_lock_that_is_none_is_an_error(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(text)
    with pytest.raises(UserError, match=words):
        Lock(tmp_path / "lock")


@pytest.mark.parametrize("damage", [b"", b"\xff", b"\0" * 64])
def test_a_remembered_digest_that_the_disk_damaged_is_read_anew(tmp_path: Path, damage: bytes) -> None:
    digests, file = Digests(tmp_path), tmp_path / "file"
    digests.keep()
    file.write_text("one")
    digest = digests.of(file)
    assert digests.known(file) == digest
    for note in (tmp_path / NOTES).iterdir():
        note.write_bytes(damage)
    assert digests.known(file) is None
