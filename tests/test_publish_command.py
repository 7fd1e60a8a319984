"""``ecinstruct publish`` as its users run it, in processes of their own, against a Hub on loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from building import run_command, set_options, small_overrides
from hub_server import WRITER, HubServer, serving

REPO = "shop/kettles"
LOAD = """
import json, sys
from datasets import load_dataset
where, config = sys.argv[1:]
loaded = load_dataset(where, config)
print(json.dumps({split: sorted(json.dumps(row, sort_keys=True) for row in rows) for split, rows in loaded.items()}))
"""


@dataclass(frozen=True)
class Shop:
    """A folder with a generated dataset, and a Hub that knows its publisher."""

    folder: Path
    hub: HubServer

    def environment(self, token: str = WRITER) -> dict[str, str]:
        home = str(self.folder / "home")
        return {"HF_ENDPOINT": self.hub.endpoint, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1", "HF_HOME": home}

    def run(self, *arguments: str, check: bool = True, token: str = WRITER) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, cwd=self.folder, env=self.environment(token), check=check)

    def load(self, where: str, config: str = "default") -> Mapping[str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", LOAD, where, config],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with serving() as hub:
        made = Shop(folder, hub)
        generated = ["sample_corpora.scale=0.3", *small_overrides()]
        made.run("build", "sample", *set_options(generated), "--quiet")
        yield made


@pytest.mark.slow
def test_a_published_dataset_loads_from_the_hub_and_a_new_split_sends_what_changed(shop: Shop) -> None:
    planned = json.loads(shop.run("publish", "--repo", REPO, "--tag", "v1.0.0", "--dry-run", "--json").stdout)
    assert not shop.hub.changes()
    first = json.loads(shop.run("publish", "--repo", REPO, "--tag", "v1.0.0", "--json").stdout)
    assert [one["path"] for one in planned["files"]] == [one["path"] for one in first["files"]]
    for config in ("default", "product_matching"):
        assert shop.load(REPO, config) == shop.load("dataset", config)

    begun = len(shop.hub.log)
    shop.run("splits", "--seed", "7", "--quiet")
    shop.run("publish", "--repo", REPO, "--tag", "v1.1.0", "--quiet")
    assert shop.load(REPO) == shop.load("dataset")
    sent = [one for one in shop.hub.log[begun:] if one.method == "PUT"]
    assert 0 < len(sent) <= len(list((shop.folder / "dataset").rglob("*.parquet")))
    log = shop.hub.repositories[REPO].files()["CHANGELOG.md"].decode()
    assert log.index("v1.1.0") < log.index("v1.0.0")
    assert "`1` to `7`" in log

    again = len(shop.hub.log)
    done = shop.run("publish", "--repo", REPO, "--tag", "v1.1.0")
    assert not [one for one in shop.hub.log[again:] if one.method in ("PUT", "POST") and "/commit/" in one.path]
    assert REPO in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("token", "said"), [("", "HF_TOKEN"), ("hf_made_up", "token")])
def test_without_a_good_token_it_says_what_to_do_in_one_paragraph(shop: Shop, token: str, said: str) -> None:
    done = shop.run("publish", "--repo", REPO, check=False, token=token)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not token or token not in done.stderr + done.stdout


@pytest.mark.slow
def test_a_folder_that_holds_no_dataset_is_refused(shop: Shop) -> None:
    done = shop.run("publish", "--repo", REPO, "--dataset", "nothing", check=False)
    assert done.returncode == 1
    assert "no dataset in nothing" in done.stderr


@pytest.mark.slow
def test_a_card_edited_on_the_hub_keeps_the_edit(shop: Shop) -> None:
    shop.run("publish", "--repo", REPO, "--quiet")
    card = shop.hub.repositories[REPO].files()["README.md"].decode()
    assert "## Who to ask" not in card
    edited = shop.folder / "dataset" / "README.md"
    edited.write_text(edited.read_text() + "\n## Who to ask\n\nThe kettle desk.\n")
    shop.run("publish", "--repo", REPO, "--quiet")
    shop.run("splits", "--seed", "3", "--quiet")
    shop.run("publish", "--repo", REPO, "--quiet")
    assert "The kettle desk." in shop.hub.repositories[REPO].files()["README.md"].decode()
