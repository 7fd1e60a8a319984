"""The validity check: planted faults of every kind are found, made-up and drawn examples are left alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_examples import MAKERS, make_example, make_examples

from ecinstruct_build.check import Evidence
from ecinstruct_build.drawing.graded import GRADES
from ecinstruct_build.example import Example, Option
from ecinstruct_build.tasks.attribute_value_extraction import ABSENT
from ecinstruct_build.tasks.sentiment_analysis import OPTIONS
from quality import validity
from quality.validity import ValiditySettings

COUNT = 60


def reasons_of(examples: Sequence[Example], usual: ValiditySettings | None = None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for verdict in validity.judge(examples, usual or ValiditySettings(), Evidence()):
        found.setdefault(verdict.example_id, set()).add(verdict.reason)
    return found


def review(text: str, feeling: str) -> Example:
    return Example(
        "sentiment_analysis", "corpus", text, "ind", "us", (), {"review": text}, feeling, options=tuple(OPTIONS)
    )


@pytest.mark.parametrize("task", sorted(MAKERS))
def test_good_examples_of_every_task_pass(task: str) -> None:
    assert reasons_of(make_examples(task, COUNT)) == {}


def test_grades_are_those_of_the_ranking_task() -> None:
    assert ValiditySettings().grades == GRADES


def with_row(example: Example, place: int, **changes: str) -> Example:
    rows = [dict(row) for row in example.answer]
    rows[place].update(changes)
    return replace(example, answer=rows)


def with_grades(example: Example, grades: Sequence[str]) -> Example:
    options = tuple(replace(option, grade=grade) for option, grade in zip(example.options, grades, strict=False))
    return replace(example, options=options + example.options[len(options) :])


FAULTS: dict[str, tuple[str, Callable[[Example], Example]]] = {
    "answer not among the options": (
        "multiclass_product_classification",
        lambda example: replace(example, answer="Exact"),
    ),
    "ranking does not list every option once": (
        "query_product_ranking",
        lambda example: replace(example, answer=[*example.answer[:-1], example.answer[0]]),
    ),
    "options of one grade": ("query_product_ranking", lambda example: with_grades(example, ["C", "C", "C", "C"])),
    "option of an unknown grade": ("query_product_ranking", lambda example: with_grades(example, ["E", "relevant"])),
    "ranking against the grades": (
        "query_product_ranking",
        lambda example: replace(example, answer=example.answer[::-1]),
    ),
    "answer neither yes nor no": ("product_matching", lambda example: replace(example, answer="Yes, they match.")),
    "equal products that do not match": (
        "product_matching",
        lambda example: replace(
            example, answer="no", fields={"left": example.fields["left"], "right": dict(example.fields["left"])}
        ),
    ),
    "malformed attribute answer": (
        "attribute_value_extraction",
        lambda example: replace(example, answer=[{"attribute": "Material", "value": None, "source": "title"}]),
    ),
    "attribute asked for twice": (
        "attribute_value_extraction",
        lambda example: replace(
            example, fields={**example.fields, "attributes": ["Material", "Height", "Colour", "Height"]}
        ),
    ),
    "attribute not answered": (
        "attribute_value_extraction",
        lambda example: replace(example, answer=example.answer[:2]),
    ),
    "attribute not asked for": (
        "attribute_value_extraction",
        lambda example: replace(
            example, answer=[*example.answer, {"attribute": "Shape", "value": ABSENT, "source": ABSENT}]
        ),
    ),
    "attributes answered out of order": (
        "attribute_value_extraction",
        lambda example: replace(example, answer=example.answer[::-1]),
    ),
    "attribute answered twice": (
        "attribute_value_extraction",
        lambda example: replace(example, answer=[example.answer[0], *example.answer]),
    ),
    "value without a source": ("attribute_value_extraction", lambda example: with_row(example, 0, source=ABSENT)),
    "source without a value": ("attribute_value_extraction", lambda example: with_row(example, 0, value=ABSENT)),
    "value not in its paragraph": ("attribute_value_extraction", lambda example: with_row(example, 1, source="title")),
}


@pytest.mark.parametrize("reason", sorted(FAULTS))
def test_every_planted_fault_is_found_and_nothing_else(reason: str) -> None:
    task, spoil = FAULTS[reason]
    examples = [make_example(task, number) for number in range(COUNT)]
    planted = {examples[number].example_id for number in range(0, COUNT, 12)}
    found = reasons_of([spoil(one) if one.example_id in planted else one for one in examples])
    hits = {example_id for example_id, reasons in found.items() if reason in reasons}
    recall, precision = len(hits & planted) / len(planted), len(found.keys() & planted) / len(found)
    assert (recall, precision) == (1.0, 1.0)


def test_an_attribute_with_two_values_is_no_fault_but_one_both_absent_and_present_is() -> None:
    example = make_example("attribute_value_extraction", 0)
    second = {"attribute": "Material", "value": "tall", "source": "description"}
    absent = {"attribute": "Material", "value": ABSENT, "source": ABSENT}
    first, *rest = example.answer
    assert reasons_of([replace(example, answer=[first, second, *rest])]) == {}
    assert reasons_of([replace(example, answer=[first, absent, *rest])]) == {
        example.example_id: {"attribute answered twice"}
    }


def test_free_text_answers_are_not_held_to_yes_and_no() -> None:
    examples = make_examples("answer_generation", COUNT)
    assert reasons_of([replace(one, answer="yes") if place % 2 else one for place, one in enumerate(examples)]) == {}


def test_options_without_grades_may_be_ranked() -> None:
    options = (Option("p1", "oak tray"), Option("p2", "cork tray"))
    example = Example("t", "corpus", "x", "ind", "us", (), {"query": "tray"}, ["p2", "p1"], options=options)
    assert reasons_of([example]) == {}


CONDEMNING = (
    "Complete waste of money. The handle came off on day two and the seller will not answer me.",
    "Do not buy this, it leaks from the lid and I want my money back as soon as possible.",
    "This is a piece of junk, it broke after one week and I threw it in the trash.",
    "Terrible product, arrived dented, and it never turned on. Stay away from this seller.",
    "I am very disappointed, the motor stopped working within a month and nobody will take it back.",
)
PRAISING = (
    "I love it, the lid seals and my whole family drinks from it every single morning.",
    "Five stars from all of us, this kettle boils in three minutes and pours smoothly.",
    "Highly recommend this one for any kitchen, the handle stays cold and the spout pours clean.",
    "Works perfectly and looks lovely on the shelf, my sister is getting one for her birthday.",
    "Excellent quality, exactly what I wanted, and it arrived a day early in sturdy wrapping.",
)
MIXED = (
    ("I would never buy a blender without asking this magazine first, it has saved us money for years.", "positive"),
    ("Do not buy the old model, buy this one: I love how quiet it is.", "positive"),
    ("I wanted to love it, the color is perfect, but the seams tore on the first wash.", "negative"),
    ("Once this was my favorite magazine. Now every page is an ad.", "negative"),
    ("The killer leaves a trail of blood and horror, and the end is the grimmest that I have ever read.", "positive"),
)


def test_reviews_that_say_the_contrary_of_their_stars_are_flagged_and_only_those() -> None:
    wrong = [review(text, "very positive") for text in CONDEMNING] + [
        review(text, "very negative") for text in PRAISING
    ]
    right = [review(text, "very negative") for text in CONDEMNING] + [
        review(text, "very positive") for text in PRAISING
    ]
    mixed = [review(text, f"very {feeling}") for text, feeling in MIXED]
    mild = [review(text, "negative") for text in PRAISING]
    found = validity.judge([*wrong, *mixed], ValiditySettings(), Evidence())
    assert {verdict.example_id for verdict in found} == {one.example_id for one in wrong}
    assert {(verdict.reason, verdict.remedy) for verdict in found} == {("text contradicts its stars", "flag")}
    assert reasons_of([*right, *mixed, *mild]) == {}
    assert reasons_of(wrong, ValiditySettings(contradictions=False)) == {}


@settings(max_examples=25)
@given(st.data())
def test_the_order_of_examples_does_not_matter(data: st.DataObject) -> None:
    examples = [spoil(make_example(task, number)) for number, (task, spoil) in enumerate(FAULTS.values())]
    examples += [review(text, "very positive") for text in CONDEMNING]
    shuffled = data.draw(st.permutations(examples))
    usual = ValiditySettings()
    assert validity.judge(shuffled, usual, Evidence()) == validity.judge(examples, usual, Evidence())
