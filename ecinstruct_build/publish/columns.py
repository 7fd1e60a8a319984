"""What the published columns mean, for the card and the reference."""

from collections.abc import Mapping

import pyarrow as pa

from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.publish import markdown

COLUMN_MEANINGS: Mapping[str, str] = {
    "split": "`train`, `val` or `test`, as the original ECInstruct says it",
    "task": "published name of the task, such as `Sentiment_Analysis`",
    "setting": "domain (`IND`, `OOD`), instructions (`Diverse`, `Unseen`, `Single`), `_1-shot` if an example is shown",
    "instruction": "what the model is told to do",
    "input": "what it is to be done with: plain text, or JSON",
    "options": "the lettered options; empty where the task has none",
    "output": "the right answer, in the form that the instruction asks for",
    "few_shot_example": "a worked training example to show first (1-shot settings, else empty); not in `products`",
    "example_id": "identity of the example behind the row; rows that differ in setting only share it",
    "template_id": "which instruction and templates the row was written with",
    "source": "the corpus that it was made from",
    "domain": "`ind` (in domain) or `ood` (out of domain)",
    "category": "product category as the corpus names it; empty if it has none",
    "locale": "marketplace, ISO 3166 lower case (`us`, `es`, `jp`)",
    "products": "namespaced keys of every product whose facts appear in the row, sorted",
    "families": "the families of those products, variants and twins being one; no family stands in two splits; sorted",
    "groups": "users, queries and questions, which stand in one split only; attributes, in one domain only",
    "option_grades": "ranking only: the grade of each option in letter order (`E`, `S`, `C`, `I`)",
}
"""Meaning of each column of `SAMPLE_SCHEMA`, in its order; one line of Markdown each."""


def columns_table(schema: pa.Schema = SAMPLE_SCHEMA, meanings: Mapping[str, str] | None = None) -> str:
    """Return columns with type and meaning as a Markdown table; ``meanings`` go before `COLUMN_MEANINGS`."""
    said = {**COLUMN_MEANINGS, **(meanings or {})}
    rows = [(f"`{field.name}`", f"`{type_name(field.type)}`", said[field.name]) for field in schema]
    return markdown.table(("column", "type", "meaning"), rows)


def type_name(kind: pa.DataType) -> str:
    """Return an Arrow type in words as short as they go: ``list<string>``, ``struct<text: string>``."""
    if isinstance(kind, pa.ListType):
        return f"list<{type_name(kind.value_type)}>"
    if isinstance(kind, pa.StructType):
        return f"struct<{', '.join(f'{field.name}: {type_name(field.type)}' for field in kind)}>"
    return str(kind)
