"""Explain tells the truth: about what a sample shows, about what the split changed, about lines that hold no record."""

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from building import SmallBuild

from ecinstruct_build import explain as explaining
from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, Item, Option, Origin
from ecinstruct_build.explain import explain, story_lines
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples, settled
from ecinstruct_build.stages.split import read_assignments
from ecinstruct_build.store import Store

TASK = "sequential_recommendation"
PRODUCTS = "esci/shopping_queries_dataset_products.parquet"


def place(origin: Origin) -> str:
    return f"{origin.source}/{origin.file}:{origin.line}"


@pytest.fixture(scope="module")
def replaced(small_build: SmallBuild) -> tuple[Example, Example]:
    """An example whose options the split replaced in part, as drawn and as shown."""
    built = small_build.built
    drawn = {example.example_id: example for example in read_examples(built.drawn[TASK])}
    shown = [one.example for one in settled(built.checked.repaired[TASK], built.assigned, TASK)]
    return next((drawn[one.example_id], one) for one in shown if one.options != drawn[one.example_id].options)


def test_the_story_shows_the_options_and_records_of_the_sample_itself(
    small_build: SmallBuild, replaced: tuple[Example, Example]
) -> None:
    drawn, shown = replaced
    story = explain(small_build.built, small_build.raw, shown.example_id)
    rows = read_samples(small_build.built.rendered[TASK]).to_pylist()
    lettered = next(row["options"] for row in rows if row["example_id"] == shown.example_id)
    told = [option["text"] for option in story["example"]["options"]]
    assert Counter(told) == Counter(line.split(": ", 1)[1] for line in lettered.splitlines())
    records = {(row["file"], row["line"]): row["text"] for row in story["raw_records"]}
    listed: tuple[Option | Item, ...] = (*shown.options, *shown.context)
    for one in listed:
        content = gzip.decompress((small_build.raw / one.source / one.file).read_bytes())
        line = content.split(b"\n")[one.line - 1].decode()
        assert one.product_id == f"asin:{json.loads(line)['asin']}"
        assert records[one.file, one.line].split(" ... (")[0] == line[:2000]
    gone = {option for option in drawn.options if option not in shown.options}
    set_aside = {(row["file"], row["line"]) for row in story["set_aside"]}
    assert {(option.file, option.line) for option in gone} <= set_aside
    assert not set_aside & set(records)
    assert any(heading.startswith("raw records of what the split") for heading, _ in story_lines(story))


def test_a_record_tells_the_samples_that_show_it_and_those_that_lost_it(
    small_build: SmallBuild, replaced: tuple[Example, Example]
) -> None:
    drawn, shown = replaced
    stand_in = next(option for option in shown.options if option not in drawn.options)
    lost = next(option for option in drawn.options if option not in shown.options)
    fates = []
    for option in (stand_in, lost):
        story = explain(small_build.built, small_build.raw, f"{option.source}/{option.file}:{option.line}")
        fates.append({made["example_id"]: made["fate"] for made in story["examples"]}[shown.example_id])
    assert fates[0] in {"in train", "in validation", "in test", "in test_ood"}
    assert fates[1] == f"{fates[0]}, without this record: the split trimmed or replaced what it stands for"


def test_a_record_that_was_only_a_spare_is_not_claimed(small_build: SmallBuild) -> None:
    built = small_build.built
    used = set()
    for task, stage in built.drawn.items():
        used |= {origin for example in read_examples(stage) for origin in example.all_origins}
        used |= {origin for one in settled(stage, built.assigned, task) for origin in one.example.all_origins}
    spares = {
        Origin(option.source, option.file, option.line)
        for example in read_examples(built.drawn[TASK])
        for option in example.spare_options
    }
    only_spare = min(spares - used, key=place)
    story = explain(built, small_build.raw, place(only_spare))
    assert (story["fate"], story["examples"]) == ("ingested; no task drew it", [])


def test_a_record_whose_example_was_lost_says_what_it_was_lost_to(small_build: SmallBuild) -> None:
    built = small_build.built
    dropped = {row["example_id"]: row["reason"] for row in read_assignments(built.assigned, TASK) if not row["split"]}
    example = read_examples(built.drawn[TASK], list(dropped))[0]
    story = explain(built, small_build.raw, place(example.origins[0]))
    fates = {made["example_id"]: made["fate"] for made in story["examples"]}
    assert fates[example.example_id] == f"dropped by the split: {dropped[example.example_id]}"


