"""What all tests share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from building import SmallBuild, small_recipe
from fault_server import FaultServer, serving
from hypothesis import settings
from sample_corpora_reading import Corpora
from sharing import made_once

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.memory import seldom_collect_garbage
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.sample_corpora import write_sample_corpora
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("default", deadline=None)
settings.load_profile("default")


def pytest_configure() -> None:
    """Spend no time on garbage while tests are collected, nor on disks: no test could see what outlives a power cut."""
    seldom_collect_garbage()
    os.fsync = os.fstat  # type: ignore[assignment]  # it refuses what is no open file, as syncing does


def pytest_collection_finish() -> None:
    """Spare the collector what was collected: it stays to the end, and is much to look through."""
    seldom_collect_garbage()


def pytest_unconfigure() -> None:
    """Hand everything back, as DuckDB wants its objects at the end."""
    gc.unfreeze()


CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It runs as root in containers, and asks nothing of any network."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; tests that ask for it carry the marker ``browser``."""
    with pytest.importorskip("playwright.sync_api").sync_playwright() as run:
        chromium = run.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A real HTTP server on loopback, which does wrong what a test plans."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of genuine upstream pieces; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ECINSTRUCT_REAL_CORPORA", ROOT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("no real corpora here; set ECINSTRUCT_REAL_CORPORA to their folder")
    return folder


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample corpora of about 10,000 reviews; to be read only."""

    def make(folder: Path) -> Path:
        return write_sample_corpora(folder / "corpora", scale=0.5, seed=0, jobs=1).out

    return made_once(tmp_path_factory, "small_world", make)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    """The sample corpora at scale 1; to be read only."""

    def make(folder: Path) -> Corpora:
        return Corpora(folder / "corpora", write_sample_corpora(folder / "corpora", jobs=1))

    return made_once(tmp_path_factory, "corpora", make)


@pytest.fixture(scope="session")
def small_build(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallBuild:
    """All ten tasks, built from the small world with the sample recipe at a quarter of its quotas; to be read only."""

    def make(place: Path) -> SmallBuild:
        recipe = small_recipe()
        machine = Machine(Store(place / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
        manifest = build(recipe, small_world, place / "dataset", machine)
        built, raw, _ = last_build(machine)
        return SmallBuild(recipe, raw, place / "dataset", place / "work", built, manifest)

    return made_once(tmp_path_factory, "small_build", make)
