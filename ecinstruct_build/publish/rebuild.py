"""What it takes to build a dataset again, byte for byte: its recipe, its checksums, and the steps in words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecinstruct_build.audit.wholeness import CHECKSUMS
from ecinstruct_build.example import dump_json
from ecinstruct_build.publish import markdown
from ecinstruct_build.publish.recipe_file import RECIPE, REVIEW, VERDICTS, published_path, recipe_toml
from ecinstruct_build.recipe import Recipe

STEPS = "REBUILD.md"


def write_rebuild(folder: Path, recipe: Recipe, manifest: Mapping[str, Any]) -> None:
    """Write ``recipe.toml``, ``shards.sha256`` and ``REBUILD.md`` into a dataset's folder.

    Where people judged examples defective, ``verdicts.jsonl`` names these, without who said so and why.

    Parameters
    ----------
    folder
        The folder.
    recipe
        What was built.
    manifest
        ``generated``, ``versions``, ``inputs`` and ``shards`` are read.
    """
    if verdicts := _verdicts(recipe):
        (folder / VERDICTS).write_text(verdicts, encoding="utf-8")
    (folder / RECIPE).write_text(recipe_toml(recipe), encoding="utf-8")
    (folder / CHECKSUMS).write_text(_checksums(manifest["shards"]), encoding="utf-8")
    (folder / STEPS).write_text("\n".join(_steps(recipe, manifest)), encoding="utf-8")


def _verdicts(recipe: Recipe) -> str:
    """Return what the review check reads, no more of it than decides which examples are left out."""
    paths: Sequence[Path] = recipe.checks[REVIEW].model_dump()["verdicts"] if REVIEW in recipe.checks else ()
    said = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]
    lines = {dump_json({name: one[name] for name in ("example_id", "verdict")}) for one in said}
    return "".join(f"{line}\n" for line in sorted(lines))


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
        yield _inputs(recipe, manifest["inputs"])
    settings = recipe.model_dump()
    settings["checks"].pop(REVIEW, None)
    if own := sorted({*_paths(settings)}):
        yield "The recipe also names these files or folders of its maker; they are not part of the dataset:\n"
        yield "\n".join(f"- `{path}`" for path in own) + "\n"
    yield "## 3. Build\n"
    yield f"In the folder of this file, where `{RECIPE}` is, too:\n"
    yield markdown.code(
        f"ecinstruct build {RECIPE} --out rebuilt --review none{'' if generated else ' --raw raw'}", "sh"
    )
    yield "## 4. Compare\n"
    yield f"`{CHECKSUMS}` holds the SHA-256 of every shard. Every line shall say OK:\n"
    yield markdown.code(f"(cd rebuilt && sha256sum --check) < {CHECKSUMS}", "sh")


def _inputs(recipe: Recipe, inputs: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(inputs, key=lambda entry: (entry["source"], entry["file"]))
    rows = [
        (
            f"`{entry['source']}/{entry['file']}`",
            entry["bytes"],
            f"`{entry['sha256']}`",
            recipe.source(entry["source"]).homepage or "not public",
        )
        for entry in ordered
    ]
    return markdown.table(("path", "bytes", "SHA-256", "from"), rows)


def _paths(value: Any) -> Iterator[str]:
    """Yield every path among settings, as it stands in the published recipe."""
    if isinstance(value, Path):
        yield published_path(value)
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _paths(one)
