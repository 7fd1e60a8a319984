"""The sample handed over and taken back from the command line, in shares, and what is said of each step."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from review_world import drawn, made_rows, publish
from typer.testing import CliRunner

from ecinstruct_build.commands.reviewing import review_app
from ecinstruct_build.errors import UserError
from ecinstruct_build.review.desk import Answer, Desk

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Eight items, each for one person, in the review of the present folder."""
    monkeypatch.chdir(tmp_path)
    return Desk.create(tmp_path / "review" / "review.sqlite", drawn(tmp_path, items=8, double_share=0))


def run(*arguments: str) -> str:
    """Run a command of the review and return what it says; its refusal is raised."""
    done = CliRunner().invoke(review_app, list(arguments), catch_exceptions=False, env={"COLUMNS": "200"})
    return done.output


def export_share(name: str, file: str) -> list[int]:
    run("export", file, "--among", "Ada,Ben", "--annotator", name)
    return [int(row["number"]) for row in read(file)]


def read(file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(Path(file).read_text(encoding="utf-8-sig").splitlines(keepends=True)))


def fill(file: str, verdict: str, note: str = "") -> None:
    rows = read(file)
    with Path(file).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, "verdict": verdict, "note": note} for row in rows)


def test_shares_fit_together_whenever_they_are_handed_out(desk: Desk) -> None:
    hers = export_share("Ada", "ada.csv")
    fill("ada.csv", "good")
    run("import", "ada.csv")
    his = export_share("Ben", "ben.csv")
    assert sorted(hers + his) == list(range(1, 9))
    run("export", "other.csv", "--among", "Ben, Ada", "--annotator", "Ben")
    assert [int(row["number"]) for row in read("other.csv")] == his
    with pytest.raises(UserError, match="nothing left to judge in the share of Ada"):
        export_share("Ada", "again.csv")


def test_a_share_comes_in_but_for_what_others_judged_and_the_numbers_are_told(desk: Desk) -> None:
    first, *others = export_share("Ada", "ada.csv")
    desk.take_in([Answer(first, "Cy", "good")])
    fill("ada.csv", "good")
    said = run("import", "ada.csv")
    assert f"{len(others)} verdicts were taken in" in said
    assert f"1 was skipped, since others had judged item {first} in the meantime" in said
    assert {one.number for one in desk.answers() if one.annotator == "Ada"} == set(others)


def test_a_corrected_sheet_corrects_and_the_same_one_again_is_there_already(desk: Desk) -> None:
    share = export_share("Ada", "ada.csv")
    fill("ada.csv", "good")
    run("import", "ada.csv")
    assert f"0 verdicts were taken in; {len(share)} were there already." in run("import", "ada.csv")
    fill("ada.csv", "wrong answer")
    assert f"0 verdicts were taken in; {len(share)} were changed." in run("import", "ada.csv")
    assert {one.verdict for one in desk.answers()} == {"wrong_answer"}


def test_one_verdict_is_no_verdicts(desk: Desk) -> None:
    run("export", "all.csv", "--annotator", "Ada")
    lines = read("all.csv")[:1]
    with Path("one.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, lines[0])
        writer.writeheader()
        writer.writerow({**lines[0], "verdict": "good"})
    assert "1 verdict was taken in." in run("import", "one.csv")


def test_every_file_that_is_handed_over_is_named_and_no_folder_is_made(desk: Desk) -> None:
    for file, kind, beside in (("a.json", "label-studio", "a.xml"), ("b.csv", "csv", "b.guideline.md")):
        said = run("export", file, "--format", kind)
        assert {path.name for path in Path().glob(f"{file[0]}.*")} == {file, beside}
        assert file in said
        assert beside in said
    with pytest.raises(UserError, match="There is no folder 'typo'"):
        run("export", "typo/items.csv")
    assert not Path("typo").exists()


def test_a_sample_that_stands_for_the_dataset_no_more_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecinstruct_build.commands.reviewing.Thread", AtOnce)
    monkeypatch.setattr("ecinstruct_build.commands.reviewing.serve_pages", lambda **_: None)
    assert "--fresh" not in run("report") + run("serve")
    rows = made_rows("product_matching", 40)
    for row in rows[:10]:
        row["instruction"] = "Say it otherwise."
    shutil.rmtree("dataset")
    publish(Path("dataset"), {"product_matching": rows, "sentiment_analysis": made_rows("sentiment_analysis", 60)})
    for command in ("report", "serve"):
        said = run(command)
        assert "product_matching: 30 of 40 published rows" in said
        assert "sentiment_analysis: " not in said
        assert "review sample --fresh" in said
    shutil.rmtree("dataset")
    assert "--fresh" not in run("report")


def test_serving_without_a_sample_says_what_the_one_it_draws_will_cost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecinstruct_build.commands.reviewing.serve_pages", lambda **_: None)
    said = run("serve", "--review", "another")
    assert "what to judge" in said
    assert "judgements" in said
    assert "what to judge" not in run("serve", "--review", "another")


class AtOnce:
    """A thread that is done when it has been started."""

    def __init__(self, target: Callable[..., None], args: tuple[object, ...], daemon: bool) -> None:
        self.start = lambda: target(*args)
