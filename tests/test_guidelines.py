"""Every task tells its judges what to look for."""

import pytest

from ecinstruct_build.registry import TASKS
from ecinstruct_build.review.guideline import guideline_of
from ecinstruct_build.review.verdicts import VERDICTS


@pytest.mark.parametrize("task", TASKS.names())
def test_every_task_has_a_guideline_that_speaks_of_the_verdicts(task: str) -> None:
    text = guideline_of(task)
    assert 100 <= len(text.split()) <= 220
    for kind in VERDICTS[1:-1]:
        assert f"*{kind.label}*" in text


def test_a_folder_of_templates_may_bring_its_own(tmp_path) -> None:
    (tmp_path / "product_matching").mkdir()
    (tmp_path / "product_matching" / "guideline.md").write_text("Look twice.", encoding="utf-8")
    assert guideline_of("product_matching", tmp_path) == "Look twice."
    assert guideline_of("sentiment_analysis", tmp_path) == guideline_of("sentiment_analysis")
    assert guideline_of("../templates/product_matching") == guideline_of("haiku") == ""