@pytest.mark.parametrize("question", ["example", "record"])
def test_each_table_is_read_once_for_a_question(
    small_build: SmallBuild, replaced: tuple[Example, Example], question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(explaining, name)

        def read(*arguments: Any, **named: Any) -> Any:
            reads[f"{name} {arguments}"] += 1
            return real(*arguments, **named)

        return read

    for name in ("read_examples", "read_assignments", "read_samples"):
        monkeypatch.setattr(explaining, name, counted(name))
    _, shown = replaced
    explain(small_build.built, small_build.raw, shown.example_id if question == "example" else place(shown.origins[0]))
    assert set(reads.values()) == {1}


@pytest.mark.parametrize(
    ("record", "fate"),
    [
        ("amazonqa/test-qar.jsonl:99999999", "no record starts at this line"),
        ("amazonqa/test-qar.jsonl:0", "no record starts at this line"),
        (f"{PRODUCTS}:99999999", "no record starts at this line"),
        (f"{PRODUCTS}:0", "no record starts at this line"),
        ("amazon_google/Amazon.csv:1", "no record starts at this line"),
        ("esci/shopping_queries_dataset_sources.csv:1", "no record starts at this line"),
        ("esci/shopping_queries_dataset_sources.csv:2", "read; this kind of file fills no table"),
    ],
)
def test_a_line_without_a_record_is_not_said_to_be_ingested(small_build: SmallBuild, record: str, fate: str) -> None:
    story = explain(small_build.built, small_build.raw, record)
    assert (story["fate"], story["examples"]) == (fate, [])
    assert (story["raw_records"][0]["text"] == "(no record starts at this line)") == fate.startswith("no record")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            "sentiment_analysis:0123456789abcdef",
            r"drew no example .*:0123456789abcdef' in the last build of this stage",
        ),
        ("esci/shoping_queries_dataset_products.parquet:1", rf"not read in the last build .* mean '{PRODUCTS}'\?"),
        ("sentiment_analysi:1", r"neither an example id .* mean 'sentiment_analysis'\? Tasks of the last build"),
    ],
)
def test_what_the_last_build_does_not_know_is_told(small_build: SmallBuild, asked: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        explain(small_build.built, small_build.raw, asked)


def test_a_parquet_record_is_read_without_the_rest_of_its_file(small_build: SmallBuild, tmp_path: Path) -> None:
    table = pq.read_table(small_build.raw / PRODUCTS)
    (tmp_path / "esci").mkdir()
    pq.write_table(table, tmp_path / PRODUCTS, row_group_size=50)
    last = pq.read_metadata(tmp_path / PRODUCTS).row_group(table.num_rows // 50 - 1).column(0)
    content = bytearray((tmp_path / PRODUCTS).read_bytes())
    begin = last.dictionary_page_offset or last.data_page_offset
    content[4:begin] = bytes(begin - 4)
    (tmp_path / PRODUCTS).write_bytes(content)
    line = table.num_rows // 50 * 50
    (record,) = explain(small_build.built, tmp_path, f"{PRODUCTS}:{line}")["raw_records"]
    assert record["text"] == str(table.slice(line - 1, 1).to_pylist()[0])


@pytest.fixture(scope="module")
def odd_lines(small_world: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Path, int]:
    """A build from a file that ends in a blank line and a record over three lines; and the blank line's number."""
    folder = tmp_path_factory.mktemp("odd")
    shutil.copytree(small_world / "amazon_google", folder / "raw" / "amazon_google")
    file = folder / "raw" / "amazon_google" / "Amazon.csv"
    content = file.read_bytes()
    file.write_bytes(content + b'\r\n"b0odd","lamp","burns\r\nall\r\nnight","makers","9.50"\r\n')
    recipe = folder / "one.toml"
    recipe.write_text('name = "one"\n[sources.amazon_google]\n[tasks.product_matching]\nquota = { train = 5 }\n')
    machine = Machine(Store(folder / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    build(load_recipe(str(recipe)), folder / "raw", folder / "dataset", machine)
    built, raw, _ = last_build(machine)
    return built, raw, content.count(b"\n") + 1


def test_a_record_over_several_lines_is_told_whole_and_starts_at_its_first(odd_lines: tuple[Built, Path, int]) -> None:
    built, raw, blank = odd_lines
    stories = [explain(built, raw, f"amazon_google/Amazon.csv:{line}") for line in range(blank, blank + 4)]
    nothing, whole = "no record starts at this line", '"b0odd","lamp","burns\r\nall\r\nnight","makers","9.50"'
    assert [story["fate"] for story in stories] == [nothing, "ingested; no task drew it", nothing, nothing]
    texts = [story["raw_records"][0]["text"] for story in stories]
    assert texts == [f"({nothing})", whole, f"({nothing})", f"({nothing})"]
