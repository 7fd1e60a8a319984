"""Families in a build: which products are looked at, on which engine, and what is said of them."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from building import SmallBuild

from ecinstruct_build.engine import Engine, EngineSettings
from ecinstruct_build.example import Example, Item, Option, examples_to_table
from ecinstruct_build.stages.families import known_pairs, shown_products, titles_of
from ecinstruct_build.store import Stage
from ecinstruct_build.tables import arrow_table
from quality.splitting.families import PAIRS, near_identical


def test_the_products_that_examples_show_or_may_show_are_looked_at(tmp_path: Path) -> None:
    shown = Example(
        "t", "s", "one", "ind", "us", ("p:2",), {}, "a", context=(Item("p:1", "x"),),
        options=(Option("a", "x", "p:3"), Option("b", "yes")), spare_options=(Option("c", "x", "p:4"),),
    )  # fmt: skip
    bare = Example("t", "s", "two", "ind", "us", ("p:2", "p:0"), {}, "a")
    stages = []
    for name, examples in (("one", [shown, bare]), ("none", [])):
        (tmp_path / name).mkdir()
        pq.write_table(examples_to_table(examples), tmp_path / name / "examples.parquet")
        stages.append(Stage("draw", name, "", tmp_path / name, "", {}, 0.0, cached=False))
    assert shown_products(stages).to_pylist() == ["p:0", "p:1", "p:2", "p:3", "p:4"]
    assert shown_products(stages[1:]).to_pylist() == []


def made_tables(folder: Path) -> dict[str, list[Path]]:
    """A catalogue whose rows show every kind of evidence, in Parquet files."""
    same = "Oakline Folding Garden Chair"
    columns = {
        "product_id": ["a:1", "a:2", "a:3", "a:4", "a:5", "a:6", "a:6", "a:7", "a:8", "a:9"],
        "parent_id": [None, "a:1", None, None, None, None, None, None, None, None],
        "title": [
            None,
            same,
            same.upper(),
            "Elm Desk",
            "Elm  desk",
            "Oakline Tent",
            "Oakline Tent XL",
            *["{" * 30] * 2,
            "",
        ],
        "brand": [None, "Oakline", None, "Elm", "Elm", None, "Oakline", "Elm", "Elm", None],
        "locale": ["us"] * 10,
    }
    matches = {"left_id": ["a:4", "a:8"], "right_id": ["g:1", "g:1"], "is_match": [True, False], "locale": ["us"] * 2}
    files = {}
    for name, table_columns in (("product", columns), ("match", matches)):
        rows = len(table_columns["locale"])
        origin = {"source": ["s"] * rows, "file": ["f"] * rows, "line": list(range(rows))}
        catalogue = {"catalogue": ["s"] * rows} if name == "match" else {}
        path = folder / f"{name}.parquet"
        pq.write_table(arrow_table(name, {**table_columns, **catalogue, **origin}), path)
        files[name] = [path]
    return files


def evidence(engine: str, folder: Path) -> tuple[dict[str, list[tuple[str, ...]]], list[tuple[str | None, ...]]]:
    with Engine(EngineSettings(name=engine, threads=1)) as connected:
        opened = connected.tables(made_tables(folder))
        pairs = {kind: list(zip(*part.to_pydict().values(), strict=True)) for kind, part in known_pairs(opened).items()}
        titles = titles_of(opened, pa.array(["a:3", "a:6", "a:9", "b:1"])).to_pydict()
    return pairs, list(zip(*titles.values(), strict=True))


EVIDENCE = (
    {"parent": [("a:2", "a:1")], "match": [("a:4", "g:1")], "equal_title": [("a:3", "a:2")]},
    [
        ("a:3", "OAKLINE FOLDING GARDEN CHAIR", None),
        ("a:6", "Oakline Tent", None),
        ("a:6", "Oakline Tent XL", "Oakline"),
        ("a:9", "", None),
    ],
)


def test_the_whole_catalogue_is_joined_by_parent_match_and_equal_title(tmp_path: Path) -> None:
    assert evidence("duckdb", tmp_path) == EVIDENCE


@pytest.mark.spark
def test_spark_joins_the_same_products_as_duckdb(tmp_path: Path) -> None:
    assert evidence("spark", tmp_path) == EVIDENCE


def test_a_catalogue_that_no_source_fills_has_no_families() -> None:
    with Engine(EngineSettings()) as connected:
        opened = connected.tables({})
        assert all(part.num_rows == 0 and part.schema == PAIRS for part in known_pairs(opened).values())
        assert titles_of(opened, pa.array(["a:1"])).num_rows == 0
    nothing = pa.schema([(name, pa.string()) for name in ("product_id", "title", "brand")]).empty_table()
    assert near_identical(nothing, similarity=0.9, variants=True).schema == PAIRS


def test_a_build_says_how_many_products_each_kind_of_evidence_joined(small_build: SmallBuild) -> None:
    stage = small_build.built.families
    families = pq.read_table(stage.folder / "families.parquet").to_pydict()
    assert stage.facts["families"] == len(set(families["family_id"]))
    assert set(stage.facts["joined"]) == {"parent", "match", "equal_title", "near_identical"}
    assert stage.facts["joined"]["near_identical"] > 0
    assert max(Counter(families["family_id"]).values()) <= 40
