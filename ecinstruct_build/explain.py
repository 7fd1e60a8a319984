"""The story of one sample, from raw record to rendered text; and of any raw record, forwards."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.example import Example, Origin
from ecinstruct_build.ingesting.lines import split_lines, text_lines
from ecinstruct_build.ingesting.readers import Block, Limits, csv_records, read_blocks
from ecinstruct_build.source import FileKind
from ecinstruct_build.splits import Split
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.corpora import IngestedFile
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.samples import read_samples, settle
from ecinstruct_build.stages.split import read_assignments

NO_RECORD = "no record starts at this line"

_RECORD_CHARACTERS = 2_000
_ASKED = "the last build of this stage store"


def explain(built: Built, raw: Path, identity: str) -> dict[str, Any]:
    """Tell what became of something.

    Parameters
    ----------
    built
        The build to ask.
    raw
        The folder of upstream files that it was made from.
    identity
        An ``example_id`` (``sentiment_analysis:0123456789abcdef``), or a raw record as ``source/file:line``.

    Returns
    -------
    dict
        For an example: its raw records, itself, verdicts, split with the reason, samples. For a raw record: what it
        says, what ingest did with it, and the examples that were made of it or show it.

    Raises
    ------
    UserError
        If there is no such thing in the build.
    """
    head, _, tail = identity.rpartition(":")
    if head in built.drawn:
        return example_story(built, raw, head, identity)
    if tail.isdigit() and "/" in head:
        source, file = head.split("/", 1)
        return record_story(built, raw, source, file, int(tail))
    raise UserError(
        f"'{identity}' is neither an example id (task:hash) nor a raw record (source/file:line)."
        f"{did_you_mean(head, built.drawn)} Tasks of {_ASKED}: {', '.join(built.drawn)}."
    )


def example_story(built: Built, raw: Path, task: str, example_id: str) -> dict[str, Any]:
    """Tell an example's story back to its raw records and forward to its samples.

    The example is told as the split settled it; records behind what the split took out are under ``set_aside``.
    """
    drawn = next(iter(read_examples(built.checked.repaired[task], [example_id])), None)
    books = _read_books(built, task)
    if drawn is None and example_id not in books.frozen:
        raise UserError(
            f"Task '{task}' drew no example '{example_id}' in {_ASKED}. If it stands in the dataset of another build, "
            "give that build's command once more (its stages are reused), or its store with --work, and ask again."
        )
    samples = [row for row in read_samples(built.rendered[task]).to_pylist() if row["example_id"] == example_id]
    if drawn is None:
        story = {"raw_records": [], "set_aside": [], "example": None, "verdicts": [], "samples": samples}
        return {"example_id": example_id, "fate": books.fate(example_id), **story}
    settled = books.settled(drawn)
    return {
        "example_id": example_id,
        "fate": books.fate(example_id),
        "raw_records": _raw_records(built, raw, settled.all_origins),
        "set_aside": [asdict(origin) for origin in drawn.all_origins if origin not in settled.all_origins],
        "example": _shown(settled),
        "verdicts": books.verdicts.get(example_id, []),
        "samples": samples,
    }


def record_story(built: Built, raw: Path, source: str, file: str, line: int) -> dict[str, Any]:
    """Tell what ingest did with a raw record, and which examples were made of it or show it."""
    ingested = next((one for one in built.files if (one.source, one.file) == (source, file)), None)
    if ingested is None:
        known = [f"{one.source}/{one.file}" for one in built.files]
        raise UserError(
            f"'{source}/{file}' was not read in {_ASKED}.{did_you_mean(f'{source}/{file}', known)} "
            f"It read: {', '.join(known)}."
        )
    origin = Origin(source, file, line)
    records = _raw_records(built, raw, [origin])
    outcome = _ingest_outcome(ingested, line, is_record=records[0]["text"] != f"({NO_RECORD})")
    made = [entry for task in built.drawn for entry in _examples_of(built, task, origin)]
    return {
        "record": f"{source}/{file}:{line}",
        "fate": outcome if made or outcome != "ingested" else "ingested; no task drew it",
        "raw_records": records,
        "examples": made,
    }


def fates(built: Built, example_ids: Sequence[str]) -> dict[str, str]:
    """Say in a few words what became of each of some examples; of those that the build did not draw, that."""
    by_task: defaultdict[str, list[str]] = defaultdict(list)
    for example_id in example_ids:
        by_task[example_id.rpartition(":")[0]].append(example_id)
    told = dict.fromkeys(example_ids, "not drawn")
    for task, ids in by_task.items():
        if task in built.drawn:
            books = _read_books(built, task)
            told |= {one: books.fate(one) for one in ids if books.knows(one)}
    return told


def story_lines(story: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Lay a story out as (heading, text) pairs for a person."""
    lines = [("fate", story["fate"])]
    lines += [(f"raw record {_place(row)}", row["text"]) for row in story["raw_records"]]
    lines += [(f"example {made['example_id']}", made["fate"]) for made in story.get("examples", ())]
    if set_aside := story.get("set_aside"):
        lines.append(("raw records of what the split trimmed or replaced", "\n".join(map(_place, set_aside))))
    if example := story.get("example"):
        lines += [(f"example: {key}", str(value)) for key, value in example.items() if value not in ("", (), {}, 0)]
    for verdict in story.get("verdicts", ()):
        detail = " ".join(str(verdict[key]) for key in ("score", "peer", "detail") if verdict[key])
        lines.append((f"verdict: {verdict['check']} ({verdict['action']})", f"{verdict['reason']} {detail}".strip()))
    for sample in story.get("samples", ()):
        where = f"sample in {sample['split']}, {sample['setting']}, template {sample['template_id']}"
        parts = ("instruction", "input", "options", "few_shot_example", "output")
        lines.append((where, "\n".join(f"[{part}] {sample[part]}" for part in parts if sample[part])))
    return lines


