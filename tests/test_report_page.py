"""The report of a build: its figures against counts made by hand from the published files, and its books adding up."""

import json
from collections import Counter
from dataclasses import replace
from math import ceil
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from building import SmallBuild
from hypothesis import given
from hypothesis import strategies as st
from publish_rows import samples as published_samples

from ecinstruct_build.audit.result import Audit, Exceeded, Overlap
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.reporting.page.contents import (
    BINS,
    diversity_of,
    each_once,
    labels_of,
    lengths_of,
    positions_of,
    words_in,
)
from ecinstruct_build.reporting.page.data import ReportData
from ecinstruct_build.reporting.page.gather import gather
from ecinstruct_build.reporting.page.leakage import with_audit
from ecinstruct_build.stages.samples import read_samples

SEEN = ("IND_Diverse_Instruction", "OOD_Diverse_Instruction")


@pytest.fixture(scope="module")
def rows(small_build: SmallBuild) -> list[dict[str, Any]]:
    """Every published row, with the task by module name and the split by file name."""
    found = []
    for path in sorted((small_build.out / "data").rglob("*.parquet")):
        place = {"module": path.parent.name, "place": path.name.rsplit("-", 3)[0]}
        found += [{**row, **place} for row in pq.ParquetFile(path).read().to_pylist()]
    return found


@pytest.fixture(scope="module")
def data(small_build: SmallBuild) -> ReportData:
    return report_of(small_build)


def report_of(
    small_build: SmallBuild, samples: dict[str, pa.Table] | None = None, audit: Any = None, *, generated: bool = False
) -> ReportData:
    samples = samples or {name: read_samples(stage) for name, stage in small_build.built.rendered.items()}
    audit = audit or json.loads((small_build.out / "audit.json").read_text())
    manifest = {**small_build.manifest, "generated": generated}
    return with_audit(gather(small_build.built, small_build.recipe, samples, manifest, None), audit)


def test_every_record_is_accounted_for(data: ReportData) -> None:
    assert data.sources
    for one in data.sources:
        assert one.records == one.ingested + one.quarantined + one.collapsed > 0
        assert sum(one.reasons.values()) == one.quarantined


def test_every_drawn_example_is_accounted_for(data: ReportData) -> None:
    for one in data.tasks:
        ended = sum(one.rejected.values()) + sum(one.dropped.values()) + sum(one.examples.values())
        assert one.drawn == ended > 0
    assert sum(one.drawn for one in data.sources) == sum(one.drawn for one in data.tasks)
    assert sum(one.examples for one in data.sources) == sum(one.made for one in data.tasks)


def test_every_published_row_is_accounted_for(data: ReportData, rows: list[dict[str, Any]]) -> None:
    assert data.samples == len(rows)
    by_place = Counter((row["module"], row["place"]) for row in rows)
    assert by_place == Counter({(one.task, place): n for one in data.tasks for place, n in one.samples.items() if n})
    by_source = Counter((row["source"], row["module"]) for row in rows)
    assert by_source == Counter({(one.source, task): n for one in data.sources for task, n in one.samples.items()})
    by_source_and_place = Counter((row["module"], row["source"], row["place"]) for row in rows)
    told = {
        (one.task, source, place): n
        for one in data.tasks
        for source, found in one.sources.items()
        for place, n in found.items()
    }
    assert by_source_and_place == Counter(told)
    for one in data.tasks:
        mine = [row for row in rows if row["module"] == one.task]
        assert one.made == len({row["example_id"] for row in mine}) == sum(row["setting"] in SEEN for row in mine)


def test_lengths_are_those_of_the_published_texts(data: ReportData, rows: list[dict[str, Any]]) -> None:
    assert {(one.task, one.column) for one in data.lengths} == {
        (one.task, column) for one in data.tasks for column in ("input", "instruction", "output")
    }
    for one in data.lengths:
        mine = [row for row in rows if row["module"] == one.task]
        counted = mine if one.column == "instruction" else [row for row in mine if row["setting"] in SEEN]
        words = sorted(len(row[one.column].split()) for row in counted)
        assert one.texts == len(words)
        assert one.median == words[ceil(len(words) / 2) - 1]
        assert one.p95 == words[ceil(0.95 * len(words)) - 1]
        assert one.longest == words[-1]
        for place, texts in enumerate(one.bins):
            high = BINS[place + 1] if place + 1 < len(BINS) else words[-1] + 1
            assert texts == sum(BINS[place] <= each < high for each in words)


@given(st.lists(st.text(alphabet="ab \t\n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}é", max_size=20), max_size=8))
def test_words_are_counted_as_python_splits_them(texts: list[str]) -> None:
    assert words_in(pa.array(texts, pa.string())).tolist() == [len(text.split()) for text in texts]


