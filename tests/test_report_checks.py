"""The report on checks says what was found, and shows what stands nearest to a threshold."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from building import SmallBuild, call_command
from made_examples import make_example
from rich.console import Console

from ecinstruct_build.errors import UserError
from ecinstruct_build.reporting.build import report_on_checks
from ecinstruct_build.reporting.checks import clusters_of, counts_of, described, nearest, report_json, shortened
from ecinstruct_build.reporting.tables import render_report
from ecinstruct_build.sample_corpora.ledger import KINDS


def row(example_id: str, action: str, score: float = 0.0, **more: Any) -> dict[str, Any]:
    return {
        "example_id": example_id,
        "check": "duplicates",
        "action": action,
        "reason": "near duplicate",
        "score": score,
        "peer": "",
        "detail": "",
        **more,
    }


def ids(chosen: list[tuple[str, Any]], action: str) -> list[str]:
    return [row["example_id"] for _, row in chosen if row["action"] == action]


def test_an_example_counts_once_for_each_reason() -> None:
    twice = [row("t:1", "flag", detail="one"), row("t:1", "flag", detail="other"), row("t:2", "reject")]
    counts = counts_of({"t": twice}, {"t": 8})
    assert [(one.action, one.examples, one.share) for one in counts] == [("reject", 1, 0.125), ("flag", 1, 0.125)]


def test_counts_are_kept_apart_by_check_task_action_and_reason() -> None:
    verdicts = {
        "a": [row("a:1", "reject"), row("a:2", "reject", reason="exact duplicate"), row("a:3", "keep")],
        "b": [row("b:1", "reject"), row("b:1", "reject", check="language")],
    }
    counts = counts_of(verdicts, {"a": 10, "b": 4})
    assert [(one.check, one.task, one.action, one.reason) for one in counts] == [
        ("duplicates", "a", "reject", "exact duplicate"),
        ("duplicates", "a", "reject", "near duplicate"),
        ("duplicates", "a", "keep", "near duplicate"),
        ("duplicates", "b", "reject", "near duplicate"),
        ("language", "b", "reject", "near duplicate"),
    ]


def test_the_nearest_on_both_sides_come_first_where_more_is_worse() -> None:
    rejected = [row(f"t:r{score}", "reject", score / 10) for score in (10, 8, 9)]
    kept = [row(f"t:k{score}", "keep", score / 10) for score in (5, 7, 6)]
    chosen = nearest("duplicates", {"t": [*rejected, *kept]}, 2)
    assert ids(chosen, "reject") == ["t:r8", "t:r9"]
    assert ids(chosen, "keep") == ["t:k7", "t:k6"]


def test_the_nearest_on_both_sides_come_first_where_less_is_worse() -> None:
    rejected = [row(f"t:r{score}", "reject", score) for score in (1, 3, 2)]
    kept = [row(f"t:k{score}", "keep", score) for score in (6, 4, 5)]
    chosen = nearest("duplicates", {"t": [*rejected, *kept]}, 2)
    assert ids(chosen, "reject") == ["t:r3", "t:r2"]
    assert ids(chosen, "keep") == ["t:k4", "t:k5"]


def test_every_reason_is_shown_and_no_other_check() -> None:
    verdicts = {"t": [row("t:1", "reject"), row("t:2", "flag", reason="rare"), row("t:3", "flag", check="language")]}
    assert [named["reason"] for _, named in nearest("duplicates", verdicts, 1)] == ["near duplicate", "rare"]


def test_order_of_verdicts_decides_nothing() -> None:
    rows = [row(f"t:{number}", "reject", 0.9, peer=f"t:{number // 3}") for number in range(9)]
    there, back = ({"t": list(order)} for order in (rows, reversed(rows)))
    assert nearest("duplicates", there, 4) == nearest("duplicates", back, 4)
    assert clusters_of("duplicates", there, 4) == clusters_of("duplicates", back, 4)


def test_clusters_name_the_kept_one_and_the_similarity_of_each_member() -> None:
    rows = [
        row("t:b", "reject", 0.9, peer="t:a"),
        row("t:c", "reject", 0.85, peer="t:b"),
        row("t:z", "reject", 1.0, peer="t:y"),
        row("t:n", "keep", 0.75, peer="t:a"),
    ]
    large, small = clusters_of("duplicates", {"t": rows}, 5)
    assert large.kept == ("t:a",)
    assert large.members == (("t:b", "t:a", 0.9), ("t:c", "t:b", 0.85))
    assert (small.kept, small.members) == (("t:y",), (("t:z", "t:y", 1.0),))
    assert clusters_of("duplicates", {"t": rows}, 1) == [large]


def test_examples_are_shown_with_their_peer_and_shortened() -> None:
    one, other = make_example("sentiment_analysis", 1), make_example("sentiment_analysis", 2)
    verdict = row(one.example_id, "reject", 0.9, peer=other.example_id)
    (near,) = described([("sentiment_analysis", verdict)], {each.example_id: each for each in (one, other)})
    assert near.text == one.fields["review"]
    assert near.peer_text == other.fields["review"]
    assert shortened(one, 10) == one.fields["review"][:9] + "\N{HORIZONTAL ELLIPSIS}"
    assert shortened(None) == ""


def test_the_tables_show_markup_as_it_is() -> None:
    verdicts = {"t": [row("t:1", "reject", 0.9, detail="[bold]not bold[/bold]", reason="[red]x")]}
    chosen = described(nearest("duplicates", verdicts, 1), {})
    console = Console(file=io.StringIO(), width=100)
    render_report(report_json(counts_of(verdicts, {"t": 1}), chosen, clusters_of("duplicates", verdicts, 1)), console)
    shown = console.file.getvalue()
    assert "[bold]not bold[/bold]" in shown
    assert "[red]x" in shown


def test_counts_of_a_build_agree_with_its_manifest(small_build: SmallBuild) -> None:
    counts = report_on_checks(small_build.built, small_build.raw, task="product_matching")["counts"]
    flagged = {f"{one['check']}: {one['reason']}": one["examples"] for one in counts if one["action"] == "flag"}
    assert flagged == small_build.manifest["tasks"]["product_matching"]["flagged"]


def test_the_command_shows_a_check_and_its_planted_defects(small_build: SmallBuild, tmp_path: Path) -> None:
    where = ("--work", str(shutil.copytree(small_build.work, tmp_path / "work")))
    report = json.loads(call_command("report", "checks", "--check", "privacy", *where, "--json").stdout)
    assert {one["check"] for one in report["counts"]} == {"privacy"}
    assert {one["kind"] for one in report["planted"]} == {"privacy"}
    assert report["nearest"]
    # Nothing that was masked is shown.
    assert not [one for one in report["nearest"] if "@example." in one["text"] + one["detail"]]


def test_without_a_check_all_kinds_of_planted_defects_are_told(small_build: SmallBuild) -> None:
    report = report_on_checks(small_build.built, small_build.raw)
    assert {one["kind"] for one in report["planted"]} == set(KINDS)
    assert report["nearest"] == report["clusters"] == []
    console = Console(file=io.StringIO(), width=80)
    render_report(report, console)
    shown = console.file.getvalue()
    assert "\nmalformed line " in shown
    assert "\n  sentiment_analysis " in shown


def test_unknown_checks_and_tasks_are_refused_with_a_hint(small_build: SmallBuild) -> None:
    with pytest.raises(UserError, match="privacy"):
        report_on_checks(small_build.built, small_build.raw, check="privcy")
    with pytest.raises(UserError, match="sentiment_analysis"):
        report_on_checks(small_build.built, small_build.raw, task="sentiment_analysi")
