"""What a review comes to: rates, agreement, pass or fail, the verdict file, the check and the gate."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_world import answers, drawn, judge_all, made_rows, publish, published, reported
from rich.console import Console
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.proportion import proportion_confint

from ecinstruct_build.check import Evidence
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example
from ecinstruct_build.reporting.page.review_figures import defect_rates
from ecinstruct_build.reporting.page.reviewed import review_of
from ecinstruct_build.review.desk import Answer, Desk
from ecinstruct_build.review.gate import gate
from ecinstruct_build.review.report import review_report
from ecinstruct_build.review.sample import ReviewSample
from ecinstruct_build.review.settings import ReviewSettings
from ecinstruct_build.review.terminal import render_plan, render_review
from ecinstruct_build.review.verdict_file import write_verdicts
from ecinstruct_build.review.verdicts import VERDICTS
from quality.review import CHECK, ReviewedSettings
from quality.reviewing.sizes import upper_bound

ASKED = ReviewSettings(max_defect_rate=0.1, confidence=0.9, double_share=0.25, required=True)
NAMES = [kind.name for kind in VERDICTS]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> ReviewSample:
    """14 and 16 items of 40 and 60 rows."""
    return drawn(tmp_path_factory.mktemp("report"), max_defect_rate=0.1, confidence=0.9, double_share=0.25)


@pytest.fixture(scope="module")
def all_double(tmp_path_factory: pytest.TempPathFactory) -> ReviewSample:
    """Ten items for two people."""
    return drawn(tmp_path_factory.mktemp("double"), items=10, double_share=1)


def all_good(sample: ReviewSample, defective: dict[int, str] | None = None) -> dict[int, dict[str, str]]:
    """Everything judged by Ann, doubled items by Ben, too, who agrees."""
    verdicts = {item.number: (defective or {}).get(item.number, "good") for item in sample.items}
    return {
        item.number: dict.fromkeys(("Ann", "Ben") if item.doubled else ("Ann",), verdicts[item.number])
        for item in sample.items
    }


def shown(render: Any, what: Any) -> str:
    out = StringIO()
    render(what, Console(file=out, width=160))
    return out.getvalue()


def test_a_small_case_by_hand(sample: ReviewSample) -> None:
    matching = [item for item in sample.items if item.task == "product_matching"]
    bad, doubled = matching[0].number, next(item for item in matching[1:] if item.doubled).number
    said = all_good(sample, {bad: "unclear_input"})
    said[doubled] = {"Ann": "good", "Ben": "wrong_answer"}
    report = reported(sample, said)
    figures = report.tasks[0]
    assert (figures.task, figures.population, figures.items, figures.judged) == ("product_matching", 40, 14, 14)
    assert (figures.defects, figures.rate) == (2, 2 / 14)  # one for sure, and one on a tie
    assert figures.by_verdict == dict.fromkeys(NAMES, 0) | {"good": 12, "unclear_input": 1, "wrong_answer": 1}
    # Wilson with z = 1.6449, z * z = 2.7055: (2 + 1.3528) / 16.7055 = 0.2007, plus and minus
    # 1.6449 / 16.7055 * sqrt(2 * 12 / 14 + 2.7055 / 4) = 0.1522.
    assert figures.wilson == pytest.approx((0.0484, 0.3530), abs=1e-4)
    # Of 40 rows with 12 defective, 14 show at most two in 0.1076 of all samples; with 13 in 0.0705.
    assert figures.upper_bound == 12 / 40
    assert (figures.passed, report.tasks[1].passed, report.passed) == (False, True, False)
    doubles = sum(item.doubled for item in matching)
    assert figures.agreement.doubles == doubles
    assert figures.agreement.share == figures.agreement.share_defect == 1 - 1 / doubles
    (disagreement,) = report.disagreements
    assert (disagreement.number, disagreement.defective, disagreement.tied) == (doubled, True, True)
    assert [(one.annotator, one.verdict) for one in disagreement.said] == [("Ann", "good"), ("Ben", "wrong_answer")]
    assert (report.annotators, report.judgements) == (2, sum(map(len, said.values())))
    assert (report.overall.population, report.overall.judged, report.overall.defects) == (100, len(sample.items), 2)
    assert report.overall.upper_bound is None  # 14 of 40 and 16 of 60 rows: no one sample of all


def test_all_tasks_together_have_a_bound_only_where_they_were_judged_alike(tmp_path: Path) -> None:
    published(tmp_path / "dataset", {"product_matching": 100, "sentiment_analysis": 100})
    alike = drawn(tmp_path, items=40, double_share=0)
    said = {item.number: {"Ann": "good"} for item in alike.items}
    together = reported(alike, said).overall
    assert together.upper_bound == upper_bound(0, 40, 200, 0.95)
    assert max(one.upper_bound or 1 for one in reported(alike, said).tasks) > together.upper_bound
    first = {item.number for item in alike.items if item.task == alike.plans[0].task}
    report = reported(alike, {number: one for number, one in said.items() if number in first})
    assert report.overall.upper_bound is None
    assert json.loads(json.dumps(report.to_json()))["overall"]["upper_bound"] is None
    assert "None" not in shown(render_review, report)
    figure = defect_rates(review_of(report.to_json()))
    assert "None" not in str(figure.table)


def test_a_narrow_terminal_cuts_no_cost(tmp_path: Path) -> None:
    sample = drawn(tmp_path, seconds=42)  # less than an hour for each task, more for all
    out = StringIO()
    render_plan(sample, Console(file=out, width=60))
    minutes = round(sum(plan.minutes for plan in sample.plans))
    assert max(plan.minutes for plan in sample.plans) < 59 < 60 < minutes
    assert f"{minutes // 60} h {minutes % 60:02} min" in out.getvalue()
    assert "…" not in out.getvalue()


def test_nothing_passes_before_every_judgement_is_made(sample: ReviewSample) -> None:
    said = all_good(sample)
    doubled = next(item for item in sample.items if item.doubled)
    del said[doubled.number]["Ben"]
    report = reported(sample, said)
    assert {figures.task: figures.passed for figures in report.tasks}[doubled.task] is None
    assert report.overall.left == "1 item waiting for a second judge"
    assert report.passed is None
    assert not report.finished
    assert reported(sample, all_good(sample)).passed is True
    nothing = reported(sample, {})
    assert (nothing.passed, nothing.overall.rate, nothing.overall.upper_bound) == (None, None, None)


def test_a_failed_task_fails_the_review_though_others_are_not_finished(sample: ReviewSample) -> None:
    tasks = {item.number: item.task for item in sample.items}
    said = {number: verdicts for number, verdicts in all_good(sample).items() if tasks[number] == "product_matching"}
    for number in list(said)[:3]:
        said[number] = dict.fromkeys(said[number], "wrong_answer")
    report = reported(sample, said)
    assert [figures.passed for figures in report.tasks] == [False, None]
    assert report.passed is False


def test_a_look_at_a_few_items_can_neither_pass_nor_fail(all_double: ReviewSample) -> None:
    report = reported(all_double, all_good(all_double))
    assert report.finished
    assert report.passed is None
    assert all(not figures.promise and figures.passed is None for figures in report.tasks)


def test_the_majority_of_judges_decides_and_the_worst_is_named(all_double: ReviewSample) -> None:
    report = reported(
        all_double,
        {
            1: {"Ann": "good", "Ben": "other", "Cleo": "good"},
            2: {"Ann": "other", "Ben": "unclear_input"},
            3: {"Ann": "good", "Ben": "unsafe_or_private"},
            4: {"Ann": "good", "Ben": "wrong_answer", "Cleo": "other"},
        },
    )
    assert report.overall.by_verdict == {
        "good": 1,
        "wrong_answer": 1,
        "unclear_input": 1,
        "bad_instruction": 0,
        "unsafe_or_private": 1,
        "other": 0,
    }
    assert [(one.number, one.defective, one.tied) for one in report.disagreements] == [
        (1, False, False),
        (2, True, False),
        (3, True, True),
        (4, True, False),
    ]
    # Cleo was asked because the first two differed: her word decides, but says nothing of how far two agree.
    assert report.overall.agreement.share_defect == 1 / 4
    assert report.overall.agreement.doubles == 4


@given(data=st.data())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_figures_are_those_of_statsmodels(all_double: ReviewSample, data: st.DataObject) -> None:
    verdict = st.sampled_from(NAMES)
    said = data.draw(
        st.dictionaries(st.integers(1, 10), st.fixed_dictionaries({"Ben": verdict, "Ann": verdict}), min_size=1)
    )
    overall = reported(all_double, said).overall
    defects = sum(sum(one != "good" for one in by.values()) >= 1 for by in said.values())
    assert (overall.judged, overall.defects) == (len(said), defects)
    assert overall.wilson == pytest.approx(proportion_confint(defects, len(said), 0.05, "wilson"), abs=1e-9)
    assert overall.exact == pytest.approx(proportion_confint(defects, len(said), 0.05, "beta"), abs=1e-9)
    for ours, classes in ((overall.agreement.kappa, NAMES), (overall.agreement.kappa_defect, ["good", "defective"])):
        place = {name: classes.index(name) if name in classes else 1 for name in NAMES}
        table = np.zeros((len(classes), len(classes)), int)
        for by in said.values():
            table[place[by["Ann"]], place[by["Ben"]]] += 1
        if np.trace(table) == table.max() == table.sum():
            assert ours is None
        else:
            assert ours == pytest.approx(cohens_kappa(table, return_results=False))


def test_the_order_of_answers_does_not_matter(sample: ReviewSample) -> None:
    given_ = answers(all_good(sample, {2: "other", 5: "wrong_answer"}))
    assert review_report(sample, given_[::-1]) == review_report(sample, given_)


def test_json_holds_plain_values_only(sample: ReviewSample) -> None:
    said = all_good(sample)
    doubled = next(item.number for item in sample.items if item.doubled)
    said[doubled]["Ben"] = "unclear_input"
    value = reported(sample, said).to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert [task["task"] for task in value["tasks"]] == ["product_matching", "sentiment_analysis"]
    assert value["overall"]["wilson"] == list(reported(sample, said).overall.wilson)
    assert {"kappa", "alpha", "kappa_defect", "alpha_defect"} < value["overall"]["agreement"].keys()
    assert value["disagreements"][0]["said"][1] == {"annotator": "Ben", "verdict": "unclear_input", "note": ""}


def test_the_terminal_shows_what_it_costs_and_what_came_of_it(sample: ReviewSample) -> None:
    plan = shown(render_plan, sample)
    items, judgements = len(sample.items), sum(plan.judgements for plan in sample.plans)
    last = next(line for line in plan.splitlines() if "in all" in line).replace("│", " ").split()
    assert last[2:] == [
        "100",
        last[3],
        str(items),
        str(judgements - items),
        str(judgements),
        str(round(judgements / 2)),
        "min",
    ]
    assert "no defect among its items shows at 90% confidence that at most 10%" in plan
    said = all_good(sample)
    doubled = next(item for item in sample.items if item.doubled)
    said[doubled.number]["Ben"] = "wrong_answer"
    report = reported(sample, said)
    text = shown(render_review, report)
    assert f"item {doubled.number}, {doubled.example_id}: Ann: good; Ben: wrong answer" in text
    assert f"The review failed: {doubled.task};" in text
    assert "A third person may settle 1 item" in text
    assert "has not passed yet" in shown(render_review, reported(sample, {}))
    assert "every task" in shown(render_review, reported(sample, all_good(sample)))


def test_names_and_notes_are_not_taken_for_markup(all_double: ReviewSample) -> None:
    said = [Answer(1, "[red]Ann", "good"), Answer(1, "Ben", "other", "see [/b] there", answered_at="2")]
    text = shown(render_review, review_report(all_double, said))
    assert "[red]Ann: good; Ben: other (see [/b] there)" in text


def judged_desk(folder: Path, defective: dict[int, str] | None = None, **changes: Any) -> Desk:
    values = ASKED.model_dump() | changes
    desk = Desk.create(folder / "review.sqlite", drawn(folder, **values))
    for name in ("Ann", "Ben"):
        judge_all(desk, name, defective)
    return desk


def example(example_id: str) -> Example:
    """An example with any wanted id."""

    class Named(Example):
        example_id = property(lambda _self: example_id)  # type: ignore[assignment]

    task = example_id.partition(":")[0]
    return Named(task, "kettle_shop", "1", "ind", "us", (), {"review": "fine words"}, "A")


def test_what_people_reject_is_rejected_by_the_next_build(tmp_path: Path) -> None:
    desk = judged_desk(tmp_path, {3: "wrong_answer"} | dict.fromkeys(range(4, 12), "other"))
    path = tmp_path / "verdicts.jsonl"
    assert write_verdicts(desk, path) == 9
    before = path.read_bytes()
    assert write_verdicts(desk, path) == 9
    assert path.read_bytes() == before
    lines = [json.loads(line) for line in before.splitlines()]
    assert [line["example_id"] for line in lines] == sorted(line["example_id"] for line in lines)
    items = {item.example_id: item for item in desk.sample.items}
    third = desk.sample.items[2]
    assert next(line for line in lines if line["example_id"] == third.example_id) == {
        "example_id": third.example_id,
        "row": third.row,
        "verdict": "wrong_answer",
        "annotators": 1 + third.doubled,
        "notes": ["seen"],
    }
    examples = [example(example_id) for example_id in sorted(items)]
    found = CHECK.judge(examples, ReviewedSettings(verdicts=path), Evidence())  # type: ignore[arg-type]
    assert [(one.example_id, one.reason, one.detail, one.remedy) for one in found] == [
        (line["example_id"], f"judged {line['verdict'].replace('_', ' ')}", "seen", "reject") for line in lines
    ]
    others = [one for one in examples if one.example_id not in {line["example_id"] for line in lines}]
    assert CHECK.judge(others, ReviewedSettings(verdicts=(path,)), Evidence()) == []


def test_of_several_verdicts_on_an_example_the_worst_is_the_reason(tmp_path: Path) -> None:
    files = []
    for number, (verdict, note) in enumerate((("other", "b"), ("unclear_input", "a"), ("good", "c"))):
        files.append(tmp_path / f"{number}.jsonl")
        files[-1].write_text(json.dumps({"example_id": "t:1", "verdict": verdict, "notes": [note]}) + "\n\n")
    (found,) = CHECK.judge([example("t:1"), example("t:2")], ReviewedSettings(verdicts=tuple(files)), Evidence())
    assert (found.example_id, found.reason, found.detail) == ("t:1", "judged unclear input", "a; b")
    assert CHECK.reads(ReviewedSettings(verdicts=tuple(files))) == tuple(files)
    assert CHECK.judge([example("t:1")], ReviewedSettings(verdicts=(files[2],)), Evidence()) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "truncated|malformed"),
        ('{"verdict": "other"}', "example_id"),
        ('{"example_id": "t:1", "verdict": "wrong"}', "no verdict 'wrong'"),
        ('{"example_id": 5, "verdict": "other"}', "Expected `str`"),
        ('{"example_id": "t:1", "verdict": "other", "notes": "n"}', "Expected `array`"),
        ("[" * 5000, "."),
    ],
)
def test_a_line_that_is_no_verdict_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_text(f'{{"example_id": "t:1", "verdict": "other"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(UserError, match=rf"verdicts\.jsonl', line 2, is not a verdict of a review: .*({reason})"):
        CHECK.judge([example("t:1")], ReviewedSettings(verdicts=(path,)), Evidence())


def test_a_verdict_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl' of the review check cannot be read: No such file"):
        CHECK.judge([], ReviewedSettings(verdicts=(tmp_path / "none.jsonl",)), Evidence())
    (tmp_path / "bytes.jsonl").write_bytes(b'{"example_id": "\xff", "verdict": "other"}')
    with pytest.raises(UserError, match="line 1"):
        CHECK.judge([], ReviewedSettings(verdicts=(tmp_path / "bytes.jsonl",)), Evidence())


def test_publishing_goes_on_with_a_passing_review_and_without_one_only_if_none_is_asked_for(tmp_path: Path) -> None:
    dataset = published(tmp_path / "dataset")
    assert gate(None, dataset, ReviewSettings()) == []
    (reason,) = gate(None, dataset, ASKED)
    assert "there is none" in reason
    assert gate(judged_desk(tmp_path), dataset, ASKED) == []


def test_publishing_is_refused_with_each_reason(tmp_path: Path) -> None:
    desk = judged_desk(tmp_path, {1: "other", 3: "other", 5: "other"})
    assert desk.undo("Ann") is not None
    reasons = gate(desk, tmp_path / "dataset", ASKED)
    tasks = {item.number: item.task for item in desk.sample.items}
    assert len({tasks[number] for number in (1, 3, 5)}) == 1
    assert len(reasons) == 2
    assert reasons[0].startswith(
        "product_matching: 3 of 14 items are defective, so that up to 37.5% of all rows may be"
    )
    assert reasons[1] == "sentiment_analysis: the review is not finished, with 1 item not judged yet of 16."


def test_a_review_for_less_than_the_recipe_asks_now_does_not_do(tmp_path: Path) -> None:
    desk = judged_desk(tmp_path)
    reasons = gate(desk, tmp_path / "dataset", ReviewSettings(required=True))
    assert len(reasons) == 2
    assert all("too small to show a defect rate of at most 3% at 95% confidence" in reason for reason in reasons)


def test_a_review_of_an_earlier_build_counts_while_it_covers_the_rows(tmp_path: Path) -> None:
    desk = judged_desk(tmp_path)
    rows = {task: made_rows(task, count) for task, count in (("product_matching", 44), ("sentiment_analysis", 55))}
    for own in rows.values():
        for one in own:
            one["split"], one["setting"] = "train", "IND_Diverse_Instruction"  # another split seed
    assert gate(desk, publish(tmp_path / "later", rows), ASKED) == []
    rows["product_matching"] = made_rows("product_matching", 50)
    rows["answer_generation"] = made_rows("answer_generation", 1)
    changed = [
        one | {"input": "Another text."} if number < 7 else one for number, one in enumerate(rows["sentiment_analysis"])
    ]
    rows["sentiment_analysis"] = changed
    drawn_before = "published rows were there when the review's sample was drawn, fewer than 90%; draw a new sample."
    assert gate(desk, publish(tmp_path / "latest", rows), ASKED) == [
        "answer_generation was not reviewed.",
        f"product_matching: only 40 of 50 {drawn_before}",
        f"sentiment_analysis: only 48 of 55 {drawn_before}",
    ]
    lenient = ASKED.model_copy(update={"covers": 0.8})
    assert gate(desk, tmp_path / "latest", lenient) == ["answer_generation was not reviewed."]