def test_labels_are_the_texts_of_the_options(data: ReportData, rows: list[dict[str, Any]]) -> None:
    labels = {one.task: one for one in data.labels}
    stars = labels["sentiment_analysis"]
    assert stars.names == ("very positive", "positive", "neutral", "negative", "very negative")
    for split, published in (("train", "train"), ("validation", "validation"), ("test_ood", "test_ood")):
        mine = [row for row in rows if (row["module"], row["place"]) == ("sentiment_analysis", published)]
        assert stars.counts[split] == tuple(sum(row["output"] == letter for row in mine) for letter in "ABCDE")
    assert labels["product_matching"].names == ("no", "yes")
    assert sum(map(sum, labels["product_matching"].counts.values())) == 124
    assert not {"sequential_recommendation", "query_product_ranking", "answer_generation"} & set(labels)


def test_labels_of_attributes_say_whether_there_are_any(data: ReportData, rows: list[dict[str, Any]]) -> None:
    found = next(one for one in data.labels if one.task == "attribute_value_extraction")
    mine = [row for row in rows if (row["module"], row["place"]) == ("attribute_value_extraction", "train")]
    absent = [[one["value"] == "None" for one in json.loads(row["output"])] for row in mine]
    by_name = dict(zip(found.names, found.counts["train"], strict=True))
    assert by_name["none is there"] == sum(all(each) for each in absent)
    assert by_name["every attribute is there"] == sum(not any(each) for each in absent)


def test_letters_of_right_options_are_held_against_an_even_share(data: ReportData, rows: list[dict[str, Any]]) -> None:
    assert [one.task for one in data.positions] == ["query_product_ranking", "sequential_recommendation"]
    for one in data.positions:
        mine = [row for row in rows if row["module"] == one.task and row["setting"] in SEEN]
        seen = Counter(row["output"][0] for row in mine)
        sizes = [len(row["options"].split("\n")) for row in mine]
        assert one.examples == len(mine)
        for place, (letter, right, expected) in enumerate(one.letters):
            assert right == seen[letter]
            assert expected == pytest.approx(sum(1 / size for size in sizes if place < size), abs=1e-3)
        assert sum(expected for _, _, expected in one.letters) == pytest.approx(len(mine), abs=0.02)
        assert one.probability is not None
        assert 0 < one.probability <= 1


def test_instructions_are_counted_by_split_and_held_out_ones_marked(
    data: ReportData, rows: list[dict[str, Any]]
) -> None:
    for one in data.diversity:
        mine = [row for row in rows if row["module"] == one.task]
        assert sum(sum(wording.rows.values()) for wording in one.instructions) == len(mine)
        for wording in one.instructions:
            used = Counter(row["place"] for row in mine if row["template_id"] == wording.template_id)
            assert used == Counter(wording.rows)
            assert wording.held_out == any("unseen" in place for place in wording.rows)
            assert wording.held_out == (not any("unseen" not in place for place in wording.rows))
        once = [row for row in mine if row["setting"] in SEEN]
        assert one.inputs == len(once)
        assert one.distinct_inputs == len({row["input"] for row in once})
        assert one.distinct_outputs == len({row["output"] for row in once})


def test_diversity_is_what_a_hand_counts() -> None:
    table = published_samples(per_split=1)["product_matching"]
    texts = pa.array(["Judge it well", "judge it"] * table.num_rows)[: table.num_rows]
    table = table.set_column(table.schema.get_field_index("instruction"), "instruction", texts)
    found = diversity_of("product_matching", table, each_once(table), "huggingface")
    # Words: judge it well, judge it: 3 of 5 differ. Pairs: judge-it, it-well, judge-it: 2 of 3. Shared words: 2 of 3.
    assert (found.distinct_1, found.distinct_2, found.overlap) == (0.6, 0.666667, 0.666667)


def test_duplicates_are_counted_and_some_are_shown(data: ReportData, small_build: SmallBuild) -> None:
    counts: dict[str, dict[str, set[str]]] = {}
    for task in small_build.built.drawn:
        for row in small_build.built.checked.verdicts(task):
            if row["check"] == "duplicates" and row["action"] == "reject":
                counts.setdefault(row["reason"], {}).setdefault(task, set()).add(row["example_id"])
    assert counts
    assert data.duplicates.counts == {
        reason: {task: len(ids) for task, ids in tasks.items()} for reason, tasks in counts.items()
    }
    assert {one.reason for one in data.duplicates.pairs} == set(counts)
    for one in data.duplicates.pairs:
        assert one.left_out in counts[one.reason][one.task]
        assert 0 < one.similarity <= 1
    shown = [(one.reason, example) for one in data.duplicates.pairs for example in (one.left_out, one.peer)]
    assert len(set(shown)) == len(shown), "a crowd of look-alikes is shown once"


