"""The dataset card: ``README.md`` with the front matter that the Hugging Face Hub and `datasets` read.

It says nothing of when or how fast the dataset was built, so that the same dataset has the same card. What people
wrote into an earlier card stays in it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ecinstruct_build.publish.card_findings import audit, checks, left_out, retention
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.card_origin import building, citing, sources
from ecinstruct_build.publish.card_review import review
from ecinstruct_build.publish.card_rows import columns, loading, opening, rows, rows_by_source, samples
from ecinstruct_build.publish.front_matter import front_matter_text
from ecinstruct_build.publish.licences import LICENCE, licence_text
from ecinstruct_build.publish.sections import Kept, merge_card, section_digests

CARD = "README.md"

Section = Callable[[CardInfo], Iterator[str]]

_SECTIONS: tuple[Section, ...] = (
    opening, loading, rows, rows_by_source, samples, columns, sources, checks, review, audit, retention, left_out,
    citing, building,
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A card that was written.

    Attributes
    ----------
    text
        The card.
    digests
        Of each of its parts as generated, for the manifest's key ``card``.
    kept
        The parts that stayed as somebody made them.
    problem
        Why its front matter cannot be read; "" if it can.
    """

    text: str
    digests: Mapping[str, str]
    kept: list[Kept]
    problem: str


@dataclass(frozen=True)
class Draft:
    """A card but for what the audit found: its front matter, and the pieces of its sections."""

    front_matter: str
    sections: Mapping[Section, list[str]]


def write_card(
    folder: Path,
    info: CardInfo,
    present: str = "",
    recorded: Mapping[str, str] | None = None,
    draft: Draft | None = None,
) -> Written:
    """Write ``README.md``, and ``LICENSE.md`` with the terms of each source; the configs name every split with shards.

    With the ``huggingface`` layout ``load_dataset(folder)`` gives the splits of all tasks together and
    ``load_dataset(folder, task)`` those of one; with the ``ecinstruct`` layout there is one split, ``train``.

    Parameters
    ----------
    folder
        The dataset's folder.
    info
        What to say.
    present, recorded
        An earlier card whose edits are to stay, and the digests of its parts as generated; see
        `ecinstruct_build.publish.sections.merge_card`.
    draft
        What `draft_card` returned, if it was called before the audit was there.
    """
    generated = card_text(info, draft)
    merged = merge_card(generated, present, recorded or {})
    (folder / CARD).write_text(merged.text, encoding="utf-8", errors="surrogateescape", newline="\n")
    licence = licence_text(info.sources, generated=info.generated, restricted=info.restricted)
    (folder / LICENCE).write_text(licence, encoding="utf-8")
    return Written(merged.text, section_digests(generated), merged.kept, merged.problem)


def read_card(folder: Path) -> str:
    """Return the card of a folder, bytes that are no text included; "" if there is none."""
    try:
        return (folder / CARD).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""


def card_text(info: CardInfo, draft: Draft | None = None) -> str:
    """Return the card as generated: front matter, then one section after the other."""
    draft = draft or draft_card(info)
    sections = {**draft.sections, audit: list(audit(info))}
    body = "\n".join(piece for section in _SECTIONS for piece in sections[section])
    return f"---\n{draft.front_matter}---\n\n{body}"


def draft_card(info: CardInfo) -> Draft:
    """Return all of a card that the manifest's key ``audit`` says nothing of."""
    return Draft(front_matter_text(info), {section: list(section(info)) for section in _SECTIONS if section != audit})
