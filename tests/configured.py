"""Sources as tests use them: one that recipes describe is described by the settings in its folder of fixtures."""

import tomllib
from pathlib import Path

from ecinstruct_build.registry import SOURCES
from ecinstruct_build.source import Source

FIXTURES = Path(__file__).parent / "fixtures" / "sources"
SETTINGS = "settings.toml"


def source_of(name: str) -> Source:
    """Return a source, configured where it wants to be."""
    source = SOURCES.get(name)
    if source.configure is None:
        return source
    settings = tomllib.loads((FIXTURES / name / SETTINGS).read_text(encoding="utf-8"))
    return source.configured(source.settings.model_validate(settings))


def files_of(name: str) -> list[str]:
    """Return the fixture files of a source, relative to its folder."""
    found = sorted(path.relative_to(FIXTURES / name).as_posix() for path in (FIXTURES / name).rglob("*.*"))
    return [file for file in found if file != SETTINGS]
