"""The walk through docs/catalogue.md: its files, recipes and commands, run as they stand there."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import catalogue_shop
import pyarrow.parquet as pq
import pytest
from building import call_command, shard_digests
from conftest import ROOT

from ecinstruct_build.errors import UserError
from ecinstruct_build.publish.folder import read_manifest
from ecinstruct_build.publish.settings import PublishSettings
from ecinstruct_build.publish.sources import source_of
from ecinstruct_build.publish.staging import stage

PAGE = ROOT / "docs" / "catalogue.md"
SHOP = ROOT / "docs" / "catalogue"
LEFT_OUT = "..."


@dataclass(frozen=True)
class Block:
    """A code block of the page: what it is, which file or task it is of, and its lines."""

    language: str
    name: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(*parts) for parts in found]


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a console block with the lines that they are said to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def printed(command: str, folder: Path) -> list[str]:
    if command.startswith("ecinstruct "):
        done = call_command(*command.split()[1:], cwd=folder, check=False)
        assert "Traceback" not in done.stderr
        text = done.stderr if done.returncode else done.stdout
    else:
        text = subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True, text=True).stdout
    return [line.rstrip() for line in text.splitlines()]


def agrees(said: list[str], lines: list[str]) -> bool:
    """Whether the lines are as the page says; what it leaves out stands for any lines, or the rest of one."""
    pattern = ""
    for line in said:
        if line.strip() == LEFT_OUT:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += (
                re.escape(line.removesuffix(LEFT_OUT).rstrip()) + (".*" if line.endswith(LEFT_OUT) else "") + r"\n"
            )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, list[str], list[str]]]]:
    """The folder after the walk, and each command with what the page says and what it printed."""
    folder = tmp_path_factory.mktemp("walk")
    shutil.copytree(SHOP / "raw", folder / "raw")
    alone = folder / "one" / "catalogue" / "shop.csv"
    alone.parent.mkdir(parents=True)
    alone.write_text(catalogue_shop.one_file(225), encoding="utf-8")
    done = []
    for block in blocks():
        if block.language == "toml":
            (folder / block.name).write_text(block.text, encoding="utf-8")
        if block.language == "console":
            done += [(command, said, printed(command, folder)) for command, said in commands(block)]
    return folder, done


def test_the_shop_of_the_docs_is_the_one_that_the_tests_make():
    """Write it anew with ``python tests/catalogue_shop.py``."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (SHOP / "raw" / "catalogue").iterdir()}
    assert files == catalogue_shop.three_files()


@pytest.mark.slow
def test_every_command_prints_what_the_page_says(walked):
    _, done = walked
    assert len(done) >= 8
    for command, said, lines in done:
        assert agrees(said, lines), f"{command} printed:\n" + "\n".join(lines)


@pytest.mark.slow
def test_the_page_shows_a_row_that_is_there(walked):
    folder, _ = walked
    (shown,) = (block for block in blocks() if block.language == "text")
    parts = dict(re.findall(r"^(\w+) +((?:.*\n(?: .*\n)*))", shown.text, re.MULTILINE))
    rows = pq.ParquetDataset(folder / "dataset" / "data" / shown.name, partitioning=None).read().to_pylist()
    wanted = {name: " ".join(text.split()) for name, text in parts.items()}
    assert wanted in [{name: " ".join(row[name].split()) for name in wanted} for row in rows]


@pytest.mark.slow
def test_one_unseen_file_feeds_four_tasks(walked):
    folder, _ = walked
    tasks = {path.name: 0 for path in (folder / "onefile" / "data").iterdir()}
    for path in (folder / "onefile" / "data").glob("*/*.parquet"):
        tasks[path.parent.name] += pq.read_metadata(path).num_rows
    assert len(tasks) >= 4
    assert min(tasks.values()) >= 50


@pytest.mark.slow
def test_the_card_bears_the_shops_name_and_terms(walked):
    folder, _ = walked
    card, terms = ((folder / "dataset" / name).read_text(encoding="utf-8") for name in ("README.md", "LICENSE.md"))
    assert "- **catalogue**: Brook Street Stores." in card
    assert "Keep this dataset to yourself" in card
    row = "| catalogue | our own, not to be passed on | **no** | <https://brookstreet.example/> |"
    assert row in card
    assert row in terms
    assert "https://brookstreet.example/" in (folder / "dataset" / "croissant.json").read_text(encoding="utf-8")
    alone = (folder / "onefile" / "LICENSE.md").read_text(encoding="utf-8")
    assert "| catalogue | not stated | **no** | not public |" in alone


@pytest.mark.slow
def test_its_text_is_not_published_unless_as_ids(walked, tmp_path):
    folder, _ = walked
    with pytest.raises(UserError, match=r"catalogue \(our own, not to be passed on; https://brookstreet\.example/\)"):
        stage(folder / "dataset", tmp_path, PublishSettings())
    staged = stage(folder / "dataset", tmp_path, PublishSettings(restricted="ids"))
    assert [source.title for source in staged.restricted] == ["Brook Street Stores"]
    said = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".parquet")
    assert b"Tarnfell" not in said


@pytest.mark.slow
def test_a_manifest_of_another_version_is_one_message(walked):
    folder, _ = walked
    manifest = dict(read_manifest(folder / "dataset"))
    manifest["recipe"] = {"sources": {"catalogue": {"columns": "x"}}}
    with pytest.raises(UserError, match=r"does not describe the source 'catalogue' as this version does"):
        source_of("catalogue", manifest)


@pytest.mark.slow
def test_an_example_is_told_back_to_the_line_of_the_file(walked):
    folder, _ = walked
    rows = pq.read_table(folder / "dataset/data/product_matching/train-00000-of-00001.parquet").to_pylist()
    work = ("--work", "work")
    assert call_command("build", "myshop.toml", "--raw", "raw", *work, cwd=folder).returncode == 0
    story = call_command("explain", rows[0]["example_id"], *work, cwd=folder).stdout
    lines = (folder / "raw/catalogue/products.csv").read_text(encoding="utf-8").splitlines()
    shown = [
        line for line in lines if line.split(",")[0] in [key.removeprefix("brook:") for key in rows[0]["products"]]
    ]
    assert len(shown) == 2
    assert all(line in story for line in shown)


@pytest.mark.slow
def test_the_published_recipe_builds_the_same_bytes(walked):
    folder, _ = walked
    arguments = ("--raw", "raw", "--review", "none", "--work", "elsewhere", "--out", "rebuilt")
    call_command("build", "dataset/recipe.toml", *arguments, cwd=folder)
    assert shard_digests(folder / "rebuilt") == shard_digests(folder / "dataset")
