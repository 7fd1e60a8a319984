"""What a push will do, decided before anything is done."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ecinstruct_build.publish.hub.causes import Causes
from ecinstruct_build.publish.hub.changes import TaskChanges
from ecinstruct_build.publish.hub.remote import Remote
from ecinstruct_build.publish.hub.target import MAIN, Target

Action = Literal["add", "change", "delete", "unchanged"]


@dataclass(frozen=True)
class FilePlan:
    """What is to happen to one file.

    Attributes
    ----------
    path
        Its place in the repository.
    action
        What is done with it.
    size
        Its bytes; for a file to delete, those it has on the Hub.
    sent
        How many bytes are sent for it: none if the Hub holds the same content already.
    content
        Where the bytes come from; None for a file to delete.
    """

    path: str
    action: Action
    size: int
    sent: int
    content: Path | bytes | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"path": self.path, "action": self.action, "bytes": self.size, "bytes_to_send": self.sent}


@dataclass(frozen=True)
class Plan:
    """All that a push will do.

    Attributes
    ----------
    target
        Where to.
    url
        Page of the dataset on the Hub.
    remote
        What stands there now.
    files
        Every file of the dataset and every one to delete, by path; files of the user's own are not among them.
    tag
        ``create`` the tag, leave it (``exists`` already on this version), or "" for none asked for.
    changes, causes
        What differs from the version before; nothing for a first version.
    entry
        What the change log says of this version; "" if nothing is added to it.
    notes
        What else is worth knowing.
    """

    target: Target
    url: str
    remote: Remote
    files: tuple[FilePlan, ...]
    tag: Literal["create", "exists", ""]
    changes: tuple[TaskChanges, ...]
    causes: Causes
    entry: str
    notes: tuple[str, ...]

    @property
    def work(self) -> tuple[FilePlan, ...]:
        """The files that something happens to."""
        return tuple(one for one in self.files if one.action != "unchanged")

    @property
    def creates_branch(self) -> bool:
        """Whether the branch has to be made; a new repository has the main one."""
        return not self.remote.branch_exists and (self.remote.exists or self.target.revision != MAIN)

    @property
    def bytes_to_send(self) -> int:
        """Bytes of files to send, without what an upload that was cut has brought there already."""
        return sum(one.sent for one in self.files)

    @property
    def message(self) -> str:
        """The commit's title."""
        return self.target.message or (f"Publish {self.target.tag}" if self.target.tag else "Publish")

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "repo": self.target.repo,
            "url": self.url,
            "creates_repo": not self.remote.exists,
            "private": self.remote.private if self.remote.exists else self.target.private,
            "revision": self.target.revision,
            "creates_revision": self.creates_branch,
            "parent": self.remote.head,
            "commit": self.message if self.work else None,
            "files": [one.to_json() for one in self.files],
            "bytes_to_send": self.bytes_to_send,
            "tag": self.target.tag,
            "creates_tag": self.tag == "create",
            "changes": {one.task: one.to_json() for one in self.changes},
            "causes": self.causes.to_json(),
            "changelog_entry": self.entry,
            "notes": list(self.notes),
        }
