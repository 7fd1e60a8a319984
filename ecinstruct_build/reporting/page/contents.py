"""What the published texts are like: lengths, labels, positions of right answers, use and diversity of instructions.

Texts recur (an input in several settings, an instruction in thousands of rows), so each different one is looked at
once.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from statistics import fmean

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.answers import ATTRIBUTE_LIST, LETTERS
from ecinstruct_build.audit.balance import position_p
from ecinstruct_build.audit.texts import option_texts
from ecinstruct_build.registry import TASKS
from ecinstruct_build.reporting.page.data import Diversity, Instruction, Labels, Lengths, Positions
from ecinstruct_build.splits import ORIGINAL_SPLIT, SETTINGS, SPLITS, Layout, published_split

BINS = (0, 1, 2, 3, *(words << octave for octave in range(11) for words in (4, 5, 6, 7)))
"""Fewest words of each bin of a histogram: four bins an octave from 4 words on, the last one open."""

FEW_LABELS = 26
"""Different answers that a task has at most to have labels."""

_EACH_ONCE = tuple(one.name for one in SETTINGS if one.instructions == "diverse" and not one.shots)
_SPLIT_OF = {
    (setting.name, ORIGINAL_SPLIT[split]): split
    for setting in SETTINGS
    for split in setting.splits
    if setting.name in _EACH_ONCE
}
_LABELS_BY_NAME = 3  # so many are in order of name, so that yes and no are alike in all tasks
_ABSENT = "None"  # what answers say of an attribute that a product does not have


def each_once(samples: pa.Table) -> pa.Table:
    """Return one row for each example: those that are rendered with any of the seen instructions."""
    return samples.filter(pc.is_in(samples["setting"], value_set=pa.array(_EACH_ONCE)))


def place_of(split: str, setting: str, layout: Layout) -> str:
    """Return where a row is published: its split or, in the original's layout, its setting and split."""
    return f"{setting}/{split}" if layout == "ecinstruct" else published_split(split, setting) or ""


def values_of(table: pa.Table, column: str) -> Counter[str]:
    """Return how many rows there are of each value."""
    return Counter({value: count for (value,), count in counted_by(table, [column])})


def counted_by(table: pa.Table, columns: Sequence[str]) -> list[tuple[tuple[str, ...], int]]:
    """Return how many rows there are of each combination of values, sorted."""
    # Without threads: tables are small, and another process may have work for all processors.
    counts = table.group_by(list(columns), use_threads=False).aggregate([([], "count_all")])
    values = zip(*(counts[column].to_pylist() for column in columns), strict=True)
    return sorted(zip(values, counts["count_all"].to_pylist(), strict=True))


def lengths_of(task: str, samples: pa.Table, examples: pa.Table) -> list[Lengths]:
    """Count the words of a task's inputs and outputs, once an example, and of its instructions, once a row."""
    tables = {"input": examples, "instruction": samples, "output": examples}
    return [_lengths(task, column, table[column]) for column, table in tables.items() if table.num_rows]


def _lengths(task: str, column: str, texts: pa.ChunkedArray) -> Lengths:
    different = texts.value_counts()
    words = np.repeat(words_in(different.field("values")), different.field("counts").to_numpy())
    words.sort()
    bins = np.bincount(np.digitize(words, BINS) - 1, minlength=len(BINS))
    return Lengths(
        task, column, len(words), _quantile(words, 0.5), _quantile(words, 0.95), int(words[-1]), tuple(bins.tolist())
    )


