"""Libraries that are imported when something is first asked of them.

They take a while, and many a command needs none of them: it queries no table, mends no text, cuts no graph. Annotations
that name their types must not be evaluated: ``from __future__ import annotations`` sees to that.
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pyarrow as pa


class _Later(ModuleType):
    """Stands for a module of its name."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


if TYPE_CHECKING:
    import ftfy
    import ftfy.badness as mojibake
    import ibis
    import ibis.expr.types as ir
    import igraph
else:
    ftfy = _Later("ftfy")
    mojibake = _Later("ftfy.badness")
    ibis = _Later("ibis")
    igraph = _Later("igraph")
    ir = _Later("ibis.expr.types")

__all__ = ["ftfy", "ibis", "igraph", "ir", "mojibake", "spare_option_docs", "spare_pandas"]


def spare_pandas() -> None:
    """Let Arrow do without pandas for as long as nobody asks it for a frame.

    Before its first array Arrow imports pandas (0.1 s), to know its types when it is given any. Not finding it, Arrow
    goes on without, and looks again when a frame is asked for.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(_NoPandas)


def spare_option_docs() -> None:
    """Let Arrow's functions do without the documentation of their options.

    Arrow gathers it when the functions are first imported, from that of a hundred classes: half of the time that this
    import takes (0.02 s).
    """
    if "pyarrow.compute" in sys.modules:
        return
    parser = "pyarrow.vendored.docscrape"
    sys.modules[parser] = _NoDocs(parser)
    try:
        importlib.import_module("pyarrow.compute")
    finally:
        del sys.modules[parser]


class _NoDocs(ModuleType):
    """Stands for the parser of documentation; it finds no parameters in any."""

    @staticmethod
    def NumpyDocString(_text: str) -> dict[str, list[Any]]:  # noqa: N802 - as Arrow calls it
        return {"Parameters": []}


class _NoPandas:
    """Finds no pandas; other modules are found by whoever comes next."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
