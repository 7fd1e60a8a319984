"""Records drawn from the type that an adapter declares: as declared, or with something odd in it, in every format.

`msgspec.inspect.type_info` describes the type; what makes a record odd is drawn without regard to what becomes of it.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from independent_reading import Pairs
from msgspec import inspect as described

from ecinstruct_build.source import FileKind
from sources.catalogue import CatalogueFile

DEEP = 5_000


class Token(str):
    """Something that stands in a line as it is."""

    __slots__ = ()


_KEYS = st.text("ABCXYZ0189-é", min_size=1, max_size=6)
_TEXTS = st.one_of(
    st.text("abz 09.,:;'\"<>&|/\\éß漢😀\t\n\u00a0", max_size=12),
    st.sampled_from(["", " ", "\u3000", "null", "true", "nan", "-1", "1e5", "<b>", "a\u2028b", "x" * 300, "\ufeff"]),
)
_WORDS = _TEXTS.filter(lambda text: bool(text) and not text.isspace())
_ODD_TEXTS = st.sampled_from(["", " ", "\t", "a b", "\x00", "a\x00b", "\x7f", "\ufffe", "\U0010ffff", "x\n", "0x10"])
_NUMBERS = (
    "0",
    "-0",
    "1",
    "-1",
    "6",
    "1.5",
    "1e2",
    "1e308",
    "-1e308",
    "9" * 18,
    "9" * 25,
    "1" + "0" * 400,
    "2147483648",
)
_JSON_TOKENS = (
    *_NUMBERS,
    *("null", "true", "false", "[]", "{}", "[null]", '{"a": {"b": [1]}}', '"text"', '"1"', "[[[]]]"),
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "+1", ".5", "1.", "'a'", "nul", "", "[1,]", '{"a":1,}'),
    *(r'"\ud800"', r'"\udc00\ud800"', r'"\u12"', r'"\x"', '"\x01"', '"\x00"', '"open', "1" * 5000, "[1 2]", "/**/1"),
    *('"\udcff"', "\udcfe"),  # bytes that are no UTF-8
    *("[" * DEEP, "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP),
)
_LITERAL_TOKENS = (
    *_NUMBERS,
    *("None", "True", "False", "[]", "{}", "()", "[None]", "{'a': {'b': [1]}}", "'text'", "u'text'", "'a' 'b'", "b'x'"),
    *("nan", "1e400", "-1e400", "null", "01", "1_0", "0x10", "1j", "{1}", "...", "f'x'", "__import__('os')", "[1] * 9"),
    *(r"'\ud800'", r"'\x00'", r"'\N{NO SUCH}'", "'open", "", "1" * 5000, "(" * DEEP, "[" * DEEP + "]" * DEEP),
)
_CELLS = (
    *("nan", "NaN", "inf", "-inf", "Infinity", "null", "None", "true", "no", "0x10", "1_0", "1e400", "-1e400", "1e0"),
    *("0", "-1", "6", "1.5", "05", "+1", " 1", "9" * 25, "1" + "0" * 400, "\u0663", "\u00b2", "[]", "['", "\x00", "#"),
)


def well_formed(info: Any, form: str) -> st.SearchStrategy[Any]:
    """Draw a value of a declared type; objects are `Pairs`."""
    match info:
        case described.StructType():
            return st.tuples(*(_field(field, form) for field in info.fields)).map(
                lambda fields: Pairs(pair for pair in fields if pair is not None)
            )
        case described.UnionType():
            return st.one_of([well_formed(one, form) for one in info.types])
        case described.ListType():
            return st.lists(well_formed(info.item_type, form), max_size=3)
        case described.TupleType():
            return st.tuples(*(well_formed(one, form) for one in info.item_types)).map(list)
        case described.DictType():
            values = well_formed(info.value_type, form)
            return st.dictionaries(_KEYS, values, max_size=3).map(lambda found: Pairs(found.items()))
    return _scalar(info)


def _scalar(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case described.LiteralType():
            return st.sampled_from(info.values)
        case described.IntType():
            return st.integers(max(info.ge or 0, -(2**40)), min(info.le or 10**6, 2**40))
        case described.FloatType():
            return st.floats(info.ge or 0, info.le or 10**6).map(lambda number: round(number, 2))
        case described.StrType(pattern=pattern, min_length=least):
            return _KEYS if pattern and "^" in pattern else _WORDS if pattern or least else _TEXTS
        case described.BoolType():
            return st.booleans()
        case described.NoneType():
            return st.none()
    return st.one_of(st.none(), _TEXTS, st.integers(-5, 5), st.lists(_TEXTS, max_size=2))


def _values(name: str, info: Any, form: str) -> st.SearchStrategy[Any]:
    """Draw values of a field; some names ask for more than a type."""
    if form == "csv" and name == "prev_items":
        return st.sampled_from(["['B0A' 'B0B']", "['B0A']", "[]", "['B0A'\n 'B0 B']", "B0A"])
    return _KEYS if name == "id" else well_formed(info, form)


def _field(field: Any, form: str) -> st.SearchStrategy[tuple[str, Any] | None]:
    given = _values(field.encode_name, field.type, form).map(lambda value: (field.encode_name, value))
    return given if field.required else st.one_of(given, st.none())


def columns_of(kind: FileKind) -> tuple[str, ...]:
    """Return the names of a record's fields: declared, named by a recipe, or those of DeepMatcher's tables."""
    if isinstance(kind, CatalogueFile):
        return kind.read_columns
    return kind.read_columns or ("id", "title", "price", "Flavour")


@st.composite
def records(draw: st.DrawFn, info: Any, form: str, columns: Sequence[str] = ()) -> Any:
    """Draw a record, as declared or with up to two oddities; one without declared fields has these columns."""
    if isinstance(info, described.DictType):
        record = Pairs((name, draw(_values(name, info.value_type, form))) for name in columns)
    else:
        record = draw(well_formed(info, form))
    if not isinstance(record, Pairs):
        return draw(st.one_of(st.just(record), _odd(form)))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        record = _changed(draw, record, form) if isinstance(record, Pairs) else record
    return record


def _changed(draw: st.DrawFn, record: Pairs, form: str) -> Any:
    change = draw(
        st.sampled_from(["value", "value", "value", "value", "quoted", "extra", "shuffled", "other", *_OF_A_FIELD])
    )
    match change:
        case "quoted":
            return Pairs((name, str(one) if isinstance(one, int | float) else one) for name, one in record)
        case "extra":
            return Pairs([*record, (draw(st.one_of(_TEXTS, st.just("price"))), draw(_odd(form)))])
        case "shuffled":
            return Pairs(draw(st.permutations(record)))
        case "other":
            return draw(st.one_of(_odd(form), st.just([record]), st.just(Pairs())))
    return _changed_field(draw, record, change, form) if record else record


_OF_A_FIELD = ("without", "twice", "renamed")


def _changed_field(draw: st.DrawFn, record: Pairs, change: str, form: str) -> Pairs:
    place = draw(st.integers(0, len(record) - 1))
    before, (name, value), after = record[:place], record[place], record[place + 1 :]
    match change:
        case "without":
            return Pairs([*before, *after])
        case "twice":
            return Pairs([*record, (name, draw(st.one_of(st.just(value), _odd(form))))])
        case "renamed":
            renamed = draw(st.sampled_from([name.upper(), f" {name}", f"{name}\x00", ""]))
            return Pairs([*before, (renamed, value), *after])
    return Pairs([*before, (name, _changed_value(draw, value, form)), *after])


def _changed_value(draw: st.DrawFn, value: Any, form: str) -> Any:
    """Put something odd in the value's place or, where it holds others, in the place of one of them."""
    if isinstance(value, list) and value and draw(st.booleans()):
        if isinstance(value, Pairs):
            return _changed(draw, value, form)
        inner = draw(st.integers(0, len(value) - 1))
        return [*value[:inner], draw(_odd(form)), *value[inner + 1 :]]
    return draw(_odd(form))


