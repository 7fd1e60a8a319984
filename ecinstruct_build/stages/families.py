"""Product families, wrapped for the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.drawing.pools import same_words_column
from ecinstruct_build.engine import Tables
from ecinstruct_build.lazily import ir
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import FamilySettings
from ecinstruct_build.stages.corpora import OpenTables
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.lexicon.placeholders import CODE, PLACEHOLDERS
from quality.splitting.families import PAIRS, equal_titles, families_of, near_identical

_TELLING_TITLE = 20  # characters from which on two products of one title are taken for one product
_TITLES = pa.schema([("product_id", pa.string()), ("title", pa.string()), ("brand", pa.string())])
_LISTED = ("context", "options", "spare_options")


def families(tables: OpenTables, drawn: Mapping[str, Stage], settings: FamilySettings, machine: Machine) -> Stage:
    """Join products into families.

    Over the whole catalogue: variants with their parent, known matches, and products of the same title. Among the
    products that drawn examples show or may show: those whose titles, once mended, are equal or near-identical.

    Parameters
    ----------
    tables
        The canonical tables.
    drawn
        The stage that drew each task's examples.
    settings
        When titles are near-identical.
    machine
        What to build with.

    Returns
    -------
    Stage
        ``families.parquet`` with the columns ``product_id`` and ``family_id``, as
        `quality.splitting.families.families_of` returns them. Facts: how many ``families``, and how many products
        each kind of evidence ``joined``.
    """

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("families"):
            opened = tables.open()
            pairs = known_pairs(opened)
            shown = titles_of(opened, shown_products(drawn.values()))
            pairs["equal_title"] = pa.concat_tables([pairs["equal_title"], equal_titles(shown)])
            pairs["near_identical"] = near_identical(shown, similarity=settings.similarity, variants=settings.variants)
            table = families_of(pa.concat_tables(pairs.values()))
        pq.write_table(table, out / "families.parquet", compression="zstd")
        return {
            "families": pc.count_distinct(table["family_id"]).as_py(),
            "joined": {kind: _products(part) for kind, part in pairs.items()},
        }

    joining = ("quality.splitting.families", "ecinstruct_build.drawing.pools")
    inputs = {
        "tables": tables.digests(["match", "product"]),
        "drawn": {name: stage.digest for name, stage in drawn.items()},
        "settings": settings.model_dump(mode="json"),
        "code": [*map(code_digest, joining), own_digest(__name__)],
    }
    return machine.store.run("families", "products", inputs, produce)


def read_families(joined: Stage) -> dict[str, str]:
    """Return the family of each product that is in one of two or more."""
    table = joined.table("families").to_pydict()
    return dict(zip(table["product_id"], table["family_id"], strict=True))


def known_pairs(opened: Tables) -> dict[str, pa.Table]:
    """Return pairs of one family over the whole catalogue, by kind of evidence: parent, match and equal title."""
    product, match = opened["product"], opened["match"]
    kinds = {
        "parent": product.filter(product.parent_id.notnull()).select("product_id", "parent_id"),
        "match": match.filter(match.is_match).select(product_id=match.left_id, parent_id=match.right_id),
        "equal_title": _same_titles(product),
    }
    # Fetched one by one: a table that no source fills has stricter column types than a union admits.
    return {kind: opened.fetch(part.distinct(), PAIRS.names).cast(PAIRS) for kind, part in kinds.items()}


def titles_of(opened: Tables, product_ids: pa.Array) -> pa.Table:
    """Return every title and brand that the catalogue knows of some products, once each."""
    wanted = opened.lend(pa.table({"product_id": product_ids}))
    product = opened["product"].filter(opened["product"].title.notnull())
    titles = product.semi_join(wanted, "product_id").select(*_TITLES.names).distinct()
    return opened.fetch(titles, _TITLES.names).cast(_TITLES)


def shown_products(drawn: Iterable[Stage]) -> pa.Array:
    """Return the ids of all products that drawn examples show or may show in the place of another, ordered."""
    leaves = ["products.list.element", *(f"{name}.list.element.product_id" for name in _LISTED)]
    found = [pa.array([], pa.string())]
    for stage in drawn:
        # Read as dictionaries: few products stand behind millions of options.
        file = pq.ParquetFile(stage.folder / "examples.parquet", read_dictionary=leaves)
        for batch in file.iter_batches(columns=leaves):
            listed = [batch["products"].flatten(), *(batch[name].flatten().field("product_id") for name in _LISTED)]
            found += [pc.unique(ids).dictionary_decode() for ids in listed]
    ids = pc.unique(pa.chunked_array(found))
    return ids.filter(pc.greater(pc.binary_length(ids), 0)).sort()


def _products(pairs: pa.Table) -> int:
    ids = [chunk for column in pairs.columns for chunk in column.chunks]
    return int(pc.count_distinct(pa.chunked_array(ids, pa.string())).as_py())


def _same_titles(product: ir.Table) -> ir.Table:
    """Pair products of the same title with the first of them; short titles say too little."""
    titled = product.mutate(words=same_words_column(product.title))
    telling = [titled.words.length() >= _TELLING_TITLE, titled.words.notin(sorted(PLACEHOLDERS))]
    titled = (
        titled.filter(*telling, *(~titled.title.contains(code) for code in CODE))
        .select("product_id", "words")
        .distinct()
    )
    first = titled.group_by("words").agg(parent_id=titled.product_id.min(), products=titled.product_id.count())
    first = first.filter(first.products > 1)
    joined = titled.join(first, "words")
    return joined.filter(joined.product_id != joined.parent_id).select("product_id", "parent_id")
