"""What goes out into the world: proven to be what was built, and no text that its owners keep to themselves."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import datasets
import publish_rows
import pyarrow.parquet as pq
import pytest
from building import SmallBuild

from ecinstruct_build.errors import UserError
from ecinstruct_build.example import dump_json
from ecinstruct_build.helper import Helper
from ecinstruct_build.progress import Silence
from ecinstruct_build.publish.card import card_text
from ecinstruct_build.publish.card_info import card_info, published_manifest, read_samples
from ecinstruct_build.publish.dataset import Publication, publish
from ecinstruct_build.publish.folder import ensure_replaceable, read_manifest
from ecinstruct_build.publish.hub.target import Target
from ecinstruct_build.publish.ids_only import IDS_SCHEMA
from ecinstruct_build.publish.release import release
from ecinstruct_build.publish.settings import PublishSettings
from ecinstruct_build.publish.staging import stage
from ecinstruct_build.registry import SOURCES

pytestmark = pytest.mark.slow

REFUSE, IDS = PublishSettings(restricted="refuse"), PublishSettings(restricted="ids")
TEXTS = ("instruction", "input", "options", "output", "few_shot_example", "category", "option_grades")


def republish(small: SmallBuild, out: Path, *, generated: bool, layout: str = "huggingface", say=None, **changes):
    """Publish the small build's rows once more; returns the manifest."""
    manifest = dict(read_manifest(small.out))
    recipe = small.recipe.model_copy(update={"layout": layout})
    manifest |= {"layout": layout, "recipe": recipe.model_dump(mode="json")}
    samples = read_samples(small.out, manifest)
    what = Publication(recipe, lambda _tasks: samples, lambda: manifest, generated=generated, **changes)
    with Helper(1, lambda: None) as alone:
        return publish(what, out, refused=out.parent / "refused", helper=alone, say=say)


@pytest.fixture(scope="module")
def made_up(small_build, tmp_path_factory) -> Path:
    """A dataset of generated corpora; to be read only."""
    out = tmp_path_factory.mktemp("made_up") / "dataset"
    republish(small_build, out, generated=True)
    return out


@pytest.fixture(scope="module")
def borrowed(small_build, tmp_path_factory) -> Path:
    """The same as if its corpora were the real ones, some of which may not be published again; to be read only."""
    out = tmp_path_factory.mktemp("borrowed") / "dataset"
    republish(small_build, out, generated=False)
    return out


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "staged").mkdir()
    return tmp_path / "staged"


@pytest.fixture
def copy(made_up, tmp_path) -> Path:
    """A copy of the dataset that a test may spoil."""
    return Path(shutil.copytree(made_up, tmp_path / "dataset"))


def test_a_staged_dataset_is_the_dataset(made_up, folder):
    before = publish_rows.files(made_up)
    staged = stage(made_up, folder, REFUSE)
    found, expected = publish_rows.files(folder), publish_rows.files(made_up)
    assert expected == before
    manifests = [json.loads(files.pop("manifest.json")) for files in (found, expected)]
    assert found == expected
    assert manifests[0].pop("card_published") == manifests[1]["card"]
    assert manifests[0] == manifests[1]
    assert (staged.kept, staged.restricted) == ((), ())
    assert sorted(staged.files) == sorted(before)
    ensure_replaceable(folder)


def test_a_card_is_the_same_made_from_the_folder_or_from_the_build(small_build, made_up, tmp_path):
    republish(small_build, tmp_path / "dataset", generated=True, layout="ecinstruct")
    for folder in (made_up, tmp_path / "dataset"):
        manifest = published_manifest(folder)
        info = card_info(manifest, read_samples(folder, manifest))
        assert card_text(info) == (folder / "README.md").read_text()


def test_a_dataset_says_how_to_build_it_again(made_up):
    present = publish_rows.files(made_up)
    assert {"recipe.toml", "REBUILD.md", "shards.sha256", "croissant.json", "LICENSE.md"} <= set(present)
    lines = present["shards.sha256"].decode().splitlines()
    assert lines == [
        f"{hashlib.sha256(content).hexdigest()}  {path}"
        for shard in read_manifest(made_up)["shards"]
        for path, content in [(shard["path"], present[shard["path"]])]
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), r"{file} was changed"),
        (lambda path: path.unlink(), r"{file} is missing"),
        (lambda path: path.with_name("more.parquet").write_bytes(b"PAR1"), r"more\.parquet is not part of it"),
    ],
)
@pytest.mark.parametrize("file", ["data/product_matching/train-00000-of-00001.parquet", "audit.json", "recipe.toml"])
def test_a_dataset_that_was_changed_by_hand_is_refused_and_the_file_named(copy, folder, file, spoil, said):
    spoil(copy / file)
    with pytest.raises(UserError, match=f"is not as it was built: .*{said.format(file=file)}"):
        stage(copy, folder, REFUSE)
    assert not any(folder.iterdir())


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda card: card.replace(b"license: ", b"license: [", 1), r"its front matter: .*Mend it"),
        (lambda card: card + b"\xff", r"it is not UTF-8"),
    ],
)
def test_a_card_that_the_hub_could_not_read_is_refused_until_it_is_mended_or_gone(copy, folder, edit, said):
    card = copy / "README.md"
    card.write_bytes(edit(card.read_bytes()))
    with pytest.raises(UserError, match=rf"README\.md was edited by hand, and the Hub could not read it: {said}"):
        stage(copy, folder, REFUSE)
    card.unlink()
    shutil.rmtree(folder)
    folder.mkdir()
    assert "README.md" in stage(copy, folder, REFUSE).files


