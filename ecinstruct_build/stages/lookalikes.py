"""Find look-alikes, wrapped for the store: accepted examples too alike to stand in two splits, whatever the seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.content import content_texts
from quality.duplicates import NEAR, DuplicateSettings, measure, similar_examples
from quality.similarity.passages import shared_passages
from quality.similarity.shingles import from_arrow, shingled
from quality.splitting.leakage import Assigned
from quality.splitting.placement import NOWHERE
from quality.splitting.trimmed import like_earlier_ones
from quality.splitting.web import Web

_CHECK = "duplicates"


def lookalikes(recipe: Recipe, checked: Checked, machine: Machine) -> Stage:
    """Find the pairs of accepted examples of any tasks whose content is nearly the same or that share passages."""
    settings = duplicate_settings(recipe)

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("look-alikes"):
            examples = [one for name in recipe.tasks for one in checked.accepted(name, spare_options=False)]
            measures = measures_of(checked, [one.example_id for one in examples], settings)
            similar = similar_examples(measures, recipe.split.similarity, settings.min_words)
            pairs = joined([similar, shared_passages(examples)])
        pq.write_table(pairs, out / "pairs.parquet", compression="zstd")
        return {"pairs": pairs.num_rows}

    inputs = {
        "examples": [stage.digest for stage in checked.stages],
        "tasks": list(recipe.tasks),
        "similarity": recipe.split.similarity,
        "settings": settings.model_dump(mode="json"),
        "code": [code_digest("quality.duplicates"), code_digest("quality.similarity.passages"), own_digest(__name__)],
    }
    return machine.store.run("look-alikes", recipe.name, inputs, produce)


def read_pairs(found: Stage) -> pa.Table:
    """Return the pairs of look-alikes, in `PAIR_SCHEMA`."""
    return pq.read_table(found.folder / "pairs.parquet")


def settled_lookalikes(recipe: Recipe, checked: Checked, examples: Web, assigned: Assigned) -> pa.Table:
    """Return the pairs of samples of two splits that became look-alikes only when the split trimmed their context.

    What was compared before is the whole context. Options that the split replaced are wrong ones: they are not
    compared.
    """
    settings = duplicate_settings(recipe)
    stands = assigned.split != NOWHERE
    trimmed = np.flatnonzero(stands & (assigned.context.lengths < examples.context.lengths))
    if not len(trimmed):
        return PAIR_SCHEMA.empty_table()
    stands[trimmed] = False
    others = np.flatnonzero(stands)
    ids = np.asarray(examples.example_ids, object)
    kept = dict(zip(ids[trimmed].tolist(), assigned.context.take(trimmed).to_lists(), strict=True))
    measured = _words_of(checked, ids[others].tolist(), settings)
    settled = shingled(_trimmed_contents(checked, kept), settings.shingle).to_arrow()
    where = pc.index_in(pa.array(ids[others], pa.string()), measured["example_id"]).to_numpy()
    texts = from_arrow(pa.chunked_array([*measured["words"].chunks, settled]))
    texts = texts.take(np.concatenate([where, len(measured) + np.arange(len(trimmed))]))
    found = like_earlier_ones(texts, len(others), recipe.split.similarity, settings.min_words)
    rows = np.concatenate([others, trimmed])
    apart = assigned.split[rows[found.left]] != assigned.split[rows[found.right]]
    ends = np.sort(ids[rows[np.stack([found.left[apart], found.right[apart]])]], axis=0)
    columns = [*ends.tolist(), [NEAR] * int(apart.sum()), found.score[apart]]
    return pa.table(columns, schema=PAIR_SCHEMA).sort_by([("left", "ascending"), ("right", "ascending")])


def _trimmed_contents(checked: Checked, kept: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the content of examples of which only some context items are kept, in order of their ids."""
    contents = {}
    for task in sorted({example_id.rpartition(":")[0] for example_id in kept}):
        for one in read_examples(checked.repaired[task], list(kept), spare_options=False):
            context = tuple(one.context[item] for item in kept[one.example_id])
            contents[one.example_id] = " ".join(content_texts(replace(one, context=context)))
    return [contents[example_id] for example_id in sorted(contents)]


def _words_of(checked: Checked, only: Sequence[str], settings: DuplicateSettings) -> pa.Table:
    """Return the words of examples, at least those named: as the check measured them, or cut now if it is off."""
    stages = checked.measured.get(_CHECK, {}).values()
    tables = [pq.read_table(stage.folder / "measures.parquet", columns=["example_id", "words"]) for stage in stages]
    return pa.concat_tables(tables) if tables else measures_of(checked, only, settings)


def duplicate_settings(recipe: Recipe) -> DuplicateSettings:
    """Return what the recipe says of the check for duplicates, or its defaults."""
    stated = recipe.checks.get(_CHECK)
    return stated if isinstance(stated, DuplicateSettings) else DuplicateSettings()


def measures_of(checked: Checked, only: Sequence[str], settings: DuplicateSettings) -> pa.Table:
    """Return what some examples are compared by: as the check measured it, or measured now if the check is off."""
    if checked.measured.get(_CHECK):
        return checked.measures(_CHECK, only)
    examples = (read_examples(stage, only, spare_options=False) for stage in checked.repaired.values())
    return measure(list(chain.from_iterable(examples)), settings)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables of pairs together, each pair once, with its highest score, ordered by both ids."""
    pairs = pa.concat_tables(tables)
    order = [("left", "ascending"), ("right", "ascending"), ("score", "descending"), ("reason", "ascending")]
    pairs = pairs.sort_by(order)
    ends = [pairs[side].combine_chunks() for side in ("left", "right")]
    if len(pairs) < 2:
        return pairs
    new = [pc.not_equal(side[1:], side[:-1]) for side in ends]
    return pairs.filter(pa.array(np.concatenate([[True], pc.or_(*new).to_numpy(zero_copy_only=False)])))
