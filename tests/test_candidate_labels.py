"""What each task could have drawn of each label stands in its funnel, and adds up."""

import pytest
from building import SmallBuild
from handmade import opened
from shelf import graded_world

from ecinstruct_build.drawing.labels import labelled, read_labels
from ecinstruct_build.task import Request
from ecinstruct_build.tasks import product_substitute_identification, query_product_ranking

EVERYTHING = {"start": 0.0, "stop": 1.0}
WHOLE = {
    "answerability_prediction": "this task's questions with snippets and a verdict",
    "sentiment_analysis": "reviews that seem long enough",
    "query_product_ranking": "queries with two grades or more",
    "product_substitute_identification": "of this task's queries, one of each product",
    "multiclass_product_classification": "of this task's queries, one of each product",
}


def drawn_of(module, folder, world):
    settings = module.TASK.settings.model_validate({"pool": EVERYTHING})
    with opened(folder, world) as tables:
        return module.TASK.draw(tables, settings, Request(1, 1, 1))


def judgements():
    """Four queries with the grades of their products."""
    return [
        {"query_id": str(number), "query": f"tray {number}", "product_id": f"asin:P{place}", "label": grade}
        | {"subset": "small"}
        for number, grades in enumerate(("EES", "SE", "SCI", "EEE"))
        for place, grade in enumerate(grades)
    ]


def test_queries_are_counted_by_the_grades_of_their_products(tmp_path):
    funnel = drawn_of(query_product_ranking, tmp_path, graded_world(*judgements())).funnel
    counts = {step: count for step, count in funnel.items() if step.startswith("candidates")}
    source = next(iter(counts)).rpartition(" in ")[2]
    assert counts == {labelled("ES", "ind", source): 2, labelled("SCI", "ind", source): 1}


def test_judgements_are_counted_by_grade_however_few_are_drawn(tmp_path):
    drawn = drawn_of(product_substitute_identification, tmp_path, graded_world(*judgements()))
    (found,) = read_labels([{"step": step, "count": count} for step, count in drawn.funnel.items()], "ind").values()
    assert found == {"E": 6, "S": 3, "C": 1, "I": 1}
    assert len(drawn.examples) == 1


@pytest.mark.parametrize("task", WHOLE)
def test_candidates_of_all_labels_are_all_candidates(small_build: SmallBuild, task):
    funnel = small_build.manifest["tasks"][task]["funnel"]
    for domain in ("ind", "ood"):
        steps = (f"{WHOLE[task]} ({domain})", *((WHOLE[task],) if domain == "ind" else ()))
        whole = sum(step["count"] for step in funnel if step["step"] in steps)
        labels = read_labels(funnel, domain)
        assert sum(found.total() for found in labels.values()) == whole, domain
        assert not any(name in found for found in labels.values() for name in ("", "None"))
    assert read_labels(funnel, "ind")
