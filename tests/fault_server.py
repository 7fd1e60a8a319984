"""An HTTP server on loopback that serves files, with faults to plant.

Each path has a script: the first request gets its first reply, the second the second, and all further ones the last.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

PIECE = 16 << 10


@dataclass(frozen=True)
class Reply:
    """How one request is answered.

    Attributes
    ----------
    data
        The whole file; also what is answered with another status than 200.
    status, headers
        Any status but 200 is answered as it is, whatever was asked for; headers are added.
    etag, modified
        Validators; "" = not sent.
    ranges
        Whether ``Range`` is heeded.
    framing
        ``length`` states it, ``chunked`` sends chunks, ``none`` ends by closing the connection.
    length
        What ``Content-Length`` states, if it lies.
    content_range
        What ``Content-Range`` states, if it lies.
    cut, stall
        Bytes of the body after which the connection is closed; after which nothing more is sent, though it stays open.
    pause
        Seconds between two pieces of the body.
    endless
        Whether the body never ends.
    """

    data: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    framing: Literal["length", "chunked", "none"] = "length"
    length: int | None = None
    content_range: str | None = None
    cut: int | None = None
    stall: int | None = None
    pause: float = 0.0
    endless: bool = False


@dataclass(frozen=True)
class Seen:
    """A request, as the log keeps it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int


class FaultServer(ThreadingHTTPServer):
    """Serves ``scripts`` on a free port of loopback."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.scripts: dict[str, list[Reply]] = {}
        self.log: list[Seen] = []
        self.sent: Counter[str] = Counter()
        self.change = threading.Condition()
        self.released = threading.Event()
        self.busy = 0
        self.busiest = 0
        self._asked: Counter[str] = Counter()

    def plan(self, path: str, *replies: Reply) -> str:
        """Give a path its script, and return its address."""
        self.scripts[path] = list(replies)
        self._asked[path] = 0
        return self.origin + path

    def next_reply(self, path: str) -> Reply:
        with self.change:
            script = self.scripts.get(path, [Reply(b"nothing here", 404)])
            reply = script[min(self._asked[path], len(script) - 1)]
            self._asked[path] += 1
        return reply

    def count(self, path: str, sent: int) -> None:
        with self.change:
            self.sent[path] += sent
            self.change.notify_all()

    def enter(self, by: int) -> None:
        with self.change:
            self.busy += by
            self.busiest = max(self.busiest, self.busy)
            self.change.notify_all()

    def requests(self, path: str) -> list[Seen]:
        """Return the requests for a path, in order."""
        return [one for one in self.log if one.path == path]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request by its script."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: FaultServer

    def do_GET(self) -> None:
        self.inside = True
        self.server.enter(1)
        try:
            self.answer()
        except OSError:
            self.close_connection = True
        finally:
            self.leave()

    do_POST = do_GET  # noqa: N815

    def leave(self) -> None:
        """Count the request as served: before its last bytes, for the client may be quicker than we are."""
        if self.inside:
            self.inside = False
            self.server.enter(-1)

    def answer(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = self.server.next_reply(path)
        start, status = self.start_and_status(reply)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.log.append(Seen(self.command, self.path, headers, body, status))
        data = reply.data[start:] if status in (200, 206) else b"" if status == 416 else reply.data
        self.send_response(status)
        self.send_headers(reply, status, start, len(data))
        self.end_headers()
        self.send_body(reply, data, path)
        if reply.cut is not None or reply.framing == "none" or reply.endless or reply.length not in (None, len(data)):
            self.close_connection = True

    def start_and_status(self, reply: Reply) -> tuple[int, int]:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if reply.status != 200:
            return 0, reply.status
        if asked is None or not reply.ranges or (condition and condition not in (reply.etag, reply.modified)):
            return 0, 200
        start = int(asked[1])
        return (start, 206) if start < len(reply.data) else (0, 416)

    def send_headers(self, reply: Reply, status: int, start: int, length: int) -> None:
        sent = {"Content-Type": "application/octet-stream"}
        if status in (200, 206, 416):
            sent |= {"ETag": reply.etag, "Last-Modified": reply.modified}
        size = len(reply.data)
        if status == 206:
            sent["Content-Range"] = reply.content_range or f"bytes {start}-{size - 1}/{size}"
        if status == 416:
            sent["Content-Range"] = f"bytes */{size}"
        if reply.framing == "length":
            sent["Content-Length"] = str(length if reply.length is None else reply.length)
        elif reply.framing == "chunked":
            sent["Transfer-Encoding"] = "chunked"
        for name, value in (sent | dict(reply.headers)).items():
            if value:
                self.send_header(name, value)

    def send_body(self, reply: Reply, data: bytes, path: str) -> None:
        for at, piece in self.pieces(reply, data):
            if reply.stall is not None and at >= reply.stall:
                self.server.released.wait(30)
                self.close_connection = True
                return
            if reply.cut is not None and at + len(piece) > reply.cut:
                self.write(reply, piece[: reply.cut - at], path)
                return
            if at + len(piece) == len(data) and not reply.endless:
                self.leave()
            self.write(reply, piece, path)
            if reply.pause:
                time.sleep(reply.pause)
        if reply.framing == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    def pieces(self, reply: Reply, data: bytes) -> Iterator[tuple[int, bytes]]:
        for at in range(0, len(data), PIECE):
            yield at, data[at : at + PIECE]
        at = len(data)
        while reply.endless and not self.server.released.is_set():
            yield at, data[:PIECE]
            at += PIECE

    def write(self, reply: Reply, piece: bytes, path: str) -> None:
        if reply.framing == "chunked" and piece:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        else:
            self.wfile.write(piece)
        self.wfile.flush()
        self.server.count(path, len(piece))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving() -> Iterator[FaultServer]:
    """Serve nothing yet."""
    server = FaultServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
