"""Croissant: a reader that knows nothing of us understands the dataset, and reads its rows."""

import json
import logging
from dataclasses import replace

import mlcroissant
import publish_rows
import pytest

from ecinstruct_build.publish.croissant import CROISSANT, croissant, write_croissant
from ecinstruct_build.publish.ids_only import ids_of
from ecinstruct_build.publish.shards import rows_by_split, write_shards
from ecinstruct_build.splits import PUBLISHED_SPLITS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(params=["huggingface", "ecinstruct"])
def described(request, tmp_path):
    """A folder of shards in several files with its description, as mlcroissant reads it, and the samples."""
    made = publish_rows.samples(request.param)
    shards = write_shards(made, tmp_path, request.param, 1500)
    write_croissant(tmp_path, publish_rows.card_info(made, shards, request.param))
    return made, mlcroissant.Dataset(str(tmp_path / CROISSANT)), request.param


def plain(value: object) -> object:
    """A value as mlcroissant gives it, with text for bytes."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def records(dataset: mlcroissant.Dataset, name: str) -> list[dict]:
    return [{key.removeprefix(f"{name}/"): plain(value) for key, value in one.items()} for one in dataset.records(name)]


def by_identity(row: dict) -> tuple:
    return row["example_id"], row["split"], row["setting"]


def test_it_is_valid_but_for_the_date_that_it_leaves_out(described):
    issues = described[1].metadata.ctx.issues
    assert not issues.errors
    assert [warning for warning in issues.warnings if "datePublished" not in warning] == []


def test_every_row_of_every_config_is_read_with_its_split(described, caplog):
    made, dataset, layout = described
    with caplog.at_level(logging.WARNING):
        found = {name: records(dataset, name) for name in ("default", *(made if layout == "huggingface" else ()))}
    assert not [record for record in caplog.records if "match" in record.message]
    everything = []
    for task, table in made.items():
        splits = rows_by_split(table) if layout == "huggingface" else {"train": table}
        rows = [row | {"published_split": split} for split, part in splits.items() for row in part.to_pylist()]
        everything += rows
        if layout == "huggingface":
            assert sorted(found[task], key=by_identity) == sorted(rows, key=by_identity)
    assert sorted(found["default"], key=by_identity) == sorted(everything, key=by_identity)
    splits = PUBLISHED_SPLITS if layout == "huggingface" else ("train",)
    assert [row["name"] for row in records(dataset, "splits")] == list(splits)


def test_files_have_their_sizes_and_digests(tmp_path):
    made = publish_rows.samples()
    shards = write_shards(made, tmp_path, "huggingface")
    found = croissant(publish_rows.card_info(made, shards))
    files = {entry["contentUrl"]: entry for entry in found["distribution"] if entry["@type"] == "cr:FileObject"}
    assert list(files) == [shard.path for shard in shards]
    for shard in shards:
        assert files[shard.path]["sha256"] == shard.sha256
        assert files[shard.path]["contentSize"] == f"{shard.bytes} B"


def test_ids_alone_are_described_as_what_they_are(tmp_path):
    made = {task: ids_of(table) for task, table in publish_rows.samples().items()}
    info = publish_rows.card_info(made, [], restricted=[replace(publish_rows.SHOP, redistributable=False)])
    names = {field["name"] for records in croissant(info)["recordSet"] for field in records["field"]}
    assert "row_sha256" in names
    assert "input" not in names


def test_terms_are_named_where_they_stand(tmp_path):
    made = publish_rows.samples()
    other = replace(publish_rows.SHOP, name="pots", licence="none stated", homepage="https://pots.example")
    info = publish_rows.card_info(made, [], sources=[publish_rows.SHOP, other])
    assert croissant(info)["license"] == ["https://pots.example", "https://spdx.org/licenses/CC-BY-4.0.html"]
    assert croissant(replace(info, generated=True))["license"] == ["https://spdx.org/licenses/Apache-2.0.html"]


def test_the_same_dataset_is_described_in_the_same_words_and_another_has_another_version(tmp_path):
    made = publish_rows.samples()
    shards = write_shards(made, tmp_path, "huggingface")
    one, same = (publish_rows.card_info(order, shards) for order in (made, dict(reversed(made.items()))))
    assert json.dumps(croissant(one)) == json.dumps(croissant(same))
    other = publish_rows.card_info(made, [replace(shards[0], sha256="0" * 64), *shards[1:]])
    assert croissant(other)["version"] != croissant(one)["version"]
