"""The books of a build: every example is counted once, wherever it went."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from building import SmallBuild
from tiny_reviews import TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.pipeline import run_stages

SPANISH = "La lámpara llegó rota a nuestra casa, y el vendedor no quiso devolver el dinero de ninguna manera."
GOOD, SPANISH_TWINS = 40, 3


def books(place: Path, *overrides: str) -> tuple[dict[str, Any], Counter[str]]:
    """Account for good reviews and a few equal ones in a foreign language; count the verdicts by example."""
    lines = [review(number) for number in range(GOOD)]
    lines += [review(GOOD + number, SPANISH, stars=1) for number in range(SPANISH_TWINS)]
    recipe, machine = recipe_of(place, *quota(train=10, validation=5, test=5), *overrides), machine_at(place)
    built = run_stages(recipe, write_reviews(place, lines), machine)
    verdicts = Counter(row["example_id"] for row in built.checked.verdicts(TASK))
    return manifest_of(recipe, built, machine)["tasks"][TASK], verdicts


def total(account: dict[str, Any]) -> int:
    return sum(sum(account[part].values()) for part in ("rejected", "dropped", "examples"))


def test_what_each_source_gives_adds_up_to_what_its_task_has(small_build: SmallBuild) -> None:
    for task in small_build.manifest["tasks"].values():
        of_sources = task["sources"].values()
        assert sum(one["drawn"] for one in of_sources) == task["drawn"]
        for kind in ("examples", "samples"):
            assert {place for one in of_sources for place in one[kind]} == set(task[kind])
            for place, count in task[kind].items():
                assert count == sum(one[kind].get(place, 0) for one in of_sources)


def test_an_example_that_two_checks_reject_is_counted_once_under_the_first(tmp_path: Path) -> None:
    account, verdicts = books(tmp_path, f"tasks.{TASK}.oversample=10.0", "checks.shape.min_words=19")
    assert sorted(verdicts.values()) == [2, 2, 2]
    assert account["drawn"] == GOOD + SPANISH_TWINS == total(account)
    assert account["rejected"] == {"language: foreign language": SPANISH_TWINS}
    assert account["flagged"] == {}


def test_a_flag_is_counted_and_takes_no_example_away(tmp_path: Path) -> None:
    account, _ = books(tmp_path, f"tasks.{TASK}.oversample=10.0", "checks.language.action=flag")
    assert account["flagged"] == {"language: foreign language": SPANISH_TWINS}
    assert account["rejected"] == {"duplicates: exact duplicate": SPANISH_TWINS - 1}
    assert account["drawn"] == GOOD + SPANISH_TWINS == total(account)


def test_what_one_check_rejects_is_no_peer_for_the_checks_of_the_whole_dataset(tmp_path: Path) -> None:
    account, verdicts = books(tmp_path, f"tasks.{TASK}.oversample=10.0")
    assert sorted(verdicts.values()) == [1, 1, 1]
    assert account["rejected"] == {"language: foreign language": SPANISH_TWINS}


def test_what_is_missing_is_what_was_wanted_less_what_there_is(tmp_path: Path) -> None:
    account, _ = books(tmp_path, f"tasks.{TASK}.oversample=10.0", f"tasks.{TASK}.quota.test=30")
    assert account["wanted"]["test"] == 30
    missing = 30 - account["examples"]["test"]
    assert missing > 0
    assert account["shortfall"]["test"] == missing
    assert account["drawn"] == total(account)


def test_a_check_that_comes_last_balances_what_the_others_let_pass(tmp_path: Path) -> None:
    targets = f'checks.balance.targets.{TASK}={{ "very positive" = 0.5, "very negative" = 0.5 }}'
    lines = [review(number) for number in range(60)] + [review(100 + number, stars=1) for number in range(40)]
    lines += [review(200 + number, SPANISH, stars=1) for number in range(20)]
    overrides = [f"tasks.{TASK}.oversample=10.0", "checks.balance.action=reject", "checks.balance.tolerance=0", targets]
    recipe, machine = recipe_of(tmp_path, *quota(train=20), *overrides), machine_at(tmp_path)
    built = run_stages(recipe, write_reviews(tmp_path, lines), machine)
    stars = Counter(example.answer for example in built.checked.accepted(TASK))
    assert stars == {"very positive": 40, "very negative": 40}


def test_a_file_that_a_check_needs_and_that_is_not_there_is_one_clear_message(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, *quota(train=5), "checks.shape.tokenizer=nowhere.json", "checks.shape.max_tokens=9")
    with pytest.raises(UserError, match=r"needs a file that is not there: .*nowhere\.json"):
        run_stages(recipe, write_reviews(tmp_path, [review(1)]), machine_at(tmp_path))
