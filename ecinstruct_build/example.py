"""Examples and samples: what every task emits, what every check reads, what is published.

An *example* is structured and unrendered: facts, options, an answer. A *sample* is an example that was
given a split and an instruction and became text.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

T = TypeVar("T")

Domain = Literal["ind", "ood"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a raw record stands: corpus, file relative to its folder, 1-based line."""

    source: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Item:
    """A product as it appears in a list.

    Attributes
    ----------
    product_id, text
        Its key, and the words that stand for it.
    source, file, line
        The raw record that the words come from, as in `Origin`; line 0 if the example's own origins name it.
    """

    product_id: str
    text: str
    source: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that the answer may be.

    Attributes
    ----------
    key
        Identity within the example; `Example.answer` names options by it.
    text
        What the reader sees behind the letter.
    product_id
        The product that the option is, or "".
    grade
        The option's own label where options are graded (ranking), or "".
    source, file, line
        The raw record that the text comes from, as in `Origin`; line 0 if there is none, or the example's own
        origins name it. Options that a split may replace need it here.
    """

    key: str
    text: str
    product_id: str = ""
    grade: str = ""
    source: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn or be tested on, before split and rendering.

    Attributes
    ----------
    task, identity
        The task's name, and what makes the example itself within (task, source); together they give `example_id`.
    source, domain, category, locale
        Corpus; ``ind`` or ``ood``; the domain column's value ("" if none); marketplace.
    products
        Every product whose facts appear in ``fields``; `all_products` adds those of ``context`` and ``options``.
    groups
        Other things that may not straddle splits: ``user:...``, ``query:...``, ``question:...``, ``attribute:...``.
    fields
        The template's variables: JSON values; text as upstream has it until the checks mend it.
    context
        Ordered items that a split may trim (a purchase history), oldest first.
    options
        What the answer may be, in a canonical order; lettering comes with rendering.
    spare_options
        Stand-ins, best first, for options whose product falls in another split.
    answer
        An option key, a list of option keys (best first), "yes"/"no", a list of
        attribute/value/source objects, or free text; see `ecinstruct_build.answers`.
    origins
        The raw records that it was made from; `all_origins` adds those of ``context`` and ``options``.
    """

    task: str
    source: str
    identity: str
    domain: Domain
    locale: str
    products: tuple[str, ...]
    fields: Mapping[str, Any]
    answer: Any
    category: str = ""
    groups: tuple[str, ...] = ()
    context: tuple[Item, ...] = ()
    options: tuple[Option, ...] = ()
    spare_options: tuple[Option, ...] = ()
    origins: tuple[Origin, ...] = field(default=())

    @property
    def example_id(self) -> str:
        """``<task>:<16 hex digits>``, stable over seeds, quotas and other sources."""
        identity = hashlib.md5(f"{self.source}|{self.identity}".encode(), usedforsecurity=False).hexdigest()
        return f"{self.task}:{identity[:16]}"

    @property
    def all_products(self) -> tuple[str, ...]:
        """Products of fields, context and options, sorted, once each (spare options are not yet part of it)."""
        listed = {item.product_id for item in self.context} | {option.product_id for option in self.options}
        return tuple(sorted({*self.products, *listed} - {""}))

    @property
    def all_origins(self) -> tuple[Origin, ...]:
        """The raw records of the example itself, its context and its options, once each (not of spare options)."""
        listed: tuple[Item | Option, ...] = (*self.context, *self.options)
        named = [Origin(one.source, one.file, one.line) for one in listed if one.line]
        return tuple(dict.fromkeys([*self.origins, *named]))


_ORIGIN = pa.struct([pa.field("source", pa.string()), pa.field("file", pa.string()), pa.field("line", pa.int64())])
# Few files stand behind millions of options.
_FEW = pa.dictionary(pa.int32(), pa.string())
_RECORD = [pa.field("source", _FEW), pa.field("file", _FEW), pa.field("line", pa.int64())]
_ITEM = pa.struct([*(pa.field(name, pa.string()) for name in ("product_id", "text")), *_RECORD])
_OPTION = pa.struct([*(pa.field(name, pa.string()) for name in ("key", "text", "product_id", "grade")), *_RECORD])

