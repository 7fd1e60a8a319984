"""Ibis, imported when something is first asked of it: it takes a while, and many a command queries no table.

Annotations that name its types must not be evaluated: ``from __future__ import annotations`` sees to that.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any


class _Later(ModuleType):
    """Stands for a module of its name."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
else:
    ibis = _Later("ibis")
    ir = _Later("ibis.expr.types")

__all__ = ["ibis", "ir"]
