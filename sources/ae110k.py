r"""AE-110K: attributes of products of AliExpress, with the values that their titles show.

By Huimin Xu and colleagues (East China Normal University), ACL 2019: 110,484 triples of title, attribute
and value on 52,703 products of the category Sports & Entertainment, in one file, ``publish_data.txt``; the published
part of a larger set. Released for academic research only.

Quirks, and what becomes of them:

- A line is ``title \x01 attribute \x01 value``; other lines are malformed. Attribute names with blanks around them
  lose these; different spellings of a name are left as they are.
- The value ``NULL`` says that the title does not show the attribute. Those triples were made by chance.
- There are no product ids: the same title (white space aside) is the same product, ``ae110k:<digest>``.
- Values were found by exact match of strings, so many stand inside of longer words (``Print`` in ``Printed``) or have
  blanks around them. They are sought as words of their own, to the letter or else regardless of case and white space;
  inside of words only where that finds nothing, and where it may be meant: not ``M`` in ``Maple``, ``x`` in ``Unisex``
  or ``20`` in ``2017``, nor ``-``. Every place is an evidence, ten at most. A value that is not there even so
  keeps its row, without evidence: the task that needs the place leaves it out and counts it.
- Other works hand a part of it on as JSON lines (``train.jsonl``, ``test.jsonl``), with a category, unified names, and
  all attributes of a title on a line; see `ecinstruct_build.ingesting.target_scores`. Their split is not kept,
  since splits are made afresh; smaller samples of them (``train_0.2.jsonl``) are not read.
- Titles are in English, whatever the country: locale ``us``.
"""

from collections.abc import Mapping

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.target_scores import Title, label_of, label_tables, scored_kind, title_key
from ecinstruct_build.source import Batch, FileKind, Inadmissible, Remote, Source

NAME = "ae110k"
NOT_SHOWN = "NULL"
UPSTREAM = "https://raw.githubusercontent.com/lanmanok/ACL19_Scaling_Up_Open_Tagging/master/"
HANDED_ON = (
    "https://raw.githubusercontent.com/wbsg-uni-mannheim/ExtractGPT/922fdaebccb985f91b96ae3495969fdd57af0b29/"
    "data/processed_datasets/ae-110k/"
)


class Triple(Struct, gc=False):
    """A line of the original form."""

    title: str
    attribute: str
    value: str


def _triple(line: str) -> Triple:
    """Take a line of the original form apart."""
    parts = line.split("\x01")
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise Inadmissible("not a title, an attribute and a value")
    title, attribute, value = parts
    return Triple(title, attribute.strip(), value)


def _convert_triples(batch: Batch) -> Mapping[str, pa.Table]:
    titles = [Title(row, title_key(NAME, one.title), one.title, None) for row, one in enumerate(batch.records)]
    labels = [
        label_of(title, one.attribute, [] if one.value.strip() == NOT_SHOWN else [one.value])
        for title, one in zip(titles, batch.records, strict=True)
    ]
    return label_tables(NAME, titles, labels, batch)


SOURCE = Source(
    name=NAME,
    title="AE-110K",
    summary="Attributes of AliExpress products: the values that their titles show, and attributes they do not show.",
    homepage="https://github.com/cubenlp/ACL19_Scaling_Up_Open_Tagging",
    licence="academic research use only",
    redistributable=False,
    citation=(
        "Huimin Xu, Wenting Wang, Xin Mao, Xinyu Jiang, Man Lan. Scaling Up Open Tagging from Tens to Thousands: "
        "Comprehension Empowered Attribute Value Extraction from Product Title. ACL 2019."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?publish_data\.txt(?:\.gz)?",
            format="lines",
            record=str,
            tables=("attribute", "product"),
            convert=_convert_triples,
            example="publish_data.txt",
            admit=_triple,
        ),
        scored_kind(NAME),
    ),
    remotes=(
        Remote("publish_data.txt", (f"{UPSTREAM}publish_data.txt",)),
        Remote(
            "train.jsonl",
            (f"{HANDED_ON}train.jsonl",),
            399_194,
            "17b3cf2e9bd31a21426b8889a55b5c76173c14a92480f970566d657ca53cce95",
            alternative=True,
        ),
        Remote(
            "test.jsonl",
            (f"{HANDED_ON}test.jsonl",),
            134_552,
            "2172561fc99390619b5b7455c3d1aa866dd648a2c01eab4ae53ae0c054e8eb2a",
            alternative=True,
        ),
    ),
)