def test_what_stands_beside_a_dataset_that_came_from_the_hub_is_no_change(copy, folder):
    (copy / "CHANGELOG.md").write_text("# Changes\n")
    (copy / ".gitattributes").write_text("*.parquet filter=lfs\n")
    (copy / ".cache" / "huggingface").mkdir(parents=True)
    (copy / ".cache" / "huggingface" / "x.lock").touch()
    staged = stage(copy, folder, REFUSE)
    assert not {"CHANGELOG.md", ".gitattributes"} & set(staged.files)


@pytest.mark.parametrize("manifest", [None, "{}", '{"generator": "ecinstruct-build", "files": []}'])
def test_a_folder_that_is_no_dataset_of_this_version_is_refused(copy, folder, manifest):
    (copy / "manifest.json").unlink()
    if manifest:
        (copy / "manifest.json").write_text(manifest)
    with pytest.raises(UserError, match=r"no dataset in|an earlier version"):
        stage(copy, folder, REFUSE)
    with pytest.raises(UserError, match=r"no dataset in|an earlier version"):
        release(copy, Target("shop/kettles"), scratch=folder, review=None, fates=None, dry_run=True, progress=Silence())


def test_a_dataset_whose_books_do_not_count_rows_by_source_is_refused(copy, folder):
    manifest = json.loads((copy / "manifest.json").read_text())
    for source in manifest["tasks"]["sentiment_analysis"]["sources"].values():
        del source["samples"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"an earlier version .* does not say: samples"):
        stage(copy, folder, REFUSE)


