"""Publish a build: shards, audit, card and manifest, in one folder, in one step; or nothing, if the audit fails."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.page import PAGE_NAME, verdict, write_audit
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.audit.run import audit_dataset
from ecinstruct_build.audit.summary import summary
from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.card import CARD, Written, read_card, write_card
from ecinstruct_build.publish.card_info import CardInfo, card_info, review_figures
from ecinstruct_build.publish.croissant import write_croissant
from ecinstruct_build.publish.folder import publish_folder, read_manifest, write_manifest
from ecinstruct_build.publish.rebuild import write_rebuild
from ecinstruct_build.publish.recipe_file import published_settings
from ecinstruct_build.publish.sections import recorded_digests
from ecinstruct_build.publish.shards import text_bytes, write_shards
from ecinstruct_build.publish.staging import digests_of_papers
from ecinstruct_build.recipe import Recipe


def publish(
    out: Path,
    recipe: Recipe,
    samples: Mapping[str, pa.Table],
    manifest: Mapping[str, Any],
    *,
    generated: bool,
    refused: Path,
    review: Mapping[str, Any] | None = None,
    report: Callable[[Path, Mapping[str, Any]], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Mapping[str, Any]:
    """Write the dataset's folder and return the manifest with its shards.

    Parameters
    ----------
    out
        The dataset's folder; an earlier dataset there is replaced in one step, but for what people wrote into its card.
    recipe, samples, manifest
        What was built, rows of `SAMPLE_SCHEMA` by task name, and the books of the build, as
        `ecinstruct_build.accounts.manifest_of` returns them.
    generated, refused
        Whether it was built from sample corpora, and a folder for the findings of an audit that fails.
    review
        What a review by people found, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    report, say
        ``report(folder, manifest)`` writes the report's page before the manifest is written; ``say`` is told which
        parts of the card stayed as somebody made them.

    Raises
    ------
    UserError
        If the audit finds more than the recipe tolerates; ``out`` is left as it was.
    """
    finished: dict[str, Any] = {**manifest, "recipe": published_settings(recipe), "generated": generated}
    if review:
        finished["review"] = review_figures(review)

    def write(folder: Path) -> None:
        finished["shards"] = [asdict(shard) for shard in write_shards(samples, folder, recipe.layout)]
        finished["audit"] = _audited(folder, recipe, refused)
        write_rebuild(folder, recipe, finished)
        written = _describe(folder, card_info(finished, samples, review), out)
        finished["card"] = written.digests
        if report is not None:
            report(folder, finished)
        finished["digests"] = digests_of_papers(folder)
        write_manifest(folder, finished)
        _tell(written, say)

    publish_folder(out, write, expected_bytes=sum(int(text_bytes(rows).sum()) for rows in samples.values()))
    return finished


def _audited(folder: Path, recipe: Recipe, refused: Path) -> dict[str, Any]:
    """Audit the shards in a folder, and return the summary; or leave the findings where they can be read."""
    audit = audit_dataset(folder, recipe.audit)
    write_audit(audit, folder)
    if not audit.passed:
        write_audit(audit, refused)
        raise UserError(_refusal(audit, refused))
    return summary(audit)


def _describe(folder: Path, info: CardInfo, out: Path) -> Written:
    """Write the dataset's descriptions, for people and machines, and keep what people wrote into the earlier card."""
    write_croissant(folder, info)
    return write_card(folder, info, *_earlier_card(out))


def _earlier_card(out: Path) -> tuple[str, Mapping[str, str]]:
    """Return the card that is replaced and its digests; of a version that kept no digests, nothing can be told."""
    recorded = recorded_digests(read_manifest(out))
    return (read_card(out), recorded) if recorded else ("", {})


def _tell(written: Written, say: Callable[[str], None] | None) -> None:
    if say is None:
        return
    if written.kept:
        say(f"{CARD} was edited by hand, and stays so in: {', '.join(map(str, written.kept))}.")
    if written.problem:
        say(f"The front matter of {CARD} cannot be read, so the Hub will not read it either: {written.problem}.")


def _refusal(audit: Audit, refused: Path) -> str:
    shown = "; ".join(map(str, audit.exceeded[:3]))
    more = len(audit.exceeded) - 3
    return (
        f"The audit of the published rows failed ({verdict(audit)}), so nothing was published: {shown}"
        f"{f'; and {more} more' if more > 0 else ''}. {refused / PAGE_NAME} shows the rows. Change what they come "
        "from, or raise the limits in [audit] if you mean to publish them."
    )
