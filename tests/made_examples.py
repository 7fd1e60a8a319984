"""Made-up examples of every task, as many as are asked for, in the form that the tasks emit them."""

from collections.abc import Callable
from typing import Any

from ecinstruct_build import chance
from ecinstruct_build.example import Example, Item, Option
from ecinstruct_build.rendering.render import Assigned
from ecinstruct_build.splits import Split

FEELINGS = ("very positive", "positive", "neutral", "negative", "very negative")
MATERIALS = ("oak", "steel", "linen", "wool", "cork", "brass")
THINGS = ("lamp", "kettle", "rug", "shelf", "blanket", "tray", "stool", "clock")


def _title(number: int) -> str:
    return f"Fernhill {MATERIALS[number % 6]} {THINGS[number // 6 % 8]} model {number}"


def _item(number: int) -> Item:
    return Item(f"asin:B{number:09d}", _title(number))


def _product_option(number: int, grade: str = "") -> Option:
    item = _item(number)
    return Option(key=item.product_id, text=item.text, product_id=item.product_id, grade=grade)


def _pick(items: tuple[Any, ...], number: int) -> Any:
    return chance.choose(items, 1, "made", str(number))


def _product_matching(number: int) -> dict[str, Any]:
    left = {"title": _title(number), "description": 'with a "quoted" part, back\\slash and {{ braces }}'}
    return {
        "fields": {"left": left, "right": {"title": _title(number + 1), "price": "19.99"}},
        "answer": _pick(("yes", "no"), number),
    }


def _product_relation_prediction(number: int) -> dict[str, Any]:
    options = (
        Option("also_buy", "Bought by the same people."),
        Option("also_view", "Viewed by the same people."),
        Option("similar", "Similar to each other."),
    )
    return {
        "fields": {"product_1": _title(number), "product_2": _title(number + 7)},
        "options": options,
        "answer": _pick(options, number).key,
    }


def _sentiment_analysis(number: int) -> dict[str, Any]:
    feeling = _pick(FEELINGS, number)
    return {
        "fields": {"review": f"I use the {_title(number)} every day and my impression of it is {feeling}."},
        "options": tuple(Option(each, each) for each in FEELINGS),
        "answer": feeling,
    }


def _sequential_recommendation(number: int) -> dict[str, Any]:
    start = 1000 * number
    options = tuple(_product_option(start + 500 + offset) for offset in range(20))
    return {
        "fields": {"category": "Home and Kitchen"},
        "context": tuple(_item(start + offset) for offset in range(3 + number % 5)),
        "options": options,
        "answer": options[-1].key,
    }


def _multiclass_product_classification(number: int) -> dict[str, Any]:
    options = tuple(Option(grade, f"The product has grade {grade} for the query.") for grade in "ESCI")
    return {
        "fields": {"query": f"{_pick(MATERIALS, number)} lamp", "product": _title(number)},
        "options": options,
        "answer": _pick(options, number).key,
    }


def _product_substitute_identification(number: int) -> dict[str, Any]:
    return {
        "fields": {"query": f"{_pick(MATERIALS, number)} lamp", "product": _title(number)},
        "answer": _pick(("yes", "no"), number),
    }


def _query_product_ranking(number: int) -> dict[str, Any]:
    grades = "ESCI"[-(2 + number % 3) :]
    options = tuple(_product_option(10 * number + place, grade) for place, grade in enumerate(grades))
    return {
        "fields": {"query": f"lamp of {_pick(MATERIALS, number)}"},
        "options": options,
        "answer": [option.key for option in options],
    }


def _attribute_value_extraction(number: int) -> dict[str, Any]:
    material = _pick(MATERIALS, number)
    paragraphs = [
        {"source": "title", "text": _title(number)},
        {"source": "description", "text": f'Made of {material}, 30" tall {{ and {{ heavy }}'},
    ]
    answer = [
        {"attribute": "Material", "value": material, "source": "description"},
        {"attribute": "Height", "value": '30"', "source": "description"},
        {"attribute": "Colour", "value": "None", "source": "None"},
    ]
    return {
        "fields": {"paragraphs": paragraphs, "attributes": ["Material", "Height", "Colour"]},
        "answer": answer,
    }


def _question(number: int) -> dict[str, Any]:
    return {
        "question": f"Does the {_title(number)} come with a cover?",
        "snippets": [f"Mine has a {_pick(MATERIALS, number)} cover.", "It arrived early."],
    }


def _answerability_prediction(number: int) -> dict[str, Any]:
    return {"fields": _question(number), "answer": _pick(("yes", "no"), number)}


def _answer_generation(number: int) -> dict[str, Any]:
    return {"fields": _question(number), "answer": f"It does: a cover of {_pick(MATERIALS, number)}."}


MAKERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "answer_generation": _answer_generation,
    "answerability_prediction": _answerability_prediction,
    "attribute_value_extraction": _attribute_value_extraction,
    "multiclass_product_classification": _multiclass_product_classification,
    "product_matching": _product_matching,
    "product_relation_prediction": _product_relation_prediction,
    "product_substitute_identification": _product_substitute_identification,
    "query_product_ranking": _query_product_ranking,
    "sentiment_analysis": _sentiment_analysis,
    "sequential_recommendation": _sequential_recommendation,
}


def make_example(task: str, number: int, domain: Any = "ind") -> Example:
    """Make the example of a task with that number."""
    return Example(
        task=task,
        source="made",
        identity=str(number),
        domain=domain,
        locale="us",
        products=(f"asin:B{number:09d}",),
        groups=(f"query:{number}",),
        **MAKERS[task](number),
    )


def make_examples(task: str, count: int) -> list[Example]:
    """Make the first ``count`` examples of a task."""
    return [make_example(task, number) for number in range(count)]


def assign(task: str, count: int) -> list[Assigned]:
    """Make ``count`` examples of a task and spread them over the splits: 0 to train, 1 to validation ..."""
    splits: tuple[Split, ...] = ("train", "validation", "test", "test_ood")
    return [
        Assigned(make_example(task, number, "ood" if number % 4 == 3 else "ind"), splits[number % 4])
        for number in range(count)
    ]
