"""Our gold outputs, read by the rules of eCeLLM's own evaluation script, are right every time."""

import pytest
from ecellm_scoring import score
from made_examples import MAKERS, assign

from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.render import render_samples
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.splits import settings_of


def samples_of(name: str) -> list[dict]:
    table = render_samples(assign(name, 120), TASKS.get(name), load_templates(name), 3, settings_of("ecinstruct"))
    return table.to_pylist()


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_gold_outputs_score_perfectly(name):
    samples = samples_of(name)
    outputs = [sample["output"] for sample in samples]
    figure, unreadable = score(TASKS.get(name).published_name, samples, outputs)
    assert figure == pytest.approx(1, abs=1e-3)
    assert unreadable == 0


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_answers_of_other_samples_score_lower(name):
    samples = samples_of(name)
    outputs = [sample["output"] for sample in samples]
    shifted = outputs[1:] + outputs[:1]
    figure, _ = score(TASKS.get(name).published_name, samples, shifted)
    assert figure < 0.95
