"""Recipes: typed, strict, and helpful when mistyped."""

from pathlib import Path

import pytest

from ecinstruct_build.errors import UserError
from ecinstruct_build.recipe import load_recipe, parse_recipe, recipe_path
from ecinstruct_build.registry import TASKS
from ecinstruct_build.task import Quota

GOOD = """
name = "mine"
[sources.amazon_reviews_2018]
files = ["meta_*.json.gz"]
[tasks.sentiment_analysis]
quota = { train = 10, test = 2 }
ood = ["Tools_and_Home_Improvement"]
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize("name", ["sample", "small", "ecinstruct"])
def test_every_packaged_recipe_is_valid(name: str) -> None:
    assert load_recipe(name).name == name
    assert load_recipe(f"recipes/{name}.toml").name == name


def test_overrides_replace_settings_by_type(good: Path) -> None:
    recipe = load_recipe(good, ["seed=7", "tasks.sentiment_analysis.quota.train=99", "layout=ecinstruct"])
    assert (recipe.seed, recipe.tasks["sentiment_analysis"].quota.train, recipe.layout) == (7, 99, "ecinstruct")
    assert recipe.split_seed == 7


def test_split_weights_follow_the_quotas_unless_stated(good: Path) -> None:
    assert load_recipe(good).split_weights == {"train": 10 / 12, "validation": 0.0, "test": 2 / 12}
    stated = load_recipe(good, ["split.train=3", "split.test=1"])
    assert stated.split_weights == {"train": 3.0, "validation": 0.0, "test": 1.0}


def test_a_task_with_much_training_leaves_the_others_their_tests() -> None:
    usual = load_recipe("sample").split_weights
    assert usual == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert load_recipe("sample", ["tasks.sentiment_analysis.quota.train=20000"]).split_weights == usual


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ([(800, 100, 100), (0, 0, 20), (0, 0, 20)], (0.8, 0.1, 0.1)),
        ([(900, 0, 100), (900, 0, 100), (0, 20, 0)], (0.9, 20 / 2020, 0.1)),
        ([(1000, 0, 0), (1000, 0, 0), (0, 0, 100)], (2000 / 2100, 0.0, 100 / 2100)),
        ([(0, 0, 0)], (1.0, 0.0, 0.0)),
    ],
)
def test_a_task_that_wants_one_split_alone_takes_nothing_from_the_others(
    quotas: list[tuple[int, int, int]], expected: tuple[float, float, float], good: Path
) -> None:
    names = ("sentiment_analysis", "product_matching", "product_relation_prediction")[: len(quotas)]
    tasks = {
        name: TASKS.get(name).settings(quota=Quota(train=train, validation=validation, test=test, test_ood=0))
        for name, (train, validation, test) in zip(names, quotas, strict=True)
    }
    weights = load_recipe(good).model_copy(update={"tasks": tasks}).split_weights
    assert weights == dict(zip(("train", "validation", "test"), expected, strict=True))


def test_a_quota_for_a_split_without_weight_is_refused(good: Path) -> None:
    quota = "tasks.sentiment_analysis.quota"
    message = r"\[split\]: 'validation' has a weight of 0 and stays empty, .* for it: sentiment_analysis 1,500\. Give"
    with pytest.raises(UserError, match=message):
        load_recipe(good, ["split.train=3", "split.test=1", f"{quota}.validation=1500"])
    with pytest.raises(UserError, match=r"'train' has .* attribute_value_extraction 400 and 7 more\. Give"):
        load_recipe("sample", ["split.validation=1", "split.test=1"])
    allowed = [
        [f"{quota}.validation=1500"],
        ["split.test=1", f"{quota}.train=0"],
        ["split.train=3", "split.test=1", f"{quota}.test_ood=5"],
        ["split.train=1", "split.freeze='earlier'"],
    ]
    for overrides in allowed:
        assert load_recipe(good, overrides).name == "mine"


def test_the_resolved_recipe_parses_back_to_itself(good: Path) -> None:
    recipe = load_recipe(good)
    assert parse_recipe(recipe.model_dump(mode="json"), "here") == recipe


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sed=1", "'sed'.*Did you mean 'seed'"),
        ("limits.quarantine_share=1", "Did you mean 'quarantined_share'"),
        ("tasks.sentiment_analysis.quota.tran=1", "quota.tran.*Did you mean 'train'"),
        ("tasks.sentiment_analysis.min_wrds=1", "Did you mean 'min_words'"),
        (
            "tasks.sentiment_analyses.quota.train=1",
            "no task called 'sentiment_analyses'.*Did you mean 'sentiment_analysis'",
        ),
        ("sources.amazon_gogle.files=['x']", "no source called.*Did you mean 'amazon_google'"),
        ("checks.duplicate.action=off", "no check called.*Did you mean 'duplicates'"),
        ("seed='three'", "seed.*valid integer"),
        ("tasks.sentiment_analysis.quota.train=-1", "greater than or equal to 0"),
        ("tasks.sentiment_analysis.sources=['esci']", "not one of the recipe's sources"),
        ("limits=1", "limits"),
        ("no_equals_sign", "not of the form"),
        ("seed.deeper=1", "value and not a table"),
    ],
)
def test_a_mistake_is_named_with_its_place(good: Path, override: str, message: str) -> None:
    base = ["seed=1"] if override.startswith("seed.") else []
    with pytest.raises(UserError, match=message):
        load_recipe(good, [*base, override])


def test_a_missing_or_broken_file_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no recipe at 'sampel'.*Did you mean 'sample'"):
        recipe_path("sampel")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(UserError, match=r"broken.toml cannot be read"):
        load_recipe(broken)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("checks.language.action=repair", "can repair nothing"),
        ("checks.balance.targets={product_matchin={yes=0.5,no=0.5}}", "Did you mean 'product_matching'"),
    ],
)
def test_a_check_is_not_told_what_it_cannot_do(override: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load_recipe("sample", [override])


def test_a_question_after_a_misspelt_setting_ends_as_one() -> None:
    with pytest.raises(UserError, match=r"there is no setting 'qota'\. Did you mean 'quota'\?$"):
        load_recipe("sample", ["tasks.sentiment_analysis.qota=3"])
