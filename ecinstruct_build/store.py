"""The stage store: content-addressed results, so that a build resumes, reuses and proves what it did.

A stage's key digests its inputs' content, its settings, its code and the libraries. Results are written to a
temporary folder, fsynced and renamed; the record ``stage.json`` goes in last. What is under its final name is
therefore whole, whenever the process was killed. What interrupted stages left is resumed from, or removed in the end.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.durable import DISK_FULL, sync, sync_tree
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json
from ecinstruct_build.file_digests import digest_of, fingerprint_of, identity_of, is_digest
from ecinstruct_build.provenance import library_versions

RECORD = "stage.json"
_STALE_SECONDS = 30 * 24 * 60 * 60
_REMOVED = ".removed-"  # no stage's name begins so
_HASHERS = min(os.cpu_count() or 1, 4)


@dataclass(frozen=True)
class Stage:
    """A finished stage.

    Attributes
    ----------
    stage, name, key
        Which stage, for which thing, under which key.
    folder
        Its files.
    digest
        Digest of its files' content and of ``facts``: what later stages key on.
    facts
        What it counted and found.
    seconds
        How long it took when it ran.
    cached
        Whether it was reused rather than run.
    """

    stage: str
    name: str
    key: str
    folder: Path
    digest: str
    facts: Mapping[str, Any]
    seconds: float
    cached: bool

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the table in one of its Parquet files (``<name>.parquet``), or some of its columns, in this order."""
        # Arrow's other reader is made for folders of files, and takes longer for a small one.
        with pq.ParquetFile(self.folder / f"{name}.parquet") as file:
            table = file.read(columns)
        return table if columns is None else table.select(columns)


Produce = Callable[[Path, Path], Mapping[str, Any]]
"""``produce(out, scratch)`` fills the folder ``out`` and returns the facts; ``scratch`` survives a kill."""


class Store:
    """Finished stages under one folder.

    Parameters
    ----------
    root
        The folder; it is made if missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store for one build; when that has gone well, remove what others left unfinished 30 days ago.

        Raises
        ------
        UserError
            If another process holds it, or the folder cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = (self.root / ".lock").open("w")
        except OSError as error:
            raise UserError(
                f"The stage store {self.root} cannot be used: {error.strerror}. Choose another folder with --work."
            ) from error
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"Another build is using the stage store {self.root}. Wait for it, or choose another folder "
                    "with --work."
                ) from error
            yield
            self._remove_stale()  # what this build resumed from is used up by now

    def run(self, stage: str, name: str, inputs: Mapping[str, Any], produce: Produce) -> Stage:
        """Return the stage's result, running ``produce`` only if there is none for this key.

        Parameters
        ----------
        stage, name
            Which stage, for which thing (a file, a task).
        inputs
            Everything that the result depends on, as JSON values: digests, settings, code digests.
        produce
            Makes the result.

        Raises
        ------
        UserError
            If the disk is full.
        """
        key = _sha256(dump_json({"stage": stage, "name": name, "libraries": library_versions(), **inputs}))
        folder = self.root / stage / f"{_file_name(name)}-{key[:16]}"
        scratch = self.root / "partial" / f"{stage}-{_file_name(name)}-{key[:16]}"
        if found := _read(stage, name, key, folder):
            shutil.rmtree(scratch, ignore_errors=True)  # a kill may have come just after the result was in place
            return found
        out = scratch / "out"
        shutil.rmtree(out, ignore_errors=True)
        started = time.monotonic()
        try:
            out.mkdir(parents=True)
            facts = produce(out, scratch)
            _finish(out, key, facts, time.monotonic() - started)
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            out.rename(folder)
            sync(folder.parent)
        except OSError as error:
            raise _disk_error(error, self.root) or error from error
        shutil.rmtree(scratch, ignore_errors=True)
        done = _read(stage, name, key, folder)
        if done is None:
            raise UserError(
                f"The result of stage {stage} in {folder} vanished while it was being written. Build again."
            )
        return Stage(**{**done.__dict__, "cached": False})

    def _remove_stale(self) -> None:
        """Remove what interrupted stages left and nobody touched since long: their inputs do not come again.

        Only while the store is held, so that no process is at work in it. It is renamed before: nothing resumes from
        what is removed in part. What cannot be removed stays; a build that is finished does not fail for it.
        """
        for scratch in sorted((self.root / "partial").glob("*")):
            with suppress(OSError):
                if not scratch.name.startswith(_REMOVED):
                    if time.time() - _last_change(scratch) < _STALE_SECONDS:
                        continue
                    scratch = scratch.rename(scratch.with_name(_REMOVED + scratch.name))  # noqa: PLW2901
                shutil.rmtree(scratch)

    def file_digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, remembered by its path, inode, size and times of change."""
        return self.file_digests([path])[0]

    def file_digests(self, paths: Sequence[Path], go_on: Callable[[], None] | None = None) -> list[str]:
        """Return the SHA-256 of files that are used together; they are remembered together, as by `file_digest`.

        ``go_on`` is called now and then while large ones are read; what it raises ends that.
        """
        note = self._note_of(paths)  # of the files before they are read: one that changes meanwhile is read again
        if known := _noted(note, len(paths)):
            return known
        digests = [digest_of(path, go_on) for path in paths]
        note.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(note, "\n".join(digests))
        return digests

    def known_digests(self, paths: Sequence[Path]) -> list[str] | None:
        """Return what `file_digests` remembers of files, or None if it must read them."""
        return _noted(self._note_of(paths), len(paths))

    def _note_of(self, paths: Sequence[Path]) -> Path:
        return self.root / "digests" / _sha256("\n".join(map(identity_of, paths)))

    def keep(self, path: Path) -> Path:
        """Copy a small file that may change under a later build, and return the copy, named by its content."""
        content = path.read_bytes()
        kept = self.root / "kept" / f"{hashlib.sha256(content).hexdigest()}{path.suffix}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(kept, content.decode())
        return kept

    def remember(self, name: str, record: Mapping[str, Any]) -> None:
        """Keep a small record, such as what the last build was made of."""
        self.root.mkdir(parents=True, exist_ok=True)
        _write_whole(self.root / f"{name}.json", dump_json(record))

    def recall(self, name: str) -> dict[str, Any] | None:
        """Return the record kept under ``name``, or None.

        Raises
        ------
        UserError
            If it is damaged.
        """
        path = self.root / f"{name}.json"
        try:
            return dict(json.loads(path.read_text())) if path.exists() else None
        except (ValueError, TypeError) as error:
            raise UserError(f"The record {path} is damaged: {error}. Build again, which writes it anew.") from error


