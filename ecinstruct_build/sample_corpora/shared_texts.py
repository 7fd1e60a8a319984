"""Texts that stand in two corpora at once: a review, and the same review quoted among a question's snippets.

Each corpus is written by its own process. Both know from a product alone what is quoted of it, and `partnered` joins
afterwards what they planted.
"""

from collections.abc import Sequence

import msgspec

from ecinstruct_build.chance import uniform
from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.ledger import Entry, Place
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.prose import DRAWS, Speaker
from ecinstruct_build.sample_corpora.world import World

SHARED_STARS = 3
"""Stars of the reviews that are quoted."""

_SHARED = 0.15  # products of which a text is quoted
_WORDS = 25  # a text that nobody writes twice by chance
_TRIES = 20


def shared_text(world: World, product: Product) -> str | None:
    """Return the text on a product that two corpora hold, or None if there is none."""
    if uniform(world.seed, "sample corpora shared text", product.asin) >= _SHARED:
        return None
    dice, speaker = Dice(world.seed, "shared text", product.asin), Speaker(product, is_particular=world.is_broad)
    texts = (speaker.write(SHARED_STARS, dice.units(DRAWS))[0] for _ in range(_TRIES))
    return next((text for text in texts if text.count(" ") >= _WORDS), None)


def partnered(entries: Sequence[Entry]) -> list[Entry]:
    """Return a ledger in which every quotation names the review that it quotes.

    What is quoted of a product that has no such review, or stands in a review that nobody quotes, is no defect: those
    entries go.
    """
    reviews = {
        entry.ids[0]: Place(entry.file, entry.line, entry.ids, entry.source)
        for entry in entries
        if entry.kind == "text_across_corpora" and entry.field == "reviewText"
    }
    kept = []
    for entry in entries:
        if entry.kind != "text_across_corpora":
            kept.append(entry)
        elif entry.field != "reviewText" and entry.ids[1] in reviews:
            kept.append(msgspec.structs.replace(entry, partner=reviews[entry.ids[1]]))
    return kept
