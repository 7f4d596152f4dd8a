"""What moto itself has where an installation put something else.

Each start of an embedded AWS in one process replaces the same functions again; wrapping what is
there would wrap the last one's. When it stops, moto is as it was, for whoever uses it next.
"""

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

_FOUND: dict[tuple[int, str], Any] = {}
_BEFORE: dict[int, tuple[Any, dict[str, Any]]] = {}
_CODE = (FunctionType, staticmethod, classmethod, property)


def original(owner: Any, name: str) -> Any:
    """The attribute ``name`` of a moto class or module as it was before the first replacement."""
    return _FOUND.setdefault((id(owner), name), getattr(owner, name))


def remember() -> None:
    """Note the code of every moto module and class, before anything is installed."""
    for owner in _owners():
        _BEFORE.setdefault(id(owner), (owner, _code(owner)))


def put_back() -> None:
    """Give every moto module and class its own code again."""
    for owner, before in _BEFORE.values():
        for name, now in _code(owner).items():
            if name not in before:
                delattr(owner, name)
            elif now is not before[name]:
                setattr(owner, name, before[name])
    _BEFORE.clear()


def _owners() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name == "moto" or name.startswith("moto."):
            yield module
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == name:
                    yield value


def _code(owner: ModuleType | type) -> dict[str, Any]:
    return {name: value for name, value in vars(owner).items() if isinstance(value, _CODE)}
