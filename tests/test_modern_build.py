"""The modern recipe over generated corpora: every task from every source meant for it, all marketplaces, no leak."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from building import OUT_OF_DOMAIN, leaks
from sharing import made_once

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build, last_build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import Recipe, load_recipe
from ecinstruct_build.registry import TASKS
from ecinstruct_build.sample_corpora import write_sample_corpora
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.stages.samples import read_samples
from ecinstruct_build.store import Store

pytestmark = pytest.mark.slow

FED_BY = {
    "answer_generation": {"amazonqa", "mcauley_qa"},
    "answerability_prediction": {"amazonqa"},
    "attribute_value_extraction": {"ae110k", "mave", "oa_mine"},
    "multiclass_product_classification": {"esci"},
    "product_matching": {"abt_buy", "amazon_google", "deepmatcher", "walmart_amazon", "wdc_products"},
    "product_relation_prediction": {"amazon_reviews_2018"},
    "product_substitute_identification": {"esci"},
    "query_product_ranking": {"esci"},
    "sentiment_analysis": {"amazon_reviews_2018", "amazon_reviews_2023"},
    "sequential_recommendation": {"amazon_m2", "amazon_reviews_2018", "amazon_reviews_2023"},
}
"""The sources of each task; the reviews of 2018 are read here for the sake of joining, and not by the recipe itself."""
GRADED = ("multiclass_product_classification", "product_substitute_identification", "query_product_ranking")
SEEDS = (1, 2, 3)


def small_modern_recipe() -> Recipe:
    """Return the recipe with small quotas and, for joining, the reviews of 2018."""
    names = load_recipe("modern").tasks
    overrides = ["sources.amazon_reviews_2018.files=['*']"]
    for name in names:
        quota = {"train": 400 if name in GRADED else 250, "validation": 20, "test": 20}
        quota |= {"test_ood": 10} if name in OUT_OF_DOMAIN else {}
        overrides += [f"tasks.{name}.quota.{split}={count}" for split, count in quota.items()]
    few = ("answer_generation", "query_product_ranking")
    return load_recipe("modern", [*overrides, *(f"tasks.{name}.oversample=4.0" for name in few)])


@dataclass(frozen=True)
class Built:
    """Manifests and rows of a build for each split seed, what it took for a foreign language, and its raw folder."""

    manifests: Mapping[int, Mapping[str, Any]]
    rows: Mapping[int, Mapping[str, list[dict[str, Any]]]]
    foreign: Mapping[str, list[str]]
    raw: Path


def foreign(checked: Checked, task: str) -> list[str]:
    """Return what the check for language said of each example of a task that it rejected."""
    rejected = (row for row in checked.verdicts(task) if (row["check"], row["action"]) == ("language", "reject"))
    return [row["detail"] for row in rejected]


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The recipe built from generated corpora, split by several seeds."""

    def make(place: Path) -> Built:
        recipe = small_modern_recipe()
        raw = write_sample_corpora(place / "raw", scale=0.5, jobs=2, sources=list(recipe.sources)).out
        machine = Machine(Store(place / "work"), EngineSettings(threads=2), jobs=2, progress=Silence())
        manifests, rows = {}, {}
        for seed in SEEDS:
            seeded = recipe.model_copy(update={"split": recipe.split.model_copy(update={"seed": seed})})
            manifests[seed] = build(seeded, raw, place / f"dataset{seed}", machine)
            built = last_build(machine)[0]
            rows[seed] = {name: read_samples(stage).to_pylist() for name, stage in built.rendered.items()}
        return Built(manifests, rows, {name: foreign(built.checked, name) for name in built.rendered}, raw)

    return made_once(tmp_path_factory, "modern_build", make)


def test_every_task_is_fed_by_every_source_meant_for_it_and_the_books_add_up(modern: Built) -> None:
    manifest, rows = modern.manifests[SEEDS[0]], modern.rows[SEEDS[0]]
    assert {name: {row["source"] for row in found} for name, found in rows.items()} == FED_BY
    assert set(FED_BY) == set(TASKS.names())
    for entry in manifest["inputs"]:
        assert entry["records"] == entry["ingested"] + entry["quarantined"] + entry["collapsed"], entry["file"]
    for name, account in manifest["tasks"].items():
        made, rejected = sum(account["examples"].values()), sum(account["rejected"].values())
        assert account["drawn"] == made + rejected + sum(account["dropped"].values()), name
    assert load_recipe("modern").sources.keys() == {entry["source"] for entry in manifest["inputs"]}


