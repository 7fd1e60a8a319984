"""Random streams of the sample world: one for each independent thing, keyed like every other chance.

A stream depends on (seed, purpose, identity) alone, so a shelf, a block of shoppers or a query set comes out the
same whichever process makes it and whatever was made before.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from ecinstruct_build import chance

T = TypeVar("T")

_REFILL = 256


def stream(seed: int, purpose: str, identity: str) -> np.random.Generator:
    """Return the generator of ``purpose`` for ``identity``, for draws by the array."""
    key = int(chance.digest(seed, f"sample corpora {purpose}", identity), 16)
    return np.random.Generator(np.random.Philox(key=key))


class Dice:
    """Draws one at a time from a stream."""

    def __init__(self, seed: int, purpose: str, identity: str) -> None:
        self._stream = stream(seed, purpose, identity)
        self._floats: Iterator[float] = iter(())

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        for value in self._floats:
            return value
        self._floats = iter(self._stream.random(_REFILL).tolist())
        return self.unit()

    def units(self, count: int) -> list[float]:
        """Return ``count`` numbers in [0, 1)."""
        drawn: list[float] = self._stream.random(count).tolist()
        return drawn

    def below(self, count: int) -> int:
        """Return a whole number in [0, count)."""
        return int(self.unit() * count)

    def between(self, low: int, high: int) -> int:
        """Return a whole number in [low, high]."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """Return True for ``share`` of the draws."""
        return self.unit() < share

    def pick(self, items: Sequence[T]) -> T:
        """Return one of ``items``."""
        return items[self.below(len(items))]

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return up to ``count`` different items, in random order."""
        pool = list(items)
        wanted = min(count, len(pool))
        for place in range(wanted):
            other = self.between(place, len(pool) - 1)
            pool[place], pool[other] = pool[other], pool[place]
        return pool[:wanted]
