"""An upstream file that changes while it is read is refused, for what is read then goes by no digest."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_reviews import FILE, SOURCE, machine_at, recipe_of, review, write_reviews

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting import bundle, ingest
from ecinstruct_build.stages import corpora
from ecinstruct_build.store import Store

REFUSED = "was changed while it was read, so nothing of it is kept"


def rewrite(file: Path) -> None:
    text = file.read_text().replace("kitchen", "garage!")
    file.write_text(text)


def replace(file: Path) -> None:
    other, times = file.with_name("other"), file.stat()
    other.write_text(file.read_text().replace("kitchen", "garage!"))
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)


def cut_short(file: Path) -> None:
    os.truncate(file, file.read_text().index("\n") + 1)


def remove(file: Path) -> None:
    file.unlink()


def kept(place: Path) -> list[Path]:
    """Return what a build that failed left of rows: finished stages and blocks to resume from."""
    return [path for path in (place / "work").rglob("*.parquet") if path.parts[-2] != "out"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return write_reviews(tmp_path, map(review, range(50)))


@pytest.fixture
def build(raw: Path, tmp_path: Path) -> Callable[[], corpora.Ingested]:
    return lambda: corpora.ingest(recipe_of(tmp_path), raw, machine_at(tmp_path))


def refused(build: Callable[[], Any], file: Path) -> None:
    with pytest.raises(UserError, match=REFUSED) as told:
        build()
    assert str(told.value).startswith(f"The file {file} ")


@pytest.mark.parametrize("change", [rewrite, replace, cut_short, remove])
def test_a_file_that_changes_after_its_digest_is_refused(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    file, digest = raw / SOURCE / FILE, Store.file_digests

    def changed(*arguments: Any) -> list[str]:
        found = digest(*arguments)
        change(file)
        return found

    monkeypatch.setattr(Store, "file_digests", changed)
    refused(build, file)
    assert not kept(tmp_path)


def test_a_file_of_known_digest_is_refused_too(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, known = raw / SOURCE / FILE, Store.known_digests
    machine_at(tmp_path).store.file_digest(file)

    def changed(*arguments: Any) -> list[str] | None:
        found = known(*arguments)
        rewrite(file)
        return found

    monkeypatch.setattr(Store, "known_digests", changed)
    refused(build, file)
    assert not kept(tmp_path)


@pytest.mark.parametrize("change", [rewrite, cut_short])
def test_nothing_read_of_a_changed_file_is_left_to_resume_from(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    file, read = raw / SOURCE / FILE, ingest.read_blocks

    def changed(*arguments: Any) -> Iterator[Any]:
        change(file)
        yield from read(*arguments)

    monkeypatch.setattr(ingest, "read_blocks", changed)
    refused(build, file)
    assert not kept(tmp_path)
    monkeypatch.undo()
    assert build().files[0].facts["records"] == len(file.read_text().splitlines())


def test_a_file_that_changes_after_it_was_read_is_refused_before_anything_is_stored(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, whole = raw / SOURCE / FILE, ingest._assemble

    def changed(*arguments: Any) -> Any:
        rewrite(file)
        return whole(*arguments)

    monkeypatch.setattr(ingest, "_assemble", changed)
    refused(build, file)
    assert not (tmp_path / "work" / "ingest").exists()


@pytest.mark.parametrize("change", [rewrite, replace, remove])
def test_one_of_many_small_files_is_refused(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    for number in range(40):
        (raw / SOURCE / f"reviews_Category_{number}.json").write_text(review(100 + number) + "\n")
    file, read = raw / SOURCE / "reviews_Category_17.json", bundle.ingest_bundle

    def changed(*arguments: Any) -> Any:
        counts = read(*arguments)
        change(file)
        return counts

    monkeypatch.setattr(bundle, "ingest_bundle", changed)
    refused(build, file)
    assert not (tmp_path / "work" / "ingest").exists()
    monkeypatch.undo()
    assert len(build().files) == len(list((raw / SOURCE).iterdir()))


def test_a_changed_file_is_told_where_what_was_read_made_no_sense(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = raw / SOURCE / FILE

    def fail(*_: Any) -> Iterator[Any]:
        cut_short(file)
        raise UserError("It is damaged.")

    monkeypatch.setattr(ingest, "read_blocks", fail)
    refused(build, file)


def test_another_link_to_a_file_is_no_change_to_it(
    build: Callable[[], Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, digest = raw / SOURCE / FILE, Store.file_digests

    def linked(*arguments: Any) -> list[str]:
        found = digest(*arguments)
        (tmp_path / "backup.json").hardlink_to(file)
        file.chmod(0o600)
        return found

    monkeypatch.setattr(Store, "file_digests", linked)
    assert build().files[0].facts["records"] == len(file.read_text().splitlines())
