"""Whatever happens to the process, the file or the disk: what was answered stays, and one message says the rest."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from review_world import drawn, judge_all

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.database import transaction
from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.folder import reviewed_in
from ecinstruct_build.review.verdict_file import write_verdicts

pytestmark = pytest.mark.slow

JUDGING = """
import sys, threading
from pathlib import Path
from ecinstruct_build.review.desk import Desk

def judge(name):
    desk = Desk.open(Path(sys.argv[1]), patience=60)
    while item := desk.next_item(name):
        print("handed", name, item.number, flush=True)
        desk.answer(name, item.number, "good", f"by {name}")
        print("answered", name, item.number, flush=True)

sys.stdin.readline()
threads = [threading.Thread(target=judge, args=(name,)) for name in sys.argv[2:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.executescript(sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
"""
NOBODY = 65534


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


def start(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.create(tmp_path / "review.sqlite", drawn(tmp_path, items=40, double_share=0.5), patience=0.05)


@pytest.fixture
def answered(desk: Desk) -> Desk:
    """A desk at which Ann has judged one item and holds another one."""
    item = desk.next_item("Ann")
    assert item is not None
    desk.answer("Ann", item.number, "good", "kept")
    desk.next_item("Ann")
    return desk


def notes(desk: Desk) -> list[str]:
    return [answer.note for answer in desk.answers()]


def test_killing_the_process_loses_nothing_that_was_answered(desk: Desk) -> None:
    process = run(JUDGING, str(desk.path), "Ann")
    start(process)
    told: set[str] = set()
    while len(told) < 8:
        what, _, number = line_of(process)
        told |= {number} if what == "answered" else set()
    process.send_signal(signal.SIGKILL)
    process.wait()
    for line in process.stdout or ():
        told |= {line.split()[2]} if line.startswith("answered") else set()
    kept = {str(answer.number) for answer in Desk.open(desk.path).answers()}
    assert told <= kept
    assert len(kept - told) <= 1  # killed after the answer was on disk and before that was told
    item = desk.next_item("Ann")
    assert item is not None
    desk.answer("Ann", item.number, "good")


def test_answers_wait_for_the_disk(desk: Desk) -> None:
    with transaction(desk.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_people_in_two_processes_at_once_never_get_the_same_single_item(desk: Desk) -> None:
    names = (("Ann", "Ben", "Cleo"), ("Dora", "Egon", "Fay"))
    processes = [run(JUDGING, str(desk.path), *own) for own in names]
    for process in processes:
        start(process)
    handed = defaultdict(set)
    for process in processes:
        for line in process.communicate()[0].splitlines():
            what, name, number = line.split()
            if what == "handed":
                handed[int(number)].add(name)
        assert process.returncode == 0
    judges = defaultdict(list)
    for answer in desk.answers():
        judges[answer.number].append(answer.annotator)
    assert len({name for own in judges.values() for name in own}) > 1
    for item in desk.sample.items:
        assert len(judges[item.number]) == len(handed[item.number]) == 1 + item.doubled
        assert set(judges[item.number]) == handed[item.number]


def test_a_desk_that_is_being_written_to_can_still_be_read(answered: Desk) -> None:
    process = run(LOCKING, str(answered.path), "BEGIN IMMEDIATE")
    assert line_of(process) == ["locked"]
    assert notes(answered) == ["kept"]
    assert answered.progress().made == 1
    with pytest.raises(UserError, match="in use by another program"):
        answered.answer("Ann", 2, "good")
    process.communicate("\n")
    answered.answer("Ann", 2, "good", "at last")
    assert notes(answered) == ["kept", "at last"]


def test_a_locked_file_is_told(answered: Desk) -> None:
    process = run(LOCKING, str(answered.path), "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
    assert line_of(process) == ["locked"]
    for attempt in (
        lambda: Desk.open(answered.path, patience=0.05),
        lambda: Desk.create(answered.path, answered.sample, patience=0.05),
        lambda: answered.answer("Ann", 2, "good"),
        answered.answers,
    ):
        with pytest.raises(UserError, match=r"review\.sqlite' is in use by another program"):
            attempt()
    process.communicate("\n")
    assert notes(answered) == ["kept"]


def test_what_is_no_review_or_damaged_is_told_and_left_alone(answered: Desk, tmp_path: Path) -> None:
    whole = answered.path.read_bytes()
    page = 4096
    foreign = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(foreign, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    newer = tmp_path / "newer.sqlite"
    newer.write_bytes(whole)
    with closing(sqlite3.connect(newer, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    cases = {
        "missing": (None, "no review in"),
        "empty": (b"", "not the file of a review"),
        "text": (b"number,verdict\n" * 500, "damaged or not the file of a review"),
        "foreign": (foreign.read_bytes(), "not the file of a review"),
        "newer": (newer.read_bytes(), "newer ecinstruct-build"),
        "short": (whole[: len(whole) // 2], "damaged"),
        "holes": (whole[: 2 * page] + bytes(6 * page) + whole[8 * page :], "damaged"),
    }
    for name, (content, reason) in cases.items():
        path = tmp_path / f"{name}.case"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=reason):
            Desk.open(path)
        if name not in ("missing", "empty"):
            with pytest.raises(UserError, match=reason):
                Desk.create(path, answered.sample)
            assert path.read_bytes() == content


@contextmanager
def unable_to_write(folder: Path) -> Iterator[None]:
    """Be someone who may read the folder and not write to it."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_to_is_told(answered: Desk) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "review.sqlite"
        path.write_bytes(answered.path.read_bytes())
        path.chmod(0o444)
        sample = answered.sample
        with unable_to_write(folder):
            for attempt in (
                lambda: Desk(path).answer("Ann", 2, "good"),
                lambda: Desk.create(path, sample),
                lambda: Desk.create(folder / "new.sqlite", sample),
                lambda: Desk.create(folder / "new" / "review.sqlite", sample),
            ):
                with pytest.raises(UserError, match=r"cannot be opened for writing|cannot be made"):
                    attempt()
        assert path.read_bytes() == answered.path.read_bytes()
        assert [one.name for one in folder.iterdir()] == ["review.sqlite"]


def test_a_review_that_may_only_be_read_can_be_read(answered: Desk) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "review.sqlite"
        path.write_bytes(answered.path.read_bytes())
        sample = answered.sample
        with unable_to_write(folder):
            desk = Desk.open(path)
            assert desk.sample == sample
            assert notes(desk) == ["kept"]
            reviewed = reviewed_in(folder)
        assert reviewed is not None
        assert reviewed.report["judgements"] == 1
        assert [one.name for one in folder.iterdir()] == ["review.sqlite"]


def test_verdicts_that_cannot_be_written_are_used_if_they_are_up_to_date_and_asked_for_if_not(answered: Desk) -> None:
    answered.undo("Ann")
    answered.answer("Ann", 1, "wrong_answer", "it is B")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "review.sqlite").write_bytes(answered.path.read_bytes())
        with unable_to_write(folder), pytest.raises(UserError, match=r"verdicts\.jsonl' cannot be written"):
            reviewed_in(folder)
        write_verdicts(answered, folder / "verdicts.jsonl")
        with unable_to_write(folder):
            reviewed = reviewed_in(folder)
        assert reviewed is not None
        assert reviewed.verdicts == (folder / "verdicts.jsonl",)
        assert sorted(one.name for one in folder.iterdir()) == ["review.sqlite", "verdicts.jsonl"]


def test_what_was_read_while_somebody_wrote_is_not_believed(answered: Desk) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "review.sqlite"
        path.write_bytes(answered.path.read_bytes())
        with ExitStack() as stack:
            stack.enter_context(pytest.raises(UserError, match="written to while it was read"))
            with unable_to_write(folder):
                stack.enter_context(transaction(path, reading=True))
            os.utime(path, (1, 1))


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [1000, 33_000])  # no room for the index of the log; room for that and for few pages
def test_a_full_disk_is_told_and_loses_nothing(answered: Desk, size: int) -> None:
    note = "a long note " * 300

    def go_on() -> None:
        while item := answered.next_item("Ann"):
            answered.answer("Ann", item.number, "good", note)

    with no_room(size), pytest.raises(UserError, match="disk is full"):
        go_on()
    kept = notes(answered)
    assert kept[0] == "kept"
    assert set(kept[1:]) <= {note.strip()}
    Desk.open(answered.path)
    item = answered.next_item("Ann")
    assert item is not None
    answered.answer("Ann", item.number, "good", "room again")
    assert notes(answered) == [*kept, "room again"]


def test_a_verdict_file_for_which_there_is_no_room_stays_as_it_was(answered: Desk, tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text("before", encoding="utf-8")
    judge_all(answered, "Ann", dict.fromkeys(range(2, 41), "wrong_answer"), note="a note " * 300)
    with no_room(33_000), pytest.raises(UserError, match=r"verdicts\.jsonl' cannot be written: File too large"):
        write_verdicts(answered, path)
    assert path.read_text(encoding="utf-8") == "before"
    assert not list(tmp_path.glob("*.partial")) + list(tmp_path.glob(".*.partial"))


def test_a_full_disk_at_the_start_leaves_nothing_in_the_way(answered: Desk, tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    sample = answered.sample
    with no_room(40_000), pytest.raises(UserError, match="disk is full"):
        Desk.create(path, sample)
    assert Desk.create(path, sample).sample == sample
