"""The score of planted defects: what is found, what is missed and where, and what was found besides."""

from dataclasses import replace
from typing import Any

import pytest
from made_examples import make_example

from ecinstruct_build.example import Example, Origin
from ecinstruct_build.registry import CHECKS, TASKS
from ecinstruct_build.reporting.planted.rules import RULES, SHOWN
from ecinstruct_build.reporting.planted.score import Evidence, Score, score
from ecinstruct_build.sample_corpora.ledger import KINDS, Entry, Kind, Place

TASK = "sentiment_analysis"
FILE = "Electronics_5.json.gz"


def entry(kind: Kind, line: int, **more: Any) -> Entry:
    return Entry(kind, "amazon_reviews_2018", FILE, line, (f"B{line}",), **{"field": "reviewText", **more})


def review(line: int, text: str = "fine") -> Example:
    origin = Origin("amazon_reviews_2018", FILE, line)
    return replace(make_example(TASK, line), fields={"review": text}, origins=(origin,))


def verdict(example: Example, finding: str, action: str = "reject", peer: str = "") -> dict[str, Any]:
    check, _, reason = finding.partition(": ")
    return {"example_id": example.example_id, "check": check, "reason": reason, "action": action, "peer": peer}


def scored(ledger: list[Entry], examples: list[Example], verdicts: list[dict[str, Any]], **more: Any) -> list[Score]:
    repaired = more.pop("repaired", examples)
    return score(ledger, Evidence((), (), {TASK: examples}, {TASK: repaired}, {TASK: verdicts}, **more))


def test_found_missed_and_wrong_are_told_apart() -> None:
    examples = [review(line) for line in (1, 2, 3)]
    foreign = "language: foreign language"
    verdicts = [verdict(examples[0], foreign), verdict(examples[2], foreign)]
    (one,) = scored([entry("foreign_language", line) for line in (1, 2, 9)], examples, verdicts)
    assert (one.planted, one.reachable, one.found) == (3, 2, 1)
    assert one.missed == (f"amazon_reviews_2018/{FILE}:2",)
    assert (one.recall, one.precision) == (0.5, 0.5)


def test_a_verdict_of_another_reason_and_a_near_miss_find_nothing() -> None:
    example = review(1)
    verdicts = [verdict(example, "language: something else"), verdict(example, "language: foreign language", "keep")]
    (one,) = scored([entry("foreign_language", 1)], [example], verdicts)
    assert (one.reachable, one.found, one.findings) == (1, 0, 0)
    assert one.precision is None


def test_mended_means_that_nothing_is_left_of_it() -> None:
    spoiled, still = review(1, "one\u200btwo"), review(2, "one\u200btwo")
    ledger = [entry("invisible", line, note="U+200B") for line in (1, 2)]
    told = [verdict(one, "hygiene: invisible characters", "repair") for one in (spoiled, still)]
    (one,) = scored(ledger, [spoiled, still], told, repaired=[review(1, "onetwo"), still])
    assert (one.found, one.findings, one.right) == (1, 2, 2)
    assert one.missed == (f"amazon_reviews_2018/{FILE}:2",)


def test_forms_are_scored_by_their_own_reason() -> None:
    examples = [review(1), review(2)]
    ledger = [entry("privacy", 1, reason="card number"), entry("privacy", 2, reason="phone number")]
    verdicts = [verdict(one, "privacy: card number", "repair") for one in examples]
    both, card, phone = scored(ledger, examples, verdicts)
    assert (both.form, card.form, phone.form) == ("", "card number", "phone number")
    assert (both.recall, card.recall, phone.recall) == (1.0, 1.0, 0.0)
    assert (card.findings, card.right) == (2, 1)


def test_a_pair_is_found_if_either_side_goes_or_the_pair_is_known() -> None:
    examples = [review(line) for line in range(1, 7)]
    ledger = [entry("near_duplicate", line, partner=Place(FILE, line + 1, ("B",))) for line in (1, 3, 5)]
    verdicts = [verdict(examples[1], "duplicates: near duplicate", peer=examples[0].example_id)]
    known = [(examples[2].example_id, examples[3].example_id, "shared passage")]
    (one,) = scored(ledger, examples, verdicts, pairs=known)
    assert (one.reachable, one.found) == (3, 2)
    assert one.missed == (f"amazon_reviews_2018/{FILE}:5",)


def test_quarantine_is_compared_line_by_line() -> None:
    lines = {("amazon_reviews_2018", FILE, 1), ("amazon_reviews_2018", FILE, 7)}
    (one,) = score([entry("malformed_line", line) for line in (1, 2)], Evidence(lines, (), {}, {}, {}))
    assert (one.recall, one.precision) == (0.5, 0.5)


def test_an_example_of_an_empty_text_is_a_miss() -> None:
    (one,) = scored([entry("empty_text", 1), entry("empty_text", 2)], [review(1)], [])
    assert (one.reachable, one.found) == (2, 1)


def test_families_are_joined_rightly_wrongly_or_not() -> None:
    products = {line: f"asin:B{line}" for line in range(1, 7)}
    examples = [replace(review(line), products=(product,)) for line, product in products.items()]
    ledger = [entry("variant_family", 1, field="title"), entry("variant_family", 3, field="title")]
    ledger = [replace_ids(ledger[0], "B1", "B2"), replace_ids(ledger[1], "B3", "B4")]
    families = {"asin:B1": "x", "asin:B2": "x", "asin:B5": "y", "asin:B6": "y"}
    (one,) = scored(ledger, examples, [], families=families)
    assert (one.reachable, one.found) == (2, 1)
    assert (one.findings, one.right) == (2, 1)


def replace_ids(one: Entry, *ids: str) -> Entry:
    return Entry(one.kind, one.source, one.file, one.line, ids, field=one.field)


@pytest.mark.parametrize("splits", [{"train", "test"}, {"train", "test_ood"}])
def test_products_on_both_sides_of_the_split_are_a_miss(splits: set[str]) -> None:
    apart = {"asin:B1": splits, "asin:B2": {"validation", "test"}, "asin:B3": {"train"}}
    (one,) = scored([entry("cross_category", line) for line in (1, 2, 3, 4)], [], [], splits=apart)
    assert (one.reachable, one.found) == (3, 2)


def test_rules_name_known_checks_and_tasks() -> None:
    assert set(RULES) == set(KINDS)
    checks = {finding.partition(": ")[0] for rule in RULES.values() for finding in rule.findings}
    assert checks <= set(CHECKS.names())
    assert {task for tasks in SHOWN.values() for task in tasks} <= set(TASKS.names())
