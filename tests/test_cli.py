"""The command line: it helps, and its errors are one paragraph."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building import SmallBuild, call_command, run_command, set_options, shard_digests, small_overrides

from ecinstruct_build.registry import SOURCES, TASKS


def test_help_names_every_command() -> None:
    text = call_command("--help").stdout
    for command in ("build", "splits", "explain", "status", "sample-corpora", "sources", "tasks", "templates"):
        assert command in text


def test_help_shows_the_places_of_upstream_files_whole() -> None:
    for command in (["build"], ["splits"], ["sources", "list"], ["sources", "fetch"], ["sources", "verify"]):
        assert "SOURCE/" in call_command(*command, "--help", columns=80).stdout, command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "sampel"], ["no recipe at 'sampel'", "Did you mean 'sample'"]),
        (["build", "small"], ["--raw FOLDER"]),
        (
            ["build", "small", "--raw", "nowhere"],
            ["'amazon_google' has no files in nowhere/amazon_google", "Amazon.csv"],
        ),
        (["build", "sample", "--engine", "sparc"], ["no engine 'sparc'"]),
        (["build", "sample", "--set", "tasks.sentiment_analysis.quotta.train=1"], ["Did you mean 'quota'"]),
        (["explain", "sentiment_analysis:0"], ["Nothing was built", "ecinstruct build"]),
        (["sources", "show", "amazon_googel"], ["no source called", "Did you mean 'amazon_google'"]),
        (["tasks", "show", "matching"], ["no task called"]),
        (["splits"], ["Nothing was built", "ecinstruct build"]),
        (["splits", "--seed", "1", "--seeds", "2,3"], ["either --seed or --seeds"]),
        (["status"], ["no stage store"]),
        (["build", "sample", "--memory", "foo"], ["'foo' is no amount of memory"]),
        (["build", "nowhere/sample.toml"], ["no recipe at 'nowhere/sample.toml'"]),
        (["build", "sample", "--out", "/proc/nowhere"], ["cannot be written to /proc/nowhere", "--out"]),
        (["build", "sample", "--out", "here", "--work", "here/work"], ["lies inside the dataset's folder", "--work"]),
    ],
)
def test_an_error_is_one_paragraph_with_a_way_out(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    done = call_command(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    text = " ".join(done.stderr.split())
    assert text.startswith("Error: ")
    assert all(word in text for word in words), text


@pytest.mark.parametrize("option", ["--raw", "--work", "--out"])
def test_a_name_that_is_no_text_is_told(tmp_path: Path, option: str) -> None:
    done = call_command("build", "small", option, os.fsdecode(b"shop\xff"), cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "is not UTF-8" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_command_may_run_in_a_folder_that_is_no_more(tmp_path: Path) -> None:
    program = "import os, shutil; shutil.rmtree(os.getcwd()); from ecinstruct_build.cli import main; main()"
    # -P: as for the installed command, the folder is no place to import from.
    done = subprocess.run([sys.executable, "-P", "-c", program, "tasks", "list"], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "thesis.txt").write_text("mine")
    done = call_command("build", "sample", "--out", "dataset", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "left alone" in " ".join(done.stderr.split())
    assert (tmp_path / "dataset" / "thesis.txt").read_text() == "mine"


def test_an_error_leaves_the_process_as_one_paragraph_and_status_1(tmp_path: Path) -> None:
    done = run_command("build", "sampel", cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: There is no recipe at 'sampel'")
    assert "Traceback" not in done.stderr


@pytest.fixture
def places(small_world: Path, tmp_path: Path) -> list[str]:
    """A recipe of one task, and options that name its raw folder and new folders for its results."""
    recipe = tmp_path / "one.toml"
    quota = "quota = { train = 20, test = 5 }"
    recipe.write_text(f'name = "one"\n[sources.amazon_google]\n[tasks.product_matching]\n{quota}\n')
    folders = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "dataset")]
    return [str(recipe), "--raw", str(small_world), "--jobs", "1", *folders]


def test_what_was_built_in_silence_is_reused_and_can_be_asked_about(
    places: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    quiet = call_command("build", *places, "--quiet")
    assert (quiet.stdout, quiet.stderr) == ("", "")
    assert capfd.readouterr() == ("", ""), "nor does the engine write to the process's streams"
    again = run_command("build", *places, "--json")
    assert again.stderr == ""
    assert all(stage["cached"] for stage in json.loads(again.stdout)["stages"])
    work = places[places.index("--work") :][:2]
    assert "stage" in call_command("status", *work).stdout
    assert json.loads(call_command("status", *work, "--json").stdout)[0]["finished"] > 0
    shown = call_command("templates", "preview", "product_matching", *work).stdout
    assert "product_matching:" in shown
    example_id = next(word.strip("─╭╮ ") for word in shown.split() if word.startswith("product_matching:"))
    assert json.loads(call_command("explain", example_id, *work, "--json").stdout)["example_id"] == example_id
    assert "fate" in call_command("explain", example_id, *work).stdout
    assert "0 findings" in call_command("templates", "lint", *work).stdout


def test_the_report_after_a_build_is_on_what_it_made(small_build: SmallBuild, tmp_path: Path) -> None:
    shutil.copytree(small_build.work, tmp_path / "work")
    places = ["--raw", str(small_build.raw), "--quiet", "--jobs", "1"]
    call_command("build", "sample", *places, *set_options(small_overrides()), cwd=tmp_path)
    known = sorted((tmp_path / "work").glob("*/*/stage.json"))
    report = json.loads(call_command("report", "--json", cwd=tmp_path).stdout)
    assert sum(flow["drawn"] for flow in report["tasks"]) == sum(
        task["drawn"] for task in json.loads((tmp_path / "dataset" / "manifest.json").read_text())["tasks"].values()
    )
    assert sorted((tmp_path / "work").glob("*/*/stage.json")) == known


@pytest.mark.slow
def test_another_process_reuses_every_stage_of_all_tasks(small_build: SmallBuild, tmp_path: Path) -> None:
    shutil.copytree(small_build.work, tmp_path / "work")
    places = ["--raw", str(small_build.raw), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "dataset")]
    done = run_command("build", "sample", *places, "--jobs", "1", *set_options(small_overrides()), "--json")
    assert done.stderr == ""
    assert all(stage["cached"] for stage in json.loads(done.stdout)["stages"])
    assert shard_digests(tmp_path / "dataset") == shard_digests(small_build.out)


def test_a_folder_whose_name_is_no_text_is_in_the_way_of_a_build_alone(small_world: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"shop\xff")
    folder.mkdir()
    assert "sentiment_analysis" in call_command("tasks", "list", cwd=folder).stdout
    done = call_command("build", "sample", "--raw", str(small_world), cwd=folder, check=False)
    assert done.returncode == 1
    assert "is not UTF-8" in done.stderr


def test_names_that_one_must_type_are_whole_in_a_narrow_terminal() -> None:
    corpora = call_command("sources", "list", columns=60).stdout
    tasks = call_command("tasks", "list", columns=60).stdout
    assert all(f" {name} " in corpora for name in SOURCES.names())
    assert all(f" {name} " in tasks for name in TASKS.names())
    assert " sequential_recommendation " in corpora
