"""What moto itself has where an installation put something else.

Each start of an embedded AWS in one process replaces the same functions again; wrapping what is
there would wrap the last one's.
"""

from typing import Any

_FOUND: dict[tuple[int, str], Any] = {}


def original(owner: Any, name: str) -> Any:
    """The attribute ``name`` of a moto class or module as it was before the first replacement."""
    return _FOUND.setdefault((id(owner), name), getattr(owner, name))
