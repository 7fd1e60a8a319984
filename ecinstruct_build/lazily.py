"""Libraries that are imported when something is first asked of them.

They take a while, and many a command needs none of them: it queries no table, or mends no text. Annotations that name
their types must not be evaluated: ``from __future__ import annotations`` sees to that.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _Later(ModuleType):
    """Stands for a module of its name."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


if TYPE_CHECKING:
    import ftfy
    import ftfy.badness as mojibake
    import ibis
    import ibis.expr.types as ir
else:
    ftfy = _Later("ftfy")
    mojibake = _Later("ftfy.badness")
    ibis = _Later("ibis")
    ir = _Later("ibis.expr.types")

__all__ = ["ftfy", "ibis", "ir", "mojibake"]
