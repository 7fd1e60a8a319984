"""A whole build of all ten tasks: complete, loadable, accounted for, and right by the original's scoring rules."""

import json
from collections import Counter
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
from building import OUT_OF_DOMAIN, SmallBuild, call_command, leaks, set_options, shard_digests
from ecellm_scoring import score

from ecinstruct_build.explain import explain
from ecinstruct_build.registry import TASKS
from ecinstruct_build.rendering.lint import lint
from ecinstruct_build.rendering.template_set import load_templates
from ecinstruct_build.splits import PUBLISHED_SPLITS
from ecinstruct_build.stages.examples import read_examples
from ecinstruct_build.stages.samples import read_samples


def test_every_task_has_rows_in_every_split_that_it_asks_for(small_build: SmallBuild) -> None:
    for name, account in small_build.manifest["tasks"].items():
        wanted = set(PUBLISHED_SPLITS) if name in OUT_OF_DOMAIN else {s for s in PUBLISHED_SPLITS if "ood" not in s}
        assert set(account["samples"]) == wanted, name
    assert set(small_build.manifest["tasks"]) == set(TASKS.names())


def test_the_books_add_up(small_build: SmallBuild) -> None:
    for entry in small_build.manifest["inputs"]:
        assert entry["records"] == entry["ingested"] + entry["quarantined"] + entry["collapsed"] > 0, entry["file"]
        assert sum(entry["reasons"].values()) == entry["quarantined"]
    for name, account in small_build.manifest["tasks"].items():
        made, rejected = sum(account["examples"].values()), sum(account["rejected"].values())
        assert account["drawn"] == made + rejected + sum(account["dropped"].values()), name
        assert account["samples"]["train"] == account["examples"]["train"]
        for split, missing in account["shortfall"].items():
            assert missing == account["wanted"][split] - account["examples"][split] > 0


def test_the_shards_hold_what_the_manifest_says(small_build: SmallBuild) -> None:
    manifest = json.loads((small_build.out / "manifest.json").read_text())
    assert {shard["path"]: shard["sha256"] for shard in manifest["shards"]} == shard_digests(small_build.out)
    rows = Counter()
    for shard in manifest["shards"]:
        assert pq.read_metadata(small_build.out / shard["path"]).num_rows == shard["rows"]
        rows[shard["task"], shard["split"]] += shard["rows"]
    counted = {(name, s): n for name, account in manifest["tasks"].items() for s, n in account["samples"].items()}
    assert rows == counted
    assert manifest["recipe"]["tasks"]["sentiment_analysis"]["min_words"] == 10


