"""What all tests share."""

import os
from pathlib import Path

import pytest
from building import SmallBuild, small_recipe
from hypothesis import settings

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.sample_corpora import write_sample_corpora
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of genuine upstream pieces; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("ECINSTRUCT_REAL_CORPORA", ROOT.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("no real corpora here; set ECINSTRUCT_REAL_CORPORA to their folder")
    return folder


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sample corpora of about 10,000 reviews."""
    folder = tmp_path_factory.mktemp("world") / "corpora"
    write_sample_corpora(folder, scale=0.5, seed=0, jobs=1)
    return folder


@pytest.fixture(scope="session")
def small_build(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallBuild:
    """All ten tasks, built from the small world with the sample recipe at a quarter of its quotas."""
    place = tmp_path_factory.mktemp("build")
    recipe = small_recipe()
    machine = Machine(Store(place / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    manifest = build(recipe, small_world, place / "dataset", machine)
    built, raw, _ = last_build(machine)
    return SmallBuild(recipe, raw, place / "dataset", place / "work", built, manifest)
