"""Publishing to the Hub, on loopback: what is sent, what is left alone, and what a dry run promises."""

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hub_repository import Repository
from hub_server import WRITER, HubServer, serving
from hub_staging import REPO, Version, actions, log_of, push_to, repository, version, write_as
from rich.console import Console

from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.folder import MANIFEST, write_manifest
from ecinstruct_build.publish.hub.showing import render_plan
from ecinstruct_build.publish.hub.target import Target

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

TRAIN = "data/sentiment_analysis/train-00000-of-00001.parquet"


@pytest.fixture(name="hub")
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    write_as(WRITER, tmp_path, monkeypatch)
    with serving() as hub:
        yield hub


def changed(made: Version) -> Version:
    """The same with another text in one training row of one task."""
    other = copy.deepcopy(made)
    other.rows["Sentiment_Analysis", "train"][3]["input"] = "The kettle sings and the lid is loose, but tea is tea."
    return other


def sent(hub: HubServer, since: int) -> set[str]:
    """Return what was done to the Hub since a place in its log, in short."""
    return {
        f"{one.method} {one.path.rpartition('/')[2] if one.method == 'PUT' else one.path}"
        for one in hub.changes()[since:]
    }


def test_everything_is_sent_once_and_then_only_what_changed(hub: HubServer, tmp_path: Path) -> None:
    made = version()
    first = push_to(hub, made.write(tmp_path / "one"), tag="v1.0.0")
    files = repository(hub).files("v1.0.0")
    staged = {p.relative_to(tmp_path / "one").as_posix(): p for p in (tmp_path / "one").rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in staged.items()} == {
        name: data for name, data in files.items() if name not in ("CHANGELOG.md", ".gitattributes")
    }
    assert repository(hub).find("v1.0.0").oid == repository(hub).find("main").oid == first.commit

    begun = len(hub.changes())
    again = push_to(hub, tmp_path / "one", tag="v1.0.0")
    assert not again.plan.work
    assert again.plan.tag == "exists"
    assert len(hub.changes()) == begun

    second = push_to(hub, changed(made).write(tmp_path / "two"), tag="v1.1.0")
    assert actions(second) == {TRAIN: "change", "CHANGELOG.md": "change"}
    puts = [one for one in hub.changes()[begun:] if one.method == "PUT"]
    assert [one.received for one in puts] == [(tmp_path / "two" / TRAIN).stat().st_size]
    assert "Sentiment" not in log_of(hub)
    assert "| sentiment_analysis | 21 | 21 | 0 | 0 | 1 | 0 | 0 |" in log_of(hub)
    assert "Unchanged: answerability_prediction." in log_of(hub)
    downloaded = {one.path.rpartition("/")[2] for one in hub.seen("GET .*/resolve/.*parquet")}
    assert downloaded == {"train-00000-of-00001.parquet"}
    assert len(hub.seen("GET .*/resolve/.*parquet")) == 1


@pytest.mark.parametrize("existing", [False, True])
def test_a_dry_run_does_nothing_and_says_what_then_happens(hub: HubServer, tmp_path: Path, existing: bool) -> None:
    made = version()
    if existing:
        push_to(hub, made.write(tmp_path / "one"), tag="v1.0.0")
    folder = changed(made).write(tmp_path / "two")
    before = len(hub.changes())
    dry = push_to(hub, folder, tag="v2", revision="next", dry_run=True, private=not existing)
    assert len(hub.changes()) == before
    assert dry.commit == ""

    real = push_to(hub, folder, tag="v2", revision="next", private=not existing)
    assert real.plan.to_json() == dry.plan.to_json()
    told = dry.plan.to_json()
    done = sent(hub, before)
    assert ("POST /api/repos/create" in done) == told["creates_repo"] == (not existing)
    assert f"POST /api/datasets/{REPO}/branch/next" in done
    assert f"POST /api/datasets/{REPO}/tag/{real.commit}" in done
    shards = [one for one in told["files"] if one["path"].endswith(".parquet")]
    assert sum(one.received for one in hub.changes()[before:] if one.method == "PUT") == sum(
        one["bytes_to_send"] for one in shards
    )
    head = repository(hub).find("next")
    parent = repository(hub).commits[head.parent].files
    for one in told["files"]:
        blob = head.files[one["path"]]
        there = parent.get(one["path"])
        assert one["action"] == ("add" if there is None else "unchanged" if there == blob else "change")
        assert one["bytes"] == len(blob.data)
    assert set(head.files) == {one["path"] for one in told["files"]} | {".gitattributes"}
    assert told["changelog_entry"].strip() in log_of(hub, "next")
    assert repository(hub).private == (not existing)


