"""The reference pages in docs/ are those of the code at hand."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from ecinstruct_build.handbook.pages import handbook_pages, write_handbook
from ecinstruct_build.handbook.reference import reference_pages, source_page, task_page
from ecinstruct_build.handbook.settings_table import Setting, settings_of, settings_table
from ecinstruct_build.registry import CHECKS, SOURCES, TASKS
from ecinstruct_build.tables import TABLES

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", list(handbook_pages()))
def test_docs_are_in_step(name):
    """Write them anew with ``make docs``."""
    assert (DOCS / name).read_text(encoding="utf-8") == handbook_pages()[name]


def test_the_pages_are_written(tmp_path):
    write_handbook(tmp_path / "docs")
    assert {path.name: path.read_text() for path in (tmp_path / "docs").iterdir()} == handbook_pages()


def test_every_command_has_its_place():
    page = handbook_pages()["cli.md"]
    for command in ("build", "splits", "explain", "status", "sample-corpora", "sources list", "sources show"):
        assert f"`ecinstruct {command}`" in page


def test_every_column_source_task_and_check_has_its_place():
    pages = reference_pages()
    for table in TABLES.values():
        section = pages["tables.md"].split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` |" in section for column in table.columns)
    assert all(f"\n## {name}\n" in pages["sources.md"] for name in SOURCES.names())
    assert all(f"\n## {name}\n" in pages["tasks.md"] for name in TASKS.names())
    assert all(f"\n## {name}\n" in pages["checks.md"] for name in CHECKS.names())


def test_every_setting_says_what_it_means():
    pages = [pages for name, pages in reference_pages().items() if name in ("tasks.md", "checks.md", "recipe.md")]
    undocumented = [
        line for page in pages for line in page.splitlines() if line.startswith("|") and line[-4:] == "|  |"
    ]
    assert undocumented == []


def test_a_source_is_shown_with_its_terms_and_files():
    for source in SOURCES:
        page = source_page(source)
        assert source.licence in page or source.configure
        assert all(kind.example in page for kind in source.files)


def test_a_task_is_shown_with_its_variables_and_own_settings():
    for task in TASKS:
        page = task_page(task)
        assert all(f"| `{name}` |" in page for name in task.fields)
        own = set(task.settings.model_fields) - set(task.settings.__mro__[1].model_fields)
        assert all(f"| `{name}" in page for name in own)


class Inner(BaseModel):
    """Inside.

    Attributes
    ----------
    low, high
        Ends of the range,
        in metres.
    """

    low: float = 0.5
    high: float = 2.0


class Base(BaseModel):
    """A base.

    Attributes
    ----------
    mode
        ``slow`` or not.

    Notes
    -----
    seed
        Not a setting.
    """

    mode: Literal["slow", "fast"] = "slow"


class Derived(Base):
    """Derived.

    Attributes
    ----------
    seed
        Seed of it.
    size
        How large.
    """

    seed: int | None = Field(default=None, ge=0)
    names: tuple[str, ...] = ("a",)
    size: Inner = Inner(low=1.0)
    given: dict[str, Annotated[float, Field(ge=0)]]


def test_settings_are_told_from_models_and_their_docstrings():
    assert settings_of(Derived) == [
        Setting("mode", "`slow` or `fast`", '"slow"', "`slow` or not."),
        Setting("seed", "whole number or nothing, at least 0", "null", "Seed of it."),
        Setting("names", "list of text", '["a"]', ""),
        Setting("size.low", "number", "1.0", "How large. `low`, `high`: Ends of the range, in metres."),
        Setting("size.high", "number", "2.0", "How large. `low`, `high`: Ends of the range, in metres."),
        Setting("given", "table of number by name", "", ""),
    ]
    assert "| `given` | table of number by name | to be given |" in settings_table(settings_of(Derived))
