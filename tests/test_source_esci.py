"""The Shopping Queries Data Set: the joined form, and all three marketplaces through the tasks on graded results."""

import csv
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import source_fixtures
from building import leaks
from fixture_corpora.forms import parquet
from ingesting import Ingested, ingest

from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.pipeline import build
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import parse_recipe
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store

SOURCE = SOURCES.get("esci")
GRADED = ("multiclass_product_classification", "product_substitute_identification", "query_product_ranking")
WORDS = {
    "us": (
        ("Kettle", "Lamp", "Backpack", "Chair", "Blanket", "Drill"),
        ("for the kitchen and the garden", "with a wooden handle", "that is easy to clean", "made of brushed steel"),
        ("in dark blue", "in warm red", "in light green", "in plain white"),
        ("cheap {} for my small flat", "which {} is good for children", "strong {} that lasts for years"),
    ),
    "es": (
        ("Tetera", "Lámpara", "Mochila", "Silla", "Manta", "Taladradora"),
        ("para la cocina y el jardín", "con mango de madera", "que se limpia fácilmente", "hecha de acero cepillado"),
        ("de color azul oscuro", "de color rojo cálido", "de color verde claro", "de color blanco liso"),
        ("{} barata para mi piso pequeño", "qué {} es buena para los niños", "{} resistente que dura muchos años"),
    ),
    "jp": (
        ("やかん", "ランプ", "リュックサック", "椅子", "毛布", "電動ドリル"),
        ("台所と庭で使える", "木の取っ手が付いた", "お手入れが簡単な", "ステンレス製の丈夫な"),
        ("濃い青色の", "暖かい赤色の", "明るい緑色の", "真っ白な"),
        ("小さな部屋に合う安い{}", "子供にちょうどよい{}はどれ", "何年も使える丈夫な{}"),
    ),
}


def ingested(file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / "esci" / file, SOURCE, file)


def test_the_joined_form_gives_a_judgement_and_a_product_for_each_row():
    done = ingested("tasksource_sample.csv")
    assert [
        (row["query_id"], row["query"], row["product_id"], row["label"], row["subset"], row["locale"])
        for row in done.tables["judgement"]
    ] == [
        ("7", "copper kettle without whistle", "asin:B00KETTLE1", "E", "small", "us"),
        ("8", "tetera, de cobre", "asin:B00KETTLE1", "S", "small", "es"),
        ("9", "銅のやかん", "asin:B00KETTLE1", "C", "small", "jp"),
        ("7", "copper kettle without whistle", "asin:B00TEAPOT2", "I", "large", "us"),
        ("10", "kettle", "asin:B00KETTLE1", "E", "small", "us"),
    ]
    assert {key: value for key, value in done.tables["product"][0].items() if value is not None} == {
        "product_id": "asin:B00KETTLE1",
        "title": "Copper kettle",
        "description": "<p>Heavy copper.</p>\nTin lined.",
        "features": ["Heavy base", "Cool handle", "No whistle"],
        "brand": "Brackwater",
        "locale": "us",
        "source": "esci",
        "file": "tasksource_sample.csv",
        "line": 2,
    }
    assert [row["locale"] for row in done.tables["product"]] == ["us", "es", "jp", "us", "us"]
    assert done.tables["product"][3]["brand"] is None
    reasons = [reason for _, reason in done.quarantine]
    assert reasons == ["Invalid enum value 'E' - at `$.esci_label`", "Object missing required field `query`"]
    assert done.counts.collapsed == 1


def test_the_joined_form_as_parquet_says_the_same():
    done = ingested("data/test-00000-of-00001-0f0e.parquet")
    written = ingested("tasksource_sample.csv")
    for table in ("judgement", "product"):
        (row,) = done.tables[table]
        same = written.tables[table][0]
        assert {**row, "file": "", "line": 0} == {**same, "file": "", "line": 0}
    assert [line for line, _ in done.quarantine] == [2]


