"""The command line: it helps, and its errors are one paragraph."""

import json
import shutil
from pathlib import Path

import pytest
from building import SmallBuild, call_command, run_command, set_options, small_overrides


def test_help_names_every_command() -> None:
    text = run_command("--help").stdout
    for command in ("build", "splits", "explain", "status", "sample-corpora", "sources", "tasks", "templates"):
        assert command in text


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
def places(small_build: SmallBuild, tmp_path: Path) -> list[str]:
    """Options that name the small build's raw folder, a copy of its store, and a new folder for the dataset."""
    shutil.copytree(small_build.work, tmp_path / "work")
    return ["--raw", str(small_build.raw), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "dataset")]


def test_the_result_as_json_and_questions_asked_afterwards(places: list[str]) -> None:
    done = run_command("build", "sample", *places, "--jobs", "1", *set_options(small_overrides()), "--json")
    manifest = json.loads(done.stdout)
    assert done.stderr == ""
    assert all(stage["cached"] for stage in manifest["stages"])
    work = places[2:4]
    assert "stage" in call_command("status", *work).stdout
    assert json.loads(call_command("status", *work, "--json").stdout)[0]["finished"] > 0
    shown = call_command("templates", "preview", "product_matching", *work).stdout
    assert "product_matching:" in shown
    example_id = next(word.strip("─╭╮ ") for word in shown.split() if word.startswith("product_matching:"))
    assert json.loads(call_command("explain", example_id, *work, "--json").stdout)["example_id"] == example_id
    assert "fate" in call_command("explain", example_id, *work).stdout
    linted = call_command("templates", "lint", *work)
    assert "0 findings" in linted.stdout


def test_quiet_says_nothing(small_world: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "one.toml"
    recipe.write_text('name = "one"\n[sources.amazon_google]\n[tasks.product_matching]\nquota = { train = 9 }\n')
    done = run_command("build", str(recipe), "--raw", str(small_world), "--jobs", "1", "--quiet", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("", "")