def _odd(form: str) -> st.SearchStrategy[Any]:
    tokens = st.sampled_from({"jsonl": _JSON_TOKENS, "csv": _CELLS}.get(form, _LITERAL_TOKENS)).map(Token)
    return st.one_of(tokens, _TEXTS, _ODD_TEXTS)


# How records stand in a file.


@st.composite
def json_line(draw: st.DrawFn, info: Any, columns: Sequence[str] = ()) -> bytes:
    """Draw a line of a file of JSON lines, with escapes where they are needed and where they are not."""
    record = draw(records(info, "jsonl", columns))
    escaped, spaced = draw(st.booleans()), draw(st.sampled_from(["", " ", "\t"]))

    def written(value: Any, *, name: bool = False) -> str:
        match value:
            case Token():
                return str(value)
            case str():
                if name and escaped and value:
                    return (
                        f'"\\u{ord(value[0]):04x}{json.dumps(value[1:])[1:]}'
                        if value[0] < "\uffff"
                        else json.dumps(value)
                    )
                return json.dumps(value, ensure_ascii=escaped)
            case Pairs():
                fields = (f"{written(key, name=True)}{spaced}:{spaced}{written(one)}" for key, one in value)
                return "{" + f",{spaced}".join(fields) + "}"
            case list():
                return f"[{','.join(map(written, value))}]"
        return json.dumps(value)

    return written(record).encode("utf-8", "surrogateescape")