def _finish(out: Path, key: str, facts: Mapping[str, Any], seconds: float) -> None:
    paths = [path for path in sorted(out.rglob("*")) if path.is_file()]
    with ThreadPoolExecutor(_HASHERS) as threads:
        digests = threads.map(fingerprint_of, paths)
        files = {path.relative_to(out).as_posix(): digest for path, digest in zip(paths, digests, strict=True)}
    sizes = {name: (out / name).stat().st_size for name in files}
    record = {"key": key, "facts": dict(facts), "files": files, "sizes": sizes, "seconds": round(seconds, 3)}
    (out / RECORD).write_text(dump_json(record))  # whole or not at all: the folder gets its name later
    sync_tree(out)


def _read(stage: str, name: str, key: str, folder: Path) -> Stage | None:
    try:
        record = json.loads((folder / RECORD).read_text())
        whole = all((folder / file).stat().st_size == size for file, size in record["sizes"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    if not whole or record["key"] != key:
        return None
    digest = _sha256(dump_json({"files": record["files"], "facts": record["facts"]}))
    return Stage(stage, name, key, folder, digest, record["facts"], record["seconds"], cached=True)


def _last_change(folder: Path) -> float:
    """Return when a folder, or anything in it, was last changed, in seconds since 1970."""
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _noted(note: Path, count: int) -> list[str] | None:
    """Return the digests in a note, or None if it is not there, damaged, or not one of so many files."""
    try:
        digests = note.read_text().split()
    except (OSError, ValueError):  # not there, or damaged: then the files are read once more
        return None
    return digests if len(digests) == count and all(map(is_digest, digests)) else None


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _disk_error(error: OSError, root: Path) -> UserError | None:
    if error.errno not in DISK_FULL:
        return None
    free = shutil.disk_usage(root).free / 2**20
    return UserError(
        f"The disk that holds the stage store {root} is full ({free:.0f} MiB free). Free some space, or choose another "
        "folder with --work; finished stages are kept, and the same command goes on from there."
    )


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)[:80]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
