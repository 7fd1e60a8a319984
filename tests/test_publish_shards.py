"""Shards: which rows go where, that `datasets` reads them as they were, and that bytes never wander."""

import hashlib
import itertools
import json

import numpy as np
import publish_rows
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.publish.shards import rows_by_split, text_bytes, write_shards

pytestmark = pytest.mark.slow

TEXT = st.text(max_size=30)


def test_every_published_split_with_rows_has_a_file_and_no_other(tmp_path):
    shards = write_shards(publish_rows.samples(), tmp_path, "huggingface")
    assert [shard.path for shard in shards] == [
        "data/product_matching/train-00000-of-00001.parquet",
        "data/product_matching/validation-00000-of-00001.parquet",
        "data/product_matching/test-00000-of-00001.parquet",
        "data/product_matching/test_unseen_instructions-00000-of-00001.parquet",
        "data/sentiment_analysis/train-00000-of-00001.parquet",
        "data/sentiment_analysis/validation-00000-of-00001.parquet",
        "data/sentiment_analysis/test-00000-of-00001.parquet",
        "data/sentiment_analysis/test_ood-00000-of-00001.parquet",
        "data/sentiment_analysis/test_unseen_instructions-00000-of-00001.parquet",
        "data/sentiment_analysis/test_ood_unseen_instructions-00000-of-00001.parquet",
    ]
    assert sorted(publish_rows.files(tmp_path)) == sorted(shard.path for shard in shards)


def test_a_shard_says_what_its_file_is(tmp_path):
    for shard in write_shards(publish_rows.samples(), tmp_path, "huggingface"):
        content = (tmp_path / shard.path).read_bytes()
        assert (shard.bytes, shard.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        table = pq.read_table(tmp_path / shard.path)
        assert shard.rows == table.num_rows > 0
        assert set(table["task"].to_pylist()) == {publish_rows.PUBLISHED_NAMES[shard.task]}


def test_settings_that_only_the_original_has_stay_out_of_the_hugging_face_layout(tmp_path):
    made = publish_rows.samples("ecinstruct")
    written = write_shards(made, tmp_path, "huggingface")
    found = {setting for shard in written for setting in pq.read_table(tmp_path / shard.path)["setting"].to_pylist()}
    assert found == {
        "IND_Diverse_Instruction",
        "IND_Unseen_Instruction",
        "OOD_Diverse_Instruction",
        "OOD_Unseen_Instruction",
    }


def test_the_original_layout_holds_every_row_of_every_setting_in_one_split(tmp_path):
    made = publish_rows.samples("ecinstruct")
    (shard,) = write_shards(made, tmp_path, "ecinstruct")
    assert (shard.path, shard.task, shard.split) == ("data/train-00000-of-00001.parquet", "", "train")
    written = pq.read_table(tmp_path / shard.path)
    assert written.to_pylist() == [row for task in sorted(made) for row in made[task].to_pylist()]
    assert set(written["setting"].to_pylist()) == set(publish_rows.all_settings())


def test_a_shard_tells_older_and_newer_datasets_its_types(tmp_path):
    shard = write_shards(publish_rows.samples(), tmp_path, "huggingface")[0]
    features = json.loads(pq.read_schema(tmp_path / shard.path).metadata[b"huggingface"])["info"]["features"]
    assert list(features) == SAMPLE_SCHEMA.names
    assert features["output"] == {"dtype": "string", "_type": "Value"}
    assert features["products"] == {"feature": {"dtype": "string", "_type": "Value"}, "_type": "Sequence"}


def test_an_unknown_split_is_refused():
    rows = publish_rows.table([publish_rows.row("t", "dev", "IND_Diverse_Instruction", 1)])
    with pytest.raises(ValueError, match="no split is called 'dev'"):
        rows_by_split(rows)


@pytest.mark.parametrize(("column", "value"), [("output", None), ("products", None), ("groups", ["user:1", None])])
def test_nulls_are_refused(tmp_path, column, value):
    schema = pa.schema([pa.field(field.name, field.type) for field in SAMPLE_SCHEMA])
    row = publish_rows.row("t", "train", "IND_Diverse_Instruction", 1, **{column: value})
    with pytest.raises(ValueError, match=f"column {column} .* holds nulls"):
        write_shards({"t": pa.Table.from_pylist([row], schema=schema)}, tmp_path, "huggingface")


def test_other_columns_are_refused(tmp_path):
    rows = publish_rows.table([publish_rows.row("t", "train", "IND_Diverse_Instruction", 1)])
    with pytest.raises(ValueError, match="have columns"):
        write_shards({"t": rows.drop_columns(["options"])}, tmp_path, "huggingface")


def _table(texts: list[str]) -> pa.Table:
    return publish_rows.table(
        [
            publish_rows.row("t", "train", "IND_Diverse_Instruction", number, input=text, groups=[text] * (number % 3))
            for number, text in enumerate(texts)
        ]
    )


def _rechunked(table: pa.Table, cuts: list[int]) -> pa.Table:
    """The same rows in other batches, sliced out of bigger buffers."""
    borders = [0, *sorted(cut % (table.num_rows + 1) for cut in cuts), table.num_rows]
    doubled = pa.concat_tables([table, table]).combine_chunks()
    return pa.concat_tables([doubled.slice(a, b - a) for a, b in itertools.pairwise(borders)])


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=40), st.lists(st.integers(0, 100), max_size=5), st.integers(100, 20_000))
def test_bytes_do_not_depend_on_how_the_table_is_chunked(tmp_path_factory, texts, cuts, max_bytes):
    table = _table(texts)
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    for layout in ("huggingface", "ecinstruct"):
        first = write_shards({"t": table}, one, layout, max_bytes)
        assert first == write_shards({"t": _rechunked(table, cuts)}, other, layout, max_bytes)
        assert publish_rows.files(one) == publish_rows.files(other)