def titles(locale: str) -> list[str]:
    things, traits, colours, _ = WORDS[locale]
    order = (lambda *parts: "".join(reversed(parts))) if locale == "jp" else (lambda *parts: " ".join(parts))
    return [order(thing, trait, colour) for thing in things for trait in traits for colour in colours]


def write_world(folder: Path) -> None:
    """Ninety queries in each marketplace, each with six graded products."""
    products, examples = [], []
    for locale in WORDS:
        chance = random.Random(locale)
        named = [(f"B0{locale.upper()}{number:06}", title) for number, title in enumerate(titles(locale))]
        products += [{"product_id": asin, "product_title": title, "product_locale": locale} for asin, title in named]
        queries = [pattern.format(thing.lower()) for pattern in WORDS[locale][3] for thing in WORDS[locale][0]]
        for number in range(90):
            query = {"query": f"{queries[number % 18]} {1 + number // 18}", "query_id": len(examples)}
            grades = [*"ESCI", chance.choice("ES"), chance.choice("CI")]
            examples += [
                query | {"product_id": asin, "product_locale": locale, "esci_label": grade, "small_version": 1}
                for grade, (asin, _) in zip(grades, chance.sample(named, 6), strict=True)
            ]
    for name, rows in (("examples", examples), ("products", products)):
        path = folder / "esci" / f"shopping_queries_dataset_{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(parquet(rows))


def published(folder: Path, locales: tuple[str, ...]) -> list[dict[str, Any]]:
    """Build the tasks on graded results from the world, and return the rows."""
    tasks = {
        name: {"quota": {"train": 24, "validation": 6, "test": 6}, "locales": locales, "oversample": 4.0}
        for name in GRADED
    }
    # Texts made of few words are near duplicates of each other, which is not what is tested.
    raw = {
        "name": "locales",
        "sources": {"esci": {}},
        "tasks": tasks,
        "checks": {"duplicates": {"action": "flag"}},
        "split": {"similarity": 1.0},
        "audit": {"near_duplicates": 10_000},
    }
    machine = Machine(Store(folder / "work"), EngineSettings(threads=1), jobs=1, progress=Silence())
    build(parse_recipe(raw, "test"), folder, folder / "dataset", machine)
    return [
        row
        for path in sorted((folder / "dataset" / "data").rglob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]


@pytest.mark.slow
def test_every_marketplace_reaches_the_published_rows_of_the_graded_tasks(tmp_path):
    write_world(tmp_path)
    rows = published(tmp_path, ("us", "es", "jp"))
    for name in GRADED:
        task = name.title()
        assert {row["locale"] for row in rows if row["task"] == task} == {"us", "es", "jp"}, name
    known = {locale: set(titles(locale)) for locale in WORDS}
    for row in rows:
        said = {locale: any(title in row["input"] + row["options"] for title in known[locale]) for locale in WORDS}
        assert {locale for locale, found in said.items() if found} == {row["locale"]}
    assert not leaks(rows)


@pytest.mark.slow
def test_one_marketplace_can_be_asked_for(tmp_path):
    write_world(tmp_path)
    rows = published(tmp_path, ("jp",))
    assert {row["locale"] for row in rows} == {"jp"}
    assert {row["task"] for row in rows} == {name.title() for name in GRADED}


@pytest.mark.slow
def test_the_genuine_piece_of_the_joined_form(real_corpora: Path):
    path = real_corpora / "esci" / "tasksource_sample200.csv"
    done = ingest(path, SOURCE, path.name)
    assert (done.counts.records, done.counts.ingested) == (200, 200)
    with path.open(newline="", encoding="utf-8") as lines:
        raw = list(csv.DictReader(lines))
    assert Counter(row["label"] for row in done.tables["judgement"]) == Counter(row["esci_label"][0] for row in raw)
    for place in (0, 100, 199):
        assert done.tables["judgement"][place]["query"] == raw[place]["query"]
        assert done.tables["product"][place]["title"] == raw[place]["product_title"]
