"""Decide what a push will do; nothing on the Hub is changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.card import CARD
from ecinstruct_build.publish.folder import files_in, read_manifest
from ecinstruct_build.publish.hub.causes import Causes, causes
from ecinstruct_build.publish.hub.changelog import CHANGELOG, added_to, change_entry, initial_entry, total
from ecinstruct_build.publish.hub.changes import Rows, TaskChanges, compare, example_ids, read_rows, with_reasons
from ecinstruct_build.publish.hub.plan import FilePlan, Plan
from ecinstruct_build.publish.hub.remote import Remote, digest, fetch, size_of, text_of
from ecinstruct_build.publish.hub.session import Session
from ecinstruct_build.publish.hub.target import Target
from ecinstruct_build.publish.sections import merge_card, recorded_digests

Fates = Callable[[Sequence[str]], Mapping[str, str]]
"""Says what became of examples that are published no more, by their ids."""

_SHARD = ".parquet"
_SHARED = frozenset({CARD, CHANGELOG})
"""Files that are ours and the user's: they are merged, and never deleted."""

Contents = Mapping[str, Path | bytes]


def make_plan(
    staged: Path, target: Target, remote: Remote, session: Session, *, fates: Fates | None, today: date
) -> Plan:
    """Compare a folder with what stands on the Hub.

    Parameters
    ----------
    staged
        A folder with exactly what is to stand on the Hub, apart from the change log.
    target
        Where to.
    remote
        What stands there.
    session
        To read files there that differ.
    fates
        Says why examples are published no more; None if nobody knows.
    today
        The day that the change log gives the version.

    Raises
    ------
    UserError
        If the folder is no dataset of ours, or it cannot be published there as it stands.
    """
    manifest = read_manifest(staged)
    if manifest is None:
        raise UserError(f"There is no dataset in {staged} that ecinstruct-build wrote, so there is nothing to publish.")
    _refuse_showing(target, remote)
    _tag(target, remote, works=False)
    card, notes = _card(staged, remote, session)
    contents: Contents = {**{name: staged / name for name in files_in(staged)}, CARD: card}
    _refuse_overwriting(contents, remote, target)
    files = _compare_files(contents, remote)
    changes, why, body, news = _history(files, manifest, remote, session, fates)
    present = text_of(session, remote, CHANGELOG)
    log, added = added_to(present, target.tag, today, body, news=news)
    if log:
        files.append(_compare_file(CHANGELOG, log.encode(), remote))
    return Plan(
        target=target,
        url=f"{session.endpoint}/datasets/{target.repo}",
        remote=remote,
        files=tuple(sorted(files, key=lambda one: one.path)),
        tag=_tag(target, remote, works=any(one.action != "unchanged" for one in files)),
        changes=tuple(changes),
        causes=why,
        entry=body if added else "",
        notes=(*notes, *_notes(target, remote, manifest)),
    )


def _compare_files(contents: Contents, remote: Remote) -> list[FilePlan]:
    """Return what is to happen to each file of ours."""
    gone = remote.ours - contents.keys() - _SHARED
    deleted = [FilePlan(path, "delete", remote.files[path].size, 0) for path in sorted(gone)]
    return [_compare_file(path, content, remote) for path, content in contents.items()] + deleted


def _compare_file(path: str, content: Path | bytes, remote: Remote) -> FilePlan:
    size = size_of(content)
    there = remote.files.get(path)
    if there is not None and there.holds(content):
        return FilePlan(path, "unchanged", size, 0, content)
    alike = {one.sha256 for one in remote.files.values() if one.sha256 and one.size == size}
    held = bool(alike) and digest(content, "sha256") in alike
    return FilePlan(path, "change" if there else "add", size, 0 if held else size, content)


