"""Functions generated for a plan. Their source holds positional names and finite numbers only."""

from __future__ import annotations

from typing import Any


def define(source: str, space: dict[str, Any], name: str) -> Any:
    """The function ``name`` of some source, over the names of ``space``."""
    exec(compile(source, "<plan>", "exec"), space)
    return space[name]
