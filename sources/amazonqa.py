"""AmazonQA: shoppers' questions with people's answers and snippets of reviews that may answer them.

By Mansi Gupta and colleagues (Carnegie Mellon University), IJCAI 2019: 923,000 questions on 156,000 products of
amazon.com, as JSON lines in three files (``train-qar.jsonl``, ``val-qar.jsonl``, ``test-qar.jsonl``). No licence is
stated.

Quirks, and what becomes of them:

- ``is_answerable`` is 0 or 1, and a classifier's word, not a person's: a bool, said to be so in the table.
- ``helpful`` of an answer is [votes for, votes in all]. ``answerType`` is Y, N, ? or NA and kept as it is.
- ``review_snippets`` (ten at most) come best first; blank ones are left out, as are blank answers.
- ``qid`` is joined with the ASIN to make the question's key.
- The products are described by the 2018 Amazon metadata.
- Upstream's own split is not kept, since splits are made afresh. The test file lies on Google Drive: a person must get
  it.
- Ranking leftovers that some files carry (``top_review_wilson`` and the like) feed nothing.
"""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.ingesting.fields import Count, Key, Text, asin_key, category_name, listed
from ecinstruct_build.source import Batch, FileKind, Remote, Source
from ecinstruct_build.tables import arrow_table

NAME = "amazonqa"
CATALOGUE = "amazon_reviews_2018"


class Answer(Struct, gc=False):
    """A person's answer."""

    answerText: str  # noqa: N815 - upstream's names
    answerType: str | None = None  # noqa: N815
    helpful: tuple[Count, Count] | None = None


class Question(Struct, gc=False):
    """A line of a file."""

    asin: Key
    qid: int | Key
    questionText: Text  # noqa: N815
    questionType: Literal["yesno", "descriptive"]  # noqa: N815
    category: str | None = None
    is_answerable: Literal[0, 1] | None = None
    review_snippets: list[str] | None = None
    answers: list[Answer] | None = None


def _convert(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "question_id": [f"{record.asin.upper()}|{record.qid}" for record in records],
        "product_id": [asin_key(record.asin) for record in records],
        "question": [record.questionText for record in records],
        "kind": [record.questionType for record in records],
        "answerable": [None if record.is_answerable is None else bool(record.is_answerable) for record in records],
        "snippets": [listed(record.review_snippets) for record in records],
        "answers": [_answers(record) for record in records],
        "category": [category_name(record.category) for record in records],
        "catalogue": [CATALOGUE] * len(records),
        "locale": ["us"] * len(records),
        **batch.origin(),
    }
    return {"question": arrow_table("question", columns)}


def _answers(record: Question) -> list[dict[str, str | int | None]]:
    rows: list[dict[str, str | int | None]] = []
    for answer in record.answers or ():
        if answer.answerText.strip():
            helpful, total = answer.helpful or (None, None)
            rows.append({"text": answer.answerText, "kind": answer.answerType, "helpful": helpful, "total": total})
    return rows


SOURCE = Source(
    name=NAME,
    title="AmazonQA",
    summary="Questions on Amazon products with review snippets, people's answers and whether the snippets answer them.",
    homepage="https://github.com/amazonqa/amazonqa",
    licence="none stated",
    redistributable=False,
    citation=(
        "Mansi Gupta, Nitish Kulkarni, Raghuveer Chanda, Anirudha Rayasam, Zachary C. Lipton. AmazonQA: A Review-Based "
        "Question Answering Task. IJCAI 2019."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?(?:train|val|test)-qar\.jsonl(?:\.gz)?",
            format="jsonl",
            record=Question,
            tables=("question",),
            convert=_convert,
            example="train-qar.jsonl",
        ),
    ),
    remotes=(
        *(
            Remote(file, (f"https://amazon-qa.s3-us-west-2.amazonaws.com/{file}",))
            for file in ("train-qar.jsonl", "val-qar.jsonl")
        ),
        Remote(
            "test-qar.jsonl",
            steps=(
                "Upstream offers this file on Google Drive, where it cannot be fetched by a program: open "
                "https://drive.google.com/file/d/1A_gaYbyBUOfwi8CQ7d5OO_b91lEvSnwr/view in a browser and download it. "
                "(The address stands in the README of https://github.com/amazonqa/amazonqa.)"
            ),
        ),
    ),
)
