"""JSON text → a document, without the traps JSON sets.

Python's decoder lets through NaN, Infinity and 1e999, which are refused where the field they stand
in is checked, so that it can be named. Refused here: keys that are doubled (RFC 8259, section 4:
what they mean is anybody's guess), half a surrogate pair (it is no text), a byte order mark
(section 8.1), endless nesting, and whole numbers beyond Python's own limit of digits.
"""

from __future__ import annotations

import json
import re
from typing import Any

from driftloop.errors import BadRequest

_HALF = re.compile("[\ud800-\udfff]").search
_HALF_ESCAPED = re.compile(r"\\u[dD][89a-fA-F]").search


class _Doubled(ValueError):
    """An object names a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        name = next(n for n, _ in pairs if n in seen or seen.add(n))  # type: ignore[func-returns-value]
        raise _Doubled(f"key {name[:60]!r} appears twice in one object")
    return found


_decode = json.JSONDecoder().decode
_decode_slowly = json.JSONDecoder(object_pairs_hook=_object).decode


def parse(text: str) -> Any:
    """Raises BadRequest saying where ``text`` is no JSON, or what about it is ambiguous."""
    try:
        document = _decode(text)
        keys = _keys(document)
        if keys != text.count(":") and keys != _most_keys(text):
            document = _decode_slowly(text)  # finds a doubled key, if there is one
        if "\\" in text and _HALF_ESCAPED(text) and _has_half(document):
            raise BadRequest("the body holds half of a surrogate pair, which is no character")
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        if not text.strip():
            raise BadRequest("the body is empty; it should be JSON") from None
        if text.startswith("\ufeff"):
            raise BadRequest("the body is not JSON: it begins with a byte order mark") from None
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"the body is not JSON: {error.msg} at {where}") from None
    except _Doubled as error:
        raise BadRequest(f"the body is ambiguous: {error}") from None
    except ValueError:  # Python's own limit on the digits of a whole number
        raise BadRequest("the body holds a number with thousands of digits") from None
    return document


def _most_keys(text: str) -> int:
    """How many keys are written in ``text`` at most: behind a key come spaces, if any, and a colon
    (what looks like that may be in a string, hence at most). All colons are a coarser bound, and
    sooner counted."""
    return sum(map(text.count, ('":', " :", "\t:", "\n:", "\r:")))


def _keys(document: Any) -> int:
    """How many keys the document has at least: of itself, of the objects in it and in its lists.
    As many as were written at most, then all of them are there, and none is doubled."""
    if document.__class__ is not dict:
        return 0
    found = len(document)
    for value in document.values():
        if value.__class__ is list:
            found += sum([len(entry) for entry in value if entry.__class__ is dict])
        elif value.__class__ is dict:
            found += len(value)
    return found


def _has_half(document: Any) -> bool:
    """The decoder joins two halves that follow each other, so any that is left is alone."""
    return _HALF(json.dumps(document, ensure_ascii=False)) is not None
