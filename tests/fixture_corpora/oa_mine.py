"""OA-Mine's annotations and product texts, and the JSON lines without ASINs."""

from typing import Any

from fixture_corpora.forms import json_lines

_TITLE = "Brackwater Dark Roast Coffee, dark beans, 12 oz"


def _entity(label: str, value: str, start: int, end: int | None = None) -> dict[str, Any]:
    return {
        "startOffset": start,
        "endOffset": start + len(value) if end is None else end,
        "label": label,
        "value": value,
    }


_COFFEE = {
    "asin": "B00COFFEE1",
    "title": _TITLE,
    "entities": [
        _entity("Brand", "Brackwater", 0),
        _entity("Roast", "Dark Roast", 11),
        _entity("Size", "12 oz", 42),
        _entity("Roast", "dark", 30),
        _entity("Form", "Beans", 0),
        _entity("Diet", "Vegan", 3),
        _entity("Item", "Coffee", 22, 27),
    ],
}

FILES = {
    "annotations/ground_coffee.jsonl": json_lines(
        _COFFEE,
        _COFFEE | {"asin": ""},
        _COFFEE | {"entities": [_entity("Brand", "Brackwater", -1)]},
        _COFFEE | {"asin": "b00coffee2", "entities": []},
        _COFFEE,
    ),
    "raw/ground_coffee.jsonl": json_lines(
        {
            "asin": "B00COFFEE1",
            "title": _TITLE,
            "bullet_point": ["Roasted slowly", " "],
            "description": "Beans from one farm.",
        },
        {"asin": "B00COFFEE3", "title": "<span", "bullet_point": "One only", "description": None},
        {"title": "No id"},
    ),
    "train.jsonl": json_lines(
        {"input": _TITLE, "category": "Ground Coffee", "target_scores": {"Brand": {"Brackwater": 1}}},
        {"category": "Ground Coffee", "target_scores": {}},
    ),
}
