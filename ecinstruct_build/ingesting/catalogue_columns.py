"""How a recipe names the columns of a catalogue: by name alone, or with how their cells are written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ecinstruct_build.errors import did_you_mean

AMAZON_NAMESPACE = "asin"
JSON_CELL = "json"
"""As a separator: the cell holds a JSON list."""

_REGION = re.compile(r"(?:[A-Za-z]{2,3}[-_])?([A-Za-z]{2})")


def refused(message: str) -> PydanticCustomError:
    """Return an error that says exactly ``message``; braces in it stand for themselves."""
    return PydanticCustomError("catalogue", "{message}", {"message": message})


def region_of(text: str) -> str | None:
    """Return the country of ``us``, ``US``, ``en-US`` or ``en_US`` in small letters (``gb`` for ``UK``), or None."""
    found = _REGION.fullmatch(text.strip())
    code = found[1].lower() if found else None
    return "gb" if code == "uk" else code


def _whole(value: Any) -> Any:
    """Take a bare column name for a section that says no more than that."""
    return {"column": value} if isinstance(value, str) else value


def _said(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _located(constant: "Constant") -> "Constant":
    if constant.value and region_of(constant.value) is None:
        raise refused(f"'{constant.value}' is not a two-letter country code, such as us")
    return constant


def _namespace(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", value):
        raise refused(f"'{value}' is not a name of small letters, digits, dots and dashes; it stands before a colon")
    return value


@dataclass(frozen=True)
class Names:
    """Marks a setting that names a column, or several.

    Attributes
    ----------
    inner
        Whether it may also be a key of the objects that stand in another column.
    words
        What the setting takes, for people.
    """

    inner: bool = False
    words: str = "column"


Name = Annotated[str, StringConstraints(min_length=1), Names()]
Maybe = Annotated[str, Names()]
Namespace = Annotated[str, BeforeValidator(lambda value: _namespace(value) if isinstance(value, str) else value)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Names(words="column or list of columns")]


class Section(BaseModel):
    """A part of the description; a misspelt key is refused with the nearest one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shorthand: ClassVar[str] = ""
    """What may be written instead of the section, if it says no more than that."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        if isinstance(values, cls):
            return values
        if not isinstance(values, dict):
            raise refused(f"give a {cls.shorthand} or a section" if cls.shorthand else "give a section")
        for key in values:
            if key not in cls.model_fields:
                near = did_you_mean(str(key), cls.model_fields)
                raise refused(f"there is no setting '{key}'.{near}".rstrip("."))
        return values


class Constant(Section):
    """One value for all records, or a column that holds it.

    Attributes
    ----------
    value
        The value for all records; written alone: ``locale = "us"``.
    column
        A column that holds it.
    separator
        What stands between the parts of the cell, of which the first counts.
    """

    shorthand: ClassVar[str] = "text"

    value: str = ""
    column: Maybe = ""
    separator: str = ""

    @model_validator(mode="after")
    def _one(self) -> "Constant":
        if bool(self.value) == bool(self.column):
            raise refused("give either a value or a column")
        return self


class IdColumn(Section):
    """A column with a product's id.

    Attributes
    ----------
    column
        The column; written alone: ``id = "sku"``.
    namespace
        What its ids are prefixed with; by default the namespace of the file.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    namespace: Namespace | None = None


class ListColumn(Section):
    """A column with a list of texts.

    Attributes
    ----------
    column
        The column; written alone, a cell is one text. Lists in JSON and Parquet are taken as lists.
    separator
        What stands between the texts of a cell; ``json`` if the cell holds a JSON list.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    separator: str = ""


class IdsColumn(ListColumn):
    """A column with a list of product ids; see `ListColumn` and `IdColumn`.

    Attributes
    ----------
    namespace
        What its ids are prefixed with; by default the namespace of the file.
    """

    namespace: Namespace | None = None


class PriceColumn(Section):
    """A column with prices.

    Attributes
    ----------
    column
        The column; written alone: ``price = "price"``.
    currency
        What is put before a price that is a bare number, such as ``$`` or ``EUR``.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    currency: str = ""


