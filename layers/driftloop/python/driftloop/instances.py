"""The body of a predict request → its instances. Pure; refuses everything JSON lets through.

NaN, infinity and 1e999 parse to floats that are not finite; the plan's own check refuses those
with the path of the field they stand in.
"""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Iterable
from typing import Any

from driftloop.errors import BadRequest, RequestTooLarge

MAX_INSTANCES = 10_000
MAX_BYTES = 6 * 1024 * 1024  # what Lambda takes in one call

Instance = dict[str, Any]


class _Doubled(ValueError):
    """An object names a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        name = next(n for n, _ in pairs if n in seen or seen.add(n))  # type: ignore[func-returns-value]
        raise _Doubled(f"key {name!r} appears twice in one object")
    return found


_decode = json.JSONDecoder(object_pairs_hook=_object).decode


def read(body: str | None, *, is_base64: bool = False) -> list[Instance]:
    """The instances of ``{"instances": [{feature: value, …}, …]}``; their values are not checked.

    Raises BadRequest with the path of what is wrong, RequestTooLarge over a limit.
    """
    text = _text(body or "", is_base64)
    if len(text) > MAX_BYTES:
        raise RequestTooLarge(
            f"the body has {len(text):,} bytes; at most {MAX_BYTES:,} in one request"
        )
    try:
        document = _decode(text)
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"the body is not JSON: {error.msg} at {where}") from None
    except _Doubled as error:
        raise BadRequest(f"the body is ambiguous: {error}") from None
    except ValueError:  # Python's own limit on the digits of a whole number
        raise BadRequest("the body holds a number with thousands of digits") from None
    return _instances(document)


def _text(body: str, is_base64: bool) -> str:
    if not is_base64:
        return body
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        raise RequestTooLarge(f"the body is over {MAX_BYTES:,} bytes")
    try:
        return base64.b64decode(body, validate=True).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8 text (byte {error.start})") from None
    except ValueError:  # binascii.Error, or not even ASCII
        raise BadRequest("the body is marked base64 and is not") from None


def _instances(document: Any) -> list[Instance]:
    if not isinstance(document, dict):
        raise BadRequest('the body should be an object like {"instances": [{…}]}')
    if "instances" not in document:
        raise BadRequest('the body lacks "instances", the list of rows to predict', "instances")
    if len(document) > 1:
        other = next(name for name in document if name != "instances")
        raise BadRequest(f"{shown(other)}: unknown key beside instances", shown(other))
    instances = document["instances"]
    if not isinstance(instances, list):
        raise BadRequest("instances: should be a list of objects", "instances")
    if not instances:
        raise BadRequest("instances: is empty; send at least one row", "instances")
    if len(instances) > MAX_INSTANCES:
        raise RequestTooLarge(
            f"instances: {len(instances):,} rows; at most {MAX_INSTANCES:,} in one request",
            "instances",
        )
    return instances


def unknown_field(instance: Instance, path: str, known: Iterable[str]) -> BadRequest:
    """The error for an instance that names a field the model does not have."""
    names = list(known)
    name = next(n for n in instance if n not in names)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    field = f"{path}.{shown(name)}"
    return BadRequest(f"{field}: no such field{hint}", field)


def shown(name: str) -> str:
    """A caller's own text, short enough to say back."""
    return name if len(name) <= 60 else name[:57] + "…"
