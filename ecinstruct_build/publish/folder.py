"""Publish a folder whole or not at all: it is built beside its place and then swapped in."""

import errno
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ecinstruct_build.beside import folder_beside, put_right, swap_in
from ecinstruct_build.durable import DISK_FULL, sync_tree
from ecinstruct_build.errors import UserError

MANIFEST = "manifest.json"
MANIFEST_FORMAT = 1
"""Version of the manifest's form; it grows when a key changes its meaning."""

T = TypeVar("T")

_GENERATOR = "ecinstruct-build"
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV, errno.ENOTDIR, errno.ENAMETOOLONG)


def publish_folder(out: Path, write: Callable[[Path], T], expected_bytes: Callable[[], int] | None = None) -> T:
    """Fill a folder, put it in the place of ``out`` in one step, and return what ``write`` returned.

    Until the swap, and after any failure, ``out`` is what it was. What a killed run left behind is put right or
    cleared away by the next one.

    Parameters
    ----------
    out
        The dataset's folder; it may be missing, empty, or a dataset that this tool wrote.
    write
        Fills the empty folder that it is given; `write_manifest` is to come last in it.
    expected_bytes
        Says about how much it will write, and so how much room is missing when the disk is full.

    Raises
    ------
    UserError
        If ``out`` holds anything that this tool did not write, another run is publishing to it, or the disk is full
        or cannot be written.
    """
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        put_right(out)
        ensure_replaceable(out)
        with folder_beside(out) as building:
            written = _fill(building, out, write, expected_bytes)
            swap_in(building, out)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        where = f" ({error.filename})" if error.filename and Path(error.filename) != out else ""
        raise UserError(
            f"The dataset cannot be written to {out}: {error.strerror}{where}. Choose another folder with --out."
        ) from error
    return written


def ensure_replaceable(out: Path) -> None:
    """Check that replacing ``out`` destroys nothing that this tool did not write.

    Raises
    ------
    UserError
        If it is a file, or a folder that holds other files than those of a dataset of ours.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; the dataset needs a folder. Choose another one with --out.")
    present = files_in(out)
    if not present and not any(out.iterdir()):
        return
    manifest = read_manifest(out)
    if manifest is None:
        raise UserError(
            f"The folder {out} is not empty and not a dataset written by {_GENERATOR} (it has no {MANIFEST} of ours), "
            "so it is left alone. Choose another folder with --out, or empty this one yourself."
        )
    if foreign := sorted(set(present) - set(manifest["files"]) - {MANIFEST}):
        more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
        raise UserError(
            f"The dataset in {out} would be replaced, but it also holds files that {_GENERATOR} did not write: "
            f"{', '.join(foreign[:3])}{more}. Move them elsewhere, or choose another folder with --out."
        )


def ensure_writable(out: Path) -> None:
    """Check that a folder can be made in the place of ``out``.

    Raises
    ------
    UserError
        If it cannot.
    """
    out = out.resolve()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.trying-"):
            pass
    except OSError as error:
        raise UserError(
            f"The dataset cannot be written to {out}: {error.strerror}. Choose another folder with --out."
        ) from error


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``, which makes the folder a finished dataset; call it last.

    ``format``, ``generator`` and ``files`` (every other file of the folder, sorted) are added to it.
    """
    record = {**manifest, "format": MANIFEST_FORMAT, "generator": _GENERATOR, "files": files_in(folder)}
    text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a dataset of ours, or None if the folder is none."""
    try:
        return parse_manifest((folder / MANIFEST).read_bytes())
    except OSError:
        return None


def parse_manifest(content: bytes) -> dict[str, Any] | None:
    """Return the manifest that a file holds, or None if it is none of ours."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(found, dict) and found.get("generator") == _GENERATOR and isinstance(found.get("files"), list)
    return {**found, "files": [name for name in found["files"] if isinstance(name, str)]} if ours else None


def files_in(folder: Path) -> list[str]:
    """Return every file under a folder, relative to it, with ``/``, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _fill(building: Path, out: Path, write: Callable[[Path], T], expected_bytes: Callable[[], int] | None) -> T:
    try:
        written = write(building)
        if not (building / MANIFEST).is_file():
            raise ValueError(f"nothing wrote {MANIFEST}")
        sync_tree(building)
    except OSError as error:
        raise _disk_error(error, building, out, expected_bytes) or error from error
    return written


def _disk_error(
    error: OSError, building: Path, out: Path, expected_bytes: Callable[[], int] | None
) -> UserError | None:
    if error.errno == errno.EFBIG:
        return UserError(
            f"A file of the dataset grew beyond what you may write (see 'ulimit -f'). {out} is as it was before. Raise "
            "the limit and build again; finished stages are kept."
        )
    if error.errno not in DISK_FULL:
        return None
    written = sum((building / file).stat().st_size for file in files_in(building))
    free = shutil.disk_usage(building).free
    missing = ""
    if expected_bytes is not None and (expected := expected_bytes()) > written:
        missing = f", and up to {_mebibytes(max(expected - written - free, 0))} more are missing"
    return UserError(
        f"The disk that holds {out.parent} is full: {_mebibytes(written)} of the dataset were written, "
        f"{_mebibytes(free)} are free{missing}. {out} is as it was before. Free some space and build again "
        "(finished stages are kept), or choose another disk with --out."
    )


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
