"""A build from genuine pieces of the public corpora: everything in is accounted for, and what comes out is right."""

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from building import leaks
from ecellm_scoring import score
from sharing import made_once

from ecinstruct_build.drawing.pools import Stretch
from ecinstruct_build.engine import EngineSettings, Tables
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.registry import SOURCES, TASKS
from ecinstruct_build.rendering.lint import lint
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.stages.corpora import IngestedFile, canonical_tables, parts_of, stages_of
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples
from ecinstruct_build.store import Store
from ecinstruct_build.task import Request, TaskSettings

pytestmark = pytest.mark.slow

# Records, and of them quarantined and collapsed; rows by canonical table.
PIECES: Mapping[str, tuple[int, int, int, Mapping[str, int]]] = {
    "abt_buy/Abt.csv": (1081, 0, 0, {"product": 1081}),
    "abt_buy/Buy.csv": (1092, 0, 0, {"product": 1092}),
    "abt_buy/deepmatcher/tableA.csv": (1081, 0, 0, {"product": 1081}),
    "abt_buy/deepmatcher/tableB.csv": (1092, 0, 0, {"product": 1092}),
    "abt_buy/deepmatcher/test.csv": (1916, 0, 0, {"match": 1916}),
    "abt_buy/deepmatcher/train.csv": (5743, 0, 0, {"match": 5743}),
    "abt_buy/deepmatcher/valid.csv": (1916, 0, 0, {"match": 1916}),
    "abt_buy/pyjedai_gt.csv": (1076, 0, 0, {}),
    "ae110k/test.jsonl": (524, 0, 0, {"attribute": 1482, "product": 524}),
    "ae110k/train.jsonl": (1568, 0, 0, {"attribute": 4360, "product": 1568}),
    "amazon_google/Amazon.csv": (670, 0, 0, {"product": 670}),
    "amazon_google/Amzon_GoogleProducts_perfectMapping.csv": (633, 0, 0, {"match": 633}),
    "amazon_google/GoogleProducts.csv": (1627, 0, 0, {"product": 1627}),
    "amazon_m2/task2_public_test_sessions_test.parquet": (34688, 0, 676, {"session": 34012}),
    "amazon_m2/task3_test_phrase1_sessions_test.parquet": (56421, 0, 917, {"session": 55504}),
    "amazon_reviews_2014/meta_Digital_Music.json.gz": (3690, 0, 0, {"product": 3690, "relation": 163292}),
    "amazon_reviews_2014/reviews_Digital_Music_5.json.gz": (3399, 0, 0, {"review": 3399}),
    "amazon_reviews_2018/AMAZON_FASHION_5.json.gz": (3176, 0, 68, {"review": 3108}),
    "amazon_reviews_2018/Appliances_5.json.gz": (2277, 0, 2071, {"review": 206}),
    "amazon_reviews_2018/Gift_Cards_5.json.gz": (1640, 0, 0, {"review": 1640}),
    "amazon_reviews_2018/Magazine_Subscriptions.truncated546.csv": (546, 0, 0, {"review": 546}),
    "amazon_reviews_2018/Magazine_Subscriptions_5.json.gz": (2375, 0, 42, {"review": 2333}),
    "amazon_reviews_2018/metaFiles2/meta_Gift_Cards.json.gz": (739, 0, 0, {"product": 739, "relation": 28960}),
    "amazon_reviews_2018/metaFiles2/meta_Magazine_Subscriptions.json.gz": (
        3385,
        0,
        1065,
        {"product": 2320, "relation": 75130},
    ),
    "amazon_reviews_2018/meta_Gift_Cards.json.gz": (739, 0, 0, {"product": 739, "relation": 28960}),
    "amazon_reviews_2018/meta_Magazine_Subscriptions.json.gz": (3385, 0, 1065, {"product": 2320, "relation": 75130}),
    "amazon_reviews_2023/review10.json": (10, 0, 0, {"product": 8, "review": 10}),
    "amazonqa/train-qar.jsonl": (3, 0, 0, {"question": 3}),
    "esci/shopping_queries_dataset_examples.parquet": (3054, 0, 0, {"judgement": 3054}),
    "esci/shopping_queries_dataset_products.parquet": (3049, 0, 0, {"product": 3049}),
    "esci/shopping_queries_dataset_sources.csv": (68, 0, 0, {}),
    "esci/tasksource_sample200.csv": (200, 0, 0, {"judgement": 200, "product": 200}),
    "mave/splits/PRODUCT/train/wdc/mave_positives.jsonl": (6253, 15, 0, {"attribute": 6238, "product": 6238}),
    "mave/splits/PRODUCT/train/wdc_0.2/mave_negatives.jsonl": (1697, 0, 0, {"attribute": 1697, "product": 1697}),
    "mave/splits/PRODUCT/validation/wdc/mave_negatives.jsonl": (949, 0, 0, {"attribute": 949, "product": 949}),
    "mave/splits/PRODUCT/validation/wdc/mave_positives.jsonl": (694, 1, 0, {"attribute": 693, "product": 693}),
    "mcauley_qa/QA_Video_Games.json.gz": (591, 0, 0, {"question": 3863}),
    "mcauley_qa/qa_Appliances.json.gz": (9011, 0, 3, {"question": 9008}),
    "wdc_products/ditto_cameras/test.txt": (1057, 0, 8, {"match": 1049, "product": 1065}),
    "wdc_products/ditto_cameras/train.txt.small": (1409, 0, 0, {"match": 1409, "product": 1596}),
    "wdc_products/ditto_cameras/valid.txt.small": (392, 0, 0, {"match": 392, "product": 651}),
    "wdc_products/ditto_computers/test.txt": (1098, 0, 17, {"match": 1081, "product": 1185}),
    "wdc_products/ditto_computers/train.txt.small": (2231, 0, 0, {"match": 2231, "product": 2449}),
    "wdc_products/ditto_computers/valid.txt.small": (536, 0, 0, {"match": 536, "product": 912}),
    "wdc_products/ditto_shoes/test.txt": (1084, 0, 20, {"match": 1064, "product": 970}),
    "wdc_products/ditto_shoes/train.txt.small": (1611, 0, 0, {"match": 1611, "product": 1650}),
    "wdc_products/ditto_shoes/valid.txt.small": (404, 0, 0, {"match": 404, "product": 658}),
    "wdc_products/ditto_watches/test.txt": (1012, 0, 18, {"match": 994, "product": 1014}),
    "wdc_products/ditto_watches/train.txt.small": (1756, 0, 0, {"match": 1756, "product": 1998}),
    "wdc_products/ditto_watches/valid.txt.small": (413, 0, 0, {"match": 413, "product": 697}),
}
UNREAD = {
    "amazon_reviews_2023/all_categories.txt",  # lists upstream's files
    "amazon_reviews_2023/hf_lfs_sha256_size_path.tsv",
}
FED_BY = {
    "answer_generation": {"amazonqa", "mcauley_qa"},
    "answerability_prediction": {"amazonqa"},  # no other corpus says whether reviews answer a question
    "attribute_value_extraction": {"ae110k", "mave"},
    "multiclass_product_classification": {"esci"},  # no other corpus grades search results
    "product_matching": {"abt_buy", "amazon_google", "wdc_products"},
    "product_relation_prediction": {"amazon_reviews_2014", "amazon_reviews_2018"},
    "product_substitute_identification": {"esci"},
    "query_product_ranking": {"esci"},
    "sentiment_analysis": {"amazon_reviews_2014", "amazon_reviews_2018", "amazon_reviews_2023"},
    "sequential_recommendation": {"amazon_reviews_2014", "amazon_reviews_2018"},  # the visits' products have no titles
}
TASKS_ON_GRADES = ("multiclass_product_classification", "product_substitute_identification", "query_product_ranking")
NEEDED = {
    "graded results": ("judgement", "label IN ('E', 'S', 'C', 'I')"),
    "questions that are said to be answerable or not": ("question", "answerable IS NOT NULL"),
    "questions with an answer": ("question", "len(answers) > 0"),
    "visits": ("session", "len(product_ids) > 1"),
    "titled products": ("product", "trim(title) <> ''"),
}


