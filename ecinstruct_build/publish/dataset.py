"""Publish a build: shards, audit, card and manifest, in one folder, in one step; or nothing, if the audit fails."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.page import PAGE_NAME, verdict, write_audit
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.summary import summary
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.card import CardInfo, write_card
from ecinstruct_build.publish.folder import publish_folder, write_manifest
from ecinstruct_build.publish.shards import text_bytes, write_shards
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import SOURCES, TASKS


def publish(
    out: Path,
    recipe: Recipe,
    samples: Mapping[str, pa.Table],
    manifest: Mapping[str, Any],
    *,
    generated: bool,
    refused: Path,
) -> Mapping[str, Any]:
    """Write the dataset's folder and return the manifest with its shards.

    Parameters
    ----------
    out
        The dataset's folder; an earlier dataset there is replaced in one step.
    recipe
        What was built.
    samples
        Rows of `SAMPLE_SCHEMA` by task name.
    manifest
        The books of the build, as `ecinstruct_build.accounts.manifest_of` returns them.
    generated
        Whether it was built from sample corpora.
    refused
        Folder for the findings of an audit that fails.

    Raises
    ------
    UserError
        If the audit finds more than the recipe tolerates; ``out`` is left as it was.
    """
    finished: dict[str, Any] = {}

    def write(folder: Path) -> None:
        shards = write_shards(samples, folder, recipe.layout)
        audit = audit_dataset(folder, recipe.audit)
        write_audit(audit, folder)
        if not audit.passed:
            write_audit(audit, refused)
            raise UserError(_refusal(audit, refused))
        finished.update({**manifest, "audit": summary(audit), "shards": [asdict(shard) for shard in shards]})
        write_card(folder, _card_info(recipe, samples, finished, generated=generated))
        write_manifest(folder, finished)

    publish_folder(out, write, expected_bytes=sum(int(text_bytes(rows).sum()) for rows in samples.values()))
    return finished


def _card_info(
    recipe: Recipe, samples: Mapping[str, pa.Table], manifest: Mapping[str, Any], *, generated: bool
) -> CardInfo:
    return CardInfo(
        title=recipe.title or recipe.name,
        description=recipe.description,
        manifest=manifest,
        samples=samples,
        sources=[SOURCES.get(name) for name in sorted(recipe.sources)],
        tasks={name: TASKS.get(name).summary for name in sorted(recipe.tasks)},
        command=_command(recipe, generated=generated),
        generated=generated,
    )


def _refusal(audit: Audit, refused: Path) -> str:
    shown = "; ".join(map(str, audit.exceeded[:3]))
    more = len(audit.exceeded) - 3
    return (
        f"The audit of the published rows failed ({verdict(audit)}), so nothing was published: {shown}"
        f"{f'; and {more} more' if more > 0 else ''}. {refused / PAGE_NAME} shows the rows. Change what they come "
        "from, or raise the limits in [audit] if you mean to publish them."
    )


def _command(recipe: Recipe, *, generated: bool) -> str:
    raw = "" if generated else " RAW=<folder of upstream files>"
    return f"make dataset RECIPE=recipes/{recipe.name}.toml{raw} SEED={recipe.seed} SPLIT_SEED={recipe.split_seed}"
