"""The stage store: what is there is whole, and nothing runs twice for the same inputs."""

import errno
import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ecinstruct_build.errors import UserError
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.provenance import library_versions
from ecinstruct_build.store import Store


def write_word(word: str, calls: list[str]) -> Any:
    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        calls.append(word)
        (out / "deep").mkdir()
        (out / "deep" / "word.txt").write_text(word)
        return {"letters": len(word)}

    return produce


def test_a_stage_runs_once_for_the_same_inputs(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []
    first = store.run("spell", "word", {"n": 1}, write_word("hello", calls))
    again = store.run("spell", "word", {"n": 1}, write_word("hello", calls))
    assert calls == ["hello"]
    assert (first.cached, again.cached) == (False, True)
    assert (again.folder / "deep" / "word.txt").read_text() == "hello"
    assert again.facts == {"letters": 5}
    assert first.digest == again.digest


def test_other_inputs_run_anew_and_the_digest_tells_content_not_key(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []
    one = store.run("spell", "word", {"n": 1}, write_word("hello", calls))
    two = store.run("spell", "word", {"n": 2}, write_word("hello", calls))
    three = store.run("spell", "word", {"n": 3}, write_word("bye", calls))
    assert calls == ["hello", "hello", "bye"]
    assert one.key != two.key
    assert one.digest == two.digest != three.digest


def test_the_same_inputs_of_another_stage_or_thing_are_another_result(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []
    results = [
        store.run(stage, name, {"n": 1}, write_word(f"{stage} {name}", calls))
        for stage, name in (("spell", "a/word"), ("spell", "a_word"), ("read", "a/word"))
    ]
    assert calls == ["spell a/word", "spell a_word", "read a/word"]
    assert len({result.key for result in results}) == 3
    assert [(result.folder / "deep" / "word.txt").read_text() for result in results] == calls


def test_other_libraries_run_the_stage_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, calls = Store(tmp_path), []
    old = store.run("spell", "word", {"n": 1}, write_word("hello", calls))
    upgraded = {**library_versions(), "duckdb": "0.0.0"}
    monkeypatch.setattr("ecinstruct_build.store.library_versions", lambda: upgraded)
    new = store.run("spell", "word", {"n": 1}, write_word("hello again", calls))
    assert calls == ["hello", "hello again"]
    assert new.key != old.key


def test_a_failed_stage_leaves_nothing_that_looks_finished_but_keeps_scratch(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []

    def fail(out: Path, scratch: Path) -> Mapping[str, Any]:
        (out / "half.txt").write_text("half")
        (scratch / "kept").write_text("kept")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        store.run("spell", "word", {}, fail)
    assert not (tmp_path / "spell").exists()

    def resume(out: Path, scratch: Path) -> Mapping[str, Any]:
        assert (scratch / "kept").read_text() == "kept"
        assert not (out / "half.txt").exists()
        return write_word("whole", calls)(out, scratch)

    assert store.run("spell", "word", {}, resume).facts == {"letters": 5}
    assert not list((tmp_path / "partial").iterdir())


def test_a_result_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    store, calls = Store(tmp_path), []
    stage = store.run("spell", "word", {}, write_word("hello", calls))
    (stage.folder / "deep" / "word.txt").write_text("hell")
    store.run("spell", "word", {}, write_word("hello", calls))
    assert calls == ["hello", "hello"]
    assert (stage.folder / "deep" / "word.txt").read_text() == "hello"


@pytest.mark.parametrize("damage", [b"", b"\0" * 64, b"\xff{", b"[]", b'{"sizes": []}', b'{"key": "x"'])
def test_what_a_disk_damaged_is_made_or_read_again(tmp_path: Path, damage: bytes) -> None:
    store, calls, file = Store(tmp_path / "store"), [], tmp_path / "file"
    stage = store.run("spell", "word", {}, write_word("hello", calls))
    (stage.folder / "stage.json").write_bytes(damage)
    assert store.run("spell", "word", {}, write_word("hello", calls)).facts == {"letters": 5}
    assert calls == ["hello", "hello"]
    file.write_text("one")
    digest = store.file_digest(file)
    for note in (tmp_path / "store" / "digests").iterdir():
        note.write_bytes(damage)
    assert store.known_digests([file]) is None
    assert store.file_digest(file) == digest


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.remember("last", {"a": 1})
    assert store.recall("last") == {"a": 1}
    for damage in (b"", b"\xff", b"3"):
        (tmp_path / "last.json").write_bytes(damage)
        with pytest.raises(UserError, match=r"last\.json is damaged: .*Build again"):
            store.recall("last")


def kill_itself(root: Path) -> None:
    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        (out / "half.txt").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    with Store(root).locked():
        Store(root).run("spell", "word", {}, produce)


def test_a_killed_process_leaves_neither_a_lock_nor_a_half_result(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=kill_itself, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    calls: list[str] = []
    with Store(tmp_path).locked():
        assert not Store(tmp_path).run("spell", "word", {}, write_word("whole", calls)).cached
    assert calls == ["whole"]


def leave_unfinished(root: Path, name: str, days: float) -> Path:
    """Interrupt a stage whose inputs do not come again, as if so many days ago."""

    def fail(out: Path, scratch: Path) -> Mapping[str, Any]:
        (out / "half.txt").write_text("half")
        (scratch / "block-0").mkdir()
        (scratch / "block-0" / "rows").write_text("rows")
        raise RuntimeError("stopped")

    before = set((root / "partial").glob("*"))
    with pytest.raises(RuntimeError):
        Store(root).run("spell", name, {}, fail)
    (left,) = set((root / "partial").glob("*")) - before
    then = time.time() - days * 24 * 60 * 60
    for path in (left, *left.rglob("*")):
        os.utime(path, (then, then))
    return left


def test_what_was_left_unfinished_long_ago_is_removed_after_a_build_that_went_well(tmp_path: Path) -> None:
    old, young = leave_unfinished(tmp_path, "old", 31), leave_unfinished(tmp_path, "young", 29)
    gone_on = leave_unfinished(tmp_path, "gone-on", 400)
    (gone_on / "block-0" / "rows").touch()
    begun = leave_unfinished(tmp_path, "begun", 0)
    begun.rename(begun.with_name(f".removed-{begun.name}"))  # as a kill leaves it in the middle of that
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (old / "link").symlink_to(tmp_path / "elsewhere")
    os.utime(old / "link", (0, 0), follow_symlinks=False)
    then = old.joinpath("out").stat().st_mtime
    os.utime(old, (then, then))

    with pytest.raises(RuntimeError), Store(tmp_path).locked():
        raise RuntimeError("it may go on from there")
    assert old.is_dir()
    with Store(tmp_path).locked():
        assert old.is_dir()
    assert sorted(path.name for path in (tmp_path / "partial").iterdir()) == sorted([young.name, gone_on.name])
    assert (gone_on / "out" / "half.txt").is_file()
    assert (tmp_path / "elsewhere" / "kept").is_file()


def test_an_old_unfinished_result_is_resumed_from_before_it_counts_as_left(tmp_path: Path) -> None:
    leave_unfinished(tmp_path, "word", 90)

    def resume(out: Path, scratch: Path) -> Mapping[str, Any]:
        assert (scratch / "block-0" / "rows").read_text() == "rows"
        return write_word("whole", [])(out, scratch)

    with Store(tmp_path).locked():
        assert not Store(tmp_path).run("spell", "word", {}, resume).cached


def test_what_cannot_be_removed_ends_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = leave_unfinished(tmp_path, "old", 31)

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("shutil.rmtree", refuse)
    for _ in range(2):
        with Store(tmp_path).locked():
            pass
    assert [path.name for path in (tmp_path / "partial").iterdir()] == [f".removed-{old.name}"]


def test_two_builds_do_not_share_a_store(tmp_path: Path) -> None:
    with Store(tmp_path).locked(), pytest.raises(UserError, match="Another build"), Store(tmp_path).locked():
        pass


def test_a_full_disk_is_one_clear_message(tmp_path: Path) -> None:
    def fill(_out: Path, _scratch: Path) -> Mapping[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match=r"full .*MiB free.*--work"):
        Store(tmp_path).run("spell", "word", {}, fill)


def test_a_file_digest_follows_the_content_of_a_file_written_over(tmp_path: Path) -> None:
    store, file = Store(tmp_path / "store"), tmp_path / "file"
    file.write_text("one")
    first = store.file_digest(file)
    assert first == store.file_digest(file) == hashlib.sha256(b"one").hexdigest()
    written = file.stat().st_mtime_ns
    file.write_text("two")
    os.utime(file, ns=(written, written + 1))  # whatever the file system's clock makes of two writes in a row
    assert store.file_digest(file) == hashlib.sha256(b"two").hexdigest()


def test_a_digest_is_not_remembered_of_a_file_that_changed_while_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, file = Store(tmp_path / "store"), tmp_path / "file"
    file.write_text("one")

    def read_and_changed(path: Path, go_on: Callable[[], None] | None) -> str:
        digest = digest_of(path, go_on)
        path.write_text("another")
        return digest

    monkeypatch.setattr("ecinstruct_build.store.digest_of", read_and_changed)
    store.file_digest(file)
    assert store.known_digests([file]) is None
    monkeypatch.undo()
    assert store.file_digest(file) == hashlib.sha256(b"another").hexdigest()


def test_a_file_digest_follows_the_content_of_a_file_put_in_its_place(tmp_path: Path) -> None:
    store, file, other = Store(tmp_path / "store"), tmp_path / "file", tmp_path / "other"
    file.write_text("one")
    other.write_text("two")
    store.file_digest(file)
    written = file.stat().st_mtime_ns
    os.utime(other, ns=(written, written))
    other.replace(file)
    assert store.file_digest(file) == hashlib.sha256(b"two").hexdigest()
