"""The difficulty and balance checks: what is too easy or too many is named, as much of it as there is and no more."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_examples import make_example, make_examples
from pydantic import ValidationError

from ecinstruct_build import chance
from ecinstruct_build.check import Evidence, Verdict
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.tasks.attribute_value_extraction import ABSENT
from ecinstruct_build.tasks.sentiment_analysis import FEELINGS
from quality import balance, difficulty
from quality.balance import BalanceSettings
from quality.difficulty import STARS, DifficultySettings


def found_in(examples: Sequence[Example]) -> dict[str, str]:
    verdicts = difficulty.judge(examples, DifficultySettings(), Evidence())
    assert len({verdict.example_id for verdict in verdicts}) == len(verdicts)
    return {verdict.example_id: verdict.reason for verdict in verdicts}


def fields(**changes: Any) -> Callable[[Example], Example]:
    return lambda example: replace(example, fields={**example.fields, **changes})


def next_in_history(example: Example) -> Example:
    texts = {example.answer: example.context[0].text.upper()}
    return replace(example, options=tuple(replace(one, text=texts.get(one.key, one.text)) for one in example.options))


def only_sharing(example: Example) -> Example:
    texts = {example.answer: "Cork mat"}
    context = (Item("asin:X", "Round cork tray"), Item("asin:Y", "Set of the knives"))
    options = tuple(replace(one, text=texts.get(one.key, f"Set {one.key}")) for one in example.options)
    return replace(example, context=context, options=options)


SNIPPET = "Mine came with a felt cover, and it keeps the dust out."
EASY: dict[str, tuple[str, Callable[[Example], Example]]] = {
    "identical titles": (
        "product_matching",
        lambda example: replace(
            example,
            answer="yes",
            fields={"left": {"title": "Oak  Lamp, 5"}, "right": {"title": "oak lamp 5", "price": "9"}},
        ),
    ),
    "query is the title": ("multiclass_product_classification", fields(query="cork lamp 9", product="Cork lamp (9)")),
    "right option stands in the input": ("sequential_recommendation", next_in_history),
    "only the right option shares words with the input": ("sequential_recommendation", only_sharing),
    "text tells its stars": (
        "sentiment_analysis",
        lambda example: replace(example, answer="positive", fields={"review": "Four stars, as the lid is loose."}),
    ),
    "answer copied from the input": (
        "answer_generation",
        lambda example: replace(
            example, answer="With a felt cover, and it keeps", fields={"question": "Cover?", "snippets": [SNIPPET]}
        ),
    ),
    "every value is a whole paragraph": (
        "attribute_value_extraction",
        lambda example: replace(
            example,
            fields={**example.fields, "paragraphs": [{"source": "brand", "text": "Fernhill"}]},
            answer=[
                {"attribute": "Material", "value": "Fernhill", "source": "brand"},
                {"attribute": "Height", "value": ABSENT, "source": ABSENT},
            ],
        ),
    ),
}


@pytest.mark.parametrize("reason", sorted(EASY))
def test_planted_easy_examples_are_found_and_no_others(reason: str) -> None:
    task, spoil = EASY[reason]
    examples = [make_example(task, number) for number in range(60)]
    planted = {examples[number].example_id for number in range(0, 60, 12)}
    assert found_in([spoil(one) if one.example_id in planted else one for one in examples]) == dict.fromkeys(
        planted, reason
    )


@pytest.mark.parametrize(
    ("task", "change"),
    [
        ("product_matching", lambda one: replace(one, answer="no", fields={"left": "a lamp", "right": "a lamp"})),
        ("sentiment_analysis", fields(review="Four stars online, yet two stars from me for the loose lid.")),
        ("sentiment_analysis", fields(review="A hotel of seven stars has towels like these.")),
        ("answer_generation", lambda one: replace(one, answer="A felt cover.", fields={"snippets": [SNIPPET]})),
    ],
)
def test_what_only_looks_easy_passes(task: str, change: Callable[[Example], Example]) -> None:
    assert found_in([change(make_example(task, 1))]) == {}


def test_stars_are_those_of_the_sentiment_task() -> None:
    assert {feeling: stars for stars, feeling in FEELINGS.items()} == STARS


def test_easy_examples_stay_in_by_default() -> None:
    assert DifficultySettings().action == BalanceSettings().action == "flag"


def answered(labels: Sequence[str], domain: Any = "ind") -> list[Example]:
    return [
        replace(make_example("product_matching", number, domain), answer=label) for number, label in enumerate(labels)
    ]


def left_of(examples: Sequence[Example], verdicts: Sequence[Verdict]) -> Counter[str]:
    gone = {verdict.example_id for verdict in verdicts}
    return Counter(example.answer for example in examples if example.example_id not in gone)


HALVES = BalanceSettings(targets={"product_matching": {"yes": 0.5, "no": 0.5}})


def test_without_the_surplus_the_target_is_met() -> None:
    examples = answered(["yes"] * 130 + ["no"] * 70)
    verdicts = balance.judge(examples, HALVES, Evidence(seed=1))
    assert left_of(examples, verdicts) == {"yes": 70, "no": 70}
    assert {(each.reason, each.remedy, each.score) for each in verdicts} == {
        ("label beyond its target", "reject", 0.65)
    }


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(sorted(STARS)), min_size=60, max_size=300),
    st.lists(st.integers(1, 9), min_size=5, max_size=5),
)
def test_any_target_is_met_to_within_rounding(labels: list[str], weights: list[int]) -> None:
    labels += sorted(STARS)
    targets = {label: weight / sum(weights) for label, weight in zip(sorted(STARS), weights, strict=True)}
    wanted = BalanceSettings(targets={"sentiment_analysis": targets}, tolerance=0.0)
    examples = [
        replace(make_example("sentiment_analysis", number), answer=label) for number, label in enumerate(labels)
    ]
    left = left_of(examples, balance.judge(examples, wanted, Evidence()))
    size = min(labels.count(label) / targets[label] for label in targets)
    assert all(abs(left[label] - size * targets[label]) <= 0.5 + 1e-6 for label in targets)


def test_the_domains_are_balanced_each_for_themselves() -> None:
    examples = answered(["yes"] * 60 + ["no"] * 60)
    outside = [
        replace(one, identity=f"ood {one.identity}", domain="ood") for one in answered(["no"] * 90 + ["yes"] * 30)
    ]
    verdicts = balance.judge([*examples, *outside], HALVES, Evidence())
    assert left_of(examples, verdicts) == {"yes": 60, "no": 60}
    assert left_of(outside, verdicts) == {"yes": 30, "no": 30}


def test_shares_within_tolerance_and_few_examples_are_left_alone() -> None:
    assert balance.judge(answered(["yes"] * 58 + ["no"] * 42), HALVES, Evidence()) == []
    assert balance.judge(answered(["yes"] * 40 + ["no"]), HALVES, Evidence()) == []


def test_more_examples_do_not_change_who_of_the_others_goes_first() -> None:
    few, many = answered(["yes"] * 100 + ["no"] * 40), answered(["yes"] * 100 + ["no"] * 50)
    first = {verdict.example_id for verdict in balance.judge(few, HALVES, Evidence(seed=5))}
    then = {verdict.example_id for verdict in balance.judge(many, HALVES, Evidence(seed=5))}
    other = {verdict.example_id for verdict in balance.judge(few, HALVES, Evidence(seed=6))}
    assert then < first
    assert len(other) == len(first)
    assert other != first


def test_without_a_target_only_a_label_that_prevails_is_flagged() -> None:
    assert balance.judge(answered(["yes"] * 88 + ["no"] * 12), BalanceSettings(), Evidence()) == []
    examples = answered(["yes"] * 96 + ["no"] * 4)
    verdicts = balance.judge(examples, BalanceSettings(), Evidence())
    assert left_of(examples, verdicts) == {"yes": 36, "no": 4}
    assert {(verdict.reason, verdict.remedy) for verdict in verdicts} == {("one label prevails", "flag")}


def test_absent_and_present_values_are_labels_and_free_text_is_none() -> None:
    example = make_example("attribute_value_extraction", 0)
    assert balance.label_of(example) == "present"
    assert balance.label_of(replace(example, answer=[example.answer[2]])) == "absent"
    assert balance.label_of(make_example("answer_generation", 0)) is None
    assert balance.label_of(make_example("sequential_recommendation", 0)) is None
    assert balance.label_of(make_example("query_product_ranking", 0)) is None


def test_targets_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(ValidationError, match="add up to 1"):
        BalanceSettings(targets={"product_matching": {"yes": 0.5}})
    wrong = BalanceSettings(targets={"product_matching": {"Yes": 0.5, "no": 0.5}})
    with pytest.raises(UserError, match=r"'Yes', which no example has\. Did you mean 'yes'"):
        balance.judge(answered(["yes", "no"] * 40), wrong, Evidence())


def choices(lengths: Callable[[int], tuple[int, int]]) -> list[Example]:
    made = []
    for number in range(400):
        right, wrong = lengths(number)
        options = [Option(f"p{place}", "x" * (wrong + place), f"p{place}") for place in range(4)]
        options[number % 4] = Option("right", "x" * right, "right")
        made.append(Example("t", "c", str(number), "ind", "us", (), {"text": "?"}, "right", options=tuple(options)))
    return made


def test_right_options_that_show_by_their_length_are_named_as_far_as_chance_does_not_explain_them() -> None:
    biased = choices(lambda number: (90 if number % 2 else 5, 20 + number % 7))
    verdicts = balance.judge(biased, BalanceSettings(), Evidence())
    counts = Counter(verdict.reason for verdict in verdicts)
    assert set(counts) == {"right option is the longest", "right option is the shortest"}
    # 200 of 400 are the longest: without 133 of them 67 of 267 are, a quarter.
    assert set(counts.values()) == {133}

    def by_chance(number: int) -> tuple[int, int]:
        right = 10 + int(chance.uniform(0, "length", str(number)) * 4)
        return right, 10

    fair = choices(by_chance)
    assert [each for each in balance.judge(fair, BalanceSettings(), Evidence()) if "longest" in each.reason] == []


@settings(max_examples=15)
@given(st.data())
def test_the_order_of_examples_does_not_matter(data: st.DataObject) -> None:
    examples = [spoil(make_example(task, number)) for number, (task, spoil) in enumerate(EASY.values())]
    examples += answered(["yes"] * 60 + ["no"] * 10) + make_examples("sentiment_analysis", 5)
    shuffled = data.draw(st.permutations(examples))
    assert difficulty.judge(shuffled, DifficultySettings(), Evidence()) == difficulty.judge(
        examples, DifficultySettings(), Evidence()
    )
    assert balance.judge(shuffled, HALVES, Evidence(seed=2)) == balance.judge(examples, HALVES, Evidence(seed=2))
