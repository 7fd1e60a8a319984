"""The card: its text, its front matter, and that `datasets` and eCeLLM's scripts read the folder through it."""

import json
from dataclasses import replace
from pathlib import Path

import datasets
import huggingface_hub
import pandas as pd
import publish_rows
import pytest
import yaml

from ecinstruct_build.example import SAMPLE_SCHEMA
from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.card import card_text, draft_card, write_card
from ecinstruct_build.publish.card_info import review_figures
from ecinstruct_build.publish.columns import COLUMN_MEANINGS
from ecinstruct_build.publish.shards import rows_by_split, write_shards
from ecinstruct_build.review.report import Agreement, Disagreement, Figures, ReviewReport, Said
from ecinstruct_build.review.settings import ReviewSettings
from ecinstruct_build.splits import PUBLISHED_SPLITS

GOLDEN = Path(__file__).parent / "publish_golden"


@pytest.fixture(autouse=True)
def _offline(tmp_path_factory, monkeypatch):
    """Keep `datasets` off the network and out of the user's cache."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def publish(folder: Path, layout: str = "huggingface", max_shard_bytes: int = 2**28, **changes):
    made = publish_rows.samples(layout)
    shards = write_shards(made, folder, layout, max_shard_bytes)
    write_card(folder, publish_rows.card_info(made, shards, layout, **changes))
    return made


def front_matter(folder: Path) -> dict:
    return huggingface_hub.DatasetCard.load(folder / "README.md").data.to_dict()


@pytest.mark.parametrize("max_shard_bytes", [2**28, 700])
@pytest.mark.parametrize("streaming", [False, True])
def test_all_tasks_load_as_real_splits(tmp_path, streaming, max_shard_bytes):
    made = publish(tmp_path, max_shard_bytes=max_shard_bytes)
    loaded = datasets.load_dataset(str(tmp_path), streaming=streaming)
    assert tuple(loaded) == PUBLISHED_SPLITS
    by_split = [rows_by_split(made[task]) for task in sorted(made)]
    for split in PUBLISHED_SPLITS:
        expected = [row for rows in by_split if split in rows for row in rows[split].to_pylist()]
        assert list(loaded[split]) == expected


@pytest.mark.parametrize("streaming", [False, True])
def test_one_task_loads_with_the_splits_that_it_has(tmp_path, streaming):
    made = publish(tmp_path)
    loaded = datasets.load_dataset(str(tmp_path), "product_matching", streaming=streaming)
    assert list(loaded) == ["train", "validation", "test", "test_unseen_instructions"]
    for split, rows in rows_by_split(made["product_matching"]).items():
        assert list(loaded[split]) == rows.to_pylist()


@pytest.mark.parametrize("layout", ["huggingface", "ecinstruct"])
def test_columns_load_with_their_exact_types(tmp_path, layout):
    publish(tmp_path, layout)
    features = datasets.load_dataset(str(tmp_path))["train"].features
    assert features == datasets.Features.from_arrow_schema(SAMPLE_SCHEMA)
    shard = next(tmp_path.rglob("*.parquet"))
    assert datasets.Dataset.from_parquet(str(shard), cache_dir=str(tmp_path / "cache")).features == features


def test_a_shard_that_lost_rows_is_noticed_on_loading(tmp_path):
    made = publish(tmp_path)
    fewer = {task: rows.slice(0, rows.num_rows - 1) for task, rows in made.items()}
    write_shards(fewer, tmp_path, "huggingface")
    with pytest.raises(datasets.exceptions.NonMatchingSplitsSizesError):
        datasets.load_dataset(str(tmp_path))


def test_the_original_layout_reads_as_ecellms_scripts_read_it(tmp_path):
    """They load the one split and pick rows by split, task and setting; finetune.py goes through pandas."""
    publish(tmp_path, "ecinstruct")
    loaded = datasets.load_dataset(str(tmp_path))
    assert list(loaded) == ["train"]
    frame = pd.DataFrame(loaded["train"])
    diverse = frame[frame["setting"] == "IND_Diverse_Instruction"]
    assert diverse[diverse["split"] == "train"].shape[0] == 2 * 4
    assert diverse[diverse["split"] == "val"].shape[0] == 2 * 3
    for setting in publish_rows.all_settings():
        chosen = [
            (row["instruction"], row["input"], row["options"], row["output"])
            for row in loaded["train"]
            if row["split"] == "test" and row["task"] == "Sentiment_Analysis" and row["setting"] == setting
        ]
        assert len(chosen) == 3
        assert all(isinstance(text, str) for row in chosen for text in row)


def test_configs_name_only_splits_that_have_files(tmp_path):
    publish(tmp_path)
    for config in front_matter(tmp_path)["configs"]:
        for entry in config["data_files"]:
            assert list(tmp_path.glob(entry["path"])), entry


def test_sizes_in_the_front_matter_are_those_of_the_files(tmp_path):
    made = publish(tmp_path)
    described = {entry["config_name"]: entry for entry in front_matter(tmp_path)["dataset_info"]}
    assert list(described) == ["default", *sorted(made)]
    on_disk = sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))
    assert described["default"]["download_size"] == on_disk
    assert sum(described[task]["download_size"] for task in made) == on_disk
    for entry in described.values():
        assert entry["dataset_size"] == sum(split["num_bytes"] for split in entry["splits"])


@pytest.mark.parametrize(
    ("licences", "expected"),
    [(["CC-BY-4.0"], "cc-by-4.0"), (["CC-BY-4.0", "CC-BY-4.0"], "cc-by-4.0"), (["CC-BY-4.0", "MIT"], "other"),
     (["none stated; research use"], "other")],
)  # fmt: skip
def test_the_licence_is_stated_only_where_all_sources_agree(tmp_path, licences, expected):
    sources = [replace(publish_rows.SHOP, name=f"shop_{n}", licence=terms) for n, terms in enumerate(licences)]
    publish(tmp_path, sources=sources)
    header = front_matter(tmp_path)
    assert header["license"] == expected
    assert (tmp_path / header.get("license_link", "LICENSE.md")).is_file()
    for source in sources:
        assert f"| {source.name} | {source.licence} |" in (tmp_path / "LICENSE.md").read_text()


@pytest.mark.parametrize(
    "title", ["Kettles", "Tea \N{TEAPOT}\N{FACE SAVOURING DELICIOUS FOOD}: 'a set'", "no", "Ö " * 90]
)
@pytest.mark.parametrize("licence", ["MIT", "research use"])
def test_the_front_matter_is_written_as_the_hubs_own_library_writes_it(tmp_path, title, licence):
    publish(tmp_path, title=title, sources=[replace(publish_rows.SHOP, licence=licence)])
    written = (tmp_path / "README.md").read_text().split("---\n")[1]
    values = yaml.safe_load(written)
    assert values["pretty_name"] == title
    assert huggingface_hub.DatasetCardData(**values).to_yaml() + "\n" == written


def test_text_that_may_not_be_published_again_is_said_to_be_so(tmp_path):
    publish(tmp_path, sources=[replace(publish_rows.SHOP, redistributable=False)])
    opening = (tmp_path / "README.md").read_text().split("## Loading")[0]
    assert "Keep this dataset to yourself.** The terms of kettle_shop do not allow" in opening


def test_generated_corpora_are_not_passed_off_as_real_ones(tmp_path):
    publish(tmp_path, generated=True)
    header, text = front_matter(tmp_path), (tmp_path / "README.md").read_text()
    assert "synthetic" in header["tags"]
    assert header["license"] == "apache-2.0"
    assert "The corpora behind this dataset are generated." in text


def test_languages_follow_the_locales_of_the_rows(tmp_path):
    rows = [
        publish_rows.row("t", "train", "IND_Diverse_Instruction", n, locale=locale)
        for n, locale in enumerate(["us", "jp", "uk", "es", "xx"])
    ]
    made = {"t": publish_rows.table(rows)}
    shards = write_shards(made, tmp_path, "huggingface")
    write_card(tmp_path, publish_rows.card_info(made, shards))
    assert front_matter(tmp_path)["language"] == ["en", "es", "ja"]


@pytest.mark.parametrize("changes", [{}, {"restricted": [publish_rows.SHOP]}])
def test_a_card_begun_before_the_audit_ended_is_the_same(tmp_path, changes):
    made = publish_rows.samples()
    info = publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface"), **changes)
    early = draft_card(
        replace(info, manifest={name: value for name, value in info.manifest.items() if name != "audit"})
    )
    assert card_text(info, early) == card_text(info)
    assert "## What the splits share" in card_text(info)


def test_only_training_rows_are_shown(tmp_path):
    rows = [
        publish_rows.row("t", split, "IND_Diverse_Instruction", n, input=f"{split} text")
        for n, split in enumerate(["test", "val", "train"])
    ]
    for kept, shown in ((rows, "train text"), (rows[:2], "rows to be tested on are not shown")):
        made = {"t": publish_rows.table(kept)}
        write_card(tmp_path, publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface")))
        text = (tmp_path / "README.md").read_text()
        assert shown in text
        assert "test text" not in text
        assert "val text" not in text


def test_text_of_rows_cannot_break_out_of_its_block(tmp_path):
    nasty = "```\n# Injected heading\n````\n<script>alert(1)</script>"
    made = {"t": publish_rows.table([publish_rows.row("t", "train", "IND_Diverse_Instruction", 1, input=nasty)])}
    write_card(tmp_path, publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface")))
    block = (tmp_path / "README.md").read_text().split("`````text\n")[1].split("\n`````\n")[0]
    assert nasty in block


def test_cells_of_a_table_stay_in_their_row():
    assert markdown.table(("a", "b"), [("x | y\nz", 1234)], right=1).splitlines()[2] == "| x \\| y z | 1,234 |"


def test_every_published_column_has_a_meaning():
    assert list(COLUMN_MEANINGS) == SAMPLE_SCHEMA.names


def test_the_same_dataset_has_the_same_card_whenever_and_wherever_it_was_built(tmp_path):
    publish(tmp_path / "one")
    made = publish_rows.samples()
    info = publish_rows.card_info(made, write_shards(made, tmp_path / "two", "huggingface"))
    manifest = info.manifest | {"engine": "spark", "stages": [], "peak_memory_bytes": 1}
    reordered = {
        **info.__dict__,
        "manifest": json.loads(json.dumps(manifest, sort_keys=True)),
        "samples": dict(reversed(made.items())),
    }
    write_card(tmp_path / "two", type(info)(**reordered))
    assert publish_rows.files(tmp_path / "one") == publish_rows.files(tmp_path / "two")


def test_checks_are_counted_over_all_tasks_and_those_without_findings_are_there(tmp_path):
    publish(tmp_path)
    section = (tmp_path / "README.md").read_text().split("## Checks")[1].split("\n## ")[0]
    for line in (
        "| language | reject | not English | 4 | 0 | 0 |",
        "| length | flag | very long | 0 | 0 | 2 |",
        "| privacy | off | not run | 0 | 0 | 0 |",
        "| spelling | repair | two spaces | 0 | 6 | 0 |",
    ):
        assert line in section


def test_what_was_left_out_adds_up(tmp_path):
    publish(tmp_path)
    section = (tmp_path / "README.md").read_text().split("## What was left out")[1].split("\n## ")[0]
    lines = [line.split("|")[2:-1] for line in section.splitlines() if line.startswith(("| product", "| senti"))]
    assert len(lines) == 2
    for drawn, *rest in ([int(cell) for cell in line] for line in lines):
        assert drawn == sum(rest)


def figures(task: str, judged: int, defects: int, *, passed: bool | None, **changes) -> Figures:
    agreement = Agreement(4, 0.75, 0.5, 0.52, 1.0, None, None)
    values = {
        "population": 300, "items": 20, "awaiting": 0,
        "by_verdict": {"good": judged - defects, "wrong_answer": defects},
        "rate": defects / judged if judged else None, "wilson": (0.0125, 0.25), "exact": (0.0, 0.3),
        "upper_bound": 0.021, "promise": True, "finished": passed is not None, "agreement": agreement,
    } | changes  # fmt: skip
    return Figures(task=task, judged=judged, defects=defects, passed=passed, **values)


def reviewed(*tasks: Figures, overall: Figures) -> dict:
    said = (Said("ann", "wrong_answer", "Ann's own words"), Said("bob", "good", ""))
    disagreement = Disagreement(1, "t", "t:1", "ff", True, False, said)
    report = ReviewReport("ab12", "kettles", ReviewSettings(), 2, 44, overall, tasks, (disagreement,))
    return review_figures(report.to_json())


def test_what_people_found_is_on_the_card(tmp_path):
    found = reviewed(
        figures("product_matching", 20, 0, passed=True),
        figures("sentiment_analysis", 20, 3, passed=False),
        overall=figures("", 40, 3, passed=False, items=40, population=600, upper_bound=None),
    )
    publish(tmp_path, review=found)
    text = (tmp_path / "README.md").read_text()
    for part in (
        "2 people judged 40 of 40 rows",
        "| product_matching | 300 | 20 | 0 | 0.0% | 1.2% to 25.0% | 2.1% | passed |",
        "| sentiment_analysis | 300 | 20 | 3 | 15.0% | 1.2% to 25.0% | 2.1% | **failed** |",
        "| all | 600 | 40 | 3 | 7.5% | 1.2% to 25.0% |  | **failed** |",
        "Verdicts: good 37, wrong answer 3.",
        "4 rows were judged by two people",
        "the same verdict 75.0%, Cohen's kappa 0.50, Krippendorff's alpha 0.52",
    ):
        assert part in text
    assert "Ann" not in text
    assert "not reviewed by people" not in text


@pytest.mark.parametrize("judged", [0, 5])
def test_a_review_that_is_not_finished_is_not_passed_off_as_one(tmp_path, judged):
    one = figures("product_matching", judged, 0, passed=None, agreement=Agreement(0, *[None] * 6))
    publish(tmp_path, review=reviewed(one, overall=one))
    text = (tmp_path / "README.md").read_text()
    assert ("not reviewed by people" in text) == (judged == 0)
    assert ("cannot be told yet" in text) == (judged > 0)


def test_how_to_cite_has_the_dataset_the_paper_and_every_source(tmp_path):
    publish(tmp_path, title="Kettles & {Pots}_100%")
    section = (tmp_path / "README.md").read_text().split("## How to cite")[1].split("\n## ")[0]
    assert "@misc{kettles,\n  title = {Kettles \\& Pots\\_100\\%}," in section
    assert "eprint    = {2402.08831}" in section
    assert publish_rows.SHOP.citation in section
    own = section.split("```")[1]
    assert own.count("{") == own.count("}")
    assert "year" not in own


def section(folder: Path, heading: str) -> str:
    return (folder / "README.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("layout", ["huggingface", "ecinstruct"])
def test_rows_by_source_add_up_to_the_rows_of_each_task(tmp_path, layout):
    made = publish(tmp_path, layout)
    lines = [line.strip("| ").split(" | ") for line in section(tmp_path, "Rows by source").splitlines()[5:]]
    found = {task: sum(int(every) for name, *_, every in lines if name == task) for task in made}
    assert found == {task: rows.num_rows for task, rows in made.items()}
    assert all(int(every) == sum(map(int, splits)) for _, _, *splits, every in lines)


def test_asked_and_got_stand_side_by_side_where_a_recipe_asks_for_shares(tmp_path):
    made = publish_rows.samples()
    info = publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface"))
    assert "asked for" not in card_text(info)
    for source, share in (("kettle_shop", 0.7), ("teapot_shop", 0.3)):
        info.manifest["tasks"]["product_matching"]["sources"][source]["share"] = share
    write_card(tmp_path, info)
    shown = section(tmp_path, "Rows by source").split("\n\n")[-1].splitlines()
    assert shown[0] == "| task | source | asked for | train | validation | test | test_ood |"
    assert shown[2:] == [
        "| product_matching | kettle_shop | 70.0% | 100.0% | 66.7% | 66.7% |  |",
        "| product_matching | teapot_shop | 30.0% | **0.0%** | 33.3% | 33.3% |  |",
    ]


def test_a_corpus_that_gave_no_row_is_named_as_such(tmp_path):
    made = publish_rows.samples()
    info = publish_rows.card_info(made, write_shards(made, tmp_path, "huggingface"))
    assert "No row was made from" not in card_text(info)
    info.manifest["inputs"].append({**info.manifest["inputs"][0], "source": "visit_log"})
    write_card(tmp_path, info)
    assert "No row was made from visit_log;" in section(tmp_path, "Rows by source")


@pytest.mark.parametrize("layout", ["huggingface", "ecinstruct"])
def test_the_card_reads_as_agreed(tmp_path, layout):
    """To accept a changed card: ``ECINSTRUCT_ACCEPT=1 pytest tests/test_publish_card.py``, then read the difference."""
    publish(tmp_path, layout)
    publish_rows.compare((tmp_path / "README.md").read_text(), GOLDEN / f"{layout}.md")
