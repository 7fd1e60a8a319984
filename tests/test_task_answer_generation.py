"""Answer generation: descriptive, answerable questions, and the most helpful answer that somebody voted for."""

import pytest
from handmade import opened
from shelf import question, question_world

from ecinstruct_build.task import Request
from ecinstruct_build.tasks.answer_generation import TASK, AnswerGenerationSettings, most_helpful

EVERYTHING = {"start": 0.0, "stop": 1.0}


def draw(folder, *rows, **settings):
    with opened(folder, question_world(*rows)) as tables:
        chosen = AnswerGenerationSettings.model_validate({"pool": EVERYTHING, **settings})
        return TASK.draw(tables, chosen, Request(1, 100, 100))


def answer(text, helpful, total):
    return {"text": text, "kind": "", "helpful": helpful, "total": total}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([answer("few", 1, 1), answer("many", 5, 9)], "many"),
        ([answer("disputed", 3, 9), answer("agreed", 3, 4)], "agreed"),
        ([answer("short", 2, 2), answer("longer one", 2, 2)], "longer one"),
        ([answer("bb", 2, 2), answer("aa", 2, 2)], "aa"),
        ([answer("<br>", 9, 9), answer("Two &amp;  a half", 1, 2)], "Two &amp; a half"),
        ([answer("unvoted", 0, 0), answer("unknown", None, None)], ""),
        ([answer(None, 3, 3)], ""),
        ([answer("odd count", 3, 0)], "odd count"),
        ([], ""),
    ],
)
def test_the_most_helpful_answer(answers, expected):
    assert most_helpful(answers) == most_helpful(answers[::-1]) == expected


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "yesno"},
        {"answerable": False},
        {"answerable": None},
        {"answers": None},
        {"answers": []},
        {"answers": [answer("It is two metres.", 0, 4)]},
        {"answers": [answer("It is two metres.", None, None)]},
        {"snippets": None},
    ],
)
def test_only_descriptive_answerable_questions_with_a_helpful_answer(tmp_path, more):
    (example,) = draw(tmp_path, question(1), question(2, **more)).examples
    assert (example.identity, example.answer) == ("Q1", "It is two metres, number 1.")


def test_answers_too_short_or_long_are_left_out_and_counted_even_if_a_worse_one_fits(tmp_path):
    short = [answer("Yes.", 9, 9), answer("Yes, it does fit.", 1, 1)]
    drawn = draw(tmp_path, question(1, answers=short))
    assert drawn.examples == []
    assert drawn.funnel["questions whose most helpful answer is too short or too long"] == 1
    assert draw(tmp_path, question(1, answers=short), min_answer_words=1).examples[0].answer == "Yes."
    assert draw(tmp_path, question(1), max_answer_words=4).examples == []


def test_an_answer_without_readable_text_is_counted(tmp_path):
    drawn = draw(tmp_path, question(1, answers=[answer("<p>", 3, 3)]))
    assert (drawn.examples, drawn.funnel["questions without a readable helpful answer"]) == ([], 1)
