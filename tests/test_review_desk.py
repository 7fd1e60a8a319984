"""The desk hands each item to whom it is for, keeps every answer, and lets nothing be answered for others."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from review_world import Clock, drawn, judge_all

from ecinstruct_build.errors import UserError
from ecinstruct_build.review.annotators import LONGEST_NAME
from ecinstruct_build.review.desk import LONGEST_NOTE, Answer, Desk, Refused, TakenIn
from ecinstruct_build.review.ledger import LEASE_SECONDS
from ecinstruct_build.review.sample import ReviewItem


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def singles(tmp_path: Path, clock: Clock) -> Desk:
    """Six items for one person each."""
    return Desk.create(tmp_path / "review.sqlite", drawn(tmp_path, items=6, double_share=0), clock=clock)


@pytest.fixture
def doubles(tmp_path: Path, clock: Clock) -> Desk:
    """Four items for two people each."""
    return Desk.create(tmp_path / "review.sqlite", drawn(tmp_path, items=4, double_share=1), clock=clock)


def handed(desk: Desk, annotator: str, task: str | None = None) -> ReviewItem:
    item = desk.next_item(annotator, task)
    assert item is not None
    return item


def test_an_item_is_the_same_until_it_is_answered(singles: Desk) -> None:
    first = handed(singles, "Ann")
    assert first == handed(singles, "Ann") == singles.sample.items[0]
    singles.answer("Ann", first.number, "good")
    assert handed(singles, "Ann").number == 2


def test_single_items_go_to_one_person_and_all_of_them_do(singles: Desk) -> None:
    assert [handed(singles, name).number for name in ("Ann", "Ben", "Cleo")] == [1, 2, 3]
    for name in ("Ann", "Ben", "Cleo"):
        judge_all(singles, name)
    assert [answer.number for answer in singles.answers()] == [1, 2, 3, 4, 5, 6]
    assert all(singles.next_item(name) is None for name in ("Ann", "Ben", "Dora"))


def test_doubled_items_go_to_just_two_people(doubles: Desk) -> None:
    assert judge_all(doubles, "Ann") == judge_all(doubles, "Ben") == 4
    assert doubles.next_item("Cleo") is None
    assert [answer.annotator for answer in doubles.answers()] == ["Ann", "Ben"] * 4


def test_two_who_hold_a_doubled_item_leave_no_place_for_a_third(doubles: Desk) -> None:
    assert [handed(doubles, name).number for name in ("Ann", "Ben", "Cleo")] == [1, 1, 2]


def test_a_third_person_settles_what_two_differ_over(doubles: Desk) -> None:
    judge_all(doubles, "Ann", {2: "wrong_answer", 3: "wrong_answer"})
    judge_all(doubles, "Ben", {3: "unclear_input"})  # both call the third defective, so nothing is to be settled
    progress = doubles.progress("Cleo")
    assert (progress.ties, progress.left, progress.finished) == (1, 1, True)
    assert handed(doubles, "Cleo").number == 2
    assert doubles.next_item("Dora") is None
    doubles.answer("Cleo", 2, "good")
    assert doubles.next_item("Dora") is None
    assert doubles.progress().ties == 0


def test_a_late_answer_is_refused_if_someone_else_has_the_item_and_told_back(singles: Desk, clock: Clock) -> None:
    number = handed(singles, "Ann").number
    clock.now += LEASE_SECONDS - 1
    assert handed(singles, "Ben").number != number
    clock.now += 2
    assert handed(singles, "Cleo").number == number
    with pytest.raises(
        Refused, match=r"someone else in the meantime.*'wrong answer', with the note: cut off at 'kett'"
    ):
        singles.answer("Ann", number, "wrong_answer", "cut off at 'kett'")
    singles.answer("Cleo", number, "good")
    assert [(answer.annotator, answer.verdict) for answer in singles.answers()] == [("Cleo", "good")]
    assert handed(singles, "Ann").number != number


def test_a_late_answer_is_welcome_if_nobody_took_the_item(singles: Desk, clock: Clock) -> None:
    number = handed(singles, "Ann").number
    clock.now += 10 * LEASE_SECONDS
    singles.answer("Ann", number, "good")
    assert singles.progress("Ann").own == 1


def test_asking_again_keeps_an_item_longer(singles: Desk, clock: Clock) -> None:
    number = handed(singles, "Ann").number
    clock.now += LEASE_SECONDS - 1
    handed(singles, "Ann")
    clock.now += LEASE_SECONDS - 1
    assert handed(singles, "Ben").number != number


def test_what_one_holds_comes_before_what_others_let_go(singles: Desk, clock: Clock) -> None:
    handed(singles, "Ann")
    clock.now += LEASE_SECONDS - 1
    assert handed(singles, "Ben").number == 2
    clock.now += 2
    assert handed(singles, "Ben").number == 2
    singles.answer("Ben", 2, "good")
    assert handed(singles, "Ben").number == 1


def test_the_same_answer_twice_is_one_and_another_one_is_refused(singles: Desk) -> None:
    handed(singles, "Ann")
    singles.answer("Ann", 1, "good", " fine ", 3)
    singles.answer("ann", 1, "good", "fine", 9)
    assert [(one.note, one.seconds) for one in singles.answers()] == [("fine", 3)]
    with pytest.raises(Refused, match="undo that first"):
        singles.answer("Ann", 1, "other", "changed my mind")


def test_only_what_one_holds_can_be_seen_or_answered(singles: Desk) -> None:
    handed(singles, "Ann")
    for number in (1, 2, 0, 99):
        with pytest.raises(Refused, match="not handed out to Ben"):
            singles.item("Ben", number)
        with pytest.raises(Refused, match="not handed out to Ben"):
            singles.answer("Ben", number, "good")
    assert singles.item("ANN", 1).number == 1
    singles.answer("Ann", 1, "good")
    assert singles.item("Ann", 1).number == 1


def test_undo_goes_back_answer_by_answer_and_hands_out_again(singles: Desk) -> None:
    assert singles.undo("Ann") is None
    for verdict in ("good", "wrong_answer"):
        singles.answer("Ann", handed(singles, "Ann").number, verdict)
    assert handed(singles, "Ann").number == 3
    assert [undone.number for _ in range(2) if (undone := singles.undo("Ann"))] == [2, 1]
    assert singles.answers() == []
    assert handed(singles, "Ben").number == 4
    for number in (1, 2, 3):
        assert handed(singles, "Ann").number == number
        singles.answer("Ann", number, "unclear_input")
    assert {answer.verdict for answer in singles.answers()} == {"unclear_input"}


def test_one_may_change_ones_mind_after_a_third_person_was_asked(doubles: Desk) -> None:
    judge_all(doubles, "Ann", {4: "wrong_answer"})
    judge_all(doubles, "Ben")
    judge_all(doubles, "Cleo")
    undone = doubles.undo("Ann")
    assert undone is not None
    assert undone.number == 4
    doubles.answer("Ann", 4, "good")
    assert [answer.verdict for answer in doubles.answers() if answer.number == 4] == ["good"] * 3


def test_another_task_may_be_asked_for_and_what_was_held_goes_back(singles: Desk) -> None:
    first = handed(singles, "Ann")
    other = next(item.task for item in singles.sample.items if item.task != first.task)
    assert handed(singles, "Ann", other).task == other
    assert handed(singles, "Ben").number == first.number
    singles.answer("Ben", first.number, "good")
    assert singles.next_item("Ann", "no_such_task") is None


def test_names_are_trimmed_and_told_apart_whatever_their_case(singles: Desk) -> None:
    assert singles.enter("  Zoe\u0308 ") == "Zo\xeb"
    assert singles.enter("ZO\xcb") == "Zo\xeb"
    assert handed(singles, "zo\xeb") == handed(singles, "Zo\xeb")
    assert singles.enter("n" * LONGEST_NAME) == "n" * LONGEST_NAME
    for name, reason in (
        ("  ", "A name is needed"),
        ("n" * (LONGEST_NAME + 1), "at most 60"),
        ("A\nB", "control"),
        ("A\x00", "control"),
        ("A\ud800", "control"),
    ):
        with pytest.raises(UserError, match=reason):
            singles.enter(name)


def test_what_cannot_be_an_answer_is_refused_with_the_reason(singles: Desk) -> None:
    handed(singles, "Ann")
    for verdict, note, reason in (
        ("other", " ", "needs a note"),
        ("wrong_anser", "", "Did you mean 'wrong_answer'"),
        ("good", "n" * (LONGEST_NOTE + 1), "at most"),
    ):
        with pytest.raises(UserError, match=reason):
            singles.answer("Ann", 1, verdict, note)
    assert singles.answers() == []
    singles.answer("Ann", 1, "other", "half\ud800 a \x00letter", float("nan"))
    assert [(one.note, one.seconds) for one in singles.answers()] == [("half? a letter", 0.0)]


def test_progress_counts_judgements_in_all_by_task_and_of_ones_own(doubles: Desk) -> None:
    judge_all(doubles, "Ann")
    handed(doubles, "Ben")
    doubles.answer("Ben", 1, "good")
    progress = doubles.progress("Ben")
    assert (progress.wanted, progress.made, progress.own, progress.left, progress.finished) == (8, 5, 1, 3, False)
    assert {task: (count.wanted, count.made) for task, count in progress.tasks.items()} == {
        "product_matching": (4, 3),
        "sentiment_analysis": (4, 2),
    }
    assert doubles.progress("Ann").left == 0
    assert doubles.progress().own == doubles.progress().left == 0


def test_a_desk_that_is_there_goes_on_and_one_with_other_answers_is_not_pushed_aside(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "new" / "folder" / "review.sqlite"
    Desk.create(path, drawn(tmp_path, items=3), clock=clock)
    desk = Desk.create(path, drawn(tmp_path, items=4), clock=clock)  # nobody has answered yet
    assert len(Desk.open(path).sample.items) == 4
    desk.answer("Ann", handed(desk, "Ann").number, "good", "kept")
    assert [one.note for one in Desk.create(path, drawn(tmp_path, items=4)).answers()] == ["kept"]
    with pytest.raises(UserError, match=r"answers on another sample.*--fresh"):
        Desk.create(path, drawn(tmp_path, items=5))
    desk.undo("Ann")  # the log is worth keeping, too
    with pytest.raises(UserError, match="answers on another sample"):
        Desk.create(path, drawn(tmp_path, items=5))
    assert desk.sample == drawn(tmp_path, items=4)


def test_what_is_on_a_screen_when_the_sample_is_drawn_anew_is_not_taken_for_the_new_item(
    singles: Desk, tmp_path: Path
) -> None:
    handed(singles, "Ann")
    other = Desk.create(singles.path, drawn(tmp_path, seed=5, items=6, double_share=0))
    with pytest.raises(Refused, match="not handed out"):
        singles.answer("Ann", 1, "good")
    assert handed(singles, "Ann") == other.sample.items[0]


def test_answers_given_elsewhere_come_in_all_or_none(doubles: Desk, clock: Clock) -> None:
    given = [
        Answer(1, "Ann", "good", "", 4.0, "2026-01-01T10:00:00+00:00"),
        Answer(1, "Ben", "wrong_answer", "it is B", 5.0, "2026-01-01T11:00:00+00:00"),
        Answer(2, "Ann", "good"),
    ]
    assert doubles.take_in(given) == TakenIn(3, 0, 0, ())
    assert doubles.take_in(given) == TakenIn(0, 0, 3, ())
    assert doubles.answers()[:2] == given[:2]
    assert doubles.answers()[2].answered_at == "2023-11-14T22:13:20.000+00:00"
    for bad, reason in (
        (Answer(5, "Ann", "good"), "no item 5"),
        (Answer(3, "Ann", "fine"), "no verdict 'fine'"),
        (Answer(3, "Ann", "other"), "needs a note"),
        (Answer(3, " ", "good"), "name is needed"),
    ):
        with pytest.raises(UserError, match=reason):
            doubles.take_in([Answer(3, "Ben", "good"), bad])
        assert len(doubles.answers()) == 3
    assert doubles.take_in([Answer(1, "Cleo", "good")]).new == 1  # settles what Ann and Ben differ over
    assert doubles.take_in([Answer(1, "Dora", "good")]).skipped == (1,)


def test_what_others_judged_in_the_meantime_does_not_keep_the_rest_of_a_share_out(singles: Desk) -> None:
    singles.take_in([Answer(2, "Ben", "good"), Answer(4, "Ben", "good")])
    share = [Answer(number, "Ann", "wrong_answer") for number in (1, 2, 3, 4)]
    assert singles.take_in(share) == TakenIn(2, 0, 0, (2, 4))
    assert [(one.number, one.annotator) for one in singles.answers()] == [
        (1, "Ann"), (2, "Ben"), (3, "Ann"), (4, "Ben")
    ]  # fmt: skip


def test_a_corrected_verdict_replaces_ones_own_in_its_place_and_the_log_keeps_it(doubles: Desk, clock: Clock) -> None:
    doubles.take_in([Answer(1, "Ann", "wrong_answer", "it is B")])
    clock.now += 60
    doubles.take_in([Answer(1, "Ben", "good")])
    clock.now += 60
    assert doubles.take_in([Answer(1, "ANN", "good"), Answer(1, "Ben", "good")]) == TakenIn(0, 1, 1, ())
    assert [(one.annotator, one.verdict, one.note) for one in doubles.answers()] == [
        ("Ann", "good", ""), ("Ben", "good", "")
    ]  # fmt: skip
    with sqlite3.connect(doubles.path) as connection:
        assert connection.execute("SELECT verdict, note FROM undone").fetchall() == [("wrong_answer", "it is B")]


def test_what_is_done_elsewhere_counts_before_what_is_being_done(singles: Desk) -> None:
    number = handed(singles, "Ann").number
    assert singles.take_in([Answer(number, "Ben", "good")]).new == 1
    with pytest.raises(Refused, match="someone else in the meantime"):
        singles.answer("Ann", number, "other", "note")
    assert handed(singles, "Ann").number != number
    assert singles.take_in([replace(singles.answers()[0], annotator="Cleo")]).skipped == (number,)
