"""What differs between the manifests of two versions, and so may be why their samples do."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_VALUE = 60
_ABSENT = "none"
_ELSEWHERE = frozenset({"seed", "split.seed", "name", "title", "description"})
"""Settings that are told apart from the others, or that change no sample."""


@dataclass(frozen=True)
class Difference:
    """A value that differs; a value that is not there is "none"."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} to {self.after}"


@dataclass(frozen=True)
class Causes:
    """What two builds did not have in common.

    Attributes
    ----------
    seeds, settings, versions
        Seeds, settings of the recipe (dotted names), and versions of the libraries that it was built with.
    inputs
        Input files by ``source/file``, with the first digits of their SHA-256.
    """

    seeds: tuple[Difference, ...] = ()
    settings: tuple[Difference, ...] = ()
    versions: tuple[Difference, ...] = ()
    inputs: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.seeds or self.settings or self.versions or self.inputs)

    def to_json(self) -> dict[str, list[str]]:
        """Return each difference in words."""
        return {kind: [str(one) for one in found] for kind, found in vars(self).items()}


def causes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Causes:
    """Compare two manifests; a part that one lacks, or that has another form, counts as empty."""
    settings = [dict(_flat("", one.get("recipe"))) for one in (before, after)]
    for one in settings:
        for name in _ELSEWHERE:
            one.pop(name, None)
    return Causes(
        seeds=_differences(*(dict(_flat("", one.get("seeds"))) for one in (before, after))),
        settings=_differences(*settings),
        versions=_differences(*(dict(_flat("", one.get("versions"))) for one in (before, after))),
        inputs=_differences(*(_inputs(one.get("inputs")) for one in (before, after))),
    )


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    return tuple(
        Difference(_short(name), before.get(name, _ABSENT), after.get(name, _ABSENT))
        for name in sorted({*before, *after})
        if before.get(name, _ABSENT) != after.get(name, _ABSENT)
    )


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the values of nested mappings by dotted name; what is not a mapping is one value."""
    if isinstance(value, Mapping):
        for name in value:
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), value[name])
    elif prefix:
        yield prefix, _ABSENT if value is None else _short(value if isinstance(value, str) else json.dumps(value))


def _inputs(value: Any) -> dict[str, str]:
    files = value if isinstance(value, list) else []
    return {
        f"{one.get('source')}/{one.get('file')}": str(one.get("sha256"))[:12]
        for one in files
        if isinstance(one, Mapping)
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[: _LONGEST_VALUE - 3]}..."
