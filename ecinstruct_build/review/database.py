"""The SQLite file of a review: opened, locked and written so that what was answered stays answered."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecinstruct_build.errors import UserError

PATIENCE = 5.0
"""Seconds to wait for others who are writing."""

_APPLICATION = 0x45434952
_VERSION = 1
_NOT_LOST = "nothing that was answered is lost"
_IN_USE = "is in use by another program that does not let go of it; close that program and try again"
_READ_ONLY = "cannot be opened for writing; a review needs a file and a folder that may be written to"
_DAMAGED = "is damaged; restore it from a copy, or move it away and draw the sample again"
_EXPLAINED = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_FULL: f"cannot grow, since the disk is full; make room and try again; {_NOT_LOST}",
    sqlite3.SQLITE_IOERR: f"cannot be read or written, since the disk is full or failing; {_NOT_LOST}",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: "is damaged or not the file of a review; restore it from a copy, or name another file",
}


@contextmanager
def transaction(
    path: Path, patience: float = PATIENCE, *, fresh: bool = False, reading: bool = False
) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction, which is on disk when the block is left and undone if it raises.

    Each transaction has a connection of its own, so threads and processes may come as they like. The file is in WAL
    mode, so that a page that shows progress waits for nobody who answers, and every commit waits for the disk
    (``synchronous = FULL``; a weaker setting would let a power cut take the last answers). The last one to leave brings
    the WAL back into the file, which can therefore be copied while nobody is at work, and read where it lies in a
    folder that cannot be written to.

    Parameters
    ----------
    path
        The file.
    patience
        Seconds to wait for others who are writing.
    fresh
        Whether a file that is missing or empty is welcome.
    reading
        Whether nothing will be written, so that those who write need not be waited for.

    Raises
    ------
    UserError
        If the file is missing, not ours, locked for longer, damaged, not writable or out of room; when the block is
        left, too, if somebody wrote while it was read in a folder that cannot be written to.
    """
    if not fresh and _is_missing(path):
        raise UserError(f"There is no review in '{path}'. Draw a sample first: `ecinstruct review sample`.")
    untouched = _untouched(path) if reading and not may_write(path.parent) else None
    place = f"{path.absolute().as_uri()}?mode=ro&immutable=1" if untouched else path
    try:
        connection = sqlite3.connect(place, timeout=patience, isolation_level=None, uri=untouched is not None)
    except sqlite3.Error as error:
        raise _explained(path, error) from None
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        _refuse_others(connection, path, fresh=fresh)
        if fresh:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise _explained(path, error) from None
    finally:
        connection.close()
    if untouched and _untouched(path) != untouched:
        raise UserError(f"The review '{path}' was written to while it was read; try again.")


def may_write(folder: Path) -> bool:
    """Tell whether files can be made in a folder."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables, if they are not there."""
    if not _number(connection, "user_version"):
        for statement in Path(__file__).with_name("schema.sql").read_text(encoding="utf-8").split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def refuse_damage(connection: sqlite3.Connection, path: Path) -> None:
    """Read all of the file once, so that damage is told before work begins, not in the middle of it.

    Raises
    ------
    UserError
        If it is damaged.
    """
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise UserError(f"The review '{path}' {_DAMAGED}.")


def _untouched(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file at which nobody is at work, which is therefore whole; None if somebody is.

    Whoever opens it makes a WAL beside it at once, and only the last one to leave takes it away.
    """
    if path.with_name(f"{path.name}-wal").exists():
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False  # what is wrong with it shows when it is opened
    return False


def _refuse_others(connection: sqlite3.Connection, path: Path, *, fresh: bool) -> None:
    version = _number(connection, "user_version")
    if fresh and not version and not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        return
    if _number(connection, "application_id") != _APPLICATION or not version:
        raise UserError(f"'{path}' is not the file of a review; name another one.")
    if version > _VERSION:
        raise UserError(f"The review '{path}' was made by a newer ecinstruct-build; update to go on.")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _explained(path: Path, error: sqlite3.Error) -> UserError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in _EXPLAINED:
        return UserError(f"The review '{path}' cannot be used: {error}.")
    return UserError(f"The review '{path}' {_EXPLAINED[code]} ({error}).")
