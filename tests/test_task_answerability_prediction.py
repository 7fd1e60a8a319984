"""Answerability prediction, and what both tasks on shoppers' questions promise alike."""

import json

import pytest
from handmade import opened
from shelf import question, question_world, questions

from ecinstruct_build.example import dump_json, examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Request
from ecinstruct_build.tasks.answerability_prediction import TASK

BOTH = ("answerability_prediction", "answer_generation")
EVERYTHING = {"start": 0.0, "stop": 1.0}


def draw(folder, world, task=TASK, *, seed=1, size=10_000, shuffle=None, **settings):
    with opened(folder, world, shuffle) as tables:
        return task.draw(tables, task.settings.model_validate(settings), Request(seed, size, size))


def test_yes_iff_the_snippets_answer_and_unjudged_questions_are_not_asked(tmp_path):
    world = question_world(question(1), question(2, answerable=False), question(3, answerable=None))
    examples = draw(tmp_path, world, pool=EVERYTHING).examples
    assert {example.identity: example.answer for example in examples} == {"Q1": "yes", "Q2": "no"}
    first = next(example for example in examples if example.identity == "Q1")
    assert first.fields == {
        "question": "How long is cord number 1?",
        "snippets": ["The cord of 1 is two metres.", "Boils <i>fast</i>."],
    }
    assert (first.products, first.category) == (("asin:P1",), "Kettles")
    assert [(origin.file, origin.line) for origin in first.origins] == [("question.jsonl", 1)]


@pytest.mark.parametrize("snippets", [None, [], [""], ["<br>", None]])
def test_questions_without_snippets_are_left_out(tmp_path, snippets):
    drawn = draw(tmp_path, question_world(question(1, snippets=snippets)), pool=EVERYTHING)
    assert drawn.examples == []
    assert drawn.funnel.get("questions without a readable snippet", 0) == (1 if snippets else 0)


def test_questions_without_words_are_left_out_and_counted(tmp_path):
    drawn = draw(tmp_path, question_world(question(1, question=" <p>")), pool=EVERYTHING)
    assert (drawn.examples, drawn.funnel["questions without readable words"]) == ([], 1)


def test_the_best_snippets_are_shown_up_to_the_limit(tmp_path):
    world = question_world(question(1, snippets=["", *(f"piece {n}" for n in range(9))]))
    for settings, number in (({}, 9), ({"max_snippets": 2}, 2), ({"max_snippets": 20}, 9)):
        (example,) = draw(tmp_path, world, pool=EVERYTHING, **settings).examples
        assert example.fields["snippets"] == [f"piece {n}" for n in range(number)]


def test_long_questions_are_grouped_by_their_words_and_short_ones_by_id_alone(tmp_path):
    world = question_world(
        question(1, question="Does the lid  lock when pouring TEA?"),
        question(2, question="does the lid lock when pouring tea?"),
        question(3, question="Is it loud?"),
        question(4, question="Is it loud?"),
    )
    groups = {example.identity: set(example.groups) for example in draw(tmp_path, world, pool=EVERYTHING).examples}
    assert groups["Q1"] & groups["Q2"] == {"question:words:does the lid lock when pouring tea?"}
    assert groups["Q3"] == {"question:corpus:Q3"}


def test_a_question_listed_twice_is_asked_once_as_first_listed(tmp_path):
    rows = [question(1, file="b", answerable=False), question(1, file="a"), question(1, file="a", line=2)]
    for shuffle in (None, 1, 2):
        (example,) = draw(tmp_path, question_world(*rows), pool=EVERYTHING, shuffle=shuffle).examples
        assert example.answer == "yes"


def test_a_share_of_answerable_questions_can_be_asked_for(tmp_path):
    answers = [example.answer for example in draw(tmp_path, question_world(), size=40, positive_share=0.5).examples]
    assert (answers.count("yes"), answers.count("no")) == (20, 20)


@pytest.mark.parametrize("name", BOTH)
def test_categories_decide_the_domain(tmp_path, name):
    settings = {"ind": ("Kettles",), "ood": ("Lamps",)}
    examples = draw(tmp_path, question_world(), TASKS.get(name), **settings).examples
    assert {(example.category, example.domain) for example in examples} == {("Kettles", "ind"), ("Lamps", "ood")}


def test_both_tasks_never_ask_the_same_question(tmp_path):
    mirrored = [
        {**row, "source": "mirror", "question_id": f"M{row['question_id']}", "question": row["question"].upper()}
        for row in questions()
    ]
    asked = [
        {
            (example.products, example.fields["question"].lower())
            for example in draw(tmp_path, question_world(*questions(), *mirrored), TASKS.get(name)).examples
        }
        for name in BOTH
    ]
    assert min(map(len, asked)) > 20
    assert not asked[0] & asked[1]


@pytest.mark.parametrize("name", BOTH)
def test_draws_do_not_depend_on_row_order(tmp_path, name):
    rows = [*questions(), *questions()[:50]]
    expected, shuffled = (
        examples_to_table(draw(tmp_path, question_world(*rows), TASKS.get(name), size=30, shuffle=shuffle).examples)
        for shuffle in (None, 1)
    )
    assert expected.num_rows == 30
    assert shuffled.equals(expected)


@pytest.mark.parametrize("name", BOTH)
def test_smaller_draws_are_part_of_larger_ones_and_a_new_source_moves_nothing(tmp_path, name):
    world, wider = question_world(), question_world(*questions(), *questions(source="other"))
    small, large, both = (
        {example.example_id for example in draw(tmp_path, tables, TASKS.get(name), size=size).examples}
        for tables, size in ((world, 15), (world, 30), (wider, 15))
    )
    assert len(small) == 15
    assert small < large
    assert small < both


@pytest.mark.parametrize("name", BOTH)
def test_seeds_draw_differently_and_sources_can_be_chosen(tmp_path, name):
    world = question_world(*questions(), *questions(source="other"))
    drawn = [draw(tmp_path, world, TASKS.get(name), seed=seed, size=15, sources=("other",)).examples for seed in (1, 2)]
    assert {example.source for examples in drawn for example in examples} == {"other"}
    assert {example.example_id for example in drawn[0]} != {example.example_id for example in drawn[1]}


@pytest.mark.parametrize("name", BOTH)
def test_fields_are_json_and_answers_read_back(tmp_path, name):
    task = TASKS.get(name)
    for example in draw(tmp_path, question_world(), task).examples:
        assert set(example.fields) == set(task.fields)
        assert json.loads(dump_json(dict(example.fields))) == example.fields
        assert task.answer.parse(task.answer.format(example.answer, ()), ()) == example.answer


@pytest.mark.parametrize("name", BOTH)
def test_nothing_asked_gives_nothing(tmp_path, name):
    assert draw(tmp_path, {}, TASKS.get(name)).examples == []
