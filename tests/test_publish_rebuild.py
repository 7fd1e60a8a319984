"""A dataset carries what it takes to build it again: its recipe, the files it read, and what must come out."""

import subprocess
from pathlib import Path

import publish_rows
import pytest
from building import call_command
from hypothesis import example, given
from hypothesis import strategies as st

from ecinstruct_build.packaged import packaged_folder
from ecinstruct_build.publish.folder import read_manifest
from ecinstruct_build.publish.rebuild import write_rebuild
from ecinstruct_build.publish.recipe_file import recipe_toml
from ecinstruct_build.recipe import Recipe, load_recipe

PACKAGED = sorted(path.stem for path in packaged_folder("recipes").glob("*.toml"))


def read_back(recipe: Recipe, folder: Path) -> Recipe:
    path = folder / "recipe.toml"
    path.write_text(recipe_toml(recipe), encoding="utf-8")
    return load_recipe(path)


@pytest.mark.parametrize("name", PACKAGED)
def test_every_packaged_recipe_is_read_back_as_it_was(name, tmp_path):
    assert read_back(load_recipe(name), tmp_path) == load_recipe(name)


def test_settings_of_every_kind_are_read_back(tmp_path):
    recipe = load_recipe(
        "sample",
        ["split.seed=7", "split.freeze=old/data set", "templates.paraphrases=3", "limits.quarantined_share=1e-5"],
    )
    assert read_back(recipe, tmp_path) == recipe


@example('\x7f"\\\x00\u2028', 0.5, 0)
@given(st.text(st.characters(codec="utf-8")), st.floats(0.01, 1), st.integers(0, 10**12))
def test_any_text_and_number_is_read_back(tmp_path_factory, text, share, seed):
    changed = {"title": text, "description": text[::-1], "seed": seed}
    recipe = load_recipe("sample", [f"families.similarity={share!r}"]).model_copy(update=changed)
    assert read_back(recipe, tmp_path_factory.mktemp("recipe")) == recipe


def steps(folder: Path, recipe: Recipe, **changes) -> str:
    inputs = [{"source": "esci", "file": "queries.csv", "bytes": 12, "sha256": "ab" * 32}]
    manifest = publish_rows.manifest([]) | {"inputs": inputs, "generated": False} | changes
    write_rebuild(folder, recipe, manifest)
    return (folder / "REBUILD.md").read_text()


def test_the_steps_name_versions_files_and_digests(tmp_path):
    said = steps(tmp_path, load_recipe("sample"))
    assert "ecinstruct-build==0.1.0" in said
    assert f"| `esci/queries.csv` | 12 | `{'ab' * 32}` | https://github.com/amazon-science/esci-data |" in said
    assert "ecinstruct build recipe.toml --out rebuilt --review none --raw raw" in said


def test_generated_corpora_are_not_to_be_fetched(tmp_path):
    said = steps(tmp_path, load_recipe("sample"), generated=True)
    assert "queries.csv" not in said
    assert "--raw" not in said


def test_files_of_the_maker_that_nobody_else_has_are_named(tmp_path):
    assert "not part of the dataset" not in steps(tmp_path, load_recipe("sample"))
    said = steps(tmp_path, load_recipe("sample", ["split.freeze=old", "templates.folder=mine/templates"]))
    assert "not part of the dataset:\n\n- `mine/templates`\n- `old`\n" in said


@pytest.mark.slow
def test_the_steps_give_the_very_bytes(small_build, small_world, tmp_path):
    """The recipe beside the shards, on the same files, in another place; compared as the steps say."""
    call_command(
        "build", str(small_build.out / "recipe.toml"), "--out", "rebuilt", "--raw", str(small_world), cwd=tmp_path
    )
    (command,) = [
        line for line in (small_build.out / "REBUILD.md").read_text().splitlines() if line.startswith("(cd rebuilt &&")
    ]
    (tmp_path / "shards.sha256").write_bytes((small_build.out / "shards.sha256").read_bytes())
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(": OK") == len(read_manifest(small_build.out)["shards"])
