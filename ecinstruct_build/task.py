"""What a task is: its settings, how it draws examples from canonical tables, and what its answer looks like.

A task lives in one file of ``ecinstruct_build/tasks/`` as a module-level ``TASK``, with one folder of the
same name in ``templates/``. It reads canonical tables and never a source.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from ecinstruct_build.answers import AnswerKind
from ecinstruct_build.engine import Tables
from ecinstruct_build.example import Example
from ecinstruct_build.lazily import ir
from ecinstruct_build.tables import TABLES

LeakagePolicy = Literal["strict", "trim", "target"]

_ROUNDING = 1e-9  # ten times 0.1 is more than 1


class Quota(BaseModel):
    """Samples wanted in each split."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: int = Field(default=0, ge=0)
    validation: int = Field(default=0, ge=0)
    test: int = Field(default=0, ge=0)
    test_ood: int = Field(default=0, ge=0)

    @property
    def ind(self) -> int:
        """Samples wanted in domain."""
        return self.train + self.validation + self.test


class TaskSettings(BaseModel):
    """What a recipe may say of any task; a task adds its own settings by subclassing.

    Attributes
    ----------
    domain_column
        The column of the task's tables whose values ``ind`` and ``ood`` name; a subclass may name another one.
    quota
        Samples wanted in each split.
    sources
        The sources to draw from; empty = every source of the recipe that fills the task's tables.
    locales
        Marketplaces to draw from (ISO 3166 in lower case: ``us``, ``gb``, ``jp``); empty = every one.
    ind, ood
        Values of the domain column that are in and out of domain; an empty ``ind`` = all that are not in ``ood``.
    shares
        The part of each split that each source is to have, such as ``{ oa_mine = 0.1 }``; the sources that are not
        named have equal parts of the rest, and with ``equal`` all have equal parts. What one source lacks the others
        make up for in proportion. Empty = as much of each as was drawn of it, which follows their sizes.
    oversample
        Examples drawn for each one wanted, so that checks and the split may drop some.
    leakage
        ``strict`` drops an example whose things fall in two splits; ``trim`` first drops the context items
        that fall outside; ``target`` judges all but the context, whose products may then stand in training too:
        the audit counts them.
    min_context
        Context items that must be left after trimming.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain_column: ClassVar[str] = "category"

    quota: Quota = Quota()
    sources: tuple[str, ...] = ()
    locales: tuple[str, ...] = ()
    ind: tuple[str, ...] = ()
    ood: tuple[str, ...] = ()
    shares: Literal["equal"] | dict[str, float] = Field(default_factory=dict)
    oversample: float = Field(default=2.0, ge=1.0)
    leakage: LeakagePolicy = "strict"
    min_context: int = Field(default=1, ge=0)

    @field_validator("shares", mode="before")
    @classmethod
    def _are_shares(cls, shares: Any, info: ValidationInfo) -> Any:
        """Refuse what are no shares, here and not by the type: an error of that would speak of each kind apart."""
        if shares == "equal":
            return shares
        if not isinstance(shares, Mapping) or not all(map(_is_share, shares.values())):
            raise ValueError("this must be 'equal', or give sources numbers from 0 to 1, such as { oa_mine = 0.1 }")
        drawn_from = info.data.get("sources") or shares
        for source in shares:
            if source not in drawn_from:
                raise ValueError(f"'{source}' is not one of the task's own sources ({', '.join(drawn_from)})")
        if (every := math.fsum(shares.values())) > 1 + _ROUNDING:
            raise ValueError(f"the shares of the sources are {every:g} together, which is more than 1")
        return shares

    @property
    def named_sources(self) -> tuple[str, ...]:
        """The sources that the settings name."""
        return tuple(dict.fromkeys((*self.sources, *(() if self.shares == "equal" else self.shares))))

    def in_domain(self, column: ir.StringColumn) -> ir.BooleanValue:
        """Return the expression that holds for rows in domain."""
        if self.ind:
            return column.isin(self.ind)
        return ~column.isin(self.ood) if self.ood else column.notnull() | column.isnull()

    def out_of_domain(self, column: ir.StringColumn) -> ir.BooleanValue | None:
        """Return the expression that holds for rows out of domain, or None where the task has no such rows."""
        return column.isin(self.ood) if self.ood else None


def _is_share(value: Any) -> bool:
    """Return whether a value is a number from 0 to 1; a truth value is none, and neither is NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


@dataclass(frozen=True)
class Request:
    """How much to draw, and by which chance.

    Attributes
    ----------
    seed
        Seed of every keyed choice of the draw.
    ind, ood
        Examples to draw in and out of domain, oversampling included.
    """

    seed: int
    ind: int
    ood: int

    @property
    def domains(self) -> tuple[tuple[Literal["ind", "ood"], int], ...]:
        """The two domains with the number of examples to draw in each."""
        return (("ind", self.ind), ("ood", self.ood))


@dataclass(frozen=True)
class Drawn:
    """What a task drew.

    Attributes
    ----------
    examples
        In any order; the same example twice counts once.
    funnel
        Counts on the way, in order, by a few words each (``"reviews of 10 words or more": 5123``); the steps
        from eligible rows to examples, so that a shortfall can be understood.
    """

    examples: Sequence[Example]
    funnel: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One of the tasks of the dataset.

    Attributes
    ----------
    name, published_name
        Module and template folder name; the value of the published ``task`` column.
    summary
        One sentence for people.
    reads
        Canonical tables that `draw` reads.
    primary
        The one of them whose sources decide what the task can draw from.
    settings
        The type of its recipe section.
    answer
        How answers are written, parsed and compared.
    draw
        Draws examples: ``draw(tables, settings, request)``.
    fields
        The template variables that every example's ``fields`` holds, by name, with their meaning.
    also
        Tables whose sources it draws from besides those of the primary one.
    """

    name: str
    published_name: str
    summary: str
    reads: tuple[str, ...]
    primary: str
    settings: type[TaskSettings]
    answer: AnswerKind
    draw: Callable[[Tables, Any, Request], Drawn]
    fields: Mapping[str, str]
    also: tuple[str, ...] = ()

    @property
    def domain_column(self) -> str:
        """The column whose values ``ind`` and ``ood`` name."""
        return self.settings.domain_column

    @property
    def knows_domains(self) -> bool:
        """Whether a table that it draws from has the domain column; if none has, all examples are in domain."""
        return any(self.domain_column in TABLES[table].schema.names for table in (self.primary, *self.also))
