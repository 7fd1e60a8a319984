"""The forms that upstream files have, as bytes."""

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def json_lines(*lines: Any) -> bytes:
    """Records as JSON lines; text stands as it is."""
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def literal_lines(*lines: Any) -> bytes:
    """Records as lines of Python literals; text stands as it is."""
    return "".join((line if isinstance(line, str) else repr(line)) + "\n" for line in lines).encode()


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def parquet(rows: Iterable[Mapping[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()