@dataclass(frozen=True)
class _Books:
    """What the checks and the split said of a task's examples, by example_id."""

    task: str
    verdicts: Mapping[str, list[dict[str, Any]]]
    assignments: Mapping[str, Mapping[str, Any]]
    frozen: Mapping[str, Split]

    def knows(self, example_id: str) -> bool:
        """Say whether the build drew the example, or kept it from an earlier one."""
        known = (self.frozen, self.assignments, self.verdicts)
        return any(example_id in one for one in known)

    def settled(self, drawn: Example) -> Example:
        """Return the example as the split left it; as it was drawn if it is in no split."""
        assignment = self.assignments.get(drawn.example_id)
        return settle(drawn, assignment) if assignment and assignment["split"] else drawn

    def fate(self, example_id: str) -> str:
        """Say which split the example is in, or what it was lost to."""
        if example_id in self.frozen:
            return f"in {self.frozen[example_id]}, kept from an earlier build"
        for verdict in self.verdicts.get(example_id, []):
            if verdict["action"] == "reject":
                peer = f" (peer {verdict['peer']})" if verdict["peer"] else ""
                return f"rejected by {verdict['check']}: {verdict['reason']}{peer}"
        assignment = self.assignments.get(example_id)
        if assignment is None:
            raise UserError(f"The books of task '{self.task}' do not hold {example_id}. Build again.")
        return f"in {assignment['split']}" if assignment["split"] else f"dropped by the split: {assignment['reason']}"


def _read_books(built: Built, task: str) -> _Books:
    verdicts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in built.checked.verdicts(task):
        verdicts[row["example_id"]].append(row)
    assignments = {row["example_id"]: row for row in read_assignments(built.assigned, task)}
    return _Books(task, verdicts, assignments, built.frozen.splits(task) if built.frozen else {})


def _examples_of(built: Built, task: str, origin: Origin) -> list[dict[str, str]]:
    """Return id and fate of a task's examples that were made of a record, or drawn with it, or show it."""
    books, found = _read_books(built, task), []
    for drawn in read_examples(built.checked.repaired[task], spare_options=False):
        shown = origin in books.settled(drawn).all_origins
        if shown or origin in drawn.all_origins:
            fate = books.fate(drawn.example_id)
            without = "" if shown else ", without this record: the split trimmed or replaced what it stands for"
            found.append({"example_id": drawn.example_id, "fate": fate + without})
    return found


