"""A made-up shelf of graded search results and shoppers' questions, for the tests of tasks."""

import random

from handmade import Row, table_rows

QUERIES = ("oak tea tray", "steel kettle", "wool throw", "garden hose", "desk lamp", "linen apron")
THINGS = ("tray", "kettle", "throw", "hose", "lamp", "apron", "mug", "stool")


def products(number: int = 60, **more: str) -> list[Row]:
    return [
        {"product_id": f"asin:P{n}", "title": f"{THINGS[n % 8]} number {n} of <b>Hearth</b> &amp; Sons", **more}
        for n in range(number)
    ]


def judgements(queries: int = 150, each: int = 8, subset: str = "small", source: str = "corpus") -> list[Row]:
    """Queries of distinct words with ``each`` graded products."""
    chance = random.Random(f"{source} {subset}")
    return [
        {
            "query_id": f"{subset}{n}",
            "query": f"{QUERIES[n % 6]} {subset} {source} {n}",
            "product_id": f"asin:P{product}",
            "label": chance.choice("EEESSCI"),
            "subset": subset,
            "source": source,
            "catalogue": "corpus",
        }
        for n in range(queries)
        for product in chance.sample(range(60), each)
    ]


def graded_world(*rows: Row, described: list[Row] | None = None) -> dict[str, list[Row]]:
    return {
        "judgement": table_rows("judgement", rows or judgements()),
        "product": table_rows("product", products() if described is None else described),
    }


def question(number: int, **more: object) -> Row:
    """A descriptive, answerable question with one helpful answer."""
    return {
        "question_id": f"Q{number}",
        "product_id": f"asin:P{number % 40}",
        "question": f"How long is cord number {number}?",
        "kind": "descriptive",
        "answerable": True,
        "snippets": [f"The cord of {number} is two metres.", "Boils <i>fast</i>."],
        "answers": [{"text": f"It is two metres, number {number}.", "kind": "", "helpful": 2, "total": 3}],
        "category": "Kettles",
        **more,
    }


def questions(number: int = 200, source: str = "corpus") -> list[Row]:
    chance = random.Random(source)
    return [
        question(
            n,
            answerable=chance.random() < 0.7,
            category=chance.choice(["Kettles", "Lamps", "Hoses"]),
            source=source,
            product_id=f"asin:{source}{n % 40}",
        )
        for n in range(number)
    ]


def question_world(*rows: Row) -> dict[str, list[Row]]:
    return {"question": table_rows("question", rows or questions())}
