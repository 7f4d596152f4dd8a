"""The embedded AWS: moto, and only what moto lacks. It knows AWS, not our domain.

``from infra.local import Local`` starts one in this process; ``python -m infra.local`` one of its
own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Local

__all__ = ["Local"]


def __getattr__(name: str) -> Any:
    """``Local``, when first asked for: moto takes a second to import."""
    if name != "Local":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .server import Local

    return Local
