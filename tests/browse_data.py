"""A small dataset and findings about it, written by hand, for tests of browsing."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn

from ecinstruct_build.browsing.findings import Findings
from ecinstruct_build.browsing.shelf import Shelf
from ecinstruct_build.check import VERDICT_SCHEMA
from ecinstruct_build.example import SAMPLE_SCHEMA, Example, Option, examples_to_table
from ecinstruct_build.web.app import make_app
from ecinstruct_build.web.serve import hosts_of

HOSTILE = "<script>window.hacked = 1</script> & \"quoted\" <b onmouseover='window.hacked = 1'>bold</b> \u202eturned"


def row(number: int, **columns: object) -> dict[str, object]:
    """Return a published row; what is not named is plain."""
    plain = {
        "split": "train",
        "task": "Sentiment_Analysis",
        "setting": "IND_Diverse_Instruction",
        "instruction": "Say whether the customer is pleased.",
        "input": f"Review: Kettle number {number} boils quickly.",
        "options": "A: very positive\nB: very negative",
        "output": "A",
        "example_id": f"sentiment_analysis:{number:016x}",
        "source": "amazon_reviews_2018",
        "template_id": "seed/default",
        "domain": "ind",
    }
    lists = {field.name: [] for field in SAMPLE_SCHEMA if pa.types.is_list(field.type)}
    return {**{field.name: "" for field in SAMPLE_SCHEMA}, **lists, **plain, **columns}


ROWS = [
    *(row(number) for number in range(1, 31)),
    row(31, split="test", input="Review: A GRÜNE Teapot, 100% wool_cosy.", output="B"),
    row(32, split="test", setting="IND_Unseen_Instruction", input=HOSTILE),
    row(
        33,
        task="Query_Product_Ranking",
        example_id="query_product_ranking:21",
        source="esci",
        input="Query: teapot",
        options="A: Green teapot\nB: Kettle\nC: Tea cosy",
        output="B,A,C",
        split="test",
        setting="OOD_Diverse_Instruction",
    ),
]


def write_dataset(folder: Path, rows: Sequence[dict[str, object]] = ROWS) -> Path:
    """Write rows as shards of a published folder."""
    for task in sorted({str(one["task"]) for one in rows}):
        for split in sorted({str(one["split"]) for one in rows if one["task"] == task}):
            own = [one for one in rows if (one["task"], one["split"]) == (task, split)]
            path = folder / "data" / task.lower() / f"{split}-00000-of-00001.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.Table.from_pylist(own, schema=SAMPLE_SCHEMA), path)
    return folder


def example(identity: str, text: str) -> Example:
    return Example(
        task="sentiment_analysis",
        source="amazon_reviews_2014",
        identity=identity,
        domain="ind",
        locale="us",
        products=(),
        fields={"title": "A word", "review": text},
        options=(Option("pos", "very positive"), Option("neg", "very negative")),
        answer="neg",
    )


REJECTED = example("one", "The Samovar leaks.")
TWIN = example("two", "The samovar leaks!")


def findings() -> Findings:
    """Two examples that were rejected, one of them for two reasons, and a published one that was repaired."""
    said = [
        (REJECTED.example_id, "duplicates", "reject", "near duplicate", 0.93, TWIN.example_id, "<i>alike</i>"),
        (REJECTED.example_id, "language", "flag", "too short to tell", 0.0, "", ""),
        (TWIN.example_id, "hygiene", "reject", "mojibake", 2.0, "", ""),
        ("sentiment_analysis:0000000000000005", "privacy", "repair", "e-mail address", 1.0, "", "review"),
    ]
    verdicts = pa.table([list(column) for column in zip(*said, strict=True)], schema=VERDICT_SCHEMA)
    published = Example(**{**{name: getattr(TWIN, name) for name in TWIN.__slots__}, "identity": "three"})
    table = examples_to_table([REJECTED, TWIN, published]).drop_columns(["spare_options"])

    def examples(task: str, ids: Sequence[str] | None) -> pa.Table:
        rows = [place for place, one in enumerate(table["example_id"].to_pylist()) if ids is None or one in ids]
        return table.take(pa.array(rows, pa.int64()))

    return Findings(("sentiment_analysis",), lambda task: verdicts, examples)


@contextmanager
def served(shelf: Shelf) -> Iterator[str]:
    """Serve a shelf on loopback and yield the address."""
    app = make_app(desk=None, shelf=shelf, token=None, hosts=hosts_of("127.0.0.1"))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
