"""A review from the command line: what people judged defective is not in the next build, and the books say why."""

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from building import SmallBuild, call_command, set_options, shard_digests, small_overrides

from ecinstruct_build.review.desk import Desk
from ecinstruct_build.review.gate import gate
from ecinstruct_build.review.settings import ReviewSettings

pytestmark = pytest.mark.slow

DEFECTS = {"wrong_answer": "The other one is right.", "unclear_input": ""}


@dataclass(frozen=True)
class Judged:
    """A folder with a store, a dataset and a review of it that found two defects."""

    folder: Path
    raw: Path
    defective: tuple[str, ...]

    def build(self, out: str, *arguments: str) -> Path:
        settings = set_options(small_overrides())
        places = ["--raw", str(self.raw), "--out", out, "--work", "work"]
        call_command("build", "sample", *places, *settings, "--quiet", *arguments, cwd=self.folder)
        return self.folder / out


@pytest.fixture(scope="module")
def judged(small_build: SmallBuild, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("review")
    shutil.copytree(small_build.work, folder / "work", symlinks=True)
    shutil.copytree(small_build.out, folder / "dataset")
    call_command("review", "sample", "--items", "12", cwd=folder)
    desk = Desk.open(folder / "review" / "review.sqlite")
    defects, found = iter(DEFECTS.items()), []
    for judge in ("Ada", "Ben", "Cy"):
        desk.enter(judge)
        while item := desk.next_item(judge):
            verdict, note = ("good", "") if item.doubled else next(defects, ("good", ""))
            found += [item.example_id] if verdict != "good" else []
            desk.answer(judge, item.number, verdict, note, 1.0)
    assert len(found) == len(DEFECTS)
    return Judged(folder, small_build.raw, tuple(found))


@pytest.fixture(scope="module")
def rebuilt(judged: Judged) -> Path:
    """The dataset that was built after the review."""
    return judged.build("next")


@pytest.fixture(scope="module")
def lenient(judged: Judged) -> Path:
    """A dataset whose recipe asks for small samples only."""
    return judged.build("lenient", "--set", "review.max_defect_rate=0.5", "--review", "none")


def published_ids(dataset: Path) -> set[str]:
    shards = sorted(dataset.glob("data/*/*.parquet"))
    return {one for shard in shards for one in pq.read_table(shard, columns=["example_id"])["example_id"].to_pylist()}


def test_what_people_judged_defective_is_not_in_the_next_build(judged: Judged, rebuilt: Path) -> None:
    before, after = published_ids(judged.folder / "dataset"), published_ids(rebuilt)
    assert before >= set(judged.defective)
    assert not after & set(judged.defective)


def test_all_other_samples_stay_so_that_the_review_still_holds(judged: Judged, rebuilt: Path) -> None:
    before = published_ids(judged.folder / "dataset")
    assert published_ids(rebuilt) >= before - set(judged.defective)
    desk = Desk.open(judged.folder / "review" / "review.sqlite")
    reasons = gate(desk, rebuilt, ReviewSettings(required=True, covers=0.95))
    assert reasons
    assert not [reason for reason in reasons if "published rows were there" in reason]


def test_explain_tells_who_said_what_of_a_rejected_example(judged: Judged) -> None:
    judged.build("next")
    told = call_command("explain", judged.defective[0], "--work", "work", cwd=judged.folder).stdout
    assert "rejected by review" in told
    assert "The other one is right." in told


def test_the_books_count_what_people_rejected(judged: Judged, rebuilt: Path) -> None:
    manifest = json.loads((rebuilt / "manifest.json").read_text())
    rejected = [
        count
        for account in manifest["tasks"].values()
        for reason, count in account["rejected"].items()
        if reason.startswith("review: ")
    ]
    assert sum(rejected) == len(judged.defective)


def test_a_build_that_heeds_no_review_has_the_bytes_of_before(judged: Judged) -> None:
    assert shard_digests(judged.build("unheeded", "--review", "none")) == shard_digests(judged.folder / "dataset")


def test_questions_about_a_build_do_not_move_when_people_go_on_judging(judged: Judged) -> None:
    judged.build("next")
    asked = ("explain", judged.defective[1], "--work", "work", "--json")
    before = call_command(*asked, cwd=judged.folder).stdout
    (judged.folder / "review" / "verdicts.jsonl").write_text("")
    assert call_command(*asked, cwd=judged.folder).stdout == before


def test_a_reviewed_dataset_carries_what_it_takes_to_build_it_again_and_no_notes(
    judged: Judged, rebuilt: Path, tmp_path: Path
) -> None:
    assert "The other one is right." not in "".join(
        path.read_text() for path in rebuilt.iterdir() if path.suffix != ".parquet" and path.is_file()
    )
    for name in ("recipe.toml", "verdicts.jsonl"):
        shutil.copy(rebuilt / name, tmp_path)
    shutil.copytree(judged.folder / "work", tmp_path / "work", symlinks=True)
    call_command("build", "recipe.toml", "--raw", str(judged.raw), "--out", "rebuilt", "--quiet", cwd=tmp_path)
    assert shard_digests(tmp_path / "rebuilt") == shard_digests(rebuilt)


def test_what_is_published_names_no_path_of_this_machine(judged: Judged) -> None:
    rebuilt = judged.build("next")
    call_command("splits", "--seed", "5", "--out", "resplit", "--quiet", cwd=judged.folder)
    for dataset in (rebuilt, judged.folder / "resplit"):
        manifest = (dataset / "manifest.json").read_text()
        assert str(judged.folder) not in manifest + (dataset / "recipe.toml").read_text()
        assert json.loads(manifest)["recipe"]["checks"]["review"]["verdicts"] == ["verdicts.jsonl"]


def test_a_fresh_sample_keeps_what_was_found_before_out(judged: Judged, tmp_path: Path) -> None:
    for name in ("review", "work", "dataset"):
        shutil.copytree(judged.folder / name, tmp_path / name, symlinks=True)
    elsewhere = Judged(tmp_path, judged.raw, judged.defective)
    call_command("review", "sample", "--fresh", "--items", "5", "--seed", "1", cwd=tmp_path)
    assert not published_ids(elsewhere.build("next")) & set(judged.defective)


@pytest.mark.parametrize(("verdict", "status", "said"), [("good", 0, "passed"), ("wrong_answer", 1, "failed")])
def test_a_finished_review_passes_or_fails_by_what_was_found(
    lenient: Path, tmp_path: Path, verdict: str, status: int, said: str
) -> None:
    call_command("review", "sample", "--dataset", str(lenient), cwd=tmp_path)
    desk = Desk.open(tmp_path / "review" / "review.sqlite")
    for judge in ("Ada", "Ben"):
        desk.enter(judge)
        while item := desk.next_item(judge):
            desk.answer(judge, item.number, verdict)
    done = call_command("review", "report", cwd=tmp_path, check=False)
    assert done.returncode == status
    assert said in done.stdout
    report = json.loads((tmp_path / "review" / "report.json").read_text())
    assert {task["passed"] for task in report["tasks"]} == {status == 0}


def test_shares_handed_out_cover_the_sample_and_come_back(judged: Judged, tmp_path: Path) -> None:
    dataset = str(judged.folder / "dataset")
    call_command("review", "sample", "--items", "9", "--dataset", dataset, cwd=tmp_path)
    for name in ("Ada", "Ben"):
        call_command("review", "export", f"{name}.csv", "--among", "Ada,Ben", "--annotator", name, cwd=tmp_path)
    for sheet in sorted(tmp_path.glob("*.csv")):
        rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines(keepends=True)))
        with sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows({**row, "verdict": "good"} for row in rows)
        call_command("review", "import", sheet.name, cwd=tmp_path)
    report = json.loads((tmp_path / "review" / "report.json").read_text())
    assert report["overall"]["judged"] == report["overall"]["items"] == 9
    assert report["overall"]["agreement"]["share"] == 1.0


def test_asking_for_a_review_that_is_not_there_says_how_to_begin_one(tmp_path: Path) -> None:
    done = call_command("review", "report", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "ecinstruct review sample" in done.stderr


def test_publishing_without_the_review_that_the_recipe_asks_for_is_refused(judged: Judged) -> None:
    judged.build("gated", "--set", "review.required=true", "--review", "none")
    target = ("--repo", "shop/kettles", "--dataset", "gated", "--review", "none", "--dry-run")
    done = call_command("publish", *target, cwd=judged.folder, check=False)
    assert done.returncode == 1
    assert "review" in done.stderr