def words_in(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Return the number of words of each text: of runs without white space."""
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pc.list_value_length(pc.utf8_split_whitespace(trimmed))
    filled = pc.if_else(pc.equal(trimmed, ""), 0, words)
    counts: npt.NDArray[np.int64] = filled.to_numpy(zero_copy_only=False).astype(np.int64)
    return counts


def _quantile(ordered: npt.NDArray[np.int64], share: float) -> int:
    """Return the least value that at least such a share does not exceed."""
    return int(ordered[max(0, int(np.ceil(share * len(ordered) - 1e-9)) - 1)])


def labels_of(task: str, examples: pa.Table) -> Labels | None:
    """Count a task's labels by split; None where chance orders the options, or answers are not of a few kinds."""
    if TASKS.get(task).answer.option_order == "shuffled":
        return None
    found: dict[str, Counter[str]] = {}
    letter_of: dict[str, str] = {}
    name = _AttributeLabels() if TASKS.get(task).answer is ATTRIBUTE_LIST else _OptionLabels()
    for (setting, split, options, output), count in counted_by(examples, ["setting", "split", "options", "output"]):
        label = name.of(options, output)
        found.setdefault(_SPLIT_OF[setting, split], Counter())[label] += count
        letter_of.setdefault(label, output if options else "")
    totals = sum(found.values(), Counter())
    if not totals or len(totals) > FEW_LABELS:
        return None
    few = len(totals) <= _LABELS_BY_NAME
    names = sorted(totals, key=lambda label: (letter_of[label], 0 if few else -totals[label], label))
    counts: dict[str, tuple[int, ...]] = {}
    for split in SPLITS:
        if split in found:
            counts[split] = tuple(found[split][label] for label in names)
    return Labels(task, tuple(names), counts)


class _OptionLabels:
    """The label of an answer: the option that it names, or its text."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = {}

    def of(self, options: str, output: str) -> str:
        if options not in self._texts:
            self._texts[options] = option_texts(options)
        return self._texts[options].get(output, output)


class _AttributeLabels:
    """The label of a list of attributes: whether the product has them."""

    def of(self, _options: str, output: str) -> str:
        try:
            absent = [one["value"] == _ABSENT for one in json.loads(output)]
        except (ValueError, TypeError, KeyError):
            return "not a list of attributes"
        if any(absent):
            return "none is there" if all(absent) else "some are there, some are not"
        return "every attribute is there"


def positions_of(task: str, examples: pa.Table) -> Positions | None:
    """Count the letters of right (or best) options; None unless chance orders the task's options."""
    if TASKS.get(task).answer.option_order != "shuffled" or not examples.num_rows:
        return None
    letter = pc.utf8_slice_codeunits(examples["output"], 0, 1)
    options = pc.count_substring_regex(examples["options"], r"(?m)^[A-Z]: ")
    observed: Counter[str] = Counter()
    expected: dict[str, float] = {}
    shapes: list[tuple[str, tuple[str, ...]]] = []
    for (right, size), count in counted_by(pa.table({"letter": letter, "size": options}), ["letter", "size"]):
        letters = tuple(LETTERS[: int(size)])
        observed[right] += count
        shapes += [(right, letters)] * count
        for one in letters:
            expected[one] = expected.get(one, 0.0) + count / len(letters)
    shown = tuple((one, observed[one], round(expected.get(one, 0.0), 3)) for one in sorted({*observed, *expected}))
    return Positions(task, len(shapes), shown, position_p(shapes))


def diversity_of(task: str, samples: pa.Table, examples: pa.Table, layout: Layout) -> Diversity:
    """Say how a task's instructions are used, and how different its texts are."""
    used: dict[tuple[str, str], Counter[str]] = {}
    held_out = set()
    columns = ["template_id", "instruction", "split", "setting"]
    for (template, text, split, setting), count in counted_by(samples, columns):
        used.setdefault((template, text), Counter())[place_of(split, setting, layout)] += count
        if "_Unseen_" in setting:
            held_out.add((template, text))
    instructions = [Instruction(*key, key in held_out, dict(sorted(used[key].items()))) for key in sorted(used)]
    texts = [text.casefold().split() for text in sorted({one.text for one in instructions})]
    return Diversity(
        task=task,
        instructions=tuple(sorted(instructions, key=lambda one: (one.held_out, one.template_id, one.text))),
        distinct_1=_distinct(((word,) for word in words) for words in texts),
        distinct_2=_distinct(pairwise(words) for words in texts),
        overlap=_overlap(texts),
        inputs=examples.num_rows,
        distinct_inputs=pc.count_distinct(examples["input"]).as_py(),
        distinct_outputs=pc.count_distinct(examples["output"]).as_py(),
    )


def _distinct(texts: Iterable[Iterable[tuple[str, ...]]]) -> float:
    grams = [gram for text in texts for gram in text]
    return round(len(set(grams)) / len(grams), 6) if grams else 0.0


def _overlap(texts: Sequence[Sequence[str]]) -> float | None:
    """Return the mean Jaccard similarity of two texts' words."""
    pairs = list(combinations([set(words) for words in texts], 2))
    return round(fmean(len(one & other) / max(1, len(one | other)) for one, other in pairs), 6) if pairs else None
