"""The guard of the local server, over a real socket: whoever is not meant gets nothing and changes nothing."""

import json
import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from review_samples import review_item, review_sample
from web_server import Client, ThreadServer, WebServer

from ecinstruct_build.errors import UserError
from ecinstruct_build.web.app import make_app
from ecinstruct_build.web.security import HEADERS, MAX_BODY
from ecinstruct_build.web.serve import hosts_of, is_loopback, serve
from ecinstruct_build.web.session import KEY_NAME, Session, Signer, key_in, link_token

pytestmark = pytest.mark.slow

HOSTILE = "</textarea></pre><script>alert(1)</script><img src=x onerror=alert(2)>"
TURNED = "safe \u202eexe.piz\u2066 \u200bzero"
LONG = "word " * 200_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    items = [
        review_item(1, instruction=HOSTILE, input=f"{TURNED}\n{HOSTILE}", output=HOSTILE, options=f"A: {HOSTILE}"),
        review_item(2, input=LONG),
        review_item(3),
    ]
    with ThreadServer(tmp_path_factory.mktemp("review"), review_sample(items)) as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with ThreadServer(tmp_path_factory.mktemp("guarded"), review_sample([review_item(1)]), token=True) as server:
        yield server


@pytest.fixture
def ada(server: WebServer) -> Client:
    return Client(server, "Ada")


def good_answer(client: Client) -> tuple[bytes, dict[str, str]]:
    """An answer that would be taken in, as JSON with its headers."""
    number = int(client.get("/review").field("number"))
    sample = client.server.desk.sample.sample_id
    body = json.dumps({"number": number, "verdict": "good", "sample": sample}).encode()
    return body, {
        "Content-Type": "application/json",
        "X-Form-Token": client.form_token,
        "Sec-Fetch-Site": "same-origin",
        "Origin": client.server.url,
        "Accept": "application/json",
    }


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": None, "Sec-Fetch-Site": None}, 403),
        ({"X-Form-Token": "0" * 64}, 403),
        ({"X-Form-Token": None}, 403),
        ({"X-Form-Token": "é"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Length": str(MAX_BODY + 1)}, 413),
        ({"Host": "evil.example"}, 400),
        ({"Cookie": "other=1"}, 401),
    ],
)
def test_what_does_not_come_from_our_page_changes_nothing(
    ada: Client, changed: dict[str, str | None], status: int
) -> None:
    body, headers = good_answer(ada)
    sent = {name: value for name, value in {**headers, **changed}.items() if value is not None}
    if "Content-Length" in changed:
        body = body + b" " * (MAX_BODY + 1 - len(body))
    sent = {name: value.encode().decode("latin-1") for name, value in sent.items()}
    assert ada.ask("POST", "/review/answer", body, sent).status == status
    assert ada.server.desk.answers() == []


def test_what_comes_from_our_page_is_taken_in(guarded: WebServer) -> None:
    client = Client(guarded, "Ada")
    body, headers = good_answer(client)
    assert client.ask("POST", "/review/answer", body, headers).status == 200
    assert [answer.verdict for answer in guarded.desk.answers()] == ["good"]


def test_browsers_that_say_no_origin_may_say_the_site_and_the_other_way_round(ada: Client) -> None:
    for missing in ("Origin", "Sec-Fetch-Site"):
        body, headers = good_answer(ada)
        del headers[missing]
        headers["X-Form-Token"] = "0"
        reply = ada.ask("POST", "/review/answer", body, headers)
        assert reply.json()["error"] == "form", "it got as far as the form token"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"a": [1]}', b'{"a": null}', b"\xff\xfe", b"[" * 60_000],
    ids=["empty", "cut", "list", "nested", "null", "bytes", "deep"],
)
def test_bodies_that_cannot_be_read_are_refused(ada: Client, body: bytes) -> None:
    _, headers = good_answer(ada)
    reply = ada.ask("POST", "/review/answer", body, headers)
    assert (reply.status, reply.json()["error"]) in {(400, "body"), (415, "body")}


