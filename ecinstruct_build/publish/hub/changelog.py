"""CHANGELOG.md: newest version first; what stands in it already, ours or anybody's, is kept as it is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.hub.causes import Causes, Difference
from ecinstruct_build.publish.hub.changes import TaskChanges

CHANGELOG = "CHANGELOG.md"

_TITLE = "# Changelog\n\nWhat changed between the published versions of this dataset, newest first.\n"
_HEADING = re.compile(r"^## ", re.MULTILINE)
_UNTAGGED = re.compile(r"## Untagged \((\d{4}-\d{2}-\d{2})\)(?=\s|$)")
_ALL = "all"
"""Stands for the tasks of a shard that holds all of them."""

_MOST_LINES = 40
"""Lines of one kind in an entry; of more, the rest is counted."""


def heading(tag: str, today: date) -> str:
    """Return the heading of a version's entry."""
    return f"## {tag} ({today.isoformat()})" if tag else f"## Untagged ({today.isoformat()})"


def initial_entry(manifest: Mapping[str, Any]) -> str:
    """Return the body of the first version's entry: how many samples of each task and split."""
    sizes = _sizes(manifest)
    rows = [
        (task, ", ".join(f"{split} {count:,}" for split, count in found.items()), sum(found.values()))
        for task, found in sizes.items()
    ]
    total = sum(row[2] for row in rows)
    return f"Initial version: {_samples(total)}.\n\n{markdown.table(('task', 'splits', 'samples'), rows, right=1)}"


def change_entry(
    changes: Sequence[TaskChanges],
    causes: Causes,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    unread: Sequence[str],
) -> str:
    """Return the body of a later version's entry.

    Parameters
    ----------
    changes
        By task; of tasks without changes there is none.
    causes
        What differs between the two builds.
    before, after
        The two manifests.
    unread
        Files of the version before that could not be read, so that their samples are not compared.
    """
    return "\n".join(_parts(changes, causes, before, after, unread))


def _parts(
    changes: Sequence[TaskChanges],
    causes: Causes,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    unread: Sequence[str],
) -> Iterator[str]:
    sizes = [{task: sum(found.values()) for task, found in _sizes(one).items()} for one in (before, after)]
    yield f"{_total_line(*(sum(one.values()) for one in sizes), same=not changes and not unread)}\n"
    if changes:
        yield _table(changes, sizes)
        yield from _by_split(changes)
    same = sorted({*sizes[0], *sizes[1]} - {one.task for one in changes} - {_ALL})
    if changes and same:
        yield f"Unchanged: {', '.join(same)}.\n"
    if shortened := bool(after.get("ids_only")) - bool(before.get("ids_only")):
        yield f"From this version on, {'ids alone' if shortened > 0 else 'whole samples'} are published.\n"
    if unread:
        yield f"Not compared, because the files of the version before cannot be read: {', '.join(unread)}.\n"
    yield from _removals(changes)
    yield from _why(causes)


def _total_line(before: int, after: int, *, same: bool) -> str:
    if before != after:
        return f"{_samples(after)}, {before:,} before."
    return (
        f"{_samples(after)}; none was added, removed or changed." if same else f"{_samples(after)}, as many as before."
    )


def _table(changes: Sequence[TaskChanges], sizes: Sequence[Mapping[str, int]]) -> str:
    columns = (
        "task",
        "before",
        "after",
        "added",
        "removed",
        "changed text",
        "moved between splits",
        "other columns only",
    )
    rows = [
        (
            one.task,
            *(found.get(one.task, "" if _ALL in found else 0) for found in sizes),
            sum(one.added.values()),
            sum(one.removed.values()),
            one.changed,
            sum(one.moved.values()),
            one.annotated,
        )
        for one in changes
    ]
    return markdown.table(columns, rows, right=len(columns) - 1)


def _by_split(changes: Sequence[TaskChanges]) -> Iterator[str]:
    kinds = (
        ("Added", [(one.task, one.added) for one in changes]),
        ("Removed", [(one.task, one.removed) for one in changes]),
        ("Moved", [(one.task, {f"{a} to {b}": count for (a, b), count in one.moved.items()}) for one in changes]),
    )
    for title, found in kinds:
        lines = [f"{task}: {_counts(counts)}" for task, counts in found if counts]
        if lines:
            yield _list(f"{title}, by split:", lines)


