"""Law 2 across engines: DuckDB and Spark give the same shards, byte for byte."""

from pathlib import Path

import pytest
from building import SmallBuild, shard_digests, small_recipe

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build
from ecinstruct_build.progress import Silence
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store


@pytest.mark.spark
def test_spark_builds_the_same_shards_as_duckdb(small_build: SmallBuild, small_world: Path, tmp_path: Path) -> None:
    machine = Machine(Store(tmp_path / "work"), EngineSettings(name="spark", threads=2), jobs=1, progress=Silence())
    manifest = build(small_recipe(), small_world, tmp_path / "dataset", machine)
    assert manifest["engine"] == "spark"
    assert not any(stage["cached"] for stage in manifest["stages"])
    assert shard_digests(tmp_path / "dataset") == shard_digests(small_build.out)
