"""Disjoint pools: tasks that read one table each draw from their own stretch of a keyed hash.

Two tasks that drew from the same queries (or questions) would ask the same thing twice in different clothes. Every
query has a place in [0, 1) that depends on its words alone, not on the seed, nor on which tasks a recipe runs;
each task owns a stretch of it. Words are compared without regard to case and spacing, by rules simple enough
for every engine to agree on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ecinstruct_build import chance
from ecinstruct_build.drawing.draw import take
from ecinstruct_build.lazily import ibis, ir
from ecinstruct_build.task import Request

_SEED = 0  # pools must not move with the recipe's seed
_DIGITS = 13
_SPACES = "\t\n\x0b\x0c\r\u00a0\u3000"
# Latin, Greek and Cyrillic capitals whose small letter is one character: a plain map, the same in every engine.
_CAPITALS = "".join(
    letter for letter in map(chr, range(0x41, 0x530)) if letter.lower() != letter and len(letter.lower()) == 1
)
_FROM = _CAPITALS + _SPACES
_TO = "".join(map(str.lower, _CAPITALS)) + " " * len(_SPACES)
_MAP = str.maketrans(_FROM, _TO)


class Stretch(BaseModel):
    """A half-open part of the unit interval.

    Attributes
    ----------
    start, stop
        From ``start`` up to, but not including, ``stop``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: float = Field(default=0.0, ge=0.0, le=1.0)
    stop: float = Field(default=1.0, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _in_order(self) -> Stretch:
        if self.start > self.stop:
            raise ValueError(f"a stretch cannot end ({self.stop}) before it starts ({self.start})")
        return self

    def holds(self, digest: ir.StringColumn) -> ir.BooleanValue:
        """Return the expression that holds where the number that a digest stands for falls in this stretch.

        The number is the one that `chance.uniform` gives for the same seed, purpose and identity.
        """
        place = digest.substr(0, _DIGITS)
        bounds = [ibis.literal(value=True)]
        if self.start > 0.0:
            bounds.append(place >= _threshold(self.start))
        if self.stop < 1.0:
            bounds.append(place < _threshold(self.stop))
        return ibis.and_(*bounds)


def _threshold(place: float) -> str:
    """Return the digits from which on a digest stands for ``place`` or more; above all digests for 1."""
    number = math.ceil(place * 16**_DIGITS)
    return f"{number:0{_DIGITS}x}" if number < 16**_DIGITS else "g"


def same_words(text: str) -> str:
    """Return ``text`` in small letters and with single spaces, so that the same words compare equal."""
    return " ".join(word for word in text.translate(_MAP).split(" ") if word)


def same_words_column(text: ir.StringColumn) -> ir.StringColumn:
    """Return the column expression of `same_words`."""
    # The map is long and slow; engines agree on the small letters of plain ASCII without it.
    mapped = ibis.ifelse(text.re_search("[^ -~]"), text.translate(_FROM, _TO), text.lower())
    return mapped.re_replace(" +", " ").strip()


def in_pool(identity: ir.StringColumn, purpose: str, pool: Stretch) -> ir.BooleanValue:
    """Return the expression that holds where ``identity`` falls in ``pool``, whatever the recipe's seed."""
    return pool.holds(chance.digest_column(_SEED, f"pool {purpose}", identity))


def take_share(
    rows: ir.Table, request: Request, purpose: str, identity: Sequence[str], *, flag: str, share: float | None
) -> ir.Table:
    """Draw rows so that a given share of them has the boolean column ``flag`` set.

    Parameters
    ----------
    rows, request, purpose, identity
        As for `draw.take`.
    flag
        A column without nulls.
    share
        Share of rows with ``flag``; None draws as the rows come. Where one kind runs short the other does not
        fill in: the share holds and the draw is short.

    Returns
    -------
    ir.Table
        The columns of ``rows``. A draw of n is part of every larger draw.
    """
    if share is None:
        return take(rows, request, purpose, identity).select(*rows.columns)
    of_kind = [_part(request, share), _part(request, share, rest=True)]
    parts = [
        take(rows.filter(condition), wanted, purpose, identity).select(*rows.columns)
        for condition, wanted in zip((rows[flag], ~rows[flag]), of_kind, strict=True)
    ]
    return parts[0].union(parts[1])


def _part(request: Request, share: float, *, rest: bool = False) -> Request:
    """Return the request for a share of every domain, or for what that share leaves over."""
    numbers = [int(number * share + 0.5) for _, number in request.domains]
    if rest:
        numbers = [number - part for (_, number), part in zip(request.domains, numbers, strict=True)]
    return Request(request.seed, *numbers)
