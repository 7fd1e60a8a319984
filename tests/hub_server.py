"""A Hub on loopback: the calls that huggingface_hub and datasets make, with faults to plant.

It keeps its repositories in memory and a log of all requests. A fault is bounded: it strikes so many requests that
match, after so many that pass, and then the Hub is well again.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import hub_calls
from hub_calls import Answer, Call
from hub_repository import Repository

WRITER = "hf_writer_token_for_tests"
READER = "hf_reader_token_for_tests"


@dataclass
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    match
        A regular expression found in ``<method> <path>``.
    kind
        ``status`` answers with ``status`` and ``headers``; ``cut`` closes the connection in the middle of the
        request's body; ``lose`` does what is asked and closes the connection instead of answering; ``hold`` sets
        ``held`` and waits for ``released`` before it goes on.
    times, after
        How many requests it strikes, and how many that match pass before.
    """

    match: str
    kind: Literal["status", "cut", "lose", "hold"] = "status"
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | bytes = field(default_factory=lambda: {"error": "planted"})
    times: int = 1
    after: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Seen:
    """A request, as the log keeps it: ``received`` counts the bytes of its body, status 0 is no answer."""

    method: str
    path: str
    received: int
    status: int


class HubServer(ThreadingHTTPServer):
    """Serves ``repositories`` on a free port of loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, Repository] = {}
        self.rights = {WRITER: "write", READER: "read"}
        self.log: list[Seen] = []
        self.faults: list[Fault] = []
        self.page_size = 1000
        self.lock = threading.RLock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up; tests kill some."""

    def plant(self, match: str, **settings: Any) -> Fault:
        """Add a fault and return it."""
        fault = Fault(match, **settings)
        self.faults.append(fault)
        return fault

    def fault_for(self, call: str) -> Fault | None:
        """Return the first fault that strikes a request, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.match, call):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def seen(self, match: str) -> list[Seen]:
        """Return the requests whose ``<method> <path>`` matches, in order."""
        return [one for one in self.log if re.search(match, f"{one.method} {one.path}")]

    def changes(self) -> list[Seen]:
        """Return the requests that change something, or would."""
        asking = ("/preupload/", "/objects/batch", "/validate-yaml", "/paths-info/")
        return [one for one in self.log if one.method not in ("GET", "HEAD") and not any(a in one.path for a in asking)]


class Handler(BaseHTTPRequestHandler):
    """Reads one request, lets a fault strike, and hands it to `hub_calls`."""

    wbufsize = -1
    server: HubServer

    def do_GET(self) -> None:
        self.handle_call()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

    def handle_call(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        fault = self.server.fault_for(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length", 0))
        if fault and fault.kind == "cut":
            self.hang_up(path, len(self.rfile.read(length // 2)))
            return
        body = self.read_body(length)
        if fault and fault.kind == "hold":
            fault.held.set()
            fault.released.wait(60)
            fault = None
        if fault and fault.kind == "status":
            answer = Answer(fault.status, fault.body, fault.headers)
        else:
            call = Call(self.command, path, parse_qs(parts.query), dict(self.headers), body, self.server.endpoint)
            with self.server.lock:
                answer = hub_calls.answer(self.server, call, raw_path=parts.path)
        if fault and fault.kind == "lose":
            self.hang_up(path, len(body))
            return
        self.server.log.append(Seen(self.command, path, len(body), answer.status))
        self.send(answer)

    def read_body(self, length: int) -> bytes:
        """Return the request's body; a file is sent in chunks."""
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(length)
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def hang_up(self, path: str, received: int) -> None:
        self.server.log.append(Seen(self.command, path, received, 0))
        self.close_connection = True
        self.connection.close()

    def send(self, answer: Answer) -> None:
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        if not isinstance(answer.body, bytes):
            self.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def serving() -> Iterator[HubServer]:
    """Serve a new and empty Hub."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for fault in server.faults:
            fault.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
