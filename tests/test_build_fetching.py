"""A build that fetches what it needs first gives the same bytes as one whose files were there."""

import io
import zipfile
from pathlib import Path

import pytest
from building import SmallBuild, call_command, set_options, shard_digests, small_overrides
from fault_server import FaultServer, Reply
from served_sources import give_remotes, remotes_of

from ecinstruct_build.source import Remote

pytestmark = pytest.mark.slow

QUOTA = "quota = { train = 20, validation = 5, test = 5 }"
RECIPE = f'name = "one"\n[sources.amazon_google]\n[tasks.product_matching]\n{QUOTA}\n'


def serve_folder(server: FaultServer, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a source have the files of a folder as its upstream files."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    give_remotes(monkeypatch, folder.name, remotes_of(server, folder.name, files))


def serve_archive(server: FaultServer, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let a source have an archive of a folder's files as its upstream file."""
    packed = io.BytesIO()
    names = sorted(path.name for path in folder.iterdir())
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, name)
    url = server.plan("/archive.zip", Reply(packed.getvalue(), cut=20_000), Reply(packed.getvalue()))
    give_remotes(
        monkeypatch, folder.name, (Remote("archive.zip", (url,), holds=tuple((name, name) for name in names)),)
    )


def test_a_build_from_an_empty_folder_fetches_its_files_and_gives_the_same_bytes(
    small_world: Path, server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_archive(server, monkeypatch, small_world / "amazon_google")
    (tmp_path / "one.toml").write_text(RECIPE)
    options = ("--jobs", "1", "--quiet")
    there = ("--raw", str(small_world), "--work", "work-there", "--out", "there")
    call_command("build", "one.toml", *there, *options, cwd=tmp_path)
    assert server.log == []
    fetched = ("--raw", "raw", "--work", "work-fetched", "--out", "fetched")
    missing = call_command("build", "one.toml", *fetched, *options, cwd=tmp_path, check=False)
    assert missing.returncode == 1
    assert "ecinstruct sources fetch amazon_google" in " ".join(missing.stderr.split())
    assert server.log == [], "nothing touches the network unless it is asked to"
    call_command("build", "one.toml", *fetched, *options, "--fetch", cwd=tmp_path)
    assert shard_digests(tmp_path / "fetched") == shard_digests(tmp_path / "there") != {}
    assert "Amazon.csv" in (tmp_path / "sources.lock.toml").read_text()
    asked = len(server.log)
    call_command("build", "one.toml", *fetched, *options, "--fetch", cwd=tmp_path)
    assert len(server.log) == asked, "what is there is not asked for again"


def test_a_build_stops_before_any_work_where_a_person_must_get_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    give_remotes(monkeypatch, "amazon_google", (Remote("Amazon.csv", steps="Write to its makers."),))
    (tmp_path / "one.toml").write_text(RECIPE)
    done = call_command("build", "one.toml", "--raw", "raw", "--fetch", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "1. amazon_google/Amazon.csv Write to its makers." in " ".join(done.stderr.split())
    no_folder = call_command("build", "one.toml", "--fetch", cwd=tmp_path, check=False)
    assert "--raw FOLDER" in no_folder.stderr


def test_all_ten_tasks_from_fetched_files_have_the_bytes_of_those_that_were_there(
    small_build: SmallBuild, server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in sorted(small_build.raw.iterdir()):
        if folder.name in small_build.recipe.sources:
            serve_folder(server, monkeypatch, folder)
    places = ("--raw", "raw", "--jobs", "1", "--quiet", "--fetch")
    call_command("build", "sample", *places, *set_options(small_overrides()), cwd=tmp_path)
    assert shard_digests(tmp_path / "dataset") == shard_digests(small_build.out)
