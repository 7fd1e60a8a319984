"""How a recipe describes a catalogue: whose it is, and its kinds of file."""

import codecs
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ecinstruct_build.ingesting.catalogue_columns import (
    AnyConstant,
    AnyIds,
    AnyList,
    AnyLocale,
    Constant,
    Namespace,
    Section,
    refused,
)
from ecinstruct_build.ingesting.catalogue_parts import (
    JudgementColumns,
    MatchColumns,
    ProductColumns,
    QuestionColumns,
    Relations,
    ReviewColumns,
    SessionColumns,
)
from ecinstruct_build.source import SourceSettings

Form = Literal["csv", "jsonl", "parquet"]

_FORMATS: Mapping[str, Form] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_DELIMITERS = {".tsv": "\t", ".tab": "\t"}
_ASCII = bytes(range(128))
_ON_THE_CARD = frozenset({"title", "licence", "homepage", "citation", "redistributable"})


class TableSettings(Section):
    """One kind of file, and what its columns mean. One file may fill several tables.

    Attributes
    ----------
    file
        Glob over the files below the source's folder; ``*`` crosses folders.
    format
        ``csv``, ``jsonl`` (a JSON object on each line) or ``parquet``; by default as the file's suffix says.
    encoding
        Encoding of a CSV.
    delimiter
        What stands between the cells of a CSV; by default a comma or, for ``.tsv``, a tab.
    namespace, locale, category
        As for the whole source, where these files differ.
    empty
        Cells that count as empty, such as ``NULL``.
    absent
        Cells of ``attributes`` that say that the product has no such thing, such as ``n/a``.
    optional
        Columns that a file, or a JSON object, may lack; ``*`` = all of them.
    described_by
        The source whose products these are, where another source describes them.
    product
        What describes a product.
    attributes
        Columns with values of attributes, by attribute. The values are looked up in the product's own text.
    relations
        Columns that name related products.
    same_as
        A column with the ids of other listings of the same product.
    review
        What a record says of a review.
    judgement
        What it says of a product found for a query.
    match
        What it says of two listings that are one product, or not.
    question
        What it says of a question.
    session
        What it says of a visit.
    """

    file: str = Field(min_length=1)
    format: Form | None = None
    encoding: str = "utf-8"
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    namespace: Namespace | None = None
    locale: AnyLocale | None = None
    category: AnyConstant | None = None
    empty: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    described_by: str = ""
    product: ProductColumns | None = None
    attributes: dict[str, AnyList] = Field(default_factory=dict)
    relations: Relations | None = None
    same_as: AnyIds | None = None
    review: ReviewColumns | None = None
    judgement: JudgementColumns | None = None
    match: MatchColumns | None = None
    question: QuestionColumns | None = None
    session: SessionColumns | None = None

    @property
    def suffix(self) -> str:
        """The file's suffix, without that of gzip."""
        return PurePosixPath(self.file.removesuffix(".gz")).suffix.lower()

    @property
    def form(self) -> Form:
        """The form of the files."""
        return self.format or _FORMATS[self.suffix]

    @property
    def cell_delimiter(self) -> str:
        """What stands between the cells of a CSV."""
        return self.delimiter or _DELIMITERS.get(self.suffix, ",")

    @property
    def describes(self) -> bool:
        """Whether a record says more of a product than its id."""
        return self.product is not None and self.product.describes

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            plain = _ASCII.decode(encoding) == _ASCII.decode("ascii")
        except LookupError:
            raise refused(f"there is no encoding '{encoding}'") from None
        except (UnicodeError, ValueError):
            plain = False
        if not plain:
            raise refused(f"files in {codecs.lookup(encoding).name} cannot be read; convert them to UTF-8")
        return encoding

    @model_validator(mode="after")
    def _makes_sense(self) -> "TableSettings":
        if self.format is None and self.suffix not in _FORMATS:
            raise refused(f"the form of '{self.file}' cannot be told from its name; say format = csv, jsonl or parquet")
        if self.form != "csv" and (self.encoding.lower().replace("_", "-") != "utf-8" or self.delimiter is not None):
            raise refused("encoding and delimiter are for CSV alone")
        if not (self.describes or self.attributes or self.same_as or self._other_mappings()):
            raise refused("nothing is mapped: give at least one of product, attributes, relations, review and so on")
        if self.attributes and not self.describes:
            raise refused(
                "attributes need the product's title in the same file, since values are looked up in its text"
            )
        if self.describes and self.described_by:
            raise refused("the file describes products itself, so nothing else can (described_by)")
        if self.product is None and (missing := self._needing_product()):
            raise refused(f"{missing} needs the product's id: give product = {{ id = ... }}")
        return self

    def _other_mappings(self) -> bool:
        return any((self.relations, self.review, self.judgement, self.match, self.question, self.session))

    def _needing_product(self) -> str:
        """Return a part that must be told which product it is of, or "" if there is none."""
        parts = {"review": self.review, "judgement": self.judgement, "question": self.question}
        needing = [name for name, part in parts.items() if part is not None and part.product is None]
        needing += ["match"] if self.match is not None and self.match.left is None else []
        needing += [name for name in ("relations", "same_as") if getattr(self, name)]
        return next(iter(needing), "")


class CatalogueSettings(SourceSettings):
    """What a recipe says of a catalogue: whose it is, and what its files hold.

    Attributes
    ----------
    files
        Globs over the files to take; by default those of all tables.
    categories
        Not for a catalogue: its files' names bear no category.
    title
        Whose catalogue it is, for the dataset's card.
    licence
        Its terms, for the card.
    homepage
        Its address, for the card.
    citation
        How to cite it, for the card.
    redistributable
        Whether its terms let its text be published.
    namespace
        What product ids are prefixed with: ``acme`` makes ``acme:<id>``. With ``asin`` they are ASINs, as those of the
        Amazon corpora.
    locale
        Country of the shop, two letters.
    category
        Category of its products, which decides what is in and out of domain.
    tables
        The kinds of file.
    """

    title: str = "Catalogue"
    licence: str = "not stated"
    homepage: str = Field(default="", pattern=r"^(?:https?://\S+)?$")
    citation: str = ""
    redistributable: bool = False
    namespace: Namespace = "shop"
    locale: AnyLocale = Constant(value="us")
    category: AnyConstant | None = None
    tables: tuple[TableSettings, ...] = Field(default=(), validate_default=True)

    def of_records(self) -> dict[str, Any]:
        """Return the settings that decide what becomes of a record: what stands on the card does not."""
        settings = super().of_records()
        return {name: value for name, value in settings.items() if name not in _ON_THE_CARD}

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        """Take the files of all tables where none are named."""
        tables = values.get("tables") if isinstance(values, dict) else None
        if isinstance(tables, list | tuple) and "files" not in values:
            named = [table.get("file") for table in tables if isinstance(table, dict)]
            return {**values, "files": list(dict.fromkeys(file for file in named if isinstance(file, str)))}
        return values

    @field_validator("tables")
    @classmethod
    def _each_once(cls, tables: tuple[TableSettings, ...]) -> tuple[TableSettings, ...]:
        if not tables:
            raise refused("describe at least one kind of file, under [[sources.catalogue.tables]]")
        files = [table.file for table in tables]
        if twice := next((file for file in files if files.count(file) > 1), ""):
            raise refused(f"two of them describe '{twice}'; one can fill several things")
        return tables

    @field_validator("categories")
    @classmethod
    def _none(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        if categories:
            raise refused("a catalogue's files are chosen by name (files), not by category")
        return categories

    @field_validator("title", "licence", "citation")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if "\n" in text:
            raise refused("give one line")
        return text
