"""Product substitute identification: yes for substitutes alone, in the share asked for."""

from handmade import opened
from shelf import graded_world, judgements

from ecinstruct_build.task import Request
from ecinstruct_build.tasks.product_substitute_identification import TASK, ProductSubstituteIdentificationSettings

EVERYTHING = {"start": 0.0, "stop": 1.0}


def draw(folder, world, size=10_000, **settings):
    with opened(folder, world) as tables:
        return TASK.draw(
            tables, ProductSubstituteIdentificationSettings.model_validate(settings), Request(1, size, size)
        ).examples


def test_yes_is_for_substitutes_alone(tmp_path):
    rows = [
        {"query_id": grade, "query": f"tray {grade}", "product_id": "asin:P0", "label": grade, "subset": "large"}
        for grade in "ESCI"
    ]
    examples = draw(tmp_path, graded_world(*rows), pool=EVERYTHING)
    assert {example.fields["query"]: example.answer for example in examples} == {
        "tray E": "no",
        "tray S": "yes",
        "tray C": "no",
        "tray I": "no",
    }
    assert {example.fields["product"] for example in examples} == {"tray number 0 of <b>Hearth</b> &amp; Sons"}
    assert not any(example.options for example in examples)


def test_grades_come_as_they_are_unless_a_share_is_asked_for(tmp_path):
    rows = judgements()
    natural = sum(row["label"] == "S" for row in rows) / len(rows)
    as_they_come, balanced = (
        [example.answer == "yes" for example in draw(tmp_path, graded_world(*rows), 100, pool=EVERYTHING, **more)]
        for more in ({}, {"positive_share": 0.5})
    )
    assert (sum(balanced), len(balanced)) == (50, 100)
    assert abs(sum(as_they_come) / 100 - natural) < 0.15
