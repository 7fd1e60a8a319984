"""Answer generation: descriptive, answerable questions, and the most helpful answer that somebody voted for."""

import pytest
from handmade import opened, table_rows
from shelf import question, question_world
from test_retrieval import review

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


def bare(number, **more):
    """A question without snippets and verdict, with the one answer whose votes nobody counted."""
    return question(
        number,
        **{
            "snippets": None,
            "answerable": None,
            "answers": [answer("It is two metres long.", None, None)],
            "product_id": f"asin:P{number}",
            **more,
        },
    )


def about(number, **more):
    return review(number, f"The cord of number {number} is long. I like it.", f"asin:P{number}", **more)


def draw_from_reviews(folder, rows, reviews, shuffle=None, size=100, **settings):
    world = {**question_world(*rows), "review": table_rows("review", reviews)}
    with opened(folder, world, shuffle) as tables:
        given = {"pool": EVERYTHING, "retrieval": {"min_supported": 0.0}, **settings}
        return TASK.draw(tables, AnswerGenerationSettings.model_validate(given), Request(1, size, size))


def test_questions_without_snippets_get_passages_of_their_products_reviews(tmp_path):
    rows = [bare(1), bare(2), question(3)]
    drawn = draw_from_reviews(tmp_path, rows, [about(1), about(2, product_id="asin:OTHER"), about(3)])
    found = {example.identity: example for example in drawn.examples}
    assert set(found) == {"Q1", "Q3"}
    assert found["Q1"].fields["snippets"] == ["The cord of number 1 is long. I like it."]
    assert found["Q1"].answer == "It is two metres long."
    assert found["Q1"].products == ("asin:P1",)
    assert "user:U1" in found["Q1"].groups
    assert [(one.file, one.line) for one in found["Q1"].origins] == [("question.jsonl", 1), ("review.jsonl", 1)]
    assert found["Q3"].fields["snippets"][0] == "The cord of 3 is two metres."
    assert drawn.funnel["this task's questions without snippets and verdict (ind)"] == 2
    assert drawn.funnel["on a product that has reviews (ind)"] == 1


def test_reviewers_are_groups_and_only_those_whose_words_are_shown(tmp_path):
    reviews = [about(1), review(7, "Nothing on that.", "asin:P1"), review(8, "Number of cords: one.", "asin:P1")]
    (example,) = draw_from_reviews(tmp_path, [bare(1)], reviews).examples
    assert {group for group in example.groups if group.startswith("user:")} == {"user:U1", "user:U8"}
    assert {origin.line for origin in example.origins if origin.file == "review.jsonl"} == {1, 8}


def test_reviews_change_nothing_for_questions_that_have_snippets(tmp_path):
    rows = [question(n) for n in range(30)]
    without = draw_from_reviews(tmp_path, rows, [], size=10)
    beside = draw_from_reviews(
        tmp_path, [*rows, *(bare(n, source="other") for n in range(20))], [about(n) for n in range(30)], size=10
    )
    assert [one for one in beside.examples if one.source == "corpus"] == without.examples
    assert sum(one.source == "other" for one in beside.examples) == 10


def test_retrieval_can_be_turned_off(tmp_path):
    drawn = draw_from_reviews(tmp_path, [bare(1)], [about(1)], retrieval={"enabled": False})
    assert drawn.examples == []
    assert not any("without snippets" in step for step in drawn.funnel)


@pytest.mark.parametrize(
    ("answers", "settings", "expected"),
    [
        ([answer("No one voted on this.", 0, 0)], {}, None),
        ([answer("No one voted on this.", 0, 0)], {"min_helpful": 0}, "No one voted on this."),
        ([answer("Two liked this one.", 2, 2)], {"min_helpful": 3}, None),
        ([answer("One answer not counted.", None, None), answer("And one more.", None, None)], {}, None),
        ([answer("<br>", None, None)], {}, None),
        ([answer("Taken as it is.", None, None)], {"min_helpful": 5}, "Taken as it is."),
    ],
)
def test_which_answer_is_taken(tmp_path, answers, settings, expected):
    drawn = draw_from_reviews(tmp_path, [bare(1, answers=answers)], [about(1)], **settings)
    assert [example.answer for example in drawn.examples] == ([] if expected is None else [expected])


def test_the_form_that_counts_votes_decides_where_a_question_stands_in_both(tmp_path):
    voted = bare(1, file="a", answers=[answer("Nobody found this useful.", 0, 3)])
    once = bare(1, file="b")
    for shuffle in (None, 1):
        assert draw_from_reviews(tmp_path, [voted, once], [about(1)], shuffle).examples == []
        useful = voted | {"answers": [answer("Some found this useful.", 1, 3), answer("Not this.", 0, 1)]}
        (example,) = draw_from_reviews(tmp_path, [once, useful], [about(1)], shuffle).examples
        assert example.answer == "Some found this useful."


def test_questions_on_which_reviews_say_nothing_are_counted(tmp_path):
    drawn = draw_from_reviews(tmp_path, [bare(1, question="Any scratches?")], [about(1)])
    assert drawn.examples == []
    assert drawn.funnel["questions on which the product's reviews say too little"] == 1


def test_answers_that_the_snippets_found_do_not_support_are_counted(tmp_path):
    """One word of four is shown: long, but neither metre nor reaching nor wall."""
    unsupported = bare(1, answers=[answer("Long metres reaching the wall", None, None)])
    for least, number in ((0.25, 1), (0.26, 0)):
        drawn = draw_from_reviews(tmp_path, [unsupported], [about(1)], retrieval={"min_supported": least})
        assert len(drawn.examples) == number
    assert drawn.funnel["questions whose answer has nothing to do with the snippets found"] == 1
    own = question(1, answers=[answer("Quite another matter altogether", 3, 3)])
    assert len(draw_from_reviews(tmp_path, [own], [about(1)], retrieval={"min_supported": 1.0}).examples) == 1


def test_a_smaller_draw_is_part_of_a_larger_one_snippets_included(tmp_path):
    rows, reviews = [bare(n) for n in range(60)], [about(n) for n in range(60)]
    small, large = (
        {example.example_id: example for example in draw_from_reviews(tmp_path, rows, reviews, size=size).examples}
        for size in (10, 40)
    )
    assert len(small) == 10
    assert {key: large[key] for key in small} == small
    shuffled = draw_from_reviews(tmp_path, rows, reviews, shuffle=5, size=10).examples
    assert {example.example_id: example for example in shuffled} == small


@pytest.mark.spark
def test_both_engines_draw_the_same_where_snippets_are_found(tmp_path):
    rows = [*(bare(n) for n in range(40)), *(bare(n, file="second") for n in range(10))]
    world = {**question_world(*rows), "review": table_rows("review", [about(n) for n in range(30)])}
    drawn = []
    for engine, shuffle in (("duckdb", None), ("spark", 2)):
        with opened(tmp_path, world, shuffle, engine) as tables:
            settings = AnswerGenerationSettings.model_validate({"pool": EVERYTHING})
            drawn.append(TASK.draw(tables, settings, Request(1, 20, 0)))
    assert len(drawn[0].examples) == 20
    assert drawn[0].funnel == drawn[1].funnel
    assert sorted(drawn[0].examples, key=lambda one: one.identity) == sorted(
        drawn[1].examples, key=lambda one: one.identity
    )
