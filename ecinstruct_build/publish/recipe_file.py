"""Write a recipe back to TOML, so that a dataset carries what it takes to build it again."""

from collections.abc import Mapping
from typing import Any

import tomli_w

from ecinstruct_build.recipe import Recipe

RECIPE = "recipe.toml"


def recipe_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, every setting spelled out; `ecinstruct_build.recipe.load_recipe` reads it back.

    Settings that are None are left out: TOML has no word for it, and it is what they are by default.
    """
    return "# Every setting of the build, defaults included.\n" + tomli_w.dumps(_stated(recipe.resolved()))


def _stated(value: Any) -> Any:
    """Return a value without what is None in its mappings."""
    if isinstance(value, Mapping):
        return {name: _stated(one) for name, one in value.items() if one is not None}
    return [_stated(one) for one in value] if isinstance(value, list | tuple) else value
