"""Settings, as Pydantic models with numpydoc docstrings, laid out for people to read."""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ecinstruct_build.example import dump_json
from ecinstruct_build.publish import markdown

_WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number", Path: "path", NoneType: "nothing"}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True)
class Setting:
    """One setting of a recipe.

    Attributes
    ----------
    name
        Dotted name within its section.
    type
        What it takes, in words.
    default
        Its default as JSON, or "" where it must be given.
    meaning
        What it does.
    """

    name: str
    type: str
    default: str
    meaning: str


def settings_table(settings: Sequence[Setting]) -> str:
    """Return settings as a Markdown table."""
    rows = [
        (f"`{one.name}`", one.type, f"`{one.default}`" if one.default else "to be given", one.meaning)
        for one in settings
    ]
    return markdown.table(("setting", "takes", "default", "meaning"), rows)


def settings_of(model: type[BaseModel]) -> list[Setting]:
    """Return all settings of a model, those of the models inside it with dotted names."""
    return list(_walk(model.model_construct(), "", ""))


def sections_of(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return the models that settings of a model hold in lists, tables or instead of a bare value, however deep.

    They go by the name of the setting that holds them. Those that a bare value may stand for (see `shorthand_of`) come
    last and go by their own name, since many settings share them.
    """
    found: dict[str, type[BaseModel]] = {}
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            heading = inner.__name__ if shorthand_of(inner) else name
            if heading not in found:
                found |= {heading: inner, **{key: one for key, one in sections_of(inner).items() if key not in found}}
    return dict(sorted(found.items(), key=lambda entry: bool(shorthand_of(entry[1]))))


def shorthand_of(model: type) -> str:
    """Return what may be written instead of a section, as its class attribute ``shorthand`` says, or ""."""
    return str(getattr(model, "shorthand", ""))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _walk(defaults: BaseModel, prefix: str, about: str) -> Iterator[Setting]:
    model = type(defaults)
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        default = getattr(defaults, name, None)
        names, meaning = meanings.get(name, ((name,), ""))
        if isinstance(default, BaseModel) and not shorthand_of(type(default)):
            yield from _walk(default, f"{prefix}{name}.", meaning if len(names) == 1 else "")
        else:
            told = meaning if len(names) == 1 else f"{', '.join(f'`{one}`' for one in names)}: {meaning}"
            shown = "" if field.is_required() else dump_json(_plain(default))
            yield Setting(f"{prefix}{name}", _takes(field), shown, f"{about} {told}".strip())


def _meanings(model: type) -> dict[str, tuple[tuple[str, ...], str]]:
    """Return the meaning of each attribute that a class or a base of it documents, with the names told together."""
    meanings: dict[str, tuple[tuple[str, ...], str]] = {}
    for base in reversed(model.__mro__):
        for names, meaning in _documented(inspect.cleandoc(base.__dict__.get("__doc__") or "")):
            meanings |= dict.fromkeys(names, (names, meaning))
    return meanings


def _documented(docstring: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the entries of a numpydoc section of attributes."""
    _, found, section = docstring.partition("Attributes\n----------\n")
    section = re.split(r"\n\n(?=\S)", section)[0]
    for entry in re.split(r"\n(?=\S)", section) if found else ():
        names, _, text = entry.partition("\n")
        yield tuple(name.strip() for name in names.split(",")), " ".join(text.split()).replace("``", "`")


def _takes(field: FieldInfo) -> str:
    limits = [
        f"{words} {dump_json(value)}"
        for bound, words in _BOUNDS.items()
        for limit in field.metadata
        if (value := getattr(limit, bound, None)) is not None
    ]
    marked = next((mark.words for mark in field.metadata if hasattr(mark, "words")), "")
    return ", ".join([marked or _type_words(field.annotation), *limits])


def _type_words(annotation: Any) -> str:
    inner = get_args(annotation)
    match get_origin(annotation):
        case origin if origin is Annotated:
            words = _type_words(inner[0])
        case origin if origin is Literal:
            words = " or ".join(f"`{value}`" for value in inner)
        case origin if origin in (Union, UnionType):
            words = " or ".join(_type_words(one) for one in inner)
        case origin if origin in (tuple, list):
            words = f"list of {_type_words(inner[0])}"
        case origin if origin is dict:
            words = f"table of {_type_words(inner[1])} by name"
        case _ if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
            short, name = shorthand_of(annotation), annotation.__name__
            words = f"{short} or [`{name}`](#{name.lower()})" if short else "section"
        case _:
            words = _WORDS.get(annotation, str(getattr(annotation, "__name__", annotation)))
    return words


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, BaseModel):
        said = value.model_dump(exclude_defaults=True)
        return next(iter(said.values())) if len(said) == 1 else said
    return str(value) if isinstance(value, Path) else value
