"""Multiclass product classification, and what all tasks on graded search results promise alike."""

import json

import pytest
from handmade import opened
from shelf import graded_world, judgements, products

from ecinstruct_build.example import dump_json, examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Request
from ecinstruct_build.tasks.multiclass_product_classification import OPTIONS, TASK

GRADED = ("multiclass_product_classification", "product_substitute_identification", "query_product_ranking")
EVERYTHING = {"start": 0.0, "stop": 1.0}


def draw(folder, world, task=TASK, *, seed=1, size=10_000, shuffle=None, **settings):
    with opened(folder, world, shuffle) as tables:
        return task.draw(tables, task.settings.model_validate(settings), Request(seed, size, size))


def one(**more):
    return {
        "query_id": "7",
        "query": "Oak  Tea tray",
        "product_id": "asin:P0",
        "label": "S",
        "subset": "large",
        **more,
    }


def test_the_answer_is_the_grade_as_one_of_four_fixed_options(tmp_path):
    drawn = draw(tmp_path, graded_world(one()), pool=EVERYTHING)
    (example,) = drawn.examples
    assert example.fields == {"query": "Oak Tea tray", "product": "tray number 0 of <b>Hearth</b> &amp; Sons"}
    assert [option.key for option in example.options] == ["E", "S", "C", "I"]
    assert (example.answer, TASK.answer.format(example.answer, "ESCI")) == ("S", "B")
    assert example.products == ("asin:P0",)
    assert example.groups == ("query:us:oak tea tray",)
    assert [(origin.file, origin.line) for origin in example.origins] == [("judgement.jsonl", 1), ("product.jsonl", 1)]
    assert drawn.funnel["examples"] == drawn.funnel["graded judgements"] == 1


def test_the_four_options_are_four_sentences():
    assert len({option.text for option in OPTIONS}) == 4
    assert all(option.text.endswith(".") for option in OPTIONS)


def test_only_the_marketplaces_asked_for(tmp_path):
    world = graded_world(one(), one(query_id="8", locale="es"), described=[*products(1), *products(1, locale="es")])
    assert {example.locale for example in draw(tmp_path, world, pool=EVERYTHING).examples} == {"us"}
    both = draw(tmp_path, world, pool=EVERYTHING, locales=("us", "es")).examples
    assert {example.groups for example in both} == {("query:us:oak tea tray",), ("query:es:oak tea tray",)}


def test_the_same_words_under_two_ids_are_one_query(tmp_path):
    world = graded_world(one(), one(query_id="8", query="oak tea TRAY "), one(query_id="8", product_id="asin:P1"))
    examples = draw(tmp_path, world, pool=EVERYTHING).examples
    assert sorted(example.products for example in examples) == [("asin:P0",), ("asin:P1",)]
    assert len({example.groups for example in examples}) == 1


@pytest.mark.parametrize("second", [{}, {"query_id": "8"}])
def test_a_product_with_two_grades_for_the_same_words_is_not_drawn(tmp_path, second):
    assert draw(tmp_path, graded_world(one(), one(label="E", **second)), pool=EVERYTHING).examples == []


def test_judgements_without_text_are_left_out_and_counted(tmp_path):
    described = [{"product_id": "asin:P0", "title": "<b></b>"}, {"product_id": "asin:P1", "title": None}]
    world = graded_world(
        one(), one(product_id="asin:P1"), one(product_id="asin:P2"), one(query="&nbsp;"), described=described
    )
    drawn = draw(tmp_path, world, pool=EVERYTHING)
    assert drawn.examples == []
    assert drawn.funnel["judgements without a product title"] == 3
    assert drawn.funnel["judgements without a readable query"] == 1


def test_the_first_description_in_the_catalogue_and_marketplace_of_the_judgement_is_shown(tmp_path):
    described = [
        {"product_id": "asin:P0", "title": "later", "file": "b"},
        {"product_id": "asin:P0", "title": "first", "file": "a", "line": 9},
        {"product_id": "asin:P0", "title": "abroad", "file": "a", "locale": "es"},
        {"product_id": "asin:P0", "title": "elsewhere", "file": "a", "source": "other"},
    ]
    (example,) = draw(tmp_path, graded_world(one(), described=described), pool=EVERYTHING).examples
    assert example.fields["product"] == "first"


def test_no_two_graded_tasks_ask_about_the_same_query(tmp_path):
    rows = judgements()
    twins = [{**row, "query_id": f"twin{row['query_id']}", "query": f" {row['query'].upper()}"} for row in rows]
    asked = [
        {
            group
            for example in draw(tmp_path, graded_world(*rows, *twins), TASKS.get(name)).examples
            for group in example.groups
        }
        for name in GRADED
    ]
    assert min(map(len, asked)) > 10
    assert sum(map(len, asked)) == len(set().union(*asked))


@pytest.mark.parametrize("name", GRADED)
def test_draws_do_not_depend_on_row_order(tmp_path, name):
    rows = [*judgements(), *judgements()[:99], *judgements(subset="large")]
    expected, shuffled = (
        examples_to_table(draw(tmp_path, graded_world(*rows), TASKS.get(name), size=40, shuffle=shuffle).examples)
        for shuffle in (None, 1)
    )
    assert expected.num_rows > 20
    assert shuffled.equals(expected)


@pytest.mark.parametrize("name", GRADED)
def test_smaller_draws_are_part_of_larger_ones_and_a_new_source_moves_nothing(tmp_path, name):
    world, wider = graded_world(*judgements()), graded_world(*judgements(), *judgements(source="other"))
    small, large, both = (
        {example.example_id for example in draw(tmp_path, tables, TASKS.get(name), size=size).examples}
        for tables, size in ((world, 15), (world, 25), (wider, 15))
    )
    assert len(small) == 15
    assert small < large
    assert small < both


@pytest.mark.parametrize("name", GRADED)
def test_seeds_draw_differently_and_sources_can_be_chosen(tmp_path, name):
    world = graded_world(*judgements(), *judgements(source="other"))
    drawn = [draw(tmp_path, world, TASKS.get(name), seed=seed, size=15, sources=("other",)).examples for seed in (1, 2)]
    assert {example.source for examples in drawn for example in examples} == {"other"}
    assert {example.example_id for example in drawn[0]} != {example.example_id for example in drawn[1]}


@pytest.mark.parametrize("name", GRADED)
def test_fields_are_json_and_answers_read_back(tmp_path, name):
    task = TASKS.get(name)
    for example in draw(tmp_path, graded_world(), task).examples:
        keys = [option.key for option in example.options]
        assert set(example.fields) == set(task.fields)
        assert json.loads(dump_json(dict(example.fields))) == example.fields
        assert task.answer.parse(task.answer.format(example.answer, keys), keys) == example.answer
        assert (example.domain, len(example.origins) >= 2) == ("ind", True)


@pytest.mark.parametrize("name", GRADED)
def test_nothing_graded_gives_nothing(tmp_path, name):
    assert draw(tmp_path, {}, TASKS.get(name)).examples == []
