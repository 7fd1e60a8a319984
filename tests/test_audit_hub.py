"""Auditing a dataset on a Hub on loopback: found, not found, out of reach."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_rows import clean_dataset, write_shards
from hub_repository import Repository
from hub_server import READER, serving


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hub")
    made = clean_dataset({"train": 30, "test": 5})
    made.rows["Sentiment_Analysis", "train"][0]["groups"] = made.rows["Sentiment_Analysis", "test"][0]["groups"]
    write_shards(made, folder)
    with serving() as server:
        repository = server.repositories["shop/kettles"] = Repository()
        repository.put("README.md", b"# Kettles")
        for path in sorted(folder.rglob("*.parquet")):
            repository.put(path.relative_to(folder).as_posix(), path.read_bytes())
        yield server.endpoint


def audited(names: list[str], endpoint: str, home: Path) -> list[list[str]]:
    """Audit datasets in one process of its own; return for each what there is to say, line by line."""
    code = (
        "import json, sys\n"
        "from ecinstruct_build.audit.run import audit_dataset\n"
        "from ecinstruct_build.errors import UserError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        audit = audit_dataset(name)\n"
        "        print(json.dumps([str(audit.rows), *map(str, audit.exceeded)]))\n"
        "    except UserError as error:\n"
        "        print(json.dumps([str(error)]))\n"
    )
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": READER}
    command = [sys.executable, "-c", code, *names]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, cwd=home)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_datasets_on_the_hub_are_fetched_or_told_to_be_unknown(hub: str, tmp_path: Path) -> None:
    found, unknown = audited(["shop/kettles", "shop/pans"], hub, tmp_path)
    assert found == ["140", "held-out rows that share a user: 1 (limit 0, group_overlap) in train and test"]
    assert unknown[0].startswith("There is no folder 'shop/pans', and no dataset of that name on the Hub")


def test_no_connection_is_told_in_words_and_paths_are_no_questions_to_the_hub(tmp_path: Path) -> None:
    unreachable, path = audited(["shop/kettles", str(tmp_path / "nothing")], "http://127.0.0.1:9", tmp_path)
    assert unreachable[0].startswith("There is no folder 'shop/kettles', and the Hub cannot be asked")
    assert path[0].startswith("There are no shards at")
