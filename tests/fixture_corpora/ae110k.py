"""AE-110K in its original form, and as JSON lines."""

from fixture_corpora.forms import json_lines

_ROD = "Tidewater Carbon Fishing Rod 2.1m  Light Spinning Rods Carbon 2018"


def _triple(title: str, attribute: str, value: str) -> str:
    return f"{title}\x01{attribute}\x01{value}\n"


FILES = {
    "publish_data.txt": "".join(
        [
            _triple(_ROD, "Material", "Carbon"),
            _triple(_ROD, " Length", " 2.1m"),
            _triple(_ROD, "Category", "Rod"),
            _triple(_ROD, "Power", "NULL"),
            _triple(_ROD.replace("  ", " "), "Brand Name", "TIDEWATER"),
            _triple(_ROD, "Technique", "light\tspinning"),
            _triple(_ROD, "Hardness", "Medium"),
            f"{_ROD}\x01Material\n",
            _triple("", "Material", "Carbon"),
            _triple(_ROD, "Model Number", " "),
            "\n",
            _triple(_ROD, "Material", "Carbon"),
            _triple("Café swimming cap, printed", "Pattern", "Print"),
        ]
    ).encode(),
    "train.jsonl": json_lines(
        {
            "input": _ROD,
            "category": "Fishing Rod",
            "target_scores": {
                "Material": {"Carbon": 1},
                "Power": {"n/a": 1},
                "Feature": {"n/a": 1, "Light": 1, "Carbon Fishing": 1},
                "Colour": {"Light": 0},
                "Season": {},
            },
        },
        {"input": "  ", "category": "Cap", "target_scores": {"Pattern": {"Print": 1}}},
        {"input": "A cap", "category": "Cap", "target_scores": ["Pattern"]},
        {"input": "A cap", "category": "Cap", "target_scores": {" ": {"cap": 1}}},
        "{",
        {"input": "A bare cap", "category": None, "target_scores": {}},
    ),
    "test.jsonl": json_lines({"input": "Wool cap", "category": "Cap", "target_scores": {"Material": {"wool": 1}}}),
}