def test_a_body_without_a_length_is_cut_short(ada: Client) -> None:
    _, headers = good_answer(ada)
    with socket.create_connection(("127.0.0.1", ada.server.port), timeout=20) as link:
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Cookie": ada.cookie}.items())
        head += f"Host: 127.0.0.1:{ada.server.port}\r\nTransfer-Encoding: chunked\r\n"
        link.sendall(f"POST /review/answer HTTP/1.1\r\n{head}\r\n".encode())
        for _ in range(1 + MAX_BODY // 1024):
            link.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")
        assert link.recv(64).startswith(b"HTTP/1.1 413 ")


def test_every_response_carries_the_headers(server: WebServer, guarded: WebServer) -> None:
    client = Client(server, "Ada")
    replies = {
        200: client.get("/review"),
        404: client.get("/nowhere"),
        405: client.get("/review/answer"),
        400: client.get("/review", Host="evil.example"),
        403: client.ask("POST", "/review/undo", b"", {"Origin": "http://evil.example"}),
        401: Client(guarded).get("/review"),
    }
    static = client.get("/static/app.css")
    for status, reply in [*replies.items(), (200, static)]:
        assert reply.status == status
        for name, value in HEADERS.items():
            assert reply.headers[name] == value, (status, name)


def test_pages_obey_their_own_policy(ada: Client) -> None:
    pages = [ada.get("/review"), ada.get("/review/help"), ada.get("/nowhere"), Client(ada.server).get("/review")]
    for page in pages:
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|javascript:|<script(?! src=\"/static/)", page.text)
        assert not re.search(r"(?:src|href)=\"(?!/|#|data:,)", page.text)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::1"])
def test_other_names_for_this_machine_reach_nothing(server: WebServer, host: str) -> None:
    assert Client(server).get("/review", Host=host).status == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1234", "LOCALHOST", "[::1]:80"])
def test_the_servers_own_names_do(server: WebServer, host: str) -> None:
    assert Client(server).get("/review", Host=host).status == 200


@pytest.mark.parametrize("path", ["/", "/review", "/review/help", "/nowhere", "/review?token=", "/review?token=wrong"])
def test_without_the_token_nothing_is_shown(guarded: WebServer, path: str) -> None:
    reply = Client(guarded).get(path)
    assert reply.status == 401
    assert "set-cookie" not in reply.headers
    assert "kettles" not in reply.text


def test_the_link_is_needed_once_and_its_token_leaves_the_address(guarded: WebServer) -> None:
    client = Client(guarded)
    reply = client.get(f"/?token={guarded.token}")
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.token not in reply.text
    assert 'content="0; url=/"' in reply.text
    assert client.get("/review").status == 200


def test_cookies_are_signed(guarded: WebServer) -> None:
    client = Client(guarded, "Ada")
    name, _, value = client.cookie.partition("=")
    right = Signer(key_in(guarded.folder), guarded.token)
    assert right.cookie == name
    body, _, signature = value.partition(".")
    forged = [
        f"{body}.{'0' * 64}",
        f"{body}x.{signature}",
        body,
        ".",
        Signer(b"k" * 32, guarded.token).dumps(Session("x", "Ada")),
        Signer(right.key, None).dumps(Session("x", "Ada")),
        Signer(right.key, "another").dumps(Session("x", "Ada")),
    ]
    for one in forged:
        client.cookie = f"{name}={one}"
        assert client.get("/review").status == 401, one


def test_a_form_of_one_session_is_no_form_of_another(server: WebServer) -> None:
    ada, ben = Client(server, "Ada"), Client(server, "Ben")
    ben.form_token = ada.form_token
    reply = ben.post("/review/undo", {})
    assert reply.status == 403
    assert "another session" in reply.text


def test_text_of_the_dataset_is_shown_and_not_obeyed(server: WebServer) -> None:
    client = Client(server, "Ada")
    page = client.get("/review")
    assert page.field("number") == "1"
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert page.text.count("&lt;script&gt;alert(1)") >= 4
    for hidden in ("\u202e", "\u2066", "\u200b"):
        assert hidden not in page.text
        assert f"U+{ord(hidden):04X}" in page.text


def test_a_note_given_back_is_escaped(server: WebServer) -> None:
    client = Client(server, "Ada")
    reply = client.judge(3, "good", note=HOSTILE)
    assert reply.status == 409, "it was not handed out"
    assert "<script>" not in reply.json()["html"]
    assert "&lt;/textarea&gt;" in reply.json()["html"]


def test_a_megabyte_is_shown_cut(server: WebServer) -> None:
    client = Client(server, "Ben")  # item 1 is in front of Ada
    page = client.get("/review")
    assert page.field("number") == "2"
    before = page.text[: page.text.index("show all (")]
    assert len(before) < 40_000
    assert page.text.count("word ") >= 200_000, "all of it is there when asked for"


def test_the_key_is_the_owners_only_and_damage_is_told(tmp_path: Path) -> None:
    key = key_in(tmp_path)
    assert key_in(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600
    assert link_token(key) != link_token(b"k" * 32)
    (tmp_path / KEY_NAME).write_bytes(key[:5])
    with pytest.raises(UserError, match="damaged"):
        key_in(tmp_path)
    with pytest.raises(UserError, match="cannot be read or written"):
        key_in(tmp_path / "absent")


def test_a_port_that_is_taken_is_told_in_one_sentence(server: WebServer) -> None:
    app = make_app(desk=server.desk, shelf=None, token=None, hosts=["127.0.0.1"])
    with pytest.raises(UserError, match=f"^Port {server.port} is taken"):
        serve(app, "127.0.0.1", server.port, ready=pytest.fail)


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_a_host_or_port_that_is_none_is_told(server: WebServer, host: str, port: int) -> None:
    app = make_app(desk=server.desk, shelf=None, token=None, hosts=["127.0.0.1"])
    with pytest.raises(UserError, match=r"no host|no address|no port"):
        serve(app, host, port, ready=pytest.fail)


def test_wider_hosts_are_this_machines_names_only() -> None:
    assert hosts_of("127.0.0.1") == hosts_of("localhost")
    assert "*" not in hosts_of("0.0.0.0")
    assert socket.gethostname() in hosts_of("0.0.0.0")
    assert "10.1.2.3" in hosts_of("10.1.2.3")
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with WebServer(tmp_path, review_sample([review_item(1)])) as server:
        Client(server, "Ada")
        assert server.stop(signal.SIGINT) == (0, "")


def test_form_bodies_may_not_hide_a_second_token(ada: Client) -> None:
    body = urlencode([("form_token", "x"), ("form_token", ada.form_token)]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ada.server.url, "X-Form-Token": "y"}
    assert ada.ask("POST", "/review/undo", body, headers).status == 403
