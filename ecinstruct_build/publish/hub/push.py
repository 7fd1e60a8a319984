"""Push a staged dataset to the Hub: one commit with what changed, and a tag."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError

from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress
from ecinstruct_build.publish.hub.plan import FilePlan, Plan
from ecinstruct_build.publish.hub.planning import Fates, make_plan
from ecinstruct_build.publish.hub.refusals import concurrent
from ecinstruct_build.publish.hub.remote import RemoteFile, head_of, list_files, look, may_only_read
from ecinstruct_build.publish.hub.session import Session, hub_session
from ecinstruct_build.publish.hub.target import Target

_GROUP_BYTES = 64 * 2**20
_GROUP_FILES = 32
_DATASET = "dataset"


@dataclass(frozen=True)
class Pushed:
    """What a push did, or would do.

    Attributes
    ----------
    plan
        What was decided before.
    commit
        The commit that the dataset stands in now; "" for a dry run.
    dry_run
        Whether nothing was done.
    """

    plan: Plan
    commit: str
    dry_run: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**self.plan.to_json(), "dry_run": self.dry_run, "published_commit": self.commit}


def push(
    staged: Path,
    target: Target,
    *,
    fates: Fates | None,
    dry_run: bool,
    progress: Progress,
    sleep: Callable[[float], None] = time.sleep,
    today: date | None = None,
) -> Pushed:
    """Bring what stands on the Hub to what stands in a folder.

    Only files that differ are sent, in one commit on top of the one that was looked at. Large files that were sent by a
    push that was cut are not sent again. Files there that this tool did not write stay as they are.

    Parameters
    ----------
    staged
        A folder with exactly what is to stand on the Hub, apart from the change log.
    target
        Where to.
    fates
        Says what became of examples that are published no more, for the change log; None if nobody knows.
    dry_run
        Decide what would be done, and do nothing.
    progress
        Who listens.
    sleep
        Waits so many seconds.
    today
        The day that the change log gives the version; the current one (UTC) if None.

    Raises
    ------
    UserError
        If there is no token, the Hub refuses or cannot be reached, somebody else commits at the same time, the tag
        stands elsewhere, or files of the user's own are in the way.
    """
    with hub_session(target, progress, sleep) as session:
        with progress.track("compare with the Hub"):
            remote = look(session, target)
            plan = make_plan(staged, target, remote, session, fates=fates, today=today or datetime.now(UTC).date())
        if dry_run:
            if may_only_read(session):
                progress.note(
                    f"The token may only read, so the Hub would refuse: use one that may write to {target.repo}."
                )
            return Pushed(plan, "", dry_run)
        return Pushed(plan, _carry_out(plan, session, progress), dry_run)


def ensure_reachable(target: Target, progress: Progress) -> None:
    """Look at the place on the Hub, so that a token or a name that will not do is told before any work.

    Raises
    ------
    UserError
        As `push` does.
    """
    with hub_session(target, progress) as session, progress.track("look at the Hub"):
        look(session, target)


def _carry_out(plan: Plan, session: Session, progress: Progress) -> str:
    """Do what was decided; return the commit that the dataset stands in."""
    parent = plan.remote.head
    if not plan.remote.exists:
        parent = _create_repository(plan, session)
    if plan.creates_branch:
        branch = plan.target.revision
        session.ask(
            f"making the branch {branch}",
            lambda: session.api.create_branch(
                session.repo, branch=branch, revision=parent, repo_type=_DATASET, exist_ok=True
            ),
        )
    commit = _commit(plan, parent, session, progress) if plan.work else parent
    if plan.tag == "create":
        _create_tag(plan, commit, session)
    return commit


def _create_repository(plan: Plan, session: Session) -> str:
    """Make the repository and return its first commit."""
    session.ask(
        "making the repository",
        lambda: session.api.create_repo(session.repo, private=plan.target.private, repo_type=_DATASET, exist_ok=True),
    )
    made = look(session, Target(plan.target.repo, endpoint=plan.target.endpoint))
    if not made.exists:
        raise UserError(
            f"There is a repository {session.repo} on the Hub already that the token may not see. Use a token that "
            "may, or choose another name with --repo."
        )
    if made.private != plan.target.private or set(made.files) & {one.path for one in plan.files}:
        raise UserError(concurrent(session.repo))
    return made.head


def _commit(plan: Plan, parent: str, session: Session, progress: Progress) -> str:
    """Send what differs and commit it."""
    additions = [CommitOperationAdd(one.path, one.content) for one in plan.work if one.content is not None]
    deletions = [CommitOperationDelete(one.path, is_folder=False) for one in plan.work if one.content is None]
    with progress.track("upload", plan.bytes_to_send) as advance:
        sizes = {one.path: one.sent for one in plan.work}
        for group in _groups(additions):
            _send(group, plan, session)
            advance(sum(sizes[one.path_in_repo] for one in group))
    with progress.track("commit"):
        commit = _commit_once(plan, parent, [*additions, *deletions], session)
        _verify(plan, commit, session)
    return commit


def _send(group: Sequence[CommitOperationAdd], plan: Plan, session: Session) -> None:
    """Upload the large ones of some files; the rest travels with the commit.

    An empty list of ignored names stands in for the repository's own ``.gitignore``, which would leave files out in
    silence.
    """
    session.ask(
        "uploading",
        lambda: session.api.preupload_lfs_files(
            session.repo,
            group,
            repo_type=_DATASET,
            revision=plan.target.revision,
            free_memory=False,
            gitignore_content="",
        ),
        again=False,
    )


def _commit_once(
    plan: Plan, parent: str, operations: Sequence[CommitOperationAdd | CommitOperationDelete], session: Session
) -> str:
    """Commit on top of the one that was looked at, or not at all."""

    def attempt() -> str | None:
        try:
            made = session.api.create_commit(
                session.repo,
                operations,
                commit_message=plan.message,
                repo_type=_DATASET,
                revision=plan.target.revision,
                parent_commit=parent,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:
                return None
            raise
        return str(made.oid)

    commit = session.ask("committing", attempt)
    if commit is not None:
        return commit
    # A commit whose answer was lost stands there: asked again, the Hub finds the branch moved on by ourselves.
    head = head_of(session, plan.target.revision)
    if _astray(plan, list_files(session, head)):
        raise UserError(concurrent(session.repo))
    return head


def _verify(plan: Plan, commit: str, session: Session) -> None:
    if astray := _astray(plan, list_files(session, commit)):
        raise UserError(
            f"The Hub took the commit {commit[:12]} to {session.repo}, but files are not there as they were sent: "
            f"{', '.join(astray[:3])}{' and others' if len(astray) > 3 else ''}. Look at it there, and publish again."
        )


def _astray(plan: Plan, files: Mapping[str, RemoteFile]) -> list[str]:
    """Return the files that do not stand there as the plan has them."""

    def stands(one: FilePlan) -> bool:
        there = files.get(one.path)
        if one.content is None or there is None:
            return (one.content is None) == (there is None)
        return there == plan.remote.files.get(one.path) if one.action == "unchanged" else there.holds(one.content)

    return [one.path for one in plan.files if not stands(one)]


def _create_tag(plan: Plan, commit: str, session: Session) -> None:
    api, tag = session.api, plan.target.tag
    session.ask(
        f"making the tag {tag}",
        lambda: api.create_tag(session.repo, tag=tag, revision=commit, repo_type=_DATASET, exist_ok=True),
    )
    refs = session.ask("listing branches and tags", lambda: api.list_repo_refs(session.repo, repo_type=_DATASET))
    if {one.name: one.target_commit for one in refs.tags}.get(tag) != commit:
        raise UserError(
            f"Somebody else made a tag '{tag}' in {session.repo} in the meantime. The dataset stands in commit "
            f"{commit[:12]}: publish again with another name as --tag."
        )


def _groups(additions: Sequence[CommitOperationAdd]) -> Iterator[list[CommitOperationAdd]]:
    """Yield files in groups that are neither many nor large, so that progress can be told."""
    group: list[CommitOperationAdd] = []
    size = 0
    for one in additions:
        if group and (len(group) == _GROUP_FILES or size + one.upload_info.size > _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(one)
        size += one.upload_info.size
    if group:
        yield group
