"""Who is at the other end: a signed cookie with a name, and the token that forms must carry.

The name is a courtesy, not a proof: whoever may use the server may take any name.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from ecinstruct_build.errors import UserError

KEY_NAME = ".web-key"
KEY_BYTES = 32
MAX_AGE = 30 * 24 * 3600
"""Seconds that a browser keeps its session."""


@dataclass(frozen=True)
class Session:
    """A browser's session.

    Attributes
    ----------
    id
        Drawn by chance, one for each browser.
    name
        The annotator; "" before one is entered.
    """

    id: str
    name: str = ""


@dataclass(frozen=True)
class Signer:
    """Makes and reads session cookies and form tokens.

    Attributes
    ----------
    key
        Secret bytes; with the same key, sessions outlive a restart.
    token
        The token that the server asks for, or None: sessions that were begun with another one do not count.
    """

    key: bytes
    token: str | None

    @property
    def cookie(self) -> str:
        """The cookie's name, of this key alone: browsers send one host's cookies to all its ports."""
        return f"ecinstruct-{self._sign('cookie', '')[:8]}"

    def dumps(self, session: Session) -> str:
        """Return the cookie's value."""
        body = base64.urlsafe_b64encode(json.dumps([session.id, session.name]).encode()).decode()
        return f"{body}.{self._sign('session', body)}"

    def loads(self, value: str) -> Session | None:
        """Return the session of a cookie's value; None if it was not made here."""
        body, _, signature = value.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", body).encode()):
            return None
        try:
            session_id, name = json.loads(base64.urlsafe_b64decode(body))
        except (ValueError, binascii.Error):
            return None
        return Session(session_id, name)

    def form_token(self, session: Session) -> str:
        """Return what every form of this session must carry."""
        return self._sign("form", f"{session.id}/{session.name}")

    def is_form_token(self, session: Session, given: str) -> bool:
        """Say whether that is the session's form token, in time that does not depend on how much of it is right."""
        return hmac.compare_digest(given.encode(), self.form_token(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        message = json.dumps([purpose, self.token, text]).encode()
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()


def new_session(name: str = "") -> Session:
    """Return a session that nobody has yet."""
    return Session(secrets.token_urlsafe(16), name)


def new_key() -> bytes:
    """Return a key for this process only."""
    return secrets.token_bytes(KEY_BYTES)


def key_in(folder: Path) -> bytes:
    """Return the key kept in a folder, readable for its owner only; it is made where there is none.

    Raises
    ------
    UserError
        If it cannot be read or written.
    """
    path = folder / KEY_NAME
    try:
        if not path.exists():
            _place(path, new_key())
        key = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"The key of the web sessions, '{path}', cannot be read or written: {error.strerror or error}."
        ) from error
    if len(key) != KEY_BYTES:
        raise UserError(f"The key of the web sessions, '{path}', is damaged. Delete it; a new one will be made.")
    return key


def link_token(key: bytes) -> str:
    """Return the token for the server's link: the same for the same key, so that links outlive a restart."""
    signed = hmac.new(key, b"link", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


def _place(path: Path, key: bytes) -> None:
    """Put a key there whole or not at all; one that another process placed meanwhile stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, key)
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
