"""The story of one sample, from raw record to rendered text; and of any raw record, forwards."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.example import Example, Origin
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.stages.built import Built
from ecinstruct_build.stages.corpora import IngestedFile
from ecinstruct_build.stages.examples import read_assignments, read_examples, read_verdicts
from ecinstruct_build.stages.samples import read_samples

_RECORD_CHARACTERS = 2_000


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
        says, what ingest did with it, and the examples that were made of it.

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
        f"{did_you_mean(head, built.drawn)} Tasks of this build: {', '.join(built.drawn)}."
    )


def example_story(built: Built, raw: Path, task: str, example_id: str) -> dict[str, Any]:
    """Tell an example's story back to its raw records and forward to its samples."""
    example = next((one for one in read_examples(built.drawn[task]) if one.example_id == example_id), None)
    if example is None:
        raise UserError(f"Task '{task}' drew no example '{example_id}' in this build.")
    return {
        "example_id": example_id,
        "fate": _fate(built, example),
        "raw_records": [_raw_record(raw, origin) for origin in example.origins],
        "example": _shown(example),
        "verdicts": [row for row in read_verdicts(built.judged[task]) if row["example_id"] == example_id],
        "samples": [row for row in read_samples(built.rendered[task]).to_pylist() if row["example_id"] == example_id],
    }


def record_story(built: Built, raw: Path, source: str, file: str, line: int) -> dict[str, Any]:
    """Tell what ingest did with a raw record and which examples were made of it."""
    ingested = next((one for one in built.files if (one.source, one.file) == (source, file)), None)
    if ingested is None:
        known = [f"{one.source}/{one.file}" for one in built.files]
        raise UserError(
            f"This build did not read '{source}/{file}'.{did_you_mean(f'{source}/{file}', known)} "
            f"It read: {', '.join(known)}."
        )
    origin = Origin(source, file, line)
    made = [
        {"example_id": example.example_id, "fate": _fate(built, example)}
        for stage in built.drawn.values()
        for example in read_examples(stage)
        if origin in example.origins
    ]
    outcome = _ingest_outcome(ingested, line)
    return {
        "record": f"{source}/{file}:{line}",
        "fate": outcome if made or outcome != "ingested" else "ingested; no task drew it",
        "raw_records": [_raw_record(raw, origin)],
        "examples": made,
    }


def _ingest_outcome(ingested: IngestedFile, line: int) -> str:
    folder = ingested.stage.folder
    for row in pq.read_table(folder / "quarantine.parquet", filters=[("line", "=", line)]).to_pylist():
        return f"quarantined: {row['reason']}"
    for row in pq.read_table(folder / "collapsed.parquet", filters=[("line", "=", line)]).to_pylist():
        return f"collapsed: the same, to the byte, as line {row['first_line']}"
    return "ingested"


def _fate(built: Built, example: Example) -> str:
    verdicts = [
        row
        for row in read_verdicts(built.judged[example.task])
        if row["example_id"] == example.example_id and row["action"] == "reject"
    ]
    if verdicts:
        first = verdicts[0]
        peer = f" (peer {first['peer']})" if first["peer"] else ""
        return f"rejected by {first['check']}: {first['reason']}{peer}"
    for row in read_assignments(built.assigned, example.task):
        if row["example_id"] == example.example_id:
            return f"in {row['split']}" if row["split"] else f"dropped by the split: {row['reason']}"
    raise UserError(f"The books of task '{example.task}' do not hold {example.example_id}. Build again.")


def _shown(example: Example) -> dict[str, Any]:
    shown = {key: value for key, value in asdict(example).items() if key not in ("spare_options", "origins")}
    return {**shown, "spare_options": len(example.spare_options)}


def _raw_record(raw: Path, origin: Origin) -> dict[str, Any]:
    path = raw / origin.source / origin.file
    return {**asdict(origin), "text": _read_record(path, origin) if path.exists() else "(the raw file is not there)"}


def _read_record(path: Path, origin: Origin) -> str:
    found = SOURCES.get(origin.source).kind_of(origin.file)
    if found is None:
        return "(not a file of this source)"
    kind, _ = found
    if kind.format == "parquet":
        row: Mapping[str, Any] = next(iter(pq.read_table(path).slice(origin.line - 1, 1).to_pylist()), {})
        return str(row)[:_RECORD_CHARACTERS]
    for number, line in enumerate(_lines(path, kind.encoding), start=1):
        if number == origin.line:
            return line.rstrip("\r\n")[:_RECORD_CHARACTERS]
    return "(the file ends before this line)"


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            yield line.decode(encoding, errors="replace")


def story_lines(story: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Lay a story out as (heading, text) pairs for a person."""
    lines = [("fate", story["fate"])]
    lines += [(f"raw record {row['source']}/{row['file']}:{row['line']}", row["text"]) for row in story["raw_records"]]
    lines += [(f"example {made['example_id']}", made["fate"]) for made in story.get("examples", ())]
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
