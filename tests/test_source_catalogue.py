"""A catalogue of one's own: what becomes of each part of a description, and of cells that are not as they should be."""

from typing import Any

import pytest
from configured import FIXTURES, source_of
from ingesting import Ingested, ingest, ingest_bytes

from ecinstruct_build.errors import UserError
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings
from ecinstruct_build.source import Source
from sources.catalogue import configure


def of_fixture(file: str) -> Ingested:
    return ingest(FIXTURES / "catalogue" / file, source_of("catalogue"), file)


def shop(*tables: dict[str, Any], **settings: Any) -> Source:
    return configure(CatalogueSettings.model_validate({"tables": list(tables), "namespace": "acme", **settings}))


def told(done: Ingested, table: str) -> list[dict[str, Any]]:
    """Rows of a table without what all rows have, and without what is not said."""
    common = ("source", "file", "catalogue", "locale")
    return [
        {name: value for name, value in row.items() if name not in common and value not in (None, [])}
        for row in done.tables.get(table, [])
    ]


def test_products_have_their_columns_with_lists_split_and_texts_untouched():
    done = of_fixture("stock/spring.csv")
    first, middle, last = told(done, "product")
    assert first == {
        "product_id": "pellow:0042",
        "parent_id": "pellow-model:7",
        "title": "Pellow Oak Stool, Black",
        "description": "A stool of oak & iron, 45 cm high.\nStands\r\nfirm.",
        "features": ["Stacks", "Turns"],
        "brand": "Pellow",
        "categories": ["Home & Kitchen", "Stools"],
        "price": "GBP 24.50",
        "category": "Home_and_Kitchen",
        "line": 2,
    }
    assert middle["description"] == "Warm."
    assert "price" not in middle
    assert last == {"product_id": "pellow:0051", "title": "Stool Pellow (oak)", "price": "1,024.00 EUR", "line": 6}
    assert {row["locale"] for row in done.tables["product"]} == {"gb"}


def test_attributes_have_their_evidence_in_the_products_own_text():
    colour, material, none, wool, teak = told(of_fixture("stock/spring.csv"), "attribute")
    assert (colour["attribute"], colour["evidences"]) == (
        "Colour",
        [{"value": "Black", "pid": 0, "begin": 18, "end": 23}],
    )
    assert [(one["value"], one["pid"]) for one in material["evidences"]] == [("Oak", 0), ("oak", 1), ("iron", 1)]
    assert none == {"product_id": "pellow:0043", "attribute": "Colour", "category": "Home_and_Kitchen", "line": 4}
    assert wool["value"] == "Wool"
    assert teak == {"product_id": "pellow:0051", "attribute": "Material", "value": "teak", "line": 6}


def test_relations_are_named_once_and_listings_of_one_product_are_one_pair():
    done = of_fixture("stock/spring.csv")
    named = [(row["product_id"], row["kind"], row["other_id"]) for row in told(done, "relation")]
    assert named == [
        ("pellow:0042", "also_buy", "pellow:0043"),
        ("pellow:0042", "also_buy", "pellow:0051"),
        ("pellow:0042", "bought_together", "pellow:0044"),
        ("pellow:0051", "also_buy", "pellow:0042"),
    ]
    pair = {"left_id": "pellow:0042", "right_id": "pellow:0051", "is_match": True}
    assert told(done, "match") == [pair | {"line": 2}, pair | {"line": 6}]


def test_reviews_keep_order_and_scale_and_one_without_a_name_is_by_somebody_of_its_own():
    first, middle, last = told(of_fixture("reviews.tsv"), "review")
    assert first == {
        "review_id": "pellow:7|pellow:0042|1709078400",
        "product_id": "pellow:0042",
        "user_id": "pellow:7",
        "rating": 5.0,
        "title": "Fest",
        "text": "Steht wie eine Eiche, und das seit M\u00e4rz.",
        "timestamp": 1709078400,
        "helpful": 3,
        "verified": True,
        "line": 2,
    }
    assert (middle["user_id"], middle["rating"], middle["verified"]) == ("reviews.tsv:3", 1.0, False)
    assert (last["rating"], last["line"]) == (3.0, 9)