def test_the_dataset_opens_as_its_users_open_it(
    small_build: SmallBuild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    everything = datasets.load_dataset(str(small_build.out), cache_dir=str(tmp_path))
    assert set(everything) == set(PUBLISHED_SPLITS)
    assert set(everything["train"]["task"]) == {task.published_name for task in TASKS}
    one = datasets.load_dataset(str(small_build.out), "product_matching", cache_dir=str(tmp_path))
    assert set(one["train"]["task"]) == {"Product_Matching"}
    assert everything["train"].num_rows == sum(t["samples"]["train"] for t in small_build.manifest["tasks"].values())


def test_gold_outputs_score_perfectly_by_the_original_rules(small_build: SmallBuild) -> None:
    for name, stage in small_build.built.rendered.items():
        rows = read_samples(stage).to_pylist()
        mean, unreadable = score(TASKS.get(name).published_name, rows, [row["output"] for row in rows])
        assert (mean > 0.9999, unreadable) == (True, 0), name  # its NDCG adds a millionth to what it divides by


def test_every_gold_output_parses_back_to_its_answer(small_build: SmallBuild) -> None:
    for name, stage in small_build.built.rendered.items():
        task = TASKS.get(name)
        answers = {one.example_id: one for one in read_examples(small_build.built.checked.repaired[name])}
        for row in read_samples(stage).to_pylist():
            example = answers[row["example_id"]]
            texts = {o.text: o.key for o in (*example.spare_options, *example.options)}
            keys = [texts[line.split(": ", 1)[1]] for line in row["options"].splitlines()]
            assert task.answer.parse(row["output"], keys) == example.answer


def test_templates_are_clean_on_everything_that_was_drawn(small_build: SmallBuild) -> None:
    findings = [
        finding
        for name, stage in small_build.built.checked.repaired.items()
        for finding in lint(TASKS.get(name), load_templates(name), read_examples(stage), seed=0)
    ]
    assert findings == []


def test_no_family_user_or_query_stands_on_both_sides(small_build: SmallBuild) -> None:
    rows = [row for stage in small_build.built.rendered.values() for row in read_samples(stage).to_pylist()]
    assert leaks(rows) == set()


def test_explain_tells_a_sample_back_to_its_raw_record(small_build: SmallBuild) -> None:
    row = read_samples(small_build.built.rendered["sentiment_analysis"]).to_pylist()[0]
    story = explain(small_build.built, small_build.raw, row["example_id"])
    assert story["fate"].startswith("in ")
    raw = json.loads(story["raw_records"][0]["text"])
    assert raw["reviewText"].split()[0] in row["input"]
    assert row["instruction"] in [sample["instruction"] for sample in story["samples"]]
    record = story["raw_records"][0]
    forward = explain(small_build.built, small_build.raw, f"{record['source']}/{record['file']}:{record['line']}")
    assert row["example_id"] in [made["example_id"] for made in forward["examples"]]


def test_explain_tells_why_a_record_or_example_is_missing(small_build: SmallBuild) -> None:
    file = next(one for one in small_build.built.files if one.facts["quarantined"])
    bad = pq.read_table(file.stage.folder / "quarantine.parquet").to_pylist()[0]
    story = explain(small_build.built, small_build.raw, f"{file.source}/{file.file}:{bad['line']}")
    assert story["fate"] == f"quarantined: {bad['reason']}"
    file = next(one for one in small_build.built.files if one.facts["collapsed"])
    twin = pq.read_table(file.stage.folder / "collapsed.parquet").to_pylist()[0]
    story = explain(small_build.built, small_build.raw, f"{file.source}/{file.file}:{twin['line']}")
    assert story["fate"].endswith(f"line {twin['first_line']}")
    verdicts = [row for task in small_build.built.drawn for row in small_build.built.checked.verdicts(task)]
    rejected = next(row for row in verdicts if row["action"] == "reject")
    assert "rejected by" in explain(small_build.built, small_build.raw, rejected["example_id"])["fate"]


def test_a_quota_that_cannot_be_met_is_reported_or_an_error(small_world: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "greedy.toml"
    recipe.write_text(
        'name = "greedy"\n[sources.amazon_google]\n[tasks.product_matching]\nquota = { train = 100000, test = 10 }\n'
    )
    places = ["--raw", str(small_world), "--out", str(tmp_path / "d"), "--work", str(tmp_path / "w"), "--jobs", "1"]
    told = call_command("build", str(recipe), *places)
    assert "quota not met: product_matching" in told.stderr
    refused = call_command("build", str(recipe), *places, "--set", "limits.shortfall=error", check=False)
    assert refused.returncode == 1
    assert "Quotas cannot be met: product_matching: " in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


RECIPE = 'name = "one"\n[sources.amazon_google]\n[tasks.product_matching]\nquota = { QUOTA }\n'


def test_new_splits_are_of_the_last_build_with_all_its_settings(small_world: Path, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(RECIPE.replace("QUOTA", "train = 50, test = 10"))
    places = ["one.toml", "--raw", str(small_world), "--work", "it's work", "--jobs", "1", "--json"]
    first = json.loads(
        call_command(
            "build", *places, "--seed", "5", "--set", "tasks.product_matching.oversample=3", cwd=tmp_path
        ).stdout
    )
    (tmp_path / "elsewhere").mkdir()
    places = ["--work", "../it's work", "--jobs", "1", "--json"]
    again = json.loads(call_command("splits", *places, "--seed", "7", cwd=tmp_path / "elsewhere").stdout)
    assert again["seeds"] == {"draw": 5, "split": 7}
    assert again["inputs"] == first["inputs"]
    assert {stage["stage"] for stage in again["stages"] if not stage["cached"]} == {"split", "render"}
    assert first["tasks"]["product_matching"]["drawn"] == again["tasks"]["product_matching"]["drawn"]


def test_a_failed_build_does_not_hide_the_last_good_one(small_world: Path, tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(RECIPE.replace("QUOTA", "train = 5"))
    call_command("build", "one.toml", "--raw", str(small_world), "--jobs", "1", "--quiet", cwd=tmp_path)
    assert call_command("build", "small", cwd=tmp_path, check=False).returncode == 1
    assert "product_matching" in call_command("templates", "preview", "product_matching", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("quota", "settings", "words"),
    [
        ("train = 0", [], "yields no example at all"),
        ("train = 9", ["templates.folder=nowhere"], "no template folder nowhere"),
    ],
)
def test_what_cannot_be_built_is_one_clear_message(
    small_world: Path, tmp_path: Path, quota: str, settings: list[str], words: str
) -> None:
    (tmp_path / "one.toml").write_text(RECIPE.replace("QUOTA", quota))
    places = ["one.toml", "--raw", str(small_world), "--jobs", "1", *set_options(settings)]
    done = call_command("build", *places, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    assert not (tmp_path / "dataset").exists()


def test_same_titles_and_known_matches_are_one_family(small_build: SmallBuild) -> None:
    family = pq.read_table(small_build.built.families.folder / "families.parquet").to_pydict()
    family_of = dict(zip(family["product_id"], family["family_id"], strict=True))
    matches = [
        row
        for example in read_examples(small_build.built.drawn["product_matching"])
        if example.answer == "yes"
        for row in [example.products]
    ]
    assert len(matches) > 50
    assert all(family_of[left] == family_of[right] for left, right in matches)
