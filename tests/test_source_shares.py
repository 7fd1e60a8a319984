"""Shares of sources: a recipe says how much of a task comes of each, and every split has it so far as they last."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from building import small_recipe
from hypothesis import given, settings
from hypothesis import strategies as st
from publish_rows import manifest
from rich.console import Console
from split_world import Went, example, split_of, worlds
from tiny_reviews import TASK, machine_at, quota, recipe_of, review, write_reviews

from ecinstruct_build.accounts import manifest_of
from ecinstruct_build.errors import UserError
from ecinstruct_build.example import Example
from ecinstruct_build.pipeline import run_stages
from ecinstruct_build.progress import Silence
from ecinstruct_build.shortfall import judge_shortfall, short_shares
from ecinstruct_build.splits import SPLITS
from ecinstruct_build.summary import render_summary
from ecinstruct_build.task import Quota, TaskSettings
from quality.splitting.mixing import Mixing, mixing_of, weights_of

pytestmark = pytest.mark.slow

SOURCES = ("big", "middle", "small")
NO_SHARES = ("-0.1", "1.5", "nan", "inf", "true", "'half'")
WANTED = Quota(train=400, validation=50, test=50, test_ood=40)


def pairs(counts: Mapping[str, int], *, ood: int = 0) -> list[Example]:
    """Examples that share nothing with each other, so many of each source; of ``ood`` more the domain is another."""
    return [
        example(
            "pairs", str(n), products=[f"{source}{n}"], source=source, domain="ood" if n >= counts[source] else "ind"
        )
        for source in counts
        for n in range(counts[source] + ood)
    ]


def made(examples: Sequence[Example], went: Mapping[str, Went], split: str) -> Counter[str]:
    return Counter(one.source for one in examples if went[one.example_id].split == split)


def shared(shares: Any, sizes: Quota = WANTED) -> dict[str, TaskSettings]:
    return {"pairs": TaskSettings(quota=sizes, shares=shares)}


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[Mixing, list[str], list[int]]:
    """A mixing of up to five sources, examples of them in any order, and the group of each."""
    sources = [f"s{number}" for number in range(draw(st.integers(1, 5)))]
    share = st.just(0.0) | st.floats(0, 1 / len(sources))
    shares: Any = draw(st.just("equal") | st.dictionaries(st.sampled_from(sources), share, min_size=1))
    of = draw(st.lists(st.sampled_from(sources), min_size=1, max_size=200))
    ids = [f"t:{number}" for number in range(len(of))]
    task = TaskSettings(shares=shares)
    mixing = mixing_of({"t": task}, {"t": dict(zip(ids, of, strict=True))})
    assert mixing is not None
    return mixing, ids, draw(st.lists(st.integers(-1, 2), min_size=len(ids), max_size=len(ids)))


@settings(max_examples=150)
@given(mixtures())
def test_every_beginning_holds_the_shares_while_the_sources_last(mixture: tuple[Mixing, list[str], list[int]]) -> None:
    mixing, ids, groups = mixture
    order = mixing.ordered("t", ids, groups)
    assert sorted(order) == list(range(len(ids)))
    assert [groups[place] for place in order] == groups, "a group's places stay its own"
    weights = mixing.weights["t"]
    for group in set(groups):
        queue = [mixing.sources[ids[place]] for place in order if groups[place] == group]
        left = Counter(queue)
        taken: Counter[str] = Counter()
        for number, source in enumerate(queue, 1):
            taken[source] += 1
            if any(taken[one] == left[one] for one in left):
                break
            total = sum(weights[one] for one in left)
            for one in left:
                share = weights[one] / total if total else 1 / len(left)
                assert abs(taken[one] - share * number) <= 0.5 + share * len(left) / 2 + 1e-9 or not total


@settings(max_examples=100)
@given(mixtures())
def test_the_examples_of_a_source_come_in_their_own_order_whatever_others_there_are(
    mixture: tuple[Mixing, list[str], list[int]],
) -> None:
    mixing, ids, groups = mixture
    order = mixing.ordered("t", ids, groups)
    for source in mixing.weights["t"]:
        for group in set(groups):
            mine = [place for place in order if groups[place] == group and mixing.sources[ids[place]] == source]
            assert mine == sorted(mine)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"small": 0.2, "middle": 0.3}, {"big": 0.5, "middle": 0.3, "small": 0.2}),
        ({"small": 0.4}, {"big": 0.3, "middle": 0.3, "small": 0.4}),
        ("equal", {"big": 1 / 3, "middle": 1 / 3, "small": 1 / 3}),
        ({"big": 0.0}, {"big": 0.0, "middle": 0.5, "small": 0.5}),
    ],
)
def test_every_split_has_the_shares_of_the_recipe(shares: Any, expected: Mapping[str, float]) -> None:
    examples = pairs({"big": 6000, "middle": 1500, "small": 700}, ood=200)
    went = split_of(examples, settings=shared(shares), families={})
    for split, wanted in WANTED.model_dump().items():
        counts = made(examples, went, split)
        assert counts.total() == wanted
        for source in SOURCES:
            assert abs(counts[source] - expected[source] * wanted) <= 1.5, (split, counts)
    assert weights_of(shared(shares)["pairs"], SOURCES) == pytest.approx(expected)


def test_what_a_source_lacks_the_others_make_up_for_in_proportion() -> None:
    sizes = Quota(train=400, validation=50, test=50)
    examples = pairs({"big": 6000, "middle": 1500, "small": 50})
    went = split_of(examples, settings=shared({"small": 0.5, "middle": 0.1}, sizes), families={})
    counts = sum((made(examples, went, split) for split in ("train", "validation", "test")), Counter[str]())
    assert (counts.total(), counts["small"]) == (500, 50), "all of it is used"
    assert abs(counts["middle"] / counts["big"] - 0.1 / 0.4) < 0.02
    without = split_of(examples, settings=shared({}, sizes), families={})
    assert made(examples, without, "train")["small"] < 10, "as much of each as there is of it"


def test_shares_of_one_task_move_no_other() -> None:
    mine = pairs({"big": 3000, "small": 300})
    others = [example("choices", str(n), products=[f"o{n}"], source=SOURCES[n % 2]) for n in range(900)]
    task = {"choices": TaskSettings(quota=Quota(train=200, validation=20, test=20))}
    plain = split_of([*mine, *others], settings={**task, **shared({})}, families={})
    mixed = split_of([*mine, *others], settings={**task, **shared("equal")}, families={})
    ids = {one.example_id for one in others}
    assert {name: went for name, went in plain.items() if name in ids} == {
        name: went for name, went in mixed.items() if name in ids
    }
    assert plain != mixed


@settings(max_examples=40, deadline=None)
@given(worlds(), st.integers(0, 3))
def test_a_mixed_world_leaks_no_more_than_another_and_depends_on_no_order(world: list[Example], seed: int) -> None:
    tasks = {
        "pairs": TaskSettings(quota=Quota(train=9, test=3, test_ood=2), shares="equal"),
        "histories": TaskSettings(quota=Quota(train=9, test=3), leakage="trim", min_context=1, shares={"corpus": 0.5}),
        "choices": TaskSettings(quota=Quota(train=20, validation=4, test=4, test_ood=3)),
    }
    assert split_of(world, settings=tasks, seed=seed) == split_of(world[::-1], settings=tasks, seed=seed)  # proves it


def test_what_comes_in_for_examples_left_out_late_is_mixed_too() -> None:
    examples = pairs({"big": 4000, "small": 900})
    tasks = shared("equal")
    before = split_of(examples, settings=tasks, families={})
    gone = sorted(name for name, went in before.items() if went.split == "train")[:200]
    after = split_of(examples, settings=tasks, families={}, left_out=gone)
    counts = made(examples, after, "train")
    assert counts.total() == WANTED.train
    assert abs(counts["small"] - counts["big"]) < 60
    stayed = {name for name, went in before.items() if went.split} - set(gone)
    assert all(after[name] == before[name] for name in stayed)


def test_shares_of_more_than_all_or_of_unknown_sources_are_refused() -> None:
    with pytest.raises(UserError, match=r"sentiment_analysis\]: 'shares': .* are 1\.2 together, which is more than 1"):
        small_recipe("tasks.sentiment_analysis.shares={amazon_reviews_2018=0.7, amazon_google=0.5}")
    with pytest.raises(
        UserError, match=r"source 'amazon_review_2018' is not one .* Did you mean 'amazon_reviews_2018'"
    ):
        small_recipe("tasks.sentiment_analysis.shares.amazon_review_2018=0.5")
    with pytest.raises(UserError, match=r"'amazon_google' is not one of the task's own sources .amazon_reviews_2018."):
        small_recipe(
            "tasks.sentiment_analysis.sources=['amazon_reviews_2018']",
            "tasks.sentiment_analysis.shares={amazon_google=0.5}",
        )
    assert small_recipe("tasks.sentiment_analysis.shares='equal'").tasks["sentiment_analysis"].shares == "equal"


@pytest.mark.parametrize(
    "nonsense", ["'even'", "0.5", "['amazon_google']", *(f"{{amazon_google={value}}}" for value in NO_SHARES)]
)
def test_what_is_no_share_is_refused_in_one_sentence(nonsense: str) -> None:
    with pytest.raises(UserError) as refused:
        small_recipe(f"tasks.product_matching.shares={nonsense}")
    assert str(refused.value).endswith(
        "[tasks.product_matching]: 'shares': this must be 'equal', or give sources numbers from 0 to 1, such as "
        "{ oa_mine = 0.1 }."
    )


def test_a_build_with_other_shares_runs_from_the_split_on(tmp_path: Path) -> None:
    raw, machine = write_reviews(tmp_path, [review(number) for number in range(80)]), machine_at(tmp_path)
    (raw / "amazon_reviews_2018").mkdir()
    later = "".join(f"{review(number)}\n" for number in range(100, 116))
    (raw / "amazon_reviews_2018" / "Electronics_5.json").write_text(later)
    wanted = [f"tasks.{TASK}.oversample=10.0", *quota(train=20, validation=4, test=4)]

    def built(*overrides: str) -> tuple[set[str], dict[str, Any]]:
        recipe = recipe_of(tmp_path, "sources.amazon_reviews_2018={}", *wanted, *overrides)
        done = run_stages(recipe, raw, machine)
        ran = {stage.stage for stage in done.stages if not stage.cached}
        return ran, manifest_of(recipe, done, machine)["tasks"][TASK]

    ran, plain = built()
    assert "draw" in ran
    assert {source: (one["drawn"], one["share"]) for source, one in plain["sources"].items()} == {
        "amazon_reviews_2014": (80, None),
        "amazon_reviews_2018": (16, None),
    }
    ran, mixed = built(f"tasks.{TASK}.shares={{amazon_reviews_2018=0.5}}")
    assert ran == {"split", "render"}
    assert {source: (one["share"], one["examples"]["train"]) for source, one in mixed["sources"].items()} == {
        "amazon_reviews_2014": (0.5, 10),
        "amazon_reviews_2018": (0.5, 10),
    }
    assert mixed["examples"] == plain["examples"] == {"train": 20, "validation": 4, "test": 4, "test_ood": 0}
    assert mixed["drawn"] == plain["drawn"]


def of_source(drawn: int, *placed: int, drawn_ood: int = 0) -> dict[str, Any]:
    counts = dict(zip(SPLITS, (*placed, 0)[:4], strict=True))
    return {"drawn": drawn, "drawn_ood": drawn_ood, "share": 0.5, "examples": counts, "samples": counts}


def in_all(sources: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sources": sources,
        "examples": {split: sum(one["examples"][split] for one in sources.values()) for split in SPLITS},
    }


ACCOUNT = {"big": of_source(900, 320, 25, 25), "small": of_source(90, 80, 25, 24)}
SHORT = "small has 80 of 400 in train (20.0% in place of 50.0%)"


def test_a_share_that_is_not_met_is_said_and_shown() -> None:
    account = in_all(ACCOUNT)
    assert short_shares(account) == [SHORT], "one example more or less is no shortfall"
    unasked = {name: {**one, "share": None} for name, one in ACCOUNT.items()}
    assert short_shares({**account, "sources": unasked}) == []

    notes: list[str] = []

    class Noting(Silence):
        def note(self, message: str) -> None:
            notes.append(message)

    whole = manifest([])
    task = {**whole["tasks"]["product_matching"], **account, "shortfall": {}}
    judge_shortfall(small_recipe(), {**whole, "tasks": {"product_matching": task}}, Noting())
    assert notes == [
        f"share not met: product_matching: {SHORT}",
        "no row of kettle_shop: it was read, and no task made a row from it",
    ]
    console = Console(file=io.StringIO(), width=120)
    render_summary({**whole, "tasks": {"product_matching": task}}, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert "product_matching big 50.0% 900 80.0% 50.0% 51.0% -" in rows
    assert "product_matching small 50.0% 90 20.0% 50.0% 49.0% -" in rows


@pytest.mark.parametrize(("drawn_ood", "shown"), [(0, "-"), (3, "0.0%")])
def test_no_share_of_the_tests_out_of_domain_is_missed_of_a_source_that_has_nothing_there(
    drawn_ood: int, shown: str
) -> None:
    sources = {"big": of_source(900, 40, 5, 5, 20, drawn_ood=60), "small": of_source(90, 40, 5, 5, drawn_ood=drawn_ood)}
    account = in_all(sources)
    short = ["small has 0 of 20 in test_ood (0.0% in place of 50.0%)"] if drawn_ood else []
    assert short_shares(account) == short
    console, whole = Console(file=io.StringIO(), width=120), manifest([])
    task = {**whole["tasks"]["product_matching"], **account}
    render_summary({**whole, "tasks": {"product_matching": task}}, console)
    rows = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "product_matching big 50.0% 900 50.0% 50.0% 50.0% 100.0%" in rows
    assert f"product_matching small 50.0% 90 50.0% 50.0% 50.0% {shown}" in rows


def test_the_books_tell_what_each_source_gave_out_of_domain(tmp_path: Path) -> None:
    raw, machine = write_reviews(tmp_path, [review(number) for number in range(30)]), machine_at(tmp_path)
    for number, place in enumerate(("amazon_reviews_2014/reviews_Toys.json", "amazon_reviews_2018/Electronics_5.json")):
        (raw / place).parent.mkdir(exist_ok=True)
        (raw / place).write_text("".join(f"{review(n)}\n" for n in range(100 * number + 100, 100 * number + 130)))
    wanted = [f"tasks.{TASK}.ood=['Toys']", f"tasks.{TASK}.shares='equal'", *quota(train=20, test_ood=10)]
    recipe = recipe_of(tmp_path, "sources.amazon_reviews_2018={}", *wanted)
    account = manifest_of(recipe, run_stages(recipe, raw, machine), machine)["tasks"][TASK]
    assert {source: one["drawn_ood"] for source, one in account["sources"].items()} == {
        "amazon_reviews_2014": 20,
        "amazon_reviews_2018": 0,
    }
    assert account["examples"]["test_ood"] == 10
    assert not short_shares(account)
