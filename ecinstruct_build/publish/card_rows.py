"""The parts of the card that show the rows: what the dataset is, how to load it, its tasks, samples and columns."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.card_info import CardInfo
from ecinstruct_build.publish.columns import columns_table
from ecinstruct_build.publish.ids_only import IDS_MEANINGS
from ecinstruct_build.publish.licences import LICENCE
from ecinstruct_build.publish.rebuild import STEPS
from ecinstruct_build.publish.shards import first_rows
from ecinstruct_build.shortfall import SourceShare, idle_sources, source_shares
from ecinstruct_build.splits import PUBLISHED_SPLITS, SETTINGS, SPLITS

_SHOWN_CHARACTERS = 4000
_CANDIDATES = 100
_ORIGINAL_SPLITS = ("train", "val", "test")


def opening(info: CardInfo) -> Iterator[str]:
    """Yield the heading, what the dataset is, and what its user has to know before all else."""
    yield f"# {info.title}\n"
    yield from _warnings(info)
    if info.description:
        yield f"{info.description}\n"
    yield (
        "An instruction dataset for e-commerce language models, rebuilt from raw corpora after the design of "
        "ECInstruct ([eCeLLM](https://github.com/ninglab/eCeLLM), ICML 2024) with `ecinstruct-build`.\n"
    )


def _warnings(info: CardInfo) -> Iterator[str]:
    unfree = [source.name for source in info.sources if not source.redistributable]
    if info.generated:
        yield (
            "> **The corpora behind this dataset are generated.** Their products, people and texts are made up to try "
            "the software with; a model learns nothing about the world from them.\n"
        )
    elif info.restricted:
        names = ", ".join(source.name for source in info.restricted)
        yield (
            f"> **This is not the text, only the ids.** The terms of {names} do not allow their text to be published "
            f"again, so each row here is given by its ids and a checksum. [{STEPS}]({STEPS}) says how to rebuild the "
            "rows, byte for byte, from your own copy of the corpora.\n"
        )
    elif unfree:
        yield (
            f"> **Keep this dataset to yourself.** The terms of {', '.join(unfree)} do not allow their text to be "
            f"published again; [{LICENCE}]({LICENCE}) has the terms of each source.\n"
        )


def loading(info: CardInfo) -> Iterator[str]:
    """Yield how to load the dataset."""
    yield "## Loading\n"
    lines = ["from datasets import load_dataset", ""]
    if info.manifest["layout"] == "ecinstruct":
        lines.append(
            'rows = load_dataset("path/to/this/folder")["train"]  # every row; see the columns split, task, setting'
        )
    else:
        lines.append('every_task = load_dataset("path/to/this/folder")  # or the dataset\'s name on the Hub')
        lines += [f'one_task = load_dataset("path/to/this/folder", "{task}")' for task in sorted(info.samples)[:1]]
    yield markdown.code("\n".join(lines), "python")


def rows(info: CardInfo) -> Iterator[str]:
    """Yield what each task is and how many rows it has."""
    yield "## Tasks and rows\n"
    yield "\n".join(f"- **{task}**: {info.tasks[task]}" for task in sorted(info.samples)) + "\n"
    yield _rows_by_setting(info) if info.manifest["layout"] == "ecinstruct" else _rows_by_split(info)


def _rows_by_split(info: CardInfo) -> str:
    counts = Counter[tuple[str, str]]()
    for shard in info.manifest["shards"]:
        counts[shard["task"], shard["split"]] += shard["rows"]
    splits = [split for split in PUBLISHED_SPLITS if any(counts[task, split] for task in info.samples)]
    lines = [(task, *(counts[task, split] for split in splits)) for task in sorted(info.samples)]
    totals = ("all", *(sum(counts[task, split] for task in info.samples) for split in splits))
    return markdown.table(("task", *splits), [*lines, totals], right=len(splits))


def _rows_by_setting(info: CardInfo) -> str:
    splits = _ORIGINAL_SPLITS
    lines = []
    for task, table in sorted(info.samples.items()):
        found = table.group_by(["setting", "split"]).aggregate([([], "count_all")]).to_pylist()
        counts = {(row["setting"], row["split"]): row["count_all"] for row in found}
        for setting in SETTINGS:
            line = [counts.get((setting.name, split), 0) for split in splits]
            if any(line):
                lines.append((task, setting.name, *line))
    return markdown.table(("task", "setting", *splits), lines, right=len(splits))


def rows_by_source(info: CardInfo) -> Iterator[str]:
    """Yield how many rows of each task are of which source and, where the recipe asks for shares, what each has."""
    yield "## Rows by source\n"
    tasks = sorted(info.manifest["tasks"].items())
    counts = {
        (name, source): _by_split(one["samples"])
        for name, task in tasks
        for source, one in sorted(task["sources"].items())
        if one["samples"]
    }
    names = _ORIGINAL_SPLITS if info.manifest["layout"] == "ecinstruct" else PUBLISHED_SPLITS
    splits = [split for split in names if any(found[split] for found in counts.values())]
    yield "The corpus that a row was made from stands in its column `source`.\n"
    lines = [(*key, *(found[split] for split in splits), found.total()) for key, found in counts.items()]
    yield markdown.table(("task", "source", *splits, "all"), lines, right=len(splits) + 1)
    if idle := idle_sources(info.manifest):
        yield f"No row was made from {', '.join(idle)}; products of other rows may be described by them.\n"
    shares = [
        (name, one.source, f"{one.wanted:.1%}", *(_share_made(one, split) for split in SPLITS))
        for name, task in tasks
        for one in source_shares(task)
    ]
    if shares:
        yield (
            "The recipe asks for shares of the sources, in the examples of every split; what a source lacks, the "
            "others make up for. Bold: less than was asked for, by more than one example. Empty: the split has no "
            "example, or the source has none out of domain.\n"
        )
        yield markdown.table(("task", "source", "asked for", *SPLITS), shares, right=len(SPLITS) + 1)


def _by_split(samples: Mapping[str, int]) -> Counter[str]:
    """Return rows by published split or, in the original's layout, by the column ``split``, whatever the setting."""
    counts: Counter[str] = Counter()
    for place, number in samples.items():
        counts[place.rpartition("/")[2]] += number
    return counts


