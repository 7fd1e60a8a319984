"""The stages as the store sees them: a file too rotten to go on with, and how much is drawn for what is wanted."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from tiny_reviews import FILE, SOURCE, TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.errors import UserError
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.examples import read_examples

BROKEN = "{"
STARLESS = '{"reviewerID": "U", "asin": "B", "unixReviewTime": 1400000000}'


WANTED = quota(train=8, validation=2, test=3)


def run(place: Path, lines: Iterable[str], *overrides: str) -> Built:
    return run_stages(recipe_of(place, *WANTED, *overrides), write_reviews(place, lines), machine_at(place))


def lines_with(bad: Sequence[str], records: int = 100) -> list[str]:
    return [*bad, *(review(number) for number in range(records - len(bad)))]


def test_a_file_with_more_malformed_records_than_the_limit_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(UserError) as stopped:
        run(tmp_path, lines_with([BROKEN, BROKEN, STARLESS, STARLESS, STARLESS, STARLESS]))
    message = str(stopped.value)
    assert message.startswith(f"{SOURCE}/{FILE}: 6 of 100 records are malformed")
    assert "limit of 5.0%" in message
    assert re.search(r"Most often: [^.]*`overall`.* \(4 times\)", message)
    assert "limits.quarantined_share" in message
    quarantine = re.search(r"See (\S+quarantine\.parquet)", message)
    assert quarantine
    assert Path(quarantine[1]).is_file()


def test_a_file_just_within_the_limit_goes_on(tmp_path: Path) -> None:
    (file,) = run(tmp_path, lines_with([BROKEN] * 5)).files
    assert (file.facts["quarantined"], file.facts["ingested"]) == (5, 95)


def test_the_limit_is_the_recipes(tmp_path: Path) -> None:
    lines = lines_with([BROKEN] * 40)
    with pytest.raises(UserError, match="40 of 100 records are malformed"):
        run(tmp_path, lines, "limits.quarantined_share=0.39")
    (file,) = run(tmp_path, lines, "limits.quarantined_share=0.4").files
    assert file.facts["quarantined"] == 40
    with pytest.raises(UserError, match="1 of 100 records are malformed"):
        run(tmp_path, lines_with([BROKEN]), "limits.quarantined_share=0")


def drawn(built: Built) -> set[str]:
    return {example.example_id for example in read_examples(built.drawn[TASK])}


def test_oversampling_draws_so_many_for_each_one_wanted(tmp_path: Path) -> None:
    lines = [review(number) for number in range(100)]
    found = {
        factor: drawn(run(tmp_path, lines, f"tasks.{TASK}.oversample={factor}")) for factor in (1.0, 1.5, 3.0, 9.0)
    }
    assert {factor: len(ids) for factor, ids in found.items()} == {1.0: 13, 1.5: 20, 3.0: 39, 9.0: 100}
    assert found[1.0] < found[1.5] < found[3.0] < found[9.0]


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 5), (2.5, 13)])
def test_oversampling_holds_out_of_domain_too(tmp_path: Path, factor: float, expected: int) -> None:
    lines = [review(number) for number in range(50)]
    outside = [*quota(test_ood=5), f'tasks.{TASK}.ood=["Electronics"]']
    assert len(drawn(run(tmp_path, lines, *outside, f"tasks.{TASK}.oversample={factor}"))) == expected
