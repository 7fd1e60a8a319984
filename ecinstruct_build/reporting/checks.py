"""What the checks found: counts, and the examples nearest to each threshold, for people who set thresholds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import pyarrow as pa

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import Example
from quality.content import content_texts
from quality.duplicates import clusters

Row = Mapping[str, Any]
"""A row of `ecinstruct_build.check.VERDICT_SCHEMA`."""

ACTIONS = ("reject", "repair", "flag", "keep")
"""What is done about an example, the gravest first; ``keep`` passed so near a threshold that it is shown."""

_SHOWN = 200  # characters of an example


@dataclass(frozen=True)
class Count:
    """How often a check said something of a task's examples.

    Attributes
    ----------
    check, task, action, reason
        Which check, of which task's examples, what was done and why.
    examples
        Examples that it was said of.
    share
        Of the examples that the task drew.
    """

    check: str
    task: str
    action: str
    reason: str
    examples: int
    share: float


@dataclass(frozen=True)
class Near:
    """An example near the threshold of a check, or one that was judged without a threshold.

    Attributes
    ----------
    example_id, task, action, reason, score, detail
        The verdict.
    text
        The example's content, shortened.
    peer, peer_text
        The example that it clashes with and its content, or "".
    """

    example_id: str
    task: str
    action: str
    reason: str
    score: float
    detail: str
    text: str
    peer: str = ""
    peer_text: str = ""


@dataclass(frozen=True)
class Cluster:
    """Examples that are alike, and of which some are left out.

    Attributes
    ----------
    kept
        Those that nothing was held against.
    members
        The others: example, the one that it is like, and how much.
    """

    kept: tuple[str, ...]
    members: tuple[tuple[str, str, float], ...]


def counts_of(verdicts: Mapping[str, Sequence[Row]], drawn: Mapping[str, int]) -> list[Count]:
    """Count verdicts by check, task, action and reason, in this order; an example counts once for each.

    Parameters
    ----------
    verdicts
        By task.
    drawn
        How many examples each task drew.
    """
    once = {
        (row["check"], task, row["action"], row["reason"], row["example_id"])
        for task, rows in verdicts.items()
        for row in rows
    }
    said = Counter((check, task, action, reason) for check, task, action, reason, _ in once)
    order = sorted(said, key=lambda key: (key[0], key[1], ACTIONS.index(key[2]), key[3]))
    return [Count(*key, said[key], said[key] / max(1, drawn[key[1]])) for key in order]


def nearest(check: str, verdicts: Mapping[str, Sequence[Row]], count: int) -> list[tuple[str, Row]]:
    """Return the task and the verdict of the examples nearest to a check's thresholds.

    For every reason and for each of what was kept and what was not, ``count`` at most, the nearest first. Which side
    of the threshold is the worse one shows by the scores of what was kept; where nothing was, more is worse.
    """
    by_reason: dict[tuple[str, bool], list[tuple[str, Row]]] = defaultdict(list)
    for task, rows in verdicts.items():
        for row in rows:
            if row["check"] == check:
                by_reason[row["reason"], row["action"] == "keep"].append((task, row))
    chosen = []
    for reason, is_kept in sorted(by_reason):
        more_is_worse = _more_is_worse(by_reason, reason)
        sign = -1 if is_kept == more_is_worse else 1
        found = sorted(by_reason[reason, is_kept], key=lambda pair: (sign * pair[1]["score"], pair[1]["example_id"]))
        chosen += found[:count]
    return chosen


def _more_is_worse(by_reason: Mapping[tuple[str, bool], Sequence[tuple[str, Row]]], reason: str) -> bool:
    """Tell whether what was kept has the lower scores: that of the same reason, or else of any."""
    kept = by_reason.get((reason, True)) or [
        pair for (_, is_kept), pairs in by_reason.items() if is_kept for pair in pairs
    ]
    other = by_reason.get((reason, False)) or [
        pair for (_, is_kept), pairs in by_reason.items() if not is_kept for pair in pairs
    ]
    return not kept or not other or _mean_score(kept) <= _mean_score(other)


def _mean_score(pairs: Sequence[tuple[str, Row]]) -> float:
    return fmean(row["score"] for _, row in pairs)


def described(chosen: Iterable[tuple[str, Row]], examples: Mapping[str, Example]) -> list[Near]:
    """Return verdicts with the texts of their examples.

    Parameters
    ----------
    chosen
        As `nearest` returns them.
    examples
        By id, at least those that are named.
    """
    return [
        Near(
            example_id=row["example_id"],
            task=task,
            action=row["action"],
            reason=row["reason"],
            score=row["score"],
            detail=row["detail"],
            text=shortened(examples.get(row["example_id"])),
            peer=row["peer"],
            peer_text=shortened(examples.get(row["peer"])),
        )
        for task, row in chosen
    ]


def shortened(example: Example | None, limit: int = _SHOWN) -> str:
    """Return the content of an example in at most ``limit`` characters; "" for none."""
    if example is None:
        return ""
    text = " | ".join(filter(None, content_texts(example)))
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def clusters_of(check: str, verdicts: Mapping[str, Sequence[Row]], count: int) -> list[Cluster]:
    """Return the largest groups of examples that a check found alike, the largest first.

    Examples that were kept although they are nearly alike belong to none.
    """
    peers: dict[str, dict[str, float]] = defaultdict(dict)
    for rows in verdicts.values():
        for row in rows:
            if row["check"] == check and row["peer"] and row["action"] != "keep":
                peers[row["example_id"]][row["peer"]] = row["score"]
    linked = [
        (min(one, other), max(one, other), "", score) for one, with_ in peers.items() for other, score in with_.items()
    ]
    pairs = pa.table([list(column) for column in zip(*linked, strict=True)] or [[]] * 4, schema=PAIR_SCHEMA)
    return [_cluster(group.members, peers) for group in clusters(pairs)[:count]]


def _cluster(group: Sequence[str], peers: Mapping[str, Mapping[str, float]]) -> Cluster:
    members = [(one, other, score) for one in group for other, score in sorted(peers.get(one, {}).items())]
    return Cluster(tuple(one for one in group if one not in peers), tuple(members))


def report_json(
    counts: Sequence[Count],
    near: Sequence[Near] = (),
    groups: Sequence[Cluster] = (),
    ledger: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return a report as JSON values.

    Parameters
    ----------
    counts, near, groups
        As the functions above return them.
    ledger
        Scores of planted defects; see `ecinstruct_build.reporting.planted.gathering.scores_json`.
    """
    return {
        "counts": [asdict(one) for one in counts],
        "nearest": [asdict(one) for one in near],
        "clusters": [
            {
                "kept": list(one.kept),
                "members": [
                    {"example_id": member, "peer": peer, "score": score} for member, peer, score in one.members
                ],
            }
            for one in groups
        ],
        "planted": [dict(one) for one in ledger],
    }
