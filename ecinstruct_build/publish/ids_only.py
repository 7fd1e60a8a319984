"""Rows without their text: what may be published of corpora whose text may not."""

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.example import SAMPLE_SCHEMA, dump_json

_IDS = ("split", "task", "setting", "example_id", "template_id", "source", "domain", "locale", "products", "families")
_BATCH_ROWS = 4096

IDS_SCHEMA = pa.schema(
    [
        *(SAMPLE_SCHEMA.field(name) for name in _IDS),
        SAMPLE_SCHEMA.field("groups"),
        pa.field("row_sha256", pa.string(), nullable=False),
    ]
)
"""Published columns where only ids are published.

A group may hold words of its corpus (a query, a question), so each is given by its kind and a digest of its name:
equal names have equal digests. ``row_sha256`` is the SHA-256 of the full row, as `dump_json` writes it.
"""

IDS_MEANINGS = {
    "groups": "kind and SHA-256 (first 32 hex digits) of each user, query, question or attribute of the row",
    "row_sha256": "SHA-256 of the full row as `json.dumps(row, sort_keys=True, ensure_ascii=False)`, in UTF-8",
}
"""Meaning of the columns that the full rows do not have, or have otherwise."""


def ids_of(rows: pa.Table) -> pa.Table:
    """Return rows of `SAMPLE_SCHEMA` as rows of `IDS_SCHEMA`, in the same order."""
    parts = [_batch_ids(batch) for batch in rows.to_batches(max_chunksize=_BATCH_ROWS)]
    return pa.Table.from_batches(parts, schema=IDS_SCHEMA)


def _batch_ids(batch: pa.RecordBatch) -> pa.RecordBatch:
    digests = [hashlib.sha256(dump_json(row).encode()).hexdigest() for row in batch.to_pylist()]
    columns = [batch.column(name) for name in _IDS]
    return pa.RecordBatch.from_arrays(
        [*columns, _veiled(batch.column("groups")), pa.array(digests, pa.string())], schema=IDS_SCHEMA
    )


def _veiled(groups: pa.ListArray) -> pa.ListArray:
    """Return groups with a digest in the place of what follows their kind."""
    names = groups.flatten().to_pylist()
    veiled = {name: f"{name.partition(':')[0]}:{hashlib.sha256(name.encode()).hexdigest()[:32]}" for name in names}
    lengths = pc.list_value_length(groups).to_pylist()
    values = iter(names)
    return pa.array([[veiled[next(values)] for _ in range(length)] for length in lengths], groups.type)
