"""What tests share is made once, and whole."""

from pathlib import Path

import pytest
from sharing import made_once


class Factory:
    """Stands for the factory of one worker of a run."""

    def __init__(self, run: Path, worker: str) -> None:
        self.folder = run / worker
        self.folder.mkdir()

    def getbasetemp(self) -> Path:
        return self.folder


def test_a_second_worker_gets_what_the_first_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    first = made_once(Factory(tmp_path, "a"), "thing", lambda folder: [str(folder), "first"])
    second = made_once(Factory(tmp_path, "b"), "thing", lambda folder: [str(folder), "second"])
    assert first == second == [str(tmp_path / "shared-thing"), "first"]
    assert first is not second


def test_without_workers_it_is_made_in_the_folder_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert made_once(Factory(tmp_path, "run"), "thing", Path) == tmp_path / "run" / "shared-thing"


def test_what_was_left_unfinished_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")

    def fail(folder: Path) -> None:
        (folder / "half").write_text("of it")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        made_once(Factory(tmp_path, "a"), "thing", fail)
    assert made_once(Factory(tmp_path, "b"), "thing", lambda folder: list(folder.iterdir())) == []
