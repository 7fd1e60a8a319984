"""Lay out what of a dataset goes out into the world: proven to be what was built, and no more than its terms allow."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ecinstruct_build.audit.page import JSON_NAME, PAGE_NAME
from ecinstruct_build.durable import DISK_FULL
from ecinstruct_build.errors import UserError
from ecinstruct_build.file_digests import digest_of
from ecinstruct_build.publish.card import CARD, Written, read_card, write_card
from ecinstruct_build.publish.card_info import card_info, published_manifest, read_samples, read_shard, review_figures
from ecinstruct_build.publish.croissant import CROISSANT, write_croissant
from ecinstruct_build.publish.folder import MANIFEST, files_in, write_manifest
from ecinstruct_build.publish.ids_only import ids_of
from ecinstruct_build.publish.licences import LICENCE, refuse_restricted, restricted_sources
from ecinstruct_build.publish.papers import digests_of_papers
from ecinstruct_build.publish.sections import Kept, recorded_digests, section_digests
from ecinstruct_build.publish.settings import PublishSettings
from ecinstruct_build.publish.shards import write_shard
from ecinstruct_build.registry import SOURCES, Registry
from ecinstruct_build.source import Source

REPORT = "report.html"
_REMADE = (CARD, LICENCE, CROISSANT, MANIFEST)
_NOT_OURS = (CARD, MANIFEST, "CHANGELOG.md", ".")
"""What files that stand in a dataset's folder without being of the build begin with; those with a dot are the Hub's."""
_SHOWING_TEXT = (JSON_NAME, PAGE_NAME, REPORT)
"""Files of a dataset that quote its rows."""


@dataclass(frozen=True)
class Staged:
    """What is ready to be uploaded.

    Attributes
    ----------
    folder
        The folder that holds it, and nothing else.
    manifest
        Its manifest. ``card_published`` has the digests of its card's parts, edits included: at the next upload,
        what differs from them was changed at the other end (see `ecinstruct_build.publish.sections.recorded_digests`).
    files
        Every file in it, relative, sorted.
    kept
        The parts of the card that stayed as somebody made them.
    restricted
        The corpora for whose sake only ids go out; () = the rows do.
    """

    folder: Path
    manifest: Mapping[str, Any]
    files: tuple[str, ...]
    kept: tuple[Kept, ...]
    restricted: tuple[Source, ...]


def stage(
    dataset: Path,
    folder: Path,
    settings: PublishSettings,
    *,
    review: Mapping[str, Any] | None = None,
    sources: Registry[Source] = SOURCES,
) -> Staged:
    """Fill an empty folder with exactly what of a dataset is to be uploaded; the dataset stays as it is.

    Parameters
    ----------
    dataset
        A folder that a build wrote. Its card may have been edited; nothing else.
    folder
        An empty folder, on the same disk for shards to be linked rather than copied.
    settings
        What to do where terms forbid publishing text again.
    review
        What a review by people found, as JSON values; None = what the manifest says of one.
    sources
        The cards of the corpora.

    Raises
    ------
    UserError
        If the dataset is none of ours, was changed by hand, has a card that nobody can read, or may not be published;
        or the disk is full.
    """
    manifest = published_manifest(dataset)
    _refuse_changed(dataset, manifest)
    restricted = restricted_sources(manifest, sources)
    if settings.restricted == "refuse" and not manifest.get("ids_only"):
        refuse_restricted(restricted)
    try:
        return _fill(dataset, folder, manifest, review=review, sources=sources, restricted=restricted)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise UserError(
            f"The disk that holds {folder} is full, so nothing was published; {dataset} is as it was. Free some space "
            "and publish again."
        ) from error


def _refuse_changed(dataset: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a dataset in which any file but the card is not as it was built."""
    digests = {**manifest["digests"], **{shard["path"]: shard["sha256"] for shard in manifest["shards"]}}
    present = files_in(dataset)
    changed = [f"{file} is missing" for file in sorted(set(digests) - set(present))]
    changed += [
        f"{file} is not part of it" for file in present if file not in digests and not file.startswith(_NOT_OURS)
    ]
    if not changed:
        changed = [
            f"{file} was changed" for file, digest in sorted(digests.items()) if digest_of(dataset / file) != digest
        ]
    if changed:
        more = f"; and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise UserError(
            f"The dataset in {dataset} is not as it was built: {'; '.join(changed[:3])}{more}. Build it again; edit "
            f"nothing but {CARD}."
        )


def _fill(
    dataset: Path,
    folder: Path,
    manifest: Mapping[str, Any],
    *,
    review: Mapping[str, Any] | None,
    sources: Registry[Source],
    restricted: Sequence[Source],
) -> Staged:
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty")
    left_out = (*_REMADE, *(_SHOWING_TEXT if restricted else ()))
    for file in manifest["digests"]:
        if file not in left_out:
            _link(dataset / file, folder / file)
    found = review_figures(review) or manifest.get("review")
    staged = {
        **manifest,
        **({"review": found} if found else {}),
        **_stage_shards(dataset, folder, manifest, restricted),
    }
    info = replace(card_info(staged, read_samples(folder, staged), sources), restricted=tuple(restricted))
    merged = write_card(folder, info, read_card(dataset), recorded_digests(manifest))
    _refuse_unreadable(dataset / CARD, merged)
    write_croissant(folder, info)
    staged |= {
        "card": merged.digests,
        "card_published": section_digests(merged.text),
        "digests": digests_of_papers(folder),
    }
    write_manifest(folder, staged)
    return Staged(folder, staged, tuple(files_in(folder)), tuple(merged.kept), tuple(restricted))


def _refuse_unreadable(card: Path, written: Written) -> None:
    """Refuse a card that people edited so that the Hub cannot read it."""
    problem = f"its front matter: {written.problem}" if written.problem else ""
    try:
        written.text.encode()
    except UnicodeEncodeError:
        problem = "it is not UTF-8"
    if problem:
        raise UserError(
            f"{card} was edited by hand, and the Hub could not read it: {problem}. Mend it, or delete the file to have "
            "it made anew, and publish again."
        )


def _stage_shards(
    dataset: Path, folder: Path, manifest: Mapping[str, Any], restricted: Sequence[Source]
) -> dict[str, Any]:
    """Bring the shards over, whole or as ids, and return what the manifest is to say of them."""
    full = manifest["shards"]
    if not restricted or manifest.get("ids_only"):
        for shard in full:
            _link(dataset / shard["path"], folder / shard["path"])
        return {}
    shards = []
    for shard in full:
        ids = ids_of(read_shard(dataset / shard["path"]))
        shards.append(asdict(write_shard(ids, folder, shard["path"], shard["task"], shard["split"])))
    return {"shards": shards, "full_shards": full, "ids_only": [source.name for source in restricted]}


def _link(source: Path, target: Path) -> None:
    """Make a file appear in another place, without copying it where the disk lets us."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
