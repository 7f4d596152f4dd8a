"""A dataclass that the registry keeps: its field names are the item's attribute names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Self


class Item:
    """Base of the registry's nouns. Absent attributes take the field's default."""

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in item.items() if name in names})

    def to_item(self) -> dict[str, Any]:
        """Attributes of the item; a field that is None is left out."""
        values = ((f.name, getattr(self, f.name)) for f in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value in values if value is not None}
