"""What only one model of a broad world has: names that nobody else uses, and sentences about where it comes from.

Where there are very many products, listings made from a small vocabulary would all read alike; these keep them apart,
as makers' stories and part numbers do in life.
"""

from collections.abc import Mapping
from functools import cache

from ecinstruct_build.sample_corpora.draws import Dice
from ecinstruct_build.sample_corpora.vocabulary import words

_SENTENCES = 5  # of a listing
_CODE = "ABCDEFGHJKLMNPRSTUVWXYZ"


def coined(dice: Dice) -> str:
    """Return a made-up name of two or three syllables."""
    bank = _bank()
    middle = dice.pick(bank["middle"]) if dice.chance(0.6) else ""
    return f"{dice.pick(bank['head'])}{middle}{dice.pick(bank['tail'])}".capitalize()


def particulars(slots: Mapping[str, str], dice: Dice) -> tuple[str, ...]:
    """Return sentences that hardly another listing has.

    Parameters
    ----------
    slots
        What listings' phrases are filled with.
    """
    lines = dice.sample(_bank()["line"], _SENTENCES)
    return tuple(line.format_map({**slots, **_names(dice)}) for line in lines)


def _names(dice: Dice) -> dict[str, str]:
    code = dice.pick(_CODE) + dice.pick(_CODE) + str(dice.between(1000, 9999))
    return {"one": coined(dice), "two": coined(dice), "three": coined(dice), "code": code}


@cache
def _bank() -> dict[str, list[str]]:
    bank: dict[str, list[str]] = words("particulars")
    return bank
