"""The command that publishes a dataset to the Hugging Face Hub."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecinstruct_build.commands.options import (
    AsJson,
    Dataset,
    Quiet,
    Review,
    Work,
    asking_machine,
    listener,
    print_json,
)

if TYPE_CHECKING:
    from ecinstruct_build.publish.hub.push import Pushed
    from ecinstruct_build.stages.machine import Machine


def publish(
    repo: Annotated[str, typer.Option(help="Where to: org/name on the Hub.")],
    dataset: Dataset = Path("dataset"),
    review: Review = Path("review"),
    work: Work = Path("work"),
    private: Annotated[bool, typer.Option("--private", help="Make the repository private, if it is made.")] = False,  # noqa: FBT002
    revision: Annotated[str, typer.Option(help="Branch to publish to; made if it is not there.")] = "main",
    tag: Annotated[str, typer.Option(help="Version to tag it with, such as v1.2.0.")] = "",
    message: Annotated[str, typer.Option(help="The commit's message.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")] = False,  # noqa: FBT002
    quiet: Quiet = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Publish the dataset to the Hugging Face Hub: only what changed is uploaded.

    The token is taken from HF_TOKEN or from where 'hf auth login' left it.
    """
    from ecinstruct_build.publish.hub.target import Target
    from ecinstruct_build.publish.release import release
    from ecinstruct_build.review.folder import reviewed_in

    with listener(quiet=quiet or as_json) as progress:
        pushed = release(
            dataset,
            Target(repo=repo, private=private, revision=revision, tag=tag, message=message),
            scratch=work / "publish",
            review=reviewed_in(review),
            fates=partial(_fates, asking_machine(work)),
            dry_run=dry_run,
            progress=progress,
        )
    if as_json:
        print_json(pushed.to_json())
    elif not quiet:
        _show(pushed, repo)


def _fates(machine: "Machine", example_ids: Sequence[str]) -> Mapping[str, str]:
    """Say what became of examples; of a store in which nothing was built, nothing is known."""
    from ecinstruct_build.explain import fates
    from ecinstruct_build.pipeline import LAST_BUILD, last_build

    return fates(last_build(machine)[0], example_ids) if machine.store.recall(LAST_BUILD) else {}


def _show(pushed: "Pushed", repo: str) -> None:
    from rich.console import Console

    from ecinstruct_build.publish.hub.showing import render_plan

    render_plan(pushed.plan, Console())
    at = f"The dataset is at {repo}, commit {pushed.commit}."
    Console().print("Nothing was done: this was a dry run." if pushed.dry_run else at, highlight=False, soft_wrap=True)
