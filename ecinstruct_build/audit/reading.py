"""Read a published dataset, ours or any in ECInstruct's columns, from a folder, a file or the Hub."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from ecinstruct_build.audit.result import ROLES
from ecinstruct_build.audit.texts import normal, option_texts
from ecinstruct_build.audit.wholeness import CHECKSUMS, refuse_missing
from ecinstruct_build.errors import UserError

REQUIRED = ("split", "task", "setting", "instruction", "input", "options", "output")
OPTIONAL = ("few_shot_example", "example_id", "category", "locale", "domain")
LISTS = ("products", "families", "groups")

_KNOWN = frozenset((*REQUIRED, *OPTIONAL, *LISTS))
_ALWAYS = frozenset(("split", "task", "setting", "example_id"))  # which row it is, and what for
_KINDS = (".parquet", ".jsonl", ".json")
_SHARD = re.compile(rf"({'|'.join(ROLES)})-\d{{5,}}-of-\d{{5,}}\.parquet")
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
}
_READERS = 2
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")


@dataclass(frozen=True)
class Published:
    """The rows of a dataset, in an order that no file or row order changes.

    Attributes
    ----------
    table
        The columns of `REQUIRED` and those of `OPTIONAL` and `LISTS` that are there, as text and lists of text; or
        those of them that were asked for.
    roles
        For each row its place in `ROLES`, or -1 where nothing says it.
    misfiled
        Rows in the shard of another split than their columns say.
    ids
        The example id of each row, or a digest of its texts.
    files
        How many files were read.
    """

    table: pa.Table
    roles: NDArray[np.int8]
    misfiled: NDArray[np.bool_]
    ids: list[str]
    files: int

    def texts(self, column: str) -> list[str]:
        """Return a column with "" for nulls and for a column that is not there; equal texts are one object."""
        if column not in self.table.column_names:
            return [""] * self.table.num_rows
        if column not in self._texts:
            shared: dict[str, str] = {}
            values = pc.fill_null(self.table[column], "").to_pylist()
            self._texts[column] = [shared.setdefault(value, value) for value in values]
        return self._texts[column]

    @cached_property
    def _texts(self) -> dict[str, list[str]]:
        return {}

    @cached_property
    def tasks(self) -> list[str]:
        """The task of each row."""
        return self.texts("task")

    @cached_property
    def inputs(self) -> list[str]:
        """The input of each row."""
        return self.texts("input")

    @cached_property
    def normal_inputs(self) -> list[str]:
        """The input of each row in normal form."""
        made = {text: normal(text) for text in dict.fromkeys(self.inputs)}
        return [made[text] for text in self.inputs]

    @cached_property
    def lettered(self) -> dict[str, dict[str, str]]:
        """The options by letter, for each different text of the column ``options``."""
        return {text: option_texts(text) for text in dict.fromkeys(self.texts("options"))}


def read_published(where: str | Path, columns: Collection[str] = _KNOWN, threads: int = _READERS) -> Published:
    """Read a dataset.

    Parameters
    ----------
    where
        A folder (its ``data/`` if that holds shards, else every Parquet, JSONL and JSON file below it), one such
        file, or the id of a dataset on the Hub.
    columns
        The columns that are needed besides ids, tasks and splits; fewer are read sooner. The rows are in the same
        order: where their ids do not tell them apart, everything is read.
    threads
        How many files are read at a time.

    Raises
    ------
    UserError
        If there is nothing to read, a shard or a column is missing, or a split has an unknown name.
    """
    wanted = _KNOWN & _ALWAYS.union(columns)
    root = Path(where)
    if not root.exists():
        root = _download(str(where))
    files = _files(root)
    refuse_missing(root, files)
    layouts = {match[1] for file in files if (match := _SHARD.fullmatch(file.name))}
    # A dataset of one split only says in its columns what a row is for.
    by_name = len(layouts) > 1
    parts = []
    with ThreadPoolExecutor(threads) as pool:
        tables = pool.map(partial(_read, root, wanted), files)
        for file, table in zip(files, tables, strict=True):
            match = _SHARD.fullmatch(file.name) if by_name else None
            if table is not None:
                filed = ROLES.index(match[1]) if match else -1
                parts.append(table.append_column("filed", pa.array(np.full(table.num_rows, filed, np.int8))))
    if not sum(part.num_rows for part in parts):
        raise UserError(_nothing(where))
    table = pa.concat_tables(parts, promote_options="default")
    return _ordered(table, len(parts), whole=wanted >= _KNOWN) or read_published(root, threads=threads)


def _nothing(where: str | Path) -> str:
    return (
        f"There are no shards at '{where}': no Parquet, JSONL or JSON file with rows below it. Give the folder of a "
        "published dataset (the one that holds data/), one of its files, or the id of a dataset on the Hub."
    )


def _download(name: str) -> Path:
    """Fetch a dataset's files from the Hub (or from where ``HF_ENDPOINT`` says) into its cache."""
    if not _HUB_ID.fullmatch(name) or name.endswith(_KINDS):
        raise UserError(_nothing(name))
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - it takes a second that local folders need not wait
    from huggingface_hub.errors import (  # noqa: PLC0415
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    patterns = [*(f"*{kind}" for kind in _KINDS), CHECKSUMS]
    try:
        return Path(snapshot_download(name, repo_type="dataset", allow_patterns=patterns))
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"There is no folder '{name}', and no dataset of that name on the Hub that you may read. See that the name "
            "is right; for a private dataset, sign in with 'hf auth login' first."
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UserError(
            f"There is no folder '{name}', and the Hub cannot be asked for a dataset of that name: no connection to "
            "it, or it is out of order. Try again later, or give the folder of a downloaded copy."
        ) from error


def _files(root: Path) -> list[Path]:
    """Return the files to read, by name."""
    if root.is_file():
        if root.suffix not in _KINDS:
            raise UserError(_nothing(root))
        return [root]
    data = root / "data"
    below = data if data.is_dir() and next(data.rglob("*.parquet"), None) else root
    found = sorted(file for file in below.rglob("*") if file.suffix in _KINDS and file.is_file())
    return [file for file in found if not any(part.startswith(".") for part in file.relative_to(root).parts)]


def _read(root: Path, wanted: frozenset[str], file: Path) -> pa.Table | None:
    """Return the wanted columns of a file as text, or None if it holds no rows but something about the dataset."""
    name = file.relative_to(root).as_posix() if file != root else file.name
    try:
        shard = pq.ParquetFile(file) if file.suffix == ".parquet" else None
        table = _read_parquet(shard, wanted) if shard else _read_json(file)
    except (OSError, pa.ArrowException, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UserError(
            f"The file {name} of the dataset cannot be read: {' '.join(str(error).split())[:300].rstrip('.')}."
        ) from error
    if table is None:
        return None
    there = shard.schema_arrow.names if shard else table.column_names
    missing = [column for column in REQUIRED if column not in there]
    if missing:
        raise UserError(
            f"The file {name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}. An audit reads datasets "
            f"in ECInstruct's columns: {', '.join(REQUIRED)}; and, where they are there, "
            f"{', '.join((*OPTIONAL, *LISTS))}."
        )
    read = wanted.intersection(table.column_names)
    columns = {column: _as_text(table[column]) for column in (*REQUIRED, *OPTIONAL) if column in read}
    columns |= {column: _as_lists(table[column]) for column in LISTS if column in read}
    return pa.table(columns)


def _read_parquet(shard: pq.ParquetFile, wanted: frozenset[str]) -> pa.Table:
    return shard.read([name for name in shard.schema_arrow.names if name in wanted], use_threads=False)


def _read_json(file: Path) -> pa.Table | None:
    """Read a list of objects, or an object a line; None for a file that is one object."""
    with file.open(encoding="utf-8-sig") as stream:
        first = stream.readline()
        stream.seek(0)
        if first.lstrip().startswith("{") and (file.suffix == ".jsonl" or _is_object(first)):
            rows: Any = [json.loads(line) for line in stream if line.strip()]
        else:
            rows = json.load(stream)
    if not isinstance(rows, list):
        return None
    if not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("its rows are not all objects")
    names = list(dict.fromkeys(name for row in rows for name in row))
    known = [name for name in (*REQUIRED, *OPTIONAL, *LISTS) if name in names]
    if "instruction" not in names and file.suffix == ".json":
        return None  # a list of something else
    texts = {name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in known if name not in LISTS}
    lists = {
        name: pa.array([_list(row.get(name)) for row in rows], pa.list_(pa.string())) for name in known if name in LISTS
    }
    return pa.table({**texts, **lists})


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _text(value: Any) -> str | None:
    """Return a JSON value as text; NaN is no value."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text  # lone surrogates


def _list(value: Any) -> list[str | None] | None:
    return [_text(one) for one in value] if isinstance(value, list) else None


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array([_text(value) for value in column.to_pylist()], pa.string())])
    return column.cast(pa.string())


def _as_lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    target = pa.list_(pa.string())
    if column.type == target:
        return column
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_null(column.type):
        return column.cast(target)
    # One value, or none.
    values = [None if value is None else [str(value)] if value != "" else [] for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, target)])


def _ordered(table: pa.Table, files: int, *, whole: bool) -> Published | None:
    """Put rows in order; None if it takes their other columns, too, to say what it is."""
    stated = _stated_roles(table)
    filed = table["filed"].to_numpy()
    roles = np.where(filed >= 0, filed, stated).astype(np.int8)
    table = table.drop_columns(["filed"])
    ids = table["example_id"].to_pylist() if "example_id" in table.column_names else [None] * table.num_rows
    placed = list(zip(roles.tolist(), table["task"].to_pylist(), ids, strict=True))
    counts = Counter(placed)
    # Of rows with an id of their own no digest is needed.
    alike = [row for row, place in enumerate(placed) if not ids[row] or counts[place] > 1]
    if alike and not whole:
        return None
    digests = [""] * len(ids)
    for row, content in zip(alike, _row_bytes(table.take(alike)) if alike else (), strict=True):
        digests[row] = xxhash.xxh3_128_hexdigest(content)
        ids[row] = ids[row] or f"row:{digests[row][:16]}"
    keys = pa.table({"role": roles, "task": table["task"], "id": ids, "digest": digests})
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    places = order.to_numpy()
    misfiled = (filed >= 0) & (stated >= 0) & (filed != stated)
    return Published(table.take(order), roles[places], misfiled[places], [ids[place] for place in places], files)


def _stated_roles(table: pa.Table) -> NDArray[np.int8]:
    """Return what the split and setting columns say each row is for."""
    pairs = pa.table({name: pc.fill_null(table[name], "").combine_chunks() for name in ("split", "setting")})
    encoded = pc.binary_join_element_wise(pairs["split"], pairs["setting"], "\t").combine_chunks().dictionary_encode()
    known = [_role(*pair.split("\t", 1)) for pair in encoded.dictionary.to_pylist()]
    roles: NDArray[np.int8] = np.array(known, np.int8)[encoded.indices.to_numpy(zero_copy_only=False)]
    return roles


def _role(split: str, setting: str) -> int:
    word = split.strip().casefold()
    if not word:
        return -1
    if word in ROLES:
        base = word
    elif word in _SPLITS:
        base = _SPLITS[word]
    else:
        raise UserError(
            f"The column split says {split[:60]!r}, which is the name of no split that an audit knows: train, val (or "
            "validation) and test."
        )
    if base != "test":
        return ROLES.index(base)
    plain = setting.casefold()
    ood = "_ood" if plain.startswith("ood") else ""
    unseen = "_unseen_instructions" if "unseen" in plain else ""
    return ROLES.index(f"test{ood}{unseen}")


def _row_bytes(table: pa.Table) -> Iterator[bytes]:
    """Yield a canonical form of each row."""
    parts = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        joined = pc.binary_join(_without_nulls(column), "\x1f") if name in LISTS else column
        parts.append(pc.fill_null(joined, "\x00"))
    yield from pc.binary_join_element_wise(*parts, "\x1e").cast(pa.binary()).to_pylist()


def _without_nulls(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return lists of text with a mark for each null in them."""
    chunks = [
        pa.ListArray.from_arrays(chunk.offsets, pc.fill_null(chunk.values, "\x00"), mask=pc.is_null(chunk))
        for chunk in (pa.concat_arrays([chunk]) for chunk in lists.chunks)
    ]
    return pa.chunked_array(chunks, pa.list_(pa.string()))