def _share_made(share: SourceShare, split: str) -> str:
    made = share.in_split(split)
    if made is None:
        return ""
    return f"**{made:.1%}**" if share.is_short(split) else f"{made:.1%}"


def samples(info: CardInfo) -> Iterator[str]:
    """Yield one row of each task; never a test row: cards are crawled, and crawled text is trained on."""
    if info.restricted:
        return
    yield "## One row of each task\n"
    for task, table in sorted(info.samples.items()):
        train = first_rows(table, "train", _CANDIDATES)
        yield f"### {task}\n"
        yield (
            markdown.code(_shown(train), "text")
            if train.num_rows
            else "It has no training rows; rows to be tested on are not shown.\n"
        )


def _shown(table: pa.Table) -> str:
    """Return, of the first rows, the one of middling length as text: typical, and the same whenever the rows are."""
    names = ("instruction", "input", "options", "output")
    lengths = zip(*(pc.utf8_length(table[name]).to_pylist() for name in names), strict=True)
    ordered = sorted(zip(map(sum, lengths), table["example_id"].to_pylist(), range(table.num_rows), strict=True))
    (row,) = table.slice(ordered[len(ordered) // 2][-1], 1).select(names).to_pylist()
    text = "\n\n".join(f"[{name}]\n{row[name]}" for name in names if row[name])
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}\n[cut here]"


def columns(info: CardInfo) -> Iterator[str]:
    """Yield what the columns mean."""
    yield "## Columns\n"
    if info.restricted:
        yield "The columns of the full rows that say nothing in the words of a corpus, and a checksum.\n"
        yield columns_table(info.schema, IDS_MEANINGS)
    else:
        yield "The first eight are ECInstruct's own, with the same names and meanings.\n"
        yield columns_table(info.schema)
