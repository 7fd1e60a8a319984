"""What changed between two versions, possible causes, and the change log that tells of it."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audit_rows import Row, clean_dataset, write_parquet
from hypothesis import given
from hypothesis import strategies as st

from ecinstruct_build.publish.hub.causes import causes
from ecinstruct_build.publish.hub.changelog import added_to, change_entry, insert
from ecinstruct_build.publish.hub.changes import Row as Sample
from ecinstruct_build.publish.hub.changes import compare, example_ids, read_rows, with_reasons

pytestmark = pytest.mark.slow

TODAY = date(2026, 5, 4)

samples = st.builds(
    Sample,
    st.sampled_from(["train", "validation", "test"]),
    st.sampled_from([b"a", b"b"]),
    st.sampled_from([b"x", b"y"]),
)
versions = st.dictionaries(
    st.sampled_from(["one", "two"]),
    st.dictionaries(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["seen", "unseen"])), samples),
)


@given(before=versions, after=versions)
def test_the_counts_lead_from_one_version_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    changes = {one.task: one for one in compare(before, after)}
    back = {one.task: one for one in compare(after, before)}
    assert changes.keys() == back.keys()
    for task in {*before, *after}:
        old, new = before.get(task, {}), after.get(task, {})
        if old == new:
            assert task not in changes
            continue
        one, other = changes[task], back[task]
        assert (one.added, one.removed) == (other.removed, other.added)
        assert (one.changed, one.annotated) == (other.changed, other.annotated)
        assert one.moved == {(b, a): count for (a, b), count in other.moved.items()}
        for split in ("train", "validation", "test"):
            count = sum(row.split == split for row in old.values())
            count += one.added.get(split, 0) - one.removed.get(split, 0)
            count += sum(n for (_, to), n in one.moved.items() if to == split)
            count -= sum(n for (out, _), n in one.moved.items() if out == split)
            assert count == sum(row.split == split for row in new.values())
        kept = len(old.keys() & new.keys())
        same = sum(old[key] == new[key] for key in old.keys() & new.keys())
        assert kept - same == one.changed + one.annotated + sum(one.moved.values())


def planted() -> tuple[list[Row], list[Row]]:
    """Training and test rows of one task, with one change of each kind between them."""
    made = clean_dataset({"train": 9, "test": 3, "test_unseen_instructions": 3}, tasks=("Sentiment_Analysis",))
    before = [row for rows in made.rows.values() for row in rows]
    after = json.loads(json.dumps(before))
    after[0]["input"] += " Indeed."
    after[1]["output"] = "E" if after[1]["output"] != "E" else "D"
    after[2]["split"] = "val"
    after[3] |= {"split": "test", "setting": "IND_Unseen_Instruction"}
    after[4]["families"] = ["family:other"]
    del after[10]
    after.append({**after[0], "example_id": "sentiment_analysis:new"})
    return before, after


def test_each_kind_of_change_is_found_wherever_the_rows_stand(tmp_path: Path) -> None:
    before, after = planted()
    write_parquet(before, tmp_path / "before.parquet")
    write_parquet(after, tmp_path / "after.parquet")
    write_parquet(after[5:], tmp_path / "part-1.parquet")
    write_parquet(after[:5][::-1], tmp_path / "part-0.parquet")
    old = read_rows([tmp_path / "before.parquet"])
    (found,) = compare(old, read_rows([tmp_path / "after.parquet"]))
    parts = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    assert compare(old, read_rows(parts)) == [found]
    assert found.task == "sentiment_analysis"
    assert (found.changed, found.annotated) == (2, 1)
    assert found.moved == {("train", "validation"): 1}
    assert found.added == {"train": 1, "test_unseen_instructions": 1}
    assert found.removed == {"train": 1, "test": 1}
    assert found.gone == (before[3]["example_id"], before[10]["example_id"])
    told = with_reasons(found, example_ids(parts), {before[10]["example_id"]: "rejected:\n too   short"})
    assert told.reasons == {"rejected: too short": 1, "the example is published in other splits or settings": 1}


cells = st.none() | st.lists(st.none() | st.text(max_size=2), max_size=3)


@given(one=cells, other=cells)
def test_lists_that_differ_are_told_apart(tmp_path_factory: pytest.TempPathFactory, one: Any, other: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    columns = {"task": ["T"], "split": ["train"], "setting": ["S"], "example_id": ["t:1"], "input": ["words"]}
    for name, cell in (("one", one), ("other", other)):
        table = pa.table({**columns, "products": pa.array([cell], pa.list_(pa.string()))})
        pq.write_table(table, folder / f"{name}.parquet")
    found = compare(*(read_rows([folder / f"{name}.parquet"]) for name in ("one", "other")))
    assert [task.annotated for task in found] == ([] if one == other else [1])


def test_what_differs_between_two_builds_is_found_and_nothing_else() -> None:
    before = {
        "recipe": {
            "seed": 0,
            "name": "x",
            "split": {"seed": None},
            "tasks": {"t": {"quota": {"train": 400}, "ind": ["A"]}},
        },
        "seeds": {"draw": 0, "split": 0},
        "versions": {"pyarrow": "26.0.1", "numpy": "2.4.6"},
        "inputs": [
            {"source": "s", "file": "a.csv", "sha256": "a" * 64},
            {"source": "s", "file": "b.csv", "sha256": "b"},
        ],
        "stages": [{"seconds": 1.5}],
    }
    assert not causes(before, {**before, "stages": [{"seconds": 99}]})
    after = json.loads(json.dumps(before))
    after["recipe"] |= {"seed": 7, "name": "y"}
    after["recipe"]["tasks"]["t"] |= {"quota": {"train": 200}, "ind": ["A", "B"], "new": True}
    after["seeds"]["split"] = 7
    after["versions"] |= {"pyarrow": "27.0.0"}
    del after["versions"]["numpy"]
    after["inputs"][0]["sha256"] = "c" * 64
    del after["inputs"][1]
    assert causes(before, after).to_json() == {
        "seeds": ["split: 0 to 7"],
        "settings": [
            'tasks.t.ind: ["A"] to ["A", "B"]',
            "tasks.t.new: none to true",
            "tasks.t.quota.train: 400 to 200",
        ],
        "versions": ["numpy: 2.4.6 to none", "pyarrow: 26.0.1 to 27.0.0"],
        "inputs": ["s/a.csv: aaaaaaaaaaaa to cccccccccccc", "s/b.csv: b to none"],
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
manifests = st.dictionaries(st.sampled_from(["recipe", "seeds", "versions", "inputs", "shards"]), json_values)


@given(before=manifests, after=manifests)
def test_any_manifest_can_be_told_of(before: dict[str, Any], after: dict[str, Any]) -> None:
    body = change_entry([], causes(before, after), before, after, ["data/x.parquet"])
    assert not re.search(r"^#", body, re.MULTILINE)
    assert causes(before, before).to_json() == causes({}, {}).to_json()


def test_the_entry_names_what_happened_and_why(tmp_path: Path) -> None:
    before, after = planted()
    for name, rows in (("before", before), ("after", after)):
        write_parquet(rows, tmp_path / f"{name}.parquet")
    (found,) = compare(*(read_rows([tmp_path / f"{name}.parquet"]) for name in ("before", "after")))
    found = with_reasons(found, set(), dict.fromkeys(found.gone, "over quota"))
    shards = {"shards": [{"task": task, "split": "train", "rows": 15} for task in ("sentiment_analysis", "other")]}
    manifests = [{**shards, "seeds": {"split": seed}} for seed in (0, 7)]
    entry = change_entry([found], causes(*manifests), *manifests, [])
    assert entry == (
        "30 samples, as many as before.\n"
        "\n"
        "| task | before | after | added | removed | changed text | moved between splits | other columns only |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| sentiment_analysis | 15 | 15 | 2 | 2 | 2 | 1 | 1 |\n"
        "\n"
        "Added, by split:\n\n- sentiment_analysis: 1 train; 1 test_unseen_instructions\n"
        "\n"
        "Removed, by split:\n\n- sentiment_analysis: 1 train; 1 test\n"
        "\n"
        "Moved, by split:\n\n- sentiment_analysis: 1 train to validation\n"
        "\n"
        "Unchanged: other.\n"
        "\n"
        "Removed, and why:\n\n- sentiment_analysis: 2 over quota\n"
        "\n"
        "Seeds that differ:\n\n- `split`: `0` to `7`\n"
    )


notes = st.text(st.sampled_from("# ab\n\r`[]v1.2-"), max_size=60)


@given(present=notes, tag=st.sampled_from(["", "v1", "v1.2"]))
def test_whatever_stands_in_the_change_log_stays_byte_for_byte(present: str, tag: str) -> None:
    text = insert(present, tag, TODAY, "What is new.\n\n- this")
    assert text.count("What is new.") == 1
    if present.strip():
        assert any(text.startswith(present[:n]) and text.endswith(present[n:]) for n in range(len(present) + 1))


def test_the_newest_version_comes_first_and_notes_written_ahead_stay_below_it() -> None:
    log = "# Changelog\n\nHello.\n"
    for tag in ("v1", "", "v1.2"):
        log, added = added_to(log, tag, TODAY, f"Body of {tag}.", news=True)
        assert added
    assert re.findall(r"^## .*", log, re.MULTILINE) == [
        "## v1.2 (2026-05-04)",
        "## Untagged (2026-05-04)",
        "## v1 (2026-05-04)",
    ]
    assert log.startswith("# Changelog\n\nHello.\n")
    ahead = "# Changelog\n\n## v1.2.1\n\nOther.\n\n## [v1.2] - soon\n\nMy notes.\n"
    told, _ = added_to(ahead, "v1.2", TODAY, "Ours.", news=True)
    assert told == "# Changelog\n\n## v1.2.1\n\nOther.\n\n## [v1.2] - soon\n\nOurs.\n\nMy notes.\n"


def test_a_version_without_news_is_told_of_once() -> None:
    log, _ = added_to("", "v1", TODAY, "First.", news=True)
    assert added_to(log, "", TODAY, "Nothing.", news=False) == (log, False)
    assert added_to(log, "v1", TODAY, "Nothing.", news=False) == (log, False)
    twice, added = added_to(log, "v1.0.1", TODAY, "Nothing.", news=False)
    assert added
    assert added_to(twice, "v1.0.1", TODAY, "Nothing.", news=False) == (twice, False)