def _ingest_outcome(ingested: IngestedFile, line: int, *, is_record: bool) -> str:
    # A row's file must be looked at too: many small files share their Parquet files.
    folder, at_line = ingested.stage.folder, [("line", "=", line), ("file", "=", ingested.file)]
    for row in pq.read_table(folder / "quarantine.parquet", filters=at_line).to_pylist():
        return f"quarantined: {row['reason']}"
    for row in pq.read_table(folder / "collapsed.parquet", filters=at_line).to_pylist():
        return f"collapsed: the same, to the byte, as line {row['first_line']}"
    tables = ingested.kind.tables
    parts = [part for table in tables for part in ingested.parts(table)]
    if any(pq.read_table(part, columns=["line"], filters=at_line).num_rows for part in parts):
        return "ingested"
    if not is_record:
        return NO_RECORD
    return "read; it gave no row to any table" if tables else "read; this kind of file fills no table"


def _shown(example: Example) -> dict[str, Any]:
    shown = {key: value for key, value in asdict(example).items() if key not in ("spare_options", "origins")}
    return {**shown, "spare_options": len(example.spare_options)}


def _place(record: Mapping[str, Any]) -> str:
    return f"{record['source']}/{record['file']}:{record['line']}"


def _raw_records(built: Built, raw: Path, origins: Sequence[Origin]) -> list[dict[str, Any]]:
    """Return places and texts of raw records, reading each file once."""
    kinds = {(one.source, one.file): one.kind for one in built.files}
    wanted: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for origin in origins:
        wanted[origin.source, origin.file].add(origin.line)
    texts: dict[Origin, str] = {}
    for (source, file), lines in wanted.items():
        path = raw / source / file
        found = _read_records(path, kinds[source, file], lines) if path.exists() else None
        for line in lines:
            missing = "(the raw file is not there)" if found is None else f"({NO_RECORD})"
            texts[Origin(source, file, line)] = _cut((found or {}).get(line, missing))
    return [{**asdict(origin), "text": texts[origin]} for origin in origins]


def _cut(text: str) -> str:
    left_out = len(text) - _RECORD_CHARACTERS
    return f"{text[:_RECORD_CHARACTERS]} ... ({left_out:,} characters more)" if left_out > 0 else text


def _read_records(path: Path, kind: FileKind, lines: Collection[int]) -> dict[int, str]:
    """Return the records that start at some lines of a file, cut as ingest cuts them."""
    if kind.format == "parquet":
        return _read_rows(path, lines)
    found: dict[int, str] = {}
    last = max(lines)
    for block in read_blocks(path, kind, Limits()):
        if block.first_line > last:
            break
        if block.too_long is not None:
            starts = {block.first_line: block.too_long.decode(kind.encoding, "replace")}
        else:
            starts = _records_of(block, kind, lines)
        found.update((line, text.rstrip("\r\n")) for line, text in starts.items() if line in lines and text.strip())
    return found


def _records_of(block: Block, kind: FileKind, lines: Collection[int]) -> dict[int, str]:
    """Return, by line, the records of a block that start at some lines."""
    raw = split_lines(block.data)
    wanted = [line for line in lines if block.first_line <= line < block.first_line + len(raw)]
    if kind.format != "csv" or not wanted:
        return {line: raw[line - block.first_line].decode(kind.encoding, "replace") for line in wanted}
    texts = text_lines(block.data.decode(kind.encoding, "replace"))
    records = csv_records(texts, final=True, delimiter=kind.delimiter)
    return {block.first_line + begin: "".join(texts[begin:end]) for begin, end, _ in records}


def _read_rows(path: Path, lines: Collection[int]) -> dict[int, str]:
    """Return rows of a Parquet file, reading only the row groups that hold them."""
    found, first = {}, 1
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            if wanted := [line for line in lines if first <= line < end]:
                rows = file.read_row_group(group)
                found.update({line: str(rows.slice(line - first, 1).to_pylist()[0]) for line in wanted})
            first = end
    return found
