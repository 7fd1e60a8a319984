"""What is planned, fetched and on disk, laid out for people and for programs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from ecinstruct_build.fetching.lock import Lock
from ecinstruct_build.fetching.plan import Item, Plan, categories_of
from ecinstruct_build.fetching.space import in_units
from ecinstruct_build.fetching.state import FileState
from ecinstruct_build.registry import TASKS
from ecinstruct_build.source import Remote, Source

_MARKS = {"absent": "dim", "partial": "yellow", "unverified": "yellow", "verified": "green", "wrong": "bold red"}


def tasks_fed(source: Source) -> list[str]:
    """Return the tasks that can draw from a source: it fills a table that their examples come from."""
    return [task.name for task in TASKS if {task.primary, *task.also} & {*source.tables}]


def size_to_fetch(remotes: Iterable[Remote]) -> tuple[int, int]:
    """Return the bytes of remotes as far as they are known, and of how many they are not."""
    sizes = [remote.size for remote in remotes]
    return sum(size for size in sizes if size is not None), sizes.count(None)


def size_words(remotes: Sequence[Remote]) -> str:
    """Say how large remotes are together."""
    known, unknown = size_to_fetch(remotes)
    if not remotes:
        return "nothing"
    if not unknown:
        return in_units(known)
    files = f"{unknown} {'file' if unknown == 1 else 'files'} of unknown size"
    return f"{in_units(known)} and {files}" if known else files


def plan_record(plan: Plan) -> list[dict[str, Any]]:
    """Return a plan as JSON values."""
    return [
        {
            "source": item.source.name,
            "file": item.remote.file,
            "size": item.remote.size,
            "sha256": item.remote.sha256,
            "urls": list(item.remote.urls),
            "steps": item.remote.steps,
            "to": str(item.folder / item.remote.file),
            "action": _action(item),
            "files": [state_record(state) for state in item.states],
        }
        for item in plan.items
    ]


def state_record(state: FileState) -> dict[str, Any]:
    """Return how a file stands as JSON values."""
    return {
        "source": state.source,
        "file": state.file,
        "path": str(state.path),
        "state": state.state,
        "size": state.size if state.size is not None else state.expected.size,
        "sha256": state.sha256,
        "expected_sha256": state.expected.sha256,
        "stated_by": state.expected.by,
        "fault": state.fault,
    }


def render_plan(plan: Plan, raw: Path, console: Console) -> None:
    """Show what is needed, what of it is there, and what is to be fetched from where."""
    rows = []
    for item in plan.items:
        size = in_units(item.remote.size) if item.remote.size is not None else "unknown"
        place = "" if item.here else _hosts(item.remote)
        rows.append((f"{item.source.name}/{item.remote.file}", size, _action(item), place))
    _print_rows(("file", "size", "", "from"), rows, console)
    fetch, get = plan.to_fetch, plan.to_get
    here = sum(item.here for item in plan.items)
    console.print(
        f"{here} of {len(plan.items)} are in {escape(str(raw))}; to fetch: {len(fetch)} "
        f"({size_words([item.remote for item in fetch])}); to get by hand: {len(get)}.",
        highlight=False,
        soft_wrap=True,
    )
    for name in plan.own:
        console.print(
            f"{name}: no address of its files is known. Those of your own belong into {escape(str(raw / name))}.",
            highlight=False,
            soft_wrap=True,
        )


def by_hand_words(items: Sequence[Item]) -> str:
    """Say what a person must do for the files that cannot be fetched, a numbered block each; "" if there are none."""
    if not items:
        return ""
    blocks = [
        "\n".join(
            [
                f"{number}. {item.source.name}/{item.remote.file}",
                f"   {item.remote.steps}",
                f"   Put it at {item.folder / item.remote.file}",
                *([f"   It has {item.remote.size:,} bytes."] if item.remote.size is not None else []),
                *([f"   Its SHA-256 is {item.remote.sha256}"] if item.remote.sha256 else []),
            ]
        )
        for number, item in enumerate(items, 1)
    ]
    again = (
        "Then give the same command again: it looks at what is there and locks it. To do without a file, name the "
        "others that are wanted: files = [...] in the source's section of the recipe, or --file."
    )
    files = "1 file has" if len(items) == 1 else f"{len(items)} files have"
    return "\n\n".join([f"{files} to be got by hand:", *blocks, again])


def source_record(source: Source, states: Sequence[FileState] | None, lock: Lock) -> dict[str, Any]:
    """Return all that is known of a source as JSON values; ``states`` are those on disk, if a folder was given."""
    usual = [remote for remote in source.remotes if not remote.alternative]
    known, unknown = size_to_fetch(usual)
    return {
        "name": source.name,
        "title": source.title,
        "summary": source.summary,
        "homepage": source.homepage,
        "licence": source.licence,
        "redistributable": source.redistributable,
        "citation": source.citation,
        "tables": list(source.tables),
        "tasks": tasks_fed(source),
        "categories": categories_of(source),
        "bytes_known": known,
        "files_of_unknown_size": unknown,
        "remotes": [_remote_record(source, remote, lock) for remote in source.remotes],
        **({} if states is None else {"files": [state_record(state) for state in states]}),
    }


def _remote_record(source: Source, remote: Remote, lock: Lock) -> dict[str, Any]:
    locked = lock.get(source.name, remote.file)
    return {
        "file": remote.file,
        "size": remote.size,
        "sha256": remote.sha256,
        "locked_sha256": locked.sha256 if locked else None,
        "urls": list(remote.urls),
        "holds": [path for _, path in remote.holds],
        "alternative": remote.alternative,
        "steps": remote.steps,
    }


def disk_words(states: Sequence[FileState]) -> str:
    """Say in a few words how the files of a source stand."""
    counts = {name: sum(state.state == name for state in states) for name in _MARKS}
    said = [f"{count} {name}" for name, count in counts.items() if count and name != "absent"]
    return ", ".join(said) or "nothing"


def render_states(states: Sequence[FileState], console: Console) -> None:
    """Show how files stand, and what is wrong with those that are wrong."""
    rows = [(f"{state.source}/{state.file}", *_state_cells(state)) for state in states]
    _print_rows(("file", "size", "sha256", "state"), rows, console)
    render_faults(states, console)


def render_files(
    source: Source, states: Sequence[FileState] | None, lock: Lock, console: Console, *, every: bool
) -> None:
    """Show a source's upstream files, and how they stand on disk if that is known.

    Parameters
    ----------
    source
        The source.
    states
        How its files stand, with those that are no remote's; None = no folder was given.
    lock
        What is locked.
    every
        Whether to show alternatives too that are not there.
    """
    by_file = {state.file: state for state in states or ()}
    rows: list[tuple[str, ...]] = []
    hidden = 0
    for remote in source.remotes:
        there = [by_file.pop(file) for file in remote.yields if file in by_file]
        if remote.alternative and not every and all(state.state == "absent" for state in there):
            hidden += 1
            continue
        if remote.holds or not there:
            cells = [*_known_cells(source, remote, lock), *([] if states is None else [""])]
            rows.append((remote.file, *cells, _remark(remote)))
        remark = f"of {remote.file}" if remote.holds else _remark(remote)
        rows += [(state.file, *_state_cells(state), remark) for state in there]
    rows += [(state.file, *_state_cells(state), "") for state in by_file.values()]
    _print_rows(("file", "size", "sha256", *([] if states is None else ["state"]), ""), rows, console)
    if hidden:
        console.print(f"{hidden} more are other forms of these, fetched only where they are named: --all shows them.")
    render_faults(states or (), console)


def render_faults(states: Sequence[FileState], console: Console) -> None:
    """Say of each file that is wrong what upstream or the lock says, and what it is."""
    for state in states:
        if state.fault:
            console.print(f"{escape(str(state.path))}: {escape(state.fault)}", highlight=False, soft_wrap=True)


def _state_cells(state: FileState) -> tuple[str, str, str]:
    size = state.size if state.size is not None else state.expected.size
    sha256 = state.sha256 or state.expected.sha256 or ""
    return in_units(size) if size is not None else "", sha256[:12], state.state


def _known_cells(source: Source, remote: Remote, lock: Lock) -> tuple[str, str]:
    locked = lock.get(source.name, remote.file)
    size = remote.size if remote.size is not None else locked.size if locked else None
    sha256 = remote.sha256 or (locked.sha256 if locked else "")
    return in_units(size) if size is not None else "unknown", sha256[:12]


def _remark(remote: Remote) -> str:
    words = {"by hand": not remote.urls, "alternative": remote.alternative, "archive": bool(remote.holds)}
    return ", ".join(word for word, holds in words.items() if holds)


def _print_rows(headings: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print rows in columns of which nothing is cut; rich's own tables take seconds for a thousand rows."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    text = Text()
    for number, row in enumerate((headings, *rows)):
        cells = [
            cell.rjust(width) if heading == "size" else cell.ljust(width)
            for heading, cell, width in zip(headings, row, widths, strict=True)
        ]
        for cell in cells[:-1]:
            text.append(f"{cell}  ", "dim" if number == 0 else _MARKS.get(cell.strip(), ""))
        text.append(f"{cells[-1].rstrip()}\n", "dim" if number == 0 else _MARKS.get(cells[-1].strip(), ""))
    console.print(text, end="", soft_wrap=True)


def _hosts(remote: Remote) -> str:
    """Name the first place that a remote can be had from, and how many others there are."""
    if not remote.urls:
        return ""
    parts = urlsplit(remote.urls[0])
    more = f" and {len(remote.urls) - 1} more" if len(remote.urls) > 1 else ""
    return f"{'Hugging Face Hub' if parts.scheme == 'hf' else parts.netloc}{more}"


def _action(item: Item) -> str:
    if item.wrong:
        return "wrong"
    if item.here:
        return "here"
    if item.archive:
        return "unpack"
    return "by hand" if item.by_hand else "fetch"
