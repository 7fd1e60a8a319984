"""Auditing a dataset on the Hub, imitated on loopback: found, not found, out of reach."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from audit_rows import clean_dataset, write_shards

COMMIT = "a" * 40


class Hub(ThreadingHTTPServer):
    """Serves one folder as the dataset ``shop/kettles``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }


class Handler(BaseHTTPRequestHandler):
    wbufsize = -1
    server: Hub

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/datasets/shop/kettles/tree/"):
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in self.server.files.items()
            ]
            self.answer(json.dumps(tree).encode())
        elif path.startswith("/api/datasets/shop/kettles"):
            siblings = [{"rfilename": name} for name in self.server.files]
            self.answer(json.dumps({"id": "shop/kettles", "sha": COMMIT, "siblings": siblings}).encode())
        elif match := re.fullmatch(r"/datasets/shop/kettles/resolve/[^/]+/(.+)", path):
            self.answer(self.server.files[match[1]])
        else:
            self.answer(b'{"error": "Repository not found"}', 404)

    def answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hub")
    made = clean_dataset({"train": 30, "test": 5})
    made.rows["Sentiment_Analysis", "train"][0]["groups"] = made.rows["Sentiment_Analysis", "test"][0]["groups"]
    write_shards(made, folder)
    (folder / "README.md").write_text("# Kettles", encoding="utf-8")
    server = Hub(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def audited(names: list[str], endpoint: str, home: Path) -> list[list[str]]:
    """Audit datasets in one process of its own; return for each what there is to say, line by line."""
    code = (
        "import json, sys\n"
        "from ecinstruct_build.audit.run import audit_dataset\n"
        "from ecinstruct_build.errors import UserError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        audit = audit_dataset(name)\n"
        "        print(json.dumps([str(audit.rows), *map(str, audit.exceeded)]))\n"
        "    except UserError as error:\n"
        "        print(json.dumps([str(error)]))\n"
    )
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "none"}
    command = [sys.executable, "-c", code, *names]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, cwd=home)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_datasets_on_the_hub_are_fetched_or_told_to_be_unknown(hub: str, tmp_path: Path) -> None:
    found, unknown = audited(["shop/kettles", "shop/pans"], hub, tmp_path)
    assert found == ["140", "held-out rows that share a user: 1 (limit 0, group_overlap) in train and test"]
    assert unknown[0].startswith("There is no folder 'shop/pans', and no dataset of that name on the Hub")


def test_no_connection_is_told_in_words_and_paths_are_no_questions_to_the_hub(tmp_path: Path) -> None:
    unreachable, path = audited(["shop/kettles", str(tmp_path / "nothing")], "http://127.0.0.1:9", tmp_path)
    assert unreachable[0].startswith("There is no folder 'shop/kettles', and the Hub cannot be asked")
    assert path[0].startswith("There are no shards at")