def test_the_plan_reads_well_on_a_terminal(hub: HubServer, tmp_path: Path) -> None:
    dry = push_to(hub, version().write(tmp_path / "one"), tag="v1", dry_run=True)
    console = Console(width=60, record=True)
    render_plan(dry.plan, console)
    text = console.export_text()
    assert f"create the public repository {hub.endpoint}/datasets/{REPO}" in text
    assert f"{dry.plan.bytes_to_send:,} bytes to send" in text
    assert "create the tag v1" in text
    assert "Initial version: 42 samples." in text


def test_the_users_own_files_and_words_stay(hub: HubServer, tmp_path: Path) -> None:
    made = version()
    push_to(hub, made.write(tmp_path / "one"))
    own = {"notes/ideas.txt": b"Ask for more kettles.", "data/mine.parquet": b"not ours", "LICENSE-old.md": b"old"}
    for path, data in own.items():
        repository(hub).put(path, data)
    edited = repository(hub).files()["README.md"].decode() + "\n## Thanks\n\nTo all who boil.\n"
    repository(hub).put("README.md", edited.encode())
    log = log_of(hub).replace("Initial version", "My note: be kind.\n\nInitial version")
    repository(hub).put("CHANGELOG.md", log.encode())

    other = changed(made)
    other.text = "All about kettles, told anew."
    del other.rows["Answerability_Prediction", "test"]
    pushed = push_to(hub, other.write(tmp_path / "two"), tag="v2")
    files = repository(hub).files()
    assert {path: files[path] for path in own} == own
    assert actions(pushed)["data/answerability_prediction/test-00000-of-00001.parquet"] == "delete"
    assert "data/answerability_prediction/test-00000-of-00001.parquet" not in files
    card = files["README.md"].decode()
    assert "told anew" in card
    assert "To all who boil." in card
    assert any("Thanks" in note for note in pushed.plan.notes)
    assert log_of(hub).endswith(log[log.index("## ") :])
    assert "Removed, by split:\n\n- answerability_prediction: 5 test\n" in log_of(hub)


def test_a_file_that_differs_in_its_letters_alone_is_sent(hub: HubServer, tmp_path: Path) -> None:
    push_to(hub, version().write(tmp_path / "one"))
    folder = version().write(tmp_path / "two")
    text = (folder / "LICENSE.md").read_text(encoding="utf-8")
    (folder / "LICENSE.md").write_text(text.swapcase(), encoding="utf-8")
    assert actions(push_to(hub, folder)) == {"LICENSE.md": "change"}
    assert repository(hub).files()["LICENSE.md"].decode() == text.swapcase()


def test_why_samples_were_removed_is_asked_of_those_that_are_gone_for_good(hub: HubServer, tmp_path: Path) -> None:
    made = version({"train": 6, "test": 3, "test_unseen_instructions": 0})
    asked: list[str] = []

    def fates(ids: Sequence[str]) -> dict[str, str]:
        asked.extend(ids)
        return dict.fromkeys(ids, "over quota")

    task = "Sentiment_Analysis"
    rows = made.rows[task, "test"]
    made.rows[task, "test_unseen_instructions"] = [{**row, "setting": "IND_Unseen_Instruction"} for row in rows]
    push_to(hub, made.write(tmp_path / "one"))
    gone = made.rows[task, "train"].pop()["example_id"]
    del made.rows[task, "test_unseen_instructions"][1:]
    push_to(hub, made.write(tmp_path / "two"), fates=fates)
    assert asked == [gone]
    why = "2 the example is published in other splits or settings; 1 over quota"
    assert f"Removed, and why:\n\n- sentiment_analysis: {why}\n" in log_of(hub)


def test_files_of_others_with_our_names_are_not_overwritten(hub: HubServer, tmp_path: Path) -> None:
    hub.repositories[REPO] = Repository()
    repository(hub).put("LICENSE.md", b"All rights reserved by somebody.")
    repository(hub).put("manifest.json", b'{"generator": "another tool", "files": ["LICENSE.md"]}')
    with pytest.raises(UserError, match=r"did not write.*LICENSE\.md, manifest\.json"):
        push_to(hub, version().write(tmp_path / "one"))
    assert not hub.changes()


