"""Query product ranking: two to four products, no two of one grade, no two that read alike."""

import pytest
from handmade import opened
from pydantic import ValidationError
from shelf import graded_world, judgements, products

from ecinstruct_build.task import Request
from ecinstruct_build.tasks.query_product_ranking import TASK, QueryProductRankingSettings

EVERYTHING = {"start": 0.0, "stop": 1.0}


def draw(folder, world, *, seed=1, size=10_000, **settings):
    with opened(folder, world) as tables:
        return TASK.draw(
            tables,
            QueryProductRankingSettings.model_validate({"pool": EVERYTHING, **settings}),
            Request(seed, size, size),
        )


def graded(grades, subset="small", **more):
    """One query whose products P0, P1 ... have the grades given."""
    return [
        {"query_id": "7", "query": "oak tray", "product_id": f"asin:P{n}", "label": grade, "subset": subset, **more}
        for n, grade in enumerate(grades)
    ]


def test_products_are_ranked_by_grade(tmp_path):
    (example,) = draw(tmp_path, graded_world(*graded("ICSE")), length_weights=(0, 0, 1)).examples
    assert example.answer == ["asin:P3", "asin:P2", "asin:P1", "asin:P0"]
    assert [(option.key, option.product_id, option.grade) for option in example.options] == [
        (f"asin:P{n}", f"asin:P{n}", grade) for n, grade in enumerate("ICSE")
    ]
    assert example.options[1].text == "kettle number 1 of <b>Hearth</b> &amp; Sons"
    assert example.fields == {"query": "oak tray"}
    assert example.groups == ("query:us:oak tray",)
    assert example.all_products == tuple(f"asin:P{n}" for n in range(4))
    assert [(origin.file, origin.line) for origin in example.origins] == [
        (f"{table}.jsonl", line) for table in ("judgement", "product") for line in range(1, 5)
    ]


def test_grades_and_texts_are_distinct_and_lengths_two_to_four(tmp_path):
    examples = draw(tmp_path, graded_world(*judgements())).examples
    assert {len(example.options) for example in examples} == {2, 3, 4}
    for example in examples:
        grades = {option.key: option.grade for option in example.options}
        assert len(set(grades.values())) == len(grades)
        assert len({option.text for option in example.options}) == len(grades)
        assert [grades[key] for key in example.answer] == sorted(grades.values(), key="ESCI".index)


def test_options_do_not_stand_in_the_order_of_the_answer(tmp_path):
    examples = draw(tmp_path, graded_world(*judgements()), length_weights=(1, 0, 0)).examples
    first = sum(example.answer[0] == example.options[0].key for example in examples)
    assert 0.3 < first / len(examples) < 0.7


@pytest.mark.parametrize(
    ("weights", "lengths"), [((1, 0, 0), {2}), ((0, 1, 0), {3}), ((0, 0, 1), {4}), ((1, 1, 0), {2, 3})]
)
def test_lengths_follow_the_weights(tmp_path, weights, lengths):
    rows = [row for n in range(30) for row in graded("ESCI", query_id=str(n), query=f"tray {n}")]
    examples = draw(tmp_path, graded_world(*rows), length_weights=weights).examples
    assert {len(example.options) for example in examples} == lengths


def test_a_query_with_fewer_grades_gets_the_list_that_it_can_have(tmp_path):
    (example,) = draw(tmp_path, graded_world(*graded("EEES")), length_weights=(0, 0, 1)).examples
    assert sorted(option.grade for option in example.options) == ["E", "S"]


@pytest.mark.parametrize("rows", [graded("EEEE"), graded("ESCI", subset="large"), graded("E") + graded("ES", "large")])
def test_queries_of_one_grade_or_of_the_large_version_are_not_ranked(tmp_path, rows):
    assert draw(tmp_path, graded_world(*rows)).examples == []


def test_products_that_read_alike_are_not_both_listed(tmp_path):
    described = [{"product_id": f"asin:P{n}", "title": title} for n, title in enumerate(["A tray", "a  TRAY", "A mug"])]
    (example,) = draw(tmp_path, graded_world(*graded("ESS"), described=described)).examples
    assert sorted(option.text.lower() for option in example.options) in (["a mug", "a tray"],)
    drawn = draw(tmp_path, graded_world(*graded("ES"), described=described))
    assert drawn.examples == []
    assert drawn.funnel["queries without two titled products of distinct grades"] == 1


def test_products_without_a_title_are_passed_over(tmp_path):
    described = [each for each in products(4) if each["product_id"] != "asin:P1"]
    (example,) = draw(tmp_path, graded_world(*graded("ESSC"), described=described), length_weights=(0, 0, 1)).examples
    assert sorted(option.key for option in example.options) == ["asin:P0", "asin:P2", "asin:P3"]


def test_the_same_words_under_two_ids_make_one_list(tmp_path):
    rows = [*graded("ES"), *graded("ESC", query_id="8", query="Oak TRAY")]
    assert len(draw(tmp_path, graded_world(*rows)).examples) == 1


def test_another_seed_lists_other_products(tmp_path):
    rows = [row for n in range(20) for row in graded("EEESSSCCCIII", query_id=str(n), query=f"tray {n}")]
    one, two = (
        {
            example.fields["query"]: [option.key for option in example.options]
            for example in draw(tmp_path, graded_world(*rows), seed=seed).examples
        }
        for seed in (1, 2)
    )
    assert len(one) == len(two) == 20
    assert sum(one[query] != two[query] for query in one) > 10


@pytest.mark.parametrize("weights", [(0, 0, 0), (-1, 1, 1), (1, 1)])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValidationError):
        QueryProductRankingSettings(length_weights=weights)
