"""Write what stands beside the shards of a dataset: its audit, its card, and its Croissant."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from ecinstruct_build.audit.page import PAGE_NAME, audit_papers, verdict, write_audit, write_papers
from ecinstruct_build.audit.result import Audit
from ecinstruct_build.errors import UserError
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.helper import Helper
from ecinstruct_build.publish.card import CARD, Written, draft_card, read_card, write_card
from ecinstruct_build.publish.card_info import card_info
from ecinstruct_build.publish.croissant import write_croissant
from ecinstruct_build.publish.folder import MANIFEST, files_in, read_manifest
from ecinstruct_build.publish.sections import recorded_digests


def begin_findings(audit: Audit, folder: Path, refused: Path, helper: Helper) -> Callable[[], None]:
    """Begin to lay out what an audit found; call what is returned to have it written into the folder.

    Raises
    ------
    UserError
        If it found more than is tolerated; what it found is left in the folder ``refused``, where it can be read.
    """
    if not audit.passed:
        write_audit(audit, refused)
        raise UserError(_refusal(audit, refused))
    laid_out = helper.begin(audit_papers, audit)
    return lambda: write_papers(laid_out(), folder)


def begin_to_describe(
    folder: Path,
    manifest: Mapping[str, Any],
    samples: Mapping[str, pa.Table],
    *,
    out: Path,
    say: Callable[[str], None] | None,
) -> Callable[[Mapping[str, Any]], Mapping[str, str]]:
    """Write the dataset's descriptions, for people and machines, but for what the audit has still to find.

    Call what is returned with the manifest as soon as that has its key ``audit``: it writes the card, and returns the
    digests of the card's parts.

    Parameters
    ----------
    folder
        Where to write.
    manifest, samples
        What to describe; see `ecinstruct_build.publish.card_info.card_info`.
    out
        The dataset that is replaced: what people wrote into its card stays.
    say
        Is told which parts of the card stayed as somebody made them.
    """
    info = card_info(manifest, samples)
    write_croissant(folder, info)
    earlier, draft = _earlier_card(out), draft_card(info)

    def describe(audited: Mapping[str, Any]) -> Mapping[str, str]:
        written = write_card(folder, replace(info, manifest=audited), *earlier, draft)
        _tell(written, say)
        return written.digests

    return describe


def digests_of_papers(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a dataset that is neither a shard nor for people to edit."""
    papers = [file for file in files_in(folder) if file not in (CARD, MANIFEST) and not file.startswith("data/")]
    return {file: digest_of(folder / file) for file in papers}


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
