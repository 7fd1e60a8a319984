"""What only one model of a broad world has, or one reviewer: names that nobody else uses, and what is told of them.

Where there are very many products, listings and reviews made from a small vocabulary would all read alike; these keep
them apart, as makers' stories, part numbers and shoppers' lives do.
"""

from collections.abc import Mapping, Sequence
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


def personal(draws: Sequence[float]) -> str:
    """Return a sentence of a reviewer that hardly another one writes, by the first four of some numbers in [0, 1)."""
    bank = _bank()
    # Other choices are made by the first digits of these numbers; the digits behind them are as good as new ones.
    number, *rest = (int(draw * 2**45) for draw in draws[:4])
    heads, middles, tails = bank["head"], bank["middle"], bank["tail"]
    names = (
        heads[each % len(heads)] + middles[each // 64 % len(middles)] + tails[each // 4096 % len(tails)]
        for each in rest
    )
    one, two, three = map(str.capitalize, names)
    return bank["told"][number % len(bank["told"])].format(one=one, two=two, three=three)


def _names(dice: Dice) -> dict[str, str]:
    code = dice.pick(_CODE) + dice.pick(_CODE) + str(dice.between(1000, 9999))
    return {"one": coined(dice), "two": coined(dice), "three": coined(dice), "code": code}


@cache
def _bank() -> dict[str, list[str]]:
    bank: dict[str, list[str]] = words("particulars")
    return bank
