"""Rows that corpora of several kinds have in common."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from ecinstruct_build.source import Batch
from ecinstruct_build.tables import arrow_table, repeated


def match_rows(
    batch: Batch, left_ids: Sequence[str], right_ids: Sequence[str], is_match: Sequence[bool]
) -> Mapping[str, pa.Table]:
    """Return one row of ``match`` for each record of a batch, on listings that its own source describes.

    Parameters
    ----------
    batch
        The records' batch.
    left_ids, right_ids, is_match
        The product keys of the two listings, and whether they are the same product.
    """
    count = len(batch.records)
    columns = {
        "left_id": left_ids,
        "right_id": right_ids,
        "is_match": is_match,
        "catalogue": repeated(batch.source, count),
        "locale": repeated("us", count),
        **batch.origin(),
    }
    return {"match": arrow_table("match", columns)}


def no_rows(_: Batch) -> Mapping[str, pa.Table]:
    """Fill no table: for a kind of file that is read only to be counted."""
    return {}