@st.composite
def literal_line(draw: st.DrawFn, info: Any, encoding: str) -> bytes:
    """Draw a line of a file of Python literals."""
    record = draw(records(info, "python"))
    prefix = draw(st.sampled_from(["", "u"]))

    def written(value: Any) -> str:
        match value:
            case Token():
                return str(value)
            case str():
                return prefix + repr(value)
            case Pairs():
                return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in value) + "}"
            case list():
                return f"[{', '.join(map(written, value))}]"
        return repr(value)

    return written(record).encode(encoding, "surrogateescape")


@st.composite
def csv_cells(draw: st.DrawFn, kind: FileKind, columns: Sequence[str]) -> list[str]:
    """Draw the cells of a row under these columns, now and then too few or too many."""
    record = draw(records(described.type_info(kind.record), "csv", columns))
    named = dict(record) if isinstance(record, Pairs) else {}
    cells = [_cell(named.get(name)) for name in columns]
    change = draw(st.sampled_from(["", "", "", "", "", "more", "fewer", "none"]))
    cells = [*cells, ""] if change == "more" else cells[:-1] if change == "fewer" else cells
    return [""] * len(columns) if change == "none" else [_storable(cell, kind.encoding) for cell in cells]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)[:2000]


def _storable(text: str, encoding: str) -> str:
    return text.encode(encoding, "replace").decode(encoding).replace("\r", " ")


def csv_line(cells: Sequence[str], delimiter: str) -> str:
    """Write a row with its line end, quoting as the csv module does."""
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator="\n").writerow(cells)
    return sink.getvalue()


@st.composite
def parquet_file(draw: st.DrawFn, kind: FileKind, columns: Sequence[str]) -> bytes:
    """Draw a Parquet file: each column holds what is declared, with nulls, or something else in every row."""
    info = described.type_info(kind.record)
    types = {field.encode_name: field.type for field in getattr(info, "fields", ())}
    count = draw(st.integers(1, 5))
    arrays: dict[str, pa.Array] = {}
    for name in columns:
        values = draw(
            st.lists(well_formed(types.get(name, described.StrType()), "parquet"), min_size=count, max_size=count)
        )
        change = draw(st.sampled_from(["", "", "", "", "nulls", "text", "other", "without"]))
        if change == "text":
            values = [str(value) for value in values]
        if change == "nulls":
            values = [draw(st.sampled_from([None, value])) for value in values]
        if change != "without" or name in kind.needed_columns:
            arrays[name] = draw(st.sampled_from(_COLUMNS))(count) if change == "other" else _array(values)
    if draw(st.booleans()):
        arrays["unasked for"] = pa.array([None] * count)
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink, version="2.4")
    return sink.getvalue()


def _array(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array([dict(value) if isinstance(value, Pairs) else value for value in values])
    except pa.ArrowException:  # of several types
        return pa.array([None if value is None else str(value) for value in values])


_COLUMNS = (
    lambda count: pa.array([2**62] * count),
    lambda count: pa.array([-1] * count),
    lambda count: pa.array([float("nan")] * count),
    lambda count: pa.array([float("inf"), *[1.0] * (count - 1)]),
    lambda count: pa.array([True] * count),
    lambda count: pa.array([b"\xff"] * count),
    lambda count: pa.array(["a\x00b"] * count),
    lambda count: pa.array([" "] * count),
    lambda count: pa.array([None] * count, pa.string()),
    lambda count: pa.array([["A"], *[[]] * (count - 1)]),
    lambda count: pa.array([{"a": {"b": [1]}}] * count),
    lambda count: pa.array([0] * count, pa.timestamp("ns")),
    lambda count: pa.array([2**62] * count, pa.timestamp("ms")),
)


def parquet_rows(data: bytes) -> Sequence[Mapping[str, Any]] | None:
    """Return the rows of a Parquet file, or None if Python cannot hold them all."""
    try:
        found: list[Mapping[str, Any]] = pq.read_table(io.BytesIO(data)).to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return None
    return found
