"""Sources whose upstream files are served on loopback, for tests of what stands around fetching."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer, Reply

from ecinstruct_build.fetching.carry_out import Outcome, carry_out
from ecinstruct_build.fetching.lock import Lock
from ecinstruct_build.fetching.plan import Plan, Wish, make_plan
from ecinstruct_build.fetching.settings import FetchSettings
from ecinstruct_build.progress import Silence
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Remote, Source, SourceSettings


def _no_wait(_event: threading.Event, _seconds: float) -> None:
    pass


IMPATIENT = FetchSettings(retries=1, wait=_no_wait)


def questions(*texts: str) -> bytes:
    """Return lines of AmazonQA, one a question."""
    lines = [
        {"asin": "B00TEST001", "qid": number, "questionText": text, "questionType": "descriptive"}
        for number, text in enumerate(texts)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def remotes_of(server: FaultServer, name: str, files: Mapping[str, bytes], **said: Any) -> tuple[Remote, ...]:
    """Serve files and return their remotes."""
    return tuple(Remote(file, (server.plan(f"/{name}/{file}", Reply(data)),), **said) for file, data in files.items())


def give_remotes(monkeypatch: pytest.MonkeyPatch, name: str, remotes: tuple[Remote, ...]) -> Source:
    """Let a registered source have these remotes and no others."""
    source = replace(SOURCES.get(name), remotes=remotes)
    monkeypatch.setattr(SOURCES.module(name), "SOURCE", source)
    return source


@dataclass
class Bench:
    """A raw folder and a lock to fetch a source's files into."""

    source: Source
    raw: Path
    lock_path: Path

    @property
    def lock(self) -> Lock:
        return Lock(self.lock_path)

    def wishes(self, **settings: Any) -> list[Wish]:
        return [Wish(self.source, SourceSettings(**settings))]

    def plan(self, **settings: Any) -> Plan:
        return make_plan(self.wishes(**settings), self.raw, self.lock)

    def fetch(self, **settings: Any) -> Outcome:
        plan = self.plan(**settings)
        return carry_out(plan, self.raw, self.lock, progress=Silence(), settings=IMPATIENT)

    def path(self, file: str) -> Path:
        return self.raw / self.source.name / file

    def put(self, file: str, data: bytes) -> Path:
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path
