"""What every check promises, tried on the examples of a whole small build; a new check is tested by being there."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
from building import SmallBuild

from ecinstruct_build.check import Check, CheckSettings, Evidence, Verdict
from ecinstruct_build.example import Example
from ecinstruct_build.registry import CHECKS
from ecinstruct_build.stages.examples import read_examples

FEW_REASONS = 12
Judged = list[tuple[list[Example], list[Verdict]]]


@pytest.fixture(scope="module")
def drawn(small_build: SmallBuild) -> dict[str, list[Example]]:
    return {task: read_examples(stage) for task, stage in small_build.built.drawn.items()}


@pytest.fixture(scope="module", params=CHECKS.names())
def check(request: pytest.FixtureRequest) -> Check:
    return CHECKS.get(request.param)


@pytest.fixture(scope="module")
def judged(check: Check, drawn: dict[str, list[Example]]) -> Judged:
    """What the check is shown, each time with its verdicts."""
    return [(examples, verdicts_of(check, examples)) for examples in batches(check, drawn)]


def settings_of(check: Check) -> CheckSettings:
    return check.settings()


def batches(check: Check, drawn: dict[str, list[Example]]) -> Iterator[list[Example]]:
    """Yield what the check is shown: a task's examples at a time, or all at once."""
    if check.scope == "dataset":
        yield [example for examples in drawn.values() for example in examples]
    else:
        yield from drawn.values()


def verdicts_of(check: Check, examples: Sequence[Example]) -> list[Verdict]:
    settings = settings_of(check)
    measures = None
    if check.measure:
        tasks = sorted({example.task for example in examples})
        tables = [check.measure([one for one in examples if one.task == task], settings) for task in tasks]
        measures = pa.concat_tables(tables) if tables else check.measure([], settings)
    found = check.judge(examples, settings, Evidence(3, measures))
    return sorted(found, key=lambda verdict: (verdict.example_id, verdict.reason, verdict.peer, verdict.detail))


def test_the_order_of_examples_does_not_matter(check: Check, judged: Judged) -> None:
    for examples, verdicts in judged:
        shuffled = list(examples)
        random.Random(5).shuffle(shuffled)
        assert verdicts_of(check, shuffled) == verdicts


def test_verdicts_name_examples_that_are_there_and_few_reasons(check: Check, judged: Judged) -> None:
    reasons = set()
    for examples, verdicts in judged:
        known = {example.example_id for example in examples}
        for verdict in verdicts:
            assert verdict.example_id in known
            assert verdict.peer == "" or verdict.peer in known
            assert verdict.peer != verdict.example_id
            assert verdict.remedy != "repair" or check.repair
            reasons.add(verdict.reason)
    assert len(reasons) <= FEW_REASONS


def test_no_examples_get_no_verdicts(check: Check) -> None:
    assert verdicts_of(check, []) == []


def test_what_was_mended_needs_no_mending_and_is_still_itself(check: Check, judged: Judged) -> None:
    if check.repair is None:
        return
    for examples, verdicts in judged:
        ids = {verdict.example_id for verdict in verdicts if verdict.remedy == "repair"}
        mended = [check.repair(example, settings_of(check)) for example in examples if example.example_id in ids]
        before = {example.example_id: example for example in examples}
        assert [verdict for verdict in verdicts_of(check, mended) if verdict.remedy == "repair"] == []
        for example in mended:
            original = before[example.example_id]
            known = {*original.options, *original.spare_options}
            assert (example.products, example.groups) == (original.products, original.groups)
            assert len(example.options) == len(original.options)
            assert {option.key for option in example.options} <= {option.key for option in known}
            context = iter(item.product_id for item in original.context)
            assert all(item.product_id in context for item in example.context)  # some left out, none moved


def test_measures_have_a_row_for_each_example_whatever_the_thresholds(
    check: Check, drawn: dict[str, list[Example]]
) -> None:
    if check.measure is None:
        return
    examples = drawn["sentiment_analysis"]
    measured = check.measure(examples, settings_of(check))
    assert sorted(measured["example_id"].to_pylist()) == sorted(example.example_id for example in examples)
    assert set(check.measured_by) <= set(check.settings.model_fields)
    assert "threshold" not in check.measured_by


def test_odd_examples_are_judged_without_a_crash(check: Check, drawn: dict[str, list[Example]]) -> None:
    example = drawn["sentiment_analysis"][0]
    odd = [
        replace(example, identity="empty", fields={}, options=(), answer=""),
        replace(example, identity="nested", fields={"deep": [{"a": [None, 1.5, {"b": "\x00\ud7ff"}]}]}),
        replace(example, identity="blank", fields={"review": " \n\t"}, locale="xx"),
        replace(example, identity="long", fields={"review": "a" * 200_000}),
        replace(example, identity="list", fields={"review": "fine words"}, answer=[{"attribute": "x"}]),
    ]
    for verdict in verdicts_of(check, odd):
        if verdict.remedy == "repair" and check.repair:
            check.repair(next(one for one in odd if one.example_id == verdict.example_id), settings_of(check))
