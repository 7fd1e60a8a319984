"""A catalogue of one's own: files and columns as the recipe describes them, so that a shop is fed without code.

CSV and TSV, JSON lines and Parquet (all but the last gzipped too), in the folder ``catalogue`` of the raw files. Each
``[[sources.catalogue.tables]]`` of a recipe describes one kind of file: which columns are a product, its attributes,
related products, reviews, graded search results, matches, questions or visits. Whose the catalogue is and under which
terms stands in ``[sources.catalogue]`` and goes onto the dataset's card.

Quirks, and what becomes of them:

- Ids get a namespace (``acme:1042``), so that they meet no other corpus's; in the namespace ``asin`` they are those
  of the Amazon corpora. Ids written as numbers become text. Users get the namespace too.
- An attribute's value is looked up in the product's own text. The evidence is what stands there; a value that stands
  nowhere keeps its row without evidence, and the task counts it.
- A record whose cells are not what the recipe says is quarantined with the column's name.
- Where several records describe one product, the first counts.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.ingesting.catalogue_columns import (
    Constant,
    columns_of,
)
from ecinstruct_build.ingesting.catalogue_rows import Plan, admit_record, convert_rows
from ecinstruct_build.ingesting.catalogue_settings import CatalogueSettings, TableSettings
from ecinstruct_build.source import EVERYTHING, FileKind, Source

NAME = "catalogue"

_FILLED = {
    "product": "product",
    "attributes": "attribute",
    "relations": "relation",
    "same_as": "match",
    "review": "review",
    "judgement": "judgement",
    "match": "match",
    "question": "question",
    "session": "session",
}
"""The canonical table that each part of a description fills."""

_DELIMITERS = ";|,"


@dataclass(frozen=True)
class CatalogueFile(FileKind):
    """A kind of file that a recipe describes.

    Attributes
    ----------
    rivals
        Glob and pattern of each other kind: a file that is of two kinds is the recipe's mistake.
    named
        The columns that the recipe names.
    """

    rivals: tuple[tuple[str, str], ...] = ()
    named: tuple[str, ...] = ()

    @property
    def read_columns(self) -> tuple[str, ...]:
        """The columns that mean something: those that the recipe names."""
        return self.named

    def advice(self, missing: Sequence[str], present: Sequence[str]) -> str:
        """Say which columns the recipe may mean instead."""
        table = f"[[sources.{NAME}.tables]] '{self.example}'"
        between = _other_delimiter(present)
        if self.format == "csv" and between:
            return f"Its cells seem to be parted by '{between}': give {table} a delimiter = '{between}'."
        return (
            f"Name in {table} the columns that the file has, or list under optional those that a file may lack."
            f"{did_you_mean(missing[0], present)}"
        )

    def match(self, file: str) -> Mapping[str, str] | None:
        """Return no groups if ``file`` is of this kind, else None.

        Raises
        ------
        UserError
            If it is of another kind, too.
        """
        found = super().match(file)
        rival = next((glob for glob, pattern in self.rivals if re.fullmatch(pattern, file)), None)
        if found is not None and rival is not None:
            raise UserError(
                f"Two of the [[sources.{NAME}.tables]] describe '{file}': '{self.example}' and '{rival}'. Make their "
                "globs tell the files apart, or describe all that the file holds in one of them."
            )
        return found


def configure(settings: CatalogueSettings) -> Source:
    """Return the source as a recipe describes it.

    Raises
    ------
    UserError
        If a table names a source that there is not.
    """
    return replace(
        SOURCE,
        title=settings.title,
        homepage=settings.homepage,
        licence=settings.licence,
        citation=settings.citation,
        redistributable=settings.redistributable,
        files=tuple(_kind(table, settings) for table in settings.tables),
    )


def _kind(table: TableSettings, settings: CatalogueSettings) -> FileKind:
    parts = {name: part for name in _FILLED if (part := getattr(table, name))}
    if not table.describes:
        parts.pop("product", None)
    tables = tuple(sorted({_FILLED[name] for name in parts}))
    catalogue = _catalogue(table)
    others = [other.file for other in settings.tables if other is not table]
    return CatalogueFile(
        pattern=translate(table.file),
        format=table.form,
        record=dict[str, str] if table.form == "csv" else dict[str, Any],
        tables=tables,
        convert=partial(convert_rows, tables, catalogue),
        example=table.file,
        encoding=table.encoding,
        admit=partial(admit_record, _plan(table, settings, catalogue)),
        delimiter=table.cell_delimiter,
        needed=_needed(table, settings),
        optional=_may_lack(table, settings),
        rivals=tuple((file, translate(file)) for file in others),
        named=_of_the_file(table, _columns(table, settings)),
    )


def _other_delimiter(present: Sequence[str]) -> str:
    """Return what seems to stand between names that were taken for one, or "" if they are several."""
    if len(present) != 1:
        return ""
    return max(_DELIMITERS, key=present[0].count) if any(one in present[0] for one in _DELIMITERS) else ""


def _plan(table: TableSettings, settings: CatalogueSettings, catalogue: str) -> Plan:
    named = frozenset(_columns(table, settings))
    product = {table.product.id.column} if table.product else set()
    parts = {name: getattr(table, name) for name in _FILLED if name not in ("product", "attributes")}
    return Plan(
        table=table,
        namespace=table.namespace or settings.namespace,
        locale=table.locale or settings.locale,
        usual_locale=settings.locale,
        category=table.category or settings.category,
        catalogue=catalogue,
        empty=frozenset(word.strip() for word in table.empty),
        demanded=named - _optional(table, named) if table.form == "jsonl" else frozenset(),
        parts=tuple((name, _telling(part, product)) for name, part in parts.items() if part),
    )


def _telling(part: Any, product: Collection[str]) -> tuple[str, ...]:
    """Return the columns of a part that say more than which product it is of."""
    own = {column for name in ("product", "left") for column in columns_of(getattr(part, name, None), inner=True)}
    return tuple(column for column in columns_of(part, inner=True) if column not in {*own, *product})


def _columns(table: TableSettings, settings: CatalogueSettings) -> list[str]:
    """Return every column that is named for a kind of file, each once."""
    shared: list[Constant | None] = [table.locale or settings.locale, table.category or settings.category]
    parts = (*shared, *(getattr(table, name) for name in _FILLED))
    return list(dict.fromkeys(column for part in parts for column in columns_of(part, inner=table.form == "csv")))


def _needed(table: TableSettings, settings: CatalogueSettings) -> tuple[str, ...]:
    """Return the columns that a CSV or Parquet file must have."""
    named = _columns(table, settings)
    return _of_the_file(table, [column for column in named if column not in _optional(table, named)])


def _may_lack(table: TableSettings, settings: CatalogueSettings) -> tuple[str, ...]:
    """Return the columns that a file is to be read for if it has them."""
    named = _columns(table, settings)
    return _of_the_file(table, [column for column in named if column in _optional(table, named)])


def _of_the_file(table: TableSettings, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns as the file has them: of a path into nested ones the first."""
    return tuple(dict.fromkeys(column.split(".", 1)[0] if table.form == "parquet" else column for column in columns))


def _optional(table: TableSettings, named: Collection[str]) -> frozenset[str]:
    return frozenset(named) if EVERYTHING in table.optional else frozenset(table.optional)


def _catalogue(table: TableSettings) -> str:
    known = [module.name for module in iter_modules(import_module("sources").__path__)]
    if table.described_by and table.described_by not in known:
        raise UserError(
            f"[[sources.{NAME}.tables]] {table.file}: there is no source '{table.described_by}' that could describe "
            f"its products.{did_you_mean(table.described_by, known)}"
        )
    return table.described_by or NAME


SOURCE = Source(
    name=NAME,
    title="A catalogue of one's own",
    summary="Files and columns as the recipe describes them: products, reviews, searches and more of a shop.",
    homepage="",
    licence="not stated",
    redistributable=False,
    citation="",
    files=(),
    settings=CatalogueSettings,
    configure=configure,
)