@pytest.fixture(scope="module")
def everything(real_corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The manifest of a build over all pieces.

    Besides, by task: under ``fed_by`` the sources of its rows, under ``could_feed`` the sources of which it can draw.
    Under ``tables``: by name, the sources whose rows have what a task needs, by a query written for the test alone.
    """

    def make(place: Path) -> Mapping[str, Any]:
        machine = Machine(Store(place / "work"), EngineSettings(threads=2), jobs=2, progress=Silence())
        manifest = build(load_recipe("real"), real_corpora, place / "dataset", machine)
        built, _, recipe = last_build(machine)
        rows = {name: read_samples(stage).to_pylist() for name, stage in built.rendered.items()}
        assert leaks(row for found in rows.values() for row in found) == set()
        with canonical_tables(built.files, machine) as tables:
            could_feed = {name: able_sources(name, recipe.tasks[name], tables.open()) for name in recipe.tasks}
        return {
            **manifest,
            "fed_by": {name: {row["source"] for row in found} for name, found in rows.items()},
            "could_feed": could_feed,
            "tables": {name: sources_of(built.files, *query) for name, query in NEEDED.items()},
        }

    return made_once(tmp_path_factory, "real_build", make)


def able_sources(name: str, settings: TaskSettings, tables: Tables) -> set[str]:
    """Return the sources of which a task draws an example if it may ask for all that each one alone holds."""
    task, everything = TASKS.get(name), {"pool": Stretch()} if "pool" in type(settings).model_fields else {}
    able = set()
    for source in SOURCES.names():
        alone = settings.model_copy(update={"sources": (source,), **everything})
        if task.draw(tables, alone, Request(seed=0, ind=500, ood=500)).examples:
            able.add(source)
    return able


def sources_of(files: Sequence[IngestedFile], table: str, condition: str) -> set[str]:
    """Return the sources of the rows of a canonical table for which an SQL condition holds."""
    parts = [str(part) for stage in stages_of(files) for part in parts_of(stage, table)]
    query = f"SELECT DISTINCT source FROM read_parquet({parts!r}) WHERE {condition}"
    return {source for (source,) in duckdb.connect().execute(query).fetchall()}


def counted(path: Path) -> int:
    """Count the records of a piece without any code of ours."""
    if path.suffix == ".parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    if path.suffix == ".csv":
        headed = path.name != "Magazine_Subscriptions.truncated546.csv"
        with path.open(encoding="latin-1", newline="") as lines:
            return sum(1 for row in csv.reader(lines) if row) - headed
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def test_every_piece_is_ingested_to_the_record(real_corpora: Path, everything: Mapping[str, Any]) -> None:
    found = {
        f"{entry['source']}/{entry['file']}": (
            *(entry[name] for name in ("records", "quarantined", "collapsed")),
            entry["rows"],
        )
        for entry in everything["inputs"]
    }
    assert found == PIECES
    for piece, (records, quarantined, collapsed, _) in PIECES.items():
        assert records == counted(real_corpora / piece), piece
        if piece.startswith("amazon_reviews_2018") and piece.endswith(".gz"):
            with gzip.open(real_corpora / piece) as lines:
                assert collapsed == records - len(set(lines)), piece
        if piece.startswith("mave"):
            text = (real_corpora / piece).read_text(encoding="utf-8")
            assert quarantined == sum('"begin": -1' in line for line in text.split("\n")), piece


def test_no_file_of_a_piece_is_left_unread(real_corpora: Path) -> None:
    present = {
        path.relative_to(real_corpora).as_posix()
        for path in real_corpora.rglob("*")
        if path.is_file() and path.relative_to(real_corpora).parts[0] in SOURCES.names()
    }
    assert present - PIECES.keys() == UNREAD


def test_every_task_is_fed_by_every_source_that_can_feed_it(everything: Mapping[str, Any]) -> None:
    assert everything["fed_by"] == everything["could_feed"] == FED_BY


def test_the_tables_hold_no_second_source_for_a_task_that_is_fed_by_one(everything: Mapping[str, Any]) -> None:
    tables = everything["tables"]
    assert tables["graded results"] == {"esci"}
    assert tables["questions that are said to be answerable or not"] == {"amazonqa"}
    assert tables["questions with an answer"] == {"amazonqa", "mcauley_qa"}
    assert tables["visits"] == {"amazon_m2"}
    assert "amazon_m2" not in tables["titled products"]
    alone = {name for name, sources in FED_BY.items() if len(sources) == 1}
    assert alone == {*TASKS_ON_GRADES, "answerability_prediction"}


def test_quotas_are_met_and_the_books_of_the_tasks_add_up(everything: Mapping[str, Any]) -> None:
    assert everything["audit"]["passed"]
    for name, account in everything["tasks"].items():
        made, rejected = sum(account["examples"].values()), sum(account["rejected"].values())
        assert account["drawn"] == made + rejected + sum(account["dropped"].values()), name
        assert account["drawn"] == sum(one["drawn"] for one in account["sources"].values()), name
        for split, count in account["examples"].items():
            assert count == sum(one["examples"][split] for one in account["sources"].values()), name
    short = {name for name, account in everything["tasks"].items() if any(account["shortfall"].values())}
    assert short <= {"query_product_ranking", "sequential_recommendation"}


def test_the_smallest_real_files_build_and_the_books_add_up(real_corpora: Path, tmp_path: Path) -> None:
    recipe = load_recipe("small")
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=2), jobs=2, progress=Silence())
    manifest = build(recipe, real_corpora, tmp_path / "dataset", machine)

    for entry in manifest["inputs"]:
        assert entry["records"] == entry["ingested"] + entry["quarantined"] + entry["collapsed"], entry["file"]
        path = real_corpora / entry["source"] / entry["file"]
        if path.name.endswith((".json.gz", ".jsonl")):
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
                assert entry["records"] == sum(1 for line in lines if line.strip()), entry["file"]
    for name, account in manifest["tasks"].items():
        made, rejected = sum(account["examples"].values()), sum(account["rejected"].values())
        assert account["drawn"] == made + rejected + sum(account["dropped"].values()), name

    fed = {name for name, account in manifest["tasks"].items() if sum(account["examples"].values())}
    assert fed >= set(TASKS.names()) - {"answer_generation"}  # the piece of AmazonQA holds three questions
    built, _, _ = last_build(machine)
    for name in sorted(fed):
        rows = read_samples(built.rendered[name]).to_pylist()
        mean, unreadable = score(TASKS.get(name).published_name, rows, [row["output"] for row in rows])
        assert (mean > 0.9999, unreadable) == (True, 0), name
        examples = read_examples(built.drawn[name])
        assert lint(TASKS.get(name), load_templates(name), examples, recipe.seed) == [], name
    assert leaks(row for stage in built.rendered.values() for row in read_samples(stage).to_pylist()) == set()


def test_sentiment_follows_the_stars_of_the_raw_review(real_corpora: Path, tmp_path: Path) -> None:
    machine = Machine(Store(tmp_path / "work"), EngineSettings(threads=2), jobs=1, progress=Silence())
    overrides = ["sources.amazon_reviews_2018.files=['*Magazine_Subscriptions_5.json.gz']"]
    recipe = load_recipe("small", overrides)
    kept = {"sentiment_analysis": recipe.tasks["sentiment_analysis"]}
    sources = {"amazon_reviews_2018": recipe.sources["amazon_reviews_2018"]}
    build(recipe.model_copy(update={"tasks": kept, "sources": sources}), real_corpora, tmp_path / "dataset", machine)
    built, raw, _ = last_build(machine)
    examples = {one.example_id: one for one in read_examples(built.drawn["sentiment_analysis"])}
    rows = read_samples(built.rendered["sentiment_analysis"]).to_pylist()
    assert len(rows) > 500
    with gzip.open(raw / "amazon_reviews_2018" / "Magazine_Subscriptions_5.json.gz") as lines:
        stars = [json.loads(line)["overall"] for line in lines]
    for row in rows:
        origin = examples[row["example_id"]].origins[0]
        assert row["output"] == "EDCBA"[int(stars[origin.line - 1]) - 1]