EXAMPLE_SCHEMA = pa.schema(
    [
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("identity", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("locale", pa.string(), nullable=False),
        pa.field("products", pa.list_(pa.string()), nullable=False),
        pa.field("groups", pa.list_(pa.string()), nullable=False),
        pa.field("fields", pa.string(), nullable=False),
        pa.field("context", pa.list_(_ITEM), nullable=False),
        pa.field("options", pa.list_(_OPTION), nullable=False),
        pa.field("spare_options", pa.list_(_OPTION), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("origins", pa.list_(_ORIGIN), nullable=False),
    ]
)

SAMPLE_SCHEMA = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("setting", pa.string(), nullable=False),
        pa.field("instruction", pa.string(), nullable=False),
        pa.field("input", pa.string(), nullable=False),
        pa.field("options", pa.string(), nullable=False),
        pa.field("output", pa.string(), nullable=False),
        pa.field("few_shot_example", pa.string(), nullable=False),
        pa.field("example_id", pa.string(), nullable=False),
        pa.field("template_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("category", pa.string(), nullable=False),
        pa.field("locale", pa.string(), nullable=False),
        pa.field("products", pa.list_(pa.string()), nullable=False),
        pa.field("families", pa.list_(pa.string()), nullable=False),
        pa.field("groups", pa.list_(pa.string()), nullable=False),
        pa.field("option_grades", pa.list_(pa.string()), nullable=False),
    ]
)
"""Published columns: ECInstruct's eight first, then ours.

``split`` says train, val or test as the original does. ``option_grades`` holds, for ranking, the grade of
each option in letter order; elsewhere it is empty.
"""


def dump_json(value: Any) -> str:
    """Write a JSON value in its one canonical form: sorted keys, no ASCII escapes, no NaN.

    Raises
    ------
    ValueError
        On NaN or infinity, which JSON does not have.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def examples_to_table(examples: Iterable[Example]) -> pa.Table:
    """Lay examples out as a table ordered by example_id; the same example twice counts once."""
    unique = {example.example_id: example for example in examples}
    ordered = [unique[example_id] for example_id in sorted(unique)]
    columns = {
        "example_id": sorted(unique),
        **{name: [getattr(example, name) for example in ordered] for name in _PLAIN},
        "fields": [dump_json(dict(example.fields)) for example in ordered],
        "context": _struct_lists([example.context for example in ordered], _ITEM),
        "options": _struct_lists([example.options for example in ordered], _OPTION),
        "spare_options": _struct_lists([example.spare_options for example in ordered], _OPTION),
        "answer": [dump_json(example.answer) for example in ordered],
        "origins": _struct_lists([example.origins for example in ordered], _ORIGIN),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in EXAMPLE_SCHEMA], schema=EXAMPLE_SCHEMA)


def table_to_examples(table: pa.Table) -> list[Example]:
    """Read back what `examples_to_table` wrote; equal items and options are one object, for memory's sake.

    The columns ``spare_options`` and ``origins`` may be left out; the examples then have none.
    """
    table = table.combine_chunks()
    shared: dict[str, Callable[..., Any]] = {
        "context": Item,
        "options": Option,
        "spare_options": Option,
        "origins": Origin,
    }
    columns = {name: table.column(name).to_pylist() for name in _PLAIN}
    columns |= {name: list(map(tuple, columns[name])) for name in ("products", "groups")}
    columns |= {name: list(map(json.loads, table.column(name).to_pylist())) for name in ("fields", "answer")}
    columns |= {
        name: _shared_values(table.column(name), kind) for name, kind in shared.items() if name in table.column_names
    }
    return [Example(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


_PLAIN = ("task", "source", "identity", "domain", "category", "locale", "products", "groups")


def _struct_lists(lists: Sequence[Sequence[Any]], struct: pa.StructType) -> pa.ListArray:
    """Lay lists of dataclass instances out, looking at an instance that stands in several lists only once."""
    offsets = [0, *accumulate(len(values) for values in lists)]
    distinct = {id(value): value for values in lists for value in values}
    places = {key: place for place, key in enumerate(distinct)}
    columns = [pa.array([getattr(value, part.name) for value in distinct.values()], part.type) for part in struct]
    order = np.fromiter((places[id(value)] for values in lists for value in values), np.int32, offsets[-1])
    values = pa.StructArray.from_arrays([column.take(pa.array(order)) for column in columns], fields=list(struct))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _shared_values(column: pa.ChunkedArray, kind: Callable[..., T]) -> list[tuple[T, ...]]:
    """Read lists of structs back, making each distinct value once."""
    lists = [chunk for chunk in column.chunks if len(chunk)]
    return [values for chunk in lists for values in _shared_chunk(chunk, kind)]


def _shared_chunk(lists: pa.ListArray, kind: Callable[..., T]) -> Iterator[tuple[T, ...]]:
    structs = lists.flatten()
    code, codes = np.zeros(len(structs), dtype=np.int64), 1  # codes: how many there may be
    columns = [array.dictionary_encode() for array in structs.flatten()]
    for column in columns:
        size = max(1, len(column.dictionary))
        if codes * size > np.iinfo(np.int64).max:
            code = np.unique(code, return_inverse=True)[1]
            codes = max(1, len(code))
        code = code * size + column.indices.to_numpy(zero_copy_only=False)
        codes *= size
    code = np.unique(code, return_inverse=True)[1]
    where = np.empty(code.max(initial=-1) + 1, dtype=np.int64)
    where[code] = np.arange(len(code))  # any of the equal ones
    distinct = [kind(*values) for values in zip(*(_shared_column(column, where) for column in columns), strict=True)]
    offsets = np.concatenate([[0], np.cumsum(lists.value_lengths().to_numpy(zero_copy_only=False))]).tolist()
    positions = code.tolist()
    for begin, end in pairwise(offsets):
        yield tuple(distinct[position] for position in positions[begin:end])


def _shared_column(column: pa.DictionaryArray, rows: NDArray[np.int64]) -> list[Any]:
    """Return the values of some rows, equal ones as one object: few files stand behind many options."""
    values = column.dictionary.to_pylist()
    return [values[index] for index in column.indices.take(pa.array(rows)).to_pylist()]
