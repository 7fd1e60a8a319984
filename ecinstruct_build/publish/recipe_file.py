"""Write a recipe back to TOML, so that a dataset carries what it takes to build it again."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ecinstruct_build.recipe import Recipe

RECIPE = "recipe.toml"
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def recipe_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML, every setting spelled out; `ecinstruct_build.recipe.load_recipe` reads it back.

    Settings that are None are left out: TOML has no word for it, and it is what they are by default.
    """
    lines = ["# Every setting of the build, defaults included."]
    lines += _table(recipe.resolved(), ())
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table: its own values, then the tables in it."""
    if path:
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for name, value in values.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{_key(name)} = {_value(value)}"
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _table(value, (*path, name))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items() if one is not None)
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        return _string(value)
    return repr(value).lower() if isinstance(value, bool) else repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    """Return a basic string: JSON's escapes are TOML's, but for the one control character that JSON lets stand."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
