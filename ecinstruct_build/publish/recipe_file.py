"""A recipe as it is published: every setting spelled out, and no path of the machine that it was built on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from ecinstruct_build.recipe import Recipe

RECIPE = "recipe.toml"
VERDICTS = "verdicts.jsonl"
"""Stands beside the recipe where people judged examples defective, and is what the check `REVIEW` reads then."""

REVIEW = "review"
"""The check that leaves out what people judged defective."""


def recipe_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML; `ecinstruct_build.recipe.load_recipe` reads it back.

    Settings that are None are left out: TOML has no word for it, and it is what they are by default.
    """
    return "# Every setting of the build, defaults included.\n" + tomli_w.dumps(_stated(published_settings(recipe)))


def published_settings(recipe: Recipe) -> dict[str, Any]:
    """Return the settings as JSON values: paths as `published_path` gives them, files of verdicts as `VERDICTS`."""
    settings: dict[str, Any] = _plain(recipe.model_dump())
    review = settings["checks"].get(REVIEW, {})
    if review.get("verdicts"):
        review["verdicts"] = [VERDICTS]
    return settings


def published_path(path: Path) -> str:
    """Return a path as it is published: of an absolute one its last part."""
    return path.name if path.is_absolute() else path.as_posix()


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return published_path(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _stated(value: Any) -> Any:
    """Return a value without what is None in its mappings."""
    if isinstance(value, Mapping):
        return {name: _stated(one) for name, one in value.items() if one is not None}
    return [_stated(one) for one in value] if isinstance(value, list) else value
