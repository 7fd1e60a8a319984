"""What stands on the Hub is what `datasets` loads from there: every configuration, whole and streamed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import WRITER, HubServer, serving
from hub_staging import REPO, push_to, rows_of, version, write_as

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

LOADING = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
repo, revision = sys.argv[1:]
found = {}
for config in get_dataset_config_names(repo, revision=revision):
    for streaming in (False, True):
        splits = load_dataset(repo, config, revision=revision, streaming=streaming)
        rows = {split: sorted(json.dumps(row, sort_keys=True) for row in rows) for split, rows in splits.items()}
        found[f"{config} {streaming}"] = rows
print(json.dumps(found))
"""


@pytest.fixture(name="hub")
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    write_as(WRITER, tmp_path, monkeypatch)
    with serving() as hub:
        yield hub


def test_datasets_loads_the_same_rows_from_the_hub(hub: HubServer, tmp_path: Path) -> None:
    made = version()
    folder = made.write(tmp_path / "staged")
    push_to(hub, folder, private=True, tag="v1")
    del made.rows["Sentiment_Analysis", "test"]
    push_to(hub, made.write(tmp_path / "later"))
    places = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-c", LOADING, REPO, "v1"]
    done = subprocess.run(
        command, env={**os.environ, **places}, check=True, capture_output=True, text=True, cwd=tmp_path
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == [
        f"{config} {streaming}"
        for config in ("default", "answerability_prediction", "sentiment_analysis")
        for streaming in (False, True)
    ]
    everything = rows_of(folder)
    assert len(everything) == 42
    for name, splits in found.items():
        config = name.partition(" ")[0]
        below = everything if config == "default" else [row for row in everything if f'"{config}:' in row]
        assert sorted(row for rows in splits.values() for row in rows) == below
        assert set(splits) == {"train", "validation", "test"}
        for split, rows in splits.items():
            assert {json.loads(row)["split"] for row in rows} == {"val" if split == "validation" else split}
