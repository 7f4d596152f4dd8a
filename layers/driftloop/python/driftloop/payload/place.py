"""Where a row or a field stood in what the caller sent, for errors: its path in his own shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Place(Protocol):
    """Paths of row ``i`` (from 0) and of its field ``name``."""

    def row(self, i: int) -> str: ...

    def field(self, i: int, name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Items:
    """A list of rows under ``key``: ``instances[3].hour``, or ``instances[3][0]`` where the row is
    a list in the order of ``names``."""

    key: str
    sent: Sequence[Any]
    names: Sequence[str] = ()

    def row(self, i: int) -> str:
        return f"{self.key}[{i}]"

    def field(self, i: int, name: str) -> str:
        if self.sent[i].__class__ is list and name in self.names:
            return f"{self.key}[{i}][{self.names.index(name)}]"
        return f"{self.key}[{i}].{shown(name)}"


@dataclass(frozen=True, slots=True)
class Split:
    """``dataframe_split.data[3][2]``."""

    columns: Sequence[str]

    def row(self, i: int) -> str:
        return f"dataframe_split.data[{i}]"

    def field(self, i: int, name: str) -> str:
        return f"dataframe_split.data[{i}][{self.columns.index(name)}]"


@dataclass(frozen=True, slots=True)
class Columns:
    """Lists by name under ``key``: ``inputs.hour[3]``."""

    key: str

    def row(self, i: int) -> str:
        return f"{self.key}.*[{i}]"

    def field(self, i: int, name: str) -> str:
        return f"{self.key}.{shown(name)}[{i}]"


@dataclass(frozen=True, slots=True)
class Lines:
    """``csv line 4, column carrier``; ``lines`` holds the line each row begins on, from 1."""

    lines: Sequence[int]

    def row(self, i: int) -> str:
        return f"csv line {self.lines[i]}"

    def field(self, i: int, name: str) -> str:
        return f"csv line {self.lines[i]}, column {shown(name)}"


def shown(name: str) -> str:
    """A caller's own text, short enough to say back."""
    return name if len(name) <= 60 else name[:57] + "…"
