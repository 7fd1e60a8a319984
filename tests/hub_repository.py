"""What a Hub keeps of one dataset: commits, branches, tags and large objects, in memory."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LARGE_SUFFIXES = (".parquet",)


def git_blob_id(data: bytes) -> str:
    """Return the id that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Blob:
    """A file's content, and whether it is kept as a large object."""

    data: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else git_blob_id(self.data)

    def entry(self, path: str) -> dict[str, Any]:
        """Return the file as a tree lists it."""
        if not self.large:
            return {"type": "file", "path": path, "size": len(self.data), "oid": git_blob_id(self.data)}
        pointer = (
            f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n".encode()
        )
        large = {"oid": self.sha256, "size": len(self.data), "pointerSize": len(pointer)}
        return {"type": "file", "path": path, "size": len(self.data), "oid": git_blob_id(pointer), "lfs": large}


@dataclass(frozen=True)
class Commit:
    """All files as they stood after one commit."""

    oid: str
    parent: str
    title: str
    description: str
    files: Mapping[str, Blob]


@dataclass
class Repository:
    """A dataset on the Hub. A new one holds a first commit with ``.gitattributes``, as on the Hub."""

    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        attributes = Blob(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n", large=False)
        self.commit("main", {".gitattributes": attributes}, title="initial commit")

    def find(self, revision: str) -> Commit | None:
        """Return what a branch, a tag or a commit's id points to."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(oid)

    def commit(
        self,
        branch: str,
        added: Mapping[str, Blob],
        deleted: Iterable[str] = (),
        title: str = "",
        description: str = "",
    ) -> Commit:
        """Add a commit to a branch."""
        parent = self.branches.get(branch, "")
        files = dict(self.commits[parent].files) if parent else {}
        for path in deleted:
            del files[path]
        files |= added
        state = repr((parent, title, len(self.commits), [(path, blob.etag) for path, blob in sorted(files.items())]))
        oid = hashlib.sha1(state.encode(), usedforsecurity=False).hexdigest()
        made = Commit(oid, parent, title, description, dict(sorted(files.items())))
        self.commits[oid] = made
        self.branches[branch] = oid
        return made

    def put(self, path: str, data: bytes, branch: str = "main") -> None:
        """Commit one file as a person would on the Hub's pages."""
        self.commit(branch, {path: Blob(data, path.endswith(LARGE_SUFFIXES))}, title=f"Update {path}")

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """Return the content of every file of a revision."""
        found = self.find(revision)
        assert found is not None
        return {path: blob.data for path, blob in found.files.items()}
