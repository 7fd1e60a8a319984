"""The parts of the card on what the rows went through: checks, people, the audit, and what was left out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ecinstruct_build.audit.texts import MIN_TITLE
from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.card_info import CardInfo

_OUTCOMES = ("rejected", "repaired", "flagged")
_KINDS = {
    "input": "input, to the letter",
    "near": "input, nearly the same",
    "row": "whole row",
    "title": f"product title of at least {MIN_TITLE} letters",
}
"""What some kinds of the audit are called on the card."""


def checks(info: CardInfo) -> Iterator[str]:
    """Yield what each check did to how many examples, and why."""
    yield "## Checks\n"
    actions = {name: settings["action"] for name, settings in info.manifest["recipe"].get("checks", {}).items()}
    found: dict[str, dict[str, Counter[str]]] = {name: {} for name in sorted(actions)}
    for task in info.manifest["tasks"].values():
        for outcome in _OUTCOMES:
            for said, count in task[outcome].items():
                check, _, reason = said.partition(": ")
                found.setdefault(check, {}).setdefault(reason, Counter())[outcome] += count
    yield (
        "Examples by what the checks said of them, all tasks together. A rejected one is in no split and is counted "
        "once, by the first check that rejected it; repaired and flagged ones are counted for each reason.\n"
    )
    lines = []
    for check, reasons in sorted(found.items()):
        action = actions.get(check, "")
        lines += [
            (check, action, reason, *(counts[outcome] for outcome in _OUTCOMES))
            for reason, counts in sorted(reasons.items())
        ] or [(check, action, "nothing found" if action != "off" else "not run", 0, 0, 0)]
    yield (
        markdown.table(("check", "asked to", "reason", *_OUTCOMES), lines, right=len(_OUTCOMES)) if lines else "None.\n"
    )


def audit(info: CardInfo) -> Iterator[str]:
    """Yield what the splits share."""
    found = info.manifest["audit"]["with_training"]
    yield "## What the splits share\n"
    where = (
        "" if info.restricted else "; `audit.html` shows all of it, and `ecinstruct audit <this folder>` does it again"
    )
    yield (
        f"Counted by an audit that read the shards anew and knows nothing of how they were made{where}. "
        "Validation and test rows that carry something, and those of them that share it with training:\n"
    )
    lines = [(_KINDS.get(kind, kind), one["carrying"], one["sharing"]) for kind, one in sorted(found.items())]
    yield markdown.table(("", "held-out rows with one", "shared with training"), lines, right=2)
    said = "Nothing exceeds" if info.manifest["audit"]["passed"] else "Something exceeds"
    yield f"{said} the limits of the recipe's section `[audit]`.\n"


def retention(info: CardInfo) -> Iterator[str]:
    """Yield what the split keeps."""
    yield "## What the split keeps\n"
    yield (
        "In-domain examples whose products, users, queries and questions all fall in one split, and how many would do "
        "so had each of these been hashed to a split by itself.\n"
    )
    lines = [
        (name, account["examples"], _percent(account["kept"], account), _percent(account["hashing"], account))
        for name, account in ((name, task["retention"]) for name, task in sorted(info.manifest["tasks"].items()))
        if account["examples"]
    ]
    yield markdown.table(("task", "examples", "kept", "by hashing"), lines, right=3) if lines else "None.\n"


def _percent(kept: int, account: Mapping[str, Any]) -> str:
    return f"{kept / account['examples']:.1%}"


def left_out(info: CardInfo) -> Iterator[str]:
    """Yield how many of the examples that were drawn are in no split, and why."""
    yield "## What was left out\n"
    yield (
        "Examples that were drawn for a task are rejected by a check, dropped by the split, or published. Frozen ones "
        "came from an earlier build, besides those drawn.\n"
    )
    tasks = sorted(info.manifest["tasks"].items())
    frozen = any(sum(task["frozen"].values()) for _, task in tasks)
    names = ("drawn", "rejected", "dropped", "published", *(("frozen",) if frozen else ()))
    yield markdown.table(
        ("task", *names), [(name, *_fates(task)[: len(names)]) for name, task in tasks], right=len(names)
    )
    reasons: Counter[str] = Counter()
    for _, task in tasks:
        reasons.update(task["dropped"])
    if reasons:
        yield "Why examples were dropped, all tasks together:\n"
        yield markdown.table(("reason", "examples"), sorted(reasons.items()), right=1)


def _fates(task: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    rejected, dropped = sum(task["rejected"].values()), sum(task["dropped"].values())
    return task["drawn"], rejected, dropped, sum(task["examples"].values()), sum(task["frozen"].values())
