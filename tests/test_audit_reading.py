"""Reading some columns of a published dataset: the same rows, the same findings and the same errors as with all."""

import random
from pathlib import Path
from typing import Any

import pytest
from audit_rows import Made, clean_dataset, nearly, write_parquet, write_shards

from ecinstruct_build.audit.near import COLUMNS, near_duplicates
from ecinstruct_build.audit.reading import read_published
from ecinstruct_build.errors import UserError

TASK = "Sentiment_Analysis"


@pytest.fixture
def made() -> Made:
    """Rows of which some are nearly the same as one in training."""
    made = clean_dataset({"train": 40, "validation": 10, "test": 20}, tasks=[TASK])
    chance = random.Random(5)
    for row, twin in zip(made.rows[TASK, "train"], made.rows[TASK, "test"][:8], strict=False):
        twin["input"] = nearly(row["input"], chance, 1)
    return made


def assert_same_from_fewer(folder: Path) -> None:
    whole, some = read_published(folder), read_published(folder, COLUMNS)
    assert (some.ids, some.tasks, some.inputs, some.files) == (whole.ids, whole.tasks, whole.inputs, whole.files)
    assert some.roles.tolist() == whole.roles.tolist()
    found = near_duplicates(whole, 0.8)
    assert sum(one.right_rows for one in found)
    assert near_duplicates(some, 0.8) == found


def test_near_duplicates_are_the_same_from_the_columns_that_are_read_for_them(made: Made, tmp_path: Path) -> None:
    folder = write_shards(made, tmp_path)
    assert_same_from_fewer(folder)
    assert set(read_published(folder, COLUMNS).table.column_names) == {
        *("split", "task", "setting", "example_id"),
        *COLUMNS,
    }


@pytest.mark.parametrize("ids", [{}, {"example_id": ""}, {"example_id": None}, {"example_id": "the same"}])
def test_rows_whose_ids_say_too_little_are_told_apart_by_all_that_they_say(
    made: Made, ids: dict[str, Any], tmp_path: Path
) -> None:
    for row in made.all_rows():
        del row["example_id"]
        row.update(ids, output=row["input"][::-1])  # an output by which their order is not that of the inputs
    (tmp_path / "a").mkdir()
    for (_, role), rows in made.rows.items():
        write_parquet(rows, tmp_path / "a" / f"{role}.parquet", schema=None)
    assert_same_from_fewer(tmp_path / "a")
    for rows in made.rows.values():
        random.Random(1).shuffle(rows)
    whole = read_published(tmp_path / "a")
    write_parquet(made.all_rows(), tmp_path / "b" / "all.parquet", schema=None)
    assert read_published(tmp_path / "b").table.equals(whole.table)


@pytest.mark.parametrize("columns", [COLUMNS, ()])
def test_errors_are_the_same_whatever_is_read(made: Made, columns: tuple[str, ...], tmp_path: Path) -> None:
    lacking = [{name: row[name] for name in ("split", "task", "setting", "input")} for row in made.all_rows()]
    unknown = [row | {"split": "half"} for row in made.all_rows()]
    for name, rows in {"lacking": lacking, "unknown": unknown}.items():
        write_parquet(rows, tmp_path / name / "rows.parquet", schema=None)
        with pytest.raises(UserError) as whole:
            read_published(tmp_path / name)
        with pytest.raises(UserError) as some:
            read_published(tmp_path / name, columns)
        assert str(some.value) == str(whole.value)


def test_a_dataset_without_a_shard_that_its_list_names_is_not_audited(made: Made, tmp_path: Path) -> None:
    shards = sorted(write_shards(made, tmp_path).rglob("*.parquet"))
    names = [shard.relative_to(tmp_path).as_posix() for shard in shards]
    (tmp_path / "shards.sha256").write_text("".join(f"{'0' * 64}  {name}\n" for name in names))
    assert read_published(tmp_path).files == len(shards)
    shards[-1].unlink()
    with pytest.raises(UserError, match=f"not whole.*Missing: {names[-1]}[.]"):
        read_published(tmp_path)


def test_a_dataset_without_a_shard_that_a_number_is_left_out_for_is_not_audited(made: Made, tmp_path: Path) -> None:
    shard = min(write_shards(made, tmp_path).rglob("train-*"))
    shard.rename(shard.with_name("train-00001-of-00002.parquet"))
    with pytest.raises(UserError, match=r"not whole.*Missing: .*/train-00000-of-00002.parquet[.]"):
        read_published(tmp_path)


def test_a_name_that_claims_to_be_one_of_billions_of_shards_costs_no_time(made: Made, tmp_path: Path) -> None:
    shard = min(write_shards(made, tmp_path).rglob("train-*"))
    shard.rename(shard.with_name("train-00000-of-99999999999.parquet"))
    with pytest.raises(UserError, match=r"Missing: .* and more[.]"):
        read_published(tmp_path)
