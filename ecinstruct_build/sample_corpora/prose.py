"""Reviews in words: an opening, a reason, what was good and bad, a closing, all agreeing with the stars."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from ecinstruct_build.sample_corpora.particulars import personal
from ecinstruct_build.sample_corpora.products import Product
from ecinstruct_build.sample_corpora.vocabulary import attributes, speakable, words

DRAWS = 17
"""Numbers in [0, 1) that one review uses up."""

_MOODS = (
    (),
    ("bad", "bad", "bad"),
    ("bad", "okay", "bad"),
    ("okay", "bad", "good"),
    ("good", "okay", "good"),
    ("good", "good", "good"),
)
_SHORT_SHARE = 0.13


class Speaker:
    """Writes reviews of one product.

    Everything that depends on the product alone is looked up once, for it is asked for many reviews.

    Parameters
    ----------
    product
        What is reviewed.
    is_particular
        Whether reviewers also tell what hardly another one tells.
    """

    def __init__(self, product: Product, *, is_particular: bool = False) -> None:
        bank = _bank()
        self._is_particular = is_particular
        kind = product.kind
        self._slots = {
            "type": kind.noun,
            "a_type": kind.a_noun,
            "A_type": kind.a_noun[0].upper() + kind.a_noun[1:],
            "brand": product.brand,
            "model": product.model,
        }
        self._uses = product.uses
        self._aspects = [bank["aspects"][name] for name in kind.aspects]
        self._values = list(product.attributes.values())
        self._facts = [
            template.format(value=value)
            for name, value in product.attributes.items()
            for template in attributes()[name]["fact"]
        ]

    def write(self, stars: int, draws: Sequence[float]) -> tuple[str, str]:
        """Return the text and the headline of a review.

        Parameters
        ----------
        stars
            1 to 5.
        draws
            ``DRAWS`` numbers that decide everything.
        """
        bank = _bank()
        people, times = bank["people"], bank["times"]
        person = people[int(draws[0] * len(people))]
        slots = {
            **self._slots,
            "person": person,
            "Person": person[0].upper() + person[1:],
            "time": times[int(draws[1] * len(times))],
            "use": self._uses[int(draws[2] * len(self._uses))],
            "value": self._values[int(draws[3] * len(self._values))],
        }
        summaries = bank["summary"][stars - 1]
        summary = summaries[int(draws[4] * len(summaries))].format_map(slots)
        if draws[5] < _SHORT_SHARE:
            short = bank["short"][stars - 1]
            return short[int(draws[6] * len(short))].format_map(slots), summary
        parts = self._parts(stars, draws)
        return " ".join(parts).format_map(slots), summary

    def _parts(self, stars: int, draws: Sequence[float]) -> list[str]:
        bank = _bank()
        openers, reasons, closers = bank["opener"][stars - 1], bank["reason"], bank["closer"][stars - 1]
        opener = openers[int(draws[6] * len(openers))]
        parts = [opener]
        if draws[7] < 0.75:
            reason = reasons[int(draws[8] * len(reasons))]
            parts = [reason, opener] if draws[7] < 0.3 else [opener, reason]
        aspects = self._aspects
        first = int(draws[9] * len(aspects))
        for number in range(1 + int(draws[10] * 3)):
            sentences = aspects[(first + number) % len(aspects)][_MOODS[stars][number]]
            parts.append(sentences[int(draws[11 + number] * len(sentences))])
        if draws[14] < 0.45:
            # Facts are told by people who are pleased; the others only say which one they have.
            told = self._facts if stars >= 4 else bank["mention"]
            parts.append(told[int(draws[15] * len(told))])
        if draws[16] < 0.8:
            parts.append(closers[int(draws[16] / 0.8 * len(closers))])
        if self._is_particular:
            parts.insert(1, personal(draws))
        return parts


def people() -> list[str]:
    """Return the people that shoppers speak of."""
    bank: list[str] = _bank()["people"]
    return bank


@cache
def _bank() -> dict[str, Any]:
    raw = words("reviews")
    aspects = {
        name: {mood: [speakable(line) for line in lines] for mood, lines in moods.items()}
        for name, moods in words("aspects").items()
    }
    lists = {name: [speakable(line) for line in raw[name]] for name in ("people", "times", "reason", "mention")}
    by_star = {
        name: [[speakable(line) for line in bank] for bank in raw[name]]
        for name in ("opener", "closer", "short", "summary")
    }
    return {**lists, **by_star, "aspects": aspects}
