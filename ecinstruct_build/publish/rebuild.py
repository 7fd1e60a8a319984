"""What it takes to build a dataset again, byte for byte: its recipe, its checksums, and the steps in words."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.recipe_file import RECIPE, recipe_toml
from ecinstruct_build.recipe import Recipe
from ecinstruct_build.registry import SOURCES

STEPS = "REBUILD.md"
CHECKSUMS = "shards.sha256"


def write_rebuild(folder: Path, recipe: Recipe, manifest: Mapping[str, Any]) -> None:
    """Write ``recipe.toml``, ``shards.sha256`` and ``REBUILD.md`` into a dataset's folder.

    Parameters
    ----------
    folder
        The folder.
    recipe
        What was built.
    manifest
        ``generated``, ``versions``, ``inputs`` and ``shards`` are read.
    """
    (folder / RECIPE).write_text(recipe_toml(recipe), encoding="utf-8")
    (folder / CHECKSUMS).write_text(_checksums(manifest["shards"]), encoding="utf-8")
    (folder / STEPS).write_text("\n".join(_steps(recipe, manifest)), encoding="utf-8")


def _checksums(shards: Sequence[Mapping[str, Any]]) -> str:
    """Return the shards' digests in the form that ``sha256sum --check`` reads."""
    return "".join(f"{shard['sha256']}  {shard['path']}\n" for shard in shards)


def _steps(recipe: Recipe, manifest: Mapping[str, Any]) -> Iterator[str]:
    generated = manifest["generated"]
    yield "# Rebuilding the dataset, byte for byte\n"
    yield (
        "The same recipe on the same files with the same versions gives the same bytes, on any machine and with any "
        "number of workers.\n"
    )
    yield "## 1. Install\n"
    yield f"Python {manifest['versions'].get('python', '3.11')}, and with `pip install`:\n"
    versions = sorted(manifest["versions"].items())
    yield markdown.code("\n".join(f"{name}=={version}" for name, version in versions if name != "python"), "text")
    yield "## 2. Fetch\n"
    if generated:
        yield "Nothing: the corpora are generated from the recipe.\n"
    else:
        yield "Put these files into a folder, here called `raw`, under these paths:\n"
        yield _inputs(manifest["inputs"])
    if own := sorted(set(_paths(recipe))):
        yield "The recipe also names these files or folders of its maker; they are not part of the dataset:\n"
        yield "\n".join(f"- `{path}`" for path in own) + "\n"
    yield "## 3. Build\n"
    yield f"`{RECIPE}` is the file beside this one.\n"
    yield markdown.code(f"ecinstruct build {RECIPE} --out dataset{'' if generated else ' --raw raw'}", "sh")
    yield "## 4. Compare\n"
    yield f"`{CHECKSUMS}` holds the SHA-256 of every shard. Every line shall say OK:\n"
    yield markdown.code(f"(cd dataset && sha256sum --check) < {CHECKSUMS}", "sh")


def _inputs(inputs: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(inputs, key=lambda entry: (entry["source"], entry["file"]))
    rows = [
        (
            f"`{entry['source']}/{entry['file']}`",
            entry["bytes"],
            f"`{entry['sha256']}`",
            SOURCES.get(entry["source"]).homepage,
        )
        for entry in ordered
    ]
    return markdown.table(("path", "bytes", "SHA-256", "from"), rows)


def _paths(settings: Any) -> Iterator[str]:
    """Yield every path that the settings of a recipe name."""
    if isinstance(settings, Path):
        yield str(settings)
    elif isinstance(settings, BaseModel):
        for name in type(settings).model_fields:
            yield from _paths(getattr(settings, name))
    elif isinstance(settings, Mapping):
        for value in settings.values():
            yield from _paths(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from _paths(value)
