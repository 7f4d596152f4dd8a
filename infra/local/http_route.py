"""Which route of an HTTP API answers a request.

AWS: "Create routes for HTTP APIs in API Gateway" (API Gateway Developer Guide,
http-api-develop-routes): the most specific match of method and path, then greedy ``{proxy+}``
routes, then ``$default``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

DEFAULT = "$default"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
_VARIABLE = re.compile(r"\{([A-Za-z0-9._-]+)(\+?)\}")


class RouteKeyRefused(Exception):
    """A route key that API Gateway would not take."""


@dataclass(frozen=True)
class RouteKey:
    """A parsed route key such as ``GET /models/{model}`` or ``$default``."""

    text: str
    method: str = field(init=False)
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        method, _, path = self.text.partition(" ")
        if self.text == DEFAULT:
            method, path = "ANY", "/"
        elif method not in _METHODS or not path.startswith("/"):
            raise RouteKeyRefused(
                f"route key {self.text!r} is neither '$default' nor 'METHOD /path'"
            )
        parts = tuple(path[1:].split("/"))
        for place, part in enumerate(parts):
            variable = _VARIABLE.fullmatch(part)
            if "{" in part and not variable:
                raise RouteKeyRefused(f"route key {self.text!r}: {part!r} mixes text and variable")
            if variable and variable.group(2) and place != len(parts) - 1:
                raise RouteKeyRefused(f"route key {self.text!r}: a greedy variable must be last")
        object.__setattr__(self, "method", method)
        object.__setattr__(self, "parts", parts)

    def match(self, method: str, parts: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path parameters when this route takes the request, else None."""
        if self.text == DEFAULT:
            return {}
        if self.method not in ("ANY", method):
            return None
        found: dict[str, str] = {}
        for place, wanted in enumerate(self.parts):
            variable = _VARIABLE.fullmatch(wanted)
            if variable and variable.group(2):
                rest = "/".join(parts[place:])
                return {**found, variable.group(1): rest} if rest else None
            if place >= len(parts):
                return None
            if variable:
                if not parts[place]:
                    return None
                found[variable.group(1)] = parts[place]
            elif wanted != parts[place]:
                return None
        return found if len(parts) == len(self.parts) else None

    @cached_property
    def specificity(self) -> tuple[object, ...]:
        """Sort key: the smallest answers first."""
        kinds = tuple(
            0 if not (v := _VARIABLE.fullmatch(part)) else 2 if v.group(2) else 1
            for part in self.parts
        )
        greedy = bool(kinds) and kinds[-1] == 2
        return (self.text == DEFAULT, greedy, kinds if not greedy else _longest_first(kinds),
                self.method == "ANY")  # fmt: skip


def _longest_first(kinds: tuple[int, ...]) -> tuple[int, ...]:
    return (-len(kinds), *kinds)


def choose(
    keys: Iterable[RouteKey], method: str, path: str
) -> tuple[RouteKey, dict[str, str]] | None:
    """Return the route for ``method`` and the decoded ``path``, with its path parameters."""
    parts = tuple(path[1:].split("/"))
    for key in sorted(keys, key=lambda key: key.specificity):
        parameters = key.match(method, parts)
        if parameters is not None:
            return key, parameters
    return None
