"""Find look-alikes, wrapped for the store: accepted examples too alike to stand in two splits, whatever the seed.

Compared are the words of what an input shows: fields and context, but no options. Whoever audits a dataset compares
inputs too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ecinstruct_build.check import PAIR_SCHEMA
from ecinstruct_build.example import EXAMPLE_SCHEMA, Example, Option, table_to_examples
from ecinstruct_build.provenance import code_digest, own_digest
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.stages.checks import Checked
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Stage
from quality.content import content_texts, field_texts
from quality.duplicates import MEASURE_SCHEMA, NEAR, DuplicateSettings, measure, similar_examples
from quality.similarity.contents import contents_of
from quality.similarity.passages import passages_within
from quality.similarity.shingles import from_arrow, shingled
from quality.splitting.leakage import Assigned
from quality.splitting.placement import NOWHERE
from quality.splitting.ragged import Integers
from quality.splitting.trimmed import Likeness, holders_of_passages, like_earlier_ones, passages_of, read_passages
from quality.splitting.web import Web

MIN_WORDS = 5
"""Distinct words that two inputs have at least to be compared, unless they are equal: as few as an audit asks for."""

_CHECK = "duplicates"
_PASSAGE = "shared passage"
_NGRAM = 13
_SHARE = 0.5
_IN_ALL = 0.9  # share of inputs from which on a word is layout and not content


def lookalikes(recipe: Recipe, checked: Checked, machine: Machine) -> Stage:
    """Find the pairs of accepted examples of any tasks whose inputs are nearly the same or that share passages."""

    def produce(out: Path, _scratch: Path) -> Mapping[str, Any]:
        with machine.progress.track("look-alikes"):
            examples = [one for name in recipe.tasks for one in checked.accepted(name, spare_options=False)]
            ready, anew = _measured_inputs(recipe, checked, examples)
            similar = similar_examples(pa.concat_tables([ready, anew]), recipe.split.similarity, MIN_WORDS)
            contents = contents_of(examples, _NGRAM)
            pairs = joined([similar, passages_within(contents, _SHARE)])
            trimmable = np.array([bool(one.context) for one in contents.examples], np.bool_)
            passages_of(contents, trimmable).write(out)
        pq.write_table(pairs, out / "pairs.parquet", compression="zstd")
        pq.write_table(anew.select(["example_id", "words"]), out / "inputs.parquet", compression="zstd")
        return {"pairs": pairs.num_rows}

    inputs = {
        "examples": [stage.digest for stage in checked.before_split],
        "tasks": list(recipe.tasks),
        "similarity": recipe.split.similarity,
        "settings": duplicate_settings(recipe).model_dump(mode="json"),
        "code": lookalikes_code(),
    }
    return machine.store.run("look-alikes", recipe.name, inputs, produce)


def lookalikes_code() -> list[str]:
    """Return digests of all code that says which examples are alike, before the split and after it."""
    compared = ("quality.duplicates", "quality.similarity.passages", "quality.splitting.trimmed")
    read = ("ecinstruct_build.stages.checks", "ecinstruct_build.stages.examples", __name__)
    return [*map(code_digest, compared), *map(own_digest, read)]


def read_pairs(found: Stage) -> pa.Table:
    """Return the pairs of look-alikes, in `PAIR_SCHEMA`."""
    return found.table("pairs")


def input_measures(recipe: Recipe, checked: Checked, examples: Sequence[Example]) -> pa.Table:
    """Return what the inputs of accepted examples are compared by: words, in `quality.duplicates.MEASURE_SCHEMA`."""
    return pa.concat_tables(_measured_inputs(recipe, checked, examples))


def _measured_inputs(recipe: Recipe, checked: Checked, examples: Sequence[Example]) -> tuple[pa.Table, pa.Table]:
    """Return what the check measured of examples that it compares by their inputs, and what is measured now."""
    reused = _is_reused(recipe, checked)
    anew = [one for one in examples if not reused or _names_options(one)]
    ready = MEASURE_SCHEMA.empty_table()
    if len(anew) < len(examples):
        asked = {one.example_id for one in anew}
        ready = checked.measures(_CHECK, [one.example_id for one in examples if one.example_id not in asked])
    return ready, measure([_without_options(one) for one in anew], DuplicateSettings(shingle=1))


def _is_reused(recipe: Recipe, checked: Checked) -> bool:
    """Return whether the check for duplicates measured words too."""
    return bool(checked.measured.get(_CHECK)) and duplicate_settings(recipe).shingle == 1


def _names_options(example: Example) -> bool:
    """Return whether the check for duplicates compares more of an example than its input."""
    products = any(option.product_id for option in example.options)
    return products and content_texts(example) != list(field_texts(example))


def _without_options(example: Example) -> Example:
    return replace(example, options=(), answer="")


def settled_lookalikes(
    recipe: Recipe, checked: Checked, found: Stage, examples: Web, assigned: Assigned, *, words: pa.Table
) -> pa.Table:
    """Return the pairs of samples of two splits that became look-alikes only when the split trimmed their context.

    What was compared before is the whole context. Options that the split replaced are wrong ones: they are not
    compared. ``words`` is what `input_words` returns.
    """
    trimmed = trimmed_samples(checked, examples, assigned)
    if not trimmed:
        return PAIR_SCHEMA.empty_table()
    ids = np.asarray(examples.example_ids, object)
    late = np.searchsorted(ids, np.array([one.example_id for one in trimmed], object))
    stands = assigned.split != NOWHERE
    stands[late] = False
    others = np.flatnonzero(stands)
    rows = np.concatenate([others, late])
    settled = shingled([_input_text(one) for one in trimmed]).to_arrow()
    texts = from_arrow(pa.chunked_array([*words["words"].chunks, settled]))
    where = pc.index_in(pa.array(ids[others], pa.string()), words["example_id"]).to_numpy()
    texts = texts.take(np.concatenate([where, len(words) + np.arange(len(trimmed))]))
    near = like_earlier_ones(texts, len(others), recipe.split.similarity, MIN_WORDS)
    near = Likeness(rows[near.left], rows[near.right], near.score)
    contents = contents_of(trimmed, _NGRAM)
    passages = holders_of_passages(read_passages(found.folder), contents, _SHARE, stands)
    passages = Likeness(passages.left, late[passages.right], passages.score)
    among = passages_within(contents, _SHARE)
    sides = [np.searchsorted(ids, among[side].to_numpy()) for side in ("left", "right")]
    among = among.filter(pa.array(assigned.split[sides[0]] != assigned.split[sides[1]]))
    return joined([_apart(near, NEAR, ids, assigned), _apart(passages, _PASSAGE, ids, assigned), among])


def _apart(found: Likeness, reason: str, ids: npt.NDArray[np.object_], assigned: Assigned) -> pa.Table:
    """Lay pairs of samples of two splits out in `PAIR_SCHEMA`."""
    found = found.where(assigned.split[found.left] != assigned.split[found.right])
    ends = np.sort(ids[np.stack([found.left, found.right])], axis=0)
    columns = [*ends.tolist(), [reason] * len(found.score), found.score]
    return pa.table(columns, schema=PAIR_SCHEMA)


def trimmed_samples(checked: Checked, examples: Web, assigned: Assigned) -> list[Example]:
    """Return the samples whose context the split trimmed, as trimmed, ordered by example_id."""
    short = (assigned.split != NOWHERE) & (assigned.context.lengths < examples.context.lengths)
    rows = np.flatnonzero(short)
    ids = [examples.example_ids[row] for row in rows.tolist()]
    kept = dict(zip(ids, assigned.context.take(rows).to_lists(), strict=True))
    options = dict(zip(ids, _options(examples, rows), strict=True))
    tasks = sorted({examples.tasks[row] for row in rows.tolist()})
    whole = (_without_listed(checked.repaired[task], ids) for task in tasks)
    samples = {
        one.example_id: replace(
            one,
            context=tuple(one.context[item] for item in kept[one.example_id]),
            options=options[one.example_id],
        )
        for one in chain.from_iterable(whole)
    }
    return [samples[example_id] for example_id in ids]


def _options(examples: Web, rows: Integers) -> list[tuple[Option, ...]]:
    """Return the options that some examples were drawn with."""
    drawn = examples.options.take(rows)
    values = [Option(**value) for value in examples.option_values.take(pa.array(drawn.values)).to_pylist()]
    return [tuple(values[begin:end]) for begin, end in pairwise(drawn.starts.tolist())]


def _without_listed(stage: Stage, ids: Sequence[str]) -> list[Example]:
    """Read examples without their options and origins, which are most of what lies there."""
    columns = [name for name in EXAMPLE_SCHEMA.names if name not in ("options", "spare_options", "origins")]
    table = stage.table("examples", columns)
    return table_to_examples(table.filter(pc.is_in(table["example_id"], value_set=pa.array(ids, pa.string()))))


def like_kept_tests(trimmed: Sequence[Example], tests: Sequence[Example], similarity: float) -> list[str]:
    """Return the ids of trimmed samples that are too like a kept test, or share a passage with one.

    Parameters
    ----------
    trimmed
        Samples, as trimmed.
    tests
        The kept tests, in the forms in which they are compared.
    similarity
        Jaccard similarity of their words from which they are too alike.
    """
    if not trimmed or not tests:
        return []
    texts = shingled([_input_text(one) for one in (*tests, *trimmed)])
    near = like_earlier_ones(texts, len(tests), similarity, MIN_WORDS)
    ids = [one.example_id for one in (*tests, *trimmed)]
    alike = {
        ids[right] for left, right in zip(near.left.tolist(), near.right.tolist(), strict=True) if left < len(tests)
    }
    everything = contents_of(tests, _NGRAM)
    kept = np.ones(len(everything.examples), np.bool_)
    passages = holders_of_passages(passages_of(everything, kept), contents_of(trimmed, _NGRAM), _SHARE, kept)
    return sorted(alike | {trimmed[place].example_id for place in passages.right.tolist()})


def kept_forms(task: str, rows: pa.Table) -> Iterator[Example]:
    """Yield each kept row of a task twice as an example to compare with: its input as it is, and without its layout.

    Layout is what stands in nearly all inputs: the words around the content, or content that is much the same.
    """
    inputs = dict(zip(rows["example_id"].to_pylist(), rows["input"].to_pylist(), strict=True))
    words = {key: text.split() for key, text in inputs.items()}
    counts = Counter(word for parts in words.values() for word in set(parts))
    layout = {word for word, count in counts.items() if count >= _IN_ALL * len(words)}
    for key, parts in words.items():
        for form, shown in (("whole", parts), ("content", [word for word in parts if word not in layout])):
            yield Example(task, "kept", f"{form}|{key}", "ind", "", (), {"input": " ".join(shown)}, "")


def _input_text(example: Example) -> str:
    return " ".join(field_texts(example))


def input_words(checked: Checked, found: Stage, examples: Web) -> pa.Table:
    """Return the words of the inputs of all examples: measured with the look-alikes or by the check."""
    tables = [found.table("inputs")]
    ids = pa.array(examples.example_ids, pa.string())
    missing = pc.invert(pc.is_in(ids, value_set=tables[0]["example_id"]))
    tasks = sorted(pa.array(examples.tasks, pa.string()).filter(missing).unique().to_pylist())
    tables += (checked.measured[_CHECK][task].table("measures", ["example_id", "words"]) for task in tasks)
    return pa.concat_tables(tables)


def duplicate_settings(recipe: Recipe) -> DuplicateSettings:
    """Return what the recipe says of the check for duplicates, or its defaults."""
    stated = recipe.checks.get(_CHECK)
    return stated if isinstance(stated, DuplicateSettings) else DuplicateSettings()


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