def test_sources_have_the_shares_that_the_recipe_asks_for_so_far_as_they_last(modern: Built) -> None:
    for manifest in modern.manifests.values():
        for name in ("attribute_value_extraction", "product_matching"):
            account = manifest["tasks"][name]
            for split, made in account["examples"].items():
                assert sum(one["examples"][split] for one in account["sources"].values()) == made
            assert sum(one["share"] for one in account["sources"].values()) == pytest.approx(1)
            assert sum(one["drawn"] for one in account["sources"].values()) == account["drawn"]
            made = account["examples"]["train"]
            for source, one in account["sources"].items():
                share = one["examples"]["train"] / made
                assert abs(share - one["share"]) < 0.05, (name, source)
    rows = modern.rows[SEEDS[0]]["product_matching"]
    trained = Counter(row["source"] for row in rows if row["split"] == "train")
    accounts = modern.manifests[SEEDS[0]]["tasks"]["product_matching"]["sources"]
    assert trained == {source: one["examples"]["train"] for source, one in accounts.items()}


def test_all_marketplaces_are_there_and_none_but_the_english_has_titles_in_a_foreign_language(modern: Built) -> None:
    rows = modern.rows[SEEDS[0]]
    for name in GRADED:
        assert {row["locale"] for row in rows[name]} == {"us", "es", "jp"}, name
    visited = {row["locale"] for row in rows["sequential_recommendation"] if row["source"] == "amazon_m2"}
    assert visited == {"gb", "de", "es", "fr", "it", "jp"}
    for name in (*GRADED, "sequential_recommendation"):
        assert all(said.endswith("where en is expected") for said in modern.foreign[name]), name
        assert len(modern.foreign[name]) < 0.01 * modern.manifests[SEEDS[0]]["tasks"][name]["drawn"], name


def test_visits_are_told_in_the_language_of_their_marketplace(modern: Built) -> None:
    words = {"de": "Schwarz", "fr": "couleur", "it": "colore", "es": "color ", "jp": "黒"}
    rows = modern.rows[SEEDS[0]]["sequential_recommendation"]
    for locale, word in words.items():
        found = [row for row in rows if row["source"] == "amazon_m2" and row["locale"] == locale]
        assert any(word in row["input"] + str(row["options"]) for row in found), locale


@pytest.mark.parametrize("seed", SEEDS)
def test_no_build_leaks(modern: Built, seed: int) -> None:
    assert modern.manifests[seed]["audit"]["passed"]
    assert leaks(row for found in modern.rows[seed].values() for row in found) == set()


def known_everywhere(raw: Path) -> set[str]:
    """Return the products that MAVE, both years' metadata, AmazonQA and the questions of 2016 know."""

    def lines(source: str, pattern: str) -> Iterator[bytes]:
        for path in sorted((raw / source).rglob(pattern)):
            yield from (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).splitlines()

    def ids(source: str, pattern: str, key: str) -> set[str]:
        found = set()
        for line in lines(source, pattern):
            try:
                found.add(json.loads(line)[key])
            except (ValueError, KeyError):
                continue  # planted
        return found

    asked = b"".join(lines("mcauley_qa", "*.json.gz")).decode()
    known = ids("mave", "mave_*.jsonl", "id") & ids("amazonqa", "*.jsonl", "asin")
    known &= ids("amazon_reviews_2018", "meta_*.json.gz", "asin")
    known &= ids("amazon_reviews_2023", "meta_*.jsonl.gz", "parent_asin")
    return {f"asin:{asin}" for asin in known if f"'asin': '{asin}'" in asked}


def parents(raw: Path) -> dict[str, str]:
    """Return the parent of every variant that reviews of 2023 name."""
    found = {}
    for path in sorted((raw / "amazon_reviews_2023").rglob("review_categories/*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            try:
                review = json.loads(line)
                found[f"asin:{review['asin']}"] = f"asin:{review['parent_asin']}"
            except (ValueError, KeyError):
                continue  # planted
    return found


def test_a_variant_lands_in_the_split_of_its_parent(modern: Built) -> None:
    parent = parents(modern.raw)
    variants = {product for product in parent if parent[product] != product}
    for seed in SEEDS:
        splits, seen = defaultdict(set), set()
        for rows in modern.rows[seed].values():
            for row in rows:
                for product in row["products"]:
                    seen.add(product)
                    splits[parent.get(product, product)].add(row["split"] == "train")
        assert len(seen & variants) > 100
        assert {product for product, found in splits.items() if len(found) > 1} == set()


def test_what_many_corpora_know_of_one_product_lands_in_one_split_whatever_the_seed(modern: Built) -> None:
    known, moved = known_everywhere(modern.raw), defaultdict(set)
    assert len(known) > 100
    for seed in SEEDS:
        splits, sources = defaultdict(set), defaultdict(set)
        for rows in modern.rows[seed].values():
            for row in rows:
                for family in row["families"]:
                    splits[family].add("train" if row["split"] == "train" else "held out")
                for product in known.intersection(row["products"]):
                    sources[product].add(row["source"])
                    moved[product].add(row["split"] == "train")
        assert {family: found for family, found in splits.items() if len(found) > 1} == {}
        assert sum(len(found) >= 3 for found in sources.values()) > 20
        assert max(map(len, sources.values())) >= 5
    assert any(len(found) == 2 for found in moved.values()), "no seed moved anything"