def test_texts_are_shown_only_where_their_terms_allow_it(small_build: SmallBuild) -> None:
    allowed, everything = report_of(small_build).duplicates, report_of(small_build, generated=True).duplicates
    terms = {}
    for task, stage in small_build.built.checked.repaired.items():
        table = stage.table("examples", ["example_id", "source"])
        terms |= dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
        assert task
    shown = {one.left_out: (one.text, full.text) for one, full in zip(allowed.pairs, everything.pairs, strict=True)}
    restricted = {one for one in shown if not SOURCES.get(terms[one]).redistributable}
    assert restricted, "the build must have some to say anything"
    for one, (text, full) in shown.items():
        assert full
        assert text == (None if one in restricted else full)


def test_locales_add_up(data: ReportData) -> None:
    assert sum(one.drawn for one in data.locales) == sum(one.drawn for one in data.tasks)
    assert sum(one.examples for one in data.locales) == sum(one.made for one in data.tasks)
    rejected = sum(one.rejected.get("language: foreign language", 0) for one in data.tasks)
    assert sum(sum(one.foreign.values()) for one in data.locales) >= rejected > 0


def test_the_leakage_matrix_is_that_of_the_audit(data: ReportData, small_build: SmallBuild) -> None:
    audit = json.loads((small_build.out / "audit.json").read_text())
    pairs = data.leakage.pairs
    cells = {(row.kind, *pair): cell for row in data.leakage.rows for pair, cell in zip(pairs, row.cells, strict=True)}
    for one in audit["overlaps"]:
        cell = cells.get((one["kind"], one["left"], one["right"]))
        assert cell == ((one["right_rows"], one["right_carrying"], False) if one["right_carrying"] else None)
    assert data.leakage.passed


def test_an_audit_reads_the_same_as_its_json(small_build: SmallBuild) -> None:
    overlap = Overlap("family", "train", "test", "family_overlap", 1, 2, 3, 50, 40, ())
    over = Exceeded("held-out rows that share a family", "train and test", 3, 0, "family_overlap")
    counts = (("Sentiment_Analysis", "train", 50), ("Sentiment_Analysis", "test", 40))
    audit = Audit(90, 2, (), counts, (overlap,), (), (), (), (over,), {"family_overlap": 0})
    found = report_of(small_build, audit=audit).leakage
    assert found == report_of(small_build, audit=json.loads(audit.to_json())).leakage
    assert not found.passed
    assert found.rows[0].cells == ((3, 40, True),)
    assert found.exceeded == (str(over),)


def test_the_report_does_not_depend_on_the_order_of_rows(small_build: SmallBuild, data: ReportData) -> None:
    turned = {
        name: (table := read_samples(stage)).take(pa.array(range(table.num_rows - 1, -1, -1)))
        for name, stage in reversed(small_build.built.rendered.items())
    }
    assert json.dumps(report_of(small_build, turned).to_json()) == json.dumps(data.to_json())


def test_times_are_summed_by_stage(data: ReportData, small_build: SmallBuild) -> None:
    stages = small_build.manifest["stages"]
    for one in data.stages:
        mine = [stage for stage in stages if stage["stage"] == one.stage]
        assert one.ran + one.reused == len(mine)
        assert one.seconds + one.reused_seconds == pytest.approx(sum(stage["seconds"] for stage in mine), abs=0.002)
    assert {one.stage for one in data.stages} == {stage["stage"] for stage in stages}


def test_a_task_without_rows_is_reported_as_empty(small_build: SmallBuild) -> None:
    samples = {name: read_samples(stage) for name, stage in small_build.built.rendered.items()}
    samples["sentiment_analysis"] = samples["sentiment_analysis"].slice(0, 0)
    found = report_of(small_build, samples)
    assert "sentiment_analysis" not in {one.task for one in (*found.lengths, *found.labels)}
    assert next(one for one in found.diversity if one.task == "sentiment_analysis").instructions == ()


@pytest.mark.parametrize("layout", ["huggingface", "ecinstruct"])
def test_examples_count_once_in_either_layout(layout: str) -> None:
    table = published_samples(layout)["sentiment_analysis"]
    once = each_once(table)
    assert once.num_rows == len(set(once["example_id"].to_pylist())) == len(set(table["example_id"].to_pylist())) == 13
    labels = labels_of("sentiment_analysis", once)
    assert labels is not None
    assert labels.counts == {"train": (4,), "validation": (3,), "test": (3,), "test_ood": (3,)}
    assert positions_of("sentiment_analysis", once) is None
    assert [one.texts for one in lengths_of("sentiment_analysis", table, once)] == [13, table.num_rows, 13]


def test_json_is_plain(data: ReportData) -> None:
    assert json.loads(json.dumps(data.to_json())) == data.to_json()
    assert replace(data, review=None).to_json()["review"] is None