def test_graded_searches_matches_questions_and_visits_are_read():
    first, _, last = told(of_fixture("searches.jsonl.gz"), "judgement")
    assert first == {
        "query_id": "17",
        "query": "oak stool",
        "product_id": "pellow:42",
        "label": "E",
        "subset": "small",
        "line": 1,
    }
    assert (last["query_id"], last["product_id"], last["line"]) == ("oak stool", "pellow:0051", 3)
    locales = [row["locale"] for row in of_fixture("searches.jsonl.gz").tables["judgement"]]
    assert locales == ["gb", "gb", "ie"]  # one line names no country
    pairs = told(of_fixture("rivals.parquet"), "match")
    assert [(row["right_id"], row["is_match"]) for row in pairs] == [("rival:9001", True), ("rival:9002", False)]
    descriptive, closed = told(of_fixture("questions.jsonl"), "question")
    assert (descriptive["kind"], descriptive["answerable"]) == ("descriptive", True)
    assert descriptive["snippets"] == ["It is 45 cm high.", "As high as my knee."]
    assert [(one["text"], one["helpful"], one["total"]) for one in descriptive["answers"]] == [
        ("45 cm.", 3, 4),
        ("Knee-high.", None, None),
    ]
    assert (closed["question_id"], closed["kind"]) == ("questions.jsonl:2", "yesno")
    assert [one["text"] for one in closed["answers"]] == ["Yes.", "It does."]
    visits = told(of_fixture("visits.csv"), "session")
    assert visits[0] == {"session_id": "v1", "product_ids": ["pellow:0042", "pellow:0043", "pellow:0042"], "line": 2}
    assert visits[1]["session_id"] == "visits.csv:3"


REASONS = {
    "stock/spring.csv": [
        (7, "SKU is empty"),
        (8, "not a CSV record: ',' expected after '\"'"),
        (9, "expected 14 cells, got 2"),
    ],
    "reviews.tsv": [
        (4, "marks is not a number from 1 to 10"),
        (5, "when is not a time, written as %d.%m.%Y"),
        (6, "thumbs is not a number of votes"),
        (7, "bought here is neither ja nor nein"),
        (8, "when is empty"),
    ],
    "searches.jsonl.gz": [
        (4, "search.words is empty"),
        (5, "verdict is none of: bad, fair, goes_with, perfect"),
        (6, "there is no item.sku in it"),
        (7, "verdict holds a list or an object, not a text"),
        (8, "search.id is too large a number to be exact; write it as text"),
        (9, "country is not a two-letter country code"),
        (10, "Input data was truncated"),
    ],
    "rivals.parquet": [(3, "ours is empty"), (4, "same is empty")],
    "questions.jsonl": [(3, "kind is none of: closed, open"), (4, "up is not a number of votes"), (5, "kind is empty")],
    "visits.csv": [(4, "seen is empty")],
}


@pytest.mark.parametrize("file", list(REASONS))
def test_what_cannot_be_read_is_quarantined_with_the_column(file: str):
    assert of_fixture(file).quarantine == REASONS[file]


