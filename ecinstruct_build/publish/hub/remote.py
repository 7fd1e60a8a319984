"""What stands on the Hub: the repository, its files, and what was published there before."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.folder import MANIFEST, parse_manifest
from ecinstruct_build.publish.hub.refusals import status_of
from ecinstruct_build.publish.hub.session import Session
from ecinstruct_build.publish.hub.target import MAIN, Target


@dataclass(frozen=True)
class RemoteFile:
    """A file on the Hub.

    Attributes
    ----------
    size
        In bytes.
    blob
        The git id of its content; of a pointer to it for a large file.
    sha256
        Digest of a large file's content, "" for others.
    """

    size: int
    blob: str
    sha256: str

    def holds(self, content: Path | bytes) -> bool:
        """Return whether it is the same as a local file or text."""
        size = size_of(content)
        if size != self.size:
            return False
        if self.sha256:
            return digest(content, "sha256") == self.sha256
        return digest(content, "sha1", b"blob %d\0" % size) == self.blob


@dataclass(frozen=True)
class Remote:
    """A dataset's repository as it stood at one moment.

    Attributes
    ----------
    exists, private
        Whether it is there, and hidden.
    branch_exists
        Whether it has the branch that is asked for; if not, the rest tells of the main one.
    head
        The commit that the branch points to, "" for none.
    files
        What stands there by path.
    tags
        Commits by tag.
    manifest
        That of the dataset of ours that was published there, or None.
    """

    exists: bool = False
    private: bool = False
    branch_exists: bool = False
    head: str = ""
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] | None = None

    @property
    def ours(self) -> frozenset[str]:
        """The files there that this tool wrote."""
        named = (self.manifest or {}).get("files", ())
        return frozenset(name for name in (*named, MANIFEST) if name in self.files) if self.manifest else frozenset()


def look(session: Session, target: Target) -> Remote:
    """Read what stands on the Hub.

    Raises
    ------
    UserError
        If the Hub refuses or cannot be asked, or the branch is the name of a tag.
    """
    api, repo = session.api, session.repo
    try:
        info = session.ask(
            "looking for the repository", lambda: api.dataset_info(repo), expected=(RepositoryNotFoundError,)
        )
        refs = session.ask("listing branches and tags", lambda: api.list_repo_refs(repo, repo_type="dataset"))
    except RepositoryNotFoundError as error:
        # Asked with a token, the Hub answers 404 for what is not there; 401 is about the token.
        if status_of(error) != 404:
            raise session.told(error, "looking for the repository") from error
        return Remote()
    branches = {one.name: one.target_commit for one in refs.branches}
    tags = {one.name: one.target_commit for one in refs.tags}
    if target.revision in tags and target.revision not in branches:
        raise UserError(
            f"'{target.revision}' is a tag of {repo}, and a tag stays where it is. Name a branch with --revision, and "
            "the version with --tag."
        )
    head = branches.get(target.revision) or branches.get(MAIN) or info.sha or ""
    files = list_files(session, head)
    remote = Remote(
        exists=True,
        private=bool(info.private),
        branch_exists=target.revision in branches,
        head=head,
        files=files,
        tags=tags,
    )
    return replace(remote, manifest=_manifest(session, remote))


def may_only_read(session: Session) -> bool:
    """Return whether the Hub says that the token may write nowhere; False as well if it does not say."""
    try:
        told = session.ask("asking what the token may do", session.api.whoami, expected=(HfHubHTTPError,), again=False)
    except HfHubHTTPError:
        return False
    access = told.get("auth", {}).get("accessToken") or {}
    return bool(access.get("role") == "read")


def list_files(session: Session, revision: str) -> dict[str, RemoteFile]:
    """Return the files of a revision by path; huggingface_hub asks again itself where it is worth it."""
    if not revision:
        return {}
    found = session.ask(
        "listing the files",
        lambda: list(session.api.list_repo_tree(session.repo, recursive=True, revision=revision, repo_type="dataset")),
        again=False,
    )
    return {
        one.path: RemoteFile(one.size, one.blob_id, one.lfs.sha256 if one.lfs else "")
        for one in found
        if isinstance(one, RepoFile)
    }


def head_of(session: Session, branch: str) -> str:
    """Return the commit that a branch points to now, or "" if there is none."""
    try:
        info = session.ask(
            "looking at the branch",
            lambda: session.api.dataset_info(session.repo, revision=branch),
            expected=(RepositoryNotFoundError, RevisionNotFoundError),
        )
    except (RepositoryNotFoundError, RevisionNotFoundError):
        return ""
    return info.sha or ""


def fetch(session: Session, remote: Remote, path: str) -> Path:
    """Download a file of the revision that was looked at, into the cache of huggingface_hub."""
    return Path(
        session.ask(
            f"downloading {path}",
            lambda: session.api.hf_hub_download(session.repo, path, repo_type="dataset", revision=remote.head),
        )
    )


def text_of(session: Session, remote: Remote, path: str) -> str:
    """Return the text of a file that people may have edited, or "" if it is not there.

    Raises
    ------
    UserError
        If it is not UTF-8.
    """
    if path not in remote.files:
        return ""
    try:
        return fetch(session, remote, path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"The file {path} of {session.repo} on the Hub is not UTF-8, so what you wrote in it cannot be kept. Save "
            "it there as UTF-8, or delete it, and publish again."
        ) from error


def size_of(content: Path | bytes) -> int:
    """Return how many bytes a text or a file's content has."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def digest(content: Path | bytes, kind: str, prefix: bytes = b"") -> str:
    """Return a hexadecimal digest of a text or a file's content, after ``prefix``."""
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.new(kind, prefix, usedforsecurity=False)).hexdigest()


def _manifest(session: Session, remote: Remote) -> Mapping[str, Any] | None:
    return parse_manifest(fetch(session, remote, MANIFEST).read_bytes()) if MANIFEST in remote.files else None
