"""Where a dataset is pushed to."""

import re
from dataclasses import dataclass

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from ecinstruct_build.errors import UserError

MAIN = "main"

_REF = re.compile(r"[A-Za-z0-9_][\w.+-]*(?:/[A-Za-z0-9_][\w.+-]*)*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Target:
    """A dataset's place on the Hub.

    Attributes
    ----------
    repo
        Its name there, ``org/name``.
    private
        Whether it is to be private; a repository that exists keeps the visibility that it has.
    revision
        The branch; it is made from the main one if it is missing.
    tag
        The version's name, such as ``v1.2.0``, or "" for none.
    message
        The commit's title, or "" for one made up.
    endpoint
        Address of the Hub, or None for the one that ``HF_ENDPOINT`` names (https://huggingface.co without it).

    Raises
    ------
    UserError
        If a name is none that the Hub takes.
    """

    repo: str
    private: bool = False
    revision: str = MAIN
    tag: str = ""
    message: str = ""
    endpoint: str | None = None

    def __post_init__(self) -> None:
        if self.repo.count("/") != 1 or not all(self.repo.split("/")):
            raise UserError(
                f"'{self.repo}' does not name a dataset on the Hub: say organisation or user and name, as in "
                "--repo my-org/my-dataset."
            )
        try:
            validate_repo_id(self.repo)
        except HFValidationError as error:
            raise UserError(
                f"'{self.repo}' is no name that the Hub takes: at most 96 letters, digits, '-', '_' and '.', none of "
                "'-' and '.' at either end or twice in a row, and not ending in '.git'."
            ) from error
        _check_ref("--revision", self.revision)
        if self.tag:
            _check_ref("--tag", self.tag)


def _check_ref(option: str, name: str) -> None:
    wrong = ".." in name or name.endswith((".", ".lock")) or name.startswith("refs/") or _COMMIT.fullmatch(name)
    if wrong or not _REF.fullmatch(name):
        raise UserError(
            f"{option} '{name}' is no name for a branch or tag: letters, digits, '.', '-', '_', '+' and '/' between "
            "them, such as 'v1.2.0'; no commit's id, and nothing below 'refs/'."
        )
