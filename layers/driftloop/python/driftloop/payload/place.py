"""Where a row or a field stood in what the caller sent, for errors: its path in his own shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from driftloop.plan.inputs import Input


class Place(Protocol):
    """Paths of row ``i`` (from 0) and of its field ``name``."""

    def row(self, i: int) -> str: ...

    def field(self, i: int, name: str) -> str: ...


class Items(NamedTuple):
    """A list of rows under ``key``: ``instances[3].hour``, or ``instances[3][0]`` where the row is
    a list in the order of ``inputs``."""

    key: str
    sent: Sequence[Any]
    inputs: Sequence[Input] = ()

    def row(self, i: int) -> str:
        return f"{self.key}[{i}]"

    def field(self, i: int, name: str) -> str:
        names = [item.name for item in self.inputs]
        if self.sent[i].__class__ is list and name in names:
            return f"{self.key}[{i}][{names.index(name)}]"
        return f"{self.key}[{i}].{shown(name)}"


class Split(NamedTuple):
    """``dataframe_split.data[3][2]``."""

    columns: Sequence[str]

    def row(self, i: int) -> str:
        return f"dataframe_split.data[{i}]"

    def field(self, i: int, name: str) -> str:
        return f"dataframe_split.data[{i}][{self.columns.index(name)}]"


class Columns(NamedTuple):
    """Lists by name under ``key``: ``inputs.hour[3]``."""

    key: str

    def row(self, i: int) -> str:
        return f"{self.key}.*[{i}]"

    def field(self, i: int, name: str) -> str:
        return f"{self.key}.{shown(name)}[{i}]"


class Lines(NamedTuple):
    """``csv line 4, column carrier``; ``lines`` holds the line each row begins on, from 1."""

    lines: Sequence[int]

    def row(self, i: int) -> str:
        return f"csv line {self.lines[i]}"

    def field(self, i: int, name: str) -> str:
        return f"csv line {self.lines[i]}, column {shown(name)}"


def shown(name: str) -> str:
    """A caller's own text, short enough to say back."""
    return name if len(name) <= 60 else name[:57] + "…"
