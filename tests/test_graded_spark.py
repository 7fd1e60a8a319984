"""Tasks on graded results, attributes and questions draw the very same examples on both engines."""

import pytest
from handmade import opened
from shelf import graded_world, judgements, products, question_world, questions
from test_task_attribute_value_extraction import PRODUCT, evidence, label, many

from ecinstruct_build.example import examples_to_table
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Request

SETTINGS = {
    "multiclass_product_classification": {"locales": ("us", "es")},
    "product_substitute_identification": {"positive_share": 0.4},
    "query_product_ranking": {},
    "attribute_value_extraction": {"ood": ("Origin",), "positive_share": 0.6},
    "answerability_prediction": {"ind": ("Kettles",), "ood": ("Lamps",), "positive_share": 0.5},
    "answer_generation": {"ood": ("Hoses",)},
}


def world():
    rows = judgements()
    odd = [
        {**row, "query": f"  ÑANDÚ\t{row['query']}\u00a0ΣΊΓΔΞΣ İ", "locale": "es", "query_id": f"es{row['query_id']}"}
        for row in judgements(40)
    ]
    described = [*products(), *products(locale="es")]
    own = label("Material", evidence("steel", 0, 7))
    tables = graded_world(*rows, *rows[:50], *odd, described=[*described, PRODUCT])
    labels = {
        "attribute": [
            {"catalogue": "corpus", "locale": "us", "file": "a", "source": "corpus", "line": n, **row}
            for n, row in enumerate([own, *many()], start=1)
        ]
    }
    return {**tables, **labels, **question_world(*questions(), *questions()[:30])}


@pytest.mark.spark
def test_both_engines_draw_the_same_examples(tmp_path):
    drawn = {}
    for engine, shuffle in (("duckdb", None), ("spark", 3)):
        with opened(tmp_path, world(), shuffle, engine) as tables:
            for name, chosen in SETTINGS.items():
                task = TASKS.get(name)
                drawn[engine, name] = task.draw(tables, task.settings.model_validate(chosen), Request(11, 40, 20))
    for name in SETTINGS:
        one, other = drawn["duckdb", name], drawn["spark", name]
        assert len(one.examples) > 20
        assert examples_to_table(one.examples).equals(examples_to_table(other.examples))
        assert one.funnel == other.funnel
