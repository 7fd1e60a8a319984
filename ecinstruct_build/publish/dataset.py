"""Publish a build: shards, audit, card and manifest, in one folder, in one step; or nothing, if the audit fails."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.aside import begin_audit
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.audit.summary import summary
from ecinstruct_build.durable import sync_tree
from ecinstruct_build.helper import Helper
from ecinstruct_build.publish.card_info import review_figures
from ecinstruct_build.publish.folder import publish_folder, write_manifest
from ecinstruct_build.publish.recipe_file import published_settings
from ecinstruct_build.publish.shards import Shard, text_bytes, write_shards
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.splits import Layout

Samples = Mapping[str, pa.Table]
"""Rows of `SAMPLE_SCHEMA` by task name."""

Read = Callable[[Collection[str] | None], Samples]
"""``read(tasks)`` reads the samples of some tasks, or of all."""

Report = Callable[[Samples, Mapping[str, Any]], Callable[[Path, Audit], None]]
"""``report(samples, manifest)`` gathers what the report says; what it returns writes the page, given the audit."""


def publish(
    out: Path,
    recipe: Recipe,
    read: Read,
    books: Callable[[], Mapping[str, Any]],
    *,
    generated: bool,
    refused: Path,
    helper: Helper,
    review: Mapping[str, Any] | None = None,
    report: Report | None = None,
    say: Callable[[str], None] | None = None,
) -> Mapping[str, Any]:
    """Write the dataset's folder and return the manifest with its shards.

    Parameters
    ----------
    out
        The dataset's folder; an earlier dataset there is replaced in one step, but for what people wrote into its card.
    recipe
        What was built.
    read
        Reads the samples. The helper reads them by itself, so it is a function that a module defines.
    books
        Makes the books of the build, as `ecinstruct_build.accounts.manifest_of` returns them.
    generated, refused
        Whether it was built from sample corpora, and a folder for the findings of an audit that fails.
    helper
        Writes most of the shards and does most of the audit, while this process makes and describes the books.
    review
        What a review by people found, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    report, say
        Makes the report's page; and is told which parts of the card stayed as somebody made them.

    Raises
    ------
    UserError
        If the audit finds more than the recipe tolerates; ``out`` is left as it was.
    """
    finished: dict[str, Any] = {}

    def write(folder: Path) -> None:
        samples = read(None)
        theirs = _most(samples) if helper.is_there and recipe.layout == "huggingface" else []
        others = helper.begin(_write_some, read, theirs, folder, recipe.layout)
        mine = write_shards({name: samples[name] for name in samples if name not in theirs}, folder, recipe.layout)
        findings = begin_audit(folder, recipe.audit, helper)  # which reads when the helper has written, too
        finished.update(books(), recipe=published_settings(recipe), generated=generated)
        if review:
            finished["review"] = review_figures(review)
        # Here and not above: by now the helper has work, and this process the 0.05 s that the import takes.
        from ecinstruct_build.publish import papers  # noqa: PLC0415

        write_report = report(samples, finished) if report else None
        finished["shards"] = [asdict(shard) for shard in sorted([*mine, *others()], key=lambda shard: shard.task)]
        papers.write_rebuild(folder, recipe, finished)
        describe = papers.begin_to_describe(folder, finished, samples, out=out, say=say)
        with ThreadPoolExecutor(1) as thread:
            flushed = thread.submit(sync_tree, folder)  # so that little is left to flush at the end
            audit = findings()
        flushed.result()
        written = papers.begin_findings(audit, folder, refused, helper)
        finished["audit"] = summary(audit)
        finished["card"] = describe(finished)
        if write_report is not None:
            write_report(folder, audit)
        written()
        finished["digests"] = papers.digests_of_papers(folder)
        write_manifest(folder, finished)

    writing = partial(_stopping, helper, write)
    publish_folder(
        out, writing, expected_bytes=lambda: sum(int(text_bytes(rows).sum()) for rows in read(None).values())
    )
    return finished


def _stopping(helper: Helper, write: Callable[[Path], None], folder: Path) -> None:
    """Write; if that fails, end the helper, so that it writes no more into the folder, which is then cleared away."""
    try:
        write(folder)
    except BaseException:
        helper.stop()
        raise


def _most(samples: Samples) -> list[str]:
    """Return the names of two thirds of the tasks, large and small ones: this process has more to do afterwards."""
    by_size = sorted(samples, key=lambda name: (-samples[name].nbytes, name))
    return [name for place, name in enumerate(by_size) if place % 3]


def _write_some(read: Read, tasks: Collection[str], folder: Path, layout: Layout) -> list[Shard]:
    return write_shards(read(tasks), folder, layout) if tasks else []