def test_a_link_that_cannot_be_made_is_a_copy(made_up, folder, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    stage(made_up, folder, REFUSE)
    assert publish_rows.files(folder).keys() == publish_rows.files(made_up).keys()


def test_a_full_disk_is_one_message_and_costs_nothing(borrowed, folder, monkeypatch):
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = publish_rows.files(borrowed)
    monkeypatch.setattr("ecinstruct_build.publish.staging.write_shard", fill)
    with pytest.raises(UserError, match=r"disk that holds .*staged is full, so nothing was published"):
        stage(borrowed, folder, IDS)
    assert publish_rows.files(borrowed) == before


def test_edits_of_the_card_survive_a_build_and_are_staged(small_build, tmp_path, folder):
    out, told = tmp_path / "dataset", []
    republish(small_build, out, generated=True, say=told.append)
    assert told == []
    text = (out / "README.md").read_text()
    (out / "README.md").write_text(text.replace("## Loading", "## Thanks\n\nTo Ann.\n\n## Loading"))
    republish(small_build, out, generated=True, say=told.append)
    assert told == ["README.md was edited by hand, and stays so in: the section 'Thanks' (added)."]
    assert "To Ann." in (out / "README.md").read_text()
    staged = stage(out, folder, REFUSE)
    assert [str(one) for one in staged.kept] == ["the section 'Thanks' (added)"]
    assert "text/Thanks" in staged.manifest["card_published"]
    assert "text/Thanks" not in staged.manifest["card"]


def test_the_report_is_written_before_the_manifest_and_watched_over(small_build, tmp_path, folder):
    def report(_samples, manifest):
        def write(place: Path, _audit) -> None:
            (place / "report.html").write_text(f"<p>{len(manifest['shards'])} shards</p>")

        return write

    republish(small_build, tmp_path / "dataset", generated=True, report=report)
    manifest = read_manifest(tmp_path / "dataset")
    assert "report.html" in manifest["files"]
    assert "report.html" in stage(tmp_path / "dataset", folder, REFUSE).files
    (tmp_path / "dataset" / "report.html").write_text("<p>all is well</p>")
    with pytest.raises(UserError, match=r"report\.html was changed"):
        stage(tmp_path / "dataset", tmp_path, REFUSE)


def test_text_that_may_not_be_published_again_is_refused_with_the_ways_out(borrowed, folder):
    with pytest.raises(UserError) as refusal:
        stage(borrowed, folder, REFUSE)
    said = str(refusal.value)
    for name in ("amazon_reviews_2014", "amazon_reviews_2018", "amazonqa"):
        assert name in said
        assert SOURCES.get(name).licence in said
    for name in ("esci", "mave", "amazon_google"):
        assert f"{name} (" not in said
    assert 'restricted = "ids"' in said
    assert "leave these sources out" in said
    assert not any(folder.iterdir())


def test_generated_text_is_nobodys(made_up, folder):
    assert stage(made_up, folder, IDS).restricted == ()


def test_where_only_ids_may_go_out_no_word_of_a_row_does(borrowed, folder):
    staged = stage(borrowed, folder, IDS)
    assert [source.name for source in staged.restricted] == ["amazon_reviews_2014", "amazon_reviews_2018", "amazonqa"]
    assert not {"audit.json", "audit.html", "report.html"} & set(staged.files)
    written = b"\n".join(
        content for path, content in publish_rows.files(folder).items() if not path.endswith(".parquet")
    ).decode()
    for shard in read_manifest(borrowed)["shards"]:
        full = pq.read_table(borrowed / shard["path"], partitioning=None)
        ids = pq.read_table(folder / shard["path"], partitioning=None)
        assert ids.schema.names == IDS_SCHEMA.names
        assert not set(TEXTS) & set(ids.schema.names)
        said = set(full["input"].to_pylist()) | {output for output in full["output"].to_pylist() if len(output) > 20}
        assert not [text for text in said if text in written]
        groups = {group for groups in full["groups"].to_pylist() for group in groups}
        shown = {group for groups in ids["groups"].to_pylist() for group in groups}
        assert len(shown) == len(groups)
        assert not shown & groups


def test_ids_stand_for_their_rows(borrowed, folder):
    staged = stage(borrowed, folder, IDS)
    for shard, full_shard in zip(staged.manifest["shards"], staged.manifest["full_shards"], strict=True):
        full = pq.read_table(borrowed / shard["path"], partitioning=None)
        ids = pq.read_table(folder / shard["path"], partitioning=None)
        for name in ("example_id", "template_id", "split", "setting", "products", "families"):
            assert ids[name].to_pylist() == full[name].to_pylist()
        digests = [hashlib.sha256(dump_json(row).encode()).hexdigest() for row in full.to_pylist()]
        assert ids["row_sha256"].to_pylist() == digests
        assert full_shard["sha256"] == hashlib.sha256((borrowed / shard["path"]).read_bytes()).hexdigest()
        assert f"{full_shard['sha256']}  {shard['path']}" in (folder / "shards.sha256").read_text().splitlines()


def test_ids_load_and_say_at_the_top_what_they_are(borrowed, folder, monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    stage(borrowed, folder, IDS)
    opening = (folder / "README.md").read_text().split("---\n", 2)[2].split("\n## ")[0]
    assert "This is not the text, only the ids." in opening
    assert "[REBUILD.md](REBUILD.md)" in opening
    loaded = datasets.load_dataset(str(folder), "sentiment_analysis")
    assert loaded["train"].column_names == IDS_SCHEMA.names
    assert "ids-only" in (folder / "README.md").read_text().split("---\n")[1]
    assert "text may be published again" in (folder / "LICENSE.md").read_text()


def test_ids_are_the_same_bytes_each_time_and_may_be_staged_again(borrowed, folder, tmp_path):
    (tmp_path / "again").mkdir()
    stage(borrowed, folder, IDS)
    for settings in (IDS, REFUSE):
        shutil.rmtree(tmp_path / "again")
        (tmp_path / "again").mkdir()
        stage(folder, tmp_path / "again", settings)
        assert publish_rows.files(tmp_path / "again") == publish_rows.files(folder)


def test_a_source_that_gave_no_record_does_not_stand_in_the_way(small_build, tmp_path, folder):
    manifest = dict(read_manifest(small_build.out))
    free = {"amazon_google", "esci", "mave"}
    inputs = [entry | {"ingested": entry["ingested"] * (entry["source"] in free)} for entry in manifest["inputs"]]
    samples = read_samples(small_build.out, manifest)
    what = Publication(
        small_build.recipe, lambda _tasks: samples, lambda: manifest | {"inputs": inputs}, generated=False
    )
    with Helper(1, lambda: None) as alone:
        publish(what, tmp_path / "dataset", refused=tmp_path / "refused", helper=alone)
    assert stage(tmp_path / "dataset", folder, REFUSE).restricted == ()