def _removals(changes: Sequence[TaskChanges]) -> Iterator[str]:
    lines = [f"{one.task}: {_counts(one.reasons)}" for one in changes if one.reasons]
    if lines:
        yield _list("Removed, and why:", lines)


def _why(causes: Causes) -> Iterator[str]:
    if not causes:
        yield "Seeds, settings, library versions and input files are the same as before.\n"
        return
    kinds = (
        ("Seeds that differ:", causes.seeds),
        ("Settings that differ:", causes.settings),
        ("Input files that differ (SHA-256):", causes.inputs),
        ("Versions that differ:", causes.versions),
    )
    for title, found in kinds:
        if found:
            yield _list(title, [_difference(one) for one in found])


def _difference(one: Difference) -> str:
    return f"{_code(one.name)}: {_code(one.before)} to {_code(one.after)}"


def _list(title: str, lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"- and {len(lines) - _MOST_LINES:,} more")
    return "\n".join((title, "", *shown, ""))


def _counts(counts: Mapping[str, int]) -> str:
    listed = [f"{count:,} {name}" for name, count in counts.items()]
    more = len(listed) - _MOST_LINES
    return "; ".join([*listed[:_MOST_LINES], *([f"and {more:,} more reasons"] if more > 0 else [])])


def _code(text: str) -> str:
    """Return a short text as code that no character of it ends."""
    return f"`{text.replace('`', chr(39))}`"


def _samples(count: int) -> str:
    return f"{count:,} sample{'' if count == 1 else 's'}"


def _sizes(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return how many samples of each task and split a manifest's shards hold; where they hold all tasks, "all"."""
    sizes: dict[str, dict[str, int]] = {}
    shards = manifest.get("shards")
    for shard in shards if isinstance(shards, list) else []:
        if isinstance(shard, Mapping) and isinstance(shard.get("rows"), int):
            splits = sizes.setdefault(str(shard.get("task") or _ALL), {})
            split = str(shard.get("split"))
            splits[split] = splits.get(split, 0) + shard["rows"]
    return dict(sorted(sizes.items()))


def total(manifest: Mapping[str, Any]) -> int:
    """Return how many samples a manifest's shards hold."""
    return sum(sum(found.values()) for found in _sizes(manifest).values())


def added_to(present: str, tag: str, today: date, body: str, *, news: bool) -> tuple[str, bool]:
    """Bring the change log up to date.

    Parameters
    ----------
    present
        The file as it stands; blank if there is none.
    tag
        The version's name, or "".
    today
        The day that the entry is given.
    body
        What to say of the version.
    news
        Whether the version differs from the one before. If not, only its name is news, and that only once.

    Returns
    -------
    text, added
        The file's new text, and whether ``body`` was put into it.
    """
    if news:
        return insert(present, tag, today, body), True
    if not tag or _section(present, tag):
        return present, False
    if (named := name_newest(present, tag)) != present:
        return named, False
    return insert(present, tag, today, body), True


def insert(present: str, tag: str, today: date, body: str) -> str:
    """Put a version's entry before those that stand in the file; everything else stays byte for byte.

    A section that already bears the version's name, such as notes that somebody wrote ahead of it, keeps its text below
    the entry.
    """
    ends = "\r\n" if "\r\n" in present else "\n"
    entry = f"{body.rstrip()}\n"
    if tag and (found := _section(present, tag)):
        place, block = found.end(), f"\n{entry}"
        pad = "" if found[0].endswith("\n") else ends
    elif not present.strip():
        return f"{_TITLE}\n{heading(tag, today)}\n\n{entry}"
    elif first := _HEADING.search(present):
        place, block, pad = first.start(), f"{heading(tag, today)}\n\n{entry}\n", ""
    else:
        place, block = len(present), f"{heading(tag, today)}\n\n{entry}"
        pad = ends if present.endswith("\n") else ends * 2
    return f"{present[:place]}{pad}{block.replace(chr(10), ends)}{present[place:]}"


def name_newest(present: str, tag: str) -> str:
    """Give the newest entry the tag's name, if it is one of ours that has none; else return the text as it is."""
    first = _HEADING.search(present)
    found = _UNTAGGED.match(present, first.start()) if first else None
    if found is None:
        return present
    return f"{present[: found.start()]}## {tag} ({found[1]}){present[found.end() :]}"


def _section(text: str, tag: str) -> re.Match[str] | None:
    return re.search(rf"^## +\[?{re.escape(tag)}\]?(?![\w.+-]).*(?:\n|\Z)", text, re.MULTILINE)