class RatingColumn(Section):
    """A column with ratings.

    Attributes
    ----------
    column
        The column; written alone, it holds 1 to 5 stars.
    worst, best
        Ends of the shop's own scale. Another than 1 to 5 is cut into five equal parts: 9 and 10 of 10 are 5 stars.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    worst: float = 1.0
    best: float = 5.0

    @model_validator(mode="after")
    def _a_scale(self) -> "RatingColumn":
        if not self.worst < self.best:
            raise refused(f"the best rating ({self.best:g}) must be above the worst ({self.worst:g})")
        return self


class TimeColumn(Section):
    """A column with times.

    Attributes
    ----------
    column
        The column; written alone, it holds ISO 8601 (UTC where no offset is given) or seconds, milliseconds,
        microseconds or nanoseconds since 1970.
    format
        How it is written instead, in the codes of Python's ``strptime``: ``%d.%m.%Y``.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    format: str = ""

    @field_validator("format")
    @classmethod
    def _a_format(cls, form: str) -> str:
        try:
            datetime.strptime(datetime(2001, 2, 3, tzinfo=UTC).strftime(form), form)  # noqa: DTZ007 - nobody looks at it
        except (ValueError, re.error):
            raise refused(f"'{form}' does not say how a time is written; see Python's strptime") from None
        return form


class FlagColumn(Section):
    """A column with yes or no. Case does not count.

    Attributes
    ----------
    column
        The column; written alone, it holds words such as ``true`` and ``false``, ``yes`` and ``no``, ``1`` and ``0``.
    yes, no
        The shop's own words.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    yes: tuple[str, ...] = ("true", "yes", "y", "t", "1")
    no: tuple[str, ...] = ("false", "no", "n", "f", "0")


class GradeColumn(Section):
    """A column with grades of how well a product answers a query. Case does not count.

    Attributes
    ----------
    column
        The column; written alone, it holds the letters E, S, C and I, or the words exact, substitute, complement and
        irrelevant.
    grades
        The shop's own grades, and the letter of each: ``{ perfect = "E", good = "S", bad = "I" }``.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    grades: dict[str, Literal["E", "S", "C", "I"]] = Field(
        default={
            "e": "E",
            "s": "S",
            "c": "C",
            "i": "I",
            "exact": "E",
            "substitute": "S",
            "complement": "C",
            "irrelevant": "I",
        },
        min_length=1,
    )


class KindColumn(Section):
    """A column with kinds of question. Case does not count.

    Attributes
    ----------
    column
        The column; written alone, it holds ``yesno`` and ``descriptive``.
    yesno, descriptive
        The shop's own words.
    """

    shorthand: ClassVar[str] = "column"

    column: Name
    yesno: tuple[str, ...] = ("yesno", "yes/no")
    descriptive: tuple[str, ...] = ("descriptive", "open-ended")


class AnswersColumn(ListColumn):
    """A column with answers; see `ListColumn`.

    Attributes
    ----------
    text
        The key of the text where answers are JSON objects.
    helpful, total
        Where the votes stand, helpful ones and all: keys of such an object, or else columns of the record.
    """

    text: str = "text"
    helpful: Annotated[str, Names(inner=True)] = ""
    total: Annotated[str, Names(inner=True)] = ""


AnyConstant = Annotated[Constant, BeforeValidator(_said)]
AnyLocale = Annotated[Constant, BeforeValidator(_said), AfterValidator(_located)]
AnyId = Annotated[IdColumn, BeforeValidator(_whole)]
AnyList = Annotated[ListColumn, BeforeValidator(_whole)]
AnyIds = Annotated[IdsColumn, BeforeValidator(_whole)]
AnyPrice = Annotated[PriceColumn, BeforeValidator(_whole)]
AnyRating = Annotated[RatingColumn, BeforeValidator(_whole)]
AnyTime = Annotated[TimeColumn, BeforeValidator(_whole)]
AnyFlag = Annotated[FlagColumn, BeforeValidator(_whole)]
AnyGrade = Annotated[GradeColumn, BeforeValidator(_whole)]
AnyKind = Annotated[KindColumn, BeforeValidator(_whole)]
AnyAnswers = Annotated[AnswersColumn, BeforeValidator(_whole)]


def columns_of(part: Any, *, inner: bool) -> Iterator[str]:
    """Yield the columns that a part of a description names, in its order; ``inner`` ones only if asked for."""
    if isinstance(part, dict | tuple):
        for one in part.values() if isinstance(part, dict) else part:
            yield from columns_of(one, inner=inner)
    elif isinstance(part, BaseModel):
        for name, field in type(part).model_fields.items():
            value = getattr(part, name)
            mark = next((one for one in field.metadata if isinstance(one, Names)), None)
            if mark is None:
                yield from columns_of(value, inner=inner)
            elif value and (inner or not mark.inner):
                yield from (value,) if isinstance(value, str) else value
