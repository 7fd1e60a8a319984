"""Amazon question/answer data: what shoppers asked on product pages of amazon.com, and what other people answered.

By Julian McAuley and colleagues (UC San Diego), 2016, by category, gzipped lines of Python literals in two forms: one
answer a question (``qa_<C>.json.gz``, 21 categories; WWW 2016, 1.4 million questions) and all answers with their votes
(``icdm/QA_<C>.json.gz``, 17 categories; ICDM 2016, 800,000 questions with 3.1 million answers), where a line holds
all questions on a product. No licence is stated; the authors ask for citation.

Quirks, and what becomes of them:

- Questions have no ids: the key is the ASIN with a digest of the question's words, regardless of case and spacing. So
  a question that stands in both forms has one key, and the form with all answers comes first in order of file. Where
  one line asks the same twice, the further ones are numbered.
- ``questionType`` is yes/no or open-ended: kind ``yesno`` or ``descriptive``.
- ``answerType`` (Y, N or ?) is given for yes/no questions only; it is kept. ``answerScore`` (text) feeds nothing.
- The one answer of the first form bears no votes: ``helpful`` and ``total`` are null, not 0. Which of several answers
  was chosen is not said. Blank answers are left out.
- ``unixTime`` is missing from some lines; times, askers and answerers feed nothing.
- Whatever followed an ampersand got a semicolon, in links too: ``AT&T;``. Mended with the entities, late.
- There are no review snippets and no verdict on answerability: both columns are null.
- The products are described by the 2018 Amazon metadata, as those of AmazonQA are, which was made from these questions.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa
from msgspec import Struct

from ecinstruct_build.fetching.remotes import remote_table
from ecinstruct_build.ingesting.fields import Count, Key, Text, asin_key
from ecinstruct_build.source import Batch, FileKind, Source
from ecinstruct_build.tables import arrow_table, repeated

NAME = "mcauley_qa"
CATALOGUE = "amazon_reviews_2018"

MIRRORS = ("https://jmcauley.ucsd.edu/data/amazon/qa/",)
IN_BOTH_FORMS = (
    "Automotive",
    "Baby",
    "Beauty",
    "Cell_Phones_and_Accessories",
    "Clothing_Shoes_and_Jewelry",
    "Electronics",
    "Grocery_and_Gourmet_Food",
    "Health_and_Personal_Care",
    "Home_and_Kitchen",
    "Musical_Instruments",
    "Office_Products",
    "Patio_Lawn_and_Garden",
    "Pet_Supplies",
    "Sports_and_Outdoors",
    "Tools_and_Home_Improvement",
    "Toys_and_Games",
    "Video_Games",
)
WITH_ONE_ANSWER_ONLY = ("Appliances", "Arts_Crafts_and_Sewing", "Industrial_and_Scientific", "Software")

QuestionType = Literal["yes/no", "open-ended"]

_KINDS = {"yes/no": "yesno", "open-ended": "descriptive"}
_DIGITS = 16


class SingleAnswer(Struct, gc=False):
    """A line of the first form: a question with one answer."""

    asin: Key
    question: Text
    questionType: QuestionType  # noqa: N815 - upstream's names
    answer: str
    answerType: str | None = None  # noqa: N815


class Answer(Struct, gc=False):
    """One of several answers."""

    answerText: str  # noqa: N815
    helpful: tuple[Count, Count] | None = None
    answerType: str | None = None  # noqa: N815


class Question(Struct, gc=False):
    """A question with all its answers."""

    questionText: Text  # noqa: N815
    questionType: QuestionType  # noqa: N815
    answers: list[Answer]


class Product(Struct, gc=False):
    """A line of the second form: a product with all its questions."""

    asin: Key
    questions: list[Question]


def question_key(asin: str, question: str, number: int = 1) -> str:
    """Return the key of a question on a product, or of the ``number``-th of the same words on one line."""
    words = " ".join(question.casefold().split()).encode("utf-8", "surrogatepass")
    digest = hashlib.md5(words, usedforsecurity=False).hexdigest()[:_DIGITS]
    return f"{asin.upper()}|{digest}" + (f"|{number}" if number > 1 else "")


def _convert_single(batch: Batch) -> Mapping[str, pa.Table]:
    records = batch.records
    columns = {
        "question_id": [question_key(record.asin, record.question) for record in records],
        "product_id": [asin_key(record.asin) for record in records],
        "question": [record.question for record in records],
        "kind": [_KINDS[record.questionType] for record in records],
        "answers": [_answers(Answer(record.answer, None, record.answerType)) for record in records],
        **_domain(batch),
        **batch.origin(),
    }
    return {"question": arrow_table("question", columns)}


def _convert_multiple(batch: Batch) -> Mapping[str, pa.Table]:
    found = [
        (row, record.asin, key, question)
        for row, record in enumerate(batch.records)
        for key, question in zip(_keys(record), record.questions, strict=True)
    ]
    rows = [row for row, _, _, _ in found]
    columns = {
        "question_id": [key for _, _, key, _ in found],
        "product_id": [asin_key(asin) for _, asin, _, _ in found],
        "question": [question.questionText for _, _, _, question in found],
        "kind": [_KINDS[question.questionType] for _, _, _, question in found],
        "answers": [_answers(*question.answers) for _, _, _, question in found],
        **_domain(batch, rows),
        **batch.origin_of(rows),
    }
    return {"question": arrow_table("question", columns)}


def _keys(record: Product) -> list[str]:
    seen: Counter[str] = Counter()
    keys = []
    for question in record.questions:
        key = question_key(record.asin, question.questionText)
        seen[key] += 1
        keys.append(question_key(record.asin, question.questionText, seen[key]))
    return keys


def _answers(*answers: Answer) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for answer in answers:
        if answer.answerText.strip():
            helpful, total = answer.helpful or (None, None)
            rows.append({"text": answer.answerText, "kind": answer.answerType, "helpful": helpful, "total": total})
    return rows


def _domain(batch: Batch, rows: Sequence[int] | None = None) -> dict[str, pa.Array]:
    category = batch.named("category", rows)
    return {
        "category": category,
        "catalogue": repeated(CATALOGUE, len(category)),
        "locale": repeated("us", len(category)),
    }


SOURCE = Source(
    name=NAME,
    title="Amazon question/answer data",
    summary="Shoppers' questions on products of amazon.com with one answer each, or with all answers and their votes.",
    homepage="https://jmcauley.ucsd.edu/data/amazon/qa/",
    licence="none stated; offered for research, citation asked for",
    redistributable=False,
    citation=(
        "Julian McAuley, Alex Yang. Addressing Complex and Subjective Product-Related Queries with Customer Reviews. "
        "WWW 2016. Mengting Wan, Julian McAuley. Modeling Ambiguity, Subjectivity, and Diverging Viewpoints in "
        "Opinion Question Answering Systems. ICDM 2016."
    ),
    files=(
        FileKind(
            pattern=r"(?:.*/)?qa_(?P<category>\w+)\.json(?:\.gz)?",
            format="python",
            record=SingleAnswer,
            tables=("question",),
            convert=_convert_single,
            example="qa_Appliances.json.gz",
        ),
        FileKind(
            pattern=r"(?:.*/)?QA_(?P<category>\w+)\.json(?:\.gz)?",
            format="python",
            record=Product,
            tables=("question",),
            convert=_convert_multiple,
            example="icdm/QA_Video_Games.json.gz",
        ),
    ),
    remotes=(
        *remote_table(NAME, [f"icdm/QA_{name}.json.gz" for name in IN_BOTH_FORMS], MIRRORS),
        *remote_table(NAME, [f"qa_{name}.json.gz" for name in (*IN_BOTH_FORMS, *WITH_ONE_ANSWER_ONLY)], MIRRORS),
    ),
)
