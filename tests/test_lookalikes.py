"""Look-alikes of the split: inputs are compared as an audit compares them, and passages whatever the task."""

from itertools import combinations

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from split_world import MANY

from ecinstruct_build.audit.near import MIN_WORDS as LEAST_AUDITED
from ecinstruct_build.audit.texts import words
from ecinstruct_build.engine import EngineSettings
from ecinstruct_build.example import Example, Item, Option, examples_to_table
from ecinstruct_build.progress import Silence
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.splits import SPLITS
from ecinstruct_build.stages.checks import check
from ecinstruct_build.stages.lookalikes import lookalikes, read_pairs
from ecinstruct_build.stages.machine import Machine
from ecinstruct_build.store import Store
from ecinstruct_build.task import TaskSettings
from quality.content import field_texts
from quality.duplicates import DuplicateSettings
from quality.splitting.leakage import assign
from quality.splitting.web import web_of

pytestmark = pytest.mark.slow

TASKS = {"rank": TaskSettings(quota=MANY), "next": TaskSettings(quota=MANY)}


def ranking(identity, query):
    products = [f"{identity}-{letter}" for letter in "abc"]
    options = tuple(
        Option(one, " ".join(f"{identity}{one[-1]}{word}" for word in range(6)), one, grade="E") for one in products
    )
    keys = [option.key for option in options]
    return Example("rank", "corpus", identity, "ind", "us", (), {"query": query}, keys, options=options)


def history(identity, *texts):
    items = tuple(Item(f"{identity}-{place}", text) for place, text in enumerate(texts))
    right = Option(f"{identity}-next", f"what {identity} bought next of all things", f"{identity}-next")
    return Example("next", "corpus", identity, "ind", "us", (), {}, right.key, context=items, options=(right,))


def pairs_of(folder, examples, policy):
    """Return the pairs of ids that the stage finds."""
    machine = Machine(Store(folder), EngineSettings(), 1, Silence())
    drawn = {}
    for task in TASKS:
        table = examples_to_table([one for one in examples if one.task == task])

        def produce(out, _scratch, table=table):
            pq.write_table(table, out / "examples.parquet")
            return {}

        inputs = {"rows": table.to_pylist()}
        drawn[task] = machine.store.run("draw", task, inputs, produce)
    recipe = load_recipe("sample").model_copy(update={"tasks": TASKS, "checks": policy})
    return read_pairs(lookalikes(recipe, check(drawn, policy, 0, machine), machine))


def ids_of(pairs):
    return {*zip(pairs["left"].to_pylist(), pairs["right"].to_pylist(), strict=True)}


CHECKED = DuplicateSettings(action="flag", exact_only=tuple(TASKS))


@pytest.mark.parametrize(
    "policy",
    [{}, {"duplicates": CHECKED}, {"duplicates": CHECKED.model_copy(update={"shingle": 3, "min_words": 20})}],
    ids=["no check", "words", "runs"],
)
def test_queries_of_other_products_are_compared_without_them(tmp_path, policy):
    one = ranking("1", "queen size bed frame with tall headboard")
    other = ranking("2", "queen size bed frame with headboard")
    short, same = ranking("3", "red lamp"), ranking("4", "Red  lamp")
    world = [one, other, short, same, ranking("5", "blue lamp")]
    expected = {(*sorted([left.example_id, right.example_id]),) for left, right in ((one, other), (short, same))}
    assert ids_of(pairs_of(tmp_path, world, policy)) == expected


def test_a_passage_that_two_tasks_share_ties_their_examples(tmp_path):
    passage = " ".join(f"word{number}" for number in range(20))
    query = ranking("1", passage)
    bought = history("2", passage, *(" ".join(f"{place}item{word}" for word in range(9)) for place in range(9)))
    found = pairs_of(tmp_path, [query, bought, history("3", "another thing")], {"duplicates": CHECKED})
    assert ids_of(found) == {(*sorted([query.example_id, bought.example_id]),)}
    assert found["reason"].to_pylist() == ["shared passage"]


QUERIES = st.lists(st.lists(st.sampled_from("abcdefghijk"), min_size=1, max_size=9), min_size=2, max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES, st.booleans())
def test_no_inputs_that_an_audit_calls_alike_stand_in_two_splits(tmp_path, queries, as_histories):
    world = [
        history(str(number), *letters) if as_histories and number % 2 else ranking(str(number), " ".join(letters))
        for number, letters in enumerate(queries)
    ]
    pairs = pairs_of(tmp_path, world, {"duplicates": CHECKED})
    web = web_of(world, {}, pairs)
    assigned = assign(web, TASKS, dict.fromkeys(SPLITS, 1), 0)
    split = dict(zip(web.example_ids, assigned.split.tolist(), strict=True))
    for one, other in combinations(world, 2):
        sets = [set(words(" ".join(field_texts(example)))) for example in (one, other)]
        long = min(map(len, sets)) >= LEAST_AUDITED
        if long and len(sets[0] & sets[1]) >= 0.8 * len(sets[0] | sets[1]):
            assert len({split[one.example_id], split[other.example_id]} - {-1}) <= 1
