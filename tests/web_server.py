"""A server of a review in a process of its own, to be killed and started again; and a plain client for it."""

import html
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import urlencode, urlsplit

import uvicorn

from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.web.app import make_app
from ecinstruct_build.web.serve import hosts_of, serve
from ecinstruct_build.web.session import key_in, link_token

DESK = "review.sqlite"


class WebServer:
    """Serves the review of a folder on loopback; with a token if it shall ask for one."""

    def __init__(self, folder: Path, sample: ReviewSample, *, token: bool = False) -> None:
        self.folder = folder
        self.desk = Desk.create(folder / DESK, sample)
        self.token = link_token(key_in(folder)) if token else None
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start on the port of the last time, and wait until connections are accepted."""
        command = [sys.executable, __file__, str(self.folder), str(self.port), self.token or ""]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def stop(self, how: signal.Signals = signal.SIGKILL) -> tuple[int, str]:
        """End it with a signal, if it runs; return its exit status and what it said on stderr."""
        if self.process.returncode is not None:
            return self.process.returncode, ""
        self.process.send_signal(how)
        said = self.process.communicate(timeout=30)[1]
        return self.process.returncode, said

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class ThreadServer(WebServer):
    """The same in a thread of this process: quicker to start, and not to be killed."""

    def start(self) -> None:
        key = key_in(self.folder)
        app = make_app(desk=self.desk, shelf=None, token=self.token, hosts=hosts_of("127.0.0.1"), key=key)
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        self.thread = Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.server.should_exit = True
        self.thread.join()
        return 0, ""


class Reply:
    """A response, read whole."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    def json(self) -> dict[str, str]:
        return json.loads(self.text)

    def field(self, name: str) -> str:
        """The value of a hidden field of the page."""
        return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', self.text)[1])


class Client:
    """A browser without a script: keeps its cookie, says where its forms come from."""

    def __init__(self, server: WebServer, name: str = "") -> None:
        self.server = server
        self.cookie = ""
        self.form_token = ""
        if name:
            self.get(f"/review?token={server.token or ''}")
            self.get("/review")
            self.post("/review/enter", {"name": name})
            self.get("/review")

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """Send a request with just these headers, and the cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            cookie = {"Cookie": self.cookie} if self.cookie else {}
            connection.request(method, path, body, {**cookie, **(headers or {})})
            reply = Reply(connection.getresponse())
        finally:
            connection.close()
        if set_cookie := reply.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        if 'name="form_token"' in reply.text:
            self.form_token = reply.field("form_token")
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Reply:
        """Post a form as a browser does."""
        body = urlencode({"form_token": self.form_token, **fields}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.server.url}
        return self.ask("POST", path, body, {**kind, **headers})

    def send(self, path: str, value: object) -> Reply:
        """Post JSON as the page's script does."""
        kind = {"Content-Type": "application/json", "Accept": "application/json", "X-Form-Token": self.form_token}
        return self.ask("POST", path, json.dumps(value).encode(), {**kind, "Sec-Fetch-Site": "same-origin"})

    def judge(self, number: int, verdict: str, note: str = "", sample: str = "", **more: str) -> Reply:
        fields = {"number": str(number), "verdict": verdict, "note": note, **more}
        return self.send("/review/answer", {**fields, "sample": sample or self.server.desk.sample.sample_id})


def place(url: str) -> str:
    """The path and query of an address."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def main() -> None:
    folder, port, token = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    desk = Desk.open(folder / DESK)
    app = make_app(desk=desk, shelf=None, token=token or None, hosts=hosts_of("127.0.0.1"), key=key_in(folder))
    serve(app, "127.0.0.1", port, ready=lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
