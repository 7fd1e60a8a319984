"""Publish a build: shards, audit, card and manifest, in one folder, in one step; or nothing, if the audit fails."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

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

T = TypeVar("T")

Samples = Mapping[str, pa.Table]
"""Rows of `SAMPLE_SCHEMA` by task name."""

Read = Callable[[Collection[str] | None], Samples]
"""``read(tasks)`` reads the samples of some tasks, or of all."""

Report = Callable[[Samples, Mapping[str, Any]], Callable[[Path, Audit], None]]
"""``report(samples, manifest)`` gathers what the report says; what it returns writes the page, given the audit."""


@dataclass(frozen=True)
class Publication:
    """What is published.

    Attributes
    ----------
    recipe
        What was built.
    read
        Reads the samples. A helper reads them by itself, so it is a function that a module defines.
    books
        Makes the books of the build, as `ecinstruct_build.accounts.manifest_of` returns them.
    generated
        Whether it was built from sample corpora.
    review
        What a review by people found, as `ecinstruct_build.review.report.ReviewReport.to_json` gives it.
    report
        Makes the report's page.
    """

    recipe: Recipe
    read: Read
    books: Callable[[], Mapping[str, Any]]
    generated: bool
    review: Mapping[str, Any] | None = None
    report: Report | None = None


def publish(
    what: Publication, out: Path, *, refused: Path, helper: Helper, say: Callable[[str], None] | None = None
) -> Mapping[str, Any]:
    """Write the dataset's folder and return its manifest.

    Parameters
    ----------
    what
        What is published.
    out
        The dataset's folder; an earlier dataset there is replaced in one step, but for what people wrote into its card.
    refused
        A folder for the findings of an audit that fails.
    helper
        Writes most of the shards and does most of the audit, while this process makes and describes the books.
    say
        Is told which parts of the card stayed as somebody made them.

    Raises
    ------
    UserError
        If the audit finds more than the recipe tolerates; ``out`` is left as it was.
    """
    write = partial(_write, what, out, refused=refused, helper=helper, say=say)
    return publish_folder(out, partial(_stopping, helper, write), partial(_expected_bytes, what.read))


def _write(
    what: Publication, out: Path, folder: Path, *, refused: Path, helper: Helper, say: Callable[[str], None] | None
) -> Mapping[str, Any]:
    """Fill the folder that takes the place of ``out``, the manifest last, and return that."""
    samples = what.read(None)
    shards, findings = _begin_rows(what, samples, folder, helper)
    manifest = _books(what)
    # Here and not above: by now the helper has work, and this process the 0.05 s that the imports take.
    from ecinstruct_build.publish import papers  # noqa: PLC0415
    from ecinstruct_build.publish.rebuild import write_rebuild  # noqa: PLC0415

    write_report = what.report(samples, manifest) if what.report else None
    manifest["shards"] = [asdict(shard) for shard in shards()]
    write_rebuild(folder, what.recipe, manifest)
    describe = papers.begin_to_describe(folder, manifest, samples, out=out, say=say)
    audit = _found_while_flushing(folder, findings)
    write_findings = papers.begin_findings(audit, folder, refused, helper)
    manifest["audit"] = summary(audit)
    manifest["card"] = describe(manifest)
    if write_report is not None:
        write_report(folder, audit)
    write_findings()
    manifest["digests"] = papers.digests_of_papers(folder)
    write_manifest(folder, manifest)
    return manifest


def _begin_rows(
    what: Publication, samples: Samples, folder: Path, helper: Helper
) -> tuple[Callable[[], list[Shard]], Callable[[], Audit]]:
    """Write some of the shards, and have the helper write the others and audit all of them.

    Call the first of what is returned for the shards, and then the second for what the audit found.
    """
    layout = what.recipe.layout
    theirs = _most(samples) if helper.is_there and layout == "huggingface" else []
    others = helper.begin(_write_some, what.read, theirs, folder, layout)
    mine = write_shards({name: samples[name] for name in samples if name not in theirs}, folder, layout)
    findings = begin_audit(folder, what.recipe.audit, helper)  # which reads when the helper has written, too
    return lambda: sorted([*mine, *others()], key=lambda shard: shard.task), findings


def _most(samples: Samples) -> list[str]:
    """Return the names of two thirds of the tasks, large and small ones: this process has more to do afterwards."""
    by_size = sorted(samples, key=lambda name: (-samples[name].nbytes, name))
    return [name for place, name in enumerate(by_size) if place % 3]


def _write_some(read: Read, tasks: Collection[str], folder: Path, layout: Layout) -> list[Shard]:
    return write_shards(read(tasks), folder, layout) if tasks else []


def _books(what: Publication) -> dict[str, Any]:
    """Return what the manifest says of the build, which is all but what is said of the dataset's files."""
    books = {**what.books(), "recipe": published_settings(what.recipe), "generated": what.generated}
    figures = review_figures(what.review)
    return {**books, "review": figures} if figures else books


def _found_while_flushing(folder: Path, findings: Callable[[], Audit]) -> Audit:
    """Wait for what the audit finds, and flush the folder meanwhile, so that little is left to flush at the end."""
    with ThreadPoolExecutor(1) as thread:
        flushed = thread.submit(sync_tree, folder)
        audit = findings()
    flushed.result()
    return audit


def _stopping(helper: Helper, write: Callable[[Path], T], folder: Path) -> T:
    """Write; if that fails, end the helper, so that it writes no more into the folder, which is then cleared away."""
    try:
        return write(folder)
    except BaseException:
        helper.stop()
        raise


def _expected_bytes(read: Read) -> int:
    return sum(int(text_bytes(rows).sum()) for rows in read(None).values())
