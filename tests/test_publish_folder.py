"""A dataset's folder: whole or not at all, and never at the cost of somebody's files."""

import errno
import multiprocessing
import os
import resource
import shutil
import signal
from pathlib import Path

import publish_rows
import pytest

from ecinstruct_build.audit.page import write_papers
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.folder import (
    MANIFEST,
    ensure_replaceable,
    publish_folder,
    read_manifest,
    write_manifest,
)
from ecinstruct_build.publish.shards import write_shards


def write(text: str):
    """A writer of a dataset that is one file."""

    def fill(folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "rows.txt").write_text(text)
        write_manifest(folder, {"name": text})

    return fill


def only(parent: Path, *names: str) -> bool:
    return sorted(path.name for path in parent.iterdir()) == sorted(names)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "shop" / "dataset"


@pytest.fixture
def published(out):
    publish_folder(out, write("first"))
    return out


def test_a_dataset_replaces_the_one_before_it_entirely(published):
    publish_folder(published, lambda folder: write_manifest(folder, {"name": "second"}))
    assert sorted(publish_rows.files(published)) == [MANIFEST]
    assert only(published.parent, "dataset")


def test_an_empty_folder_is_filled(out):
    out.mkdir(parents=True)
    publish_folder(out, write("first"))
    assert (out / "data" / "rows.txt").read_text() == "first"


def test_the_folder_may_be_a_link(published, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(published)
    publish_folder(link, write("second"))
    assert link.is_symlink()
    assert (published / "data" / "rows.txt").read_text() == "second"


def test_others_may_read_what_the_umask_lets_them(published):
    mask = os.umask(0)
    os.umask(mask)
    assert published.stat().st_mode & 0o777 == 0o777 & ~mask


@pytest.mark.parametrize("name", ["thesis.tex", "manifest.json", ".git/config"])
def test_a_folder_of_somebody_else_is_refused_and_untouched(out, name):
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text('{"format": 1, "files": []}')
    with pytest.raises(UserError, match="not a dataset written by ecinstruct-build"):
        publish_folder(out, write("first"))
    assert list(publish_rows.files(out)) == [name]


def test_somebodys_file_among_ours_is_not_lost(published):
    (published / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"did not write: notes\.txt\. Move them"):
        publish_folder(published, write("second"))
    assert (published / "notes.txt").read_text() == "mine"


def test_a_file_in_the_way_is_refused(out):
    out.parent.mkdir()
    out.write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        publish_folder(out, write("first"))


def test_nothing_is_written_before_the_refusal(out):
    out.mkdir(parents=True)
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(UserError):
        publish_folder(out, lambda folder: pytest.fail("written all the same"))


@pytest.mark.parametrize("failure", [ValueError("broken"), KeyboardInterrupt(), FileNotFoundError(2, "no template")])
def test_a_failure_leaves_the_old_dataset_and_nothing_beside_it(published, failure):
    before = publish_rows.files(published)

    def fail(folder: Path) -> None:
        write("second")(folder)
        raise failure

    with pytest.raises(type(failure)):
        publish_folder(published, fail)
    assert publish_rows.files(published) == before
    assert only(published.parent, "dataset")


def test_a_folder_without_manifest_is_not_published(published):
    with pytest.raises(ValueError, match="manifest"):
        publish_folder(published, lambda folder: (folder / "rows.txt").write_text("second"))
    assert read_manifest(published)["name"] == "first"


def test_a_failing_swap_puts_the_old_dataset_back(published, monkeypatch):
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if "building" in path.name:
            raise OSError(errno.EBUSY, "busy")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match="cannot be written"):
        publish_folder(published, write("second"))
    assert read_manifest(published)["name"] == "first"
    assert only(published.parent, "dataset")


def test_what_cannot_be_cleared_away_is_named(published, monkeypatch):
    (published.parent / ".dataset.old").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(UserError, match=r"Permission denied \(.*\.dataset\.old\)"):
        publish_folder(published, write("second"))
    assert read_manifest(published)["name"] == "first"


def _publish_and_die(out: Path, *, at_swap: bool) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if at_swap:
        rename = Path.rename
        Path.rename = lambda path, target: die() if "building" in path.name else rename(path, target)  # type: ignore[method-assign]
        publish_folder(out, write("second"))
    publish_folder(out, lambda folder: (write("second")(folder), die()))


@pytest.mark.parametrize("at_swap", [False, True])
def test_after_a_kill_the_next_run_puts_things_right(published, at_swap):
    child = multiprocessing.get_context("fork").Process(
        target=_publish_and_die, args=(published,), kwargs={"at_swap": at_swap}
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not only(published.parent, "dataset")

    def fail(folder: Path) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        publish_folder(published, fail)
    assert read_manifest(published)["name"] == "first"
    assert only(published.parent, "dataset")


def test_a_run_that_is_still_writing_is_left_in_peace(published):
    def write_meanwhile(folder: Path) -> None:
        with pytest.raises(UserError, match="Another run is writing"):
            publish_folder(published, write("third"))
        write("second")(folder)

    publish_folder(published, write_meanwhile)
    assert read_manifest(published)["name"] == "second"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_explained(published):
    before = publish_rows.files(published)

    def fill(folder: Path) -> None:
        (folder / "rows.txt").write_bytes(b"x" * 2**20)
        with Path("/dev/full").open("wb") as full:
            full.write(b"x")

    with pytest.raises(
        UserError, match=r"full: 1\.0 MiB of the dataset were written, .* up to [\d,.]+ MiB more are miss"
    ):
        publish_folder(published, fill, expected_bytes=lambda: 2**60)
    assert publish_rows.files(published) == before
    assert only(published.parent, "dataset")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_under_a_shard_is_explained(published, tmp_path):
    def fill(folder: Path) -> None:
        target = folder / "data" / "product_matching" / "train-00000-of-00001.parquet"
        target.parent.mkdir(parents=True)
        target.symlink_to("/dev/full")
        write_shards(publish_rows.samples(), folder, "huggingface")

    with pytest.raises(UserError, match="is full"):
        publish_folder(published, fill)
    assert read_manifest(published)["name"] == "first"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_under_the_findings_of_the_audit_is_explained(published):
    def fill(folder: Path) -> None:
        (folder / "audit.html").symlink_to("/dev/full")
        write_papers({"audit.html": "x"}, folder)

    with pytest.raises(UserError, match="is full"):
        publish_folder(published, fill)
    assert read_manifest(published)["name"] == "first"


def _publish_with_little_room(out: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    with pytest.raises(UserError, match=r"grew beyond what you may write .* is as it was before"):
        publish_folder(out, lambda folder: write_shards(publish_rows.samples(), folder, "huggingface"))


def test_a_limit_on_files_that_a_shard_runs_into_is_explained(published):
    before = publish_rows.files(published)
    child = multiprocessing.get_context("fork").Process(target=_publish_with_little_room, args=(published,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert publish_rows.files(published) == before
    assert only(published.parent, "dataset")


def test_the_manifest_lists_every_file_and_reads_back(published):
    manifest = read_manifest(published)
    assert (manifest["format"], manifest["name"], manifest["files"]) == (1, "first", ["data/rows.txt"])
    text = (published / MANIFEST).read_text()
    assert text.index('"files"') < text.index('"format"') < text.index('"name"')


def test_not_a_number_has_no_place_in_a_manifest(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_manifest(tmp_path, {"seconds": float("nan")})
    assert not (tmp_path / MANIFEST).exists()


def test_a_missing_folder_can_be_written(tmp_path):
    ensure_replaceable(tmp_path / "none")
    assert read_manifest(tmp_path / "none") is None
