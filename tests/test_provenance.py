"""A result is made anew when the code or data that made it changes, and not otherwise."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from ecinstruct_build import provenance

# They carry, show, fetch or review what was built, and read settings; no shard depends on how they do it.
NO_PART_IN_BYTES = {
    "datasets",
    "filelock",
    "httpx2",
    "huggingface-hub",
    "markdown-it-py",
    "markupsafe",
    "openpyxl",
    "pydantic",
    "pyyaml",
    "rich",
    "starlette",
    "tomli-w",
    "typer",
    "uvicorn",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "sources"
    (package / "words").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "words" / "nouns.txt").write_text("tree\n")
    (package / "near.py").write_text("from sources import far\nfrom .beside import y\nimport json\n")
    (package / "far.py").write_text("x = 1\n")
    (package / "beside.py").write_text("y = 1\n")
    (package / "other.py").write_text("x = 1\n")
    monkeypatch.setattr(provenance, "OWN_PACKAGES", ("sources",))
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sources"]:
        monkeypatch.delitem(sys.modules, name)
    return package


def digest() -> str:
    provenance.forget()
    return provenance.code_digest("sources.near")


def test_it_follows_imports_and_data_and_nothing_else(package: Path) -> None:
    before = digest()
    (package / "other.py").write_text("x = 2\n")
    assert digest() == before
    (package / "far.py").write_text("x = 2\n")
    after_import = digest()
    assert after_import != before
    (package / "beside.py").write_text("y = 2\n")
    assert digest() not in (before, after_import)
    after_import = digest()
    (package / "words" / "nouns.txt").write_text("bush\n")
    assert digest() not in (before, after_import)
    (package / "near.py").write_text("from sources import far\nimport json\n# said otherwise\n")
    assert digest() not in (before, after_import)


@pytest.mark.parametrize(
    "source",
    [
        "import sources.far\n",
        "import json, sources.far as near\n",
        "from sources.far import x as y  # as said\n",
        "from .far import x\n",
        "from . import far\n",
        "from .far import *\n",
        "from sources import (\n    beside,\n    far,\n)\n",
        "from sources import (  # for all to import :)\n    beside,  # :)\n    far,\n)\n",
        "from sources import beside, \\\n    far\n",
        "x = 1; from sources import far\n",
        "if True: import sources.far\n",
        "def use():\n    from sources.far import x\n",
        "try:\n    import nothing\nexcept ImportError:\n    import sources.far\n",
        "try:\n    import nothing\nexcept ImportError: import sources.far\n",
        "match 1:\n    case 1: import sources.far\n",
        "class Shelf:\n\tfrom\tsources\timport\tfar\n",
        '"""\nfrom here we import nothing\n"""\nfrom sources import far\n',
    ],
)
def test_it_follows_an_import_however_it_is_written(package: Path, source: str) -> None:
    (package / "near.py").write_text(source)
    before = digest()
    (package / "far.py").write_text("x = 2\n")
    assert digest() != before


def test_a_module_that_is_not_there_is_an_error_and_not_a_digest_of_nothing() -> None:
    with pytest.raises(ValueError, match="no module of ours"):
        provenance.code_digest("ecinstruct_build.nowhere")


@pytest.fixture(autouse=True)
def _forget() -> None:
    provenance.forget()


def test_every_dependency_that_may_change_bytes_is_in_the_books() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=]", one)[0] for one in project["dependencies"]}
    assert needed == {*provenance.LIBRARIES} | NO_PART_IN_BYTES