def _card(staged: Path, remote: Remote, session: Session) -> tuple[bytes, list[str]]:
    """Return the card with what people wrote into the one on the Hub."""
    generated = (staged / CARD).read_text(encoding="utf-8")
    present = text_of(session, remote, CARD)
    merged = merge_card(generated, present, recorded_digests(remote.manifest))
    if merged.problem:
        raise UserError(
            f"The front matter of {CARD} in {session.repo} on the Hub cannot be brought up to date: {merged.problem}. "
            "Mend it there, or delete the file, and publish again."
        )
    kept = [f"{CARD} keeps what was written on the Hub: {', '.join(map(str, merged.kept))}."] if merged.kept else []
    return merged.text.encode(), kept


def _history(
    files: Sequence[FilePlan], manifest: Mapping[str, Any], remote: Remote, session: Session, fates: Fates | None
) -> tuple[list[TaskChanges], Causes, str, bool]:
    """Return what changed since the version before, possible causes, the log's words for it, and if it is any news."""
    before = remote.manifest
    if before is None:
        return [], Causes(), initial_entry(manifest), True
    changes, unread = _changes(files, remote, session, fates)
    why = causes(before, manifest)
    news = bool(changes or why or unread) or total(before) != total(manifest)
    return changes, why, change_entry(changes, why, before, manifest, unread), news


def _changes(
    files: Sequence[FilePlan], remote: Remote, session: Session, fates: Fates | None
) -> tuple[list[TaskChanges], list[str]]:
    """Compare the samples of the shards that differ; also return the files there that cannot be read."""
    shards = [one for one in files if one.path.endswith(_SHARD)]
    before: dict[str, Rows] = {}
    unread = []
    for one in shards:
        if one.action in ("change", "delete"):
            try:
                found = read_rows([fetch(session, remote, one.path)])
            except (pa.ArrowException, OSError, ValueError):
                unread.append(one.path)
                continue
            for task, rows in found.items():
                before.setdefault(task, {}).update(rows)
    after = read_rows(_local(one for one in shards if one.action in ("add", "change") and one.path not in unread))
    changes = compare(before, after)
    gone = sorted({example for one in changes for example in one.gone})
    if not gone:
        return changes, unread
    standing = example_ids(_local(shards))
    told = fates([one for one in gone if one not in standing]) if fates else {}
    return [with_reasons(one, standing, told) for one in changes], unread


def _local(files: Iterable[FilePlan]) -> list[Path]:
    return [one.content for one in files if isinstance(one.content, Path)]


def _tag(target: Target, remote: Remote, *, works: bool) -> Literal["create", "exists", ""]:
    if not target.tag:
        return ""
    there = remote.tags.get(target.tag)
    if there is None:
        return "create"
    if there == remote.head and remote.branch_exists and not works:
        return "exists"
    where = "what was published before" if works else "another commit"
    raise UserError(
        f"{target.repo} has a tag '{target.tag}' already, on {where} ({there[:12]}). A version stays what it is: "
        "choose a new name with --tag, or delete the tag on the Hub if nobody uses it."
    )


def _refuse_showing(target: Target, remote: Remote) -> None:
    if target.private and remote.exists and not remote.private:
        raise UserError(
            f"{target.repo} exists and is public, and --private asks for a private one. Nothing was changed: make it "
            "private in its settings on the Hub first, choose another name with --repo, or leave --private out."
        )


def _refuse_overwriting(contents: Contents, remote: Remote, target: Target) -> None:
    others = [
        path
        for path, content in contents.items()
        if path in remote.files and path not in remote.ours | _SHARED and not remote.files[path].holds(content)
    ]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise UserError(
            f"{target.repo} holds files that ecinstruct-build did not write and that have the names of files of this "
            f"dataset: {', '.join(others[:3])}{more}. They are left alone: rename or delete them there, or publish to "
            "another place with --repo or --revision."
        )


def _notes(target: Target, remote: Remote, manifest: Mapping[str, Any]) -> list[str]:
    notes = []
    if remote.exists and remote.private and not target.private:
        notes.append(f"{target.repo} is private, and stays so.")
    if manifest.get("ids_only") and remote.manifest and not remote.manifest.get("ids_only"):
        notes.append(
            f"Earlier versions in {target.repo} hold the text of the rows and stay in its history: what must not be "
            "there any more has to be deleted on the Hub."
        )
    return notes
