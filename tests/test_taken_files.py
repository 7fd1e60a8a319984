"""Which files of a raw folder are taken; what has the name of one and is none is told."""

import os
from pathlib import Path

import pytest
from tiny_reviews import SOURCE, recipe_of

from ecinstruct_build.errors import UserError
from ecinstruct_build.recipe import load_recipe
from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import SourceSettings
from ecinstruct_build.stages.raw_files import find_files, taken_files


def taken(folder: Path) -> list[str]:
    return taken_files(SOURCES.get(SOURCE), SourceSettings(), folder)


def test_files_and_links_to_files_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "raw" / "old" / "empty").mkdir(parents=True)
    for file in ("reviews_Toys.json", "old/reviews_Books.json", "reviews_Books.json", "notes.txt"):
        (tmp_path / "raw" / file).touch()
    (tmp_path / "elsewhere").touch()
    (tmp_path / "raw" / "reviews_Music.json").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "linked").symlink_to("raw")
    expected = ["old/reviews_Books.json", "reviews_Books.json", "reviews_Music.json", "reviews_Toys.json"]
    assert taken(tmp_path / "raw") == taken(tmp_path / "linked") == expected


@pytest.mark.parametrize("target", ["gone", "reviews_Gone.json", "reviews_Books.json/below"])
def test_a_link_that_leads_nowhere_is_told_where_it_would_be_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "reviews_Books.json").touch()
    (tmp_path / "around").symlink_to(".")
    (tmp_path / "notes.txt").symlink_to("gone")
    (tmp_path / "reviews_Folder.json").symlink_to(".")
    assert taken(tmp_path) == ["reviews_Books.json"]
    (tmp_path / "reviews_Gone.json").symlink_to(target)
    told = rf"/reviews_Gone\.json has the name .* is a link to {target}, where no file .*\[sources\.{SOURCE}\] files\.$"
    with pytest.raises(UserError, match=told):
        taken(tmp_path)
    books = SourceSettings(categories=("Books",))
    assert taken_files(SOURCES.get(SOURCE), books, tmp_path) == ["reviews_Books.json"]


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_in_the_place_of_a_file_is_told(tmp_path: Path, linked: bool) -> None:
    place = tmp_path / "old" / "reviews_Pipe.json"
    place.parent.mkdir()
    os.mkfifo(tmp_path / "pipe" if linked else place)
    if linked:
        place.symlink_to("../pipe")
    with pytest.raises(UserError, match=r"old/reviews_Pipe\.json has .* is neither a file nor a link to one\. Put"):
        taken(tmp_path)


def test_a_file_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    for folder in (b"a\xff", b"b\xff"):
        (tmp_path / os.fsdecode(folder)).mkdir()
    (tmp_path / "reviews_Books.json").touch()
    (tmp_path / os.fsdecode(b"a\xff") / "notes.txt").touch()
    assert taken(tmp_path) == ["reviews_Books.json"]
    (tmp_path / os.fsdecode(b"b\xff") / "reviews_Books.json").touch()
    with pytest.raises(UserError, match=r"file b\udcff/reviews_Books.json in .* is not UTF-8"):
        taken(tmp_path)


@pytest.mark.parametrize("files", ["*", "reviews_*"])
def test_files_of_other_categories_than_asked_for_are_told(files: str, tmp_path: Path) -> None:
    (tmp_path / SOURCE).mkdir()
    for file in ("reviews_Books.json", "reviews_Toys.json"):
        (tmp_path / SOURCE / file).touch()
    (tmp_path / SOURCE / "reviews_Music.json").symlink_to("gone")  # of a category that nobody asked for
    recipe = recipe_of(tmp_path, f"sources.{SOURCE}.categories=['Bookes']", f"sources.{SOURCE}.files=['{files}']")
    with pytest.raises(UserError, match=r"none of Bookes: they are of Books, Toys\. Did you mean 'Books'"):
        find_files(recipe, tmp_path)


SHOP = """
name = "shop"
[[sources.catalogue.tables]]
file = "orders*.csv"
session = { products = "items" }
[tasks.sequential_recommendation]
quota.train = 1
"""


def test_files_of_ones_own_are_not_to_be_fetched(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(SHOP)
    recipe = load_recipe(str(tmp_path / "shop.toml"), [])
    folder = tmp_path / "catalogue"
    wanted = rf"'orders\*\.csv' of source 'catalogue', and {folder} holds no such file\."
    with pytest.raises(UserError, match=rf"{wanted} There are no files in it\. Put the file there, or") as error:
        find_files(recipe, tmp_path)
    assert "fetch" not in str(error.value).lower()
    folder.mkdir()
    (folder / "order.csv").touch()
    with pytest.raises(UserError, match=rf"{wanted} Did you mean 'order\.csv'\? It holds order\.csv\. Put"):
        find_files(recipe, tmp_path)


def test_a_folder_that_is_none_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert taken(tmp_path / "absent") == taken(tmp_path / "file") == []


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    look = os.scandir

    def refuse(folder: os.PathLike[str] | str) -> object:
        if Path(folder) == locked:
            raise PermissionError(13, "Permission denied", str(folder))
        return look(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # no mode of a folder keeps the system's own user out
    with pytest.raises(UserError, match=r"locked cannot be read: Permission denied"):
        taken(tmp_path)