@pytest.mark.parametrize(
    ("scale", "stars"),
    [
        ({"best": 10}, {"1": 1, "2": 1, "3": 2, "6": 3, "8": 4, "9": 5, "10": 5, "7,5": 4}),
        ({"worst": 0, "best": 1}, {"0": 1, "1": 5, "0.2": 2, "0.6": 4}),
        ({"worst": 0, "best": 100}, {"19": 1, "20": 2, "100": 5}),
        ({}, {"1": 1, "4.5": 4.5, "5": 5}),
    ],
)
def test_other_scales_become_stars(scale: dict[str, float], stars: dict[str, float]):
    review = {"product": "p", "rating": {"column": "r", **scale}}
    rows = "".join(f'{number},"{mark}"\n' for number, mark in enumerate(stars))
    done = ingest_bytes(f"p,r\n{rows}".encode(), shop({"file": "r.csv", "review": review}), "r.csv")
    assert [row["rating"] for row in done.tables["review"]] == list(stars.values())


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2024-02-29", 1709164800),
        ("20240229", 1709164800),
        ("2024-02-29T01:00:00+01:00", 1709164800),
        ("2024-02-29 00:00:00", 1709164800),
        ("1709164800", 1709164800),
        ("1709164800.9", 1709164800),
        ("1709164800123", 1709164800),
        ("1709164800123456", 1709164800),
        ("1709164800123456789", 1709164800),
        ("1.7e9", 1700000000),
    ],
)
def test_times_in_common_forms_are_the_same_second(written: str, seconds: int):
    source = shop({"file": "r.csv", "review": {"product": "p", "rating": "r", "time": "t"}})
    done = ingest_bytes(f"p,r,t\n1,5,{written}\n".encode(), source, "r.csv")
    assert [row["timestamp"] for row in done.tables["review"]] == [seconds]


@pytest.mark.parametrize("written", ["yesterday", "2024", "2024-13-01", "1e40", "nan", "inf", "-", "9" * 400])
def test_what_is_no_time_is_refused(written: str):
    source = shop({"file": "r.csv", "review": {"product": "p", "rating": "r", "time": "t"}})
    done = ingest_bytes(f"p,r,t\n1,5,{written}\n".encode(), source, "r.csv")
    assert done.quarantine == [(2, "t is not a time, ISO 8601 or a number since 1970")]


def test_ids_in_the_amazon_namespace_meet_those_of_the_amazon_corpora():
    review = {"product": "p", "user": "u", "rating": "r", "time": "t"}
    source = shop({"file": "r.csv", "review": review, "described_by": "amazon_reviews_2018"}, namespace="asin")
    row = ingest_bytes(b"p,u,r,t\nb000000001,A1,5,2024-01-01\n", source, "r.csv").tables["review"][0]
    assert (row["product_id"], row["user_id"], row["catalogue"]) == ("asin:B000000001", "A1", "amazon_reviews_2018")


def test_lists_and_numbers_of_json_and_nested_names_are_taken_as_they_are():
    product = {
        "id": "id",
        "title": "names.en",
        "features": "points",
        "categories": {"column": "path", "separator": "/"},
    }
    attributes = {"Size": "variants.size", "Weight": "weight"}
    source = shop({"file": "p.jsonl", "product": product, "attributes": attributes, "relations": {"similar": "like"}})
    line = (
        b'{"id": 7, "names": {"en": "Tray 30 x 20, 2.5 kg"}, "points": ["flat", null, ["oval"]], "path": "Home/Trays",'
        b' "variants": [{"size": 30}, {"size": "20"}], "weight": 2.5, "like": [8, "x9"]}\n'
    )
    done = ingest_bytes(line, source, "p.jsonl")
    (row,) = told(done, "product")
    assert (row["product_id"], row["features"], row["categories"]) == ("acme:7", ["flat", "oval"], ["Home", "Trays"])
    found = {one["attribute"]: [each["value"] for each in one["evidences"]] for one in told(done, "attribute")}
    assert found == {"Size": ["30", "20"], "Weight": ["2.5"]}
    assert [one["other_id"] for one in told(done, "relation")] == ["acme:8", "acme:x9"]


def test_a_cell_may_hold_a_json_list():
    source = shop({"file": "s.csv", "session": {"products": {"column": "seen", "separator": "json"}}})
    done = ingest_bytes(b'seen\n"[""a"", 5]"\n[oops\n', source, "s.csv")
    assert [row["product_ids"] for row in done.tables["session"]] == [["acme:a", "acme:5"]]
    assert done.quarantine == [(3, "seen is not a JSON list")]


