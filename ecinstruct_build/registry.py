"""Find sources, tasks and checks by name: a module that is there is registered, and nothing else is."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Generic, TypeVar

from ecinstruct_build.check import Check
from ecinstruct_build.errors import UserError, did_you_mean
from ecinstruct_build.source import Source
from ecinstruct_build.task import Task

T = TypeVar("T")


class Registry(Generic[T]):
    """The modules of a package that define one public constant, by module name.

    Modules are imported when asked for, not before.
    """

    def __init__(self, package: str, constant: str, kind: type[T]) -> None:
        self._package = package
        self._constant = constant
        self._kind = kind

    def __iter__(self) -> Iterator[T]:
        """Yield every entry in order of name."""
        return (self.get(name) for name in self.names())

    def names(self) -> list[str]:
        """Return the names of all entries, sorted."""
        package = importlib.import_module(self._package)
        found = (module.name for module in pkgutil.iter_modules(package.__path__))
        return sorted(name for name in found if self._entry(name) is not None)

    def get(self, name: str) -> T:
        """Return the entry called ``name``.

        Raises
        ------
        UserError
            If there is none; with the nearest name.
        """
        entry = self._entry(name)
        if entry is None:
            noun = self._constant.lower()
            raise UserError(
                f"There is no {noun} called '{name}'.{did_you_mean(name, self.names())} "
                f"Known: {', '.join(self.names())}."
            )
        return entry

    def module(self, name: str) -> ModuleType:
        """Return the module that defines the entry called ``name``."""
        return importlib.import_module(f"{self._package}.{name}")

    def _entry(self, name: str) -> T | None:
        if not name.isidentifier():
            return None
        try:
            entry: Any = getattr(self.module(name), self._constant, None)
        except ModuleNotFoundError as error:
            if error.name == f"{self._package}.{name}":
                return None
            raise
        return entry if isinstance(entry, self._kind) else None


SOURCES: Registry[Source] = Registry("sources", "SOURCE", Source)
TASKS: Registry[Task] = Registry("ecinstruct_build.tasks", "TASK", Task)
CHECKS: Registry[Check] = Registry("quality", "CHECK", Check)
