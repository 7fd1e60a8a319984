"""Every known quirk of the six corpora, as planted in the fixture files, becomes what the source's card says."""

import csv
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import source_fixtures
from ingesting import Ingested, ingest, ingest_bytes

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.tables import TABLES

ORIGIN = {"source", "file", "line"}


def ingested(source: str, file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / source / file, SOURCES.get(source), file)


def stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its origin and its nulls."""
    return {key: value for key, value in row.items() if value is not None and key not in ORIGIN}


def column(done: Ingested, table: str, name: str) -> list[Any]:
    return [row[name] for row in done.tables[table]]


def links(done: Ingested) -> list[tuple[str, str, str]]:
    return [(row["product_id"], row["kind"], row["other_id"]) for row in done.tables["relation"]]


@pytest.mark.parametrize("source", sorted(source_fixtures.FILES))
def test_fixture_files_are_what_their_records_say(source: str) -> None:
    for file, content in source_fixtures.FILES[source].items():
        path = source_fixtures.FOLDER / source / file
        if path.suffix == ".parquet":
            assert pq.read_table(path).equals(pq.read_table(pa.BufferReader(content)))
        elif path.suffix == ".gz":
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(content)
        else:
            assert path.read_bytes() == content


def test_2018_reviews() -> None:
    done = ingested("amazon_reviews_2018", "categoryFilesSmall/Home_and_Kitchen_5.json.gz")
    first, wordless, blanks = map(stated, done.tables["review"])
    assert first == {
        "review_id": "A1QUIETCOOK|B00KETTLE1|1457481600",
        "product_id": "asin:B00KETTLE1",
        "user_id": "A1QUIETCOOK",
        "rating": 4.0,
        "title": "Quick & tidy",
        "text": "Boils a litre before the toast is done, and the lid stays shut.",
        "timestamp": 1457481600,
        "helpful": 1341,
        "verified": True,
        "category": "Home_and_Kitchen",
        "catalogue": "amazon_reviews_2018",
        "locale": "us",
    }
    assert "text" not in wordless
    assert "title" not in wordless
    assert "text" not in blanks
    assert blanks["product_id"] == "asin:B00MUGSET3"
    assert done.collapsed == [(3, 1), (12, 1)]
    assert done.quarantine == [
        (6, "Input data was truncated"),
        (7, "Expected `float` <= 5.0 - at `$.overall`"),
        (8, "Object missing required field `reviewerID`"),
        (9, "Expected `str`, got `int` - at `$.asin`"),
        (10, "Expected `str` of length >= 1 - at `$.asin`"),
        (11, "Expected `float`, got `str` - at `$.overall`"),
    ]


def test_2018_ids_of_blanks_are_missing_ids() -> None:
    line = b'{"overall": 5.0, "reviewerID": "A1", "asin": "  ", "unixReviewTime": 1}\n'
    done = ingest_bytes(line, SOURCES.get("amazon_reviews_2018"), "Home_and_Kitchen_5.json")
    assert done.quarantine == [(1, "an id is blank")]


def test_2018_ratings_have_no_header_and_no_text() -> None:
    done = ingested("amazon_reviews_2018", "categoryFilesSmall/Home_and_Kitchen.csv")
    assert [(row["review_id"], row["rating"], row["text"]) for row in done.tables["review"]] == [
        ("A1QUIETCOOK|B00KETTLE1|1457481600", 4.0, None),
        ("A5RATER|B00MUGSET3|1460000000", 2.0, None),
    ]
    assert set(column(done, "review", "category")) == {"Home_and_Kitchen"}
    assert [line for line, _ in done.quarantine] == [3, 4, 5]
    assert done.collapsed == [(6, 1)]


def test_2018_metadata_of_both_forms() -> None:
    done = ingested("amazon_reviews_2018", "metaFiles/meta_Home_and_Kitchen.json.gz")
    assert stated(done.tables["product"][0]) == {
        "product_id": "asin:B00KETTLE1",
        "title": "Brackwater Steel Kettle, 3 l",
        "description": "A steel kettle.\nHolds &frac34; of a gallon.",
        "features": ["Cool handle", "Whistles"],
        "brand": "Brackwater",
        "categories": ["Home & Kitchen", "Kettles"],
        "price": "$1,250.00",
        "main_category": "Amazon Home",
        "category": "Home_and_Kitchen",
        "locale": "us",
    }
    newer = ingested("amazon_reviews_2018", "metaFiles2/meta_Home_and_Kitchen.json.gz")
    assert stated(newer.tables["product"][0]) == stated(done.tables["product"][0])
    assert newer.collapsed == [(6, 1)]
    assert [line for line, _ in newer.quarantine] == [7, 8]


def test_2018_broken_titles_prices_and_departments_become_null() -> None:
    done = ingested("amazon_reviews_2018", "metaFiles2/meta_Home_and_Kitchen.json.gz")
    kettle = "Brackwater Steel Kettle, 3 l"
    assert column(done, "product", "title") == [kettle, None, None, kettle, kettle]
    assert column(done, "product", "price") == ["$1,250.00", None, None, None, "$1,250.00"]
    assert column(done, "product", "main_category")[3] == "AMAZON FASHION"
    bare = done.tables["product"][4]
    assert [bare[name] for name in ("brand", "description", "features", "categories")] == [None] * 4


def test_2018_relations_are_namespaced_and_named_once_and_never_oneself() -> None:
    done = ingested("amazon_reviews_2018", "metaFiles2/meta_Home_and_Kitchen.json.gz")
    assert [link for link in links(done) if link[0] == "asin:B00KETTLE1"] == [
        ("asin:B00KETTLE1", "also_buy", "asin:B00TEAPOT2"),
        ("asin:B00KETTLE1", "also_buy", "asin:B00MUGSET3"),
        ("asin:B00KETTLE1", "also_view", "asin:B00KETTLE9"),
        ("asin:B00KETTLE1", "similar", "asin:B00KETTLE7"),
        ("asin:B00KETTLE1", "similar", "asin:B00KETTLE8"),
        ("asin:B00KETTLE1", "similar", "asin:0306406152"),
    ]
    assert not [link for link in links(done) if link[0] == "asin:B00BARE004"]


@pytest.mark.parametrize(
    ("file", "category"),
    [
        ("All_Beauty.json.gz", "All_Beauty"),
        ("categoryFilesSmall/AMAZON_FASHION_5.json.gz", "AMAZON_FASHION"),
        ("metaFiles2/meta_CDs_and_Vinyl.json.gz", "CDs_and_Vinyl"),
        ("categoryFilesSmall/Tools_and_Home_Improvement.csv", "Tools_and_Home_Improvement"),
        ("Gift_Cards.first100.csv", "Gift_Cards"),
    ],
)
def test_2018_file_names_say_the_category(file: str, category: str) -> None:
    found = SOURCES.get("amazon_reviews_2018").kind_of(file)
    assert found is not None
    assert found[1]["category"] == category


def test_2014_reviews_keep_the_votes_for() -> None:
    done = ingested("amazon_reviews_2014", "reviews_Toys_and_Games_5.json.gz")
    row = stated(done.tables["review"][0])
    assert row["helpful"] == 3
    assert row["review_id"] == "A9PUZZLER|B000PUZZLE|1333324800"
    assert (row["category"], row["catalogue"]) == ("Toys_and_Games", "amazon_reviews_2014")
    assert "verified" not in row
    assert done.collapsed == [(3, 1)]
    assert [line for line, _ in done.quarantine] == [2, 4]


def test_2014_metadata_are_python_literals() -> None:
    done = ingested("amazon_reviews_2014", "meta_Toys_and_Games.json.gz")
    assert stated(done.tables["product"][0]) == {
        "product_id": "asin:B000PUZZLE",
        "title": 'Don\'t Panic: 500 Piece "Harbour" Puzzle',
        "description": "A harbour at dusk.\nFive hundred pieces.",
        "brand": "Lanternside",
        "categories": ["Toys & Games", "Puzzles"],
        "price": "9.49",
        "category": "Toys_and_Games",
        "locale": "us",
    }
    assert [(row["title"], row["price"]) for row in done.tables["product"][1:]] == [
        (None, None),
        ("Café play set", "20"),
    ]
    assert links(done) == [
        ("asin:B000PUZZLE", "also_buy", "asin:B000GLUE01"),
        ("asin:B000PUZZLE", "also_buy", "asin:B000FRAME2"),
        ("asin:B000PUZZLE", "also_view", "asin:B000PUZZL3"),
        ("asin:B000PUZZLE", "bought_together", "asin:B000GLUE01"),
    ]
    assert [line for line, _ in done.quarantine] == [4, 5, 6, 7, 8]
    assert done.collapsed == [(9, 1)]


def test_amazon_google_tables_are_latin_1_with_multi_line_cells() -> None:
    amazon = ingested("amazon_google", "Amazon.csv")
    assert [(row["line"], stated(row)) for row in amazon.tables["product"]] == [
        (
            2,
            {
                "product_id": "asin:B00LEDGER1",
                "title": "ledger pro 2007 (win)",
                "description": "keeps the books;\r\nprints the invoices",
                "brand": "harrowgate",
                "price": "149.99",
                "locale": "us",
            },
        ),
        (4, {"product_id": "asin:B00TYPIST2", "title": "typing ® tutor", "locale": "us"}),
        (
            5,
            {
                "product_id": "asin:B00ATLAS03",
                "title": 'atlas, deluxe &amp; "updated"',
                "brand": "meridian",
                "price": "49.95 gbp",
                "locale": "us",
            },
        ),
    ]
    assert [line for line, _ in amazon.quarantine] == [6, 7]


def test_amazon_google_ids_and_matches() -> None:
    google = ingested("amazon_google", "GoogleProducts.csv")
    first, second = (f"google:100000000000000000{number}" for number in (1, 2))
    assert column(google, "product", "product_id") == [first, second]
    assert column(google, "product", "title") == ["ledger pro 7", "ledger professional"]
    assert column(google, "product", "price") == ["139.00", None]
    mapping = ingested("amazon_google", "Amzon_GoogleProducts_perfectMapping.csv")
    assert [(row["left_id"], row["right_id"], row["is_match"]) for row in mapping.tables["match"]] == [
        ("asin:B00LEDGER1", first, True),
        ("asin:B00LEDGER1", second, True),
    ]
    assert set(column(mapping, "match", "catalogue")) == {"amazon_google"}


def test_esci_examples_of_all_locales() -> None:
    done = ingested("esci", "shopping_queries_dataset_examples.parquet")
    assert [
        (row["query_id"], row["product_id"], row["label"], row["subset"], row["locale"])
        for row in done.tables["judgement"]
    ] == [
        ("7", "asin:B00KETTLE1", "E", "small", "us"),
        ("7", "asin:B00TEAPOT2", "I", "large", "us"),
        ("8", "asin:B00KETTLE1", "E", "small", "es"),
        ("9", "asin:B00KETTLE1", "E", "small", "jp"),
    ]
    assert done.collapsed == [(5, 1)]
    assert [line for line, _ in done.quarantine] == [6, 7]


def test_esci_products_are_told_apart_by_locale() -> None:
    done = ingested("esci", "shopping_queries_dataset_products.parquet")
    assert [(row["product_id"], row["locale"]) for row in done.tables["product"]] == [
        ("asin:B00KETTLE1", "us"),
        ("asin:B00KETTLE1", "es"),
        ("asin:B00TEAPOT2", "us"),
    ]
    assert column(done, "product", "features") == [["Heavy base", "Cool handle", "No whistle"]] * 2 + [None]
    assert done.tables["product"][0]["description"] == "<p>Heavy copper.</p>\nTin lined."


def test_mave_labels_without_text_leave_the_paragraphs_to_the_catalogue() -> None:
    done = ingested("mave", "mave_positives_labels.jsonl")
    volume, material = map(stated, done.tables["attribute"])
    assert volume == {
        "product_id": "asin:B00KETTLE1",
        "attribute": "Volume",
        "value": "3 l",
        "evidences": [{"value": "3 l", "pid": 0, "begin": 14, "end": 17}],
        "category": "Home_and_Kitchen",
        "catalogue": "amazon_reviews_2018",
        "locale": "us",
    }
    assert (material["value"], len(material["evidences"])) == ("Steel", 2)
    assert done.quarantine == [
        (2, "Expected `int` >= 0 - at `$.attributes[0].evidences[0].begin`"),
        (3, "Object missing required field `id`"),
        (4, "JSON is malformed: invalid character (byte 4)"),
    ]
    absent = ingested("mave", "mave_negatives_labels.jsonl").tables["attribute"][0]
    assert (absent["value"], absent["evidences"], absent["paragraphs"]) == (None, [], None)


def test_mave_records_keep_the_paragraphs_that_they_carry() -> None:
    done = ingested("mave", "splits/PRODUCT/train/00_All/mave_positives.jsonl")
    row = done.tables["attribute"][0]
    assert row["paragraphs"][0] == {"source": "title", "text": "Steel kettle, 3 l"}
    for evidence in row["evidences"]:
        text = row["paragraphs"][evidence["pid"]]["text"]
        assert text[evidence["begin"] : evidence["end"]] == evidence["value"]
    shown = done.tables["product"][0]  # families go by it, though the 2018 metadata describe the product
    assert (shown["product_id"], shown["title"]) == ("asin:B00KETTLE1", "Steel kettle, 3 l")
    assert row["catalogue"] == "amazon_reviews_2018"


def test_mave_ids_that_are_no_asins_are_described_by_their_own_paragraphs() -> None:
    done = ingested("mave", "splits/PRODUCT/eval/00_All/mave_negatives.jsonl")
    attribute, product = done.tables["attribute"][0], done.tables["product"][0]
    assert (attribute["product_id"], attribute["catalogue"]) == ("mave:9042", "mave")
    assert stated(product) == {
        "product_id": "mave:9042",
        "title": "Steel kettle, 3 l",
        "description": "A kettle of brushed steel.",
        "brand": "Brackwater",
        "category": "Home_and_Kitchen",
        "locale": "us",
    }


def test_amazonqa() -> None:
    done = ingested("amazonqa", "train-qar.jsonl")
    yes_no, descriptive, bare = map(stated, done.tables["question"])
    assert yes_no == {
        "question_id": "B00KETTLE1|501",
        "product_id": "asin:B00KETTLE1",
        "question": "Does it whistle when it boils?",
        "kind": "yesno",
        "answerable": True,
        "snippets": ["It whistles loudly.", "Heard it from the garden."],
        "answers": [{"text": "Yes, very loudly.", "kind": "Y", "helpful": 2, "total": 3}],
        "category": "Home_and_Kitchen",
        "catalogue": "amazon_reviews_2018",
        "locale": "us",
    }
    assert (descriptive["answerable"], descriptive["answers"]) == (False, [])
    assert bare["snippets"] == []
    assert [line for line, _ in done.quarantine] == [4, 5, 6]
    assert done.collapsed == [(7, 1)]


def test_every_amazon_corpus_names_a_product_alike() -> None:
    keys = {
        column(ingested("amazon_reviews_2018", "categoryFiles/Home_and_Kitchen.json.gz"), "review", "product_id")[0],
        column(ingested("esci", "shopping_queries_dataset_products.parquet"), "product", "product_id")[0],
        column(ingested("mave", "mave_negatives_labels.jsonl"), "attribute", "product_id")[0],
        column(ingested("amazonqa", "val-qar.jsonl"), "question", "product_id")[0],
    }
    assert keys == {"asin:B00KETTLE1"}


def _expected_records(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    if path.suffix == ".csv":
        with path.open(encoding="latin-1", newline="") as lines:
            return sum(1 for cells in csv.reader(lines) if cells)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return sum(1 for line in data.split(b"\n") if line.strip())


@pytest.mark.slow
@pytest.mark.parametrize("source", sorted(source_fixtures.FILES))
def test_genuine_pieces_are_ingested_in_full(real_corpora: Path, source: str) -> None:
    if not (real_corpora / source).is_dir():
        pytest.skip("there is no piece of it")
    adapter, files = SOURCES.get(source), 0
    for path in sorted(path for path in (real_corpora / source).rglob("*") if path.is_file()):
        file = path.relative_to(real_corpora / source).as_posix()
        found = adapter.kind_of(file)
        if found is None:
            continue
        files += 1
        counts = ingest(path, adapter, file).counts
        headers = int(found[0].format == "csv" and not found[0].columns)
        assert counts.records == _expected_records(path) - headers, file
        assert counts.quarantined <= 0.01 * counts.records, file
        assert all(counts.rows[table] for table in found[0].tables), file
    assert files


def test_a_record_that_repeats_elsewhere_in_other_words_is_kept() -> None:
    source = SOURCES.get("amazonqa")
    line = source_fixtures.AMAZONQA["val-qar.jsonl"]
    done = ingest_bytes(line + line.replace(b": ", b":"), source, "val-qar.jsonl")
    assert (done.counts.collapsed, done.counts.rows) == (0, {"question": 2})


def test_the_tables_of_all_sources_are_canonical() -> None:
    assert {table for source in SOURCES for table in source.tables} <= set(TABLES)