def test_the_shops_own_words_for_nothing_count_as_empty():
    product = {"id": "p", "title": "t", "brand": "b", "features": {"column": "f", "separator": ","}}
    review = {"rating": "r", "text": "x"}
    source = shop({"file": "p.csv", "empty": ["NULL", "\\N"], "product": product, "review": review})
    done = ingest_bytes(b'p,t,b,f,r,x\n1,Bell,NULL,"loud,NULL",\\N, NULL \nNULL,Horn,,,,\n', source, "p.csv")
    assert told(done, "product") == [{"product_id": "acme:1", "title": "Bell", "features": ["loud"], "line": 2}]
    assert "review" not in done.tables
    assert done.quarantine == [(3, "p is empty")]


def test_a_record_without_any_cell_of_a_part_has_none_of_it():
    table = {"file": "p.csv", "product": {"id": "p", "title": "t"}, "review": {"rating": "r", "text": "x"}}
    done = ingest_bytes(b"p,t,r,x\n1,Bell,,\n2,Horn,5,Loud.\n3,Gong,,Louder.\n", shop(table), "p.csv")
    assert [row["product_id"] for row in done.tables["product"]] == ["acme:1", "acme:2"]
    assert [row["product_id"] for row in done.tables["review"]] == ["acme:2"]
    assert done.quarantine == [(4, "r is not a number from 1 to 5")]


def test_a_file_that_only_names_products_describes_none():
    table = {"file": "p.csv", "product": {"id": "p"}, "relations": {"also_view": {"column": "v", "separator": " "}}}
    done = ingest_bytes(b"p,v\n1,2 3\n", shop(table), "p.csv")
    assert "product" not in done.tables
    assert len(done.tables["relation"]) == 2


def test_a_missing_column_is_one_message_with_the_nearest_one():
    source = shop({"file": "p.csv", "product": {"id": "sku", "title": "titel"}})
    with pytest.raises(UserError, match=r"lacks the column titel .*tables\]\] 'p\.csv'.* Did you mean 'title'\?"):
        ingest_bytes(b"sku,title\n1,Bell\n", source, "p.csv")


@pytest.mark.parametrize(("file", "delimiter"), [("p.csv", ";"), ("p.csv", "|"), ("p.tsv", ",")])
def test_a_file_whose_cells_are_parted_otherwise_is_told_how(file: str, delimiter: str):
    table = {"file": file, "product": {"id": "sku", "title": "title"}}
    content = f"sku{delimiter}title\n1{delimiter}Bell\n".encode()
    advice = rf"parted by '\{delimiter}': give .*tables\]\] '{file}' a delimiter"
    with pytest.raises(UserError, match=advice):
        ingest_bytes(content, shop(table), file)
    done = ingest_bytes(content, shop({**table, "delimiter": delimiter}), file)
    assert [row["title"] for row in done.tables["product"]] == ["Bell"]


def test_what_a_json_record_may_lack_is_said():
    product = {"id": "id", "title": "t", "brand": "b"}
    line = b'{"id": 1, "t": "Bell"}\n'
    assert ingest_bytes(line, shop({"file": "p.jsonl", "product": product}), "p.jsonl").quarantine == [
        (1, "there is no b in it")
    ]
    for optional in (["b"], ["*"]):
        source = shop({"file": "p.jsonl", "product": product, "optional": optional})
        assert len(ingest_bytes(line, source, "p.jsonl").tables["product"]) == 1


def test_a_file_of_two_kinds_is_the_recipes_mistake():
    source = shop(*({"file": glob, "product": {"id": "p", "title": "t"}} for glob in ("*.csv", "pro*.csv")))
    assert source.kind_of("new.csv")
    with pytest.raises(UserError, match=r"describe 'products\.csv': '\*\.csv' and 'pro\*\.csv'"):
        source.kind_of("products.csv")


def test_a_source_that_is_not_there_describes_nothing():
    with pytest.raises(UserError, match=r"no source 'esc1'.* Did you mean 'esci'\?"):
        shop({"file": "r.csv", "review": {"product": "p", "rating": "r"}, "described_by": "esc1"})
