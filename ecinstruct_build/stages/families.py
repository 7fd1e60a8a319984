"""Product families, wrapped for the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq

from ecinstruct_build.drawing.pools import same_words_column
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.stages.corpora import OpenTables
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.leakage import families_of

_PAIRS = pa.schema([("product_id", pa.string()), ("parent_id", pa.string())])
_TELLING_TITLE = 20  # characters from which on two products of one title are taken for one product


def families(tables: OpenTables, machine: Machine) -> Stage:
    """Join products into families: variants with their parent, known matches, and products of the same title."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("families"):
            opened = tables.open()
            product, match = opened["product"], opened["match"]
            variants = product.filter(product.parent_id.notnull()).select("product_id", "parent_id")
            listings = match.filter(match.is_match).select(product_id=match.left_id, parent_id=match.right_id)
            key = ["product_id", "parent_id"]
            # Fetched one by one: a table that no source fills has stricter column types than a union admits.
            pairs = [opened.fetch(part.distinct(), key) for part in (variants, listings, _same_titles(product))]
            joined = families_of(pa.concat_tables([part.cast(_PAIRS) for part in pairs]))
        table = pa.table({"product_id": sorted(joined), "family_id": [joined[key] for key in sorted(joined)]})
        pq.write_table(table, out / "families.parquet", compression="zstd")
        return {"families": len(set(joined.values()))}

    inputs = {
        "tables": tables.digests(["match", "product"]),
        "code": [code_digest("quality.leakage"), code_digest("ecinstruct_build.drawing.pools"), own_digest(__name__)],
    }
    return machine.store.run("families", "products", inputs, produce)


def _same_titles(product: ir.Table) -> ir.Table:
    """Pair products of the same title with the first of them; short titles say too little."""
    titled = product.mutate(words=same_words_column(product.title))
    titled = titled.filter(titled.words.length() >= _TELLING_TITLE).select("product_id", "words").distinct()
    first = titled.group_by("words").agg(parent_id=titled.product_id.min(), products=titled.product_id.count())
    first = first.filter(first.products > 1)
    joined = titled.join(first, "words")
    return joined.filter(joined.product_id != joined.parent_id).select("product_id", "parent_id")
