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
from building import call_command
from conftest import ROOT

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
