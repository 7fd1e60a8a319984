"""Amazon question/answer data: both forms, question keys, and the genuine pieces."""

import ast
import gzip
from collections import Counter
from pathlib import Path

import pytest
import source_fixtures
from fixture_corpora import mcauley_qa
from hypothesis import given
from hypothesis import strategies as st
from ingesting import Ingested, ingest, ingest_bytes

from ecinstruct_build.registry import SOURCES

SOURCE = SOURCES.get("mcauley_qa")
SINGLE, MULTIPLE = mcauley_qa.FILES


def ingested(file: str) -> Ingested:
    return ingest(source_fixtures.FOLDER / "mcauley_qa" / file, SOURCE, file)


def stated(row):
    return {key: value for key, value in row.items() if value is not None and key not in ("source", "file", "line")}


def test_questions_with_one_answer():
    done = ingested(SINGLE)
    first, second, *_, last = done.tables["question"]
    key = first["question_id"]
    assert key.startswith("B00KETTLE1|")
    assert stated(first) == {
        "question_id": key,
        "product_id": "asin:B00KETTLE1",
        "question": "Does the whistle stop when the lid is open?",
        "kind": "yesno",
        "answers": [{"text": "It does, as soon as you lift it.", "kind": "Y", "helpful": None, "total": None}],
        "category": "Home_and_Kitchen",
        "catalogue": "amazon_reviews_2018",
        "locale": "us",
    }
    assert (second["product_id"], second["kind"]) == ("asin:B00MUGSET3", "descriptive")
    assert second["answers"] == [{"text": "About four inches, I'd say.", "kind": None, "helpful": None, "total": None}]
    assert (last["line"], last["answers"][0]["text"]) == (10, "Ages.")


def test_malformed_lines_are_quarantined_with_the_reason_and_repeats_collapse():
    done = ingested(SINGLE)
    assert [line for line, _ in done.quarantine] == [5, 6, 7, 8]
    assert done.quarantine[0][1] == "Invalid enum value 'rhetorical' - at `$.questionType`"
    assert done.quarantine[3][1].startswith("not a Python literal")
    assert done.collapsed == [(9, 1)]


def test_a_blank_answer_is_no_answer():
    row = next(row for row in ingested(SINGLE).tables["question"] if row["product_id"] == "asin:B00TEAPOT2")
    assert row["answers"] == []


def test_a_line_with_all_questions_of_a_product_becomes_a_row_for_each():
    done = ingested(MULTIPLE)
    boiling, grade, again, last = done.tables["question"]
    assert [row["line"] for row in (boiling, grade, again, last)] == [1, 1, 1, 5]
    assert stated(boiling) == {
        "question_id": boiling["question_id"],
        "product_id": "asin:B00KETTLE1",
        "question": "How long until it's boiling?",
        "kind": "descriptive",
        "answers": [
            {"text": 'Nine minutes on "high".', "kind": None, "helpful": 3, "total": 4},
            {"text": "No idea, café owner here.", "kind": None, "helpful": 0, "total": 0},
        ],
        "category": "Home_and_Kitchen",
        "catalogue": "amazon_reviews_2018",
        "locale": "us",
    }
    assert (grade["question"], grade["kind"]) == ("Is it café grade?", "yesno")
    assert grade["answers"] == [{"text": "Yes.", "kind": "Y", "helpful": 0, "total": 1}]
    assert again["question_id"] == boiling["question_id"] + "|2"
    assert last["answers"] == []
    assert [line for line, _ in done.quarantine] == [3, 4]
    assert done.counts.ingested == 3


def test_a_question_has_one_key_in_both_forms_whatever_its_case_and_spacing():
    single, multiple = (ingested(file).tables["question"] for file in (SINGLE, MULTIPLE))
    assert single[-1]["question_id"] == multiple[0]["question_id"]
    tall, taller = (row for row in single if row["question"].casefold().startswith("how tall"))
    assert tall["question_id"] == taller["question_id"]
    assert MULTIPLE < SINGLE  # in order of file, the form with all answers comes first


@given(st.lists(st.tuples(st.sampled_from(["B00A", "B00B"]), st.text(max_size=6)), unique=True, max_size=20))
def test_keys_tell_questions_apart_that_differ_in_words_or_product(asked):
    lines = [{"asin": asin, "question": f"Q{text}", "questionType": "yes/no", "answer": "a"} for asin, text in asked]
    done = ingest_bytes("".join(f"{line!r}\n" for line in lines).encode(), SOURCE, "qa_Baby.json")
    words = {
        (row["product_id"], " ".join(row["question"].casefold().split())) for row in done.tables.get("question", [])
    }
    assert len({row["question_id"] for row in done.tables.get("question", [])}) == len(words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "records", "questions", "kinds"),
    [
        ("qa_Appliances.json.gz", 9011, 9008, {"yesno": 4690, "descriptive": 4318}),
        ("QA_Video_Games.json.gz", 591, 3863, {"yesno": 734, "descriptive": 3129}),
    ],
)
def test_genuine_pieces(real_corpora: Path, file, records, questions, kinds):
    path = real_corpora / "mcauley_qa" / file
    done = ingest(path, SOURCE, file)
    assert (done.counts.records, done.counts.quarantined) == (records, 0)
    rows = done.tables["question"]
    assert len(rows) == questions
    assert Counter(row["kind"] for row in rows) == kinds
    assert len({(row["question_id"], row["line"]) for row in rows}) == questions
    with gzip.open(path) as lines:
        raw = [ast.literal_eval(line.decode()) for line in lines]
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        record = raw[row["line"] - 1]
        asked = [record["question"]] if "question" in record else [each["questionText"] for each in record["questions"]]
        assert row["product_id"] == f"asin:{record['asin']}"
        assert row["question"] in asked
