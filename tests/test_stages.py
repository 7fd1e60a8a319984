"""The stages as the store sees them: a file too rotten to go on with, and how much is drawn for what is wanted."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from tiny_reviews import FILE, SOURCE, TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.errors import UserError
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.stages.corpora import IngestedFile, canonical_tables, ingest
from ecinstruct_build.stages.examples import draw, read_examples

BROKEN = "{"
STARLESS = '{"reviewerID": "U", "asin": "B", "unixReviewTime": 1400000000}'


def ingest_lines(place: Path, lines: Iterable[str], *overrides: str) -> Sequence[IngestedFile]:
    return ingest(recipe_of(place, *overrides), write_reviews(place, lines), machine_at(place))


def lines_with(bad: Sequence[str], records: int = 100) -> list[str]:
    return [*bad, *(review(number) for number in range(records - len(bad)))]


def test_a_file_with_more_malformed_records_than_the_limit_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(UserError) as stopped:
        ingest_lines(tmp_path, lines_with([BROKEN, BROKEN, STARLESS, STARLESS, STARLESS, STARLESS]))
    message = str(stopped.value)
    assert message.startswith(f"{SOURCE}/{FILE}: 6 of 100 records are malformed")
    assert "limit of 5.0%" in message
    assert re.search(r"Most often: [^.]*`overall`.* \(4 times\)", message)
    assert "limits.quarantined_share" in message
    quarantine = re.search(r"See (\S+quarantine\.parquet)", message)
    assert quarantine
    assert Path(quarantine[1]).is_file()


def test_a_file_just_within_the_limit_goes_on(tmp_path: Path) -> None:
    (file,) = ingest_lines(tmp_path, lines_with([BROKEN] * 5))
    assert (file.stage.facts["quarantined"], file.stage.facts["ingested"]) == (5, 95)


def test_the_limit_is_the_recipes(tmp_path: Path) -> None:
    lines = lines_with([BROKEN] * 40)
    with pytest.raises(UserError, match="40 of 100 records are malformed"):
        ingest_lines(tmp_path, lines, "limits.quarantined_share=0.39")
    (file,) = ingest_lines(tmp_path, lines, "limits.quarantined_share=0.4")
    assert file.stage.facts["quarantined"] == 40
    with pytest.raises(UserError, match="1 of 100 records are malformed"):
        ingest_lines(tmp_path, lines_with([BROKEN]), "limits.quarantined_share=0")


def drawn_with(place: Path, files: Sequence[IngestedFile], recipe: Recipe) -> set[str]:
    machine = machine_at(place)
    with canonical_tables(files, machine) as tables:
        stage = draw(TASK, recipe.tasks[TASK], recipe.seed, tables, machine)
    return {example.example_id for example in read_examples(stage)}


def test_oversampling_draws_so_many_for_each_one_wanted(tmp_path: Path) -> None:
    files = ingest_lines(tmp_path, map(review, range(100)))
    wanted = quota(train=8, validation=2, test=3)
    drawn = {
        factor: drawn_with(tmp_path, files, recipe_of(tmp_path, *wanted, f"tasks.{TASK}.oversample={factor}"))
        for factor in (1.0, 1.5, 3.0, 50.0)
    }
    assert {factor: len(ids) for factor, ids in drawn.items()} == {1.0: 13, 1.5: 20, 3.0: 39, 50.0: 100}
    assert drawn[1.0] < drawn[1.5] < drawn[3.0] < drawn[50.0]


def test_oversampling_holds_out_of_domain_too(tmp_path: Path) -> None:
    files = ingest_lines(tmp_path, map(review, range(50)))
    outside = [*quota(test_ood=5), f'tasks.{TASK}.ood=["Electronics"]']
    for factor, expected in ((1.0, 5), (2.5, 13)):
        recipe = recipe_of(tmp_path, *outside, f"tasks.{TASK}.oversample={factor}")
        assert len(drawn_with(tmp_path, files, recipe)) == expected