def test_bytes_do_not_depend_on_chunking_of_large_tables(tmp_path):
    """Where pages end by size, the borders of batches would show."""
    table = _table([hashlib.shake_256(str(number).encode()).hexdigest(number % 400) for number in range(11_000)])
    (whole,) = write_shards({"t": table}, tmp_path / "a", "huggingface")
    (pieces,) = write_shards({"t": _rechunked(table, list(range(0, 11_000, 37)))}, tmp_path / "b", "huggingface")
    assert whole.sha256 == pieces.sha256
    assert pq.ParquetFile(tmp_path / "a" / whole.path).metadata.num_row_groups == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=40), st.integers(1, 20_000))
def test_shards_hold_all_rows_in_order_within_the_bound(tmp_path_factory, texts, max_bytes):
    folder = tmp_path_factory.mktemp("shards")
    table = _table(texts)
    shards = write_shards({"t": table}, folder, "huggingface", max_bytes)
    parts = [pq.read_table(folder / shard.path) for shard in shards]
    assert [row for part in parts for row in part.to_pylist()] == table.to_pylist()
    assert all(part.num_rows == 1 or text_bytes(part).sum() <= max_bytes for part in parts)
    for part, following in itertools.pairwise(parts):
        assert text_bytes(part).sum() + text_bytes(following)[0] > max_bytes
    assert [shard.path for shard in shards] == [
        f"data/t/train-{number:05d}-of-{len(shards):05d}.parquet" for number in range(len(shards))
    ]


def test_a_shard_may_be_exactly_full(tmp_path):
    table = _table(["tea", "pot"] * 4)
    exactly = int(text_bytes(table.slice(0, 2)).sum())
    shards = write_shards({"t": table.slice(0, 2)}, tmp_path, "huggingface", exactly)
    assert [shard.rows for shard in shards] == [2]


@given(st.lists(TEXT, max_size=20), st.integers(0, 20))
def test_text_bytes_counts_utf8_and_lengths_of_any_slice(texts, begin):
    table = _table(texts).slice(begin)

    def size(value: object) -> int:
        return 4 + (sum(map(size, value)) if isinstance(value, list) else len(str(value).encode()))

    assert np.array_equal(text_bytes(table), [sum(map(size, row.values())) for row in table.to_pylist()])


def test_pages_are_indexed_and_compressed_and_chunked_by_content(tmp_path):
    """A row inserted early changes few later pages, so that pushing a new version uploads little."""
    old_rows = _table([hashlib.sha256(str(number).encode()).hexdigest() * 8 for number in range(8_000)])
    new_row = publish_rows.table([publish_rows.row("t", "train", "IND_Diverse_Instruction", 9_999, input="one more")])
    new_rows = pa.concat_tables([old_rows.slice(0, 100), new_row, old_rows.slice(100)])
    (before,) = write_shards({"t": old_rows}, tmp_path / "a", "huggingface")
    (after,) = write_shards({"t": new_rows}, tmp_path / "b", "huggingface")
    old, new = (tmp_path / "a" / before.path).read_bytes(), (tmp_path / "b" / after.path).read_bytes()
    blocks = {old[place : place + 64] for place in range(len(old) - 63)}
    known = sum(new[place : place + 64] in blocks for place in range(0, len(new) - 63, 64))
    assert known > 0.7 * len(new) / 64
    column = pq.ParquetFile(tmp_path / "a" / before.path).metadata.row_group(0).column(4)
    assert (column.compression, column.has_offset_index) == ("ZSTD", True)


def test_row_groups_are_small_enough_to_be_looked_at(tmp_path):
    """A viewer reads a whole group to show a page of it."""
    long = _table(["x" * 2**20] * 40)
    (shard,) = write_shards({"t": long}, tmp_path, "huggingface")
    metadata = pq.ParquetFile(tmp_path / shard.path).metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sum(sizes) == 40
    assert max(sizes) <= 32
    assert pq.read_table(tmp_path / shard.path)["input"].to_pylist() == long["input"].to_pylist()


def test_a_reader_finds_its_page_by_the_index(tmp_path):
    """Every column of every row group has an index of its pages, which are small."""
    (shard,) = write_shards({"t": _table([str(number) for number in range(3_000)])}, tmp_path, "huggingface")
    group = pq.ParquetFile(tmp_path / shard.path).metadata.row_group(0)
    assert all(group.column(number).has_offset_index for number in range(group.num_columns))
