"""The commands about sources: what they show, fetch, ask a person for and verify."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from building import call_command
from fault_server import FaultServer, Reply
from served_sources import give_remotes, questions, remotes_of

from ecinstruct_build.registry import SOURCES, TASKS
from ecinstruct_build.source import Remote

TRAIN, VAL, TEST = "train-qar.jsonl", "val-qar.jsonl", "test-qar.jsonl"
FILES = {TRAIN: questions("Does it float?"), VAL: questions("Is it red?")}
STEPS = "Ask the shop's owner for it."
RECIPE = 'name = "asked"\n[sources.amazonqa]\nfiles = ["train-qar.jsonl"]\n[tasks.answer_generation]\n'


@pytest.fixture
def upstream(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """AmazonQA with two files on loopback."""
    give_remotes(monkeypatch, "amazonqa", remotes_of(server, "amazonqa", FILES))
    return server


def say(text: str) -> str:
    return " ".join(text.split())


def test_the_list_says_terms_sizes_and_what_is_fed() -> None:
    rows = {row["name"]: row for row in json.loads(call_command("sources", "list", "--json").stdout)}
    assert list(rows) == SOURCES.names()
    assert rows["mave"]["bytes_known"] == 899_795_158
    assert rows["mave"]["tasks"] == ["attribute_value_extraction"]
    assert rows["amazon_m2"]["tasks"] == ["sequential_recommendation"]  # from visits, not from reviews
    for row in rows.values():
        assert set(row["tasks"]) == {task.name for task in TASKS if {task.primary, *task.also} & {*row["tables"]}}
    shown = call_command("sources", "list").stdout
    assert all(name in shown for name in SOURCES.names())
    assert "900 MB" in shown


def test_a_source_is_shown_with_terms_files_and_their_state(tmp_path: Path) -> None:
    folder = tmp_path / "amazon_reviews_2018" / "categoryFilesSmall"
    folder.mkdir(parents=True)
    (folder / "AMAZON_FASHION_5.json.gz").write_bytes(b"too short")
    shown = call_command("sources", "show", "amazon_reviews_2018", "--raw", str(tmp_path)).stdout
    source = SOURCES.get("amazon_reviews_2018")
    for words in (source.licence, source.homepage, "sentiment_analysis", "Gift_Cards", "95c124603d62", "402 kB"):
        assert words in shown
    assert "upstream says 287,013 bytes, and it has 9" in say(shown)
    assert "categoryFiles/Gift_Cards.json.gz" not in shown
    assert "categoryFiles/Gift_Cards.json.gz" in call_command("sources", "show", source.name, "--all").stdout
    record = json.loads(call_command("sources", "show", source.name, "--raw", str(tmp_path), "--json").stdout)
    states = {file["file"]: file["state"] for file in record["files"]}
    assert states["categoryFilesSmall/AMAZON_FASHION_5.json.gz"] == "wrong"
    assert states["metaFiles2/meta_Gift_Cards.json.gz"] == "absent"
    assert len(record["categories"]) == 29
    assert record["citation"] == source.citation


def test_every_source_can_be_shown(tmp_path: Path) -> None:
    for source in SOURCES:
        record = json.loads(call_command("sources", "show", source.name, "--json", cwd=tmp_path).stdout)
        assert [remote["file"] for remote in record["remotes"]] == [remote.file for remote in source.remotes]
        shown = call_command("sources", "show", source.name, "--all", "--raw", "raw", cwd=tmp_path).stdout
        assert all(remote.file in shown for remote in source.remotes)


def test_a_file_whose_name_is_no_text_is_listed_and_verified(tmp_path: Path) -> None:
    folder = tmp_path / "amazon_reviews_2014" / os.fsdecode(b"a\xff")
    folder.mkdir(parents=True)
    (folder / "reviews_Books.json").touch()
    for command in (["list"], ["show", "amazon_reviews_2014"], ["verify", "amazon_reviews_2014"]):
        assert call_command("sources", *command, "--raw", str(tmp_path), cwd=tmp_path).returncode == 0


def test_a_dry_run_shows_the_plan_and_asks_nobody(upstream: FaultServer, tmp_path: Path) -> None:
    done = call_command("sources", "fetch", "amazonqa", "--raw", "raw", "--dry-run", cwd=tmp_path)
    assert f"amazonqa/{TRAIN}" in done.stdout
    assert "0 of 2 are in raw; to fetch: 2 (2 files of unknown size)" in say(done.stdout)
    assert (upstream.log, list(tmp_path.iterdir())) == ([], [])
    planned = json.loads(
        call_command("sources", "fetch", "amazonqa", "--raw", "raw", "--dry-run", "--json", cwd=tmp_path).stdout
    )["plan"]
    assert [(one["file"], one["action"], one["urls"]) for one in planned] == [
        (file, "fetch", [f"{upstream.origin}/amazonqa/{file}"]) for file in FILES
    ]


def test_sources_are_fetched_locked_and_verified(upstream: FaultServer, tmp_path: Path) -> None:
    done = call_command("sources", "fetch", "amazonqa", "--raw", "raw", "--json", cwd=tmp_path)
    assert sorted(json.loads(done.stdout)["fetched"]) == [f"amazonqa/{file}" for file in FILES]
    assert {path.name: path.read_bytes() for path in (tmp_path / "raw" / "amazonqa").iterdir()} == FILES
    lock = (tmp_path / "sources.lock.toml").read_text()
    assert all(sha256(data).hexdigest() in lock for data in FILES.values())
    verified = call_command("sources", "verify", "--raw", "raw", cwd=tmp_path)
    assert "2 files: 2 verified." in verified.stdout
    listed = json.loads(call_command("sources", "list", "--raw", "raw", "--json", cwd=tmp_path).stdout)
    states = {row["name"]: [file["state"] for file in row["files"]] for row in listed}
    assert states["amazonqa"] == ["verified", "verified"]
    assert set(states["mave"]) == {"absent"}


def test_only_the_files_of_a_recipe_or_a_glob_are_fetched(upstream: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "asked.toml").write_text(RECIPE)
    call_command("sources", "fetch", "--recipe", "asked.toml", "--raw", "raw", "--quiet", cwd=tmp_path)
    assert [path.name for path in (tmp_path / "raw" / "amazonqa").iterdir()] == [TRAIN]
    call_command("sources", "fetch", "amazonqa", "--file", "val*", "--raw", "raw", "--lock", "other.toml", cwd=tmp_path)
    assert sorted(path.name for path in (tmp_path / "raw" / "amazonqa").iterdir()) == [TRAIN, VAL]
    assert VAL in (tmp_path / "other.toml").read_text()
    assert VAL not in (tmp_path / "sources.lock.toml").read_text()


def test_verify_reads_every_file_anew_and_fails_on_a_wrong_one(upstream: FaultServer, tmp_path: Path) -> None:
    call_command("sources", "fetch", "amazonqa", "--raw", "raw", "--quiet", cwd=tmp_path)
    file = tmp_path / "raw" / "amazonqa" / VAL
    file.write_bytes(FILES[VAL].replace(b"red", b"rot"))
    done = call_command("sources", "verify", "amazonqa", "--raw", "raw", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "1 verified, 1 wrong" in done.stdout
    assert sha256(FILES[VAL]).hexdigest() in say(done.stdout)
    quiet = call_command("sources", "verify", "--raw", "raw", "--json", cwd=tmp_path, check=False)
    assert (quiet.returncode, [row["state"] for row in json.loads(quiet.stdout)]) == (1, ["verified", "wrong"])


def test_the_list_says_which_files_are_not_what_the_lock_says(upstream: FaultServer, tmp_path: Path) -> None:
    call_command("sources", "fetch", "amazonqa", "--raw", "raw", "--quiet", cwd=tmp_path)
    seen = ("sources", "list", "--raw", "raw")
    before = say(call_command(*seen, cwd=tmp_path).stdout)
    assert ("2 verified" in before, "wrong" in before, "sources.lock.toml" in before) == (True, False, False)

    file = tmp_path / "raw" / "amazonqa" / VAL
    file.write_bytes(other := FILES[VAL].replace(b"red", b"rot"))  # of the same size
    after = say(call_command(*seen, cwd=tmp_path).stdout)
    assert "1 verified, 1 wrong" in after
    digests = (sha256(FILES[VAL]).hexdigest(), sha256(other).hexdigest())
    assert f"raw/amazonqa/{VAL}: sources.lock.toml says sha256 {digests[0]}, and it has {digests[1]}" in after
    shown = say(call_command("sources", "show", "amazonqa", "--raw", "raw", cwd=tmp_path).stdout)
    assert f"sources.lock.toml says sha256 {digests[0]}" in shown
    rows = json.loads(call_command(*seen, "--json", cwd=tmp_path).stdout)
    files = next(row["files"] for row in rows if row["name"] == "amazonqa")
    assert [(one["file"], one["state"], one["stated_by"]) for one in files] == [
        (TRAIN, "verified", "sources.lock.toml"),
        (VAL, "wrong", "sources.lock.toml"),
    ]

    file.write_bytes(FILES[VAL] + b"\n")
    size = len(FILES[VAL])
    assert f"sources.lock.toml says {size} bytes, and it has {size + 1}" in say(
        call_command(*seen, cwd=tmp_path).stdout
    )


def test_a_file_in_a_folder_of_its_own_is_held_against_upstream_and_the_lock(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stated = sha256(FILES[TRAIN]).hexdigest()
    give_remotes(monkeypatch, "amazonqa", remotes_of(server, "amazonqa", {TRAIN: FILES[TRAIN]}, sha256=stated))
    place = tmp_path / "raw" / "amazonqa" / "mine" / TRAIN
    place.parent.mkdir(parents=True)

    def verified() -> dict[str, str]:
        rows = json.loads(call_command("sources", "verify", "--raw", "raw", "--json", cwd=tmp_path, check=False).stdout)
        return {row["file"]: row["state"] for row in rows}

    place.write_bytes(FILES[TRAIN])
    assert verified() == {f"mine/{TRAIN}": "verified"}
    place.write_bytes(FILES[VAL])
    assert verified() == {f"mine/{TRAIN}": "unverified"}, "it may be another form of the same name"
    call_command("sources", "fetch", "amazonqa", "--raw", "raw", cwd=tmp_path)
    assert verified() == {f"mine/{TRAIN}": "verified"}
    place.write_bytes(questions("Is it another?"))
    assert verified() == {f"mine/{TRAIN}": "wrong"}
    assert server.log == []


@pytest.fixture
def asking(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """AmazonQA with one file on loopback and one that a person must get."""
    served = remotes_of(server, "amazonqa", {TRAIN: FILES[TRAIN]})
    give_remotes(monkeypatch, "amazonqa", (*served, Remote(TEST, steps=STEPS)))
    return server


def test_what_a_person_must_get_is_said_and_looked_at_once_it_is_there(asking: FaultServer, tmp_path: Path) -> None:
    fetch = ("sources", "fetch", "amazonqa", "--raw", "raw")
    done = call_command(*fetch, cwd=tmp_path, check=False)
    assert done.returncode == 1
    said = say(done.stdout)
    assert f"1. amazonqa/{TEST} {STEPS} Put it at raw/amazonqa/{TEST}" in said
    assert (tmp_path / "raw" / "amazonqa" / TRAIN).read_bytes() == FILES[TRAIN], "all else is fetched"
    place = tmp_path / "raw" / "amazonqa" / TEST
    place.write_bytes(b"<html>Sign in</html>\n")
    wrong = call_command(*fetch, cwd=tmp_path, check=False)
    assert wrong.returncode == 1
    assert f"raw/amazonqa/{TEST} does not look like amazonqa/{TEST}" in say(wrong.stderr)
    place.write_bytes(questions("Is it mine?"))
    assert call_command(*fetch, cwd=tmp_path).returncode == 0
    lock = (tmp_path / "sources.lock.toml").read_text()
    assert sha256(questions("Is it mine?")).hexdigest() in lock
    assert call_command("sources", "verify", "--raw", "raw", cwd=tmp_path).returncode == 0


def test_a_file_that_is_not_wanted_need_not_be_got_by_hand(asking: FaultServer, tmp_path: Path) -> None:
    done = call_command("sources", "fetch", "amazonqa", "--file", TRAIN, "--raw", "raw", cwd=tmp_path)
    assert STEPS not in done.stdout


def test_the_size_and_digest_of_a_file_got_by_hand_are_told_and_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = FILES[TRAIN]
    remote = Remote(TRAIN, (), len(data), sha256(data).hexdigest(), steps=STEPS)
    give_remotes(monkeypatch, "amazonqa", (remote,))
    fetch = ("sources", "fetch", "amazonqa", "--raw", "raw")
    said = say(call_command(*fetch, cwd=tmp_path, check=False).stdout)
    assert f"It has {len(data):,} bytes. Its SHA-256 is {remote.sha256}" in said
    (tmp_path / "raw" / "amazonqa").mkdir(parents=True)
    (tmp_path / "raw" / "amazonqa" / TRAIN).write_bytes(FILES[VAL])
    wrong = call_command(*fetch, cwd=tmp_path, check=False)
    assert (wrong.returncode, "upstream says" in wrong.stderr) == (1, True)
    (tmp_path / "raw" / "amazonqa" / TRAIN).write_bytes(data)
    call_command(*fetch, cwd=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch", "--raw", "raw"], ["Say what to fetch", "--recipe", "amazon_google"]),
        (["fetch", "esci"], ["--raw FOLDER"]),
        (["fetch", "escii", "--raw", "raw"], ["no source called 'escii'", "Did you mean 'esci'"]),
        (["fetch", "--recipe", "small", "--category", "Books", "--raw", "raw"], ["leave out --category"]),
        (
            ["fetch", "amazon_reviews_2014", "--category", "Book", "--raw", "raw", "--dry-run"],
            ["no category 'Book'", "Did you mean 'Books'"],
        ),
        (["verify"], ["--raw FOLDER"]),
        (["verify", "--raw", "nowhere"], ["nowhere is no folder"]),
    ],
)
def test_an_error_says_what_to_give(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = call_command("sources", *arguments, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert all(word in say(done.stderr) for word in words), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_had_fails_the_command(upstream: FaultServer, tmp_path: Path) -> None:
    upstream.plan(f"/amazonqa/{VAL}", Reply(b"gone", 404))
    done = call_command("sources", "fetch", "amazonqa", "--raw", "raw", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert f"amazonqa/{VAL} could not be fetched" in say(done.stderr)
    assert (tmp_path / "raw" / "amazonqa" / TRAIN).exists()