def test_a_gitignore_of_the_repository_leaves_nothing_out(hub: HubServer, tmp_path: Path) -> None:
    hub.repositories[REPO] = Repository()
    repository(hub).put(".gitignore", b"*.parquet\n*.md\n")
    push_to(hub, version().write(tmp_path / "one"))
    assert TRAIN in repository(hub).files()


def test_a_tag_is_never_moved(hub: HubServer, tmp_path: Path) -> None:
    made = version()
    first = push_to(hub, made.write(tmp_path / "one"), tag="v1")
    begun = len(hub.changes())
    with pytest.raises(UserError, match="has a tag 'v1' already"):
        push_to(hub, changed(made).write(tmp_path / "two"), tag="v1")
    with pytest.raises(UserError, match="'v1' is a tag"):
        push_to(hub, tmp_path / "two", revision="v1")
    assert len(hub.changes()) == begun
    assert repository(hub).tags == {"v1": first.commit}


def test_a_tag_given_later_names_the_newest_entry(hub: HubServer, tmp_path: Path) -> None:
    folder = version().write(tmp_path / "one")
    push_to(hub, folder)
    assert "## Untagged (2026-05-04)" in log_of(hub)
    named = push_to(hub, folder, tag="v1")
    assert actions(named) == {"CHANGELOG.md": "change"}
    assert "## v1 (2026-05-04)" in log_of(hub)
    assert "Untagged" not in log_of(hub)
    assert repository(hub).tags == {"v1": named.commit}


def test_a_branch_is_made_and_the_main_one_left(hub: HubServer, tmp_path: Path) -> None:
    made = version()
    first = push_to(hub, made.write(tmp_path / "one"))
    other = push_to(hub, changed(made).write(tmp_path / "two"), revision="trial/next")
    assert repository(hub).branches == {"main": first.commit, "trial/next": other.commit}
    assert actions(other) == {TRAIN: "change", "CHANGELOG.md": "change"}
    assert not push_to(hub, tmp_path / "two", revision="trial/next").plan.work


def test_the_visibility_of_a_repository_is_never_changed(hub: HubServer, tmp_path: Path) -> None:
    folder = version().write(tmp_path / "one")
    hub.repositories[REPO] = Repository()
    with pytest.raises(UserError, match="is public, and --private asks"):
        push_to(hub, folder, private=True)
    assert not hub.changes()
    hub.repositories["shop/secret"] = Repository(private=True)
    pushed = push_to(hub, folder, repo="shop/secret")
    assert pushed.plan.notes == ("shop/secret is private, and stays so.",)
    assert repository(hub, "shop/secret").private


def test_many_files_are_listed_page_by_page(hub: HubServer, tmp_path: Path) -> None:
    hub.page_size = 3
    folder = version().write(tmp_path / "one")
    push_to(hub, folder)
    assert not push_to(hub, folder).plan.work


def test_content_that_the_hub_holds_under_another_name_is_not_sent_again(hub: HubServer, tmp_path: Path) -> None:
    push_to(hub, version().write(tmp_path / "one"))
    begun = len(hub.changes())
    folder = version().write(tmp_path / "two")
    (folder / TRAIN).rename((folder / TRAIN).with_name("train-00000-of-00002.parquet"))
    pushed = push_to(hub, _with_files(folder))
    assert actions(pushed)[TRAIN] == "delete"
    moved = next(one for one in pushed.plan.files if one.path.endswith("00002.parquet"))
    assert (moved.action, moved.sent) == ("add", 0)
    assert not [one for one in hub.changes()[begun:] if one.method == "PUT"]
    assert log_of(hub).count("## ") == 1


def _with_files(folder: Path) -> Path:
    """Write the manifest anew for files that were renamed."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).unlink()
    write_manifest(folder, manifest)
    return folder


@pytest.mark.parametrize(
    "wrong", [{"repo": "kettles"}, {"repo": "a/b/c"}, {"repo": "shop/ke ttles"}, {"repo": "shop/x", "tag": "v 1"}]
)
def test_a_name_that_the_hub_does_not_take_is_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"--repo my-org/my-dataset|no name"):
        Target(**wrong)
